//! Announcements: what a caller hears before leg B is dialled. Contract section 2, `announce`.

use mediator_call::io::{Event, MediaMode};
use mediator_media::{
    Event as MediaEvent, Hear, Order, Repeat, Side, Sound, SoundFailure, SoundOutcome, Tone,
};
use mediator_sim::{Answering, Move, Party, REDIRECT, Sim, Stage, Wire};

use crate::relay::{hears, hides_media, relayed_as, session, terms};
use crate::support::{ALICE, BOB, connect, ends_well, millis, seconds, world};

const URL: &str = "welcome.wav";

fn announcing(more: &[(&str, &str)]) -> Stage {
    let mut stage = Stage::usual();
    let mut attributes = vec![("hide_origination_did", "true"), ("announce", URL)];
    attributes.extend(more);
    stage.attributes(&attributes);
    stage
}

fn answering_first(more: &[(&str, &str)]) -> Stage {
    let mut stage = announcing(more);
    stage.settings.media.answer_before_announce = true;
    stage
}

/// The token of what a side hears.
fn token(sim: &Sim, side: Side) -> u32 {
    match hears(sim, side) {
        Some(Hear::Sound(play) | Hear::SoundThenPeer(play)) => play.token,
        other => panic!("{side:?} hears {other:?}"),
    }
}

/// What alice hears is over.
fn over(sim: &mut Sim, outcome: SoundOutcome) {
    let (call, token) = (session(sim), token(sim, Side::A));
    sim.media_event(&MediaEvent::SoundEnded { call, side: Side::A, token, outcome });
    sim.run_for(millis(500));
}

fn plays(sim: &Sim) -> Option<&Sound> {
    match hears(sim, Side::A) {
        Some(Hear::Sound(play)) => Some(&play.sound),
        _ => None,
    }
}

fn first(sim: &mut Sim, who: usize, status: u16) -> Wire {
    sim.ua(who).received.iter().find(|wire| wire.status() == status).cloned().unwrap()
}

#[test]
fn the_caller_hears_it_in_a_183_and_then_leg_b_is_dialled() {
    for mode in [MediaMode::Relay, MediaMode::Direct] {
        let mut stage = announcing(&[]);
        stage.settings.media.mode = mode;
        let mut sim = hides_media(world(1, stage));
        sim.ua(BOB).script = vec![
            (seconds(1), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false }),
            (seconds(4), Move::Answer { fork: 0 }),
        ];
        let call = sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(millis(500));
        let ringing = first(&mut sim, ALICE, 183);
        assert_eq!(ringing.sdp_line('m'), Some("audio 30000 RTP/AVP 0 8 101"));
        assert_eq!(plays(&sim), Some(&Sound::Announcement(URL.into())));
        assert!(sim.ua(BOB).calls.is_empty(), "not dialled yet");
        over(&mut sim, SoundOutcome::Played);
        assert_eq!(hears(&sim, Side::A), Some(&Hear::Silence));
        let invite = sim.ua(BOB).calls[0].invite.clone().unwrap();
        assert_eq!(invite.sdp_line('m'), Some("audio 30002 RTP/AVP 0 8 101"));
        sim.run_for(seconds(2));
        // It rings: the tone of the country that is called, until somebody is heard.
        let Some(Hear::SoundThenPeer(play)) = hears(&sim, Side::A) else { panic!() };
        assert!(matches!(play.sound, Sound::Tone { tone: Tone::Ringing, .. }));
        assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 183], "and no 180");
        sim.run_for(seconds(3));
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
        let answer = sim.ua(ALICE).calls[call].answer.clone().unwrap();
        assert_eq!(answer.body, ringing.body, "the same SDP");
        for side in Side::BOTH {
            assert_eq!(hears(&sim, side), Some(&Hear::Peer));
            assert!(terms(&sim, side).is_some());
        }
        assert_eq!(
            sim.ua(ALICE).asked("INVITE"),
            0,
            "both take the same: nothing to agree on anew"
        );
        ends_well(&mut sim);
        assert_eq!(sim.records[0].sip_cause, 200);
    }
}

