//! rsip 0.4 as an independent reader, and the conversions to and from its types.
//!
//! Compared is what rsip reads right: canonical names, no folds, methods that it knows, SIP URIs with a
//! name or an IPv4 address. Not its reason phrases, which it replaces, and not its Content-Length.

mod support;

use mediator_sip::rsip::RsipError;
use mediator_sip::{HeaderName, Host, Message, Request, Response};
use proptest::prelude::*;
use rsip::headers::{ToTypedHeader, UntypedHeader};
use rsip::message::HeadersExt;
use support::{Parts, lines, message};

/// Without a dot, with which rsip sees no user at all.
const USER: &str = "[a-zA-Z0-9+_-]{1,16}";

fn same_host(ours: Host<'_>, theirs: &rsip::Host) -> bool {
    match theirs {
        rsip::Host::Domain(name) => ours == Host::Name(&name.to_string()),
        rsip::Host::IpAddr(address) => ours.ip() == Some(*address),
    }
}

/// A name-addr of ours beside one of theirs.
fn assert_same_address(
    ours: &mediator_sip::NameAddr<'_>,
    display: Option<&str>,
    theirs: &rsip::Uri,
    tag: Option<&str>,
) -> Result<(), TestCaseError> {
    let shown = ours.display_decoded().filter(|display| !display.is_empty());
    // rsip leaves the quotes where they are.
    let display = display.map(|display| display.trim_matches('"'));
    prop_assert_eq!(shown.as_deref(), display.filter(|display| !display.is_empty()));
    prop_assert_eq!(ours.tag(), tag.map(str::as_bytes));
    prop_assert_eq!(ours.uri.user, theirs.user().map(str::as_bytes));
    prop_assert!(same_host(ours.uri.host, theirs.host()), "{:?} {:?}", ours.uri.host, theirs);
    prop_assert_eq!(ours.uri.port, theirs.port().map(|port| *port.value()));
    Ok(())
}

