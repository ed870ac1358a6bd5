//! Where requests in a dialog go and what they carry: RFC 3261 §12.2.1.1, §16.12.1.

use super::super::super::testing::{request, text};
use super::super::{Dialog, Method};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// A UAS dialog with that Contact and those Record-Route values.
fn dialog(contact: &str, record_routes: &[&str]) -> Dialog {
    let routes = record_routes
        .iter()
        .fold(String::new(), |all, route| all + "Record-Route: " + route + "\n");
    let invite = format!(
        "INVITE sip:us@example.net SIP/2.0\n\
         Via: SIP/2.0/UDP p1.example.com;branch=z9hG4bK1\n\
         Max-Forwards: 70\n\
         {routes}Contact: {contact}\n\
         From: <sip:them@example.com>;tag=them\n\
         To: <sip:us@example.net>\n\
         Call-ID: routing\n\
         CSeq: 1 INVITE\n\
         Content-Length: 0"
    );
    Dialog::from_request(&request(&invite), b"us").unwrap()
}

/// Request-URI, Route values, and the URI to resolve.
fn sent(dialog: &Dialog) -> (String, Vec<String>, String) {
    let parts = dialog.ack_parts(1);
    (
        text(parts.uri).to_string(),
        parts.routes.iter().map(|route| text(route).to_string()).collect(),
        text(dialog.next_hop()).to_string(),
    )
}

fn check(contact: &str, record_routes: &[&str], expected: (&str, &[&str], &str)) {
    let (uri, routes, hop) = sent(&dialog(contact, record_routes));
    assert_eq!((&*uri, &*hop), (expected.0, expected.2), "{contact} {record_routes:?}");
    assert_eq!(routes, expected.1, "{contact} {record_routes:?}");
}

const CONTACT: &str = "<sip:them@192.0.2.7:5066>";
const TARGET: &str = "sip:them@192.0.2.7:5066";

#[test]
fn without_routes_goes_to_the_target() {
    check(CONTACT, &[], (TARGET, &[], TARGET));
    check("sip:them@192.0.2.7:5066;expires=3600", &[], (TARGET, &[], TARGET));
}

#[test]
fn through_loose_routers_the_target_is_the_request_uri() {
    check(
        CONTACT,
        &["<sip:p2.example.com;lr>", "<sip:p1.example.com;lr=on>"],
        (
            TARGET,
            &["<sip:p2.example.com;lr>", "<sip:p1.example.com;lr=on>"],
            "sip:p2.example.com;lr",
        ),
    );
}

#[test]
fn through_a_strict_router_the_target_is_the_last_route() {
    check(
        CONTACT,
        &["<sip:p2.example.com;transport=udp>", "<sip:p1.example.com;lr>"],
        (
            "sip:p2.example.com;transport=udp",
            &["<sip:p1.example.com;lr>", "<sip:them@192.0.2.7:5066>"],
            "sip:p2.example.com;transport=udp",
        ),
    );
    check(
        CONTACT,
        &["<sip:p2.example.com>"],
        ("sip:p2.example.com", &["<sip:them@192.0.2.7:5066>"], "sip:p2.example.com"),
    );
}

#[test]
fn a_strict_router_behind_a_loose_one_is_that_ones_business() {
    check(
        CONTACT,
        &["<sip:p2.example.com;lr>", "<sip:p1.example.com>"],
        (TARGET, &["<sip:p2.example.com;lr>", "<sip:p1.example.com>"], "sip:p2.example.com;lr"),
    );
}

#[test]
fn what_no_request_uri_may_hold_is_taken_off() {
    check(
        "<sip:them@192.0.2.7;method=INVITE;transport=tcp?Subject=x>",
        &[],
        ("sip:them@192.0.2.7;transport=tcp", &[], "sip:them@192.0.2.7;transport=tcp"),
    );
    check(
        CONTACT,
        &["<sip:p2.example.com;Method=BYE;maddr=192.0.2.9>"],
        (
            "sip:p2.example.com;maddr=192.0.2.9",
            &["<sip:them@192.0.2.7:5066>"],
            "sip:p2.example.com;maddr=192.0.2.9",
        ),
    );
}

#[test]
fn a_new_target_is_used_by_the_next_request_and_the_routes_stay() {
    let update = request(
        "UPDATE sip:us@example.net SIP/2.0\n\
         Via: SIP/2.0/UDP p1.example.com;branch=z9hG4bK2\n\
         Max-Forwards: 70\n\
         Contact: <sip:them@198.51.100.1>\n\
         From: <sip:them@example.com>;tag=them\n\
         To: <sip:us@example.net>;tag=us\n\
         Call-ID: routing\n\
         CSeq: 2 UPDATE\n\
         Content-Length: 0",
    );
    for (first_hop, uri, routes) in [
        ("<sip:p.example.com;lr>", "sip:them@198.51.100.1", "<sip:p.example.com;lr>"),
        ("<sip:p.example.com>", "sip:p.example.com", "<sip:them@198.51.100.1>"),
    ] {
        let mut dialog = dialog(CONTACT, &[first_hop]);
        assert_eq!(dialog.refresh_target(&update), Ok(true));
        assert_eq!(text(dialog.remote_target()), "sip:them@198.51.100.1");
        let parts = dialog.request_parts(Method::Bye);
        assert_eq!(text(parts.uri), uri);
        assert_eq!(parts.routes, vec![routes.as_bytes().into()]);
        assert_eq!(dialog.refresh_target(&update), Ok(false), "it is the same again");
    }
}
