//! Softphones of two makes talk through the relay, are announced to, and are put through by a dialout.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use mediator_tests::api::Api;
use mediator_tests::baresip::Baresip;
use mediator_tests::child::until;
use mediator_tests::config::Config;
use mediator_tests::linphone::Linphone;
use mediator_tests::stage::Loopback;
use mediator_tests::web::{Page, Web};
use serde_json::json;

use super::studio::{PROMPT, prompt_wav};
use crate::phones::{ALICE_TONE, BOB_TONE, listen};
use crate::scene::{REDIRECT, Scene, UNBOUND};

const ALICE: &str = "15550001001";
const BOB: &str = "15550001002";

/// Two phones that register, and a server that relays.
fn config(scene: &Scene) -> Config {
    Config::new(scene.server.ip())
        .media("fetch", "{ allow = [\"127.0.0.0/8\"] }")
        .phone("alice", ALICE)
        .phone("bob", BOB)
        .masking("masking", &[REDIRECT, UNBOUND], "alice")
        .binding(REDIRECT, BOB, "hide_origination_did = true")
        .binding(UNBOUND, ALICE, "hide_origination_did = true")
}

fn linphone(scene: &Scene, name: &str, at: &Loopback, hertz: f64) -> Result<Linphone> {
    let mut phone = Linphone::start(&scene.stage, name, at.ip(), Some(scene.server.sip()), hertz)?;
    phone.registered()?;
    Ok(phone)
}

fn baresip(scene: &Scene, name: &str, at: &Loopback, hertz: f64) -> Result<Baresip> {
    let mut phone = Baresip::start(&scene.stage, name, at.ip(), Some(scene.server.sip()), hertz)?;
    phone.registered()?;
    Ok(phone)
}

#[test]
fn a_baresip_behind_another_address_and_a_linphone_hear_each_other() -> Result<()> {
    let scene = Scene::new("media_baresip")?;
    let server = scene.serve(&config(&scene))?;
    // Its RTP leaves from 127.0.0.1 whatever its SDP says.
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
    let before = bob.heard(ALICE_TONE)?;
    listen("bob after the hold", || Ok(bob.heard(ALICE_TONE)?.saturating_sub(before)))?;
    bob.say("terminate")?;
    alice.event("CALL_CLOSED")?;
    alice.quit()?;
    bob.quit()?;
    server.stop()
}

#[test]
fn linphones_hear_hold_and_press_through_the_relay() -> Result<()> {
    let scene = Scene::new("media_linphones")?;
    let server = scene.serve(&config(&scene))?;
    let mut alice = linphone(&scene, "alice", &scene.caller, ALICE_TONE)?;
    let mut bob = linphone(&scene, "bob", &scene.callee, BOB_TONE)?;
    // Bob calls back the number that hides alice.
    bob.dial(UNBOUND, scene.server.sip())?;
    alice.rings()?;
    alice.say("answer")?;
    bob.sees("Media streams established")?;
    listen("alice", || alice.heard(BOB_TONE))?;
    listen("bob", || bob.heard(ALICE_TONE))?;
    bob.say("5")?;
    alice.sees("Receiving tone 5 from")?;
    alice.say("pause")?;
    bob.sees("has been paused by")?;
    alice.sees("is now paused")?;
    alice.say("resume")?;
    bob.sees("Media streams established")?;
    let before = bob.heard(ALICE_TONE)?;
    listen("bob after the hold", || Ok(bob.heard(ALICE_TONE)?.saturating_sub(before)))?;
    alice.say("terminate")?;
    bob.sees("ended")?;
    alice.quit()?;
    bob.quit()?;
    server.stop()
}

#[test]
fn a_linphone_hears_an_announcement_before_a_baresip_rings() -> Result<()> {
    let scene = Scene::new("media_linphone_announced")?;
    let web = Web::start(SocketAddr::from((scene.caller.ip(), 0)))?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    let config = Config::new(scene.server.ip())
        .media("fetch", "{ allow = [\"127.0.0.0/8\"] }")
        .phone("alice", ALICE)
        .phone("bob", BOB)
        .masking("masking", &[REDIRECT], "alice")
        .binding(REDIRECT, BOB, &format!("announce = \"{url}\""));
    let server = scene.serve(&config)?;
    let mut alice = linphone(&scene, "alice", &scene.caller, ALICE_TONE)?;
    let mut bob = baresip(&scene, "bob", &scene.callee, BOB_TONE)?;
    alice.dial(REDIRECT, scene.server.sip())?;
    bob.rings()?;
    bob.say("accept", "")?;
    bob.event("CALL_ESTABLISHED")?;
    listen("bob", || bob.heard(ALICE_TONE))?;
    listen("alice", || alice.heard(BOB_TONE))?;
    alice.say("terminate")?;
    bob.event("CALL_CLOSED")?;
    alice.quit()?;
    bob.quit()?;
    let prompt = alice.heard(PROMPT)?;
    ensure!(prompt >= Duration::from_millis(800), "{prompt:?} of the announcement");
    server.stop()
}

