//! Phones that register with digest credentials, call and are called.

use anyhow::{Context, Result, ensure};
use mediator_tests::config::Config;
use mediator_tests::sipp::Sipp;
use mediator_tests::sipp::log::Logged;
use mediator_tests::stage::Loopback;
use mediator_tests::wire::{Datagrams, Request};

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

/// One REGISTER as it is filled in, then the contacts that its final response lists.
fn register_as(
    scene: &Scene,
    phone: &Loopback,
    (contact, expires, status): (&str, &str, u16),
) -> Result<Vec<String>> {
    let messages = Sipp::new("register", "uac_register_as", phone.sip())
        .key("user", "alice")
        .fill("contact", contact)
        .fill("expires", expires)
        .fill("status", &status.to_string())
        .credentials("alice", "alice")
        .call(&scene.stage, "alice", scene.server.sip())?
        .succeed()?;
    let last = received(&messages).last().context("no response")?;
    ensure!(last.status() == Some(status), "{status} wanted: {}", last.text);
    Ok(last.headers("Contact").map(str::to_owned).collect())
}

#[test]
fn keeps_refreshes_and_removes_contacts_as_rfc_3261_section_10_says() -> Result<()> {
    let (scene, phone) = (Scene::new("contacts")?, Loopback::lease()?);
    let server = scene.serve(&config(&scene))?;
    let one = format!("<sip:one@{}>", phone.sip());
    let two = format!("<sip:two@{}>", phone.sip());
    let (contact_one, contact_two) =
        (format!("Contact: {one}"), format!("Contact: {two};expires=900"));
    // What is sent, and how many contacts there are afterwards.
    let rows = [
        ((contact_one.as_str(), "600", 200), 1),
        ((contact_one.as_str(), "1200", 200), 1),
        ((contact_two.as_str(), "600", 200), 2),
        (("Subject: a query", "600", 200), 2),
        ((contact_one.as_str(), "10", 423), 0),
        (("Contact: *", "600", 400), 0),
        ((contact_one.as_str(), "0", 200), 1),
        (("Contact: *", "0", 200), 0),
    ];
    for (sent, count) in rows {
        let contacts = register_as(&scene, &phone, sent)?;
        ensure!(contacts.len() == count, "{sent:?}: {count} wanted: {contacts:?}");
        if sent.0 == contact_two {
            let own = contacts.iter().find(|contact| contact.contains(&two));
            let own = own.context("the second contact is not listed")?;
            ensure!(own.contains("expires=900") || own.contains("expires=899"), "{own}");
        }
    }
    let caller = scene.uac("uac_refused").call(&scene.stage, ALICE, scene.server.sip())?;
    let leg_a = caller.succeed()?;
    ensure!(final_response(&leg_a)?.status() == Some(480), "called though it left");
    server.stop()
}

#[test]
fn keeps_silent_towards_an_address_that_guesses_passwords() -> Result<()> {
    let (scene, phone) = (Scene::new("ban")?, Loopback::lease()?);
    let ban = "{ failures = 3, window = \"60s\", duration = \"300s\" }";
    let server = scene.serve(&config(&scene).sip("ban", ban))?;
    for _ in 0..3 {
        register(&scene, "uac_register_refused", &phone, "malory")?;
    }
    let uri = format!("sip:{}", scene.server.sip());
    let options = |from, unique| Request { method: "OPTIONS", uri: &uri, from, unique, extra: "" };
    let banned = Datagrams::bind(phone.sip())?;
    banned.send(scene.server.sip(), options(phone.sip(), "banned").text("UDP"))?;
    banned.hears_nothing()?;
    // Nobody else is banned with it.
    let carrier = Datagrams::bind(scene.caller.sip())?;
    carrier.send(scene.server.sip(), options(scene.caller.sip(), "carrier").text("UDP"))?;
    ensure!(carrier.receive()?.status() == Some(200), "the carrier is banned too");
    let log = server.log();
    ensure!(!log.contains("malory") && !log.contains("alice"), "who and with what: {log}");
    server.stop()
}
