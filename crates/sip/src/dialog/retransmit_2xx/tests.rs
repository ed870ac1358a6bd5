//! The 2xx again and again until its ACK: RFC 3261 §13.3.1.4.

use super::super::RetransmitTimes;
use super::{Retransmission, Retransmit2xx};
use bytes::Bytes;
use core::time::Duration;
use mediator_model::Instant;

const START: Instant = Instant::from_millis(7);

fn answer() -> Retransmit2xx {
    let bytes = Bytes::from_static(b"SIP/2.0 200 OK\r\n\r\n");
    Retransmit2xx::new(START, 4711, bytes, RetransmitTimes::default())
}

#[test]
fn resends_2xx_until_64_t1_and_then_gives_up() {
    let mut answer = answer();
    let mut resent = 0;
    loop {
        let now = answer.next_deadline();
        match answer.handle_deadline(now) {
            Retransmission::Resend => resent += 1,
            Retransmission::GaveUp => {
                assert_eq!(now - START, Duration::from_secs(32));
                break;
            }
            Retransmission::None => panic!("nothing was due at a deadline"),
        }
    }
    assert_eq!(resent, 10);
}

#[test]
fn waits_for_its_deadline() {
    let mut answer = answer();
    assert_eq!(answer.next_deadline() - START, Duration::from_millis(500));
    assert_eq!(answer.handle_deadline(START), Retransmission::None);
}

#[test]
fn only_the_ack_of_its_invite_counts() {
    let answer = answer();
    assert!(answer.is_acknowledged_by(4711));
    assert!(!answer.is_acknowledged_by(4710));
    assert!(!answer.is_acknowledged_by(4712));
}

#[test]
fn keeps_the_2xx_as_it_was_sent() {
    assert_eq!(answer().bytes(), &b"SIP/2.0 200 OK\r\n\r\n"[..]);
}
