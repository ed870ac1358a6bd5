//! Call records: a Mediator record a call, one record a leg.

use anyhow::{Context, Result, ensure};
use mediator_tests::phone::Behaviour;
use serde_json::{Value, json};

use super::desk::{Desk, FAR, is_date, is_sid, keys, list_until, text};
use crate::scene::{CALLER, REDIRECT};

const CALLS: &str = "/app/mediator/calls";
const LEGS: &str = "/calls/call_drs";

#[test]
fn keeps_a_record_of_each_call_and_leg() -> Result<()> {
    let desk = Desk::open("records")?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    let attributes =
        json!({ "attributes": { "hide_origination_did": "true", "mine": "x" }, "dtmf": "1" });
    let binding = desk.lasting(REDIRECT, &attributes)?;
    let call_id = caller.talk(desk.sip(), REDIRECT, CALLER)?;
    let records = list_until(&desk.core, CALLS, "a record", |records| records.len() == 1)?;
    let record = &records[0];
    let wanted = json!({
        "attributes": { "hide_origination_did": "true", "mine": "x" }, "direction": "inbound",
        "dtmf": "1", "endpoint_sid": binding["account_sid"], "endpoint_type": "mediator",
        "event_type": "binding", "number_src": CALLER, "number_redirect": REDIRECT,
        "number_dst": FAR, "reference_sid": binding["binding_sid"], "type": "mediator", "version": 2,
        "sip_cause": 200, "disconnect_originator": "SRC",
    });
    for (field, value) in wanted.as_object().context("an object")? {
        ensure!(&record[field] == value, "{field}: {record}");
    }
    for field in ["date_start", "date_talk", "date_stop", "date_insert"] {
        ensure!(is_date(text(record, field)?), "{field}: {record}");
    }
    ensure!(is_sid(text(record, "dr_sid")?) && is_sid(text(record, "partner_sid")?), "{record}");
    let seconds: f64 = text(record, "duration")?.parse()?;
    ensure!((0.0..10.0).contains(&seconds), "{record}");
    let body = desk.core.get(CALLS)?.ok()?;
    ensure!(body["total"].is_null() && body["limit"] == 10, "{body}");
    let legs = list_until(&desk.core, LEGS, "two legs", |legs| legs.len() == 2)?;
    let callee_call = callee.rung(1)?.header("Call-ID").context("no Call-ID")?.to_owned();
    for wanted in [&call_id, &callee_call] {
        let leg = legs.iter().find(|leg| {
            leg["sipcallid_src"] == wanted.as_str() || leg["sipcallid_dst"] == wanted.as_str()
        });
        let leg = leg.with_context(|| format!("no record of {wanted}: {legs:?}"))?;
        for field in [
            "dr_sid",
            "date_start",
            "date_stop",
            "duration",
            "direction",
            "sipcause",
            "disconnect_originator",
            "number_src",
            "number_dst",
            "ip_src",
            "ip_dst",
        ] {
            ensure!(keys(leg).contains(&field), "{field}: {leg}");
        }
        let path = format!("{LEGS}/{}", text(leg, "dr_sid")?);
        ensure!(&desk.core.get(&path)?.ok()? == leg);
    }
    desk.core.get(&format!("{LEGS}/nothing"))?.errors(404)?;
    desk.close()
}

#[test]
fn records_a_call_that_nobody_took() -> Result<()> {
    let desk = Desk::open("records_busy")?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    callee.behave(Behaviour::Busy);
    desk.lasting(REDIRECT, &json!({}))?;
    ensure!(caller.call(desk.sip(), REDIRECT, CALLER)?.0 == 486);
    let records = list_until(&desk.core, CALLS, "a record", |records| records.len() == 1)?;
    let record = &records[0];
    ensure!(record["sip_cause"] == 486 && record["date_talk"].is_null(), "{record}");
    ensure!(
        record["disconnect_originator"] == "DST" && is_date(text(record, "date_stop")?),
        "{record}"
    );
    desk.close()
}

/// Follows pages by `before` until nothing is left.
fn by_cursor(desk: &Desk, path: &str) -> Result<Vec<Value>> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let before =
            all.last().map(|record| text(record, "dr_sid").map(str::to_owned)).transpose()?;
        let mut arguments = vec![("limit", "2")];
        if let Some(before) = &before {
            arguments.push(("before", before));
        }
        let (items, _) = desk.core.list(path, &arguments)?;
        if items.is_empty() {
            return Ok(all);
        }
        all.extend(items);
        ensure!(all.len() < 100, "the cursor goes round");
    }
}

#[test]
fn pages_filters_and_orders_records() -> Result<()> {
    let desk = Desk::open("records_lists")?;
    let (caller, _callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({}))?;
    for i in 0..5 {
        caller.talk(desk.sip(), REDIRECT, &format!("1415555020{i}"))?;
    }
    list_until(&desk.core, CALLS, "five records", |records| records.len() == 5)?;
    list_until(&desk.core, LEGS, "ten legs", |legs| legs.len() == 10)?;
    let sids = |records: &[Value]| -> Vec<Value> {
        records.iter().map(|record| record["dr_sid"].clone()).collect()
    };
    for (path, wanted) in [(CALLS, 5), (LEGS, 10)] {
        let (all, total) = desk.core.list(path, &[("limit", "1000")])?;
        ensure!(all.len() == wanted && total.is_null(), "{path}: {} records", all.len());
        let mut unique = sids(&all).iter().map(ToString::to_string).collect::<Vec<_>>();
        unique.sort_unstable();
        unique.dedup();
        ensure!(unique.len() == wanted, "{path}: a record twice");
        ensure!(sids(&by_cursor(&desk, path)?) == sids(&all), "{path}: by cursor");
        let mut paged = Vec::new();
        let mut page = desk.core.get(&format!("{path}?limit=2"))?.ok()?;
        loop {
            paged.extend(page["items"].as_array().cloned().unwrap_or_default());
            let Some(next) = page["pagination"]["next"].as_str().map(str::to_owned) else { break };
            page = desk.core.get(&next)?.ok()?;
        }
        ensure!(sids(&paged) == sids(&all), "{path}: by page");
        let (upward, _) = desk.core.list(path, &[("order", "date_stop asc"), ("limit", "1000")])?;
        let dates: Vec<&str> = upward.iter().filter_map(|r| r["date_stop"].as_str()).collect();
        ensure!(dates.is_sorted() && dates.len() == wanted, "{path}: {dates:?}");
        let filter =
            [("filter", "number_src eq \"14155550203\""), ("include_fields", "number_src")];
        let (found, _) = desk.core.list(path, &filter)?;
        ensure!(found.len() == wanted / 5, "{path}: {found:?}");
        ensure!(found.iter().all(|record| keys(record) == ["number_src"]), "{found:?}");
        desk.core.get(&format!("{path}?filter=nonsense"))?.errors(400)?;
        desk.core.get(&format!("{path}?before=nonsense"))?.errors(400)?;
    }
    desk.close()
}
