//! What the caller hears while it rings: every choice of `ringback`.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mediator_tests::agent::Call;
use mediator_tests::hearing::{Heard, Recording, Sought, Stretch};
use mediator_tests::web::Page;
use mediator_tests::{rtp::law::Law, tone};
use serde_json::json;

use super::announce::loopback_allowed;
use super::studio::{
    ALICE, BOB, Studio, bob_tone, has_no_hole, hear_each_other, is_one_stream, prompt_wav,
    ringing_tone,
};
use crate::scene::{DESTINATION, Scene};

/// Both talk, and alice hangs up.
fn talk(leg_a: &Call, leg_b: &Call) -> Result<()> {
    leg_a.answered()?;
    leg_a.speak(ALICE)?;
    leg_b.speak(BOB)?;
    hear_each_other(leg_a, leg_b)?;
    leg_a.hang_up()?;
    leg_b.ended().map(drop)
}

/// How long something audible was heard that is neither of the two.
fn audible(recording: &Recording) -> Duration {
    let line = recording.timeline(&[bob_tone()]);
    line.iter().filter(|part| part.heard == Heard::Other).map(Stretch::length).sum()
}

#[test]
fn absent_passes_180_on_and_plays_nothing() -> Result<()> {
    let studio = Studio::open("ringback_absent")?;
    studio.bind(&json!({}))?;
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(1)?;
    leg_b.ring()?;
    let ringing = leg_a.status(180)?;
    ensure!(ringing.body().is_empty(), "{}", ringing.text);
    leg_b.answer()?;
    talk(&leg_a, &leg_b)?;
    ensure!(!leg_a.has_status(183), "183 though nothing of ours speaks");
    ensure!(audible(&leg_a.recording()) < Duration::from_millis(100), "something was played");
    studio.close()
}

#[test]
fn early_media_of_the_callee_is_heard_where_it_sends_some() -> Result<()> {
    for attributes in [json!({}), json!({ "ringback": "passthrough" })] {
        let name =
            format!("ringback_early_{}", attributes.as_object().map_or(0, serde_json::Map::len));
        let studio = Studio::open(&name)?;
        studio.bind(&attributes)?;
        let leg_a = studio.dial()?;
        let leg_b = studio.bob.called(1)?;
        leg_b.ring()?;
        leg_a.status(180)?;
        leg_b.progress()?;
        leg_b.speak(1700.0)?;
        let progress = leg_a.status(183)?;
        let bob = studio.bob.address().ip().to_string();
        ensure!(progress.body().contains("m=audio"), "{}", progress.text);
        ensure!(!progress.text.contains(&bob), "{}", progress.text);
        leg_a.hears(&Sought::new("own ringing", &[1700.0]))?;
        leg_b.answer()?;
        talk(&leg_a, &leg_b)?;
        is_one_stream(&leg_a)?;
        studio.close()?;
    }
    Ok(())
}

#[test]
fn false_is_silence_and_no_180() -> Result<()> {
    for value in [json!("false"), json!(false)] {
        let studio = Studio::open(&format!("ringback_false_{}", value.is_boolean()))?;
        studio.bind(&json!({ "ringback": value }))?;
        let leg_a = studio.dial()?;
        let leg_b = studio.bob.called(1)?;
        leg_b.ring()?;
        let progress = leg_a.status(183)?;
        ensure!(progress.body().contains("m=audio"), "no description: {}", progress.text);
        // Bob's own ringing is not heard either.
        leg_b.progress()?;
        leg_b.speak(1700.0)?;
        let over = Instant::now() + Duration::from_millis(700);
        mediator_tests::child::until(Duration::from_secs(3), "0.7 s of ringing", || {
            Ok((Instant::now() >= over).then_some(()))
        })?;
        ensure!(!leg_a.has_status(180), "180 where there must be none");
        let line = leg_a.recording().timeline(&[]);
        ensure!(
            line.iter().all(|part| matches!(part.heard, Heard::Silence | Heard::Nothing)),
            "{line:?}"
        );
        leg_b.answer()?;
        talk(&leg_a, &leg_b)?;
        ensure!(!leg_a.has_status(180), "180 where there must be none");
        studio.close()?;
    }
    Ok(())
}

#[test]
fn moh_is_music_from_the_first_moment_on() -> Result<()> {
    let studio = Studio::open("ringback_moh")?;
    studio.bind(&json!({ "ringback": "moh" }))?;
    let leg_a = studio.dial()?;
    leg_a.status(183)?;
    let leg_b = studio.bob.called(1)?;
    leg_b.ring()?;
    let started = Instant::now();
    mediator_tests::child::until(Duration::from_secs(8), "a second of music", || {
        Ok((audible(&leg_a.recording()) >= Duration::from_secs(1)).then_some(()))
    })?;
    ensure!(started.elapsed() < Duration::from_secs(6), "music after {:?}", started.elapsed());
    leg_b.speak(BOB)?;
    leg_b.answer()?;
    talk(&leg_a, &leg_b)?;
    has_no_hole(&leg_a.recording())?;
    is_one_stream(&leg_a)?;
    studio.close()
}

