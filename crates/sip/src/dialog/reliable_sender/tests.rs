//! Reliable provisional responses until their PRACK comes: RFC 3262 §3.

use super::super::testing::request;
use super::super::{RetransmitTimes, Sdp};
use super::{MAX_QUEUED_PROVISIONALS, PrackFault, QueueFull, ReliableEvent, ReliableSender};
use crate::Request;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use core::time::Duration;
use mediator_model::Instant;

const NOW: Instant = Instant::from_millis(10);
const RINGING: Bytes = Bytes::from_static(b"180");
const PROGRESS: Bytes = Bytes::from_static(b"183");

fn sender() -> ReliableSender {
    ReliableSender::new(4711, 776_655, RetransmitTimes::default())
}

fn prack(rack: &str) -> Request {
    request(&format!(
        "PRACK sip:us@example.net SIP/2.0\n\
         Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\n\
         Max-Forwards: 70\n\
         From: <sip:them@example.com>;tag=them\n\
         To: <sip:us@example.net>;tag=us\n\
         Call-ID: prack\n\
         CSeq: 4712 PRACK\n\
         {rack}Content-Length: 0"
    ))
}

fn prack_of(rseq: u32) -> Request {
    prack(&format!("RAck: {rseq} 4711 INVITE\n"))
}

#[test]
fn the_first_rseq_lies_between_1_and_2_to_the_31_minus_1() {
    for dice in [0, 1, 0x7FFF_FFFE, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
        let first = ReliableSender::new(1, dice, RetransmitTimes::default()).next_rseq();
        assert!((1..=0x7FFF_FFFF).contains(&first), "{dice}: {first}");
    }
}

#[test]
fn resends_with_doubling_intervals_and_gives_up_after_64_t1() {
    let mut sender = sender();
    assert_eq!(sender.send(NOW, RINGING, Sdp::Absent), Ok(Some(RINGING)));
    let mut resent = Vec::new();
    loop {
        let now = sender.next_deadline().unwrap();
        let after = (now - NOW).as_millis();
        match sender.handle_deadline(now) {
            ReliableEvent::Resend(bytes) => {
                assert_eq!(bytes, RINGING);
                resent.push(after);
            }
            ReliableEvent::GaveUp => {
                assert_eq!(after, 32_000);
                break;
            }
            ReliableEvent::None => panic!("nothing was due at a deadline"),
        }
    }
    assert_eq!(resent, [500, 1500, 3500, 7500, 15_500, 31_500]);
    assert_eq!(sender.next_deadline(), None);
    assert_eq!(sender.handle_deadline(NOW + Duration::from_mins(1)), ReliableEvent::None);
}

#[test]
fn a_prack_ends_the_retransmission() {
    let mut sender = sender();
    let rseq = sender.next_rseq();
    sender.send(NOW, PROGRESS, Sdp::Present).unwrap();
    let acknowledged = sender.handle_prack(NOW, &prack_of(rseq)).unwrap();
    assert_eq!((acknowledged.rseq, acknowledged.sdp), (rseq, Sdp::Present));
    assert_eq!((acknowledged.next, acknowledged.next_sdp), (None, Sdp::Absent));
    assert!(sender.is_idle());
    assert_eq!(sender.next_deadline(), None);
    assert_eq!(sender.next_rseq(), rseq + 1);
}

#[test]
fn the_next_response_leaves_when_the_prack_has_come() {
    let mut sender = sender();
    let first = sender.next_rseq();
    assert_eq!(sender.send(NOW, RINGING, Sdp::Absent), Ok(Some(RINGING)));
    assert_eq!(sender.send(NOW, PROGRESS, Sdp::Present), Ok(None));
    assert_eq!(sender.next_rseq(), first + 2);

    let later = NOW + Duration::from_millis(300);
    assert_eq!(sender.handle_prack(later, &prack_of(first + 1)), Err(PrackFault::NoMatch));
    let acknowledged = sender.handle_prack(later, &prack_of(first)).unwrap();
    assert_eq!(acknowledged.next, Some(PROGRESS));
    assert_eq!(acknowledged.next_sdp, Sdp::Present);
    assert_eq!(sender.next_deadline(), Some(later + Duration::from_millis(500)));
    assert!(sender.handle_prack(later, &prack_of(first + 1)).is_ok());
    assert!(sender.is_idle());
}

#[test]
fn a_prack_matches_rseq_cseq_and_method() {
    let mut sender = sender();
    let rseq = sender.next_rseq();
    sender.send(NOW, RINGING, Sdp::Absent).unwrap();
    for (rack, fault) in [
        (format!("RAck: {} 4711 INVITE\n", rseq + 1), PrackFault::NoMatch),
        (format!("RAck: {} 4711 INVITE\n", rseq - 1), PrackFault::NoMatch),
        (format!("RAck: {rseq} 4712 INVITE\n"), PrackFault::NoMatch),
        (format!("RAck: {rseq} 4711 UPDATE\n"), PrackFault::NoMatch),
        (format!("RAck: {rseq} INVITE\n"), PrackFault::NoRAck),
        (String::new(), PrackFault::NoRAck),
    ] {
        assert_eq!(sender.handle_prack(NOW, &prack(&rack)), Err(fault), "{rack}");
    }
    assert!(!sender.is_idle());
    assert!(sender.handle_prack(NOW, &prack_of(rseq)).is_ok());
    assert_eq!(sender.handle_prack(NOW, &prack_of(rseq)), Err(PrackFault::NoMatch), "again");
    assert_eq!((PrackFault::NoMatch.status(), PrackFault::NoRAck.status()), (481, 400));
}

#[test]
fn a_2xx_waits_while_a_1xx_with_sdp_is_unacknowledged() {
    let mut sender = sender();
    assert!(!sender.holds_2xx());
    let rseq = sender.next_rseq();
    sender.send(NOW, RINGING, Sdp::Absent).unwrap();
    sender.send(NOW, PROGRESS, Sdp::Present).unwrap();
    assert!(!sender.holds_2xx(), "the 1xx with SDP has not left yet");
    sender.handle_prack(NOW, &prack_of(rseq)).unwrap();
    assert!(sender.holds_2xx());
    sender.handle_prack(NOW, &prack_of(rseq + 1)).unwrap();
    assert!(!sender.holds_2xx());
}

#[test]
fn after_the_final_response_a_prack_still_matches_but_nothing_is_sent() {
    let mut sender = sender();
    let rseq = sender.next_rseq();
    sender.send(NOW, RINGING, Sdp::Absent).unwrap();
    sender.send(NOW, PROGRESS, Sdp::Absent).unwrap();
    sender.finish();
    assert_eq!(sender.next_deadline(), None);
    assert_eq!(sender.handle_deadline(NOW + Duration::from_secs(1)), ReliableEvent::None);
    assert_eq!(sender.handle_prack(NOW, &prack_of(rseq)).unwrap().next, None);
}

#[test]
fn the_queue_has_a_limit() {
    let mut sender = sender();
    let first = sender.next_rseq();
    sender.send(NOW, RINGING, Sdp::Absent).unwrap();
    for _ in 0..MAX_QUEUED_PROVISIONALS {
        assert_eq!(sender.send(NOW, RINGING, Sdp::Absent), Ok(None));
    }
    let next = sender.next_rseq();
    assert_eq!(sender.send(NOW, RINGING, Sdp::Absent), Err(QueueFull));
    assert_eq!(sender.next_rseq(), next, "a refused response uses no number up");
    sender.handle_prack(NOW, &prack_of(first)).unwrap();
    assert_eq!(sender.send(NOW, RINGING, Sdp::Absent), Ok(None));
}