#[test]
fn what_cannot_be_played_is_told_and_the_call_goes_on() {
    let mut sim = relayed_as(2, announcing(&[]));
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(millis(500));
    over(&mut sim, SoundOutcome::Failed(SoundFailure::Unfetched));
    let told = sim.events.iter().any(|(_, event)| {
        matches!(
            event,
            Event::SoundFailed {
                attribute: "announce",
                reason: SoundFailure::Unfetched,
                reference: Some(_),
                ..
            }
        )
    });
    assert!(told);
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(BOB).confirmed(), 1);
    ends_well(&mut sim);
}

#[test]
fn a_cancel_during_it_is_487_and_nobody_is_dialled() {
    let mut sim = relayed_as(3, announcing(&[]));
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.ua(ALICE).later(call, seconds(1), Move::Cancel);
    sim.run_for(seconds(10));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(487));
    assert!(sim.ua(BOB).calls.is_empty());
    ends_well(&mut sim);
    assert_eq!(sim.records[0].sip_cause, 487);
}

#[test]
fn ringing_is_timed_from_leg_bs_invite() {
    let mut stage = announcing(&[]);
    stage.settings.ring_timeout = seconds(20);
    let mut sim = relayed_as(4, stage);
    sim.ua(BOB).script =
        vec![(millis(10), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false })];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(2));
    over(&mut sim, SoundOutcome::Played);
    sim.run_for(seconds(18));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, None);
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(480));
    ends_well(&mut sim);
}

#[test]
fn a_caller_that_supports_100rel_hears_it_reliably() {
    let mut sim = relayed_as(5, announcing(&[]));
    sim.ua(ALICE).quirks.supports_100rel = true;
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(1));
    assert!(first(&mut sim, ALICE, 183).has_option("Require", "100rel"));
    sim.run_for(seconds(6));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
    ends_well(&mut sim);
}

#[test]
fn leg_b_may_answer_at_once() {
    let mut sim = relayed_as(6, announcing(&[]));
    sim.ua(BOB).script = vec![(millis(0), Move::Answer { fork: 0 })];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(millis(200));
    over(&mut sim, SoundOutcome::Played);
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    assert_eq!(hears(&sim, Side::A), Some(&Hear::Peer));
    ends_well(&mut sim);
}

#[test]
fn a_caller_may_be_answered_first() {
    let mut sim = relayed_as(7, answering_first(&[]));
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(millis(500));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
    assert!(sim.ua(BOB).calls.is_empty());
    let answered = |(_, event): &_| matches!(event, Event::CallAnswered { .. });
    assert!(!sim.events.iter().any(answered), "nobody talks yet");
    over(&mut sim, SoundOutcome::Played);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(BOB).confirmed(), 1);
    assert!(sim.events.iter().any(answered));
    assert_eq!(hears(&sim, Side::A), Some(&Hear::Peer));
    ends_well(&mut sim);
    assert!(sim.records[0].date_talk.is_some());
}

#[test]
fn a_caller_that_is_answered_first_hears_that_nobody_answers() {
    for (status, tone) in [(486, Tone::Busy), (404, Tone::Reorder)] {
        let mut sim = relayed_as(8, answering_first(&[]));
        sim.ua(BOB).script = vec![(millis(10), Move::Refuse { status, headers: Vec::new() })];
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(millis(500));
        over(&mut sim, SoundOutcome::Played);
        let Some(Hear::Sound(play)) = hears(&sim, Side::A) else { panic!() };
        assert!(matches!(play.sound, Sound::Tone { tone: heard, .. } if heard == tone));
        assert_eq!(play.repeat, Repeat::For(seconds(3)));
        assert_eq!(sim.ua(ALICE).confirmed(), 1);
        sim.run_for(seconds(6));
        assert_eq!(sim.ua(ALICE).confirmed(), 0, "hung up on");
        ends_well(&mut sim);
        assert_eq!(sim.records[0].sip_cause, status);
        assert!(sim.records[0].date_talk.is_none());
    }
}

