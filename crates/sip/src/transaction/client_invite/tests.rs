//! RFC 3261 figure 5 with RFC 6026 figure 6, as ladders: what comes when, and what leaves.

use super::{ClientInvite, Fate};
use crate::transaction::TimerSettings;
use crate::transaction::timing::{Due, Timing};
use crate::{Message, Response};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use mediator_model::{Instant, Transport};

const INVITE: &str = "INVITE sip:1002@192.0.2.9;transport=udp SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1;rport\r\n\
    Max-Forwards: 69\r\n\
    Route: <sip:192.0.2.8;lr>, <sip:192.0.2.7;lr>\r\n\
    Route: <sip:192.0.2.6;lr>\r\n\
    From: \"1001\" <sip:1001@192.0.2.1>;tag=ours\r\n\
    To: <sip:1002@192.0.2.9>\r\n\
    Call-ID: c1\r\n\
    CSeq: 7 INVITE\r\n\
    Require: 100rel\r\n\
    Proxy-Require: foo\r\n\
    Proxy-Authorization: Digest username=\"u\"\r\n\
    Contact: <sip:192.0.2.1>\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 3\r\n\r\nv=0";

fn response(status: u16) -> Response {
    let text = format!(
        "SIP/2.0 {status} Whatever\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1;rport=5060;received=192.0.2.1\r\n\
         From: \"1001\" <sip:1001@192.0.2.1>;tag=ours\r\n\
         To: <sip:1002@192.0.2.9>;tag=theirs\r\n\
         Call-ID: c1\r\n\
         CSeq: 7 INVITE\r\n\
         Content-Length: 0\r\n\r\n"
    );
    match Message::parse(Bytes::from(text)) {
        Ok(Message::Response(response)) => response,
        other => panic!("{other:?}"),
    }
}

#[derive(Clone, Copy)]
enum Step {
    Response(u16),
    /// The transport has failed.
    Fail,
    /// The core cancels.
    Cancel,
    /// Nothing comes; timers run.
    Wait,
}
use Step::{Cancel, Fail, Wait};

/// The method of a request that was sent.
fn method(bytes: &[u8]) -> String {
    str::from_utf8(bytes).unwrap().split(' ').next().unwrap().into()
}

#[track_caller]
fn check(transport: Transport, steps: &[(u64, Step)], expected: &[&str]) {
    let timers = TimerSettings::default();
    let timing = Timing::new(&timers, transport);
    let mut machine = ClientInvite::new(Instant::ZERO, INVITE.as_bytes(), timing);
    let mut trace: Vec<String> = Vec::new();
    for (millis, step) in steps {
        let now = Instant::from_millis(*millis);
        while let Some(at) = machine.deadline().filter(|at| *at <= now) {
            let millis = at.as_millis();
            match machine.handle_deadline(at) {
                Due::Nothing => {}
                Due::Resend(bytes) => {
                    assert_eq!(bytes, INVITE.as_bytes());
                    trace.push(format!("{millis} INVITE"));
                }
                Due::GaveUp => trace.push(format!("{millis} gave up")),
            }
        }
        match step {
            Step::Response(status) => {
                let fate = match machine.receive(now, &response(*status), timing) {
                    Fate::Pass => "up".into(),
                    Fate::Acknowledge(ack) => format!("up {}", method(&ack)),
                    Fate::AcknowledgeAgain(ack) => format!("absorbed {}", method(&ack)),
                    Fate::Absorb => "absorbed".into(),
                    Fate::Late2xx => "late".into(),
                };
                trace.push(format!("{millis} {status} {fate}"));
            }
            Cancel => {
                let sent = machine.cancel(None).map_or("nothing".into(), |bytes| method(&bytes));
                machine.cancelled(now, timing);
                trace.push(format!("{millis} {sent}"));
            }
            Fail if machine.transport_failed() => trace.push(format!("{millis} failed")),
            Fail | Wait => {}
        }
    }
    assert_eq!(trace, expected);
    assert!(machine.is_terminated(), "{machine:?}");
    assert_eq!(machine.deadline(), None);
}

#[test]
fn resends_invite_with_timer_a_doubling_until_timer_b() {
    check(
        Transport::Udp,
        &[(60_000, Wait)],
        &[
            "500 INVITE",
            "1500 INVITE",
            "3500 INVITE",
            "7500 INVITE",
            "15500 INVITE",
            "31500 INVITE",
            "32000 gave up",
        ],
    );
    check(Transport::Tcp, &[(60_000, Wait)], &["32000 gave up"]);
}

#[test]
fn provisional_stops_timers_a_and_b() {
    check(
        Transport::Udp,
        &[
            (700, Step::Response(100)),
            (100_000, Step::Response(180)),
            (200_000, Step::Response(200)),
            (232_000, Wait),
        ],
        &["500 INVITE", "700 100 up", "100000 180 up", "200000 200 up"],
    );
}

#[test]
fn passes_each_2xx_until_timer_m() {
    for transport in [Transport::Udp, Transport::Tls] {
        check(
            transport,
            &[
                (100, Step::Response(200)),
                (600, Step::Response(200)),
                (700, Step::Response(180)),
                (800, Step::Response(486)),
                (32_099, Step::Response(202)),
                (32_100, Step::Response(200)),
            ],
            &[
                "100 200 up",
                "600 200 up",
                "700 180 absorbed",
                "800 486 absorbed",
                "32099 202 up",
                "32100 200 absorbed",
            ],
        );
    }
}

