//! Announcements: what a caller hears before leg B is dialled. Contract section 2, `announce`.

use mediator_call::io::{Event, MediaMode};
use mediator_media::{
    Event as MediaEvent, Hear, Order, Repeat, Side, Sound, SoundFailure, SoundOutcome, Tone,
};
use mediator_sim::{Answering, Move, Party, REDIRECT, Sim, Stage, What, Wire};

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

#[test]
fn a_caller_that_waits_may_change_its_offer() {
    for early in [false, true] {
        let mut sim = relayed_as(16, if early { announcing(&[]) } else { answering_first(&[]) });
        sim.ua(ALICE).quirks.supports_100rel = early;
        sim.ua(ALICE).quirks.allows_update = early;
        let call = sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(seconds(1));
        let other = mediator_sim::Media::Other;
        sim.ua(ALICE)
            .act(call, if early { Move::Update(Some(other)) } else { Move::Reinvite(other) });
        sim.run_for(millis(500));
        let moved = terms(&sim, Side::A).unwrap();
        assert_eq!(moved.remote, Some("192.0.2.1:6002".parse().unwrap()));
        let method = if early { "UPDATE" } else { "INVITE" };
        let answer = |wire: &&Wire| wire.method() == method && wire.status() == 200;
        let answer = sim.ua(ALICE).received.iter().rev().find(answer).cloned().unwrap();
        assert_eq!(answer.sdp_line('m'), Some("audio 30000 RTP/AVP 8 101"));
        over(&mut sim, SoundOutcome::Played);
        sim.run_for(seconds(3));
        let invite = sim.ua(BOB).calls[0].invite.clone().unwrap();
        assert_eq!(invite.sdp_line('m'), Some("audio 30002 RTP/AVP 8 0 101"), "with the twin");
        assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
        ends_well(&mut sim);
    }
}

#[test]
fn an_early_offer_of_leg_b_is_answered_behind_our_media() {
    let mut sim = relayed_as(17, announcing(&[]));
    sim.ua(ALICE).quirks.supports_100rel = true;
    sim.ua(ALICE).quirks.allows_update = true;
    let other = mediator_sim::Media::Other;
    sim.ua(BOB).script = vec![
        (millis(10), Move::Ring { status: 183, fork: 0, sdp: true, reliable: true }),
        (millis(600), Move::Update(Some(other))),
        (seconds(2), Move::Answer { fork: 0 }),
    ];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(millis(500));
    over(&mut sim, SoundOutcome::Played);
    sim.run_for(millis(900));
    let answer = |wire: &&Wire| wire.method() == "UPDATE" && wire.status() == 200;
    let answer = sim.ua(BOB).received.iter().find(answer).cloned().unwrap();
    assert_eq!(answer.sdp_line('m'), Some("audio 30002 RTP/AVP 8 101"));
    assert_eq!(terms(&sim, Side::B).unwrap().remote, Some("192.0.2.2:7002".parse().unwrap()));
    assert_eq!(sim.ua(ALICE).asked("UPDATE"), 0);
    sim.run_for(seconds(3));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    ends_well(&mut sim);
}

#[test]
fn a_caller_whose_favourite_leg_b_does_not_take_is_offered_what_it_takes() {
    const OPUS_FIRST: &[(u8, &str)] =
        &[(96, "opus/48000/2"), (0, "PCMU/8000"), (101, "telephone-event/8000")];
    for first in [false, true] {
        let stage = if first { answering_first(&[]) } else { announcing(&[]) };
        let mut sim = relayed_as(18, stage);
        sim.ua(ALICE).quirks.formats = Some(OPUS_FIRST);
        sim.ua(BOB).quirks.formats = Some(&[(8, "PCMA/8000")]);
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(millis(500));
        let told = if first { 200 } else { 183 };
        let told = self::first(&mut sim, ALICE, told);
        assert_eq!(told.sdp_line('m'), Some("audio 30000 RTP/AVP 96 0 101"));
        over(&mut sim, SoundOutcome::Played);
        sim.run_for(seconds(3));
        assert_eq!(sim.ua(ALICE).asked("INVITE"), 1);
        let codecs = |side| -> Vec<&str> {
            terms(&sim, side).unwrap().send.iter().map(|format| format.encoding).collect()
        };
        assert_eq!(codecs(Side::A), ["PCMU"]);
        assert_eq!(codecs(Side::B), ["PCMA"]);
        ends_well(&mut sim);
        assert_eq!(sim.records[0].codec, Some("PCMA"));
    }
}

#[test]
fn a_caller_with_events_presses_tones_where_leg_b_has_none() {
    for (theirs, asked) in
        [(&[(0, "PCMU/8000")][..], 1), (&[(0, "PCMU/8000"), (99, "telephone-event/8000")][..], 0)]
    {
        let mut sim = relayed_as(22, announcing(&[]));
        sim.ua(BOB).quirks.formats = Some(theirs);
        sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(millis(500));
        over(&mut sim, SoundOutcome::Played);
        sim.run_for(seconds(3));
        assert_eq!(sim.ua(ALICE).asked("INVITE"), asked);
        let events =
            |side| terms(&sim, side).unwrap().send.iter().any(mediator_media::Format::is_event);
        assert_eq!((events(Side::A), events(Side::B)), (asked == 0, asked == 0));
        ends_well(&mut sim);
    }
}

#[test]
fn a_caller_that_speaks_nothing_of_ours_is_connected_without() {
    const G729: &[(u8, &str)] = &[(18, "G729/8000")];
    let mut sim = relayed_as(19, announcing(&[("ringback", "moh")]));
    sim.ua(ALICE).quirks.formats = Some(G729);
    sim.ua(BOB).quirks.formats = Some(G729);
    let call = connect(&mut sim);
    assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 180]);
    let failed =
        |(_, event): &_| matches!(event, Event::SoundFailed { reason: SoundFailure::NoCodec, .. });
    assert!(sim.events.iter().any(failed));
    ends_well(&mut sim);
}

#[test]
fn two_that_have_nothing_in_common_are_488_and_leg_b_is_hung_up_on() {
    for announce in [false, true] {
        let mut sim = relayed_as(20, if announce { announcing(&[]) } else { Stage::usual() });
        sim.ua(ALICE).quirks.formats = Some(&[(0, "PCMU/8000")]);
        sim.ua(BOB).quirks.formats = Some(&[(9, "G722/8000")]);
        let call = sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(millis(500));
        if announce {
            over(&mut sim, SoundOutcome::Played);
        }
        sim.run_for(seconds(3));
        assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(488));
        assert_eq!(sim.ua(BOB).confirmed(), 0);
        ends_well(&mut sim);
    }
}

#[test]
fn a_long_announcement_reminds_the_caller_once_a_minute() {
    for reliable in [false, true] {
        let mut sim = relayed_as(21, announcing(&[]));
        sim.sounds.lasts(What::Announcement, seconds(150));
        sim.ua(ALICE).quirks.supports_100rel = reliable;
        let call = sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(seconds(145));
        assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 183, 183, 183]);
        assert!(sim.ua(BOB).calls.is_empty());
        sim.run_for(seconds(15));
        assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
        ends_well(&mut sim);
    }
}
