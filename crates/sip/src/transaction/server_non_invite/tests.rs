//! RFC 3261 figure 8 as ladders: what comes when, and what leaves.

use super::ServerNonInvite;
use crate::transaction::TimerSettings;
use crate::transaction::timing::{Due, Timing};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use bytes::Bytes;
use mediator_model::{Instant, Transport};

#[derive(Clone, Copy)]
enum Step {
    /// The request comes again.
    Again,
    /// The core answers; the status is the message.
    Core(u16),
    /// Nothing comes; timers run.
    Wait,
}
use Step::{Again, Core, Wait};

#[track_caller]
fn check(transport: Transport, steps: &[(u64, Step)], expected: &[&str]) {
    let timers = TimerSettings::default();
    let timing = Timing::new(&timers, transport);
    let mut machine = ServerNonInvite::new(Instant::ZERO, timing);
    let mut trace: Vec<String> = Vec::new();
    let mut sent = |now: Instant, what: &[u8]| {
        trace.push(format!("{} {}", now.as_millis(), str::from_utf8(what).unwrap()));
    };
    for (millis, step) in steps {
        let now = Instant::from_millis(*millis);
        while let Some(at) = machine.deadline().filter(|at| *at <= now) {
            match machine.handle_deadline(at) {
                Due::Nothing => {}
                Due::Resend(bytes) => sent(at, &bytes),
                Due::GaveUp => sent(at, b"gave up"),
            }
        }
        match step {
            Again => machine.repeated().iter().for_each(|bytes| sent(now, bytes)),
            Core(status) => {
                let bytes = Bytes::from(format!("{status}"));
                machine
                    .respond(now, *status, bytes, timing)
                    .iter()
                    .for_each(|bytes| sent(now, bytes));
            }
            Wait => {}
        }
    }
    assert_eq!(trace, expected);
    assert!(machine.is_terminated(), "{machine:?}");
    assert_eq!(machine.deadline(), None);
}

#[test]
fn answers_each_repetition_with_the_final_response_until_timer_j() {
    check(
        Transport::Udp,
        &[
            (0, Again),
            (10, Core(200)),
            (500, Again),
            (1_500, Again),
            (32_009, Again),
            (32_010, Again),
        ],
        &["10 200", "500 200", "1500 200", "32009 200"],
    );
}

#[test]
fn repeats_provisional_while_the_core_works() {
    check(
        Transport::Udp,
        &[
            (0, Again),
            (5_000, Core(100)),
            (5_500, Again),
            (6_000, Core(503)),
            (6_500, Again),
            (40_000, Wait),
        ],
        &["5000 100", "5500 100", "6000 503", "6500 503"],
    );
}

#[test]
fn first_final_response_stands() {
    check(
        Transport::Udp,
        &[(0, Core(481)), (1, Core(200)), (2, Core(100)), (3, Again), (32_000, Wait)],
        &["0 481", "3 481"],
    );
}

#[test]
fn final_response_ends_at_once_on_reliable_transport() {
    check(Transport::Ws, &[(0, Core(100)), (1, Core(200)), (1, Again)], &["0 100", "1 200"]);
}

#[test]
fn request_that_nobody_answers_is_given_up() {
    for steps in [vec![(40_000, Wait)], vec![(0, Again), (31_999, Again), (40_000, Core(200))]] {
        check(Transport::Udp, &steps, &["32000 gave up"]);
        check(Transport::Tcp, &steps, &["32000 gave up"]);
    }
    check(Transport::Udp, &[(9, Core(100)), (40_000, Core(200))], &["9 100", "32000 gave up"]);
}
