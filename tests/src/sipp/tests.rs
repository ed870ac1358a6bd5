//! SIPp's files as SIPp 3.6.1 writes them.

use super::log::{Direction, parse};
use super::stat::Counters;

const LOG: &str = "\
----------------------------------------------- 2026-11-21 21:00:11.050713\n\
UDP message sent (541 bytes):\n\n\
INVITE sip:151@127.0.0.1 SIP/2.0\r\nFrom: <sip:1@a>;tag=1\r\nX-A: 1\r\nX-A: 2\r\n\r\nv=0\r\ns=-\r\n\n\
----------------------------------------------- 2026-11-21 21:00:11.050725\n\
UDP message received [288] bytes :\n\n\
SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n\n";

#[test]
fn reads_both_directions_headers_and_body() {
    let messages = parse(LOG);
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0].direction, Direction::Sent);
    assert_eq!(messages[0].method(), Some("INVITE"));
    assert_eq!(messages[0].request_uri(), Some("sip:151@127.0.0.1"));
    assert_eq!(messages[0].status(), None);
    assert_eq!(messages[0].header("from"), Some("<sip:1@a>;tag=1"));
    assert_eq!(messages[0].headers("x-a").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(messages[0].body(), "v=0\ns=-\n");
    assert_eq!(messages[1].direction, Direction::Received);
    assert_eq!((messages[1].status(), messages[1].method()), (Some(180), None));
    assert_eq!(messages[1].body(), "");
}

#[test]
fn reads_the_last_line_by_the_names_of_the_first() {
    let text = "Start;SuccessfulCall(P);SuccessfulCall(C);FailedCall(C);Retransmissions(C);\n\
                a;1;1;0;0;\nb;1;2;3;4;\n";
    let counters = Counters::parse(text).unwrap();
    assert_eq!(counters, Counters { successful: 2, failed: 3, retransmissions: 4 });
}

#[test]
fn refuses_a_file_without_figures() {
    assert!(Counters::parse("SuccessfulCall(C);FailedCall(C);Retransmissions(C)\n").is_err());
    assert!(Counters::parse("").is_err());
}
