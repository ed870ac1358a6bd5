//! Dialouts and the store: a restart in between, an ending of the server in the middle.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mediator_tests::agent::{Agent, sdp};
use mediator_tests::api::Api;
use mediator_tests::child::until;
use mediator_tests::config::CORE_TOKEN;
use serde_json::{Value, json};

use super::dialout::NEAR;
use super::studio::{BOB, FAR, bob_tone};
use crate::scene::{REDIRECT, Scene};

/// The APIs of a server on this stage.
fn apis(scene: &Scene) -> (Api, Api) {
    let to = SocketAddr::from((scene.server.ip(), 8080));
    (Api::mediator(to, "masking", "masking"), Api::core(to, CORE_TOKEN))
}

fn body(delay: u32) -> Value {
    json!({
        "stage_one_destination_did": NEAR, "stage_two_destination_did": FAR, "redirect_did": REDIRECT,
        "delay": delay,
    })
}

/// Makes a dialout, ends the server, lets its time pass, starts the server again; gives what is asked for then.
fn over_a_restart<T>(
    name: &str,
    grace: &str,
    then: impl FnOnce(&Agent, &Api, &Value) -> Result<T>,
) -> Result<T> {
    let scene = Scene::new(&format!("media_{name}"))?;
    let config = scene.config().store("file:data").dialout("grace", grace);
    let phones = Agent::start(scene.callee.ip(), sdp::mu())?;
    let server = scene.serve(&config)?;
    let (mediator, _) = apis(&scene);
    let made = mediator.post("/dialouts", &body(2))?.ok()?;
    let due = Instant::now() + Duration::from_secs(2);
    server.stop()?;
    until(Duration::from_secs(8), "its time", || Ok((Instant::now() > due).then_some(())))?;
    ensure!(phones.calls() == 0, "called while the server was down");
    let server = scene.serve(&config)?;
    let (_, core) = apis(&scene);
    let found = then(&phones, &core, &made)?;
    server.stop()?;
    Ok(found)
}

#[test]
fn a_dialout_survives_a_restart_and_is_dialled_once() -> Result<()> {
    over_a_restart("dialout_restart", "\"60s\"", |phones, core, made| {
        let one = phones.called(1)?;
        one.answer()?;
        let two = phones.called(2)?;
        two.answer()?;
        two.speak(BOB)?;
        one.hears(&bob_tone())?;
        one.hang_up()?;
        two.ended()?;
        let records = until(Duration::from_secs(8), "a record", || {
            let records = core.list("/app/mediator/calls", &[])?.0;
            Ok((!records.is_empty()).then_some(records))
        })?;
        ensure!(
            records.len() == 1 && records[0]["reference_sid"] == made["dialout_sid"],
            "{records:?}"
        );
        ensure!(phones.calls() == 2, "{} calls", phones.calls());
        Ok(())
    })
}

#[test]
fn a_dialout_that_is_too_late_is_dropped_and_says_so() -> Result<()> {
    over_a_restart("dialout_late", "\"0s\"", |phones, core, made| {
        let records = until(Duration::from_secs(8), "a record", || {
            let records = core.list("/app/mediator/calls", &[])?.0;
            Ok((!records.is_empty()).then_some(records))
        })?;
        ensure!(
            records.len() == 1 && records[0]["reference_sid"] == made["dialout_sid"],
            "{records:?}"
        );
        ensure!(
            records[0]["event_type"] == "dialout" && records[0]["date_talk"].is_null(),
            "{records:?}"
        );
        ensure!(records[0]["sip_cause"] != 200, "{records:?}");
        ensure!(phones.calls() == 0, "dialled");
        Ok(())
    })
}

#[test]
fn the_end_of_the_server_ends_a_dialout_that_rings() -> Result<()> {
    let scene = Scene::new("media_dialout_sigterm")?;
    let config = scene.config().store("file:data").sip("drain_timeout", "\"1s\"");
    let phones = Agent::start(scene.callee.ip(), sdp::mu())?;
    let server = scene.serve(&config)?;
    let (mediator, _) = apis(&scene);
    mediator.post("/dialouts", &body(0))?.ok()?;
    let one = phones.called(1)?;
    one.answer()?;
    let two = phones.called(2)?;
    two.ring()?;
    server.terminate()?;
    one.ended()?;
    two.request("CANCEL")?;
    server.ended()?;
    // And it is not dialled again.
    let server = scene.serve(&config)?;
    let (mediator, core) = apis(&scene);
    ensure!(mediator.get("/dialouts")?.ok()?["total"] == 0, "it waits again");
    let records = core.list("/app/mediator/calls", &[])?.0;
    ensure!(records.len() == 1 && records[0]["disconnect_originator"] == "SYSTEM", "{records:?}");
    server.stop()?;
    ensure!(phones.calls() == 2, "{} calls", phones.calls());
    Ok(())
}
