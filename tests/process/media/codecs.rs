//! What both sides speak, what one of them speaks, and what neither does.

use std::time::Instant;

use anyhow::{Result, ensure};
use mediator_tests::agent::{Dial, Offer, sdp};
use mediator_tests::rtp::law::Law;
use serde_json::json;

use super::studio::{ALICE, BOB, Studio, alice_tone, bob_tone, hear_each_other};
use crate::scene::{CALLER, REDIRECT};

#[test]
fn the_two_laws_of_g711_are_turned_into_each_other() -> Result<()> {
    let studio = Studio::open("laws")?;
    studio.bind(&json!({}))?;
    studio.bob.codecs(sdp::a());
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    let (of_a, of_b) = (leg_a.remote()?.voice(), leg_b.remote()?.common(&sdp::a()));
    ensure!(of_a == Some((0, Law::Mu)), "alice is told {of_a:?}");
    ensure!(of_b.iter().any(|codec| codec.payload_type == 8), "bob is offered {of_b:?}");
    ensure!(leg_a.media().heard().iter().all(|packet| packet.payload_type() == 0), "not u-law");
    ensure!(leg_b.media().heard().iter().all(|packet| packet.payload_type() == 8), "not A-law");
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn a_codec_that_nobody_here_speaks_is_passed_on() -> Result<()> {
    let studio = Studio::open("opaque")?;
    studio.bind(&json!({}))?;
    // Agents speak G.711 whatever it is called: what is in the packets is nobody's business.
    let odd = vec![sdp::Codec::new(107, "speex/8000")];
    studio.alice.codecs(odd.clone());
    studio.bob.codecs(odd);
    let (leg_a, leg_b) = studio.talk()?;
    let voice =
        |to, hertz| mediator_tests::rtp::Voice { to, payload_type: 107, law: Law::Mu, hertz };
    leg_a.media().speak(voice(leg_a.remote()?.address, ALICE));
    leg_b.media().speak(voice(leg_b.remote()?.address, BOB));
    for (call, tone) in [(&leg_b, alice_tone()), (&leg_a, bob_tone())] {
        mediator_tests::child::until(std::time::Duration::from_secs(8), "an opaque tone", || {
            let heard = call.media().heard();
            let recording =
                mediator_tests::hearing::Recording::of_packets(&heard, &[(107, Law::Mu)]);
            Ok((recording.time_of(&tone).as_millis() >= 200).then_some(()))
        })?;
    }
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

/// Offers a text of SDP; gives the status that the caller hears.
fn offered(studio: &Studio, text: &str) -> Result<u16> {
    let offer = Offer::Text(text.to_owned());
    let dial = Dial { number: REDIRECT, caller: CALLER, offer, extra: "" };
    let leg_a = studio.alice.dial_as(studio.sip(), &dial)?;
    Ok(leg_a.outcome()?.status().unwrap_or_default())
}

const HEAD: &str = "v=0\r\no=x 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n";

#[test]
fn what_cannot_be_relayed_is_refused_with_488() -> Result<()> {
    let studio = Studio::open("refused_offers")?;
    studio.bind(&json!({}))?;
    let rows = [
        "m=video {port} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
        "m=audio {port} RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
        "m=audio 0 RTP/AVP 0\r\n",
    ];
    for row in rows {
        let status = offered(&studio, &format!("{HEAD}{row}"))?;
        ensure!(status == 488, "{status} for {row}");
    }
    ensure!(studio.bob.calls() == 0, "bob was called");
    studio.close()
}

#[test]
fn no_common_codec_is_488() -> Result<()> {
    let studio = Studio::open("no_common")?;
    studio.bind(&json!({}))?;
    studio.alice.codecs(vec![sdp::Codec::new(107, "speex/8000")]);
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(1)?;
    leg_b.refuse("488 Not Acceptable Here")?;
    ensure!(leg_a.outcome()?.status() == Some(488), "what bob said is not told");
    // A callee that answers with what was not offered.
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(2)?;
    leg_b.answer_with(&sdp::write(leg_b.media().address(), &sdp::mu(), "sendrecv", 1))?;
    leg_b.request("ACK")?;
    leg_b.ended()?;
    ensure!(leg_a.outcome()?.status() == Some(488), "an answer that fits nothing was taken");
    studio.close()
}

#[test]
fn the_codec_can_change_in_the_middle() -> Result<()> {
    let studio = Studio::open("change")?;
    studio.bind(&json!({}))?;
    let mut both = sdp::mu();
    both.insert(1, sdp::Codec::new(8, "PCMA/8000"));
    studio.bob.codecs(both.clone());
    studio.alice.codecs(both);
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    leg_a.speak_only(sdp::a())?;
    let answer = leg_a.offer_again("sendrecv")?;
    ensure!(answer.status() == Some(200), "{}", answer.text);
    let since = Instant::now();
    leg_b.hears_since(&alice_tone(), since)?;
    leg_a.hears_since(&bob_tone(), since)?;
    let last = leg_a.media().heard().pop().map(|packet| packet.payload_type());
    ensure!(last == Some(8), "alice hears {last:?} where she asked for A-law");
    leg_b.hang_up()?;
    leg_a.ended()?;
    studio.close()
}

#[test]
fn a_caller_that_offers_late_is_relayed_too() -> Result<()> {
    let studio = Studio::open("late")?;
    studio.bind(&json!({}))?;
    let dial = Dial { number: REDIRECT, caller: CALLER, offer: Offer::Late, extra: "" };
    let leg_a = studio.alice.dial_as(studio.sip(), &dial)?;
    let leg_b = studio.bob.called(1)?;
    ensure!(leg_b.invite()?.body().is_empty(), "an offer of nobody: {}", leg_b.invite()?.text);
    leg_b.ring()?;
    leg_b.answer()?;
    let answer = leg_a.answered()?;
    let bob = studio.bob.address().ip().to_string();
    ensure!(!answer.text.contains(&bob), "bob's address leaks: {}", answer.text);
    leg_a.speak(ALICE)?;
    leg_b.speak(BOB)?;
    hear_each_other(&leg_a, &leg_b)?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}
