//! When a message is sent again, and when that ends.

use super::{Backoff, RetransmitTimes, Tick};
use alloc::vec::Vec;
use core::time::Duration;
use mediator_model::Instant;

const START: Instant = Instant::from_millis(1_000);

/// The milliseconds after the start at which something is sent again, and the one of giving up.
fn run(mut backoff: Backoff) -> (Vec<u64>, u64) {
    let mut sent = Vec::new();
    for _ in 0..1000 {
        let now = backoff.next_deadline();
        let after = (now - START).as_millis() as u64;
        match backoff.handle_deadline(now) {
            Tick::Again => sent.push(after),
            Tick::GiveUp => return (sent, after),
            Tick::Wait => panic!("nothing was due at a deadline"),
        }
    }
    panic!("never gives up");
}

#[test]
fn capped_doubles_up_to_t2_and_gives_up_after_64_t1() {
    let (sent, gave_up) = run(Backoff::capped(START, RetransmitTimes::default()));
    assert_eq!(sent, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(gave_up, 32_000);
}

#[test]
fn uncapped_doubles_until_64_t1() {
    let (sent, gave_up) = run(Backoff::uncapped(START, RetransmitTimes::default()));
    assert_eq!(sent, [500, 1500, 3500, 7500, 15_500, 31_500]);
    assert_eq!(gave_up, 32_000);
}

#[test]
fn says_nothing_before_its_deadline() {
    let mut backoff = Backoff::capped(START, RetransmitTimes::default());
    assert_eq!(backoff.handle_deadline(START + Duration::from_millis(499)), Tick::Wait);
    assert_eq!(backoff.handle_deadline(START + Duration::from_millis(500)), Tick::Again);
    assert_eq!(backoff.handle_deadline(START + Duration::from_millis(500)), Tick::Wait);
}

#[test]
fn oversleeping_sends_once() {
    let mut backoff = Backoff::capped(START, RetransmitTimes::default());
    let late = START + Duration::from_secs(20);
    assert_eq!(backoff.handle_deadline(late), Tick::Again);
    assert_eq!(backoff.handle_deadline(late), Tick::Wait);
    assert!(backoff.next_deadline() > late);
}
