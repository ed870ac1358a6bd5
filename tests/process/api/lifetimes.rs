//! Bindings and calls in time: what the next call finds, who claims, what is over when.

use anyhow::{Result, ensure};
use serde_json::json;

use super::desk::{Desk, FAR, FARTHER, list_until, status_until, text};
use crate::scene::{CALLER, REDIRECT, UNBOUND, user};

/// A caller who comes later.
const LATER: &str = "14155550122";

#[test]
fn goes_by_each_change_with_the_very_next_call() -> Result<()> {
    let desk = Desk::open("next_call")?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    ensure!(caller.call(desk.sip(), REDIRECT, CALLER)?.0 == 480, "a call without a binding");
    let hide = json!({ "attributes": { "hide_origination_did": true } });
    let made = desk.lasting(REDIRECT, &hide)?;
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    let invite = callee.rung(1)?;
    ensure!(user(invite.request_uri().unwrap_or_default()) == FAR, "{}", invite.text);
    ensure!(user(invite.header("From").unwrap_or_default()) == REDIRECT, "{}", invite.text);
    ensure!(!invite.text.contains(CALLER), "the caller leaks: {}", invite.text);
    let path = format!("/bindings/{}", text(&made, "binding_sid")?);
    let change = json!({
        "destination_did": FARTHER,
        "attributes": { "hide_origination_did": null, "cnam": "Taxi", "sip_header_X-Ride": "17" },
    });
    desk.mediator.patch(&path, &change)?.ok()?;
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    let invite = callee.rung(2)?;
    ensure!(user(invite.request_uri().unwrap_or_default()) == FARTHER, "{}", invite.text);
    let from = invite.header("From").unwrap_or_default();
    ensure!(user(from) == CALLER && from.contains("Taxi"), "{from}");
    ensure!(invite.header("X-Ride") == Some("17"), "{}", invite.text);
    desk.mediator.patch(&path, &json!({ "redirect_did": UNBOUND }))?.ok()?;
    ensure!(caller.call(desk.sip(), REDIRECT, CALLER)?.0 == 480, "the old number still works");
    caller.talk(desk.sip(), UNBOUND, CALLER)?;
    desk.mediator.delete(&path)?.gone()?;
    ensure!(caller.call(desk.sip(), UNBOUND, CALLER)?.0 == 480, "a deleted binding still works");
    desk.close()
}

#[test]
fn prefers_the_exact_caller() -> Result<()> {
    let desk = Desk::open("exact")?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({}))?;
    desk.lasting(REDIRECT, &json!({ "origination_did": CALLER, "destination_did": FARTHER }))?;
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    caller.talk(desk.sip(), REDIRECT, LATER)?;
    callee.rung(2)?;
    let called: Vec<String> = callee
        .requests("INVITE")
        .iter()
        .map(|invite| user(invite.request_uri().unwrap_or_default()).to_owned())
        .collect();
    ensure!(called == [FARTHER, FAR], "{called:?}");
    desk.close()
}

#[test]
fn gives_a_waiting_binding_to_its_first_caller() -> Result<()> {
    let desk = Desk::open("claim")?;
    let (caller, _callee) = (desk.caller()?, desk.callee()?);
    let wait = json!({ "wait_origination_did_ttl": 60, "maximum_ttl": 600 });
    let made = desk.lasting(REDIRECT, &wait)?;
    let path = format!("/bindings/{}", text(&made, "binding_sid")?);
    ensure!(made["origination_did"].is_null());
    // A caller without a number neither claims nor gets through.
    ensure!(caller.call(desk.sip(), REDIRECT, "anonymous")?.0 == 480, "anonymous got through");
    ensure!(desk.mediator.get(&path)?.ok()? == made, "anonymous claimed");
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    let claimed = desk.mediator.get(&path)?.ok()?;
    ensure!(claimed["origination_did"] == CALLER, "{claimed}");
    ensure!(caller.call(desk.sip(), REDIRECT, LATER)?.0 == 480, "a second caller got through");
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    // Cleared, the window opens again.
    desk.mediator.patch(&path, &json!({ "origination_did": null }))?.ok()?;
    caller.talk(desk.sip(), REDIRECT, LATER)?;
    ensure!(desk.mediator.get(&path)?.ok()?["origination_did"] == LATER);
    ensure!(caller.call(desk.sip(), REDIRECT, CALLER)?.0 == 480, "the first caller got through");
    desk.close()
}

#[test]
fn deletes_what_is_past_its_end_and_frees_its_numbers() -> Result<()> {
    let desk = Desk::open("expiry")?;
    let caller = desk.caller()?;
    let short = desk.lasting(REDIRECT, &json!({ "maximum_ttl": 1 }))?;
    let waits =
        desk.lasting(UNBOUND, &json!({ "wait_origination_did_ttl": 1, "maximum_ttl": -1 }))?;
    let kept =
        json!({ "origination_did": CALLER, "maximum_ttl": 2, "wait_origination_did_ttl": 1 });
    let kept = desk.lasting(UNBOUND, &kept)?;
    let longer = desk.lasting(REDIRECT, &json!({ "origination_did": CALLER, "maximum_ttl": 2 }))?;
    let path = |binding: &serde_json::Value| -> Result<String> {
        Ok(format!("/bindings/{}", text(binding, "binding_sid")?))
    };
    desk.mediator.patch(&path(&longer)?, &json!({ "maximum_ttl": -1 }))?.ok()?;
    for gone in [&short, &waits] {
        status_until(&desk.mediator, &path(gone)?, 404)?;
    }
    // A binding with a caller does not wait: only its maximum_ttl counts.
    status_until(&desk.mediator, &path(&kept)?, 404)?;
    let left = list_until(&desk.mediator, "/bindings", "one left", |items| items.len() == 1)?;
    ensure!(left[0]["binding_sid"] == longer["binding_sid"], "{left:?}");
    ensure!(caller.call(desk.sip(), UNBOUND, CALLER)?.0 == 480, "an ended binding still works");
    desk.lasting(REDIRECT, &json!({}))?;
    desk.lasting(UNBOUND, &json!({ "origination_did": CALLER }))?;
    desk.close()
}

#[test]
fn does_not_cut_a_call_whose_binding_ends() -> Result<()> {
    let desk = Desk::open("expiry_in_call")?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    let short = desk.lasting(REDIRECT, &json!({ "maximum_ttl": 1 }))?;
    let (status, call) = caller.call(desk.sip(), REDIRECT, CALLER)?;
    ensure!(status == 200, "{status}");
    status_until(&desk.mediator, &format!("/bindings/{}", text(&short, "binding_sid")?), 404)?;
    list_until(&desk.mediator, "/bindings", "none left", <[_]>::is_empty)?;
    ensure!(callee.requests("BYE").is_empty() && caller.requests("BYE").is_empty(), "it was cut");
    caller.hang_up(&call)?;
    callee.heard_request("BYE", 1)?;
    desk.close()
}
