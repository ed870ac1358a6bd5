//! RFC 3261 figure 7 with RFC 6026 figure 5, as ladders: what comes when, and what leaves.

use super::{AckFate, ServerInvite};
use crate::transaction::TimerSettings;
use crate::transaction::timing::{Due, Timing};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use mediator_model::{Instant, Transport};

#[derive(Clone, Copy)]
enum Step {
    /// The INVITE comes again.
    Invite,
    Ack,
    /// The core answers; the status is the message.
    Core(u16),
    /// Nothing comes; timers run.
    Wait,
}
use Step::{Ack, Core, Invite, Wait};

/// Runs the steps at their milliseconds and every timer in between; gives what was sent or told, and when.
fn run(transport: Transport, steps: &[(u64, Step)]) -> (Vec<String>, ServerInvite) {
    let timers = TimerSettings::default();
    let timing = Timing::new(&timers, transport);
    let mut machine = ServerInvite::new();
    let mut trace = Vec::new();
    let mut sent = |now: Instant, what: &[u8]| {
        trace.push(format!("{} {}", now.as_millis(), str::from_utf8(what).unwrap()));
    };
    for (millis, step) in steps {
        let now = Instant::from_millis(*millis);
        while let Some(at) = machine.deadline().filter(|at| *at <= now) {
            match machine.handle_deadline(at, timing) {
                Due::Nothing => {}
                Due::Resend(bytes) => sent(at, &bytes),
                Due::GaveUp => sent(at, b"gave up"),
            }
        }
        match step {
            Invite => machine.repeated().iter().for_each(|bytes| sent(now, bytes)),
            Ack => match machine.acknowledged(now, timing) {
                AckFate::Absorbed => sent(now, b"ack absorbed"),
                AckFate::Dialog => sent(now, b"ack up"),
            },
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
    (trace, machine)
}

#[track_caller]
fn check(transport: Transport, steps: &[(u64, Step)], expected: &[&str]) {
    let (trace, machine) = run(transport, steps);
    assert_eq!(trace, expected);
    assert!(machine.is_terminated(), "{machine:?}");
    assert_eq!(machine.deadline(), None);
}

#[test]
fn repeats_last_provisional_for_each_repeated_invite() {
    let steps = [
        (0, Invite),
        (1, Core(100)),
        (500, Invite),
        (600, Core(180)),
        (1_500, Invite),
        (3_500, Invite),
    ];
    let (trace, machine) = run(Transport::Udp, &steps);
    assert_eq!(trace, ["1 100", "500 100", "600 180", "1500 180", "3500 180"]);
    assert_eq!(machine.deadline(), None, "ringing has no limit here");
}

#[test]
fn resends_failure_until_ack_then_absorbs_acks_for_timer_i() {
    check(
        Transport::Udp,
        &[
            (0, Core(100)),
            (100, Core(486)),
            (900, Invite),
            (16_000, Ack),
            (16_001, Ack),
            (16_002, Invite),
            (20_999, Ack),
            (21_000, Wait),
        ],
        &[
            "0 100",
            "100 486",
            "600 486",
            "900 486",
            "1600 486",
            "3600 486",
            "7600 486",
            "11600 486",
            "15600 486",
            "16000 ack absorbed",
            "16001 ack absorbed",
            "20999 ack absorbed",
        ],
    );
}

#[test]
fn gives_up_failure_without_ack_after_timer_h() {
    check(
        Transport::Udp,
        &[(0, Core(503)), (40_000, Invite)],
        &[
            "0 503",
            "500 503",
            "1500 503",
            "3500 503",
            "7500 503",
            "11500 503",
            "15500 503",
            "19500 503",
            "23500 503",
            "27500 503",
            "31500 503",
            "32000 gave up",
        ],
    );
    check(Transport::Tls, &[(0, Core(503)), (40_000, Wait)], &["0 503", "32000 gave up"]);
}

#[test]
fn ack_ends_at_once_on_reliable_transport() {
    check(
        Transport::Tcp,
        &[(0, Core(404)), (20_000, Ack), (20_000, Invite), (20_001, Ack)],
        &["0 404", "20000 ack absorbed", "20001 ack absorbed"],
    );
}

#[test]
fn absorbs_invite_and_passes_2xx_of_dialog_until_timer_l() {
    for transport in [Transport::Udp, Transport::Tcp] {
        check(
            transport,
            &[
                (0, Core(180)),
                (1_000, Core(200)),
                (1_100, Invite),
                (1_500, Core(200)),
                (1_600, Core(486)),
                (1_700, Core(180)),
                (1_800, Ack),
                (32_999, Core(200)),
                (33_000, Core(200)),
                (33_001, Invite),
            ],
            &["0 180", "1000 200", "1500 200", "1800 ack up", "32999 200"],
        );
    }
}

#[test]
fn first_final_response_stands() {
    check(
        Transport::Udp,
        &[(0, Core(486)), (1, Core(200)), (2, Core(180)), (3, Core(603)), (4, Ack), (9_000, Wait)],
        &["0 486", "4 ack absorbed"],
    );
}

#[test]
fn ack_before_final_response_means_nothing() {
    let (trace, machine) = run(Transport::Udp, &[(0, Core(180)), (5, Ack), (6, Invite)]);
    assert_eq!(trace, ["0 180", "5 ack absorbed", "6 180"]);
    assert!(!machine.is_terminated());
}

#[test]
fn sends_one_copy_after_long_sleep() {
    let timers = TimerSettings::default();
    let timing = Timing::new(&timers, Transport::Udp);
    let mut machine = ServerInvite::new();
    machine.respond(Instant::ZERO, 486, Bytes::from_static(b"486"), timing).unwrap();
    let late = Instant::from_millis(20_000);
    assert_eq!(machine.handle_deadline(late, timing), Due::Resend(Bytes::from_static(b"486")));
    assert_eq!(machine.handle_deadline(late, timing), Due::Nothing);
    assert_eq!(machine.deadline(), Some(Instant::from_millis(21_000)));
}

#[test]
fn keeps_only_bytes_that_it_may_send_again() {
    assert!(size_of::<ServerInvite>() <= 64);
    let timers = TimerSettings::default();
    let timing = Timing::new(&timers, Transport::Udp);
    let mut machine = ServerInvite::new();
    let ringing = Bytes::from(Vec::from([b'x'; 4_000])).slice(10..13);
    machine.respond(Instant::ZERO, 180, ringing, timing);
    assert!(format!("{machine:?}").contains("[120, 120, 120]"), "a copy of three bytes");
    machine.respond(Instant::ZERO, 200, Bytes::from_static(b"200"), timing);
    assert!(!format!("{machine:?}").contains('['), "{machine:?}");
}
