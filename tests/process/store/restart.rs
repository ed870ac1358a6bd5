//! A restart in order, and time that passes while nobody is there.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mediator_tests::api::Api;
use mediator_tests::config::Config;
use mediator_tests::phone::Behaviour;
use serde_json::{Value, json};

use crate::api::desk::{Desk, FAR, FARTHER, list_until, text};
use crate::scene::{CALLER, REDIRECT, Scene, UNBOUND, user};

fn stored(scene: &Scene) -> Config {
    scene.config().store(&format!("file:{}", scene.stage.path("data").display()))
}

/// Ends the server in order and starts it again on its folder.
fn restart(desk: Desk, config: &Config) -> Result<Desk> {
    let Desk { scene, server, .. } = desk;
    server.stop()?;
    Desk::on(scene, config)
}

/// Kills the server and starts it again after a while.
fn kill(desk: Desk, config: &Config, down: Duration) -> Result<Desk> {
    let Desk { scene, server, .. } = desk;
    drop(server);
    thread::sleep(down);
    Desk::on(scene, config)
}

/// Everything that lists show, by path.
fn everything(desk: &Desk) -> Result<Vec<(String, Value)>> {
    let mut all = Vec::new();
    for path in ["/bindings", "/accounts", "/dids"] {
        let items = desk.mediator.list(path, &[("limit", "1000")])?.0;
        all.push((path.to_owned(), json!(items)));
    }
    for path in [
        "/endpoints",
        "/trunk_groups",
        "/phonenumber/dids",
        "/app/mediator/calls",
        "/calls/call_drs",
    ] {
        let items = desk.core.list(path, &[("limit", "1000")])?.0;
        for item in items.iter().filter(|_| path == "/trunk_groups") {
            let trunks = format!("{path}/{}/trunks", text(item, "trunk_group_sid")?);
            all.push((trunks.clone(), json!(desk.core.list(&trunks, &[])?.0)));
        }
        all.push((path.to_owned(), json!(items)));
    }
    let me = desk.core.get("/oauth/whoami")?.ok()?;
    let partner = format!("/partners/{}", text(&me, "partner_sid")?);
    all.push((partner.clone(), desk.core.get(&partner)?.ok()?));
    Ok(all)
}

#[test]
fn finds_everything_again() -> Result<()> {
    let scene = Scene::new("store_restart")?;
    let config = stored(&scene).phone("alice", "15550001001");
    let desk = Desk::on(scene, &config)?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(
        REDIRECT,
        &json!({ "attributes": { "a": { "b": [1, null, "☂"] } }, "dtmf": "1" }),
    )?;
    let waits = json!({ "wait_origination_did_ttl": 600, "destination_did": FARTHER });
    desk.lasting(UNBOUND, &waits)?;
    caller.talk(desk.sip(), UNBOUND, CALLER)?;
    let shop = json!({ "type": "mediator", "name": "shop", "provision_trunk_group": true });
    let shop = desk.core.post("/endpoints", &shop)?.ok()?;
    let outbound = json!({ "type": "system_gateway", "name": "gw", "cps_limit": 7, "capacity": 3,
        "addresses": [{ "ip": "192.0.2.7", "transport": "tcp" }], "out_sip_username": "u", "out_sip_password": "p" });
    desk.core.post("/endpoints", &outbound)?.ok()?;
    desk.core
        .post("/phonenumber/dids", &json!({ "phonenumber": "442071838751", "string_key_1": "k" }))?
        .ok()?;
    list_until(&desk.core, "/calls/call_drs", "legs", |legs| legs.len() == 2)?;
    let before = everything(&desk)?;
    drop((caller, callee));
    let desk = restart(desk, &config)?;
    for (before, after) in before.iter().zip(everything(&desk)?) {
        ensure!(
            before == &after,
            "before: {} {}\nafter: {} {}",
            before.0,
            before.1,
            after.0,
            after.1
        );
    }
    // Secrets are kept too: the account made through the API still lets in.
    let properties = &shop["properties"];
    let (login, password) = (text(properties, "login")?, text(properties, "password")?);
    Api::mediator(desk.address(), login, password).get("/accounts")?.ok()?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    caller.talk(desk.sip(), UNBOUND, CALLER)?;
    ensure!(user(callee.rung(1)?.request_uri().unwrap_or_default()) == FARTHER);
    ensure!(caller.call(desk.sip(), UNBOUND, "14155550199")?.0 == 480, "the claim is forgotten");
    caller.talk(desk.sip(), REDIRECT, "14155550199")?;
    desk.close()
}

#[test]
fn lets_time_pass_while_it_is_down() -> Result<()> {
    let scene = Scene::new("store_down")?;
    let config = stored(&scene);
    let desk = Desk::on(scene, &config)?;
    let short = desk.lasting(REDIRECT, &json!({ "maximum_ttl": 2 }))?;
    let window = json!({ "wait_origination_did_ttl": 2 });
    let window = desk.lasting(UNBOUND, &window)?;
    let long = json!({ "maximum_ttl": 6, "origination_did": CALLER });
    let long = desk.lasting(REDIRECT, &long)?;
    let stages = json!({
        "stage_one_destination_did": FARTHER, "stage_two_destination_did": FAR, "delay": 3600,
    });
    let dialout = desk.mediator.post("/dialouts", &stages)?.ok()?;
    let desk = kill(desk, &config, Duration::from_millis(2500))?;
    for gone in [&short, &window] {
        let path = format!("/bindings/{}", text(gone, "binding_sid")?);
        desk.mediator.get(&path)?.fails(404, "Cannot find item by SID")?;
    }
    let left = desk.mediator.list("/bindings", &[])?.0;
    ensure!(left == [long.clone()], "{left:?}");
    let caller = desk.caller()?;
    ensure!(
        caller.call(desk.sip(), UNBOUND, CALLER)?.0 == 480,
        "an ended window still takes callers"
    );
    let path = format!("/dialouts/{}", text(&dialout, "dialout_sid")?);
    let delay = desk.mediator.get(&path)?.ok()?["delay"].as_i64();
    ensure!(delay.is_some_and(|delay| (3580..3599).contains(&delay)), "{delay:?}");
    // The rest of its life goes on where it was, not from the start.
    let path = format!("/bindings/{}", text(&long, "binding_sid")?);
    crate::api::desk::status_until(&desk.mediator, &path, 404)?;
    desk.close()
}

