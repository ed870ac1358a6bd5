//! Dialouts that fail, at every step: who is told what, and what the record says.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mediator_tests::agent::Call;
use mediator_tests::child::until;
use mediator_tests::config::Config;
use mediator_tests::hearing::Sought;
use mediator_tests::web::Page;
use serde_json::{Value, json};

use super::announce::loopback_allowed;
use super::dialout::{first_answers, is_asked, order, spoken};
use super::studio::{Studio, prompt_tone, prompt_wav, ringing_tone};
use crate::api::desk::{status_until, text};

/// Twice, a second each time.
fn hasty(config: Config) -> Config {
    config.dialout("confirmation_attempts", "2").dialout("confirmation_wait", "\"1s\"")
}

/// The record of a dialout that never joined two; the object is gone.
fn never_joined(studio: &Studio, made: &Value, cause: u16) -> Result<Value> {
    let record = studio.record()?;
    ensure!(record["event_type"] == "dialout" && record["date_talk"].is_null(), "{record}");
    ensure!(record["reference_sid"] == made["dialout_sid"], "{record}");
    ensure!(record["sip_cause"] == cause, "{cause} wanted: {record}");
    status_until(&studio.mediator, &format!("/dialouts/{}", text(made, "dialout_sid")?), 404)?;
    Ok(record)
}

/// A tone is heard for about 3 s, then BYE.
fn hears_then_bye(one: &Call, tone: &Sought, since: Instant) -> Result<()> {
    one.hears_since(tone, since)?;
    let (at, _) = one.sees_when("BYE", |message| message.method() == Some("BYE"))?;
    let after = at.saturating_duration_since(since);
    ensure!((2700..3800).contains(&after.as_millis()), "BYE after {after:?}");
    Ok(())
}

#[test]
fn without_the_key_nobody_else_is_called() -> Result<()> {
    for keys in ["", "23"] {
        let studio = Studio::open_with(&format!("dialout_no_key_{}", keys.len()), hasty)?;
        let made = order(&studio, &json!({ "use_call_confirmation": "true" }))?;
        let one = first_answers(&studio)?;
        is_asked(&one)?;
        if !keys.is_empty() {
            one.press(keys)?;
        }
        one.ended()?;
        ensure!(studio.bob.calls() == 1, "stage two was called");
        never_joined(&studio, &made, 480)?;
        // Asked twice: there is speech again after the first prompt and its wait.
        let prompt = spoken(&one.recording());
        ensure!(prompt >= Duration::from_secs(1), "{prompt:?} of prompts");
        studio.close()?;
    }
    Ok(())
}

#[test]
fn the_key_may_come_at_the_second_prompt() -> Result<()> {
    let studio = Studio::open_with("dialout_second", hasty)?;
    order(&studio, &json!({ "use_call_confirmation": "true" }))?;
    let one = first_answers(&studio)?;
    is_asked(&one)?;
    one.press("7")?;
    let first = until(Duration::from_secs(8), "the pause behind the prompt", || {
        let line = one.recording().timeline(&[]);
        let pause = line.iter().rev().find(|part| {
            part.heard == mediator_tests::hearing::Heard::Silence && part.length().as_millis() > 400
        });
        Ok(pause.map(|part| part.until))
    })?;
    until(Duration::from_secs(8), "the second prompt", || {
        Ok((one.recording().length() > first + Duration::from_millis(400)).then_some(()))
    })?;
    one.press("1")?;
    let two = studio.bob.called(2)?;
    two.answer()?;
    two.request("ACK")?;
    one.hang_up()?;
    two.ended()?;
    studio.close()
}

#[test]
fn another_key_can_confirm() -> Result<()> {
    let five = |config: Config| hasty(config).dialout("confirmation_key", "\"5\"");
    let studio = Studio::open_with("dialout_key_5", five)?;
    order(&studio, &json!({ "use_call_confirmation": "true" }))?;
    let one = first_answers(&studio)?;
    is_asked(&one)?;
    one.press("5")?;
    let two = studio.bob.called(2)?;
    two.answer()?;
    two.request("ACK")?;
    one.hang_up()?;
    two.ended()?;
    studio.close()
}

#[test]
fn stage_one_that_is_busy_ends_it() -> Result<()> {
    let studio = Studio::open("dialout_one_busy")?;
    let made = order(&studio, &json!({}))?;
    studio.bob.called(1)?.refuse("486 Busy Here")?;
    never_joined(&studio, &made, 486)?;
    ensure!(studio.bob.calls() == 1, "stage two was called");
    studio.close()
}

