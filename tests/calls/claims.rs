//! The first caller of a binding that waits for one: contract section 2, point 2.

use std::time::Duration;

use mediator_call::io::ClaimOutcome;
use mediator_sim::{CALLER, Move, Party, REDIRECT, Sim, Stage, number};

use crate::support::{ALICE, BOB, code, ends_well, millis, outcome, seconds, world};

fn waiting(shards: usize) -> Sim {
    let mut stage = Stage::usual();
    stage.shards = shards;
    stage.wait_for_first_caller(Duration::from_mins(5));
    world(1, stage)
}

fn owner(sim: &Sim) -> Option<mediator_model::Number> {
    let now = mediator_model::UnixMillis(1_700_000_000_000);
    sim.bindings().iter(now).next().and_then(|binding| binding.key.origination_did)
}

#[test]
fn the_first_caller_gets_the_binding_and_no_other() {
    for shards in [1, 4] {
        let mut sim = waiting(shards);
        let dave = sim.agent("dave", Party::A, "10.1.0.1:5070", "14155550111");
        sim.ua(dave).quirks.plain = true;
        let mine = sim.ua(ALICE).invite(REDIRECT);
        let theirs = sim.ua(dave).invite(REDIRECT);
        sim.run_for(seconds(2));
        let codes = [
            sim.ua(ALICE).calls[mine].outcome.unwrap(),
            sim.ua(dave).calls[theirs].outcome.unwrap(),
        ];
        assert_eq!(codes, [200, 480], "{shards} shards");
        assert_eq!(owner(&sim), Some(number(CALLER)));
        ends_well(&mut sim);
    }
}

#[test]
fn the_caller_hears_no_answer_before_the_claim_is_stored() {
    let mut sim = waiting(1);
    sim.claim_delay = Some(seconds(3));
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(millis(2900));
    assert_eq!(sim.ua(BOB).calls[0].outcome, Some(200), "bob has answered");
    assert_eq!(sim.ua(ALICE).calls[call].outcome, None);
    sim.run_for(millis(300));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
    ends_well(&mut sim);
}

#[test]
fn a_claim_that_cannot_be_stored_fails_the_call() {
    let mut sim = waiting(1);
    sim.claim_delay = None;
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 503);
    ends_well(&mut sim);
}

#[test]
fn a_claim_that_another_had_before_leaves_its_caller_without_a_binding() {
    let mut sim = waiting(1);
    sim.claim_delay = None;
    sim.claim_fails = ClaimOutcome::Lost;
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(2)).as_ref()), 480);
    ends_well(&mut sim);
}

#[test]
fn a_hidden_or_missing_number_never_claims() {
    for (from, privacy) in
        [(None, Some("id")), (Some("\"Anonymous\" <sip:anonymous@anonymous.invalid>"), None)]
    {
        let mut sim = waiting(1);
        sim.ua(ALICE).quirks.plain = true;
        sim.ua(ALICE).quirks.from = from.map(str::to_owned);
        sim.ua(ALICE).quirks.extra =
            privacy.map(|value| ("Privacy".to_owned(), value.to_owned())).into_iter().collect();
        assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 480);
        assert_eq!(owner(&sim), None);
        ends_well(&mut sim);
    }
}

#[test]
fn a_claim_stands_when_the_call_fails() {
    let mut sim = waiting(1);
    sim.ua(BOB).refuses(486);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 486);
    assert_eq!(owner(&sim), Some(number(CALLER)));
    ends_well(&mut sim);
}

#[test]
fn an_invite_that_cannot_become_a_call_claims_nothing() {
    let mut sim = waiting(1);
    sim.ua(ALICE).quirks.no_contact = true;
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 400);
    assert_eq!(owner(&sim), None);
    ends_well(&mut sim);
}

#[test]
fn a_claim_is_stored_also_where_no_trunk_is_left() {
    let mut stage = Stage::usual();
    stage.wait_for_first_caller(Duration::from_mins(5));
    stage.groups[0].trunks.clear();
    let mut sim = world(1, stage);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 503);
    assert_eq!(owner(&sim), Some(number(CALLER)));
    assert_eq!(sim.claims.len(), 1);
    ends_well(&mut sim);
}

#[test]
fn an_expiring_binding_never_cuts_a_call() {
    let mut stage = Stage::usual();
    stage.bindings[0].expires = Some(mediator_model::UnixMillis(1_700_000_010_000).into());
    let mut sim = world(1, stage);
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(20));
    assert_eq!(sim.ua(ALICE).confirmed(), 1);
    assert_eq!(code(outcome(&mut sim, REDIRECT, seconds(1)).as_ref()), 480);
    sim.ua(ALICE).act(call, Move::Bye);
    ends_well(&mut sim);
}
