//! What ends calls by itself, and what is refused: silence, ports, the end of the server.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use mediator_tests::child::until;
use serde_json::json;

use super::studio::{ALICE, Studio, alice_tone, hear_each_other};

#[test]
fn a_call_without_media_ends_on_both_sides() -> Result<()> {
    let studio = Studio::open_with("timeout", |config| config.media("media_timeout", "\"1s\""))?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    // One side is enough.
    leg_b.hush()?;
    leg_b.hears_since(&alice_tone(), Instant::now() + Duration::from_millis(1500))?;
    ensure!(!leg_a.has_request("BYE") && !leg_b.has_request("BYE"), "ended though alice speaks");
    leg_a.hush()?;
    let silent = Instant::now();
    for call in [&leg_a, &leg_b] {
        let (at, bye) = call.sees_when("BYE", |one| one.method() == Some("BYE"))?;
        let after = at.saturating_duration_since(silent);
        ensure!((800..3000).contains(&after.as_millis()), "BYE after {after:?}");
        let reason = bye.header("Reason").unwrap_or_default();
        ensure!(!reason.is_empty(), "no Reason: {}", bye.text);
    }
    let record = studio.record()?;
    ensure!(record["disconnect_originator"] == "SYSTEM", "{record}");
    studio.close()
}

#[test]
fn a_call_on_hold_needs_no_media() -> Result<()> {
    let studio =
        Studio::open_with("timeout_hold", |config| config.media("media_timeout", "\"1s\""))?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    leg_a.offer_again("inactive")?;
    leg_a.hush()?;
    leg_b.hush()?;
    let over = Instant::now() + Duration::from_millis(2500);
    // Nothing happening can only be waited for.
    until(Duration::from_secs(5), "2.5 s of hold", || Ok((Instant::now() >= over).then_some(())))?;
    ensure!(!leg_a.has_request("BYE") && !leg_b.has_request("BYE"), "ended on hold");
    leg_a.offer_again("sendrecv")?;
    leg_a.speak(ALICE)?;
    leg_b.hears(&alice_tone())?;
    leg_a.hush()?;
    leg_a.ended()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn a_ringing_call_needs_no_media() -> Result<()> {
    let studio =
        Studio::open_with("timeout_ringing", |config| config.media("media_timeout", "\"1s\""))?;
    studio.bind(&json!({}))?;
    let leg_a = studio.dial()?;
    let leg_b = studio.bob.called(1)?;
    leg_b.ring()?;
    leg_a.status(180)?;
    let over = Instant::now() + Duration::from_millis(2200);
    until(Duration::from_secs(5), "2.2 s of ringing", || {
        Ok((Instant::now() >= over).then_some(()))
    })?;
    ensure!(!leg_b.has_request("CANCEL"), "given up while it rang");
    leg_b.answer()?;
    leg_a.answered()?;
    leg_a.ended()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn calls_beyond_the_ports_are_refused_and_counted() -> Result<()> {
    let ports =
        |config: mediator_tests::config::Config| config.media("port_range", "\"30000-30003\"");
    let studio = Studio::open_with("ports", ports)?;
    studio.bind(&json!({}))?;
    for _ in 0..2 {
        let (leg_a, leg_b) = studio.talk()?;
        hear_each_other(&leg_a, &leg_b)?;
        let before = studio.metric("mediator_media_ports_exhausted_total").unwrap_or_default();
        let refusal = studio.dial()?.outcome()?;
        ensure!(refusal.status() == Some(503), "{}", refusal.text);
        ensure!(refusal.header("Retry-After").is_some(), "no Retry-After: {}", refusal.text);
        let after = studio.metric("mediator_media_ports_exhausted_total")?;
        ensure!(after > before, "not counted: {before}, then {after}");
        leg_a.hang_up()?;
        leg_b.ended()?;
        // The ports are free again with the record of the call.
        until(Duration::from_secs(5), "free ports", || {
            let calls = studio.mediator.get("/calls")?.ok()?;
            Ok((calls["items"] == json!([])).then_some(()))
        })?;
    }
    ensure!(studio.bob.calls() == 2, "a refused call reached bob");
    studio.close()
}

#[test]
fn the_end_of_the_server_is_a_bye_for_both_after_the_grace() -> Result<()> {
    let studio = Studio::open_with("sigterm", |config| config.sip("drain_timeout", "\"2s\""))?;
    studio.bind(&json!({}))?;
    let (leg_a, leg_b) = studio.talk()?;
    hear_each_other(&leg_a, &leg_b)?;
    let told = Instant::now();
    studio.server.terminate()?;
    leg_a.hears_since(&super::studio::bob_tone(), told + Duration::from_millis(700))?;
    leg_a.ended()?;
    leg_b.ended()?;
    studio.server.ended()
}
