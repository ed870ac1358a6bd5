//! What is told of a call while it is up and in its record: legs, codecs, numbers. Contract sections 4 and 5.

use mediator_call::io::Event;
use mediator_call::{CallRecord, LegA, Originator, Side};
use mediator_sim::{Answering, CALLED, CALLER, Media, Move, Party, REDIRECT, Sim, Stage, number};

use crate::support::{ALICE, BOB, connect, ends_well, masked, millis, outcome, seconds, world};

/// The record of the only call, once everything has ended.
fn record(sim: &mut Sim) -> CallRecord {
    ends_well(sim);
    let [record] = &*sim.records else { panic!("{} records", sim.records.len()) };
    record.clone()
}

#[test]
fn the_record_tells_of_both_legs() {
    let mut sim = masked(1);
    let call = connect(&mut sim);
    sim.ua(BOB).act(0, Move::Bye);
    sim.run_for(seconds(1));
    let sent = sim.ua(ALICE).calls[call].call_id.clone();
    let received = sim.ua(BOB).calls[0].call_id.clone();
    let record = record(&mut sim);
    let LegA::Incoming { call_id, flow, .. } = &record.leg_a else { panic!("alice called") };
    assert_eq!(flow.remote, "10.1.0.1:5060".parse().unwrap());
    assert_eq!((&**call_id, record.codec), (&*sent, Some("PCMU")));
    assert_eq!((record.number_src, record.number_dst), (Some(number(CALLER)), number(CALLED)));
    assert_eq!((record.sip_cause, record.disconnect_originator), (200, Originator::Destination));
    let leg = record.leg_b.unwrap();
    assert_eq!((&*leg.call_id, leg.sip_cause), (&*received, 200));
    assert_eq!(leg.flow.remote, "10.2.0.1:5060".parse().unwrap());
    assert_eq!((leg.number_src, leg.number_dst), (Some(number(REDIRECT)), number(CALLED)));
    assert!(leg.date_start >= record.date_start && Some(leg.date_start) < record.date_talk);
}

#[test]
fn a_number_hidden_by_privacy_is_told_nobody() {
    let asserted = ("P-Asserted-Identity".to_owned(), format!("<sip:+{CALLER}@10.1.0.1>"));
    let privacy = ("Privacy".to_owned(), "id".to_owned());
    for (extra, told) in [(vec![asserted.clone()], true), (vec![asserted, privacy], false)] {
        let mut stage = Stage::usual();
        stage.attributes(&[]);
        let mut sim = world(1, stage);
        sim.ua(ALICE).quirks.plain = true;
        sim.ua(ALICE).quirks.extra = extra;
        outcome(&mut sim, REDIRECT, seconds(1));
        let started = sim.events.iter().find_map(|(_, event)| match event {
            Event::CallStarted { started, .. } => Some(started.clone()),
            _ => None,
        });
        let told = told.then(|| number(CALLER));
        assert_eq!(started.unwrap().number_src, told);
        let record = record(&mut sim);
        let LegA::Incoming { identity, .. } = record.leg_a else { panic!("alice called") };
        assert_eq!((record.number_src, identity), (told, told));
        assert_eq!(record.leg_b.unwrap().number_src, told);
    }
}

#[test]
fn each_leg_has_the_code_that_it_ended_with() {
    // What Bob does, when Alice cancels; the caller's code, leg B's code.
    let ring = Move::Ring { status: 180, fork: 0, sdp: false, reliable: false };
    let refuse = |status| Move::Refuse { status, headers: Vec::new() };
    for (does, cancels, caller, callee) in [
        (refuse(486), false, 486, 486),
        (refuse(503), false, 503, 503),
        (refuse(302), false, 480, 302),
        (ring, true, 487, 487),
        (Move::Silence, false, 408, 408),
    ] {
        let mut sim = world(1, Stage::usual());
        sim.ua(BOB).quirks.silent = does == Move::Silence;
        sim.ua(BOB).script = vec![(millis(20), does.clone())];
        let call = sim.ua(ALICE).invite(REDIRECT);
        if cancels {
            sim.ua(ALICE).later(call, millis(500), Move::Cancel);
        }
        sim.run_for(seconds(10));
        let record = record(&mut sim);
        let leg = record.leg_b.unwrap();
        assert_eq!((record.sip_cause, leg.sip_cause), (caller, callee), "{does:?}");
        assert_eq!((record.date_talk, record.codec), (None, None));
    }
}

