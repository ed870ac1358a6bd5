//! What happens in between: a callee that fails behind an announcement, several callers at once, a hang-up at every moment,
//! sides of different codecs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mediator_tests::agent::{Agent, sdp};
use mediator_tests::config::{Config, Direction, Mode};
use mediator_tests::hearing::Sought;
use mediator_tests::rtp::law::Law;
use mediator_tests::stage::Loopback;
use mediator_tests::web::Page;
use serde_json::json;

use super::announce::loopback_allowed;
use super::dialout::{NEAR, first_answers, order, order_more};
use super::studio::{
    ALICE, BOB, PROMPT_TIME, Studio, alice_tone, bob_tone, hear_each_other, is_one_stream,
    prompt_tone, prompt_wav,
};
use crate::scene::{Scene, UNBOUND, user};

#[test]
fn a_callee_that_fails_behind_our_media_is_told_by_its_code() -> Result<()> {
    let studio = Studio::open_with("moments_busy", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    for (attributes, count) in [(json!({ "announce": url }), 1), (json!({ "ringback": "moh" }), 2)]
    {
        let binding = studio.bind(&attributes)?;
        let leg_a = studio.dial()?;
        let leg_b = studio.bob.called(count)?;
        leg_a.status(183)?;
        leg_b.ring()?;
        leg_b.refuse("486 Busy Here")?;
        ensure!(leg_a.outcome()?.status() == Some(486), "{:?}", leg_a.outcome()?.text);
        let sid = binding["binding_sid"].as_str().unwrap_or_default();
        studio.mediator.delete(&format!("/bindings/{sid}"))?.gone()?;
    }
    studio.close()
}

#[test]
fn the_next_trunk_is_tried_without_the_announcement_again() -> Result<()> {
    let (scene, second_at) = (Scene::new("media_moments_failover")?, Loopback::lease()?);
    let config = Config::new(scene.server.ip())
        .carrier("carrier-in", scene.caller.sip(), Direction::Inbound)
        .carrier("first", scene.callee.sip(), Direction::Outbound)
        .carrier("second", second_at.sip(), Direction::Outbound)
        .trunk_group("carriers", "408;500;503;", &["first", "second"])
        .masking("masking", &[crate::scene::REDIRECT, UNBOUND], "carriers");
    let studio = Studio::on(scene, &loopback_allowed(config))?;
    let second = Agent::start(second_at.ip(), sdp::mu())?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind(&json!({ "announce": url }))?;
    let leg_a = studio.dial()?;
    studio.bob.called(1)?.refuse("503 Out of lines")?;
    let leg_b = second.called(1)?;
    leg_b.answer()?;
    leg_a.answered()?;
    leg_a.speak(ALICE)?;
    leg_b.speak(BOB)?;
    hear_each_other(&leg_a, &leg_b)?;
    let heard = leg_a.recording().time_of(&prompt_tone());
    ensure!(heard < PROMPT_TIME + Duration::from_millis(100), "{heard:?} of the announcement");
    is_one_stream(&leg_a)?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn the_time_to_ring_begins_behind_the_announcement() -> Result<()> {
    let short = |config: Config| loopback_allowed(config).sip("ring_timeout", "\"1s\"");
    let studio = Studio::open_with("moments_ring_timeout", short)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind(&json!({ "announce": url }))?;
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(1)?;
    let dialled = Instant::now();
    leg_b.ring()?;
    let (at, _) = leg_b.sees_when("CANCEL", |one| one.method() == Some("CANCEL"))?;
    let after = at.saturating_duration_since(dialled);
    ensure!((800..1800).contains(&after.as_millis()), "CANCEL after {after:?}");
    ensure!(leg_a.outcome()?.status() == Some(480), "no 480");
    studio.close()
}

#[test]
fn many_callers_at_once_fetch_it_once_and_all_hear_it() -> Result<()> {
    let studio = Studio::open_with("moments_many", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::Slow(prompt_wav()?, Duration::from_millis(600)));
    studio.bind(&json!({ "announce": url }))?;
    let calls = (0..6).map(|_| studio.dial()).collect::<Result<Vec<_>>>()?;
    for count in 1..=calls.len() {
        studio.bob.called(count)?.refuse("486 Busy Here")?;
    }
    for leg_a in &calls {
        leg_a.outcome()?;
        let heard = leg_a.recording().time_of(&prompt_tone());
        let off = heard.abs_diff(PROMPT_TIME);
        ensure!(off <= Duration::from_millis(80), "{heard:?} of the announcement");
    }
    ensure!(web.asked().len() == 1, "asked {:?}", web.asked());
    studio.close()
}

#[test]
fn an_announcement_is_heard_in_direct_mode_too() -> Result<()> {
    let scene = Scene::new("media_moments_direct")?;
    let studio = {
        let config = loopback_allowed(scene.config().mode(Mode::Direct));
        Studio::on(scene, &config)?
    };
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind(&json!({ "announce": url }))?;
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(1)?;
    leg_b.answer()?;
    leg_a.answered()?;
    leg_a.speak(ALICE)?;
    leg_b.speak(BOB)?;
    hear_each_other(&leg_a, &leg_b)?;
    ensure!(leg_a.recording().time_of(&prompt_tone()) > PROMPT_TIME / 2, "no announcement");
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn an_operator_can_hang_up_during_an_announcement() -> Result<()> {
    let studio = Studio::open_with("moments_operator", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind(&json!({ "announce": url }))?;
    let leg_a = studio.dial()?;
    leg_a.hears(&prompt_tone())?;
    let calls = studio.mediator.get("/calls")?.ok()?;
    let sid = calls["items"][0]["call_sid"].as_str().context("no call is listed")?;
    studio.mediator.delete(&format!("/calls/{sid}"))?.gone()?;
    let status = leg_a.outcome()?.status();
    ensure!(status.is_some_and(|status| status >= 400), "{status:?}");
    ensure!(studio.bob.calls() == 0, "bob was called");
    studio.close()
}

#[test]
fn a_caller_of_the_other_law_hears_the_announcement_in_its_own() -> Result<()> {
    let studio = Studio::open_with("moments_law", loopback_allowed)?;
    studio.alice.codecs(sdp::a());
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind(&json!({ "announce": url }))?;
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(1)?;
    leg_b.ring()?;
    leg_b.answer()?;
    leg_a.answered()?;
    leg_a.speak(ALICE)?;
    leg_b.speak(BOB)?;
    hear_each_other(&leg_a, &leg_b)?;
    let heard = leg_a.media().heard();
    ensure!(heard.iter().all(|packet| packet.payload_type() == 8), "not A-law alone");
    ensure!(
        leg_b.remote()?.voice().is_some_and(|(_, law)| law == Law::A),
        "bob is offered another first"
    );
    ensure!(leg_a.recording().time_of(&prompt_tone()) > PROMPT_TIME / 2, "no announcement");
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn who_holds_is_not_disturbed_by_a_peer_that_goes_on_sending() -> Result<()> {
    let studio = Studio::open("moments_hold")?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    let to = leg_b.remote()?.address;
    leg_a.offer_again("sendonly")?;
    // Bob's phone does not care.
    let voice = mediator_tests::rtp::Voice { to, payload_type: 0, law: Law::Mu, hertz: BOB };
    leg_b.media().speak(voice);
    let since = Instant::now() + Duration::from_millis(200);
    leg_b.hears_since(&alice_tone(), since + Duration::from_millis(300))?;
    let heard = leg_a.recording_since(since).time_of(&bob_tone());
    ensure!(heard.is_zero(), "{heard:?} of bob while he is held");
    leg_a.offer_again("sendrecv")?;
    leg_a.hears(&bob_tone())?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn a_dialout_joins_two_phones_of_different_laws() -> Result<()> {
    let studio = Studio::open("moments_dialout_laws")?;
    order(&studio, &json!({}))?;
    let one = first_answers(&studio)?;
    studio.bob.codecs(sdp::a());
    // It has rung with the codecs of before where it was quick; the answer counts.
    let two = studio.bob.called(2)?;
    two.speak_only(sdp::a())?;
    two.ring()?;
    two.answer()?;
    two.request("ACK")?;
    two.speak(BOB)?;
    one.hears(&bob_tone())?;
    two.hears(&alice_tone())?;
    ensure!(two.media().heard().iter().all(|packet| packet.payload_type() == 8), "not A-law");
    is_one_stream(&one)?;
    one.hang_up()?;
    two.ended()?;
    studio.close()
}

#[test]
fn a_dialout_can_be_held_and_resumed() -> Result<()> {
    let studio = Studio::open("moments_dialout_hold")?;
    order(&studio, &json!({}))?;
    let one = first_answers(&studio)?;
    let two = studio.bob.called(2)?;
    two.answer()?;
    two.request("ACK")?;
    two.speak(BOB)?;
    one.hears(&bob_tone())?;
    let answer = two.offer_again("sendonly")?;
    ensure!(answer.body().contains("a=recvonly"), "{}", answer.text);
    one.sees("a hold", |message| message.body().contains("a=sendonly"))?;
    let answer = two.offer_again("sendrecv")?;
    ensure!(answer.status() == Some(200), "{}", answer.text);
    let since = Instant::now();
    one.speak(ALICE)?;
    two.hears_since(&alice_tone(), since)?;
    one.hears_since(&bob_tone(), since)?;
    one.hang_up()?;
    two.ended()?;
    studio.close()
}

#[test]
fn keys_of_a_binding_are_pressed_behind_an_announcement_too() -> Result<()> {
    let studio = Studio::open_with("moments_dtmf", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind_more(
        &json!({ "dtmf": "42", "attributes": { "announce": url, "ringback": "moh" } }),
    )?;
    let (leg_a, leg_b) = studio.talk()?;
    mediator_tests::child::until(Duration::from_secs(8), "two keys", || {
        let keys: String = leg_b.keys()?.iter().map(|key| key.key).collect();
        Ok((keys == "42").then_some(()))
    })?;
    hear_each_other(&leg_a, &leg_b)?;
    let own = leg_b.recording().time_of(&Sought::new("prompt", &[1000.0]));
    ensure!(own.is_zero(), "bob heard {own:?} of alice's announcement");
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn eight_dialouts_at_once_are_put_through_without_relay_being_set() -> Result<()> {
    const DIALOUTS: usize = 8;
    let studio = Studio::open_with("moments_dialouts", |config| config.mode(Mode::Direct))?;
    for number in 0..DIALOUTS {
        let other = format!("1516206540{number}");
        order_more(&studio, &json!({ "stage_two_destination_did": other }))?;
    }
    let mut firsts = Vec::new();
    let mut seconds = Vec::new();
    for count in 1..=2 * DIALOUTS {
        let call = studio.bob.called(count)?;
        call.answer()?;
        let invite = call.invite()?;
        if user(invite.request_uri().unwrap_or_default()) == NEAR {
            call.speak(ALICE)?;
            firsts.push(call);
        } else {
            call.speak(BOB)?;
            seconds.push(call);
        }
    }
    ensure!(firsts.len() == DIALOUTS && seconds.len() == DIALOUTS, "{} first ones", firsts.len());
    for (one, two) in firsts.iter().zip(&seconds) {
        one.hears(&bob_tone())?;
        two.hears(&alice_tone())?;
        let line = one.recording().timeline(&[alice_tone(), bob_tone()]);
        let other = one.recording().time_of(&alice_tone());
        ensure!(other.is_zero(), "a stage one hears another one: {line:?}");
    }
    for one in &firsts {
        one.hang_up()?;
    }
    for two in &seconds {
        two.ended()?;
    }
    mediator_tests::child::until(Duration::from_secs(8), "a record of each", || {
        Ok((studio.core.list("/app/mediator/calls", &[])?.0.len() == DIALOUTS).then_some(()))
    })?;
    studio.close()
}
