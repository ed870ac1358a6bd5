//! Calls that are up, hanging one up, and what a call would meet.

use anyhow::{Context, Result, ensure};
use mediator_tests::phone::Behaviour;
use serde_json::{Value, json};

use super::desk::{Desk, FAR, FARTHER, is_date, is_sid, keys, list_until, status_until, text};
use crate::scene::{CALLER, REDIRECT, UNBOUND};

#[test]
fn shows_a_call_from_ringing_to_its_end() -> Result<()> {
    let desk = Desk::open("live")?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    callee.behave(Behaviour::Rings);
    let binding = desk.lasting(REDIRECT, &json!({}))?;
    ensure!(desk.mediator.get("/calls")?.ok()?["items"] == json!([]));
    let call_id = caller.dial(desk.sip(), REDIRECT, CALLER)?;
    let ringing = list_until(&desk.mediator, "/calls", "a ringing call", |calls| {
        calls.len() == 1 && calls[0]["state"] == "ringing"
    })?;
    let call = &ringing[0];
    let fields = [
        "call_sid",
        "date_start",
        "date_talk",
        "legs",
        "number_dst",
        "number_redirect",
        "number_src",
        "reference_sid",
        "state",
        "type",
    ];
    ensure!(fields.iter().all(|field| keys(call).contains(field)), "{call}");
    ensure!(call["type"] == "binding" && call["reference_sid"] == binding["binding_sid"], "{call}");
    ensure!(call["number_src"] == CALLER && call["number_redirect"] == REDIRECT, "{call}");
    ensure!(call["number_dst"] == FAR && call["date_talk"].is_null(), "{call}");
    ensure!(is_date(text(call, "date_start")?) && is_sid(text(call, "call_sid")?), "{call}");
    let legs = call["legs"].as_array().context("legs")?;
    ensure!(legs.len() == 2 && legs[0]["leg"] == "a" && legs[1]["leg"] == "b", "{call}");
    ensure!(legs[0]["sip_call_id"] == call_id && legs[1]["sip_call_id"] != call_id, "{call}");
    let endpoints = desk.core.get("/endpoints?limit=100")?.ok()?;
    for (leg, name) in legs.iter().zip(["carrier-in", "carrier-out"]) {
        let of = endpoints["items"].as_array().into_iter().flatten();
        let mut of = of.filter(|endpoint| endpoint["endpoint_sid"] == leg["endpoint_sid"]);
        ensure!(of.next().is_some_and(|endpoint| endpoint["name"] == name), "{leg}");
    }
    let path = format!("/calls/{}", text(call, "call_sid")?);
    ensure!(desk.mediator.get(&path)?.ok()?["call_sid"] == call["call_sid"]);
    desk.mediator.delete(&path)?.gone()?;
    callee.heard_request("CANCEL", 1)?;
    let status = caller.final_status(&call_id)?;
    ensure!(status >= 400, "{status}");
    status_until(&desk.mediator, &path, 404)?;
    desk.mediator.delete(&path)?.fails(404, "Cannot find item by SID")?;
    desk.close()
}

#[test]
fn hangs_up_both_legs_of_an_answered_call() -> Result<()> {
    let desk = Desk::open("hang_up")?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({}))?;
    let (status, _) = caller.call(desk.sip(), REDIRECT, CALLER)?;
    ensure!(status == 200, "{status}");
    let up = list_until(&desk.mediator, "/calls", "an answered call", |calls| {
        calls.len() == 1 && calls[0]["state"] == "answered"
    })?;
    ensure!(is_date(text(&up[0], "date_talk")?), "{up:?}");
    let codec = up[0]["legs"][1]["codec"].as_str().unwrap_or_default().to_ascii_uppercase();
    ensure!(codec == "PCMU" || codec == "ULAW", "{up:?}");
    let (found, _) = desk.mediator.list("/calls", &[("filter", "state eq \"ringing\"")])?;
    ensure!(found.is_empty(), "{found:?}");
    desk.mediator.delete(&format!("/calls/{}", text(&up[0], "call_sid")?))?.gone()?;
    callee.heard_request("BYE", 1)?;
    caller.heard_request("BYE", 1)?;
    list_until(&desk.mediator, "/calls", "no call", <[_]>::is_empty)?;
    let records = list_until(&desk.core, "/app/mediator/calls", "a record", |r| r.len() == 1)?;
    ensure!(records[0]["disconnect_originator"] == "SYSTEM", "{records:?}");
    desk.close()
}

