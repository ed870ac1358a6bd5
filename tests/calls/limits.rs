//! What calls take of limits, and when they give it back. Contract sections 1 and 5.

use std::time::Duration;

use mediator_model::TrunkGroupIndex;
use mediator_sim::{CALLED, Move, Party, REDIRECT, Stage};

use crate::support::{ALICE, BOB, code, ends_well, millis, outcome, seconds, world};

#[test]
fn a_call_counts_for_a_phone_whichever_of_its_devices_answers() {
    let mut stage = Stage::usual();
    let phone = stage.phone("phil", "15550001001").0 as usize;
    stage.endpoints[phone].capacity = 1;
    let mut sim = world(1, stage);
    let desk = sim.agent("desk", Party::B, "10.3.0.1:5062", "phil");
    let mobile = sim.agent("mobile", Party::B, "10.3.0.2:5062", "phil");
    for (device, call_id) in [(desk, "desk"), (mobile, "mobile")] {
        sim.ua(device).quirks.login = Some(("phil", "secret"));
        sim.ua(device).register_as(call_id, 300);
        sim.run_for(seconds(1));
    }
    for (busy, answers) in [(desk, mobile), (mobile, desk)] {
        sim.ua(busy).refuses(486);
        sim.ua(answers).answers();
        let first = sim.ua(ALICE).invite("15550001001");
        sim.run_for(seconds(1));
        assert_eq!(sim.ua(ALICE).calls[first].outcome, Some(200));
        assert_eq!(sim.calls_of(phone), 1);
        let second = outcome(&mut sim, "15550001001", seconds(1));
        assert_eq!(code(second.as_ref()), 503, "a second call at once");
        sim.ua(ALICE).act(first, Move::Bye);
        sim.run_for(seconds(1));
        assert_eq!(sim.calls_of(phone), 0);
    }
    ends_well(&mut sim);
}

#[test]
fn an_account_counts_once_however_many_of_its_bindings_a_call_passes() {
    let mut stage = Stage::usual();
    stage.bindings.clear();
    stage.did("15162060001", TrunkGroupIndex(1));
    stage.bind(REDIRECT, None, "15162060001", &[("hide_origination_did", "true")]);
    stage.bind("15162060001", None, CALLED, &[("hide_origination_did", "true")]);
    stage.endpoints[2].capacity = 1;
    stage.endpoints[2].cps_limit = 1;
    let mut sim = world(1, stage);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 200);
    assert_eq!(sim.calls_of(2), 1);
    assert_eq!(code(outcome(&mut sim, REDIRECT, millis(500)).as_ref()), 503);
    ends_well(&mut sim);
}

#[test]
fn who_is_refused_for_a_limit_claims_nothing() {
    let mut stage = Stage::usual();
    stage.wait_for_first_caller(Duration::from_mins(5));
    stage.did("15162060001", TrunkGroupIndex(1));
    stage.bind("15162060001", None, CALLED, &[]);
    stage.endpoints[2].capacity = 1;
    let mut sim = world(1, stage);
    assert_eq!(code(outcome(&mut sim, "15162060001", seconds(1)).as_ref()), 200);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 503);
    assert!(sim.claims.is_empty());
    sim.ua(ALICE).act(0, Move::Bye);
    sim.run_for(seconds(1));
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 200);
    assert_eq!(sim.claims.len(), 1);
    ends_well(&mut sim);
}

#[test]
fn a_failure_waits_for_the_claim_as_an_answer_does() {
    let mut stage = Stage::usual();
    stage.wait_for_first_caller(Duration::from_mins(5));
    let mut sim = world(1, stage);
    sim.claim_delay = Some(seconds(3));
    sim.ua(BOB).refuses(486);
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(millis(2900));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, None);
    sim.run_for(millis(300));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(486));
    ends_well(&mut sim);
}
