//! Which requests and responses may be acted on.

use super::*;
use alloc::format;
use alloc::string::ToString;

#[track_caller]
fn check(text: &str, expected: &str) {
    let verdict = match read(text) {
        Ok(Message::Request(request)) => check_request(&request),
        Ok(Message::Response(response)) => check_response(&response),
        Err(error) => Err(error.fault()),
    };
    assert_eq!(
        verdict.map_or_else(|fault| fault.to_string(), |()| "ok".into()),
        expected,
        "{text}"
    );
}

#[test]
fn requests_with_these_lines_are_judged_so() {
    for (lines, expected) in [
        ("Foo: y", "ok"),
        ("Max-Forwards: 0", "ok"),
        ("Max-Forwards: 255", "ok"),
        ("Max-Forwards: 256", "400 Max-Forwards out of range"),
        ("Max-Forwards: x", "400 Malformed Max-Forwards"),
        ("Max-Forwards: 70\nMax-Forwards: 70", "400 Duplicate Max-Forwards"),
        ("From: <sip:a@b>", "ok"),
        ("From: a <sip:a@b>, <sip:c@d>", "400 Malformed From"),
        ("From: <sip:a@b>\nf: <sip:a@b>", "400 Duplicate From"),
        ("To: a, b <sip:a@b>", "400 Malformed To"),
        ("To: <tel:+1>\nTo: <tel:+1>", "400 Duplicate To"),
        ("Call-ID:", "400 Malformed Call-ID"),
        ("Call-ID: a b", "400 Malformed Call-ID"),
        ("Call-ID: NDk==@h", "ok"),
        ("Call-ID: a\ni: b", "400 Duplicate Call-ID"),
        ("CSeq: 2147483647 INVITE", "ok"),
        ("CSeq: 2147483648 INVITE", "400 CSeq out of range"),
        ("CSeq: 1 BYE", "400 CSeq method is not the request's"),
        ("CSeq: 1 invite", "400 CSeq method is not the request's"),
        ("CSeq: INVITE", "400 Malformed CSeq"),
        ("Via: SIP/2.0/UDP a", "ok"),
        ("Via: SIP/2.0/UDP a;branch=z9hG4bK", "400 Via branch without an identifier"),
        ("Via: SIP/2.0/UDP a;;", "400 Malformed Via"),
        ("Via: SIP/2.0/UDP a, SIP/2.0/UDP", "400 Malformed Via"),
        ("Via: SIP/2.0/UDP a,", "400 Malformed Via"),
        ("Via: SIP/2.0/UDP a\nVia:", "400 Malformed Via"),
        ("Contact: <sip:a@b>", "ok"),
        ("Contact: *", "400 Contact * outside REGISTER"),
        ("Contact: <sip:a@b>, <sip:c@d>", "400 More than one Contact"),
        ("Contact: <sip:a@b>\nm: <sip:c@d>", "400 More than one Contact"),
        ("Contact: <tel:+1>", "400 Contact is no SIP URI"),
        ("Contact: sip:a@b?x=y", "400 Malformed Contact"),
        ("Contact:", "400 Malformed Contact"),
        ("Record-Route: <sip:a;lr>, <sip:b;lr>", "ok"),
        ("Record-Route: sip a", "400 Malformed Record-Route"),
        ("Route: <sip:a;lr>,", "400 Malformed Route"),
        ("Date: Sat, 13 Nov 2010 23:29:00 GMT", "ok"),
        ("Date: Sat, 13 Nov 2010 23:29:00 CET", "400 Malformed Date"),
        ("Expires: 1", "ok"),
        ("Expires: 99999999999999999999", "ok"),
        ("Expires: -1", "400 Malformed Expires"),
        ("Session-Expires: x", "400 Malformed Session-Expires"),
        ("Min-SE: x", "400 Malformed Min-SE"),
        ("RSeq: 0", "400 RSeq out of range"),
        ("RAck: 1 1", "400 Malformed RAck"),
        ("Content-Type: application", "400 Malformed Content-Type"),
        ("Content-Type: a/b\nc: a/b", "400 Duplicate Content-Type"),
        ("Subject: a\nSubject: b", "ok"),
        ("User-Agent: a (b, c)\nUser-Agent: d", "ok"),
        ("Require: nothingSupportsThis", "ok"),
        ("Authorization: NoOneKnowsThisScheme opaque-data=here", "ok"),
    ] {
        check(&request_with(lines), expected);
    }
}

#[test]
fn what_must_be_there_is_named_where_it_is_not() {
    let whole = request_with("Foo: y");
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let lines: Vec<_> =
            whole.lines().filter(|line| !line.starts_with(&format!("{name}:"))).collect();
        check(&(lines.join("\n") + "\n\n"), &format!("400 Missing {name}"));
    }
    check(&whole.replace("Max-Forwards: 70\n", "").replace("Content-Length: 0\n", ""), "ok");
    check(&(whole.replace("Content-Length: 0", "l: 4") + "body"), "400 Missing Content-Type");
}

