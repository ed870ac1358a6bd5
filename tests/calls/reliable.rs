//! Reliable provisional responses towards both sides: RFC 3262, contract "PRACK/100rel".

use mediator_sim::{Media, Move, REDIRECT, Stage};

use crate::support::{ALICE, BOB, ends_well, masked, millis, seconds, world};

const fn ring(status: u16, sdp: bool) -> Move {
    Move::Ring { status, fork: 0, sdp, reliable: true }
}

#[test]
fn an_offer_that_waits_for_a_prack_is_answered_when_it_has_left() {
    let mut sim = masked(1);
    sim.ua(ALICE).quirks.late_offer = true;
    sim.ua(ALICE).quirks.supports_100rel = true;
    sim.ua(ALICE).quirks.requires_100rel = true;
    sim.ua(ALICE).quirks.pracks_lost = 1;
    sim.ua(BOB).script = vec![
        (millis(10), ring(180, false)),
        (millis(20), ring(183, true)),
        (seconds(6), Move::Answer { fork: 0 }),
    ];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(10));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
    // The INVITE's absence of SDP, then the answer in PRACK.
    assert_eq!(sim.ua(BOB).calls[0].dialogs[0].heard.len(), 1, "bob has the answer");
    ends_well(&mut sim);
}

#[test]
fn sdp_of_a_reliable_183_reaches_a_caller_who_supports_it_reliably() {
    let mut sim = masked(2);
    sim.ua(ALICE).quirks.supports_100rel = true;
    sim.ua(BOB).script =
        vec![(millis(10), ring(183, true)), (seconds(1), Move::Answer { fork: 0 })];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 183]);
    assert_eq!(sim.ua(BOB).asked("PRACK"), 1);
    let ringing = sim.ua(ALICE).received.iter().find(|wire| wire.status() == 183).cloned();
    let ringing = ringing.unwrap();
    assert!(ringing.has_sdp() && ringing.has_option("Require", "100rel"));
    assert_eq!(sim.ua(ALICE).confirmed(), 1);
    ends_well(&mut sim);
}

#[test]
fn a_caller_who_requires_100rel_gets_every_1xx_reliably() {
    let mut sim = masked(3);
    sim.ua(ALICE).quirks.supports_100rel = true;
    sim.ua(ALICE).quirks.requires_100rel = true;
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    let ringing = sim.ua(ALICE).received.iter().find(|wire| wire.status() == 180).cloned();
    assert!(ringing.unwrap().header("RSeq").is_some());
    assert_eq!(sim.ua(ALICE).confirmed(), 1);
    ends_well(&mut sim);
}

#[test]
fn a_caller_who_never_acknowledges_a_reliable_1xx_gets_504() {
    let mut sim = masked(4);
    sim.ua(ALICE).quirks.supports_100rel = true;
    sim.ua(ALICE).quirks.requires_100rel = true;
    sim.ua(ALICE).quirks.prackless = true;
    sim.ua(BOB).script = vec![(millis(10), ring(183, true))];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(40));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(504));
    assert!(sim.ua(BOB).calls[0].cancelled);
    ends_well(&mut sim);
}

#[test]
fn a_silent_binding_answers_for_itself_in_a_reliable_183() {
    let mut stage = Stage::usual();
    stage.attributes(&[("hide_origination_did", "true"), ("ringback", "false")]);
    let mut sim = world(5, stage);
    sim.ua(ALICE).quirks.supports_100rel = true;
    sim.ua(BOB).script =
        vec![(millis(10), ring(183, true)), (seconds(1), Move::Answer { fork: 0 })];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(ALICE).calls[call].heard, [100, 183], "and no ringing");
    let ringing = sim.ua(ALICE).received.iter().find(|wire| wire.status() == 183).cloned();
    let ringing = ringing.unwrap();
    assert!(ringing.has_option("Require", "100rel"), "{ringing:?}");
    assert!(ringing.sdp_line('m').unwrap().starts_with("audio 30000 "), "{ringing:?}");
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
    ends_well(&mut sim);
}

#[test]
fn a_late_offer_through_a_silent_binding_waits_for_the_200() {
    let mut stage = Stage::usual();
    stage.attributes(&[("hide_origination_did", "true"), ("ringback", "false")]);
    let mut sim = world(6, stage);
    sim.ua(ALICE).quirks.late_offer = true;
    sim.ua(ALICE).quirks.supports_100rel = true;
    sim.ua(BOB).script =
        vec![(millis(10), ring(183, true)), (seconds(1), Move::Answer { fork: 0 })];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(200));
    assert_eq!(sim.ua(BOB).calls[0].dialogs[0].heard.len(), 1, "bob has the answer");
    ends_well(&mut sim);
}

#[test]
fn an_offer_in_an_early_update_of_the_called_side_is_answered() {
    let mut sim = masked(7);
    sim.ua(ALICE).quirks.supports_100rel = true;
    sim.ua(ALICE).quirks.allows_update = true;
    sim.ua(BOB).script = vec![
        (millis(10), ring(183, true)),
        (millis(800), Move::Update(Some(Media::Other))),
        (millis(1000), Move::Update(None)),
        (seconds(2), Move::Answer { fork: 0 }),
    ];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(4));
    assert_eq!(sim.ua(ALICE).asked("UPDATE"), 1);
    let answers = |wire: &&mediator_sim::Wire| !wire.is_request() && wire.method() == "UPDATE";
    let answers: Vec<_> = sim.ua(BOB).received.iter().filter(answers).cloned().collect();
    assert_eq!(answers.len(), 2, "{answers:?}");
    assert!(answers.iter().all(|wire| wire.status() == 200 && wire.contact().is_some()));
    assert!(answers[0].has_sdp() && !answers[1].has_sdp(), "{answers:?}");
    assert_eq!(sim.ua(ALICE).confirmed(), 1);
    ends_well(&mut sim);
}
