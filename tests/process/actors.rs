//! The actors against each other, without the server: a failure here is the stage's, not ours.

use std::time::Duration;

use anyhow::{Result, ensure};
use mediator_tests::baresip::Baresip;
use mediator_tests::linphone::Linphone;
use mediator_tests::sipp::Sipp;

use crate::phones::{ALICE_TONE, BOB_TONE, listen};
use crate::scene::{CALLER, Scene, final_response, request, user};

/// Plays two scenarios against each other.
fn check(name: &str, uac: &str, uas: &str, status: u16) -> Result<()> {
    let scene = Scene::new(name)?;
    let step = Duration::from_millis(100);
    let mut callee = scene.uas(uas).pause(step);
    if uas == "uas_refuse" {
        callee = callee.fill("status", "486").fill("phrase", "Busy Here");
    }
    let callee = callee.answer(&scene.stage)?;
    let caller = scene.uac(uac).pause(step);
    let leg_a = caller.call(&scene.stage, "1001", scene.callee.sip())?.succeed()?;
    let leg_b = callee.succeed()?;
    ensure!(final_response(&leg_a)?.status() == Some(status), "not {status}");
    let from = request(&leg_b, "INVITE")?.header("From").unwrap_or_default();
    ensure!(user(from) == CALLER, "From {from}");
    Ok(())
}

#[test]
fn sipp_calls_sipp_in_every_scenario() -> Result<()> {
    let rows = [
        ("uac_call", "uas_answer", 200),
        ("uac_refused", "uas_refuse", 486),
        ("uac_cancel", "uas_ring", 487),
        ("uac_hold", "uas_held", 200),
        ("uac_late_offer", "uas_answer", 200),
        ("uac_hung_up", "uas_hang_up", 200),
    ];
    for (uac, uas, status) in rows {
        check(&format!("actors_{uac}"), uac, uas, status)?;
    }
    Ok(())
}

#[test]
fn sipp_calls_sipp_over_tcp() -> Result<()> {
    let scene = Scene::new("actors_tcp")?;
    let callee = scene.uas("uas_answer").tcp().answer(&scene.stage)?;
    let caller = scene.uac("uac_call").tcp();
    caller.call(&scene.stage, "1001", scene.callee.sip())?.succeed()?;
    callee.succeed().map(drop)
}

#[test]
fn sipp_registers_at_sipp() -> Result<()> {
    let rows = [("uac_register", "alice"), ("uac_register_refused", "malory")];
    for (scenario, password) in rows {
        let scene = Scene::new(&format!("actors_{scenario}"))?;
        let registrar = scene.uas("uas_registrar").answer(&scene.stage)?;
        Sipp::new("phone", scenario, scene.caller.sip())
            .key("user", "alice")
            .credentials("alice", password)
            .call(&scene.stage, "alice", scene.callee.sip())?
            .succeed()?;
        registrar.succeed()?;
    }
    Ok(())
}

#[test]
fn softphones_register_at_sipp() -> Result<()> {
    let scene = Scene::new("actors_softphones_register")?;
    let registrar = scene.uas("uas_registrar").answer(&scene.stage)?;
    let (at, hertz) = (scene.caller.ip(), ALICE_TONE);
    let mut phone = Linphone::start(&scene.stage, "alice", at, Some(scene.callee.sip()), hertz)?;
    phone.registered()?;
    registrar.succeed()?;
    drop(phone);
    let registrar = scene.uas("uas_registrar").answer(&scene.stage)?;
    let mut phone = Baresip::start(&scene.stage, "alice", at, Some(scene.callee.sip()), hertz)?;
    phone.registered()?;
    registrar.succeed().map(drop)
}

#[test]
fn linphone_hears_linphone() -> Result<()> {
    let scene = Scene::new("actors_linphones")?;
    let mut alice = Linphone::start(&scene.stage, "alice", scene.caller.ip(), None, ALICE_TONE)?;
    let mut bob = Linphone::start(&scene.stage, "bob", scene.callee.ip(), None, BOB_TONE)?;
    alice.dial("bob", scene.callee.sip())?;
    let shown = bob.rings()?;
    ensure!(shown.contains("sip:alice@"), "bob is shown {shown}");
    bob.say("answer")?;
    alice.sees("Media streams established")?;
    listen("bob", || bob.heard(ALICE_TONE))?;
    listen("alice", || alice.heard(BOB_TONE))?;
    alice.say("5")?;
    bob.sees("Receiving tone 5 from")?;
    alice.say("pause")?;
    bob.sees("has been paused by")?;
    alice.sees("is now paused")?;
    alice.say("resume")?;
    alice.sees("Media streams established")?;
    let before = bob.heard(ALICE_TONE)?;
    listen("bob after the hold", || Ok(bob.heard(ALICE_TONE)?.saturating_sub(before)))?;
    bob.say("terminate")?;
    alice.sees("ended")?;
    alice.quit()?;
    bob.quit()
}

#[test]
fn baresip_hears_linphone() -> Result<()> {
    let scene = Scene::new("actors_baresip")?;
    let mut alice = Baresip::start(&scene.stage, "alice", scene.caller.ip(), None, ALICE_TONE)?;
    let mut bob = Linphone::start(&scene.stage, "bob", scene.callee.ip(), None, BOB_TONE)?;
    alice.dial("bob", scene.callee.sip())?;
    bob.rings()?;
    bob.say("answer")?;
    alice.event("CALL_ESTABLISHED")?;
    listen("bob", || bob.heard(ALICE_TONE))?;
    listen("alice", || alice.heard(BOB_TONE))?;
    alice.say("sndcode", "5")?;
    bob.sees("Receiving tone 5 from")?;
    alice.say("hold", "")?;
    bob.sees("has been paused by")?;
    alice.say("resume", "")?;
    bob.sees("Media streams established")?;
    bob.say("terminate")?;
    alice.event("CALL_CLOSED")?;
    alice.quit()?;
    bob.quit()
}
