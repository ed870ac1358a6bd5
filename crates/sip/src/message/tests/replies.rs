//! Responses made from requests.

use super::*;
use alloc::format;
use alloc::string::ToString;

fn source(text: &str) -> core::net::SocketAddr {
    text.parse().expect("an address")
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
    text.split("\r\n").map(ToString::to_string).collect()
}

#[test]
fn a_response_mirrors_its_request() {
    let request = request(
        "INVITE sip:b@h SIP/2.0\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\nSubject: not this\nVia: SIP/2.0/TCP two,\n SIP/2.0/TLS three\n\
         f: \"A\"\n <sip:a@h>;tag=x\nt: <sip:b@h>\ni: abc\nTimestamp: 5\nCSeq: 7\n INVITE\n\n",
    );
    let source = source("192.0.2.1:5060");
    let mirrored = |status| {
        lines(
            &response_to(&request, source, status, reason_phrase(status), Some("ours"))
                .finish(None),
        )
    };
    assert_eq!(
        mirrored(180),
        [
            "SIP/2.0 180 Ringing",
            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
            "Via: SIP/2.0/TCP two, SIP/2.0/TLS three",
            "From: \"A\" <sip:a@h>;tag=x",
            "To: <sip:b@h>;tag=ours",
            "Call-ID: abc",
            "CSeq: 7 INVITE",
            "Content-Length: 0",
            "",
            ""
        ]
    );
    assert!(mirrored(100).contains(&"Timestamp: 5".to_string()));
}

#[test]
fn a_tag_of_to_is_kept() {
    for (to, tag, expected) in [
        ("<sip:b@h>;tag=theirs", Some("ours"), "To: <sip:b@h>;tag=theirs"),
        ("<sip:b@h>", None, "To: <sip:b@h>"),
        ("sip:b@h", Some("ours"), "To: sip:b@h;tag=ours"),
        ("\"broken", Some("ours"), "To: \"broken"),
    ] {
        let request = request(&request_with(&format!("To: {to}")));
        let response = response_to(&request, source("192.0.2.1:5060"), 200, "OK", tag).finish(None);
        assert!(lines(&response).contains(&expected.to_string()), "{to}");
    }
}

/// RFC 3261 §18.2.1 and RFC 3581 §4.
#[test]
fn the_topmost_via_says_where_the_request_came_from() {
    for (via, from, expected) in [
        (
            "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa",
            "192.0.2.1:5060",
            "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa",
        ),
        (
            "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa",
            "192.0.2.1:5060",
            "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;received=192.0.2.1",
        ),
        (
            "SIP/2.0/UDP h.example:5070;branch=z9hG4bKa",
            "192.0.2.1:5070",
            "SIP/2.0/UDP h.example:5070;branch=z9hG4bKa;received=192.0.2.1",
        ),
        (
            "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKa",
            "192.0.2.1:5999",
            "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa;received=192.0.2.1;rport=5999",
        ),
        (
            "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;rport",
            "192.0.2.1:1024",
            "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;received=192.0.2.1;rport=1024",
        ),
        (
            "SIP/2.0/UDP [2001:db8::1];branch=z9hG4bKa;rport",
            "[2001:db8::2]:1024",
            "SIP/2.0/UDP [2001:db8::1];branch=z9hG4bKa;received=2001:db8::2;rport=1024",
        ),
        ("SIP/2.0/UDP 192.0.2.1", "[::ffff:192.0.2.1]:5060", "SIP/2.0/UDP 192.0.2.1"),
        // What cannot be read is sent back as it came.
        ("SIP/2.0/UDP a b", "192.0.2.1:5060", "SIP/2.0/UDP a b"),
        // What the client says of itself is not believed.
        (
            "SIP/2.0/UDP 192.0.2.1;received=203.0.113.9;branch=z9hG4bKa",
            "192.0.2.1:5060",
            "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa;received=192.0.2.1",
        ),
        (
            "SIP/2.0/UDP 192.0.2.1;rport=1;branch=z9hG4bKa",
            "192.0.2.1:5060",
            "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa;received=192.0.2.1;rport=5060",
        ),
        (
            "SIP / 2.0 / UDP 10.0.0.1 ; branch =\n z9hG4bKa , SIP/2.0/TCP b",
            "192.0.2.1:5060",
            "SIP / 2.0 / UDP 10.0.0.1;branch = z9hG4bKa;received=192.0.2.1, SIP/2.0/TCP b",
        ),
        (
            "SIP/2.0/UDP 10.0.0.1;x=\"a;b\", SIP/2.0/TCP b;rport",
            "192.0.2.1:5060",
            "SIP/2.0/UDP 10.0.0.1;x=\"a;b\";received=192.0.2.1, SIP/2.0/TCP b;rport",
        ),
    ] {
        let request = request(&request_with(&format!("Via: {via}")));
        let response = response_to(&request, source(from), 200, "OK", None).finish(None);
        assert_eq!(lines(&response)[1], format!("Via: {expected}"));
    }
}

#[test]
fn a_broken_request_is_answered_with_what_it_has() {
    let text = "INVITE sip:b@h SIP/7.0\nVia: SIP/7.0/UDP 192.0.2.1;branch=z9hG4bKa;rport\nCSeq: 1 INVITE\nno colon\nTo: <sip:b@h>\n\n";
    let error = read(text).expect_err("another version");
    let broken = error.answerable().expect("it has a Via");
    assert_eq!(broken.fault(), error.fault());
    assert_eq!(broken.headers().cseq().map(|cseq| cseq.number), Ok(1));
    let answer = broken.answer(source("192.0.2.1:5060"), "ours");
    assert_eq!(
        lines(&answer),
        [
            "SIP/2.0 505 Version Not Supported",
            "Via: SIP/7.0/UDP 192.0.2.1;branch=z9hG4bKa;received=192.0.2.1;rport=5060",
            "To: <sip:b@h>;tag=ours",
            "CSeq: 1 INVITE",
            "Content-Length: 0",
            "",
            ""
        ]
    );
}

#[test]
fn every_status_has_a_phrase() {
    for (status, phrase) in [
        (100, "Trying"),
        (183, "Session Progress"),
        (200, "OK"),
        (480, "Temporarily Unavailable"),
        (487, "Request Terminated"),
        (503, "Service Unavailable"),
        (606, "Not Acceptable"),
        (299, "OK"),
        (399, "Multiple Choices"),
        (499, "Bad Request"),
        (599, "Server Internal Error"),
        (699, "Busy Everywhere"),
        (99, ""),
        (700, ""),
    ] {
        assert_eq!(reason_phrase(status), phrase, "{status}");
    }
    assert!((100..700).all(|status| !reason_phrase(status).is_empty()));
}