#[test]
fn after_failover_the_leg_that_answered_counts() {
    let mut stage = Stage::usual();
    stage.way_out(2, 1, 0);
    let mut sim = world(1, stage);
    let carol = sim.agent("carol", Party::B, "10.2.0.2:5060", CALLED);
    sim.ua(carol).answers();
    sim.ua(BOB).refuses(503);
    outcome(&mut sim, REDIRECT, seconds(2));
    let received = sim.ua(carol).calls[0].call_id.clone();
    let told = |sim: &Sim| {
        let is_leg_b = |event: &Event| matches!(event, Event::LegDialled { side: Side::B, .. });
        sim.events.iter().filter(|(_, event)| is_leg_b(event)).count()
    };
    assert_eq!(told(&sim), 2);
    let leg = record(&mut sim).leg_b.unwrap();
    assert_eq!((&*leg.call_id, leg.sip_cause), (&*received, 200));
    assert_eq!(leg.flow.remote, "10.2.0.2:5060".parse().unwrap());
}

#[test]
fn of_phones_that_ring_together_the_one_that_answers_is_leg_b() {
    let ring = Move::Ring { status: 180, fork: 0, sdp: false, reliable: false };
    // Whichever is asked first: each wins once.
    for winner in [0, 1] {
        let mut stage = Stage::usual();
        stage.phone("phil", "15550001001");
        stage.bindings.clear();
        stage.bind(REDIRECT, None, "15550001001", &[]);
        let mut sim = world(1, stage);
        let phones = ["10.3.0.1:5062", "10.3.0.2:5062"].map(|at| {
            let phone = sim.agent("phil", Party::B, at, "phil");
            sim.ua(phone).quirks.login = Some(("phil", "secret"));
            sim.ua(phone).register_as(at, 300);
            sim.run_for(seconds(1));
            sim.ua(phone).script = vec![(millis(20), ring.clone())];
            phone
        });
        sim.ua(phones[winner]).answers();
        outcome(&mut sim, REDIRECT, seconds(2));
        let received = sim.ua(phones[winner]).calls[0].call_id.clone();
        let last = sim.events.iter().rev().find_map(|(_, event)| match event {
            Event::LegDialled { call_id, .. } => Some(call_id.clone()),
            _ => None,
        });
        assert_eq!(*last.unwrap(), *received);
        let leg = record(&mut sim).leg_b.unwrap();
        assert_eq!((&*leg.call_id, leg.sip_cause), (&*received, 200));
    }
}

/// The codecs that were told, in order.
fn codecs(sim: &Sim) -> Vec<Option<&'static str>> {
    let codec = |(_, event): &(_, Event)| match event {
        Event::CallAnswered { codec, .. } | Event::CodecAgreed { codec, .. } => Some(*codec),
        _ => None,
    };
    sim.events.iter().filter_map(codec).collect()
}

#[test]
fn the_codec_is_that_of_the_answer_whoever_makes_it() {
    for late in [false, true] {
        let mut sim = world(1, Stage::usual());
        sim.ua(ALICE).quirks.late_offer = late;
        connect(&mut sim);
        // A late offer is answered in the ACK, when the call is up.
        let expected: &[_] = if late { &[None, Some("PCMU")] } else { &[Some("PCMU")] };
        assert_eq!(codecs(&sim), expected);
        // What is offered anew counts only once it is answered.
        sim.ua(BOB).quirks.reinvites = Answering::Refuse(488);
        sim.ua(ALICE).act(0, Move::Reinvite(Media::Other));
        sim.run_for(seconds(1));
        assert_eq!(codecs(&sim), expected);
        sim.ua(BOB).quirks.reinvites = Answering::Accept;
        sim.ua(ALICE).act(0, Move::Reinvite(Media::Other));
        sim.run_for(seconds(1));
        assert_eq!(codecs(&sim), [expected, &[Some("PCMA")]].concat());
        assert_eq!(record(&mut sim).codec, Some("PCMA"));
    }
}

#[test]
fn a_call_is_gone_only_when_its_bye_is_answered() {
    let mut sim = masked(1);
    let call = connect(&mut sim);
    sim.ua(BOB).quirks.silent = true;
    sim.ua(ALICE).act(call, Move::Bye);
    sim.run_for(seconds(5));
    let gone = |sim: &Sim| sim.events.iter().any(|(_, it)| matches!(it, Event::CallGone { .. }));
    assert!(!sim.records.is_empty() && !gone(&sim));
    sim.run_for(seconds(60));
    assert!(gone(&sim));
    ends_well(&mut sim);
}
