//! Announcements: heard whole before the callee rings, and what comes behind them without a gap.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mediator_tests::agent::{Call, Dial, Offer};
use mediator_tests::config::Config;
use mediator_tests::hearing::Sought;
use mediator_tests::web::Page;
use serde_json::json;

use super::studio::{
    ALICE, BOB, GAP, PROMPT_TIME, Studio, alice_tone, bob_tone, has_no_hole, hear_each_other,
    is_one_stream, prompt_tone, prompt_wav, ringing_tone,
};
use crate::scene::{CALLER, REDIRECT};

/// A piece of music of 1.2 s at 1000 Hz, 44.1 kHz stereo.
const MP3: &[u8] = include_bytes!("tone-1000.mp3");

/// Announcements may come from the test's own web server.
pub(super) fn loopback_allowed(config: Config) -> Config {
    config.media("fetch", "{ allow = [\"127.0.0.0/8\"] }")
}

/// Fails where the announcement was not heard whole, or something was missing up to and with bob's voice.
fn was_whole(leg_a: &Call) -> Result<()> {
    let recording = leg_a.recording();
    let heard = recording.time_of(&prompt_tone());
    let off = heard.abs_diff(PROMPT_TIME);
    ensure!(off <= Duration::from_millis(80), "{heard:?} of an announcement of {PROMPT_TIME:?}");
    has_no_hole(&recording)?;
    is_one_stream(leg_a)
}

/// The announcement at `url` is heard, then ringing as in the US, then bob.
fn check(studio: &Studio, url: &str) -> Result<()> {
    studio.bind(&json!({ "announce": url }))?;
    let leg_a = studio.dial()?;
    let progress = leg_a.status(183)?;
    ensure!(progress.body().contains("m=audio"), "no early media: {}", progress.text);
    leg_a.hears(&prompt_tone())?;
    ensure!(studio.bob.calls() == 0, "bob is called before the announcement is over");
    let leg_b = studio.bob.called(1)?;
    leg_b.ring()?;
    leg_a.hears(&ringing_tone())?;
    ensure!(!leg_a.has_status(200), "answered before bob");
    // Bob speaks with his answer, as phones do.
    leg_b.speak(BOB)?;
    leg_b.answer()?;
    let answer = leg_a.answered()?;
    ensure!(sdp_of(&answer.text) == sdp_of(&progress.text), "200 says other than 183");
    leg_a.speak(ALICE)?;
    hear_each_other(&leg_a, &leg_b)?;
    let recording = leg_a.recording();
    let all = [prompt_tone(), ringing_tone(), bob_tone()];
    ensure!(
        recording.order(&all) == ["prompt", "ringing", "bob"],
        "{:?}",
        recording.timeline(&all)
    );
    let gap = recording.between(&prompt_tone(), &ringing_tone())?;
    ensure!(gap <= GAP, "{gap:?} between announcement and ringing: {:?}", recording.timeline(&all));
    let gap = recording.between(&ringing_tone(), &bob_tone())?;
    ensure!(gap <= GAP, "{gap:?} between ringing and bob: {:?}", recording.timeline(&all));
    was_whole(&leg_a)?;
    leg_a.hang_up()?;
    leg_b.ended().map(drop)
}

/// The body of a message, but for the session's version.
fn sdp_of(text: &str) -> Vec<&str> {
    let body = text.split_once("\n\n").map_or("", |(_, body)| body);
    body.lines().filter(|line| !line.starts_with("o=")).collect()
}

