//! Calls that end before anybody answers: which code the caller hears, and what the callee sees.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mediator_tests::config::Config;
use mediator_tests::sipp::log::Logged;

use crate::scene::{DESTINATION, REDIRECT, Scene, UNBOUND, final_response, hides, request};

/// Places a call that must be refused, with nobody to be called; gives the refusal, whose
/// reason the log must tell.
fn check(
    scene: &Scene,
    config: &Config,
    dialled: &str,
    (status, why): (u16, &str),
) -> Result<Logged> {
    let server = scene.serve(config)?;
    let caller = scene.uac("uac_refused").call(&scene.stage, dialled, scene.server.sip())?;
    let refusal = final_response(&caller.succeed()?)?.clone();
    let log = server.log();
    ensure!(log.contains(&format!("refused code={status} reason={why:?}")), "{why}: {log}");
    server.stop()?;
    ensure!(refusal.status() == Some(status), "{status} wanted: {}", refusal.text);
    Ok(refusal)
}

#[test]
fn answers_404_for_a_number_that_is_no_did_here() -> Result<()> {
    let scene = Scene::new("unknown_did")?;
    let config = scene.config().binding(REDIRECT, DESTINATION, "");
    check(&scene, &config, "15162060000", (404, "unknown number")).map(drop)
}

#[test]
fn answers_480_for_a_did_without_a_binding() -> Result<()> {
    let scene = Scene::new("no_binding")?;
    let config = scene.config().binding(REDIRECT, DESTINATION, "");
    check(&scene, &config, UNBOUND, (480, "no binding for this caller")).map(drop)
}

#[test]
fn challenges_a_stranger_with_401() -> Result<()> {
    let scene = Scene::new("stranger")?;
    // Neither of the carriers has the caller's address.
    let stranger = Scene::new("stranger_caller")?;
    let config = scene.config().phone("alice", "15550001001");
    let server = scene.serve(&config)?;
    let caller = stranger.uac("uac_refused").call(&scene.stage, REDIRECT, scene.server.sip())?;
    let messages = caller.succeed()?;
    server.stop()?;
    let refusal = final_response(&messages)?;
    ensure!(refusal.status() == Some(401), "401 wanted: {}", refusal.text);
    let challenge = refusal.header("WWW-Authenticate").context("no challenge")?;
    ensure!(challenge.starts_with("Digest ") && challenge.contains("nonce="), "{challenge}");
    Ok(())
}

#[test]
fn passes_busy_with_our_phrase_and_none_of_leg_bs_headers() -> Result<()> {
    let scene = Scene::new("busy")?;
    let config = scene.config().binding(REDIRECT, DESTINATION, "hide_origination_did = true");
    let server = scene.serve(&config)?;
    let callee = scene.uas("uas_refuse").fill("status", "486").fill("phrase", "Meeting in room 7");
    let callee = callee.answer(&scene.stage)?;
    let caller = scene.uac("uac_refused").call(&scene.stage, REDIRECT, scene.server.sip())?;
    let leg_a = caller.succeed()?;
    callee.succeed()?;
    server.stop()?;
    let refusal = final_response(&leg_a)?;
    ensure!(refusal.start_line() == "SIP/2.0 486 Busy Here", "{}", refusal.start_line());
    hides(&leg_a, &["room 7", DESTINATION])
}

#[test]
fn passes_cancel_on_and_answers_487() -> Result<()> {
    let scene = Scene::new("cancel")?;
    let config = scene.config().binding(REDIRECT, DESTINATION, "hide_origination_did = true");
    let server = scene.serve(&config)?;
    let callee = scene.uas("uas_ring").answer(&scene.stage)?;
    let caller = scene.uac("uac_cancel").pause(Duration::from_millis(300));
    let caller = caller.call(&scene.stage, REDIRECT, scene.server.sip())?;
    let leg_a = caller.succeed()?;
    let leg_b = callee.succeed()?;
    server.stop()?;
    ensure!(final_response(&leg_a)?.status() == Some(487), "no 487 on leg A");
    let (invite, cancel) = (request(&leg_b, "INVITE")?, request(&leg_b, "CANCEL")?);
    // RFC 3261 section 9.1: same Request-URI, Call-ID, To, From, topmost Via and CSeq number.
    ensure!(invite.request_uri() == cancel.request_uri(), "CANCEL has another Request-URI");
    for name in ["Via", "From", "To", "Call-ID"] {
        ensure!(invite.header(name) == cancel.header(name), "CANCEL has another {name}");
    }
    Ok(())
}

#[test]
fn gives_up_ringing_after_ring_timeout() -> Result<()> {
    let scene = Scene::new("ring_timeout")?;
    let config = scene.config().sip("ring_timeout", "\"2s\"");
    let config = config.binding(REDIRECT, DESTINATION, "hide_origination_did = true");
    let server = scene.serve(&config)?;
    let callee = scene.uas("uas_ring").answer(&scene.stage)?;
    let caller = scene.uac("uac_refused").call(&scene.stage, REDIRECT, scene.server.sip())?;
    let leg_a = caller.succeed()?;
    let leg_b = callee.succeed()?;
    server.stop()?;
    let refusal = final_response(&leg_a)?;
    ensure!(refusal.status() == Some(480), "480 wanted: {}", refusal.text);
    let reason = refusal.header("Reason").context("no Reason")?.replace(' ', "");
    ensure!(reason.starts_with("Q.850;") && reason.contains("cause=19"), "Reason: {reason}");
    request(&leg_b, "CANCEL").map(drop)
}
