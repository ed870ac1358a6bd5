//! Relayed calls: each side sees our ports alone, and whoever carries media is told what each leg has agreed on.

use mediator_call::io::{Event, MediaMode};
use mediator_media::{Event as MediaEvent, Hear, Order, Side, Terms};
use mediator_model::Sid;
use mediator_sim::{Media, Move, Party, REDIRECT, Sim, Stage, Wire};

use crate::support::{ALICE, BOB, code, connect, ends_well, millis, outcome, seconds, world};

/// A world whose calls are relayed; neither side may see where the other's media is.
pub(crate) fn relayed(seed: u64) -> Sim {
    relayed_as(seed, Stage::usual())
}

/// As [`relayed`], on a stage of the test's own.
pub(crate) fn relayed_as(seed: u64, mut stage: Stage) -> Sim {
    stage.settings.media.mode = MediaMode::Relay;
    hides_media(world(seed, stage))
}

/// Neither side may see where the other's media is.
pub(crate) fn hides_media(mut sim: Sim) -> Sim {
    sim.secret(Party::A, "192.0.2.1");
    sim.secret(Party::B, "192.0.2.2");
    sim
}

/// The terms of a side that were told last.
pub(crate) fn terms(sim: &Sim, wanted: Side) -> Option<&Terms> {
    sim.media_orders.iter().rev().find_map(|order| match order {
        Order::Terms { side, terms, .. } if *side == wanted => Some(&**terms),
        _ => None,
    })
}

/// What a side was last made to hear.
pub(crate) fn hears(sim: &Sim, wanted: Side) -> Option<&Hear> {
    sim.media_orders.iter().rev().find_map(|order| match order {
        Order::Hear { side, hear, .. } if *side == wanted => Some(hear),
        _ => None,
    })
}

/// The call whose session was opened first.
pub(crate) fn session(sim: &Sim) -> Sid {
    sim.media_orders.first().map(Order::call).expect("a session")
}

fn last_heard(sim: &mut Sim, who: usize) -> String {
    sim.ua(who).calls[0].dialogs[0].heard.last().cloned().unwrap_or_default()
}

fn numbers(formats: &[mediator_media::Format]) -> Vec<u8> {
    formats.iter().map(|format| format.payload_type).collect()
}

#[test]
fn each_side_sees_our_port_of_its_own_leg() {
    let mut sim = relayed(1);
    connect(&mut sim);
    let [alice, bob] = [ALICE, BOB].map(|who| last_heard(&mut sim, who));
    for (sdp, port) in [(alice, 30_000), (bob, 30_002)] {
        assert!(sdp.contains("c=IN IP4 10.0.0.1\r\n"), "{sdp}");
        assert!(sdp.contains(&format!("m=audio {port} RTP/AVP 0 8 101\r\n")), "{sdp}");
        assert!(!sdp.contains("a=rtcp"), "{sdp}");
    }
    for (side, peer) in [(Side::A, "192.0.2.1:6000"), (Side::B, "192.0.2.2:7000")] {
        let terms = terms(&sim, side).unwrap();
        assert_eq!(terms.remote, Some(peer.parse().unwrap()));
        assert_eq!(numbers(&terms.send), [0, 8, 101]);
        assert!(terms.peer_sends && terms.peer_receives);
        assert_eq!(hears(&sim, side), Some(&Hear::Peer));
    }
    let signalling = terms(&sim, Side::B).unwrap().signalling;
    assert_eq!(signalling.to_string(), "10.2.0.1");
    assert_eq!(sim.media_ports_used(), 2);
    sim.ua(ALICE).act(0, Move::Bye);
    sim.run_for(seconds(2));
    assert_eq!(sim.media_ports_used(), 0);
    assert!(sim.records[0].figures.is_some());
    ends_well(&mut sim);
}

#[test]
fn a_direct_call_asks_nothing_of_media() {
    let mut sim = world(1, Stage::usual());
    connect(&mut sim);
    ends_well(&mut sim);
    assert!(sim.media_orders.is_empty(), "{:?}", sim.media_orders);
    assert!(sim.records[0].figures.is_none());
}

#[test]
fn a_hold_is_told_by_its_directions_and_a_move_by_its_address() {
    for who in [ALICE, BOB] {
        let mut sim = relayed(2);
        connect(&mut sim);
        let (side, first) =
            if who == ALICE { (Side::A, "192.0.2.1:6000") } else { (Side::B, "192.0.2.2:7000") };
        sim.ua(who).act(0, Move::Reinvite(Media::Hold));
        sim.run_for(seconds(1));
        let held = terms(&sim, side).unwrap();
        assert!(held.peer_sends && !held.peer_receives, "{held:?}");
        let other = if who == ALICE { BOB } else { ALICE };
        assert!(last_heard(&mut sim, other).contains("a=sendonly"));
        sim.ua(who).act(0, Move::Reinvite(Media::Other));
        sim.run_for(seconds(1));
        let moved = terms(&sim, side).unwrap();
        assert!(moved.remote.is_some() && moved.remote != Some(first.parse().unwrap()));
        assert_eq!(numbers(&moved.send), [8, 101]);
        ends_well(&mut sim);
    }
}

#[test]
fn a_late_offer_is_agreed_on_with_the_ack() {
    let mut sim = relayed(3);
    sim.ua(ALICE).quirks.late_offer = true;
    connect(&mut sim);
    for side in Side::BOTH {
        assert!(terms(&sim, side).is_some(), "{side:?}");
        assert_eq!(hears(&sim, side), Some(&Hear::Peer));
    }
    sim.ua(BOB).act(0, Move::LateReinvite);
    sim.run_for(seconds(1));
    ends_well(&mut sim);
}