#[test]
fn a_wav_is_fetched_and_heard_before_ringing_and_speech() -> Result<()> {
    let studio = Studio::open_with("announce_wav", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    check(&studio, &url)?;
    studio.close()
}

#[test]
fn an_mp3_is_fetched_and_heard() -> Result<()> {
    let studio = Studio::open_with("announce_mp3", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.mp3", Page::File(MP3.to_vec()));
    check(&studio, &url)?;
    studio.close()
}

#[test]
fn a_file_of_the_media_folder_is_heard() -> Result<()> {
    let scene = crate::scene::Scene::new("media_announce_file")?;
    let folder = scene.stage.path("sounds");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("welcome.wav"), prompt_wav()?)?;
    let config = scene.config().media("folder", "\"sounds\"");
    let studio = Studio::on(scene, &config)?;
    check(&studio, "welcome.wav")?;
    studio.close()
}

#[test]
fn the_same_file_is_asked_for_again_by_its_tag_alone() -> Result<()> {
    let studio = Studio::open_with("announce_etag", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind(&json!({ "announce": url }))?;
    for count in 1..=3 {
        let leg_a = studio.dial()?;
        let leg_b = studio.bob.called(count)?;
        ensure!(leg_a.recording().time_of(&prompt_tone()) >= PROMPT_TIME / 2, "call {count}");
        leg_b.refuse("486 Busy Here")?;
        leg_a.outcome()?;
    }
    let asked = web.asked();
    let whole = asked.iter().filter(|line| !line.ends_with("if-none-match")).count();
    ensure!(whole == 1, "{asked:?}");
    // Another content is heard with the next call that asks.
    let other = mediator_tests::tone::wav(1700.0, Duration::from_millis(600))?;
    web.serve("/prompt.wav", Page::File(other));
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(4)?;
    let new = leg_a.recording().time_of(&Sought::new("new", &[1700.0]));
    ensure!(
        new >= Duration::from_millis(500) || asked.len() == 1,
        "the new one: {new:?}, {asked:?}"
    );
    leg_b.refuse("486 Busy Here")?;
    leg_a.outcome()?;
    studio.close()
}

#[test]
fn a_caller_that_gives_up_during_it_never_rings_the_callee() -> Result<()> {
    let studio = Studio::open_with("announce_cancel", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind(&json!({ "announce": url }))?;
    let leg_a = studio.dial()?;
    leg_a.status(183)?;
    leg_a.hears(&prompt_tone())?;
    leg_a.cancel()?;
    ensure!(leg_a.outcome()?.status() == Some(487), "no 487");
    let record = studio.record()?;
    ensure!(record["date_talk"].is_null() && record["disconnect_originator"] == "SRC", "{record}");
    ensure!(studio.bob.calls() == 0, "bob was called");
    let packets = leg_a.media().count();
    studio.close()?;
    ensure!(leg_a.media().count() <= packets + 2, "it went on after the end");
    Ok(())
}

#[test]
fn a_callee_that_answers_at_once_is_heard_at_once() -> Result<()> {
    let studio = Studio::open_with("announce_at_once", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind(&json!({ "announce": url }))?;
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(1)?;
    leg_b.speak(BOB)?;
    leg_b.answer()?;
    leg_a.answered()?;
    leg_a.speak(ALICE)?;
    hear_each_other(&leg_a, &leg_b)?;
    let recording = leg_a.recording();
    let gap = recording.between(&prompt_tone(), &bob_tone())?;
    let line = recording.timeline(&[prompt_tone(), bob_tone()]);
    // Bob's own INVITE and answer lie in between.
    ensure!(gap <= GAP + Duration::from_millis(60), "{gap:?}: {line:?}");
    was_whole(&leg_a)?;
    leg_b.hang_up()?;
    leg_a.ended()?;
    studio.close()
}

#[test]
fn a_caller_that_offers_late_hears_it_after_its_answer() -> Result<()> {
    let studio = Studio::open_with("announce_late", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind(&json!({ "announce": url }))?;
    for (count, extra) in [(1, ""), (2, "Supported: 100rel\r\n")] {
        let dial = Dial { number: REDIRECT, caller: CALLER, offer: Offer::Late, extra };
        let leg_a = studio.alice.dial_as(studio.sip(), &dial)?;
        leg_a.hears(&prompt_tone())?;
        ensure!(studio.bob.calls() < count, "bob is called before it is over");
        ensure!(leg_a.has_status(200) == extra.is_empty(), "with {extra:?}");
        let leg_b = studio.bob.called(count)?;
        leg_b.ring()?;
        leg_b.answer()?;
        leg_a.answered()?;
        leg_a.speak(ALICE)?;
        leg_b.speak(BOB)?;
        hear_each_other(&leg_a, &leg_b)?;
        leg_a.hang_up()?;
        leg_b.ended()?;
    }
    studio.close()
}

#[test]
fn early_media_is_reliable_where_the_caller_asks_for_it() -> Result<()> {
    let studio = Studio::open_with("announce_reliable", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind(&json!({ "announce": url }))?;
    let extra = "Require: 100rel\r\nSupported: 100rel\r\n";
    let dial = Dial { number: REDIRECT, caller: CALLER, offer: Offer::Own, extra };
    let leg_a = studio.alice.dial_as(studio.sip(), &dial)?;
    let progress = leg_a.status(183)?;
    ensure!(progress.header("RSeq").is_some(), "{}", progress.text);
    let leg_b = studio.bob.called(1)?;
    leg_b.ring()?;
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
fn the_caller_can_be_answered_first() -> Result<()> {
    let answer_first =
        |config: Config| loopback_allowed(config).media("answer_before_announce", "true");
    let studio = Studio::open_with("announce_answered", answer_first)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    studio.bind(&json!({ "announce": url }))?;
    let leg_a = studio.dial()?;
    leg_a.answered()?;
    leg_a.speak(ALICE)?;
    leg_a.hears(&prompt_tone())?;
    ensure!(studio.bob.calls() == 0, "bob is called before it is over");
    let leg_b = studio.bob.called(1)?;
    leg_b.ring()?;
    leg_a.hears(&ringing_tone())?;
    leg_b.answer()?;
    leg_b.speak(BOB)?;
    hear_each_other(&leg_a, &leg_b)?;
    was_whole(&leg_a)?;
    leg_b.hang_up()?;
    leg_a.ended()?;
    // A callee that is busy is a tone by then.
    let leg_a = studio.dial()?;
    leg_a.answered()?;
    let leg_b = studio.bob.called(2)?;
    leg_b.refuse("486 Busy Here")?;
    let since = Instant::now();
    leg_a.hears_since(&Sought::new("busy", &[480.0, 620.0]), since)?;
    let (at, _) = leg_a.sees_when("BYE", |one| one.method() == Some("BYE"))?;
    let after = at.saturating_duration_since(since);
    ensure!((2500..4000).contains(&after.as_millis()), "BYE after {after:?}");
    studio.close()
}

#[test]
fn the_shipped_announcement_is_heard_as_default() -> Result<()> {
    let studio = Studio::open("announce_default")?;
    studio.bind(&json!({ "announce": "default" }))?;
    let leg_a = studio.dial()?;
    leg_a.status(183)?;
    let leg_b = studio.bob.called(1)?;
    let recording = leg_a.recording();
    let spoken: Duration = recording
        .timeline(&[])
        .iter()
        .filter(|part| part.heard == mediator_tests::hearing::Heard::Other)
        .map(mediator_tests::hearing::Stretch::length)
        .sum();
    ensure!(spoken >= Duration::from_millis(600), "{spoken:?} of speech");
    leg_b.refuse("486 Busy Here")?;
    leg_a.outcome().context("no end")?;
    ensure!(leg_a.recording().time_of(&alice_tone()) < Duration::from_millis(200), "a tone");
    studio.close()
}