#[test]
fn request_uris_are_judged_so() {
    for (uri, expected) in [
        ("sip:b@example.com", "ok"),
        ("sips:b@example.com;user=phone", "ok"),
        ("tel:+15162065337", "ok"),
        ("sip:[2001:db8::10]:5070", "ok"),
        ("sip:2001:db8::10", "400 Malformed host in Request-URI"),
        ("<sip:b@example.com>", "400 Character not allowed in Request-URI"),
        ("sip:b@example.com?Route=%3Csip:example.com%3E", "400 Headers in Request-URI"),
        ("sip:b@example.com;", "400 Malformed parameter in Request-URI"),
        ("sip:b%@example.com", "400 Malformed user in Request-URI"),
        ("sip:b@example.com:x", "400 Malformed port in Request-URI"),
        ("sip:b@example.com?x", "400 Malformed headers in Request-URI"),
        ("tel:+", "400 Malformed number in Request-URI"),
        ("b@example.com", "400 No scheme in Request-URI"),
        ("nobodyKnowsThisScheme:totallyopaquecontent", "416 Unsupported URI Scheme"),
        ("soap.beep://192.0.2.103:3002", "416 Unsupported URI Scheme"),
    ] {
        check(
            &request_with("Foo: y").replace("INVITE sip:b@example.com", &format!("INVITE {uri}")),
            expected,
        );
    }
}

#[test]
fn methods_are_judged_so() {
    for (method, cseq, expected) in [
        ("NEWMETHOD", "1 NEWMETHOD", "ok"),
        ("NEWMETHOD", "1 INVITE", "501 Not Implemented"),
        ("NEWMETHOD", "1 OTHERMETHOD", "501 Not Implemented"),
        ("OPTIONS", "1 INVITE", "400 CSeq method is not the request's"),
    ] {
        let text =
            request_with(&format!("CSeq: {cseq}")).replace("INVITE sip", &format!("{method} sip"));
        check(&text, expected);
    }
    let register =
        request_with("CSeq: 1 REGISTER\nContact: *").replace("INVITE sip", "REGISTER sip");
    check(&register, "ok");
    let two = request_with("CSeq: 1 REGISTER\nm: <sip:a@b>, <tel:+1>")
        .replace("INVITE sip", "REGISTER sip");
    check(&two, "ok");
    let both =
        request_with("CSeq: 1 REGISTER\nm: *\nm: <sip:a@b>").replace("INVITE sip", "REGISTER sip");
    check(&both, "400 Malformed Contact");
}

#[test]
fn what_goes_on_a_call_is_not_refused_for_what_it_does_not_need() {
    for method in ["ACK", "BYE", "CANCEL", "PRACK", "INFO"] {
        for (lines, expected) in [
            ("Contact: *, <broken", "ok"),
            ("Date: today", "ok"),
            ("Session-Expires: x\nContent-Type: x\nContent-Type: y", "ok"),
            ("Record-Route: x", "ok"),
            ("To: x", "400 Malformed To"),
            ("Max-Forwards: 256", "400 Max-Forwards out of range"),
            ("Call-ID: a\nCall-ID: b", "400 Duplicate Call-ID"),
        ] {
            let text = request_with(&format!("CSeq: 1 {method}\n{lines}"));
            check(&text.replace("INVITE sip", &format!("{method} sip")), expected);
        }
    }
}

#[test]
fn responses_are_judged_so() {
    for (lines, expected) in [
        ("Foo: y", "ok"),
        ("Via: SIP/2.0/UDP a, SIP/2.0/UDP b", "400 More than one Via in a response"),
        ("Via: SIP/2.0/UDP a\nVia: SIP/2.0/UDP b", "400 More than one Via in a response"),
        ("Via: a", "400 Malformed Via"),
        ("CSeq: 9292394834772304023312 OPTIONS", "400 CSeq out of range"),
        ("Contact: <sip:a@b>, <sip:c@d>", "ok"),
        ("Contact: *\nContact: *", "400 Malformed Contact"),
        ("Contact: <sip:a@b", "400 Malformed Contact"),
        ("Record-Route: x", "400 Malformed Record-Route"),
        ("Date: today\nDate: now\nExpires: x\nRetry-After: x", "ok"),
        ("To: <sip:a@b>\nTo: <sip:a@b>", "400 Duplicate To"),
        ("From: junk", "400 Malformed From"),
        ("Session-Expires: 1800;refresher=uac", "ok"),
    ] {
        check(
            &request_with(lines).replace("INVITE sip:b@example.com SIP/2.0", "SIP/2.0 200 OK"),
            expected,
        );
    }
    let failure = request_with("Contact: x\nRecord-Route: x");
    check(&failure.replace("INVITE sip:b@example.com SIP/2.0", "SIP/2.0 486 Busy Here"), "ok");
    check("SIP/2.0 200 OK\nFoo: y\n\n", "400 Missing Via");
}
