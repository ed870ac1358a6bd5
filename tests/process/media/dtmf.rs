//! The digits of a binding: pressed towards the callee once it has answered.

use std::time::Duration;

use anyhow::{Result, ensure};
use mediator_tests::agent::sdp;
use mediator_tests::child::until;
use mediator_tests::config::Mode;
use mediator_tests::hearing::{Heard, Sought};
use serde_json::json;

use super::studio::{Studio, alice_tone, hear_each_other};

#[test]
fn digits_are_pressed_as_events_with_their_pauses() -> Result<()> {
    let studio = Studio::open("dtmf")?;
    studio.bind_more(&json!({ "dtmf": "12,3#" }))?;
    let (leg_a, leg_b) = studio.talk()?;
    let keys = until(Duration::from_secs(8), "five keys", || {
        let keys = leg_b.keys()?;
        Ok((keys.len() == 4 && keys.iter().all(|key| key.ends >= 3)).then_some(keys))
    })?;
    let text: String = keys.iter().map(|key| key.key).collect();
    ensure!(text == "123#", "{text}");
    ensure!(keys.iter().all(|key| (640..=960).contains(&key.duration)), "{keys:?}");
    let steps: Vec<u128> = keys
        .windows(2)
        .filter_map(|two| match two {
            [one, next] => Some(next.at.saturating_duration_since(one.at).as_millis()),
            _ => None,
        })
        .collect();
    let wanted = [150..=280, 620..=800, 150..=280];
    let fits = steps.iter().zip(&wanted).all(|(step, wanted)| wanted.contains(step));
    ensure!(steps.len() == 3 && fits, "{steps:?} ms between keys");
    ensure!(leg_a.keys()?.is_empty(), "alice got keys: {:?}", leg_a.keys()?);
    // Speech goes on behind them.
    hear_each_other(&leg_a, &leg_b)?;
    leg_b.hears(&alice_tone())?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn a_callee_without_events_hears_tones() -> Result<()> {
    let studio = Studio::open("dtmf_inband")?;
    studio.bob.codecs(vec![sdp::Codec::new(0, "PCMU/8000")]);
    studio.bind_more(&json!({ "dtmf": "5" }))?;
    let (leg_a, leg_b) = studio.talk()?;
    let five = Sought::new("5", &[770.0, 1336.0]);
    until(Duration::from_secs(8), "the tone of a 5", || {
        Ok((leg_b.recording().time_of(&five) >= Duration::from_millis(60)).then_some(()))
    })?;
    leg_b.hears(&alice_tone())?;
    let line = leg_b.recording().timeline(&[five, alice_tone()]);
    let long = line
        .iter()
        .find(|part| part.heard == Heard::Sound("5") && part.length() > Duration::from_millis(200));
    ensure!(long.is_none(), "{line:?}");
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}

#[test]
fn digits_are_pressed_in_direct_mode_too() -> Result<()> {
    let scene = crate::scene::Scene::new("media_dtmf_direct")?;
    let config = scene.config().mode(Mode::Direct);
    let studio = Studio::on(scene, &config)?;
    studio.bind_more(&json!({ "dtmf": "9" }))?;
    let (leg_a, leg_b) = studio.talk()?;
    until(Duration::from_secs(8), "a key", || {
        Ok((leg_b.keys()?.iter().any(|key| key.key == '9')).then_some(()))
    })?;
    hear_each_other(&leg_a, &leg_b)?;
    leg_a.hang_up()?;
    leg_b.ended()?;
    studio.close()
}
