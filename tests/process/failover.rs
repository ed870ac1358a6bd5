//! A trunk group of two carriers: the second is tried where the first cannot take the call.

use anyhow::{Result, ensure};
use mediator_tests::config::{Config, Direction};
use mediator_tests::server::Server;
use mediator_tests::sipp::Sipp;
use mediator_tests::stage::{Loopback, silent_peer};

use crate::scene::{DESTINATION, REDIRECT, Scene, final_response, hides, request, user};

/// Two carriers in a group behind the binding.
fn config(scene: &Scene, second: &Loopback) -> Config {
    Config::new(scene.server.ip())
        .sip("trunk_timeout", "\"1s\"")
        .carrier("carrier-in", scene.caller.sip(), Direction::Inbound)
        .carrier("first", scene.callee.sip(), Direction::Outbound)
        .carrier("second", second.sip(), Direction::Outbound)
        .trunk_group("carriers", "408;500;503;", &["first", "second"])
        .masking("masking", &[REDIRECT], "carriers")
        .binding(REDIRECT, DESTINATION, "hide_origination_did = true")
}

/// Calls, and wants the second carrier to be asked for the same number and to answer.
fn check_second_answers(scene: &Scene, second: &Loopback) -> Result<()> {
    let answering = Sipp::new("second", "uas_answer", second.sip()).answer(&scene.stage)?;
    let caller = scene.uac("uac_call").call(&scene.stage, REDIRECT, scene.server.sip())?;
    let leg_a = caller.succeed()?;
    let leg_b = answering.succeed()?;
    ensure!(final_response(&leg_a)?.status() == Some(200), "no 200 on leg A");
    let uri = request(&leg_b, "INVITE")?.request_uri().unwrap_or_default();
    ensure!(user(uri) == DESTINATION, "Request-URI {uri}");
    hides(&leg_a, &["Out of lines"])
}

#[test]
fn tries_the_next_trunk_after_503() -> Result<()> {
    let (scene, second) = (Scene::new("failover_503")?, Loopback::lease()?);
    let server = scene.serve(&config(&scene, &second))?;
    let refusing = scene.uas("uas_refuse").fill("status", "503").fill("phrase", "Out of lines");
    let refusing = refusing.answer(&scene.stage)?;
    check_second_answers(&scene, &second)?;
    refusing.succeed()?;
    let log = server.log();
    ensure!(log.contains("trunk=\"carriers/first\" code=503"), "who failed is not told: {log}");
    ensure!(!log.contains("dead"), "one soft failure killed a trunk: {log}");
    server.stop()
}

#[test]
fn rests_a_trunk_after_hard_failures_and_says_so() -> Result<()> {
    let (scene, second) = (Scene::new("failover_hard")?, Loopback::lease()?);
    let text = config(&scene, &second).text();
    let hard =
        "soft_failure_codes = \"408;\"\nhard_failure_codes = \"503;\"\nhard_failure_threshold = 1";
    let text = text.replace("soft_failure_codes = \"408;500;503;\"", hard);
    let server = Server::start(&scene.stage, &text)?;
    let refusing = scene.uas("uas_refuse").fill("status", "503").fill("phrase", "Out of lines");
    let refusing = refusing.answer(&scene.stage)?;
    check_second_answers(&scene, &second)?;
    refusing.succeed()?;
    // Nobody asks the first one now: it would have to refuse again.
    let silent = silent_peer(scene.callee.sip())?;
    silent.set_nonblocking(true)?;
    check_second_answers(&scene, &second)?;
    ensure!(silent.recv_from(&mut [0; 16]).is_err(), "the dead trunk was asked");
    let log = server.log();
    let warning = log.lines().find(|line| line.contains(" WARN "));
    ensure!(
        warning.is_some_and(|line| line.contains("trunk is dead trunk=\"carriers/first\"")),
        "{log}"
    );
    server.stop()
}

#[test]
fn tries_the_next_trunk_after_silence() -> Result<()> {
    let (scene, second) = (Scene::new("failover_silence")?, Loopback::lease()?);
    let server = scene.serve(&config(&scene, &second))?;
    let silent = silent_peer(scene.callee.sip())?;
    check_second_answers(&scene, &second)?;
    let mut datagram = [0; 4096];
    let (length, _) = silent.recv_from(&mut datagram)?;
    ensure!(datagram.get(..length).is_some_and(|bytes| bytes.starts_with(b"INVITE ")));
    server.stop()
}

#[test]
fn tries_the_next_trunk_where_nobody_listens() -> Result<()> {
    let (scene, second) = (Scene::new("failover_unreachable")?, Loopback::lease()?);
    let server = scene.serve(&config(&scene, &second))?;
    check_second_answers(&scene, &second)?;
    server.stop()
}

#[test]
fn answers_503_where_no_trunk_is_left() -> Result<()> {
    let (scene, second) = (Scene::new("failover_none")?, Loopback::lease()?);
    let server = scene.serve(&config(&scene, &second))?;
    let refuse = |sipp: Sipp| sipp.fill("status", "500").fill("phrase", "Broken");
    let first = refuse(scene.uas("uas_refuse")).answer(&scene.stage)?;
    let next = refuse(Sipp::new("second", "uas_refuse", second.sip())).answer(&scene.stage)?;
    let caller = scene.uac("uac_refused").call(&scene.stage, REDIRECT, scene.server.sip())?;
    let leg_a = caller.succeed()?;
    first.succeed()?;
    next.succeed()?;
    server.stop()?;
    let refusal = final_response(&leg_a)?;
    ensure!(refusal.status() == Some(503), "503 wanted: {}", refusal.text);
    Ok(())
}

#[test]
fn answers_408_where_every_trunk_is_silent() -> Result<()> {
    let (scene, second) = (Scene::new("failover_all_silent")?, Loopback::lease()?);
    let server = scene.serve(&config(&scene, &second))?;
    let _silent = [silent_peer(scene.callee.sip())?, silent_peer(second.sip())?];
    let caller = scene.uac("uac_refused").call(&scene.stage, REDIRECT, scene.server.sip())?;
    let leg_a = caller.succeed()?;
    server.stop()?;
    let refusal = final_response(&leg_a)?;
    ensure!(refusal.status() == Some(408), "408 wanted: {}", refusal.text);
    Ok(())
}
