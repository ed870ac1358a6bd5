//! Dialouts: the object, its wait, and its end.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mediator_tests::phone::Behaviour;
use serde_json::{Value, json};

use super::desk::{
    BRITISH, DIDS, Desk, FAR, FARTHER, is_date, is_sid, keys, list_until, merge, status_until, text,
};
use crate::scene::{REDIRECT, UNBOUND};

const FIELDS: [&str; 8] = [
    "account_sid",
    "attributes",
    "date_created",
    "delay",
    "dialout_sid",
    "redirect_did",
    "stage_one_destination_did",
    "stage_two_destination_did",
];

/// Both stages and an hour to wait.
fn later(more: &Value) -> Value {
    let mut body = json!({
        "stage_one_destination_did": FARTHER, "stage_two_destination_did": FAR, "delay": 3600,
    });
    merge(&mut body, more);
    body
}

/// Whether a delay of an hour that was set a moment ago reads as that.
fn about_an_hour(delay: &Value) -> bool {
    delay.as_i64().is_some_and(|delay| (3590..=3600).contains(&delay))
}

#[test]
fn fills_in_what_the_client_leaves_out() -> Result<()> {
    let desk = Desk::open("dialout_defaults")?;
    let made = desk.mediator.post("/dialouts", &later(&json!({})))?.ok()?;
    ensure!(keys(&made) == FIELDS, "{made}");
    ensure!(is_sid(text(&made, "dialout_sid")?) && is_date(text(&made, "date_created")?), "{made}");
    ensure!(made["attributes"] == json!({ "hide_origination_did": "true" }), "{made}");
    ensure!(
        DIDS.contains(&text(&made, "redirect_did")?) && about_an_hour(&made["delay"]),
        "{made}"
    );
    let attributes = json!({ "attributes": { "ringback": "false", "mine": [1] }, "delay": "3600" });
    let mut second = later(&attributes);
    merge(&mut second, &json!({ "stage_one_destination_did": "+1 516 206 5330" }));
    let second = desk.mediator.post("/dialouts", &second)?.ok()?;
    let wanted = json!({ "hide_origination_did": "true", "ringback": "false", "mine": [1] });
    ensure!(second["attributes"] == wanted && about_an_hour(&second["delay"]), "{second}");
    ensure!(second["stage_one_destination_did"] == "15162065330", "{second}");
    let shown = json!({
        "attributes": { "hide_origination_did": false }, "stage_one_destination_did": "15162065331",
    });
    let shown = desk.mediator.post("/dialouts", &later(&shown))?.ok()?;
    ensure!(shown["attributes"] == json!({ "hide_origination_did": false }), "{shown}");
    let (items, total) = desk.mediator.list("/dialouts", &[("order", "delay desc")])?;
    ensure!(total == 3 && items.iter().all(|item| about_an_hour(&item["delay"])), "{items:?}");
    let path = format!("/dialouts/{}", text(&second, "dialout_sid")?);
    let one = desk.mediator.get(&path)?.ok()?;
    ensure!(keys(&one) == FIELDS && one["dialout_sid"] == second["dialout_sid"], "{one}");
    let few = desk.mediator.get(&format!("{path}?include_fields=delay"))?.ok()?;
    ensure!(keys(&few) == ["delay"], "{few}");
    ensure!(desk.abroad.get("/dialouts")?.ok()?["total"] == 0, "an account sees another's");
    desk.abroad.get(&path)?.fails(404, "Cannot find item by SID")?;
    desk.close()
}

#[test]
fn refuses_what_cannot_be_dialled() -> Result<()> {
    let desk = Desk::open("dialout_faults")?;
    let api = &desk.mediator;
    api.post("/dialouts", &json!({}))?
        .blames(400, &["stage_one_destination_did", "stage_two_destination_did"])?;
    let rows = [
        ("stage_one_destination_did", json!("bob")),
        ("stage_two_destination_did", json!(true)),
        ("stage_one_destination_did", json!(null)),
        ("delay", json!(-1)),
        ("delay", json!(31_536_001)),
        ("delay", json!("soon")),
        ("delay", json!(1.5)),
        ("delay", json!(true)),
        ("attributes", json!([])),
        ("attributes", json!("x")),
        ("redirect_did", json!([])),
        ("redirect_did", json!("x")),
    ];
    for (field, value) in rows {
        let reply = api.post("/dialouts", &later(&json!({ field: value })))?;
        reply.blames(400, &[field]).with_context(|| format!("{field} = {value}"))?;
    }
    let header = json!({ "attributes": { "sip_header_X-A": "a\r\nb" } });
    api.post("/dialouts", &later(&header))?.errors(400)?;
    let foreign = api.post("/dialouts", &later(&json!({ "redirect_did": BRITISH })))?;
    foreign.fails(409, "Cannot find redirect_did")?;
    ensure!(api.get("/dialouts")?.ok()?["total"] == 0);
    desk.close()
}

#[test]
fn keeps_the_three_numbers_unique_while_it_waits() -> Result<()> {
    let desk = Desk::open("dialout_unique")?;
    let api = &desk.mediator;
    let first = api.post("/dialouts", &later(&json!({ "redirect_did": REDIRECT })))?.ok()?;
    api.post("/dialouts", &later(&json!({ "redirect_did": REDIRECT })))?.errors(409)?;
    let second = api.post("/dialouts", &later(&json!({ "redirect_did": UNBOUND })))?.ok()?;
    let path = format!("/dialouts/{}", text(&second, "dialout_sid")?);
    api.patch(&path, &json!({ "redirect_did": REDIRECT }))?.errors(409)?;
    api.delete(&format!("/dialouts/{}", text(&first, "dialout_sid")?))?.gone()?;
    ensure!(
        api.patch(&path, &json!({ "redirect_did": REDIRECT }))?.ok()?["redirect_did"] == REDIRECT
    );
    desk.close()
}