#[test]
fn acknowledges_each_copy_of_a_failure_until_timer_d() {
    check(
        Transport::Udp,
        &[
            (100, Step::Response(180)),
            (200, Step::Response(486)),
            (700, Step::Response(486)),
            (701, Step::Response(180)),
            (32_199, Step::Response(486)),
            (32_200, Wait),
        ],
        &[
            "100 180 up",
            "200 486 up ACK",
            "700 486 absorbed ACK",
            "701 180 absorbed",
            "32199 486 absorbed ACK",
        ],
    );
}

#[test]
fn failure_ends_at_once_on_reliable_transport() {
    check(
        Transport::Tcp,
        &[(100, Step::Response(486)), (101, Step::Response(486))],
        &["100 486 up ACK", "101 486 absorbed"],
    );
}

#[test]
fn late_2xx_after_failure_is_not_lost() {
    check(
        Transport::Udp,
        &[(100, Step::Response(487)), (150, Step::Response(200)), (60_000, Wait)],
        &["100 487 up ACK", "150 200 late"],
    );
}

#[test]
fn cancels_only_between_first_provisional_and_final_response() {
    check(
        Transport::Udp,
        &[
            (100, Cancel),
            (200, Step::Response(180)),
            (300, Cancel),
            (400, Step::Response(487)),
            (500, Cancel),
            (60_000, Wait),
        ],
        &["100 nothing", "200 180 up", "300 CANCEL", "400 487 up ACK", "500 nothing"],
    );
}

#[test]
fn cancelled_invite_ends_without_final_response() {
    check(
        Transport::Udp,
        &[(100, Step::Response(180)), (1_000, Cancel), (9_000, Cancel), (60_000, Wait)],
        &["100 180 up", "1000 CANCEL", "9000 CANCEL", "33000 gave up"],
    );
}

#[test]
fn transport_failure_is_told_once_and_never_after_a_final_response() {
    check(Transport::Udp, &[(100, Fail), (101, Fail), (60_000, Wait)], &["100 failed"]);
    check(
        Transport::Tcp,
        &[(100, Step::Response(183)), (101, Fail)],
        &["100 183 up", "101 failed"],
    );
    check(
        Transport::Udp,
        &[(100, Step::Response(486)), (101, Fail), (60_000, Wait)],
        &["100 486 up ACK"],
    );
}

/// The header lines of the ACK of a 486, and of the CANCEL.
fn derived(status: u16) -> (String, String) {
    let timers = TimerSettings::default();
    let timing = Timing::new(&timers, Transport::Udp);
    let mut machine = ClientInvite::new(Instant::ZERO, INVITE.as_bytes(), timing);
    machine.receive(Instant::ZERO, &response(180), timing);
    let cancel = machine.cancel(Some("Q.850;cause=19")).unwrap();
    let Fate::Acknowledge(ack) = machine.receive(Instant::ZERO, &response(status), timing) else {
        panic!("{machine:?}");
    };
    (String::from_utf8(ack.to_vec()).unwrap(), String::from_utf8(cancel.to_vec()).unwrap())
}

/// §17.1.1.3: Request-URI, the one Via, From, Call-ID, CSeq number and Route of the INVITE, To of the response.
#[test]
fn ack_is_made_of_the_invite_and_to_of_the_response() {
    let (ack, _) = derived(486);
    assert_eq!(
        ack,
        "ACK sip:1002@192.0.2.9;transport=udp SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1;rport\r\n\
         Max-Forwards: 69\r\n\
         From: \"1001\" <sip:1001@192.0.2.1>;tag=ours\r\n\
         Call-ID: c1\r\n\
         CSeq: 7 ACK\r\n\
         Route: <sip:192.0.2.8;lr>, <sip:192.0.2.7;lr>\r\n\
         Route: <sip:192.0.2.6;lr>\r\n\
         To: <sip:1002@192.0.2.9>;tag=theirs\r\n\
         Proxy-Authorization: Digest username=\"u\"\r\n\
         Content-Length: 0\r\n\r\n"
    );
}

/// §9.1: the same, but To as in the INVITE, and neither Require nor Proxy-Require.
#[test]
fn cancel_is_made_of_the_invite() {
    let (_, cancel) = derived(487);
    assert_eq!(
        cancel,
        "CANCEL sip:1002@192.0.2.9;transport=udp SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa1;rport\r\n\
         Max-Forwards: 69\r\n\
         From: \"1001\" <sip:1001@192.0.2.1>;tag=ours\r\n\
         Call-ID: c1\r\n\
         CSeq: 7 CANCEL\r\n\
         Route: <sip:192.0.2.8;lr>, <sip:192.0.2.7;lr>\r\n\
         Route: <sip:192.0.2.6;lr>\r\n\
         To: <sip:1002@192.0.2.9>\r\n\
         Reason: Q.850;cause=19\r\n\
         Content-Length: 0\r\n\r\n"
    );
}

#[test]
fn forgets_the_invite_with_the_final_response() {
    assert!(size_of::<ClientInvite>() <= 64);
    let timers = TimerSettings::default();
    let timing = Timing::new(&timers, Transport::Udp);
    let mut machine = ClientInvite::new(Instant::ZERO, INVITE.as_bytes(), timing);
    machine.receive(Instant::ZERO, &response(200), timing);
    assert!(!format!("{machine:?}").contains('['), "{machine:?}");
}
