//! What a caller hears while leg B is dialled. Contract section 2, `ringback`.

use mediator_call::io::{Event, MediaMode};
use mediator_media::{Event as MediaEvent, Hear, Repeat, Side, Sound, SoundFailure, SoundOutcome};
use mediator_sim::{Move, REDIRECT, Sim, Stage};

use crate::relay::{hears, hides_media, relayed_as, session, terms};
use crate::support::{ALICE, BOB, ends_well, millis, seconds, world};

fn ringback(value: &str) -> Stage {
    let mut stage = Stage::usual();
    stage.attributes(&[("hide_origination_did", "true"), ("ringback", value)]);
    stage
}

const fn ring(status: u16, sdp: bool) -> Move {
    Move::Ring { status, fork: 0, sdp, reliable: false }
}

/// Bob rings, sends early media, and answers.
fn rings(sim: &mut Sim) -> usize {
    sim.ua(BOB).script = vec![
        (millis(300), ring(180, false)),
        (millis(600), ring(183, true)),
        (seconds(4), Move::Answer { fork: 0 }),
    ];
    sim.ua(ALICE).invite(REDIRECT)
}

fn joined(sim: &mut Sim) {
    sim.run_for(seconds(5));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    for side in Side::BOTH {
        assert_eq!(hears(sim, side), Some(&Hear::Peer));
    }
    ends_well(sim);
}

#[test]
fn silence_is_a_183_with_our_sdp_and_no_ringing() {
    for mode in [MediaMode::Relay, MediaMode::Direct] {
        let mut stage = ringback("false");
        stage.settings.media.mode = mode;
        let mut sim = hides_media(world(1, stage));
        let call = rings(&mut sim);
        sim.run_for(seconds(2));
        assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 183]);
        let ringing = sim.ua(ALICE).received.iter().find(|w| w.status() == 183).cloned().unwrap();
        assert_eq!(ringing.sdp_line('m'), Some("audio 30000 RTP/AVP 0 8 101"));
        assert_eq!(hears(&sim, Side::A), Some(&Hear::Silence), "early media is not passed on");
        let rang = |(_, event): &&_| matches!(event, Event::CallRinging { .. });
        assert_eq!(sim.events.iter().filter(rang).count(), 1);
        joined(&mut sim);
    }
}

#[test]
fn hold_music_plays_until_the_answer() {
    for mode in [MediaMode::Relay, MediaMode::Direct] {
        let mut stage = ringback("moh");
        stage.settings.media.mode = mode;
        let mut sim = hides_media(world(2, stage));
        let call = rings(&mut sim);
        sim.run_for(seconds(2));
        assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 183]);
        let Some(Hear::Sound(play)) = hears(&sim, Side::A) else { panic!() };
        assert_eq!((&play.sound, play.repeat), (&Sound::HoldMusic, Repeat::Forever));
        joined(&mut sim);
    }
}

#[test]
fn music_that_cannot_be_played_is_told() {
    let mut sim = relayed_as(3, ringback("moh"));
    rings(&mut sim);
    sim.run_for(seconds(1));
    let Some(Hear::Sound(play)) = hears(&sim, Side::A) else { panic!() };
    let (call, token) = (session(&sim), play.token);
    let outcome = SoundOutcome::Failed(SoundFailure::Undecoded);
    sim.media_event(&MediaEvent::SoundEnded { call, side: Side::A, token, outcome });
    let told = |(_, event): &_| matches!(event, Event::SoundFailed { attribute: "ringback", .. });
    assert!(sim.events.iter().any(told));
    joined(&mut sim);
}

#[test]
fn passthrough_is_what_leg_b_sends() {
    let mut sim = relayed_as(4, ringback("passthrough"));
    let call = rings(&mut sim);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 180, 183]);
    assert_eq!(hears(&sim, Side::A), Some(&Hear::Peer));
    assert!(terms(&sim, Side::B).is_some());
    joined(&mut sim);
}

#[test]
fn ringing_is_passed_on_and_its_early_media_heard() {
    let mut sim = relayed_as(5, Stage::usual());
    let call = rings(&mut sim);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 180, 183]);
    assert_eq!(hears(&sim, Side::A), Some(&Hear::Peer));
    joined(&mut sim);
}

#[test]
fn a_late_offer_hears_music_only_where_it_can_be_told_reliably() {
    for reliable in [false, true] {
        let mut sim = relayed_as(6, ringback("moh"));
        sim.ua(ALICE).quirks.late_offer = true;
        sim.ua(ALICE).quirks.supports_100rel = reliable;
        sim.ua(BOB).script =
            vec![(millis(300), ring(180, false)), (seconds(4), Move::Answer { fork: 0 })];
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(seconds(2));
        let plays = matches!(hears(&sim, Side::A), Some(Hear::Sound(_)));
        assert_eq!(plays, reliable);
        joined(&mut sim);
    }
}

#[test]
fn a_called_side_that_is_busy_is_told_after_the_music() {
    let mut sim = relayed_as(7, ringback("moh"));
    sim.ua(BOB).script = vec![(millis(300), Move::Refuse { status: 486, headers: Vec::new() })];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(486));
    ends_well(&mut sim);
}
