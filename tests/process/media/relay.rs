//! Relayed audio: heard both ways, and nothing of one side's network is seen by the other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mediator_tests::agent::{Agent, Call, sdp};
use mediator_tests::child::until;
use mediator_tests::hearing::{Heard, Sought};
use mediator_tests::rtp::law::Law;
use mediator_tests::rtp::{Media, Packet, Voice};
use mediator_tests::sipp::log::Logged;
use mediator_tests::stage::Loopback;
use serde_json::json;

use super::studio::{
    ALICE, BOB, Studio, alice_tone, bob_tone, has_no_hole, hear_each_other, is_one_stream,
};

/// How long the first report of a leg may take.
const REPORT_LIMIT: Duration = Duration::from_secs(6);
/// Packets of strangers.
const REFUSED: &str = "mediator_rtp_rejected_total{reason=\"source\"}";

/// Fails where a description, or anything else of a message, tells of the other agent.
fn tells_nothing(messages: &[Logged], other: &Agent) -> Result<()> {
    let ip = other.address().ip().to_string();
    for message in messages {
        ensure!(!message.text.contains(&ip), "{ip} leaks:\n{}", message.text);
        ensure!(!message.text.contains("agent-of"), "the origin leaks:\n{}", message.text);
        ensure!(!message.text.contains("talk of"), "the subject leaks:\n{}", message.text);
    }
    Ok(())
}

/// Fails where media came from elsewhere than the server said, or shows the other side's source.
fn comes_from_the_server(call: &Call, other: &Call, server: SocketAddr) -> Result<()> {
    let described = call.remote()?.address;
    ensure!(described.ip() == server.ip(), "{described} is not the server's");
    for packet in call.media().heard() {
        ensure!(packet.from == described, "from {}, not {described}", packet.from);
        ensure!(packet.ssrc() != other.media().ssrc(), "the other side's source is shown");
    }
    is_one_stream(call)
}

#[test]
fn both_sides_hear_each_other_and_see_the_server_alone() -> Result<()> {
    let studio = Studio::open("relay")?;
    studio.bind(&json!({}))?;
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(1)?;
    // Contributing sources and header extensions are nobody's business on the other side.
    leg_a.media().burden();
    leg_b.media().burden();
    leg_b.ring()?;
    leg_b.answer()?;
    leg_a.answered()?;
    leg_a.speak(ALICE)?;
    leg_b.speak(BOB)?;
    hear_each_other(&leg_a, &leg_b)?;
    let server = studio.sip();
    comes_from_the_server(&leg_a, &leg_b, server)?;
    comes_from_the_server(&leg_b, &leg_a, server)?;
    tells_nothing(&leg_a.heard(), &studio.bob)?;
    tells_nothing(&leg_b.heard(), &studio.alice)?;
    has_no_hole(&leg_a.recording())?;
    has_no_hole(&leg_b.recording())?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    let record = studio.record()?;
    ensure!(
        record["disconnect_originator"] == "SRC" && record["event_type"] == "binding",
        "{record}"
    );
    studio.close()
}

/// A sender report and a description with a name in it (RFC 3550 sections 6.4.1 and 6.5).
fn named_report(ssrc: u32, name: &str) -> Vec<u8> {
    let mut bytes = vec![0x80, 200, 0, 6];
    bytes.extend_from_slice(&ssrc.to_be_bytes());
    bytes.extend_from_slice(&[0xea, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 160]);
    let mut chunk = ssrc.to_be_bytes().to_vec();
    chunk.extend_from_slice(&[1, u8::try_from(name.len()).unwrap_or_default()]);
    chunk.extend_from_slice(name.as_bytes());
    chunk.push(0);
    chunk.resize(chunk.len().next_multiple_of(4), 0);
    let words = u16::try_from(chunk.len() / 4).unwrap_or_default();
    bytes.extend_from_slice(&[0x81, 202]);
    bytes.extend_from_slice(&words.to_be_bytes());
    bytes.extend_from_slice(&chunk);
    bytes
}

