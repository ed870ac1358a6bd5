//! Dialouts that succeed: called, asked, put through, and what each side hears on the way.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mediator_tests::agent::Call;
use mediator_tests::child::until;
use mediator_tests::hearing::{Heard, Recording, Sought, Stretch};
use mediator_tests::web::Page;
use serde_json::{Value, json};

use super::announce::loopback_allowed;
use super::studio::{
    ALICE, BOB, FAR, GAP, Studio, alice_tone, bob_tone, has_no_hole, is_one_stream, prompt_tone,
    prompt_wav, ringing_tone,
};
use crate::api::desk::{merge, status_until, text};
use crate::scene::{REDIRECT, user};

/// The number of stage one: a number of the US, as [`FAR`], the number of stage two.
pub(super) const NEAR: &str = "15162065339";

/// Both stages at once, with these attributes.
pub(super) fn order(studio: &Studio, attributes: &Value) -> Result<Value> {
    order_more(studio, &json!({ "attributes": attributes }))
}

/// The same with more fields.
pub(super) fn order_more(studio: &Studio, more: &Value) -> Result<Value> {
    let mut body = json!({
        "stage_one_destination_did": NEAR, "stage_two_destination_did": FAR, "redirect_did": REDIRECT, "delay": 0,
    });
    merge(&mut body, more);
    studio.mediator.post("/dialouts", &body)?.ok()
}

/// What stage one is called for, up to its answer: it is offered media of ours, and shown our number.
pub(super) fn first_answers(studio: &Studio) -> Result<Call> {
    let one = studio.bob.called(1)?;
    let invite = one.invite()?;
    ensure!(user(invite.request_uri().unwrap_or_default()) == NEAR, "{}", invite.text);
    ensure!(invite.body().contains("m=audio"), "no offer: {}", invite.text);
    one.ring()?;
    one.answer()?;
    one.request("ACK")?;
    one.speak(ALICE)?;
    Ok(one)
}

/// How long something was heard that is none of our tones: speech, or music.
pub(super) fn spoken(recording: &Recording) -> Duration {
    let known = [bob_tone(), prompt_tone(), ringing_tone()];
    let line = recording.timeline(&known);
    line.iter().filter(|part| part.heard == Heard::Other).map(Stretch::length).sum()
}

/// Waits until the confirmation prompt is heard.
pub(super) fn is_asked(one: &Call) -> Result<()> {
    until(Duration::from_secs(8), "a spoken prompt", || {
        Ok((spoken(&one.recording()) >= Duration::from_millis(500)).then_some(()))
    })
}

#[test]
fn two_phones_are_called_and_put_through() -> Result<()> {
    let studio = Studio::open("dialout")?;
    let made = order(&studio, &json!({}))?;
    let path = format!("/dialouts/{}", text(&made, "dialout_sid")?);
    let one = first_answers(&studio)?;
    let shown = one.invite()?.header("From").unwrap_or_default().to_owned();
    ensure!(user(&shown) == REDIRECT, "stage one is shown {shown}");
    let two = studio.bob.called(2)?;
    let invite = two.invite()?;
    ensure!(user(invite.request_uri().unwrap_or_default()) == FAR, "{}", invite.text);
    ensure!(user(invite.header("From").unwrap_or_default()) == REDIRECT, "{}", invite.text);
    ensure!(!invite.text.contains(NEAR), "stage one's number leaks: {}", invite.text);
    // While it dials: the object is there, the list is empty, the numbers are taken.
    let object = studio.mediator.get(&path)?.ok()?;
    ensure!(object["delay"] == 0, "{object}");
    ensure!(studio.mediator.get("/dialouts")?.ok()?["total"] == 0, "it is listed");
    let again = json!({
        "stage_one_destination_did": NEAR, "stage_two_destination_did": FAR, "redirect_did": REDIRECT,
    });
    studio.mediator.post("/dialouts", &again)?.errors(409)?;
    let live = studio.mediator.get("/calls")?.ok()?;
    ensure!(live["items"][0]["type"] == "dialout", "{live}");
    ensure!(live["items"][0]["reference_sid"] == made["dialout_sid"], "{live}");
    two.ring()?;
    one.hears(&ringing_tone())?;
    let legs = studio.mediator.get("/calls")?.ok()?["items"][0]["legs"].clone();
    ensure!(legs[0]["state"] == "answered" && legs[1]["state"] == "ringing", "{legs}");
    two.speak(BOB)?;
    two.answer()?;
    two.request("ACK")?;
    one.hears(&bob_tone())?;
    two.hears(&alice_tone())?;
    status_until(&studio.mediator, &path, 404)?;
    let recording = one.recording();
    let gap = recording.between(&ringing_tone(), &bob_tone())?;
    ensure!(gap <= GAP, "{gap:?} between ringing and speech");
    has_no_hole(&recording)?;
    is_one_stream(&one)?;
    one.hang_up()?;
    two.ended()?;
    let record = studio.record()?;
    let wanted = json!({
        "event_type": "dialout", "direction": "outbound", "number_src": NEAR, "number_dst": FAR,
        "number_redirect": REDIRECT, "reference_sid": made["dialout_sid"], "type": "mediator",
        "disconnect_originator": "SRC", "sip_cause": 200,
    });
    for (field, value) in wanted.as_object().into_iter().flatten() {
        ensure!(&record[field] == value, "{field}: {record}");
    }
    ensure!(record["date_talk"].is_string(), "{record}");
    for side in ["media_src", "media_dst"] {
        ensure!(record[side]["packets"].as_u64() > Some(5), "{side}: {record}");
    }
    studio.close()
}