#[test]
fn a_caller_that_is_answered_first_may_hang_up_at_any_time() {
    for after in [millis(200), millis(1500), millis(4500)] {
        let mut sim = relayed_as(9, answering_first(&[]));
        sim.ua(BOB).script =
            vec![(millis(10), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false })];
        let call = sim.ua(ALICE).invite(REDIRECT);
        sim.ua(ALICE).later(call, after, Move::Bye);
        sim.run_for(millis(1000));
        if after > seconds(1) {
            over(&mut sim, SoundOutcome::Played);
        }
        sim.run_for(seconds(10));
        assert_eq!(sim.ua(BOB).calls.len(), usize::from(after > seconds(1)));
        assert!(sim.ua(BOB).calls.iter().all(|call| call.cancelled));
        ends_well(&mut sim);
        assert_eq!(sim.records[0].disconnect_originator.as_str(), "SRC");
    }
}

#[test]
fn a_late_offer_is_answered_by_ours() {
    for reliable in [false, true] {
        let mut sim = relayed_as(10, announcing(&[]));
        sim.ua(ALICE).quirks.late_offer = true;
        sim.ua(ALICE).quirks.supports_100rel = reliable;
        let call = sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(seconds(1));
        let ours = first(&mut sim, ALICE, if reliable { 183 } else { 200 });
        assert_eq!(ours.sdp_line('m'), Some("audio 30000 RTP/AVP 0 8 9 107 101 102"));
        assert_eq!(plays(&sim), Some(&Sound::Announcement(URL.into())));
        over(&mut sim, SoundOutcome::Played);
        sim.run_for(seconds(3));
        assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
        assert_eq!(sim.ua(BOB).confirmed(), 1);
        let invite = sim.ua(BOB).calls[0].invite.clone().unwrap();
        assert_eq!(invite.sdp_line('m'), Some("audio 30002 RTP/AVP 0 8 101"));
        ends_well(&mut sim);
    }
}

#[test]
fn a_claim_is_durable_before_a_caller_is_answered_first() {
    let mut stage = answering_first(&[]);
    stage.wait_for_first_caller(seconds(300));
    let mut sim = relayed_as(11, stage);
    sim.claim_delay = Some(seconds(2));
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, None);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
    ends_well(&mut sim);
}

#[test]
fn a_claim_that_fails_ends_the_announcement() {
    let mut stage = announcing(&[]);
    stage.wait_for_first_caller(seconds(300));
    let mut sim = relayed_as(12, stage);
    sim.claim_delay = None;
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(2));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(503));
    assert!(sim.ua(BOB).calls.is_empty());
    ends_well(&mut sim);
}

#[test]
fn offers_and_refreshes_of_an_announced_call_cross() {
    let mut sim = relayed_as(13, announcing(&[]));
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(millis(500));
    over(&mut sim, SoundOutcome::Played);
    sim.run_for(seconds(3));
    for who in [ALICE, BOB] {
        sim.ua(who).act(0, Move::Reinvite(mediator_sim::Media::Hold));
        sim.run_for(seconds(1));
        let side = if who == ALICE { Side::A } else { Side::B };
        assert!(!terms(&sim, side).unwrap().peer_receives);
        sim.ua(who).act(0, Move::Reinvite(mediator_sim::Media::Active));
        sim.run_for(seconds(1));
        assert!(terms(&sim, side).unwrap().peer_receives);
    }
    ends_well(&mut sim);
}

#[test]
fn failover_goes_on_behind_our_media() {
    let mut stage = announcing(&[]);
    stage.way_out(2, 1, 0);
    let mut sim = relayed_as(14, stage);
    let carol = sim.agent("carol", Party::B, "10.2.0.2:5060", mediator_sim::CALLED);
    sim.ua(carol).answers();
    sim.ua(BOB).script = vec![(millis(10), Move::Refuse { status: 503, headers: Vec::new() })];
    sim.ua(BOB).quirks.reinvites = Answering::Accept;
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(millis(500));
    over(&mut sim, SoundOutcome::Played);
    sim.run_for(seconds(3));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(carol).confirmed()), (1, 1));
    let opened = |order: &&Order| matches!(order, Order::Open { .. });
    assert_eq!(sim.media_orders.iter().filter(opened).count(), 1);
    ends_well(&mut sim);
}

#[test]
fn without_an_announcement_nothing_is_answered_early() {
    let mut sim = relayed_as(15, Stage::usual());
    let call = connect(&mut sim);
    assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 180]);
    ends_well(&mut sim);
}