#[test]
fn takes_up_at_once_what_came_due_while_it_was_down() -> Result<()> {
    let scene = Scene::new("store_due")?;
    let config = stored(&scene);
    let desk = Desk::on(scene, &config)?;
    let callee = desk.callee()?;
    callee.behave(Behaviour::Busy);
    let stages = json!({
        "stage_one_destination_did": FARTHER, "stage_two_destination_did": FAR, "delay": 1,
    });
    let made = desk.mediator.post("/dialouts", &stages)?.ok()?;
    let desk = kill(desk, &config, Duration::from_millis(1500))?;
    let records = list_until(&desk.core, "/app/mediator/calls", "a record", |r| r.len() == 1)?;
    ensure!(records[0]["reference_sid"] == made["dialout_sid"], "{records:?}");
    ensure!(records[0]["sip_cause"] == 486, "{records:?}");
    let desk = restart(desk, &config)?;
    ensure!(desk.core.get("/app/mediator/calls")?.ok()?["count"] == 1, "taken up twice");
    ensure!(callee.requests("INVITE").len() == 1, "{:?}", callee.requests("INVITE"));
    desk.close()
}

#[test]
fn drops_a_dialout_that_is_too_late_and_says_so() -> Result<()> {
    let scene = Scene::new("store_late")?;
    let config = stored(&scene).dialout("grace", "\"1s\"");
    let desk = Desk::on(scene, &config)?;
    let stages = json!({
        "stage_one_destination_did": FARTHER, "stage_two_destination_did": FAR, "delay": 1,
    });
    let made = desk.mediator.post("/dialouts", &stages)?.ok()?;
    let desk = kill(desk, &config, Duration::from_millis(3500))?;
    let callee = desk.callee()?;
    let records = list_until(&desk.core, "/app/mediator/calls", "a record", |r| r.len() == 1)?;
    ensure!(records[0]["reference_sid"] == made["dialout_sid"], "{records:?}");
    ensure!(records[0]["date_talk"].is_null() && records[0]["sip_cause"] == 408, "{records:?}");
    // It goes in a write of its own, behind its record.
    list_until(&desk.mediator, "/dialouts", "no dialout", <[Value]>::is_empty)?;
    ensure!(callee.heard().is_empty(), "{:?}", callee.heard());
    desk.close()
}

#[test]
fn remembers_an_answer_for_a_client_that_asks_again() -> Result<()> {
    let scene = Scene::new("store_idempotent")?;
    let config = stored(&scene);
    let desk = Desk::on(scene, &config)?;
    let body = json!({ "destination_did": FAR, "redirect_did": REDIRECT });
    let key = [("Idempotency-Key", "over-a-restart")];
    let made = desk.mediator.with_json("POST", "/bindings", &key, &body)?.ok()?;
    let tag = |desk: &Desk| -> Result<String> {
        let path = format!("/bindings/{}", text(&made, "binding_sid")?);
        let reply = desk.mediator.get(&path)?;
        reply.answer.header("etag").map(str::to_owned).context("no ETag")
    };
    let before = tag(&desk)?;
    let desk = kill(desk, &config, Duration::ZERO)?;
    ensure!(desk.mediator.with_json("POST", "/bindings", &key, &body)?.ok()? == made);
    ensure!(desk.mediator.get("/bindings")?.ok()?["total"] == 1);
    ensure!(tag(&desk)? == before, "the tag changed with the restart");
    desk.close()
}

#[test]
fn takes_from_the_file_what_changed_in_it_and_leaves_the_rest() -> Result<()> {
    let scene = Scene::new("store_provisioned")?;
    let config = stored(&scene).binding(REDIRECT, FAR, "");
    let desk = Desk::on(scene, &config)?;
    let made = desk.mediator.list("/bindings", &[])?.0;
    ensure!(made.len() == 1 && made[0]["destination_did"] == FAR, "{made:?}");
    let path = format!("/bindings/{}", text(&made[0], "binding_sid")?);
    // Changed through the API: a file that says what it said before does not undo it.
    let now = desk.mediator.patch(&path, &json!({ "name": "by API" }))?.ok()?;
    let desk = restart(desk, &config)?;
    ensure!(desk.mediator.list("/bindings", &[])?.0 == [now]);
    let changed = stored(&desk.scene).binding(REDIRECT, FARTHER, "");
    let desk = restart(desk, &changed)?;
    let now = desk.mediator.list("/bindings", &[])?.0;
    ensure!(now.len() == 1 && now[0]["destination_did"] == FARTHER, "{now:?}");
    // Gone from the file is not gone from the store.
    let without = stored(&desk.scene);
    let desk = restart(desk, &without)?;
    ensure!(desk.mediator.list("/bindings", &[])?.0 == now);
    desk.close()
}
