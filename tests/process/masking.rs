//! A call to a bound DID: what leg B is shown, and that nothing else crosses.

use anyhow::{Context, Result, ensure};
use mediator_tests::config::{Config, Direction, Mode};
use mediator_tests::sipp::log::Logged;
use mediator_tests::stage::Transport;

use crate::scene::{
    CALLER, DESTINATION, REDIRECT, Scene, final_response, heard_status, hides, request, shown, user,
};

/// One call and what leg B must see of its caller.
struct Row {
    name: &'static str,
    caller_over: Transport,
    callee_over: Transport,
    attributes: &'static str,
    /// The user part of leg B's From.
    caller_shown: &'static str,
    /// A header line that leg B's INVITE must have.
    header: &'static str,
}

const UDP_HIDDEN: Row = Row {
    name: "masked_udp",
    caller_over: Transport::Udp,
    callee_over: Transport::Udp,
    attributes: "hide_origination_did = true",
    caller_shown: REDIRECT,
    header: "Max-Forwards: 69",
};

#[test]
fn shows_redirect_did_where_the_caller_is_hidden() -> Result<()> {
    check(&UDP_HIDDEN)
}

#[test]
fn takes_true_as_a_string() -> Result<()> {
    let attributes = "hide_origination_did = \"true\"";
    check(&Row { name: "masked_string", attributes, ..UDP_HIDDEN })
}

#[test]
fn shows_the_caller_where_nothing_is_hidden() -> Result<()> {
    check(&Row { name: "shown_udp", attributes: "", caller_shown: CALLER, ..UDP_HIDDEN })
}

#[test]
fn hides_the_caller_from_tcp_to_udp() -> Result<()> {
    check(&Row { name: "masked_tcp_udp", caller_over: Transport::Tcp, ..UDP_HIDDEN })
}

#[test]
fn hides_the_caller_over_tcp_on_both_legs() -> Result<()> {
    let (caller_over, callee_over) = (Transport::Tcp, Transport::Tcp);
    check(&Row { name: "masked_tcp_tcp", caller_over, callee_over, ..UDP_HIDDEN })
}

#[test]
fn shows_the_caller_over_tcp_on_both_legs() -> Result<()> {
    check(&Row {
        name: "shown_tcp_tcp",
        caller_over: Transport::Tcp,
        callee_over: Transport::Tcp,
        attributes: "",
        caller_shown: CALLER,
        ..UDP_HIDDEN
    })
}

#[test]
fn puts_x_headers_on_leg_b() -> Result<()> {
    let attributes = "hide_origination_did = true, \"sip_header_X-Campaign\" = \"spring 27\"";
    check(&Row { name: "x_header", attributes, header: "X-Campaign: spring 27", ..UDP_HIDDEN })
}

#[test]
fn carries_a_hundred_calls_without_loss() -> Result<()> {
    let scene = Scene::new("hundred")?;
    let config = scene.config().binding(REDIRECT, DESTINATION, UDP_HIDDEN.attributes);
    let server = scene.serve(&config)?;
    let callee = scene.uas("uas_answer").calls(100).answer(&scene.stage)?;
    let caller = scene.uac("uac_call").calls(100).arguments(&["-r", "50"]);
    caller.call(&scene.stage, REDIRECT, scene.server.sip())?.succeed()?;
    callee.succeed()?;
    server.stop()
}

/// Places the call of a row, once with media that passes here and once without.
fn check(row: &Row) -> Result<()> {
    check_in(row, Mode::Direct)?;
    check_in(row, Mode::Relay)
}

/// Places the call of a row and looks at everything that either side got to see.
fn check_in(row: &Row, mode: Mode) -> Result<()> {
    let scene = Scene::new(&format!("{}_{}", row.name, mode.name()))?;
    let config = Config::new(scene.server.ip())
        .mode(mode)
        .carrier_over("carrier-in", scene.caller.sip(), Direction::Inbound, row.caller_over)
        .carrier_over("carrier-out", scene.callee.sip(), Direction::Outbound, row.callee_over)
        .masking("masking", &[REDIRECT], "carrier-out")
        .binding(REDIRECT, DESTINATION, row.attributes);
    let server = scene.serve(&config)?;
    let (mut callee, mut caller) = (scene.uas("uas_answer"), scene.uac("uac_call"));
    if row.callee_over == Transport::Tcp {
        callee = callee.tcp();
    }
    if row.caller_over == Transport::Tcp {
        caller = caller.tcp();
    }
    let callee = callee.answer(&scene.stage)?;
    let leg_a = caller.call(&scene.stage, REDIRECT, scene.server.sip())?.succeed()?;
    let leg_b = callee.succeed()?;
    server.stop()?;
    check_leg_b(row, &scene, &leg_a, &leg_b)?;
    ensure!(heard_status(&leg_a, 180), "the 180 of leg B is not passed on");
    ensure!(final_response(&leg_a)?.status() == Some(200), "no 200 on leg A");
    hides(&leg_a, &[DESTINATION, &shown(scene.callee.sip()), "o=callee"])?;
    hides_addresses(mode, &scene, &leg_a, &leg_b)
}

/// Where media is direct each side sees the other's media address, but nothing of its signalling; else it sees nothing.
fn hides_addresses(mode: Mode, scene: &Scene, leg_a: &[Logged], leg_b: &[Logged]) -> Result<()> {
    if mode == Mode::Relay {
        hides(leg_a, &[&scene.callee.ip().to_string()])?;
        hides(leg_b, &[&scene.caller.ip().to_string()])?;
    }
    Ok(())
}

fn check_leg_b(row: &Row, scene: &Scene, leg_a: &[Logged], leg_b: &[Logged]) -> Result<()> {
    let invite = request(leg_b, "INVITE")?;
    let header = |name: &str| invite.header(name).with_context(|| format!("no {name}"));
    let uri = invite.request_uri().unwrap_or_default();
    ensure!(user(uri) == DESTINATION, "Request-URI {uri}");
    ensure!(user(header("To")?) == DESTINATION, "To {}", header("To")?);
    ensure!(user(header("From")?) == row.caller_shown, "From {}", header("From")?);
    for identity in invite.headers("P-Asserted-Identity") {
        ensure!(user(identity) == row.caller_shown, "P-Asserted-Identity {identity}");
    }
    ensure!(invite.head().contains(&format!("\n{}", row.header)), "no {}", row.header);
    let call_id_of_a = leg_a.first().and_then(|message| message.header("Call-ID"));
    let call_id_of_a = call_id_of_a.context("leg A has no Call-ID")?;
    hides(leg_b, &[&shown(scene.caller.sip()), call_id_of_a, "X-Leg-A-Only", "o=caller"])?;
    if row.caller_shown != CALLER {
        hides(leg_b, &[CALLER, "Carol"])?;
    }
    Ok(())
}
