//! The reader: what it takes, what it refuses, what it can still answer.

use super::*;
use crate::header::{Contacts, HeaderName};
use alloc::format;
use alloc::string::ToString;

#[test]
fn a_request_is_read_into_its_parts() {
    let request = request(
        "\n\nOPTIONS sip:u@example.com;x=y SIP/2.0\nVia: SIP/2.0/UDP a\nX-One: 1\nx-one:2\nt:<sip:u@example.com>\n\nbody",
    );
    assert_eq!(request.method(), Method::Options);
    assert_eq!(request.method_token(), "OPTIONS");
    assert_eq!(request.uri(), b"sip:u@example.com;x=y");
    assert_eq!(request.other("X-ONE").collect::<Vec<_>>(), [b"1", b"2"]);
    assert_eq!(request.first(HeaderName::To), Some(&b"<sip:u@example.com>"[..]));
    let names: Vec<_> = request.iter().map(|(name, _)| name.text).collect();
    assert_eq!(names, ["Via", "X-One", "x-one", "t"]);
    assert_eq!(request.body(), b"body");
    assert_eq!(request.body_bytes(), &b"body"[..]);
}

#[test]
fn a_response_is_read_into_its_parts() {
    for (line, status, reason) in [
        ("SIP/2.0 200 OK", 200, "OK"),
        ("SIP/2.0 100 ", 100, ""),
        ("SIP/2.0 100", 100, ""),
        ("sip/2.0 699 = 2**3 \u{43d}\u{43e}", 699, "= 2**3 \u{43d}\u{43e}"),
    ] {
        let response = response(&format!("{line}\nVia: SIP/2.0/UDP a\n\n"));
        assert_eq!(response.status(), status, "{line}");
        assert_eq!(response.reason(), reason.as_bytes(), "{line}");
    }
}

#[test]
fn values_come_without_the_white_space_around_them() {
    for (line, name, value) in [
        ("Subject:a", HeaderName::Subject, "a"),
        ("s :\t a \t", HeaderName::Subject, "a"),
        ("SUBJECT  :\n a\n  b ", HeaderName::Subject, "a\r\n  b"),
        ("Subject:\n \n a", HeaderName::Subject, "a"),
        ("Subject:", HeaderName::Subject, ""),
        ("s :", HeaderName::Subject, ""),
        ("Subject: a:b: c", HeaderName::Subject, "a:b: c"),
        ("k: \n timer", HeaderName::Supported, "timer"),
    ] {
        let request = request(&format!("OPTIONS sip:u@h SIP/2.0\n{line}\nVia: SIP/2.0/UDP a\n\n"));
        assert_eq!(request.first(name), Some(value.as_bytes()), "{line:?}");
        assert!(request.via().is_ok());
    }
}

#[test]
fn methods_are_case_sensitive_and_unknown_ones_keep_their_text() {
    for (token, method) in [
        ("INVITE", Method::Invite),
        ("ACK", Method::Ack),
        ("BYE", Method::Bye),
        ("CANCEL", Method::Cancel),
        ("OPTIONS", Method::Options),
        ("REGISTER", Method::Register),
        ("PRACK", Method::Prack),
        ("UPDATE", Method::Update),
        ("INFO", Method::Info),
        ("REFER", Method::Refer),
        ("SUBSCRIBE", Method::Subscribe),
        ("NOTIFY", Method::Notify),
        ("MESSAGE", Method::Message),
        ("PUBLISH", Method::Publish),
        ("invite", Method::Other),
        ("RE%47IST%45R", Method::Other),
        ("!x-9_*+`.%'~", Method::Other),
    ] {
        let request = request(&format!("{token} sip:u@h SIP/2.0\nCSeq: 1 {token}\n\n"));
        assert_eq!(request.method(), method);
        assert_eq!(request.method_token(), token);
        assert_eq!(request.cseq().map(|cseq| cseq.token), Ok(token));
        assert_eq!(method.to_string(), if method == Method::Other { "" } else { token });
    }
}

#[test]
fn content_length_cuts_the_body() {
    for (length, body) in
        [("Content-Length: 4", "body"), ("l:0", ""), ("L : 002", "bo"), ("X: y", "body")]
    {
        let text = format!("OPTIONS sip:u@h SIP/2.0\n{length}\n\nbody");
        let request = request(&text);
        assert_eq!(request.body(), body.as_bytes(), "{length}");
        let whole = text.len() + 3 - "body".len() + body.len();
        assert_eq!(request.bytes().len(), whole, "what is behind the body is dropped");
    }
}

