//! What random calls have found, as rules.

use mediator_model::Transport;
use mediator_sim::{Move, REDIRECT};

use crate::support::{ALICE, BOB, connect, ends_well, masked, millis, seconds};

const fn ring(status: u16, fork: usize) -> Move {
    Move::Ring { status, fork, sdp: false, reliable: false }
}

#[test]
fn every_fork_that_answers_after_the_cancel_is_ended() {
    let mut sim = masked(1);
    sim.ua(BOB).script = vec![
        (millis(5), ring(180, 0)),
        (millis(498), Move::Answer { fork: 0 }),
        (millis(499), Move::Answer { fork: 1 }),
    ];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.ua(ALICE).later(call, millis(503), Move::Cancel);
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(487));
    let dialogs = sim.ua(BOB).calls[0].dialogs.clone();
    assert!(dialogs.len() == 2 && dialogs.iter().all(|dialog| dialog.bye_received));
    ends_well(&mut sim);
}

#[test]
fn a_caller_who_knows_of_no_dialog_is_asked_nothing_in_it() {
    let mut sim = masked(1);
    sim.ua(BOB).quirks.allows_update = true;
    sim.ua(BOB).script = vec![
        (millis(5), ring(180, 0)),
        (millis(20), Move::Info('5')),
        (millis(30), Move::Update(Some(mediator_sim::Media::Active))),
        (seconds(1), Move::Answer { fork: 0 }),
    ];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(ALICE).asked("INFO") + sim.ua(ALICE).asked("UPDATE"), 0);
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    ends_well(&mut sim);
}

#[test]
fn a_2xx_is_repeated_until_its_ack_also_when_bye_has_come() {
    let mut sim = masked(1);
    sim.ua(ALICE).quirks.acks_lost = 2;
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.ua(ALICE).later(call, millis(700), Move::Bye);
    sim.run_for(seconds(5));
    let answers = sim.ua(ALICE).received.iter();
    let answers = answers.filter(|w| w.status() == 200 && w.method() == "INVITE").count();
    assert_eq!(answers, 3, "until the third is acknowledged");
    ends_well(&mut sim);
}

#[test]
fn the_bye_to_a_losing_fork_is_in_order_after_what_it_was_asked_before() {
    let mut sim = masked(1);
    sim.ua(BOB).script = vec![
        (millis(5), ring(180, 0)),
        (millis(500), Move::Answer { fork: 1 }),
        (millis(510), Move::Answer { fork: 0 }),
    ];
    let call = sim.ua(ALICE).invite(REDIRECT);
    sim.ua(ALICE).later(call, millis(100), Move::Info('5'));
    sim.ua(ALICE).later(call, millis(200), Move::Info('6'));
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(BOB).asked("INFO"), 2);
    let dialogs = sim.ua(BOB).calls[0].dialogs.clone();
    assert!(dialogs[0].bye_received && !dialogs[1].bye_received);
    ends_well(&mut sim);
}

#[test]
fn a_request_in_a_fork_that_the_caller_does_not_hear_is_not_481() {
    let mut sim = masked(1);
    sim.ua(BOB).script = vec![
        (millis(5), ring(180, 1)),
        (millis(10), ring(180, 0)),
        // In the first dialog that is early: fork 0.
        (millis(20), Move::Info('5')),
        (seconds(1), Move::Answer { fork: 1 }),
    ];
    sim.ua(ALICE).invite(REDIRECT);
    sim.run_for(seconds(3));
    assert_eq!(sim.ua(BOB).heard(481), 0);
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    ends_well(&mut sim);
}

#[test]
fn an_invite_without_via_gets_silence() {
    let mut sim = masked(1);
    connect(&mut sim);
    let before = sim.ua(ALICE).received.len();
    sim.ua(ALICE).say("INVITE sip:x SIP/2.0\r\n\r\n");
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(ALICE).received.len(), before);
    ends_well(&mut sim);
}

#[test]
fn a_2xx_after_a_failure_is_acknowledged_and_ended() {
    // With the caller's answer given, and with another trunk ringing meanwhile.
    for moves_on in [false, true] {
        let mut stage = mediator_sim::Stage::usual();
        if moves_on {
            stage.way_out(2, 1, 0);
        }
        let mut sim = crate::support::world(1, stage);
        if moves_on {
            let carol = sim.agent("carol", mediator_sim::Party::B, "10.2.0.2:5060", "carol");
            sim.ua(carol).script =
                vec![(millis(20), ring(180, 0)), (seconds(4), Move::Answer { fork: 0 })];
        }
        let refuse = Move::Refuse { status: 503, headers: Vec::new() };
        sim.ua(BOB).script = vec![(millis(20), refuse), (seconds(1), Move::AnswerAfterFailure)];
        let call = sim.ua(ALICE).invite(REDIRECT);
        sim.run_for(seconds(8));
        assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(if moves_on { 200 } else { 503 }));
        let ended = sim.ua(BOB).calls[0].dialogs[0].clone();
        assert!(ended.bye_received, "{}", sim.trace());
        assert_eq!(sim.ua(BOB).confirmed(), 0);
        ends_well(&mut sim);
    }
}

#[test]
fn a_2xx_after_the_failure_of_a_re_invite_is_acknowledged() {
    let mut sim = masked(1);
    let call = connect(&mut sim);
    sim.ua(BOB).quirks.reinvites = mediator_sim::Answering::Refuse(488);
    sim.ua(ALICE).act(call, Move::Reinvite(mediator_sim::Media::Hold));
    sim.run_for(seconds(1));
    sim.ua(BOB).accept_last_invite(0);
    sim.run_for(seconds(1));
    assert_eq!(sim.ua(BOB).asked("ACK"), 3, "of the first 200, the 488 and the late 200");
    assert_eq!((sim.ua(ALICE).confirmed(), sim.ua(BOB).confirmed()), (1, 1));
    ends_well(&mut sim);
}

#[test]
fn an_invite_that_is_repeated_when_its_call_is_over_is_a_call_of_its_own() {
    for transport in [Transport::Udp, Transport::Tcp] {
        for another_connection in [false, true] {
            let mut sim = masked(1);
            sim.ua(ALICE).profile.transport = transport;
            sim.ua(BOB).refuses(503);
            let call = sim.ua(ALICE).invite(REDIRECT);
            sim.run_for(seconds(40));
            assert_eq!(sim.ua(ALICE).calls[call].outcome, Some(503));
            if another_connection {
                sim.disconnect(ALICE);
            }
            sim.ua(BOB).answers();
            sim.ua(ALICE).act(call, Move::Replay);
            sim.run_for(seconds(3));
            assert_eq!(sim.records.len(), 1);
            sim.run_for(seconds(60));
            ends_well(&mut sim);
        }
    }
}