#[test]
fn reports_are_the_servers_own() -> Result<()> {
    let studio = Studio::open("reports")?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    let report = named_report(leg_a.media().ssrc(), "alice@her.own.computer");
    let rtcp = |address: SocketAddr| SocketAddr::new(address.ip(), address.port() + 1);
    leg_a.media().send_report(rtcp(leg_a.remote()?.address), &report)?;
    let reports = until(REPORT_LIMIT, "reports on both legs", || {
        let reports = [leg_a.media().reports(), leg_b.media().reports()];
        Ok(reports.iter().all(|of_leg| !of_leg.is_empty()).then_some(reports))
    })?;
    for (of_leg, (call, other)) in reports.iter().zip([(&leg_a, &leg_b), (&leg_b, &leg_a)]) {
        for packet in of_leg {
            ensure!(packet.from == rtcp(call.remote()?.address), "from {}", packet.from);
            let text = String::from_utf8_lossy(&packet.bytes);
            ensure!(!text.contains("alice") && !text.contains("127."), "a name: {text:?}");
            let kind = packet.bytes.get(1).copied().unwrap_or_default();
            ensure!(kind == 200 || kind == 201, "begins with {kind}: RFC 3550 section 6.1");
            let stranger = other.media().ssrc().to_be_bytes();
            let shown = packet.bytes.windows(4).any(|word| word == stranger);
            ensure!(!shown, "the other side's source is shown");
            let own = call.media().ssrc().to_be_bytes();
            ensure!(
                packet.bytes.windows(4).any(|word| word == own),
                "no block about its own source"
            );
        }
    }
    leg_b.hang_up()?;
    leg_a.ended()?;
    studio.close()
}