#[test]
fn stage_one_that_does_not_answer_is_cancelled() -> Result<()> {
    let studio =
        Studio::open_with("dialout_one_rings", |config| config.sip("ring_timeout", "\"1s\""))?;
    let made = order(&studio, &json!({}))?;
    let one = studio.bob.called(1)?;
    one.ring()?;
    one.request("CANCEL")?;
    never_joined(&studio, &made, 480)?;
    ensure!(studio.bob.calls() == 1, "stage two was called");
    studio.close()
}

#[test]
fn stage_two_that_is_busy_is_a_busy_tone() -> Result<()> {
    let studio = Studio::open("dialout_two_busy")?;
    let made = order(&studio, &json!({}))?;
    let one = first_answers(&studio)?;
    let two = studio.bob.called(2)?;
    let since = Instant::now();
    two.refuse("486 Busy Here")?;
    hears_then_bye(&one, &Sought::new("busy", &[480.0, 620.0]), since)?;
    never_joined(&studio, &made, 486)?;
    // Half a second on, half a second off.
    let line = one.recording_since(since).timeline(&[Sought::new("busy", &[480.0, 620.0])]);
    let beats = line.iter().filter(|part| (440..=560).contains(&part.length().as_millis())).count();
    ensure!(beats >= 4, "{line:?}");
    studio.close()
}

#[test]
fn stage_two_that_fails_otherwise_is_a_reorder_tone() -> Result<()> {
    let studio = Studio::open("dialout_two_fails")?;
    let made = order(&studio, &json!({}))?;
    let one = first_answers(&studio)?;
    let two = studio.bob.called(2)?;
    two.ring()?;
    one.hears(&ringing_tone())?;
    let since = Instant::now();
    two.refuse("404 Not Found")?;
    hears_then_bye(&one, &Sought::new("reorder", &[480.0, 620.0]), since)?;
    let line = one.recording_since(since).timeline(&[Sought::new("reorder", &[480.0, 620.0])]);
    let beats = line.iter().filter(|part| (200..=300).contains(&part.length().as_millis())).count();
    ensure!(beats >= 8, "a quarter of a second on and off: {line:?}");
    never_joined(&studio, &made, 404)?;
    studio.close()
}

#[test]
fn stage_one_that_hangs_up_cancels_stage_two() -> Result<()> {
    let studio = Studio::open("dialout_gives_up")?;
    let made = order(&studio, &json!({}))?;
    let one = first_answers(&studio)?;
    let two = studio.bob.called(2)?;
    two.ring()?;
    one.hears(&ringing_tone())?;
    one.hang_up()?;
    two.request("CANCEL")?;
    let record = studio.record()?;
    ensure!(record["disconnect_originator"] == "SRC" && record["date_talk"].is_null(), "{record}");
    ensure!(record["reference_sid"] == made["dialout_sid"], "{record}");
    studio.close()
}

#[test]
fn stage_one_that_hangs_up_earlier_calls_nobody() -> Result<()> {
    let studio = Studio::open_with("dialout_hangs_up", loopback_allowed)?;
    let web = studio.web()?;
    let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
    // During the prompt.
    order(&studio, &json!({ "use_call_confirmation": "true" }))?;
    let one = first_answers(&studio)?;
    is_asked(&one)?;
    one.hang_up()?;
    let ended = studio.record()?;
    ensure!(ended["disconnect_originator"] == "SRC", "{ended}");
    // During the announcement.
    order(&studio, &json!({ "announce": url }))?;
    let one = studio.bob.called(2)?;
    one.answer()?;
    one.hears(&prompt_tone())?;
    one.hang_up()?;
    until(Duration::from_secs(5), "the second record", || {
        Ok((studio.core.list("/app/mediator/calls", &[])?.0.len() == 2).then_some(()))
    })?;
    ensure!(studio.bob.calls() == 2, "stage two was called");
    studio.close()
}

#[test]
fn an_operator_can_hang_up_a_dialout() -> Result<()> {
    let studio = Studio::open("dialout_hung_up")?;
    order(&studio, &json!({}))?;
    let one = first_answers(&studio)?;
    let two = studio.bob.called(2)?;
    two.ring()?;
    one.hears(&ringing_tone())?;
    let calls = studio.mediator.get("/calls")?.ok()?;
    let path = format!("/calls/{}", text(&calls["items"][0], "call_sid")?);
    studio.mediator.delete(&path)?.gone()?;
    one.ended()?;
    two.request("CANCEL")?;
    ensure!(studio.record()?["disconnect_originator"] == "SYSTEM", "{}", studio.record()?);
    studio.close()
}

#[test]
fn a_dialout_without_ports_ends_with_503() -> Result<()> {
    let ports = |config: Config| config.media("port_range", "\"30000-30003\"");
    let studio = Studio::open_with("dialout_ports", ports)?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    let made = order(&studio, &json!({}))?;
    never_joined(&studio, &made, 503)?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    ensure!(studio.bob.calls() == 1, "a phone was called");
    studio.close()
}
