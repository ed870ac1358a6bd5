//! Bytes and descriptions that nobody means well with: calls go on or end with a reason, and nobody else is sent anything.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mediator_tests::agent::{Dial, Offer};
use mediator_tests::child::until;
use serde_json::json;

use super::studio::{ALICE, BOB, Studio, alice_tone, bob_tone, hear_each_other};
use crate::scene::{CALLER, REDIRECT};

/// Numbers that look like chance and are the same in each run (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, longest: u64) -> Vec<u8> {
        let length = self.next() % longest;
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

#[test]
fn any_bytes_from_either_side_leave_the_call_up() -> Result<()> {
    let studio = Studio::open("hostile_bytes")?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    let mut chance = Chance(0x5eed_0001);
    for call in [&leg_a, &leg_b] {
        let rtp = call.remote()?.address;
        let rtcp = SocketAddr::new(rtp.ip(), rtp.port() + 1);
        for _ in 0..1000 {
            let mut bytes = chance.bytes(400);
            // Half of them begin as RTP does, with every head there is.
            if chance.next().is_multiple_of(2)
                && let Some(first) = bytes.first_mut()
            {
                *first = 0x80 | (*first & 0x3f);
            }
            call.media().send(rtp, &bytes)?;
            call.media().send_report(rtcp, &bytes)?;
        }
        call.media().send(rtp, &[])?;
        call.media().send(rtp, &vec![0x80; 60_000])?;
    }
    let since = Instant::now();
    leg_b.hears_since(&alice_tone(), since)?;
    leg_a.hears_since(&bob_tone(), since)?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn a_flood_of_reports_is_not_answered_in_kind() -> Result<()> {
    let studio = Studio::open("hostile_reports")?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    let rtp = leg_a.remote()?.address;
    let rtcp = SocketAddr::new(rtp.ip(), rtp.port() + 1);
    // An empty receiver report, which a reflector would answer.
    let report = [0x80, 201, 0, 1, 1, 2, 3, 4];
    for _ in 0..5000 {
        leg_a.media().send_report(rtcp, &report)?;
    }
    hear_each_other(&leg_a, &leg_b)?;
    let back = leg_a.media().reports().len() + leg_b.media().reports().len();
    ensure!(back < 12, "{back} reports came back");
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

/// A call is offered with this text; bob answers where he is called. Gives the status that the caller heard.
fn offered(studio: &Studio, text: &str) -> Result<u16> {
    let count = studio.bob.calls();
    let offer = Offer::Text(text.to_owned());
    let dial = Dial { number: REDIRECT, caller: CALLER, offer, extra: "" };
    let leg_a = studio.alice.dial_as(studio.sip(), &dial)?;
    until(Duration::from_secs(8), "bob's phone or a refusal", || {
        Ok((studio.bob.calls() > count || leg_a.outcome_now().is_some()).then_some(()))
    })?;
    if studio.bob.calls() > count {
        let leg_b = studio.bob.called(count + 1)?;
        leg_b.answer()?;
        if leg_a.outcome()?.status() == Some(200) {
            leg_b.speak(BOB)?;
            leg_a.speak(ALICE)?;
            leg_b.request("ACK")?;
            leg_a.hang_up()?;
            leg_b.ended()?;
        }
    }
    let status = leg_a.outcome()?.status();
    Ok(status.unwrap_or_default())
}

const HEAD: &str = "v=0\r\no=x 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n";

#[test]
fn descriptions_that_lie_are_answered_one_way_or_another() -> Result<()> {
    let studio = Studio::open("hostile_sdp")?;
    studio.bind(&json!({}))?;
    let own = studio.sip().ip().to_string();
    let many = "m=audio {port} RTP/AVP 0\r\n".repeat(1000);
    let long = format!(
        "m=audio {{port}} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 {}\r\n",
        "0-15,".repeat(2000)
    );
    let codecs: Vec<String> = (0..=127).map(|number| number.to_string()).collect();
    let codecs = format!(" {}", codecs.join(" "));
    let rows = [
        HEAD.replace("c=IN IP4 {ip}", "c=IN IP4 224.0.0.5/1") + "m=audio {port} RTP/AVP 0\r\n",
        HEAD.replace("c=IN IP4 {ip}", "c=IN IP4 255.255.255.255") + "m=audio {port} RTP/AVP 0\r\n",
        HEAD.replace("c=IN IP4 {ip}", &format!("c=IN IP4 {own}")) + "m=audio 30000 RTP/AVP 0\r\n",
        HEAD.replace("c=IN IP4 {ip}\r\n", "") + "m=audio {port} RTP/AVP 0\r\n",
        HEAD.replace("c=IN IP4 {ip}", "c=IN IP4 no.such.host.invalid")
            + "m=audio {port} RTP/AVP 0\r\n",
        format!("{HEAD}m=audio 99999 RTP/AVP 0\r\n"),
        format!("{HEAD}{many}"),
        format!("{HEAD}{long}"),
        format!("{HEAD}m=audio {{port}} RTP/AVP{codecs}\r\n"),
        format!("{HEAD}m=audio {{port}} RTP/AVP 0\r\na=rtpmap:0 PCMA/8000\r\n"),
        format!("{HEAD}m=audio {{port}} RTP/AVP 0\r\na=ptime:0\r\na=ptime:4294967296\r\n"),
        "v=0\r\n".to_owned(),
        "m=audio".to_owned(),
    ];
    for row in rows {
        let begin: String = row.chars().take(160).collect();
        let status = offered(&studio, &row).map_err(|error| error.context(begin.clone()))?;
        ensure!(matches!(status, 200 | 400 | 480..=488), "{status} for {begin}");
    }
    // And all is well afterwards.
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn our_own_port_as_an_address_makes_no_loop() -> Result<()> {
    let studio = Studio::open("hostile_loop")?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    // Alice now says that she is where bob sends to.
    leg_a.show(leg_b.remote()?.address)?;
    leg_a.hush()?;
    leg_a.offer_again("sendrecv")?;
    leg_b.hush()?;
    let before = (leg_a.media().count(), leg_b.media().count());
    let stop = Instant::now() + Duration::from_secs(1);
    until(Duration::from_secs(3), "a second", || Ok((Instant::now() >= stop).then_some(())))?;
    let after = (leg_a.media().count(), leg_b.media().count());
    ensure!(after.0 - before.0 < 10 && after.1 - before.1 < 10, "{before:?} then {after:?}");
    leg_b.hang_up()?;
    leg_a.ended()?;
    studio.close()
}
