//! Which reliable provisional responses are acknowledged: RFC 3262 §4.

use super::super::testing::response;
use super::ReliableVerdict::{Acknowledge, Duplicate, Faulty, Gap, Unreliable};
use super::{ReliableReceiver, ReliableVerdict};
use alloc::format;

fn provisional(status: u16, cseq: u32, lines: &str) -> crate::Response {
    response(&format!(
        "SIP/2.0 {status} Whatever\n\
         Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9\n\
         From: <sip:alice@atlanta.example.com>;tag=9fxced76sl\n\
         To: <sip:bob@biloxi.example.com>;tag=314159\n\
         Call-ID: 3848276298220188511\n\
         CSeq: {cseq} INVITE\n\
         {lines}Content-Length: 0"
    ))
}

fn reliable(cseq: u32, rseq: u32) -> crate::Response {
    provisional(183, cseq, &format!("Require: 100rel\nRSeq: {rseq}\n"))
}

/// Shows the RSeq values to one receiver, in turn.
fn check(rows: &[(u32, ReliableVerdict)]) {
    let mut receiver = ReliableReceiver::new();
    for (rseq, verdict) in rows {
        assert_eq!(receiver.handle_response(&reliable(7, *rseq)), *verdict, "{rseq}");
    }
}

#[test]
fn the_first_rseq_may_be_anything_but_zero() {
    check(&[(988_789, Acknowledge { rseq: 988_789, cseq: 7 })]);
    check(&[(1, Acknowledge { rseq: 1, cseq: 7 })]);
    check(&[(u32::MAX, Acknowledge { rseq: u32::MAX, cseq: 7 }), (1, Duplicate)]);
    check(&[(0, Faulty), (5, Acknowledge { rseq: 5, cseq: 7 })]);
}

#[test]
fn the_next_rseq_is_one_higher() {
    check(&[
        (10, Acknowledge { rseq: 10, cseq: 7 }),
        (11, Acknowledge { rseq: 11, cseq: 7 }),
        (12, Acknowledge { rseq: 12, cseq: 7 }),
    ]);
}

#[test]
fn retransmissions_are_duplicates() {
    check(&[
        (10, Acknowledge { rseq: 10, cseq: 7 }),
        (10, Duplicate),
        (11, Acknowledge { rseq: 11, cseq: 7 }),
        (10, Duplicate),
    ]);
}

#[test]
fn a_gap_waits_for_what_is_missing() {
    check(&[
        (10, Acknowledge { rseq: 10, cseq: 7 }),
        (12, Gap),
        (11, Acknowledge { rseq: 11, cseq: 7 }),
        (12, Acknowledge { rseq: 12, cseq: 7 }),
    ]);
}

#[test]
fn another_invite_has_its_own_numbers() {
    let mut receiver = ReliableReceiver::new();
    receiver.handle_response(&reliable(7, 100));
    assert_eq!(receiver.handle_response(&reliable(8, 3)), Acknowledge { rseq: 3, cseq: 8 });
}

#[test]
fn only_require_100rel_makes_it_reliable() {
    for lines in ["", "RSeq: 5\n", "Supported: 100rel\nRSeq: 5\n", "Require: timer\nRSeq: 5\n"] {
        let mut receiver = ReliableReceiver::new();
        assert_eq!(receiver.handle_response(&provisional(180, 7, lines)), Unreliable, "{lines}");
    }
    let mut receiver = ReliableReceiver::new();
    let several = provisional(180, 7, "Require: timer, 100REL\nRSeq: 5\n");
    assert_eq!(receiver.handle_response(&several), Acknowledge { rseq: 5, cseq: 7 });
}

#[test]
fn a_100_and_a_final_response_are_never_reliable() {
    for status in [100, 200, 486] {
        let mut receiver = ReliableReceiver::new();
        let response = provisional(status, 7, "Require: 100rel\nRSeq: 5\n");
        assert_eq!(receiver.handle_response(&response), Unreliable);
    }
}

#[test]
fn a_missing_or_broken_rseq_is_a_fault() {
    for lines in
        ["Require: 100rel\n", "Require: 100rel\nRSeq: x\n", "Require: 100rel\nRSeq: 4294967296\n"]
    {
        let mut receiver = ReliableReceiver::new();
        assert_eq!(receiver.handle_response(&provisional(183, 7, lines)), Faulty, "{lines}");
    }
}