#[test]
fn media_goes_to_where_it_comes_from() -> Result<()> {
    let studio = Studio::open("symmetric")?;
    studio.bind(&json!({}))?;
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(1)?;
    // As behind a NAT, and as baresip does: media is not where SDP says.
    let private = SocketAddr::from((studio.scene.callee.ip(), 9));
    leg_b.show(private)?;
    leg_b.answer()?;
    leg_a.answered()?;
    leg_a.speak(ALICE)?;
    leg_b.speak(BOB)?;
    hear_each_other(&leg_a, &leg_b)?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn a_third_address_can_neither_be_heard_nor_hear() -> Result<()> {
    let studio = Studio::open("injection")?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    let stranger_at = Loopback::lease()?;
    let stranger = Media::open(stranger_at.ip())?;
    let strange = Sought::new("stranger", &[2200.0]);
    let since = Instant::now();
    for port in [leg_a.remote()?.address, leg_b.remote()?.address] {
        let before = studio.metric(REFUSED).unwrap_or_default();
        stranger.speak(Voice { to: port, payload_type: 0, law: Law::Mu, hertz: 2200.0 });
        let refused = until(Duration::from_secs(8), "refused packets in the metrics", || {
            let now = studio.metric(REFUSED)?;
            Ok((now >= before + 40.0).then_some(now))
        });
        stranger.hush();
        refused?;
    }
    hear_each_other(&leg_a, &leg_b)?;
    for call in [&leg_a, &leg_b] {
        let time = call.recording_since(since).time_of(&strange);
        ensure!(time.is_zero(), "the stranger was heard for {time:?}");
        is_one_stream(call)?;
    }
    ensure!(stranger.count() == 0, "the stranger was sent {} packets", stranger.count());
    leg_a.hang_up()?;
    studio.close()
}

#[test]
fn a_source_that_moves_is_followed_once_it_has_fallen_silent() -> Result<()> {
    let studio = Studio::open("rebinding")?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    leg_b.hush()?;
    let silent = Instant::now();
    // The same host behind a NAT that has forgotten it: another port.
    let moved = Media::open(studio.scene.callee.ip())?;
    let to = leg_b.remote()?.address;
    moved.speak(Voice { to, payload_type: 0, law: Law::Mu, hertz: BOB });
    leg_a.hears_since(&bob_tone(), silent + Duration::from_millis(300))?;
    until(Duration::from_secs(5), "media at the new port", || {
        Ok((moved.count() > 10).then_some(()))
    })?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn hold_is_silence_and_resuming_is_the_same_stream() -> Result<()> {
    let studio = Studio::open("hold")?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    let answer = leg_a.offer_again("sendonly")?;
    ensure!(answer.body().contains("a=recvonly"), "{}", answer.text);
    let held = leg_b.sees("a hold", |one| {
        one.method() == Some("INVITE") && one.body().contains("a=sendonly")
    })?;
    tells_nothing(&[held], &studio.alice)?;
    let since = Instant::now() + Duration::from_millis(100);
    // Bob does not speak to who holds him.
    leg_b.hush()?;
    leg_b.hears_since(&alice_tone(), since)?;
    ensure!(leg_a.recording_since(since).time_of(&bob_tone()).is_zero(), "bob is heard on hold");
    leg_a.offer_again("sendrecv")?;
    leg_b.speak(BOB)?;
    hear_each_other(&leg_a, &leg_b)?;
    for call in [&leg_a, &leg_b] {
        let packets = call.media().heard();
        let first = packets.first().context("nothing was heard")?.ssrc();
        ensure!(
            packets.iter().all(|packet| packet.ssrc() == first),
            "another source after the hold"
        );
    }
    leg_b.hang_up()?;
    leg_a.ended()?;
    studio.close()
}

#[test]
fn keys_cross_under_each_sides_own_number_and_once() -> Result<()> {
    let studio = Studio::open("keys")?;
    studio.bind(&json!({}))?;
    studio
        .bob
        .codecs(vec![sdp::Codec::new(0, "PCMU/8000"), sdp::Codec::new(97, "telephone-event/8000")]);
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    leg_a.press("159#")?;
    leg_b.press("*0")?;
    for (call, pressed) in [(&leg_b, "159#"), (&leg_a, "*0")] {
        let keys = until(Duration::from_secs(8), &format!("the keys {pressed}"), || {
            let keys = call.keys()?;
            let text: String = keys.iter().map(|key| key.key).collect();
            Ok((text == pressed && keys.iter().all(|key| key.ends > 0)).then_some(keys))
        })?;
        ensure!(keys.iter().all(|key| key.duration == 800), "{keys:?}");
    }
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

/// The packets that came since a time.
fn since(call: &Call, from: Instant) -> Vec<Packet> {
    let mut packets = call.media().heard();
    packets.retain(|packet| packet.at >= from);
    packets
}

#[test]
fn nothing_is_played_where_the_other_side_is_silent() -> Result<()> {
    let studio = Studio::open("silent_peer")?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    leg_b.hush()?;
    let from = Instant::now() + Duration::from_millis(100);
    leg_b.hears_since(&alice_tone(), from + Duration::from_millis(500))?;
    ensure!(since(&leg_a, from).is_empty(), "{} packets of nobody", since(&leg_a, from).len());
    leg_b.speak(BOB)?;
    leg_a.hears(&bob_tone())?;
    let line = leg_a.recording().timeline(&[bob_tone()]);
    let other =
        line.iter().find(|part| part.heard == Heard::Other && part.length().as_millis() > 40);
    ensure!(other.is_none(), "something else was heard: {line:?}");
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn the_record_and_the_live_list_tell_how_good_it_was() -> Result<()> {
    let studio = Studio::open("figures")?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    until(Duration::from_secs(8), "a hundred packets", || {
        Ok((leg_a.media().count() > 100 && leg_b.media().count() > 100).then_some(()))
    })?;
    let calls = studio.mediator.get("/calls")?.ok()?;
    let legs = &calls["items"][0]["legs"];
    for leg in [&legs[0], &legs[1]] {
        ensure!(leg["codec"] == "PCMU", "{calls}");
        let packets = leg["media"]["packets"].as_u64().unwrap_or_default();
        ensure!(packets > 80, "packets of a live leg: {calls}");
    }
    leg_a.hang_up()?;
    leg_b.ended()?;
    let record = studio.record()?;
    for side in ["media_src", "media_dst"] {
        let leg = &record[side];
        ensure!(leg["packets"].as_u64().is_some_and(|packets| packets > 90), "{side}: {record}");
        ensure!(leg["lost"].as_u64() == Some(0), "{side}: {record}");
        ensure!(leg["jitter_ms"].as_f64().is_some_and(|jitter| jitter < 20.0), "{side}: {record}");
        let mos = leg["mos"].as_f64().unwrap_or_default();
        ensure!((4.0..=4.5).contains(&mos), "{side}: {record}");
    }
    studio.close()
}
