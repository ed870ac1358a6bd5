//! The dialog that an INVITE makes at the UAS: RFC 3261 §12.1.1. Messages after RFC 3665 §3.1, §3.2.

use super::super::super::testing::{request, text};
use super::super::{CallIdOwner, Dialog, DialogFault};
use crate::{HeaderError, HeaderName, Method, Problem};
use alloc::format;
use alloc::string::String;

/// Alice's INVITE with the lines given in place of Contact and Record-Route.
fn invite(lines: &str) -> String {
    format!(
        "INVITE sip:bob@biloxi.example.com SIP/2.0\n\
         Via: SIP/2.0/UDP ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1\n\
         Max-Forwards: 69\n\
         {lines}\n\
         From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl\n\
         To: Bob <sip:bob@biloxi.example.com>\n\
         Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com\n\
         CSeq: 4711 INVITE\n\
         Content-Length: 0"
    )
}

const CONTACT: &str = "Contact: <sip:alice@client.atlanta.example.com;transport=tcp>";

fn alice() -> Dialog {
    Dialog::from_request(&request(&invite(CONTACT)), b"314159").unwrap()
}

#[test]
fn swaps_from_and_to_and_adds_our_tag() {
    let mut dialog = alice();
    assert_eq!(text(dialog.local()), "Bob <sip:bob@biloxi.example.com>;tag=314159");
    assert_eq!(text(dialog.remote()), "Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl");
    assert_eq!(dialog.local_tag(), b"314159");
    assert_eq!(dialog.remote_tag(), Some(&b"9fxced76sl"[..]));
    assert_eq!(dialog.call_id(), b"2xTb9vxSit55XU7p8@atlanta.example.com");
    let bye = dialog.request_parts(Method::Bye);
    assert_eq!(text(bye.from), "Bob <sip:bob@biloxi.example.com>;tag=314159");
    assert_eq!(text(bye.to), "Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl");
    assert_eq!(text(bye.uri), "sip:alice@client.atlanta.example.com;transport=tcp");
    assert!(bye.routes.is_empty());
}

#[test]
fn our_cseq_starts_on_its_own() {
    let mut dialog = alice();
    assert_eq!(dialog.request_parts(Method::Update).cseq, 1);
    assert_eq!(dialog.request_parts(Method::Bye).cseq, 2);
}

#[test]
fn is_early_until_confirmed() {
    let mut dialog = alice();
    assert!(!dialog.is_confirmed());
    dialog.confirm();
    assert!(dialog.is_confirmed());
    assert_eq!(dialog.call_id_owner(), CallIdOwner::Remote);
}

#[test]
fn route_set_is_record_route_in_order() {
    let lines = "Record-Route: <sip:ss2.biloxi.example.com;lr>, \"P, 1\" <sip:ss1.atlanta.example.com;lr>\n\
                 record-route:\n <sip:ss0.atlanta.example.com;lr;ftag=1>;x=y\n";
    let dialog =
        Dialog::from_request(&request(&invite(&format!("{lines}{CONTACT}"))), b"1").unwrap();
    let routes: alloc::vec::Vec<&str> =
        dialog.ack_parts(1).routes.iter().map(|route| text(route)).collect();
    assert_eq!(
        routes,
        [
            "<sip:ss2.biloxi.example.com;lr>",
            "\"P, 1\" <sip:ss1.atlanta.example.com;lr>",
            "<sip:ss0.atlanta.example.com;lr;ftag=1>;x=y",
        ]
    );
    assert_eq!(text(dialog.next_hop()), "sip:ss2.biloxi.example.com;lr");
}

#[test]
fn folded_values_come_out_on_one_line() {
    let folded = invite(CONTACT)
        .replace("From: Alice ", "From: \"Alice \n  of Atlanta\"\n\t ")
        .replace(";tag=9fx", "\n ;tag\n =9fx");
    let dialog = Dialog::from_request(&request(&folded), b"1").unwrap();
    assert_eq!(
        text(dialog.remote()),
        "\"Alice of Atlanta\" <sip:alice@atlanta.example.com> ;tag =9fxced76sl"
    );
    assert_eq!(dialog.remote_tag(), Some(&b"9fxced76sl"[..]));
}

#[test]
fn a_peer_without_a_tag_is_an_rfc_2543_peer() {
    let old = invite(CONTACT).replace(";tag=9fxced76sl", "");
    let dialog = Dialog::from_request(&request(&old), b"1").unwrap();
    assert_eq!(dialog.remote_tag(), None);
    assert_eq!(text(dialog.ack_parts(1).to), "Alice <sip:alice@atlanta.example.com>");
}

#[test]
fn refuses_what_it_could_not_answer_to() {
    let header = |header, problem| DialogFault::Header(HeaderError { header, problem });
    let contact = HeaderName::Contact;
    let route = HeaderName::RecordRoute;
    let many = format!("{CONTACT}{}", "\nRecord-Route: <sip:p.example.com;lr>".repeat(33));
    for (lines, fault, phrase) in [
        ("Subject: x", header(contact, Problem::Missing), "Missing Contact"),
        ("Contact: *", header(contact, Problem::Malformed), "Malformed Contact"),
        ("Contact: <sip:alice@>", header(contact, Problem::Malformed), "Malformed Contact"),
        ("Contact: <tel:+15551234>", header(contact, Problem::Malformed), "Malformed Contact"),
        ("Contact: <mailto:a@b.example>", header(contact, Problem::Malformed), "Malformed Contact"),
        (
            &*format!("{CONTACT}\nRecord-Route: <sip:p1"),
            header(route, Problem::Malformed),
            "Malformed Record-Route",
        ),
        (
            &*format!("{CONTACT}\nRecord-Route: <tel:+15551234>"),
            header(route, Problem::Malformed),
            "Malformed Record-Route",
        ),
        (&*many, DialogFault::TooManyRoutes, "Too Many Record-Route Values"),
    ] {
        let refused = Dialog::from_request(&request(&invite(lines)), b"1").unwrap_err();
        assert_eq!(refused, fault, "{lines}");
        assert_eq!((refused.status(), refused.phrase()), (400, phrase));
    }
}

#[test]
fn a_sips_request_uri_makes_it_secure() {
    assert!(!alice().is_secure());
    let secure = invite(CONTACT).replace("INVITE sip:", "INVITE SIPS:");
    assert!(Dialog::from_request(&request(&secure), b"1").unwrap().is_secure());
}
