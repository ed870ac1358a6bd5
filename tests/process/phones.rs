//! Softphones of two makes call each other through the server: registration, the shown number,
//! sound both ways, hold, resume, DTMF, and either side hanging up.

use std::time::Duration;

use anyhow::{Result, ensure};
use mediator_tests::baresip::Baresip;
use mediator_tests::child::until;
use mediator_tests::config::Config;
use mediator_tests::linphone::{Dtmf, Linphone};
use mediator_tests::server::Server;
use mediator_tests::stage::Loopback;

use crate::scene::{REDIRECT, Scene};

/// What alice's microphone hears, in Hz.
pub(crate) const ALICE_TONE: f64 = 440.0;
/// What bob's microphone hears, in Hz.
pub(crate) const BOB_TONE: f64 = 880.0;
/// As much of a tone has to arrive to count as heard.
pub(crate) const ENOUGH: Duration = Duration::from_millis(500);
/// How long sound may take to arrive.
pub(crate) const SOUND_LIMIT: Duration = Duration::from_secs(10);
const ALICE: &str = "15550001001";
const BOB: &str = "15550001002";

/// Waits until a phone has heard enough of a tone.
pub(crate) fn listen(who: &str, heard: impl Fn() -> Result<Duration>) -> Result<()> {
    until(SOUND_LIMIT, &format!("sound at {who}"), || Ok((heard()? >= ENOUGH).then_some(())))
}

/// Two phones, and a masked number that leads to bob.
fn serve(scene: &Scene) -> Result<Server> {
    let config = Config::new(scene.server.ip())
        .phone("alice", ALICE)
        .phone("bob", BOB)
        .masking("masking", &[REDIRECT], "alice")
        .binding(REDIRECT, BOB, "hide_origination_did = true");
    scene.serve(&config)
}

/// A linphone that has registered.
fn linphone(scene: &Scene, name: &str, at: &Loopback, hertz: f64) -> Result<Linphone> {
    let registrar = Some(scene.server.sip());
    let mut phone = Linphone::start(&scene.stage, name, at.ip(), registrar, hertz)?;
    phone.registered()?;
    Ok(phone)
}

/// A baresip that has registered.
fn baresip(scene: &Scene, name: &str, at: &Loopback, hertz: f64) -> Result<Baresip> {
    let registrar = Some(scene.server.sip());
    let mut phone = Baresip::start(&scene.stage, name, at.ip(), registrar, hertz)?;
    phone.registered()?;
    Ok(phone)
}

/// Alice's linphone has dialled the masked number and bob's has answered.
fn connect(scene: &Scene) -> Result<(Linphone, Linphone)> {
    let mut alice = linphone(scene, "alice", &scene.caller, ALICE_TONE)?;
    let mut bob = linphone(scene, "bob", &scene.callee, BOB_TONE)?;
    alice.dial(REDIRECT, scene.server.sip())?;
    let shown = bob.rings()?;
    ensure!(shown.contains(&format!("sip:{REDIRECT}@")), "bob is shown {shown}");
    ensure!(!shown.contains("alice") && !shown.contains(ALICE), "bob is shown {shown}");
    alice.sees("ringing")?;
    bob.say("answer")?;
    alice.sees("Media streams established")?;
    bob.sees("Media streams established")?;
    Ok((alice, bob))
}

#[test]
fn linphones_hear_each_other_through_a_masked_number() -> Result<()> {
    let scene = Scene::new("linphones")?;
    let server = serve(&scene)?;
    let (mut alice, mut bob) = connect(&scene)?;
    listen("bob", || bob.heard(ALICE_TONE))?;
    listen("alice", || alice.heard(BOB_TONE))?;
    alice.say("5")?;
    bob.sees("Receiving tone 5 from")?;
    bob.say("#")?;
    alice.sees("Receiving tone # from")?;
    alice.say("terminate")?;
    bob.sees("ended")?;
    alice.sees("ended")?;
    alice.quit()?;
    bob.quit()?;
    server.stop()
}

