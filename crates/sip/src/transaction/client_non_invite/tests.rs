//! RFC 3261 figure 6 as ladders: what comes when, and what leaves.

use super::{ClientNonInvite, Fate};
use crate::transaction::TimerSettings;
use crate::transaction::timing::{Due, Timing};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use mediator_model::{Instant, Transport};

#[derive(Clone, Copy)]
enum Step {
    Response(u16),
    /// The transport has failed.
    Fail,
    /// Nothing comes; timers run.
    Wait,
}
use Step::{Fail, Response, Wait};

#[track_caller]
fn check(transport: Transport, steps: &[(u64, Step)], expected: &[&str]) {
    let timers = TimerSettings::default();
    let timing = Timing::new(&timers, transport);
    let mut machine = ClientNonInvite::new(Instant::ZERO, b"BYE", timing);
    let mut trace: Vec<String> = Vec::new();
    for (millis, step) in steps {
        let now = Instant::from_millis(*millis);
        while let Some(at) = machine.deadline().filter(|at| *at <= now) {
            let millis = at.as_millis();
            match machine.handle_deadline(at, timing) {
                Due::Nothing => {}
                Due::Resend(bytes) => {
                    trace.push(format!("{millis} {}", str::from_utf8(&bytes).unwrap()));
                }
                Due::GaveUp => trace.push(format!("{millis} gave up")),
            }
        }
        match step {
            Response(status) => match machine.receive(now, *status, timing) {
                Fate::Pass => trace.push(format!("{millis} up {status}")),
                Fate::Absorb => trace.push(format!("{millis} absorbed {status}")),
            },
            Fail if machine.transport_failed() => trace.push(format!("{millis} failed")),
            Fail | Wait => {}
        }
    }
    assert_eq!(trace, expected);
    assert!(machine.is_terminated(), "{machine:?}");
    assert_eq!(machine.deadline(), None);
}

#[test]
fn resends_request_with_timer_e_until_timer_f() {
    check(
        Transport::Udp,
        &[(60_000, Response(200))],
        &[
            "500 BYE",
            "1500 BYE",
            "3500 BYE",
            "7500 BYE",
            "11500 BYE",
            "15500 BYE",
            "19500 BYE",
            "23500 BYE",
            "27500 BYE",
            "31500 BYE",
            "32000 gave up",
            "60000 absorbed 200",
        ],
    );
}

#[test]
fn reliable_transport_sends_once_and_still_gives_up() {
    check(Transport::Tcp, &[(60_000, Wait)], &["32000 gave up"]);
}

#[test]
fn provisional_slows_resending_to_t2_but_not_timer_f() {
    check(
        Transport::Udp,
        &[(600, Response(100)), (2_000, Response(183)), (60_000, Wait)],
        &[
            "500 BYE",
            "600 up 100",
            "1500 BYE",
            "2000 up 183",
            "5500 BYE",
            "9500 BYE",
            "13500 BYE",
            "17500 BYE",
            "21500 BYE",
            "25500 BYE",
            "29500 BYE",
            "32000 gave up",
        ],
    );
}

#[test]
fn passes_one_final_response_and_absorbs_copies_for_timer_k() {
    check(
        Transport::Udp,
        &[
            (100, Response(200)),
            (101, Response(200)),
            (102, Response(100)),
            (5_099, Response(500)),
            (5_100, Wait),
        ],
        &["100 up 200", "101 absorbed 200", "102 absorbed 100", "5099 absorbed 500"],
    );
}

#[test]
fn final_response_ends_at_once_on_reliable_transport() {
    check(Transport::Wss, &[(100, Response(404)), (100, Wait)], &["100 up 404"]);
}

#[test]
fn transport_failure_is_told_once_and_never_after_a_final_response() {
    check(Transport::Udp, &[(100, Fail), (101, Fail), (60_000, Wait)], &["100 failed"]);
    check(Transport::Tcp, &[(100, Response(100)), (101, Fail)], &["100 up 100", "101 failed"]);
    check(Transport::Udp, &[(100, Response(200)), (101, Fail), (9_000, Wait)], &["100 up 200"]);
}

#[test]
fn forgets_the_request_with_the_final_response() {
    assert!(size_of::<ClientNonInvite>() <= 64);
    let timers = TimerSettings::default();
    let timing = Timing::new(&timers, Transport::Udp);
    let mut machine = ClientNonInvite::new(Instant::ZERO, b"BYE", timing);
    machine.receive(Instant::ZERO, 200, timing);
    assert!(!format!("{machine:?}").contains('['), "{machine:?}");
}
