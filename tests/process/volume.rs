//! Many calls at once, over both transports, with one shard and with several: none may be lost.

use anyhow::{Result, ensure};
use mediator_tests::config::{Config, Direction};
use mediator_tests::sipp::Sipp;
use mediator_tests::stage::{Loopback, Transport};

use crate::scene::{CALLER, DESTINATION, REDIRECT, Scene, UNBOUND};

/// Calls of each caller.
const CALLS: u32 = 200;

/// UDP callers reach a TCP carrier and TCP callers a UDP carrier, all at the same time.
fn check(shards: &str) -> Result<()> {
    let scene = Scene::new(&format!("volume_{shards}"))?;
    let (caller, callee) = (Loopback::lease()?, Loopback::lease()?);
    let config = Config::new(scene.server.ip())
        .sip("shards", shards)
        .carrier_over("udp-in", scene.caller.sip(), Direction::Inbound, Transport::Udp)
        .carrier_over("tcp-out", scene.callee.sip(), Direction::Outbound, Transport::Tcp)
        .carrier_over("tcp-in", caller.sip(), Direction::Inbound, Transport::Tcp)
        .carrier_over("udp-out", callee.sip(), Direction::Outbound, Transport::Udp)
        .masking("masking", &[REDIRECT], "tcp-out")
        .masking("masking2", &[UNBOUND], "udp-out")
        .binding(REDIRECT, DESTINATION, "hide_origination_did = true")
        .object(&format!(
            "[[binding]]\nendpoint = \"masking2\"\nredirect_did = \"{UNBOUND}\"\n\
             destination_did = \"{DESTINATION}\"\nmaximum_ttl = -1\nwait_origination_did_ttl = -1"
        ));
    let server = scene.serve(&config)?;
    let tcp_uas = scene.uas("uas_answer").tcp().calls(CALLS).answer(&scene.stage)?;
    let udp_uas = Sipp::new("callee2", "uas_answer", callee.sip()).calls(CALLS);
    let udp_uas = udp_uas.answer(&scene.stage)?;
    let rate = ["-r", "50"];
    let udp_uac = scene.uac("uac_call").calls(CALLS).arguments(&rate);
    let udp_uac = udp_uac.call(&scene.stage, REDIRECT, scene.server.sip())?;
    let tcp_uac = Sipp::new("caller2", "uac_call", caller.sip())
        .tcp()
        .calls(CALLS)
        .arguments(&rate)
        .key("caller", &format!("<sip:{CALLER}@{}>", caller.sip()))
        .key("extra", "Subject: over TCP")
        .call(&scene.stage, UNBOUND, scene.server.sip())?;
    for actor in [udp_uac, tcp_uac, tcp_uas, udp_uas] {
        actor.succeed()?;
    }
    let ended = server.log().matches("call ended").count();
    ensure!(ended == 2 * CALLS as usize, "{ended} calls ended");
    server.stop()
}

#[test]
fn carries_udp_and_tcp_calls_at_once_on_one_shard() -> Result<()> {
    check("1")
}

#[test]
fn carries_udp_and_tcp_calls_at_once_on_four_shards() -> Result<()> {
    check("4")
}
