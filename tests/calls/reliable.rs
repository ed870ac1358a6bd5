//! Reliable provisional responses towards both sides: RFC 3262, contract "PRACK/100rel".

use mediator_sim::{Move, REDIRECT};

use crate::support::{ALICE, BOB, ends_well, masked, millis, seconds};

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