#[test]
fn changes_while_it_waits() -> Result<()> {
    let desk = Desk::open("dialout_change")?;
    let api = &desk.mediator;
    let made = api.post("/dialouts", &later(&json!({ "attributes": { "cnam": "Taxi" } })))?.ok()?;
    let path = format!("/dialouts/{}", text(&made, "dialout_sid")?);
    let now = api.patch(&path, &json!({ "delay": "1800" }))?.ok()?;
    ensure!(now["delay"].as_i64().is_some_and(|delay| (1795..=1800).contains(&delay)), "{now}");
    let now = api.patch(&path, &json!({ "attributes": { "ringback": "moh" } }))?.ok()?;
    let wanted = json!({ "cnam": "Taxi", "hide_origination_did": "true", "ringback": "moh" });
    ensure!(now["attributes"] == wanted, "{now}");
    let now = api.patch(&path, &json!({ "attributes": { "cnam": null } }))?.ok()?;
    ensure!(now["attributes"].get("cnam").is_none(), "{now}");
    api.patch(&path, &json!({ "delay": -1 }))?.blames(400, &["delay"])?;
    api.patch(&path, &json!({ "redirect_did": BRITISH }))?
        .fails(409, "Cannot find redirect_did")?;
    let whole = json!({
        "attributes": { "hide_origination_did": "true" }, "delay": 7200, "redirect_did": UNBOUND,
        "stage_one_destination_did": FAR, "stage_two_destination_did": FARTHER,
    });
    for field in keys(&whole) {
        let mut less = whole.clone();
        less.as_object_mut().context("an object")?.remove(field);
        api.put(&path, &less)?.blames(400, &[field])?;
    }
    let now = api.put(&path, &whole)?.ok()?;
    ensure!(now["stage_one_destination_did"] == FAR && now["redirect_did"] == UNBOUND, "{now}");
    ensure!(now["dialout_sid"] == made["dialout_sid"], "{now}");
    api.delete(&path)?.gone()?;
    for reply in [api.get(&path)?, api.delete(&path)?, api.patch(&path, &json!({ "delay": 1 }))?] {
        reply.fails(404, "Cannot find item by SID")?;
    }
    desk.close()
}

#[test]
fn never_dials_what_was_deleted_in_time() -> Result<()> {
    let desk = Desk::open("dialout_deleted")?;
    let callee = desk.callee()?;
    let api = &desk.mediator;
    let gone = api.post("/dialouts", &later(&json!({ "delay": 2 })))?.ok()?;
    api.delete(&format!("/dialouts/{}", text(&gone, "dialout_sid")?))?.gone()?;
    let put_off = api.post("/dialouts", &later(&json!({ "delay": 2 })))?.ok()?;
    let path = format!("/dialouts/{}", text(&put_off, "dialout_sid")?);
    api.patch(&path, &json!({ "delay": 600 }))?.ok()?;
    // Silence can only be waited for.
    thread::sleep(Duration::from_millis(3200));
    ensure!(callee.requests("INVITE").is_empty(), "{:?}", callee.requests("INVITE"));
    ensure!(api.get(&path)?.ok()?["delay"].as_i64().is_some_and(|delay| delay < 599));
    desk.close()
}

#[test]
fn ends_at_its_time_with_a_record() -> Result<()> {
    let desk = Desk::open("dialout_ends")?;
    let callee = desk.callee()?;
    callee.behave(Behaviour::Busy);
    let attributes = json!({ "cnam": "Taxi", "sip_header_X-Ride": "17" });
    let body = json!({ "delay": 1, "redirect_did": REDIRECT, "attributes": attributes });
    let made = desk.mediator.post("/dialouts", &later(&body))?.ok()?;
    ensure!(desk.mediator.get("/dialouts")?.ok()?["total"] == 1);
    let path = format!("/dialouts/{}", text(&made, "dialout_sid")?);
    desk.mediator.get(&format!("{path}/record"))?.fails(404, "Cannot find item by SID")?;
    status_until(&desk.mediator, &path, 404)?;
    ensure!(desk.mediator.get("/dialouts")?.ok()?["total"] == 0);
    let records = list_until(&desk.core, "/app/mediator/calls", "a record", |r| r.len() == 1)?;
    let record = &records[0];
    let wanted = json!({
        "event_type": "dialout", "direction": "outbound", "number_src": FARTHER, "number_dst": FAR,
        "number_redirect": REDIRECT, "reference_sid": made["dialout_sid"], "date_talk": null,
        "attributes": made["attributes"], "sip_cause": 486, "disconnect_originator": "SRC",
    });
    for (field, value) in wanted.as_object().context("an object")? {
        ensure!(&record[field] == value, "{field}: {record}");
    }
    ensure!(callee.requests("INVITE").len() == 1, "{:?}", callee.requests("INVITE"));
    // The account sees it, too, and nobody else does.
    let own = format!("{path}/record");
    ensure!(&desk.mediator.get(&own)?.ok()? == record, "{record}");
    let few = desk.mediator.get(&format!("{own}?include_fields=sip_cause"))?.ok()?;
    ensure!(few == json!({ "sip_cause": 486 }), "{few}");
    desk.abroad.get(&own)?.fails(404, "Cannot find item by SID")?;
    // Its numbers are free again.
    desk.mediator.post("/dialouts", &later(&body))?.ok()?;
    desk.close()
}
