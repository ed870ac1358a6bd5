//! The way out: order, failover, health. Contract section 2 and the trunk groups of section 1.

use std::time::Duration;

use mediator_call::io::Event;
use mediator_model::CodeList;
use mediator_sim::{CALLED, Move, Party, REDIRECT, Sim, Stage};

use crate::support::{ALICE, BOB, code, ends_well, millis, outcome, seconds, world};

/// Bob's trunk and Carol's, at 10.2.0.2, behind it.
fn two(seed: u64, change: impl FnOnce(&mut Stage)) -> (Sim, usize) {
    let mut stage = Stage::usual();
    stage.way_out(2, 1, 0);
    change(&mut stage);
    let mut sim = world(seed, stage);
    let carol = sim.agent("carol", Party::B, "10.2.0.2:5060", CALLED);
    sim.ua(carol).answers();
    (sim, carol)
}

#[test]
fn failures_that_move_on_reach_the_next_trunk_and_others_do_not() {
    for (status, moves_on) in [
        (408, true),
        (500, true),
        (503, true),
        (504, true),
        (401, true),
        (486, false),
        (404, false),
        (603, false),
        (302, false),
    ] {
        let (mut sim, carol) = two(1, |_| {});
        sim.ua(BOB).refuses(status);
        let answer = outcome(&mut sim, REDIRECT, seconds(2));
        assert_eq!(code(answer.as_ref()) == 200, moves_on, "{status}");
        assert_eq!(sim.ua(carol).asked("INVITE") > 0, moves_on, "{status}");
        ends_well(&mut sim);
    }
}

#[test]
fn codes_of_the_groups_lists_move_on() {
    let (mut sim, _) =
        two(1, |stage| stage.groups[0].failure.soft_codes = CodeList::parse("486;").unwrap());
    sim.ua(BOB).refuses(486);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 200);
    ends_well(&mut sim);
}

#[test]
fn a_silent_trunk_is_left_after_the_trunk_timeout() {
    let (mut sim, carol) = two(1, |_| {});
    sim.ua(BOB).quirks.silent = true;
    assert_eq!(code(outcome(&mut sim, REDIRECT, millis(4900)).as_ref()), 0);
    assert_eq!(sim.ua(carol).asked("INVITE"), 0);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(ALICE).confirmed(), 1);
    ends_well(&mut sim);
}

#[test]
fn a_late_answer_of_a_trunk_that_was_left_is_ended() {
    let (mut sim, carol) = two(1, |_| {});
    sim.ua(BOB).script = vec![(seconds(6), Move::Answer { fork: 0 })];
    sim.ua(carol).script = vec![(millis(100), Move::Answer { fork: 0 })];
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(8)).as_ref()), 200);
    assert!(sim.ua(BOB).calls[0].dialogs[0].bye_received);
    assert_eq!(sim.ua(carol).confirmed(), 1);
    ends_well(&mut sim);
}

#[test]
fn where_each_trunk_timed_out_the_caller_gets_408_else_503() {
    for (second, expected) in [(408, 408), (500, 503)] {
        let (mut sim, carol) = two(1, |_| {});
        sim.ua(BOB).quirks.silent = true;
        sim.ua(carol).refuses(second);
        assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(8)).as_ref()), expected);
        ends_well(&mut sim);
    }
}

#[test]
fn trunks_of_one_priority_share_calls_by_weight() {
    let (mut sim, carol) = two(1, |stage| {
        stage.groups[0].trunks[0].weight = 30;
        stage.groups[0].trunks[1].weight = 10;
        stage.groups[0].trunks[1].priority = 0;
    });
    for _ in 0..200 {
        let call = sim.ua(ALICE).invite(REDIRECT);
        sim.ua(ALICE).later(call, seconds(1), Move::Bye);
        sim.run_for(millis(100));
    }
    sim.run_for(seconds(3));
    let (bob, carol) = (sim.ua(BOB).calls.len(), sim.ua(carol).calls.len());
    assert_eq!(bob + carol, 200);
    assert!((30..70).contains(&carol), "carol got {carol} of 200");
    ends_well(&mut sim);
}

#[test]
fn hard_failures_rest_a_trunk_for_the_cooldown() {
    let (mut sim, _) = two(1, |_| {});
    sim.ua(BOB).refuses(408);
    for _ in 0..3 {
        outcome(&mut sim, REDIRECT, seconds(1));
    }
    let asked = sim.ua(BOB).asked("INVITE");
    outcome(&mut sim, REDIRECT, seconds(1));
    assert_eq!((asked, sim.ua(BOB).asked("INVITE")), (3, 3), "the fourth call does not try it");
    sim.run_for(seconds(120));
    outcome(&mut sim, REDIRECT, seconds(1));
    assert_eq!(sim.ua(BOB).asked("INVITE"), 4, "after the cooldown it is tried again");
    ends_well(&mut sim);
}

