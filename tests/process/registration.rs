//! Phones that register with digest credentials, call and are called.

use anyhow::{Context, Result, ensure};
use mediator_tests::config::Config;
use mediator_tests::sipp::Sipp;
use mediator_tests::sipp::log::Logged;
use mediator_tests::stage::Loopback;

use crate::scene::{CALLER, DESTINATION, REDIRECT, Scene, final_response, received, request, user};

/// The number of the phone `alice`.
const ALICE: &str = "15550001001";

/// The usual carriers, a binding that hides nothing, and a phone.
fn config(scene: &Scene) -> Config {
    scene.config().phone("alice", ALICE).binding(REDIRECT, DESTINATION, "")
}

/// Plays a REGISTER scenario as `alice`; gives the messages.
fn register(
    scene: &Scene,
    scenario: &str,
    phone: &Loopback,
    password: &str,
) -> Result<Vec<Logged>> {
    Sipp::new("register", scenario, phone.sip())
        .key("user", "alice")
        .credentials("alice", password)
        .call(&scene.stage, "alice", scene.server.sip())?
        .succeed()
}

#[test]
fn registers_a_phone_that_answers_the_challenge() -> Result<()> {
    let (scene, phone) = (Scene::new("register")?, Loopback::lease()?);
    let server = scene.serve(&config(&scene))?;
    let messages = register(&scene, "uac_register", &phone, "alice")?;
    server.stop()?;
    let accepted = received(&messages).find(|message| message.status() == Some(200));
    let accepted = accepted.context("no 200")?;
    // RFC 3261 section 10.3, step 8: the 200 lists the contact with its expiry.
    let contact = accepted.header("Contact").context("no Contact in the 200")?;
    ensure!(contact.contains(&phone.sip().to_string()), "Contact: {contact}");
    ensure!(contact.contains("expires="), "Contact without expires: {contact}");
    Ok(())
}

#[test]
fn refuses_a_wrong_password_with_403() -> Result<()> {
    let (scene, phone) = (Scene::new("register_wrong")?, Loopback::lease()?);
    let server = scene.serve(&config(&scene))?;
    register(&scene, "uac_register_refused", &phone, "malory")?;
    server.stop()
}

#[test]
fn calls_a_registered_phone_at_its_contact() -> Result<()> {
    let (scene, phone) = (Scene::new("call_phone")?, Loopback::lease()?);
    let server = scene.serve(&config(&scene))?;
    register(&scene, "uac_register", &phone, "alice")?;
    let answering = Sipp::new("phone", "uas_answer", phone.sip()).answer(&scene.stage)?;
    let caller = scene.uac("uac_call").call(&scene.stage, ALICE, scene.server.sip())?;
    caller.succeed()?;
    let leg_b = answering.succeed()?;
    server.stop()?;
    let invite = request(&leg_b, "INVITE")?;
    let uri = invite.request_uri().unwrap_or_default();
    ensure!(uri.starts_with(&format!("sip:alice@{}", phone.sip())), "Request-URI {uri}");
    ensure!(user(invite.header("To").unwrap_or_default()) == ALICE, "To is not the number");
    ensure!(user(invite.header("From").unwrap_or_default()) == CALLER, "From is not the caller");
    Ok(())
}

#[test]
fn answers_480_for_a_phone_that_is_not_registered() -> Result<()> {
    let scene = Scene::new("phone_away")?;
    let server = scene.serve(&config(&scene))?;
    let caller = scene.uac("uac_refused").call(&scene.stage, ALICE, scene.server.sip())?;
    let leg_a = caller.succeed()?;
    server.stop()?;
    let refusal = final_response(&leg_a)?;
    ensure!(refusal.status() == Some(480), "480 wanted: {}", refusal.text);
    Ok(())
}

#[test]
fn shows_a_phones_own_number_whatever_its_from_claims() -> Result<()> {
    let (scene, phone) = (Scene::new("phone_calls")?, Loopback::lease()?);
    let server = scene.serve(&config(&scene))?;
    register(&scene, "uac_register", &phone, "alice")?;
    let answering = scene.uas("uas_answer").answer(&scene.stage)?;
    // The same address and port as the registration: no further challenge.
    let claimed = format!("<sip:{CALLER}@{}>", scene.server.sip());
    Sipp::new("phone", "uac_call", phone.sip())
        .key("caller", &claimed)
        .key("extra", "Subject: not my number")
        .call(&scene.stage, REDIRECT, scene.server.sip())?
        .succeed()?;
    let leg_b = answering.succeed()?;
    server.stop()?;
    let from = request(&leg_b, "INVITE")?.header("From").unwrap_or_default();
    ensure!(user(from) == ALICE, "From {from}");
    Ok(())
}
