//! What happens inside an answered call: hold and resume, a late offer, who hangs up.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mediator_tests::config::{Config, Direction, Mode};
use mediator_tests::sipp::log::Logged;
use mediator_tests::stage::Transport;
use mediator_tests::wire::{Connection, SDP, response};

use crate::scene::{DESTINATION, REDIRECT, Scene, hides, received, shown, user};

/// The pause between two steps of a scenario.
const STEP: Duration = Duration::from_millis(200);

/// Who carries media.
const MODES: [Mode; 2] = [Mode::Direct, Mode::Relay];

/// Plays one scenario on either side of a masked call; gives the messages of leg A and of leg B.
fn check(mode: Mode, name: &str, uac: &str, uas: &str) -> Result<(Vec<Logged>, Vec<Logged>)> {
    let scene = Scene::new(&format!("{name}_{}", mode.name()))?;
    let config = scene.config().mode(mode);
    let config = config.binding(REDIRECT, DESTINATION, "hide_origination_did = true");
    let server = scene.serve(&config)?;
    let callee = scene.uas(uas).pause(STEP).answer(&scene.stage)?;
    let caller = scene.uac(uac).pause(STEP);
    let leg_a = caller.call(&scene.stage, REDIRECT, scene.server.sip())?.succeed()?;
    let leg_b = callee.succeed()?;
    server.stop()?;
    hides(&leg_a, &[DESTINATION, &shown(scene.callee.sip()), "o=callee"])?;
    hides(&leg_b, &[&shown(scene.caller.sip()), "o=caller"])?;
    if mode == Mode::Relay {
        hides(&leg_a, &[&scene.callee.ip().to_string()])?;
        hides(&leg_b, &[&scene.caller.ip().to_string()])?;
    }
    Ok((leg_a, leg_b))
}

/// The direction attribute of each SDP that came in, in order.
fn directions(messages: &[Logged]) -> Vec<&str> {
    let names = ["sendrecv", "sendonly", "recvonly", "inactive"];
    received(messages)
        .filter(|message| message.body().contains("m=audio"))
        .map(|message| {
            let lines = message.body().lines().filter_map(|line| line.strip_prefix("a="));
            // RFC 8866 section 6.7: without the attribute it is sendrecv.
            lines.into_iter().find(|name| names.contains(name)).unwrap_or("sendrecv")
        })
        .collect()
}

#[test]
fn passes_hold_and_resume_to_the_other_side() -> Result<()> {
    for mode in MODES {
        let (leg_a, leg_b) = check(mode, "hold", "uac_hold", "uas_held")?;
        assert_eq!(directions(&leg_b), ["sendrecv", "sendonly", "sendrecv"], "{mode:?}");
        assert_eq!(directions(&leg_a), ["sendrecv", "recvonly", "sendrecv"], "{mode:?}");
    }
    Ok(())
}

#[test]
fn carries_a_late_offer_and_its_answer() -> Result<()> {
    for mode in MODES {
        let (leg_a, leg_b) = check(mode, "late_offer", "uac_late_offer", "uas_answer")?;
        let of = |method: &'static str| {
            received(&leg_b).find(move |message| message.method() == Some(method))
        };
        let (invite, ack) = (of("INVITE").context("no INVITE")?, of("ACK").context("no ACK")?);
        ensure!(invite.body().is_empty(), "leg B's INVITE has an offer");
        let answer = match mode {
            Mode::Direct => "m=audio 6000 ",
            Mode::Relay => "m=audio 3",
        };
        ensure!(ack.body().contains(answer), "no answer in the ACK: {}", ack.text);
        assert_eq!(directions(&leg_a), ["sendrecv"], "{mode:?}");
    }
    Ok(())
}

#[test]
fn passes_the_callees_hang_up() -> Result<()> {
    for mode in MODES {
        let (leg_a, _) = check(mode, "callee_hangs_up", "uac_hung_up", "uas_hang_up")?;
        let byes = received(&leg_a).filter(|message| message.method() == Some("BYE")).count();
        assert_eq!(byes, 1, "{mode:?}");
    }
    Ok(())
}

#[test]
fn hangs_up_over_a_new_connection_where_the_old_one_is_gone() -> Result<()> {
    let scene = Scene::new("connection_lost")?;
    let config = Config::new(scene.server.ip())
        .carrier("carrier-in", scene.caller.sip(), Direction::Inbound)
        .carrier_over("carrier-out", scene.callee.sip(), Direction::Outbound, Transport::Tcp)
        .masking("masking", &[REDIRECT], "carrier-out")
        .binding(REDIRECT, DESTINATION, "");
    let server = scene.serve(&config)?;
    let listener = TcpListener::bind(scene.callee.sip())?;
    let caller = scene.uac("uac_call").pause(Duration::from_secs(1));
    let caller = caller.call(&scene.stage, REDIRECT, scene.server.sip())?;
    let mut first = Connection::accept(&listener)?;
    let invite = first.receive()?;
    ensure!(user(invite.request_uri().unwrap_or_default()) == DESTINATION, "{}", invite.text);
    let contact = format!("Contact: <sip:callee@{};transport=tcp>\r\n", scene.callee.sip());
    let described = format!("{contact}Content-Type: application/sdp\r\n");
    first.send(response(&invite, "200 OK", "callee", &described, SDP))?;
    ensure!(first.receive()?.method() == Some("ACK"), "no ACK");
    drop(first);
    let mut second = Connection::accept(&listener)?;
    let bye = second.receive()?;
    ensure!(bye.method() == Some("BYE"), "BYE wanted: {}", bye.text);
    second.send(response(&bye, "200 OK", "", "", ""))?;
    caller.succeed()?;
    server.stop()
}