/// A question to explain, and what of the answer is known beforehand.
struct Row {
    from: &'static str,
    to: &'static str,
    rule: &'static str,
    caller_id: Value,
    destination_did: Value,
    sip_code: Value,
}

#[test]
fn explains_where_a_call_would_go_and_touches_nothing() -> Result<()> {
    let desk = Desk::open("explain")?;
    let callee = desk.callee()?;
    let hidden = json!({ "attributes": { "hide_origination_did": "true" } });
    let any = desk.lasting(REDIRECT, &hidden)?;
    let exact = json!({ "origination_did": CALLER, "destination_did": FARTHER });
    let exact = desk.lasting(REDIRECT, &exact)?;
    let waits = desk.lasting(UNBOUND, &json!({ "wait_origination_did_ttl": 60 }))?;
    let (later, none) = ("14155550122", Value::Null);
    let rows = [
        Row {
            from: CALLER,
            to: REDIRECT,
            rule: "exact",
            caller_id: json!(CALLER),
            destination_did: json!(FARTHER),
            sip_code: none.clone(),
        },
        Row {
            from: "+1 415 555 0122",
            to: "sip:15162065346@here",
            rule: "any",
            caller_id: json!(REDIRECT),
            destination_did: json!(FAR),
            sip_code: none.clone(),
        },
        Row {
            from: later,
            to: UNBOUND,
            rule: "claim",
            caller_id: json!(later),
            destination_did: json!(FAR),
            sip_code: none.clone(),
        },
    ];
    let wanted_sids = [&exact, &any, &waits];
    for (row, binding) in rows.iter().zip(wanted_sids) {
        let said = desk.mediator.query("/explain", &[("from", row.from), ("to", row.to)])?.ok()?;
        ensure!(said["rule"] == row.rule && said["sip_code"] == row.sip_code, "{said}");
        ensure!(said["caller_id"] == row.caller_id, "{said}");
        ensure!(said["destination_did"] == row.destination_did, "{said}");
        ensure!(
            said["binding_sid"] == binding["binding_sid"] && said["endpoint"].is_string(),
            "{said}"
        );
        let trunks = said["trunks"].as_array().context("trunks")?;
        let address = text(&trunks[0], "address")?;
        ensure!(address.contains(&desk.scene.callee.ip().to_string()), "{said}");
        ensure!(trunks.len() == 1 && trunks[0]["name"].is_string(), "{said}");
    }
    let nobody = desk.mediator.query("/explain", &[("from", CALLER), ("to", FAR)])?.ok()?;
    ensure!(nobody["rule"] == "unknown_did" && nobody["sip_code"] == 404, "{nobody}");
    ensure!(nobody["did"].is_null(), "{nobody}");
    let waiting =
        desk.mediator.get(&format!("/bindings/{}", text(&waits, "binding_sid")?))?.ok()?;
    ensure!(waiting["origination_did"].is_null(), "it claimed: {waiting}");
    desk.mediator.delete(&format!("/bindings/{}", text(&waits, "binding_sid")?))?.gone()?;
    let none = desk.mediator.query("/explain", &[("from", CALLER), ("to", UNBOUND)])?.ok()?;
    ensure!(none["rule"] == "none" && none["sip_code"] == 480, "{none}");
    desk.mediator.get("/explain?from=14155550100")?.blames(400, &["to"])?;
    desk.mediator.get("/explain?to=bob")?.errors(400)?;
    ensure!(callee.heard().is_empty(), "a call was placed");
    ensure!(desk.mediator.get("/calls")?.ok()?["items"] == json!([]));
    desk.close()
}