#[test]
fn bodies_and_extension_values_may_be_any_bytes() {
    let mut bytes = wire("OPTIONS sip:u@h SIP/2.0\nX-Bin: ");
    bytes.extend_from_slice(b"\xff\x80\xc3\r\nl: 3\r\n\r\n\0\xff\n");
    let Ok(Message::Request(request)) = Message::parse(bytes.into()) else { panic!("refused") };
    assert_eq!(request.other("x-bin").next(), Some(&b"\xff\x80\xc3"[..]));
    assert_eq!(request.body(), b"\0\xff\n");
}

/// What is refused: the fault, and whether it can be answered.
#[test]
fn faults_are_named_and_answered_where_a_via_is_there() {
    const VIA: &str = "Via: SIP/2.0/UDP a;branch=z9hG4bKx\n";
    for (text, fault, answerable) in [
        ("OPTIONS  sip:u@h  SIP/2.0\n{}\n", "400 Malformed request line", true),
        ("OPTIONS sip:u@h  SIP/2.0\n{}\n", "400 White space in Request-URI", true),
        ("OPTIONS sip:u@h; lr SIP/2.0\n{}\n", "400 White space in Request-URI", true),
        ("OPTIONS sip:u@h SIP/2.0  \n{}\n", "400 Malformed request line", true),
        ("OPTIONS sip:u@h\n{}\n", "400 Malformed request line", true),
        ("OPTIONS\n{}\n", "400 Malformed request line", true),
        ("OPTIONS sip:u@h HTTP/1.1\n{}\n", "400 Malformed request line", true),
        ("OPTIONS sip:u@h SIP/7.0\n{}\n", "505 Version Not Supported", true),
        ("OPTIONS sip:u@h SIP/2.00\n{}\n", "505 Version Not Supported", true),
        ("OPTIONS sip:u@h SIP/2.x\n{}\n", "400 Malformed request line", true),
        ("ACK sip:u@h SIP/7.0\n{}\n", "505 Version Not Supported", false),
        ("\u{16}\u{3}\u{1}\n{}\n", "400 Malformed start line", false),
        ("GET / HTTP/1.1\nHost: a\n\n", "400 Malformed request line", false),
        ("SIP/2.0 4294967301 x\n{}\n", "400 Malformed status line", false),
        ("SIP/2.0 700 x\n{}\n", "400 Malformed status line", false),
        ("SIP/2.0 099 x\n{}\n", "400 Malformed status line", false),
        ("SIP/2.0 20 x\n{}\n", "400 Malformed status line", false),
        ("SIP/3.0 200 x\n{}\n", "505 Version Not Supported", false),
        ("OPTIONS sip:u@h SIP/2.0\n no: start\n{}\n", "400 Malformed header line", true),
        ("OPTIONS sip:u@h SIP/2.0\nNo colon\n{}\n", "400 Malformed header line", true),
        ("OPTIONS sip:u@h SIP/2.0\n: empty\n{}\n", "400 Malformed header line", true),
        ("OPTIONS sip:u@h SIP/2.0\nA@b: c\n{}\n", "400 Malformed header line", true),
        ("OPTIONS sip:u@h SIP/2.0\nA\n : c\n{}\n", "400 Malformed header line", true),
        ("OPTIONS sip:u@h SIP/2.0\n{}", "400 No empty line after the headers", true),
        ("OPTIONS sip:u@h SIP/2.0\n{}A: b", "400 No empty line after the headers", true),
        ("OPTIONS sip:u@h SIP/2.0", "400 No empty line after the headers", false),
        (
            "OPTIONS sip:u@h SIP/2.0\n{}l: 5\n\nbody",
            "400 Content-Length larger than the message",
            true,
        ),
        ("OPTIONS sip:u@h SIP/2.0\n{}l: -1\n\nbody", "400 Malformed Content-Length", true),
        ("OPTIONS sip:u@h SIP/2.0\n{}l: 1, 1\n\nbody", "400 Malformed Content-Length", true),
        ("OPTIONS sip:u@h SIP/2.0\n{}l: \n\nbody", "400 Malformed Content-Length", true),
        ("OPTIONS sip:u@h SIP/2.0\n{}l: 4\nl: 4\n\nbody", "400 Duplicate Content-Length", true),
        (
            "OPTIONS sip:u@h SIP/2.0\n{}l: 99999999999999999999999\n\n",
            "400 Content-Length larger than the message",
            true,
        ),
        ("SIP/2.0 200 OK\n{}l: 5\n\nbody", "400 Content-Length larger than the message", false),
    ] {
        let text = text.replace("{}", VIA);
        let error = read(&text).expect_err(&text);
        assert_eq!(error.fault().to_string(), fault, "{text}");
        assert_eq!(error.answerable().is_some(), answerable, "{text}");
    }
}