#[test]
fn the_end_of_a_cooldown_is_told_once_and_not_before() {
    let (mut sim, _) = two(1, |_| {});
    sim.ua(BOB).quirks.silent = true;
    for _ in 0..3 {
        outcome(&mut sim, REDIRECT, seconds(10));
    }
    let told = |sim: &Sim| -> Vec<bool> {
        let health = |(_, event): &(_, Event)| match event {
            Event::TrunkHealth { alive, .. } => Some(*alive),
            _ => None,
        };
        sim.events.iter().filter_map(health).collect()
    };
    assert_eq!(told(&sim), [false]);
    sim.run_for(seconds(100));
    assert_eq!(told(&sim), [false]);
    sim.run_for(seconds(300));
    assert_eq!(told(&sim), [false, true]);
    sim.ua(BOB).quirks.silent = false;
    ends_well(&mut sim);
}

#[test]
fn options_find_a_trunk_dead_and_alive_again() {
    let (mut sim, _) =
        two(1, |stage| stage.groups[0].failure.options_interval = Some(Duration::from_secs(30)));
    sim.run_for(seconds(61));
    assert!(sim.ua(BOB).asked("OPTIONS") >= 2);
    sim.ua(BOB).quirks.silent = true;
    sim.run_for(seconds(180));
    let asked = sim.ua(BOB).asked("INVITE");
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 200);
    assert_eq!(sim.ua(BOB).asked("INVITE"), asked, "a dead trunk is left out");
    sim.ua(BOB).quirks.silent = false;
    sim.run_for(seconds(61));
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 200);
    assert_eq!(sim.ua(BOB).calls.len(), 1, "it is back");
}

#[test]
fn every_address_of_a_name_is_tried_in_order() {
    let mut stage = Stage::usual();
    stage.endpoints[1].addresses.clear();
    stage.address(mediator_model::EndpointIndex(1), "carrier.test", 0);
    let mut sim = world(1, stage);
    let carol = sim.agent("carol", Party::B, "10.2.0.2:5060", CALLED);
    sim.ua(carol).answers();
    sim.ua(BOB).refuses(503);
    let udp = |at: &str| (mediator_model::Transport::Udp, at.parse().unwrap());
    sim.names.insert("carrier.test".to_owned(), vec![udp("10.2.0.1:5060"), udp("10.2.0.2:5060")]);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 200);
    assert_eq!(sim.ua(BOB).calls.len(), 1);
    assert_eq!(sim.calls_of(1), 1, "the call counts for the endpoint, whatever its address");
    ends_well(&mut sim);
}

#[test]
fn a_trunk_with_several_dead_addresses_fails_once_in_a_call() {
    let mut stage = Stage::usual();
    stage.groups[0].failure.hard_codes = CodeList::parse("503;").unwrap();
    stage.groups[0].failure.hard_threshold = 2;
    stage.groups[0].failure.last_resort = mediator_model::LastResort::Reject502;
    stage.endpoints[1].addresses.clear();
    stage.address(mediator_model::EndpointIndex(1), "carrier.test", 0);
    stage.address(mediator_model::EndpointIndex(1), "10.2.0.1:5060", 1);
    let mut sim = world(1, stage);
    sim.ua(BOB).refuses(503);
    let udp = |at: &str| (mediator_model::Transport::Udp, at.parse().unwrap());
    sim.names.insert("carrier.test".to_owned(), vec![udp("10.2.0.1:5060"); 2]);
    for expected in [503, 503, 502] {
        let answer = outcome(&mut sim, REDIRECT, seconds(2));
        assert_eq!(code(answer.as_ref()), expected);
    }
    ends_well(&mut sim);
}

#[test]
fn a_name_that_is_never_resolved_does_not_hold_the_call() {
    let mut stage = Stage::usual();
    stage.endpoints[1].addresses.clear();
    stage.address(mediator_model::EndpointIndex(1), "never.test", 0);
    let mut sim = world(1, stage);
    assert_eq!(code(outcome(&mut sim, REDIRECT, millis(4900)).as_ref()), 0);
    sim.run_for(millis(200));
    assert_eq!(sim.ua(ALICE).calls[0].outcome, Some(503), "the trunk has had its time");
    ends_well(&mut sim);
}

#[test]
fn a_record_says_who_ended_a_call_that_no_trunk_took() {
    for (silent, ended_by) in [(true, "SYSTEM"), (false, "DST")] {
        let mut sim = world(1, Stage::usual());
        sim.ua(BOB).quirks.silent = silent;
        sim.ua(BOB).refuses(408);
        assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(6)).as_ref()), 408);
        ends_well(&mut sim);
        assert_eq!(sim.records[0].disconnect_originator.as_str(), ended_by);
    }
}
