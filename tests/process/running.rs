//! Operating a server with calls up: drain, reload, what it says to monitoring and in its log.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mediator_tests::child::until;
use mediator_tests::server::Server;
use mediator_tests::sipp::Sipp;
use mediator_tests::wire::{Datagrams, Request, http_get};

use crate::scene::{CALLER, DESTINATION, REDIRECT, Scene, UNBOUND, request, user};

/// How long a line may take to appear in the log.
const LIMIT: Duration = Duration::from_secs(10);
/// Where a binding leads that comes with a reload.
const OTHER: &str = "442071230000";
const HIDE: &str = "hide_origination_did = true";

/// Waits until the log has `part` so many times.
fn logged(server: &Server, part: &str, times: usize) -> Result<()> {
    until(LIMIT, &format!("{part:?} in the log"), || {
        Ok((server.log().matches(part).count() >= times).then_some(()))
    })
    .with_context(|| server.log())
}

#[test]
fn drains_with_503_for_new_calls_then_bye_for_both_legs() -> Result<()> {
    let scene = Scene::new("drain")?;
    let config = scene.config().sip("drain_timeout", "\"2s\"").binding(REDIRECT, DESTINATION, HIDE);
    let server = scene.serve(&config)?;
    let callee = scene.uas("uas_answer").answer(&scene.stage)?;
    let caller = scene.uac("uac_hung_up").call(&scene.stage, REDIRECT, scene.server.sip())?;
    logged(&server, "call answered", 1)?;
    server.terminate()?;
    logged(&server, "draining", 1)?;
    let api = SocketAddr::from((scene.server.ip(), 8080));
    let (status, body) = http_get(api, "/healthz")?;
    ensure!(status.contains("200") && body.contains("draining"), "{status} {body}");
    let from = SocketAddr::from((scene.caller.ip(), 5070));
    let (peer, uri) = (Datagrams::bind(from)?, format!("sip:{REDIRECT}@{}", scene.server.sip()));
    let invite = Request { method: "INVITE", uri: &uri, from, unique: "late", extra: "" };
    peer.send(scene.server.sip(), invite.text("UDP"))?;
    let refusal = peer.receive_where("a final response", |message| {
        message.status().is_some_and(|status| status >= 200)
    })?;
    ensure!(refusal.status() == Some(503), "503 wanted: {}", refusal.text);
    // Exit code 0 and no error in the log, though a call was up.
    server.ended()?;
    let byes = |messages: &[mediator_tests::sipp::log::Logged]| request(messages, "BYE").is_ok();
    ensure!(byes(&caller.succeed()?) && byes(&callee.succeed()?), "a leg got no BYE");
    Ok(())
}

#[test]
fn takes_a_new_binding_while_a_call_is_up_and_nothing_of_a_bad_file() -> Result<()> {
    let scene = Scene::new("reload")?;
    let config = scene.config().binding(REDIRECT, DESTINATION, HIDE);
    let server = scene.serve(&config)?;
    let callee = scene.uas("uas_answer").calls(3).answer(&scene.stage)?;
    let first = scene.uac("uac_call").pause(Duration::from_secs(3));
    let first = first.call(&scene.stage, REDIRECT, scene.server.sip())?;
    logged(&server, "call answered", 1)?;
    let more = config.binding(UNBOUND, OTHER, HIDE).text();
    scene.stage.write("mediator.toml", &more)?;
    server.reload()?;
    logged(&server, "config read again", 1)?;
    let again = |name: &str| {
        let at = SocketAddr::from((scene.caller.ip(), 5070));
        Sipp::new(name, "uac_call", at)
            .key("caller", &format!("<sip:{CALLER}@{at}>"))
            .key("extra", "Subject: another call")
            // Not the port of the first call's media.
            .arguments(&["-mp", "6100"])
            .call(&scene.stage, UNBOUND, scene.server.sip())?
            .succeed()
    };
    again("second")?;
    scene.stage.write("mediator.toml", &more.replace("destination_did", "destination_dud"))?;
    server.reload()?;
    logged(&server, "config not changed", 1)?;
    ensure!(server.log().contains("destination_dud"), "the fault is not named: {}", server.log());
    again("third")?;
    first.succeed()?;
    let leg_b = callee.succeed()?;
    let called = leg_b.iter().filter(|message| message.method() == Some("INVITE"));
    let called: Vec<&str> =
        called.map(|message| user(message.request_uri().unwrap_or_default())).collect();
    ensure!(called == [DESTINATION, OTHER, OTHER], "called: {called:?}");
    server.stop()
}

#[test]
fn logs_a_call_without_numbers_addresses_and_secrets() -> Result<()> {
    let scene = Scene::new("log")?;
    let config = scene.config().phone("alice", "15550001001").binding(REDIRECT, DESTINATION, HIDE);
    let server = scene.serve(&config)?;
    let callee = scene.uas("uas_answer").answer(&scene.stage)?;
    scene.uac("uac_call").call(&scene.stage, REDIRECT, scene.server.sip())?.succeed()?;
    callee.succeed()?;
    logged(&server, "call ended", 1)?;
    let log = server.log();
    for part in ["call started", "call answered", "from=\"carrier-in\"", "code=200", "by=\"SRC\""] {
        ensure!(log.contains(part), "no {part} in the log: {log}");
    }
    let (caller, callee) = (scene.caller.ip().to_string(), scene.callee.ip().to_string());
    for secret in [CALLER, REDIRECT, DESTINATION, "sip:", &caller, &callee, "WARN", "password"] {
        ensure!(!log.contains(secret), "{secret} in the log: {log}");
    }
    server.stop()
}

#[test]
fn tells_monitoring_of_calls() -> Result<()> {
    let scene = Scene::new("metrics")?;
    let server = scene.serve(&scene.config().binding(REDIRECT, DESTINATION, HIDE))?;
    let api = SocketAddr::from((scene.server.ip(), 8080));
    let (status, body) = http_get(api, "/healthz")?;
    ensure!(status.contains(" 200 ") && body.contains("\"ok\""), "{status} {body}");
    let callee = scene.uas("uas_answer").answer(&scene.stage)?;
    scene.uac("uac_call").call(&scene.stage, REDIRECT, scene.server.sip())?.succeed()?;
    callee.succeed()?;
    let refused = scene.uac("uac_refused").call(&scene.stage, UNBOUND, scene.server.sip())?;
    refused.succeed()?;
    let (status, page) = http_get(api, "/metrics")?;
    ensure!(status.contains(" 200 "), "{status}");
    let lines = [
        "mediator_calls_active 0",
        "mediator_calls_started_total 1",
        "mediator_calls_answered_total 1",
        "mediator_calls_ended_total{flow=\"binding\",code=\"200\"} 1",
        "mediator_requests_refused_total{code=\"480\"} 1",
        "mediator_bindings 1",
        "mediator_calls_reaped_total 0",
        "mediator_call_setup_seconds_count 1",
        "mediator_added_delay_seconds_count 1",
        "mediator_log_lines_dropped_total 0",
    ];
    for line in lines {
        ensure!(page.lines().any(|found| found == line), "no {line:?} in:\n{page}");
    }
    let (status, _) = http_get(api, "/nowhere")?;
    ensure!(status.contains(" 404 "), "{status}");
    server.stop()
}
