//! What a change through the Core API means for calls: limits, trunks, routes.

use anyhow::{Context, Result, ensure};
use mediator_tests::phone::{Behaviour, Phone};
use mediator_tests::stage::Loopback;
use serde_json::{Value, json};

use super::desk::{Desk, text};
use crate::scene::{CALLER, REDIRECT};

/// The object of a list with that name.
fn named(desk: &Desk, path: &str, name: &str) -> Result<Value> {
    let (mut items, _) = desk.core.list(path, &[("filter", &format!("name eq \"{name}\""))])?;
    items.pop().with_context(|| format!("no {name} in {path}"))
}

fn path_of(desk: &Desk, name: &str) -> Result<String> {
    Ok(format!("/endpoints/{}", text(&named(desk, "/endpoints", name)?, "endpoint_sid")?))
}

#[test]
fn keeps_an_endpoint_to_its_capacity() -> Result<()> {
    let desk = Desk::open("capacity")?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({}))?;
    let path = path_of(&desk, "carrier-in")?;
    desk.core.patch(&path, &json!({ "capacity": 1 }))?.ok()?;
    let (status, first) = caller.call(desk.sip(), REDIRECT, CALLER)?;
    ensure!(status == 200, "{status}");
    let (status, second) = caller.call(desk.sip(), REDIRECT, CALLER)?;
    ensure!(status == 503, "{status}");
    let heard = caller.heard();
    let refusal = heard.iter().find(|message| {
        message.status() == Some(503) && message.header("Call-ID") == Some(&second)
    });
    ensure!(refusal.is_some_and(|refusal| refusal.header("Retry-After").is_some()), "{refusal:?}");
    // Raised while a call is up.
    desk.core.patch(&path, &json!({ "capacity": 2 }))?.ok()?;
    let (status, third) = caller.call(desk.sip(), REDIRECT, CALLER)?;
    ensure!(status == 200, "{status}");
    ensure!(callee.requests("BYE").is_empty(), "a change cut a call");
    for call in [first, third] {
        caller.hang_up(&call)?;
    }
    callee.heard_request("BYE", 2)?;
    desk.close()
}

#[test]
fn keeps_an_endpoint_to_its_calls_a_second() -> Result<()> {
    let desk = Desk::open("cps")?;
    let (caller, _callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({}))?;
    // Of a carrier the calls that are sent to it count.
    let path = path_of(&desk, "carrier-out")?;
    desk.core.patch(&path, &json!({ "cps_limit": 2 }))?.ok()?;
    let calls: Vec<String> =
        (0..12).map(|_| caller.dial(desk.sip(), REDIRECT, CALLER)).collect::<Result<_>>()?;
    let mut refused = 0;
    for call in &calls {
        match caller.final_status(call)? {
            200 => caller.hang_up(call)?,
            503 => refused += 1,
            other => anyhow::bail!("{other}"),
        }
    }
    ensure!((6..12).contains(&refused), "{refused} of 12 refused at 2 a second");
    desk.core.patch(&path, &json!({ "cps_limit": null }))?.ok()?;
    for _ in 0..6 {
        caller.talk(desk.sip(), REDIRECT, CALLER)?;
    }
    desk.close()
}

#[test]
fn sends_the_next_call_by_a_changed_trunk_while_one_is_up() -> Result<()> {
    let desk = Desk::open("moved_trunk")?;
    let elsewhere = Loopback::lease()?;
    let other = Phone::start(elsewhere.sip(), Behaviour::Answers)?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({}))?;
    let (status, first) = caller.call(desk.sip(), REDIRECT, CALLER)?;
    ensure!(status == 200, "{status}");
    // First the address of the endpoint, then another group altogether.
    let path = path_of(&desk, "carrier-out")?;
    let address = json!({ "ip": elsewhere.ip().to_string(), "direction": "outbound" });
    desk.core.patch(&path, &json!({ "addresses": [address] }))?.ok()?;
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    ensure!(other.requests("INVITE").len() == 1 && callee.requests("INVITE").len() == 1);
    let back = json!({ "ip": desk.scene.callee.ip().to_string(), "direction": "outbound" });
    let back = json!({ "type": "system_gateway", "name": "back", "addresses": [back] });
    let back = desk.core.post("/endpoints", &back)?.ok()?;
    let masking = path_of(&desk, "masking")?;
    desk.core.patch(&masking, &json!({ "outbound": back["endpoint_sid"] }))?.ok()?;
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    ensure!(callee.requests("INVITE").len() == 2 && other.requests("INVITE").len() == 1);
    caller.hang_up(&first)?;
    callee.heard_request("BYE", 2)?;
    desk.close()
}

#[test]
fn takes_no_call_for_a_did_that_was_taken_away() -> Result<()> {
    let desk = Desk::open("unrouted")?;
    let (caller, _callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({}))?;
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    let filter = format!("phonenumber eq \"{REDIRECT}\"");
    let (dids, _) = desk.core.list("/phonenumber/dids", &[("filter", &filter)])?;
    let path = format!("/phonenumber/dids/{}", text(&dids[0], "did_sid")?);
    desk.core.patch(&path, &json!({ "trunk_group_sid": null }))?.ok()?;
    let (status, _) = caller.call(desk.sip(), REDIRECT, CALLER)?;
    ensure!(status == 404 || status == 480, "{status}");
    desk.core.patch(&path, &json!({ "trunk_group_sid": dids[0]["trunk_group_sid"] }))?.ok()?;
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    desk.close()
}

#[test]
fn knows_a_carrier_by_an_address_that_was_just_added() -> Result<()> {
    let desk = Desk::open("new_address")?;
    let elsewhere = Loopback::lease()?;
    let (stranger, _callee) = (Phone::start(elsewhere.sip(), Behaviour::Answers)?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({}))?;
    ensure!(stranger.call(desk.sip(), REDIRECT, CALLER)?.0 == 401, "a stranger was let in");
    let address = json!({ "ip": elsewhere.ip().to_string(), "direction": "inbound" });
    let made = json!({ "type": "system_gateway", "name": "new", "addresses": [address] });
    let made = desk.core.post("/endpoints", &made)?.ok()?;
    stranger.talk(desk.sip(), REDIRECT, CALLER)?;
    desk.core.delete(&format!("/endpoints/{}", text(&made, "endpoint_sid")?))?.gone()?;
    ensure!(stranger.call(desk.sip(), REDIRECT, CALLER)?.0 == 401, "a deleted carrier is let in");
    desk.close()
}