#[test]
fn early_media_is_heard_before_the_answer() {
    let mut sim = relayed(4);
    let ring = Move::Ring { status: 183, fork: 0, sdp: true, reliable: false };
    sim.ua(BOB).script = vec![(millis(100), ring), (seconds(5), Move::Answer { fork: 0 })];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(1));
    for side in Side::BOTH {
        assert_eq!(hears(&sim, side), Some(&Hear::Peer));
        assert!(terms(&sim, side).is_some());
    }
    let supervised = |order: &Order| matches!(order, Order::Supervise { .. });
    assert!(!sim.media_orders.iter().any(supervised));
    sim.run_for(seconds(6));
    assert!(sim.media_orders.iter().any(supervised));
    ends_well(&mut sim);
}

#[test]
fn silence_for_too_long_ends_both_sides_with_a_reason() {
    let mut sim = relayed(5);
    connect(&mut sim);
    let call = session(&sim);
    sim.media_event(&MediaEvent::Silent { call });
    sim.run_for(seconds(2));
    for who in [ALICE, BOB] {
        let bye = sim.ua(who).received.iter().find(|wire| wire.method() == "BYE").cloned();
        assert!(bye.unwrap().header("Reason").unwrap().contains("RTP timeout"));
    }
    assert_eq!(sim.records[0].disconnect_originator.as_str(), "SYSTEM");
    ends_well(&mut sim);
}

#[test]
fn a_call_that_finds_no_port_is_503_and_claims_nothing() {
    let mut stage = Stage::usual();
    stage.wait_for_first_caller(seconds(300));
    // One pair and a half: the first side's is given back.
    stage.media_ports = 30_000..=30_002;
    let mut sim = relayed_as(6, stage);
    let answer = outcome(&mut sim, REDIRECT, seconds(2));
    assert_eq!(code(answer.as_ref()), 503);
    assert!(answer.unwrap().header("Retry-After").is_some());
    assert_eq!(sim.media_ports_used(), 0);
    assert!(sim.claims.is_empty() && sim.ua(BOB).calls.is_empty());
    ends_well(&mut sim);
}

#[test]
fn ports_come_back_however_a_call_ends() {
    let refuse = Move::Refuse { status: 486, headers: Vec::new() };
    for (script, caller) in [
        (vec![(millis(10), refuse)], None),
        (
            vec![(millis(10), Move::Ring { status: 180, fork: 0, sdp: false, reliable: false })],
            Some(Move::Cancel),
        ),
        (vec![(millis(10), Move::Answer { fork: 0 })], Some(Move::Bye)),
    ] {
        let mut sim = relayed(7);
        sim.ua(BOB).script = script;
        let call = sim.ua(ALICE).invite(REDIRECT);
        if let Some(what) = caller {
            sim.ua(ALICE).later(call, seconds(1), what);
        }
        sim.run_for(seconds(5));
        assert_eq!(sim.media_ports_used(), 0);
        assert!(sim.records[0].figures.is_some());
        let ended = |(_, event): &&_| matches!(event, Event::CallEnded(_));
        assert_eq!(sim.events.iter().filter(ended).count(), 1);
        ends_well(&mut sim);
    }
}

#[test]
fn of_several_forks_the_one_that_speaks_has_the_leg() {
    let mut sim = relayed(8);
    let ring = |fork| Move::Ring { status: 183, fork, sdp: true, reliable: false };
    sim.ua(BOB).script = vec![
        (millis(100), ring(0)),
        (millis(300), ring(1)),
        (seconds(1), Move::Answer { fork: 0 }),
    ];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    let opened = |order: &&Order| matches!(order, Order::Open { .. });
    assert_eq!(sim.media_orders.iter().filter(opened).count(), 1);
    ends_well(&mut sim);
}

#[test]
fn keys_of_the_binding_are_dialled_when_the_two_are_joined() {
    for (late, mode) in
        [(false, MediaMode::Relay), (true, MediaMode::Relay), (false, MediaMode::Direct)]
    {
        let mut stage = Stage::usual();
        stage.settings.media.mode = mode;
        stage.bindings[0].dtmf = Some("12,#".into());
        let mut sim = hides_media(world(9, stage));
        sim.ua(ALICE).quirks.late_offer = late;
        connect(&mut sim);
        let at = |wanted: fn(&Order) -> bool| sim.media_orders.iter().position(wanted).unwrap();
        let dialled = at(
            |order| matches!(order, Order::Dial { side: Side::B, digits, .. } if **digits == *"12,#"),
        );
        assert!(dialled > at(|order| matches!(order, Order::Terms { side: Side::B, .. })));
        let dials = |order: &&Order| matches!(order, Order::Dial { .. });
        assert_eq!(sim.media_orders.iter().filter(dials).count(), 1);
        ends_well(&mut sim);
    }
}

#[test]
fn media_that_is_lost_ends_its_call() {
    let mut sim = relayed(10);
    connect(&mut sim);
    let call = session(&sim);
    sim.media_event(&MediaEvent::Closed { call, figures: Default::default() });
    sim.run_for(seconds(2));
    for who in [ALICE, BOB] {
        let bye = |wire: &Wire| wire.is_request() && wire.method() == "BYE";
        assert!(sim.ua(who).received.iter().any(bye));
    }
    assert_eq!(sim.records.len(), 1);
}