#[test]
fn linphones_hold_and_resume_and_the_callee_hangs_up() -> Result<()> {
    let scene = Scene::new("linphones_hold")?;
    let server = serve(&scene)?;
    let (mut alice, mut bob) = connect(&scene)?;
    alice.say("pause")?;
    bob.sees("has been paused by")?;
    alice.sees("is now paused")?;
    alice.say("resume")?;
    bob.sees("Media streams established")?;
    alice.sees("Media streams established")?;
    let before = bob.heard(ALICE_TONE)?;
    listen("bob after the hold", || Ok(bob.heard(ALICE_TONE)?.saturating_sub(before)))?;
    bob.say("terminate")?;
    alice.sees("ended")?;
    bob.sees("ended")?;
    alice.quit()?;
    bob.quit()?;
    server.stop()
}

#[test]
fn digits_cross_as_info_requests_both_ways() -> Result<()> {
    let scene = Scene::new("linphones_info")?;
    let server = serve(&scene)?;
    let start = |name, at: &Loopback, hertz| {
        let place = (at.ip(), Some(scene.server.sip()));
        let mut phone = Linphone::start_with(&scene.stage, name, place, hertz, Dtmf::Info)?;
        phone.registered()?;
        anyhow::Ok(phone)
    };
    let mut alice = start("alice", &scene.caller, ALICE_TONE)?;
    let mut bob = start("bob", &scene.callee, BOB_TONE)?;
    alice.dial(REDIRECT, scene.server.sip())?;
    bob.rings()?;
    bob.say("answer")?;
    alice.sees("Media streams established")?;
    alice.say("5")?;
    bob.sees("Receiving tone 5 from")?;
    bob.say("*")?;
    alice.sees("Receiving tone * from")?;
    alice.say("terminate")?;
    bob.sees("ended")?;
    alice.quit()?;
    bob.quit()?;
    server.stop()
}

#[test]
fn baresip_calls_a_linphone_through_a_masked_number() -> Result<()> {
    let scene = Scene::new("baresip_calls")?;
    let server = serve(&scene)?;
    let mut alice = baresip(&scene, "alice", &scene.caller, ALICE_TONE)?;
    let mut bob = linphone(&scene, "bob", &scene.callee, BOB_TONE)?;
    alice.dial(REDIRECT, scene.server.sip())?;
    let shown = bob.rings()?;
    ensure!(shown.contains(&format!("sip:{REDIRECT}@")), "bob is shown {shown}");
    alice.event("CALL_RINGING")?;
    bob.say("answer")?;
    alice.event("CALL_ESTABLISHED")?;
    listen("bob", || bob.heard(ALICE_TONE))?;
    listen("alice", || alice.heard(BOB_TONE))?;
    alice.say("sndcode", "7")?;
    bob.sees("Receiving tone 7 from")?;
    alice.say("hold", "")?;
    bob.sees("has been paused by")?;
    alice.say("resume", "")?;
    bob.sees("Media streams established")?;
    bob.say("terminate")?;
    alice.event("CALL_CLOSED")?;
    alice.quit()?;
    bob.quit()?;
    server.stop()
}

#[test]
fn linphone_calls_a_baresip_through_a_masked_number() -> Result<()> {
    let scene = Scene::new("baresip_called")?;
    let server = serve(&scene)?;
    let mut alice = linphone(&scene, "alice", &scene.caller, ALICE_TONE)?;
    let mut bob = baresip(&scene, "bob", &scene.callee, BOB_TONE)?;
    alice.dial(REDIRECT, scene.server.sip())?;
    let shown = bob.rings()?;
    ensure!(shown.contains(&format!("sip:{REDIRECT}@")), "bob is shown {shown}");
    bob.say("accept", "")?;
    bob.event("CALL_ESTABLISHED")?;
    alice.sees("Media streams established")?;
    listen("bob", || bob.heard(ALICE_TONE))?;
    listen("alice", || alice.heard(BOB_TONE))?;
    alice.say("3")?;
    ensure!(bob.event("CALL_DTMF_START")? == "3", "another digit than 3");
    alice.say("terminate")?;
    bob.event("CALL_CLOSED")?;
    alice.quit()?;
    bob.quit()?;
    server.stop()
}