#[test]
fn a_line_that_ends_without_crlf_is_a_fault() {
    for text in [
        "OPTIONS sip:u@h SIP/2.0\nVia: SIP/2.0/UDP a\r\n\r\n",
        "OPTIONS sip:u@h SIP/2.0\r\nVia: SIP/2.0/UDP a\nl: 0\r\n\r\n",
        "OPTIONS sip:u@h SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nX: a\rb\r\n\r\n",
        "OPTIONS sip:u@h SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\n",
        "OPTIONS sip:u@h SIP/2.0\nVia: SIP/2.0/UDP a\n\n",
    ] {
        let error = Message::parse(text.as_bytes().to_vec().into()).expect_err(text);
        assert_eq!(error.fault().to_string(), "400 Line not ended by CRLF", "{text:?}");
        assert!(error.answerable().is_some());
    }
}

#[test]
fn limits_are_kept() {
    let lines = |count| "Foo: y\n".repeat(count);
    let text = |count| format!("OPTIONS sip:u@h SIP/2.0\nVia: SIP/2.0/UDP a\n{}\n", lines(count));
    assert!(read(&text(MAX_HEADERS - 1)).is_ok());
    let error = read(&text(MAX_HEADERS)).expect_err("one line too many");
    assert_eq!(error.fault().to_string(), "400 Too many header lines");
    assert!(error.answerable().is_some());

    let mut bytes = wire("OPTIONS sip:u@h SIP/2.0\nVia: SIP/2.0/UDP a\n\n");
    bytes.resize(MAX_MESSAGE_BYTES, b'x');
    assert!(Message::parse(bytes.clone().into()).is_ok());
    bytes.push(b'x');
    let error = Message::parse(bytes.into()).expect_err("one byte too many");
    assert_eq!(error.fault().status, 513);
    assert!(error.answerable().is_some());
}

#[test]
fn keep_alives_are_no_messages() {
    for (datagram, is) in
        [("", true), ("\r\n\r\n", true), ("\r\n", true), ("\0\0\0\0", false), ("\r\nA", false)]
    {
        assert_eq!(is_keep_alive(datagram.as_bytes()), is);
        assert!(Message::parse(datagram.as_bytes().to_vec().into()).is_err());
    }
}

#[test]
fn headers_are_seen_through_typed_views() {
    let request = request(
        "INVITE sip:b@h SIP/2.0\nv: SIP/2.0/UDP one;branch=z9hG4bK1, SIP/2.0/TCP two\nVia: SIP/2.0/TLS three\n\
         f: \"A\" <sip:a@h>;tag=x\nTo: <sip:b@h>\ni: abc\nCSeq: 7 INVITE\nMax-Forwards: 0068\n\
         m: <sip:c1@h>;q=1, <sip:c2@h>\nm: <sip:c3@h>\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\nRoute: <sip:r1;lr>\n\
         c: application/sdp\nExpires: 60\nMin-Expires: 61\nRetry-After: 62 (busy)\nRSeq: 5\nRAck: 5 7 INVITE\n\
         x: 90;refresher=uas\nMin-SE: 91\nk: timer , 100REL\nSupported:\nRequire: foo\nAllow: INVITE,ACK , BYE\n\
         Reason: SIP;cause=200, Q.850;cause=16;text=\"a,b\"\nPrivacy: id;header\n\
         P-Asserted-Identity: \"C\" <sip:+1@h>, <tel:+2>\nRemote-Party-ID: <sip:d@h>;privacy=full\n\
         Proxy-Authorization: Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"0\"\n\
         Proxy-Authorization: Basic\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\nl: 0\n\n",
    );
    assert_eq!(request.via().map(|via| via.transport_token), Ok("UDP"));
    assert_eq!(
        request.vias().flatten().map(|via| via.transport_token).collect::<Vec<_>>(),
        ["UDP", "TCP", "TLS"]
    );
    assert_eq!(request.from().expect("From").tag(), Some(&b"x"[..]));
    assert_eq!(request.to().expect("To").tag(), None);
    assert_eq!(request.call_id(), Ok(&b"abc"[..]));
    assert_eq!(request.cseq().map(|cseq| cseq.number), Ok(7));
    assert_eq!(request.max_forwards(), Ok(Some(68)));
    assert_eq!(request.contact().expect("Contact").expect("one").uri.raw, b"sip:c1@h");
    let Ok(Contacts::List(contacts)) = request.contacts() else { panic!("no list") };
    assert_eq!(contacts.flatten().count(), 3);
    assert_eq!(
        request.record_routes().flatten().filter(|route| route.uri.is_loose_router()).count(),
        2
    );
    assert_eq!(request.routes().flatten().count(), 1);
    assert!(request.content_type().is_some_and(|media| media.is("application", "sdp")));
    assert_eq!((request.expires(), request.min_expires()), (Ok(Some(60)), Ok(Some(61))));
    assert_eq!((request.retry_after(), request.rseq()), (Ok(Some(62)), Ok(Some(5))));
    assert_eq!(request.rack().map(|rack| rack.map(|rack| rack.rseq)), Ok(Some(5)));
    assert_eq!(
        request.session_expires().map(|timer| timer.map(|timer| timer.seconds)),
        Ok(Some(90))
    );
    assert_eq!(request.min_se(), Ok(Some(91)));
    assert!(request.has_option(HeaderName::Supported, "100rel"));
    assert!(!request.has_option(HeaderName::Require, "100rel"));
    assert_eq!(request.allows(Method::Bye), Some(true));
    assert_eq!(request.allows(Method::Prack), Some(false));
    let causes: Vec<_> = request.reasons().map(|reason| (reason.protocol, reason.cause)).collect();
    assert_eq!(causes, [("SIP", Some(200)), ("Q.850", Some(16))]);
    assert!(request.privacy().id && request.privacy().header && !request.privacy().none);
    assert_eq!(request.asserted_identities().flatten().count(), 2);
    assert!(request.remote_party_id().is_ok_and(|party| party.is_some()));
    assert_eq!(request.authorization(HeaderName::ProxyAuthorization).count(), 1);
    assert_eq!(request.challenges(HeaderName::WwwAuthenticate).count(), 1);
    assert_eq!(
        request.values(HeaderName::Supported).collect::<Vec<_>>(),
        [&b"timer"[..], b"100REL"]
    );
}