#[test]
fn a_dialout_puts_a_linphone_through_to_a_baresip() -> Result<()> {
    let scene = Scene::new("media_softphones_dialout")?;
    let server = scene.serve(&config(&scene))?;
    let mut alice = linphone(&scene, "alice", &scene.caller, ALICE_TONE)?;
    let mut bob = baresip(&scene, "bob", &scene.callee, BOB_TONE)?;
    let to = SocketAddr::from((scene.server.ip(), 8080));
    let api = Api::mediator(to, "masking", "masking");
    let body = json!({
        "stage_one_destination_did": ALICE, "stage_two_destination_did": BOB, "redirect_did": REDIRECT,
        "attributes": { "use_call_confirmation": "true" },
    });
    let made = api.post("/dialouts", &body)?.ok()?;
    let shown = alice.rings()?;
    ensure!(shown.contains(&format!("sip:{REDIRECT}@")), "alice is shown {shown}");
    alice.say("answer")?;
    alice.sees("Media streams established")?;
    alice.say("1")?;
    let shown = bob.rings()?;
    ensure!(shown.contains(&format!("sip:{REDIRECT}@")), "bob is shown {shown}");
    bob.say("accept", "")?;
    bob.event("CALL_ESTABLISHED")?;
    listen("bob", || bob.heard(ALICE_TONE))?;
    listen("alice", || alice.heard(BOB_TONE))?;
    let sid = made["dialout_sid"].as_str().unwrap_or_default();
    until(Duration::from_secs(5), "the end of the object", || {
        Ok((api.get(&format!("/dialouts/{sid}"))?.status() == 404).then_some(()))
    })?;
    bob.say("hangup", "")?;
    alice.sees("ended")?;
    alice.quit()?;
    bob.quit()?;
    server.stop()
}

#[test]
fn baresips_hear_an_announcement_and_each_other_in_wideband() -> Result<()> {
    for (codec, spoken) in [("G722/16000/1", "G722"), ("opus/48000/2", "opus")] {
        let scene = Scene::new(&format!("media_baresips_{spoken}"))?;
        let web = Web::start(SocketAddr::from((scene.caller.ip(), 0)))?;
        let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
        let config = Config::new(scene.server.ip())
            .media("fetch", "{ allow = [\"127.0.0.0/8\"] }")
            .phone("alice", ALICE)
            .phone("bob", BOB)
            .masking("masking", &[REDIRECT], "alice")
            .binding(REDIRECT, BOB, &format!("announce = \"{url}\""));
        let server = scene.serve(&config)?;
        let start = |name, at: &Loopback, hertz| {
            let place = (at.ip(), Some(scene.server.sip()));
            let mut phone = Baresip::start_with(&scene.stage, name, place, hertz, codec)?;
            phone.registered()?;
            anyhow::Ok(phone)
        };
        let mut alice = start("alice", &scene.caller, ALICE_TONE)?;
        let mut bob = start("bob", &scene.callee, BOB_TONE)?;
        alice.dial(REDIRECT, scene.server.sip())?;
        bob.rings()?;
        bob.say("accept", "")?;
        alice.event("CALL_ESTABLISHED")?;
        listen("bob", || bob.heard(ALICE_TONE))?;
        listen("alice", || alice.heard(BOB_TONE))?;
        let api = SocketAddr::from((scene.server.ip(), 8080));
        let calls = Api::mediator(api, "masking", "masking").get("/calls")?.ok()?;
        for leg in [&calls["items"][0]["legs"][0], &calls["items"][0]["legs"][1]] {
            let codec = leg["codec"].as_str().unwrap_or_default();
            ensure!(codec.eq_ignore_ascii_case(spoken), "not {spoken}: {calls}");
        }
        bob.say("hangup", "")?;
        alice.event("CALL_CLOSED")?;
        alice.quit()?;
        bob.quit()?;
        let prompt = alice.heard(PROMPT)?;
        ensure!(prompt >= Duration::from_millis(800), "{prompt:?} of the announcement in {spoken}");
        server.stop()?;
    }
    Ok(())
}
