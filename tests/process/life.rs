//! The process itself: what it prints when it is up, how it refuses to start, how it ends.

use std::net::UdpSocket;
use std::process::ExitStatus;

use anyhow::{Result, ensure};
use mediator_tests::server::{Server, run};

use crate::scene::{DESTINATION, REDIRECT, Scene};

/// A refusal is exit code 1 and one line, which names every one of `words`.
pub(crate) fn check_refusal(status: ExitStatus, said: &str, words: &[&str]) -> Result<()> {
    ensure!(status.code() == Some(1), "exit code 1 wanted, {status}: {said}");
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    ensure!(lines.len() == 1, "one line wanted: {said}");
    for word in words {
        ensure!(said.contains(word), "{word:?} is not named: {said}");
    }
    Ok(())
}

#[test]
fn names_each_listener_then_says_ready() -> Result<()> {
    let scene = Scene::new("listeners")?;
    let server = scene.serve(&scene.config())?;
    for transport in ["udp", "tcp"] {
        let wanted = format!("sip {transport} {}", scene.server.sip());
        ensure!(server.listening().contains(&wanted), "{wanted}: {:?}", server.listening());
    }
    server.stop()
}

#[test]
fn refuses_an_occupied_port_by_its_name() -> Result<()> {
    let scene = Scene::new("occupied")?;
    let _occupied = UdpSocket::bind(scene.server.sip())?;
    let (status, said) = Server::start_refused(&scene.stage, &scene.config().text())?;
    check_refusal(status, &said, &[&scene.server.sip().to_string()])
}

#[test]
fn refuses_an_unknown_key_by_file_line_and_name() -> Result<()> {
    let scene = Scene::new("unknown_key")?;
    let config = scene.config().sip("ring_tiemout", "\"2s\"").text();
    let path = scene.stage.write("bad.toml", &config)?.display().to_string();
    let (status, said) = run(&["check", &path])?;
    // `listen` is on line 2, what a test adds to [sip] on line 3.
    check_refusal(status, &said, &[&format!("{path}:3"), "ring_tiemout"])?;
    let (status, said) = Server::start_refused(&scene.stage, &config)?;
    check_refusal(status, &said, &["mediator.toml:3", "ring_tiemout"])
}

#[test]
fn checks_a_good_file_without_starting() -> Result<()> {
    let scene = Scene::new("check")?;
    let config = scene.config().phone("alice", "15550001001").binding(REDIRECT, DESTINATION, "");
    let path = scene.stage.write("good.toml", &config.text())?;
    // An occupied port is no fault of the file.
    let _occupied = UdpSocket::bind(scene.server.sip())?;
    let (status, said) = run(&["check", &path.display().to_string()])?;
    ensure!(status.success(), "exit code 0 wanted, {status}: {said}");
    Ok(())
}