#[test]
fn absent_headers_are_told_apart_from_broken_ones() {
    let bare = request("OPTIONS sip:u@h SIP/2.0\nFoo: y\n\n");
    assert!(bare.via().is_err() && bare.cseq().is_err() && bare.call_id().is_err());
    assert_eq!(bare.max_forwards(), Ok(None));
    assert_eq!((bare.expires(), bare.rseq(), bare.min_se()), (Ok(None), Ok(None), Ok(None)));
    assert!(bare.contact().is_ok_and(|contact| contact.is_none()));
    assert_eq!(bare.allows(Method::Invite), None);
    let broken = request(
        "OPTIONS sip:u@h SIP/2.0\nExpires: soon\nMax-Forwards: 300\nm: <>\nRSeq: 0\nm:\n\n",
    );
    assert!(broken.expires().is_err() && broken.max_forwards().is_err());
    assert!(broken.contact().is_err() && broken.rseq().is_err());
    let star = request("REGISTER sip:h SIP/2.0\nContact: *\n\n");
    assert!(matches!(star.contacts(), Ok(Contacts::Star)));
    assert!(star.contact().is_ok_and(|contact| contact.is_none()));
    let mixed = request("REGISTER sip:h SIP/2.0\nContact: *\nContact: <sip:a@b>\n\n");
    assert!(mixed.contacts().is_err());
}

#[test]
fn the_shard_is_told_by_the_same_call_id_as_the_message() {
    for lines in [
        "Call-ID: abc@h\n",
        "i:abc@h\n",
        "I \t: abc@h  \n",
        "CALL-ID:\n abc@h\n",
        "Foo: y\n Call-ID: not@this\nCall-ID: abc@h\nCall-ID: nor@this\n",
        "Call-IDs: no\ni:\n\tabc@h\n",
    ] {
        let text =
            format!("\nOPTIONS sip:u@h SIP/2.0\n{lines}Via: SIP/2.0/UDP a\n\nCall-ID: body@h");
        let bytes = wire(&text);
        assert_eq!(peek_call_id(&bytes), Some(&b"abc@h"[..]), "{lines}");
        assert_eq!(request(&text).call_id(), Ok(&b"abc@h"[..]));
    }
    for text in
        ["", "\n\n", "OPTIONS", "OPTIONS sip:u@h SIP/2.0\n\nCall-ID: body@h", "A\nCall-ID\n\n"]
    {
        assert_eq!(peek_call_id(&wire(text)), None, "{text}");
    }
}

#[test]
fn the_shard_hash_never_changes_and_spreads() {
    assert_eq!(shard_hash(b""), 0x9ca0_66f1_a4ab_2eea);
    assert_eq!(shard_hash(b"a84b4c76e66710@pc33.atlanta.com"), 0xcc99_103d_031d_dc97);
    let mut load = [0_u32; 7];
    for number in 0..7_000 {
        let hash = shard_hash(format!("{number}@192.0.2.1").as_bytes());
        load[(hash % 7) as usize] += 1;
    }
    assert!(load.iter().all(|count| (850..1150).contains(count)), "{load:?}");
}