fn assert_same(parts: &Parts) -> Result<(), TestCaseError> {
    let bytes = parts.plain();
    let ours = Message::parse(bytes.clone().into()).expect("valid");
    let theirs = rsip::SipMessage::try_from(bytes.as_slice());
    let theirs = theirs.map_err(|error| TestCaseError::fail(format!("{error}")))?;
    match (&ours, &theirs) {
        (Message::Request(ours), rsip::SipMessage::Request(theirs)) => {
            prop_assert_eq!(ours.method_token(), theirs.method.to_string());
            let uri = ours.uri_parsed().expect("valid");
            prop_assert_eq!(uri.user, theirs.uri.user().map(str::as_bytes));
            prop_assert!(same_host(uri.host, theirs.uri.host()));
        }
        (Message::Response(ours), rsip::SipMessage::Response(theirs)) => {
            prop_assert_eq!(ours.status(), theirs.status_code.code());
        }
        _ => prop_assert!(false, "the other kind"),
    }
    let headers = ours.headers();
    prop_assert_eq!(headers.body(), theirs.body().as_slice());
    let count = rsip::message::HasHeaders::headers(&theirs).iter().count();
    prop_assert_eq!(headers.iter().count(), count);
    prop_assert_eq!(
        headers.call_id().ok(),
        theirs.call_id_header().ok().map(|id| id.value().as_bytes())
    );

    let cseq = theirs.cseq_header().and_then(ToTypedHeader::typed).expect("valid");
    let our_cseq = headers.cseq().expect("valid");
    prop_assert_eq!(our_cseq.number, cseq.seq);
    prop_assert_eq!(our_cseq.token, cseq.method.to_string());

    let via = theirs.via_header().and_then(ToTypedHeader::typed).expect("valid");
    let our_via = headers.via().expect("valid");
    prop_assert_eq!(our_via.transport_token, via.transport.to_string());
    prop_assert_eq!(our_via.branch(), via.branch().map(|branch| branch.value().as_bytes()));
    prop_assert!(same_host(our_via.host, via.uri.host()));
    prop_assert_eq!(our_via.port, via.uri.port().map(|port| *port.value()));

    let from = theirs.from_header().and_then(ToTypedHeader::typed).expect("valid");
    let tag = from.tag().map(|tag| tag.value().to_string());
    assert_same_address(
        &headers.from().expect("valid"),
        from.display_name.as_deref(),
        &from.uri,
        tag.as_deref(),
    )?;
    let to = theirs.to_header().and_then(ToTypedHeader::typed).expect("valid");
    let tag = to.tag().map(|tag| tag.value().to_string());
    assert_same_address(
        &headers.to().expect("valid"),
        to.display_name.as_deref(),
        &to.uri,
        tag.as_deref(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_readers_see_the_same(parts in message(USER)) {
        // To rsip a `<` begins the URI though it is quoted.
        if parts.headers.iter().all(|(_, value)| value.matches('<').count() < 2) {
            assert_same(&parts)?;
        }
    }

    #[test]
    fn there_and_back_nothing_is_lost(parts in message(USER)) {
        let ours = Message::parse(parts.plain().into()).expect("valid");
        let theirs = rsip::SipMessage::try_from(&ours).expect("within what rsip knows");
        let again = Message::try_from(&theirs).expect("a message");
        prop_assert_eq!(lines(ours.headers()), lines(again.headers()));
        prop_assert_eq!(ours.headers().body(), again.headers().body());
        match (&ours, &again) {
            (Message::Request(before), Message::Request(after)) => {
                prop_assert_eq!(before.method(), after.method());
                prop_assert!(before.uri_parsed().expect("valid").equivalent(&after.uri_parsed().expect("valid")));
            }
            (Message::Response(before), Message::Response(after)) => {
                prop_assert_eq!(before.status(), after.status());
            }
            _ => prop_assert!(false, "the other kind"),
        }
    }
}

fn request(text: &str) -> Request {
    match Message::parse(text.replace('\n', "\r\n").into_bytes().into()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// What rsip cannot read itself comes to it in a form that it can.
#[test]
fn folds_and_compact_names_reach_rsip_in_the_long_form() {
    let text = "INVITE sip:b@h SIP/2.0\nv: SIP/2.0/UDP a;branch=z9hG4bK1,\n SIP/2.0/UDP b\nf: <sip:a@h>;tag=1\nt: <sip:b@h>\n\
                i: c\nCSeq: 1\n INVITE\nl: 3\n\n\u{1}\u{2}\u{3} and what is dropped";
    let converted = rsip::Request::try_from(&request(text)).expect("within what rsip knows");
    assert_eq!(converted.method, rsip::Method::Invite);
    assert_eq!(converted.call_id_header().map(UntypedHeader::value), Ok("c"));
    assert!(
        converted
            .from_header()
            .and_then(ToTypedHeader::typed)
            .is_ok_and(|from| from.tag().is_some())
    );
    assert_eq!(converted.body, b"\x01\x02\x03");
}

#[test]
fn what_rsip_has_no_room_for_is_an_error() {
    for text in [
        "NEWMETHOD sip:b@h SIP/2.0\nVia: SIP/2.0/UDP a\n\n",
        "INVITE sip:[2001:db8::1] SIP/2.0\nVia: SIP/2.0/UDP a\n\n",
    ] {
        assert!(
            matches!(rsip::Request::try_from(&request(text)), Err(RsipError::Refused(_))),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_message_does_not_come_back() {
    let text = "INVITE sip:b@h SIP/2.0\nVia: SIP/2.0/UDP a\n\n";
    let mut theirs = rsip::Request::try_from(&request(text)).expect("within what rsip knows");
    theirs.headers.push(rsip::Header::Other("no name".into(), "at all".into()));
    assert!(matches!(Request::try_from(&theirs), Err(RsipError::Malformed(_))));
}

#[test]
fn a_line_break_that_rsip_holds_makes_no_line() {
    let text = "INVITE sip:b@h SIP/2.0\nVia: SIP/2.0/UDP a\nl: 0\n\n";
    let mut theirs = rsip::Request::try_from(&request(text)).expect("within what rsip knows");
    theirs.headers.push(rsip::Header::Other("X-A".into(), "1\r\nX-B: 2".into()));
    let back = Request::try_from(&theirs).expect("one line");
    assert_eq!(back.other("X-B").count(), 0);
    assert_eq!(back.other("X-A").next(), Some(&b"1 X-B: 2"[..]));
    assert_eq!(back.lines(HeaderName::ContentLength).count(), 1);
}

#[test]
fn a_status_comes_back_with_its_phrase() {
    let text = "SIP/2.0 486 Besetzt\r\nVia: SIP/2.0/UDP a\r\n\r\n";
    let Ok(Message::Response(ours)) = Message::parse(text.as_bytes().to_vec().into()) else {
        panic!("refused")
    };
    let theirs = rsip::Response::try_from(&ours).expect("within what rsip knows");
    let back = Response::try_from(&theirs).expect("a response");
    assert_eq!((back.status(), back.reason()), (486, &b"Busy Here"[..]));
}