#[test]
fn stage_two_may_hang_up_as_well() -> Result<()> {
    let studio = Studio::open("dialout_two_ends")?;
    order(&studio, &json!({}))?;
    let one = first_answers(&studio)?;
    let two = studio.bob.called(2)?;
    two.answer()?;
    two.speak(BOB)?;
    one.hears(&bob_tone())?;
    two.hang_up()?;
    one.ended()?;
    ensure!(studio.record()?["disconnect_originator"] == "DST", "{}", studio.record()?);
    studio.close()
}

#[test]
fn stage_one_presses_1_and_hears_the_announcement_then_ringing() -> Result<()> {
    for by_info in [false, true] {
        let name = if by_info { "dialout_info" } else { "dialout_confirmed" };
        let studio = Studio::open_with(name, loopback_allowed)?;
        let web = studio.web()?;
        let url = web.serve("/prompt.wav", Page::File(prompt_wav()?));
        order(&studio, &json!({ "use_call_confirmation": "true", "announce": url }))?;
        let one = first_answers(&studio)?;
        is_asked(&one)?;
        ensure!(studio.bob.calls() == 1, "stage two is called before the key");
        let pressed = Instant::now();
        if by_info {
            ensure!(one.press_by_info('1')? == 200, "INFO is refused");
        } else {
            one.press("1")?;
        }
        one.hears_since(&prompt_tone(), pressed)?;
        ensure!(studio.bob.calls() == 1, "stage two is called before the announcement is over");
        let two = studio.bob.called(2)?;
        two.ring()?;
        one.hears(&ringing_tone())?;
        two.speak(BOB)?;
        two.answer()?;
        one.hears(&bob_tone())?;
        two.hears(&alice_tone())?;
        let recording = one.recording();
        let gap = recording.between(&prompt_tone(), &ringing_tone())?;
        ensure!(gap <= GAP, "{gap:?} between announcement and ringing");
        let gap = recording.between(&ringing_tone(), &bob_tone())?;
        ensure!(gap <= GAP, "{gap:?} between ringing and speech");
        has_no_hole(&recording)?;
        is_one_stream(&one)?;
        one.hang_up()?;
        two.ended()?;
        studio.close()?;
    }
    Ok(())
}