#[test]
fn the_operators_own_music_is_heard_instead() -> Result<()> {
    let scene = Scene::new("media_ringback_music")?;
    std::fs::create_dir_all(scene.stage.path("media"))?;
    tone::write(&scene.stage.path("media/music.wav"), 1700.0, Duration::from_millis(500))?;
    let config = scene.config().media("hold_music", "\"music.wav\"");
    let studio = Studio::on(scene, &config)?;
    studio.bind(&json!({ "ringback": "moh" }))?;
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(1)?;
    leg_b.ring()?;
    // Longer than the piece: it goes on from its beginning, without a pause.
    let music = Sought::new("music", &[1700.0]);
    mediator_tests::child::until(Duration::from_secs(8), "music that goes on", || {
        Ok((leg_a.recording().time_of(&music) >= Duration::from_millis(1300)).then_some(()))
    })?;
    let line = leg_a.recording().timeline(std::slice::from_ref(&music));
    let parts = line.iter().filter(|part| part.heard == Heard::Sound("music")).count();
    ensure!(parts == 1, "music with pauses: {line:?}");
    leg_b.speak(BOB)?;
    leg_b.answer()?;
    talk(&leg_a, &leg_b)?;
    let gap = leg_a.recording().between(&music, &bob_tone())?;
    ensure!(gap <= super::studio::GAP, "{gap:?} between music and bob");
    studio.close()
}

/// A call to a number of a country whose announcement is over: the ringing heard is of that country.
fn ringing_of(name: &str, number: &str) -> Result<Recording> {
    let studio = Studio::open_with(name, loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    let body = json!({ "destination_did": number, "attributes": { "announce": url } });
    studio.bind_more(&body)?;
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(1)?;
    let since = Instant::now();
    leg_b.ring()?;
    mediator_tests::child::until(Duration::from_secs(8), "1.5 s of ringing", || {
        let recording = leg_a.recording_since(since);
        Ok((recording.length() >= Duration::from_millis(1500)).then_some(()))
    })?;
    let recording = leg_a.recording_since(since);
    leg_b.answer()?;
    talk(&leg_a, &leg_b)?;
    studio.close()?;
    Ok(recording)
}

#[test]
fn ringing_after_an_announcement_is_that_of_the_called_country() -> Result<()> {
    let ring = ringing_of("ringback_us", super::studio::FAR)?;
    let mut tones = ring.loudest(Duration::from_millis(200), Duration::from_millis(1200));
    tones.sort_by(f64::total_cmp);
    ensure!(tones == [440.0, 480.0], "the US: {tones:?}");
    ensure!(ring.time_of(&ringing_tone()) >= Duration::from_millis(1300), "2 s on, 4 s off");
    let ring = ringing_of("ringback_gb", DESTINATION)?;
    let mut tones = ring.loudest(Duration::from_millis(40), Duration::from_millis(360));
    tones.sort_by(f64::total_cmp);
    ensure!(tones == [400.0, 450.0], "Great Britain: {tones:?}");
    // 0.4 s on, 0.2 s off, 0.4 s on, 2 s off.
    let line = ring.timeline(&[Sought::new("ring", &[400.0, 450.0])]);
    let rings: Vec<u128> = line
        .iter()
        .filter(|part| part.heard == Heard::Sound("ring") && part.length().as_millis() > 100)
        .map(|part| part.length().as_millis())
        .collect();
    ensure!(rings.len() == 2 && rings.iter().all(|ring| (340..=460).contains(ring)), "{line:?}");
    Ok(())
}

#[test]
fn an_announcement_goes_before_every_choice() -> Result<()> {
    for (value, name) in [("false", "false"), ("moh", "moh"), ("passthrough", "passthrough")] {
        let studio = Studio::open_with(&format!("ringback_after_{name}"), loopback_allowed)?;
        let web = studio.web()?;
        let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
        studio.bind(&json!({ "announce": url, "ringback": value }))?;
        let leg_a = studio.dial()?;
        let leg_b = studio.bob.called(1)?;
        let since = Instant::now() + Duration::from_millis(100);
        leg_b.progress()?;
        leg_b.speak(1700.0)?;
        mediator_tests::child::until(Duration::from_secs(8), "0.8 s of ringing", || {
            Ok((Instant::now() >= since + Duration::from_millis(800)).then_some(()))
        })?;
        let recording = leg_a.recording_since(since);
        let own = recording.time_of(&Sought::new("own", &[1700.0]));
        let other = audible(&recording).saturating_sub(own);
        let wanted = match value {
            "false" => own.is_zero() && other < Duration::from_millis(60),
            "moh" => own < Duration::from_millis(200) && other > Duration::from_millis(200),
            _ => own > Duration::from_millis(500),
        };
        ensure!(wanted, "{value}: {own:?} of bob's, {other:?} of others");
        leg_b.answer()?;
        talk(&leg_a, &leg_b)?;
        let heard = leg_a.media().heard();
        let whole = Recording::of_packets(&heard, &[(0, Law::Mu)]);
        let prompt = whole.time_of(&super::studio::prompt_tone());
        ensure!(prompt >= Duration::from_millis(1100), "{prompt:?} of the announcement");
        is_one_stream(&leg_a)?;
        studio.close()?;
    }
    Ok(())
}