#[test]
fn a_key_pressed_as_a_tone_counts_where_there_are_no_events() -> Result<()> {
    let studio = Studio::open("dialout_inband")?;
    studio.bob.codecs(vec![mediator_tests::agent::sdp::Codec::new(0, "PCMU/8000")]);
    order(&studio, &json!({ "use_call_confirmation": true }))?;
    let one = first_answers(&studio)?;
    is_asked(&one)?;
    // Row 697 Hz and column 1209 Hz together.
    one.speak_two(697.0, 1209.0)?;
    let two = studio.bob.called(2)?;
    one.speak(ALICE)?;
    two.answer()?;
    two.speak(BOB)?;
    one.hears(&bob_tone())?;
    one.hang_up()?;
    two.ended()?;
    studio.close()
}

#[test]
fn what_stage_one_hears_while_it_rings_is_a_choice() -> Result<()> {
    for value in ["false", "moh", "passthrough"] {
        let studio = Studio::open(&format!("dialout_ringback_{value}"))?;
        order(&studio, &json!({ "ringback": value }))?;
        let one = first_answers(&studio)?;
        let two = studio.bob.called(2)?;
        two.ring()?;
        let since = Instant::now() + Duration::from_millis(100);
        two.progress()?;
        two.speak(1700.0)?;
        let heard = || {
            let recording = one.recording_since(since);
            let own = recording.time_of(&Sought::new("own", &[1700.0]));
            (own, spoken(&recording).saturating_sub(own))
        };
        // What is due comes when it comes, on a busy machine too; silence is waited out.
        until(Duration::from_secs(8), "0.8 s of ringing, and what is due in it", || {
            let (own, other) = heard();
            let is_due = match value {
                "false" => true,
                "moh" => other > Duration::from_millis(200),
                _ => own > Duration::from_millis(500),
            };
            let is_over = Instant::now() >= since + Duration::from_millis(800);
            Ok((is_due && is_over).then_some(()))
        })
        .with_context(|| format!("{value}: {:?} of stage two's and others", heard()))?;
        let (own, other) = heard();
        let is_right = match value {
            "false" => own.is_zero() && other.is_zero(),
            "moh" => own < Duration::from_millis(200),
            _ => true,
        };
        ensure!(is_right, "{value}: {own:?} of stage two's, {other:?} of others");
        two.answer()?;
        two.speak(BOB)?;
        one.hears(&bob_tone())?;
        one.hang_up()?;
        two.ended()?;
        studio.close()?;
    }
    Ok(())
}

#[test]
fn the_numbers_are_shown_where_nothing_hides_them() -> Result<()> {
    let studio = Studio::open("dialout_shown")?;
    let attributes = json!({
        "hide_origination_did": false, "cnam": "Taxi", "sip_header_X-Ride": "17",
    });
    order(&studio, &attributes)?;
    let one = first_answers(&studio)?;
    let from = one.invite()?.header("From").unwrap_or_default().to_owned();
    ensure!(user(&from) == FAR && from.contains("Taxi"), "stage one is shown {from}");
    let two = studio.bob.called(2)?;
    let invite = two.invite()?;
    let from = invite.header("From").unwrap_or_default();
    ensure!(user(from) == NEAR && from.contains("Taxi"), "stage two is shown {from}");
    ensure!(invite.header("X-Ride") == Some("17"), "{}", invite.text);
    two.answer()?;
    two.request("ACK")?;
    one.hang_up()?;
    two.ended()?;
    studio.close()
}

#[test]
fn it_waits_for_its_time_which_can_be_changed() -> Result<()> {
    let studio = Studio::open("dialout_delay")?;
    let made = order_more(&studio, &json!({ "delay": 600 }))?;
    let path = format!("/dialouts/{}", text(&made, "dialout_sid")?);
    ensure!(studio.mediator.get("/dialouts")?.ok()?["total"] == 1, "not listed");
    ensure!(studio.bob.calls() == 0, "called before its time");
    let since = Instant::now();
    studio.mediator.patch(&path, &json!({ "delay": 1 }))?.ok()?;
    let one = studio.bob.called(1)?;
    let after = since.elapsed();
    ensure!((900..2500).contains(&after.as_millis()), "called after {after:?}");
    one.answer()?;
    let two = studio.bob.called(2)?;
    two.answer()?;
    two.request("ACK")?;
    status_until(&studio.mediator, &path, 404)?;
    one.hang_up()?;
    two.ended()?;
    studio.close()
}
