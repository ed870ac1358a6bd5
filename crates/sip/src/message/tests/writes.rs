//! The writer, and that what it writes is read again.

use super::*;
use crate::header::HeaderName;

#[test]
fn a_request_is_written_line_by_line() {
    let mut writer = Writer::request("INVITE", b"sip:b@h");
    writer
        .header(HeaderName::MaxForwards, "70")
        .header_fmt(HeaderName::CSeq, format_args!("{} {}", 1, "INVITE"))
        .other("X-Custom", b"\xffbytes");
    let bytes = writer.finish(Some(("application/sdp", b"v=0\r\n")));
    assert_eq!(
        bytes,
        &b"INVITE sip:b@h SIP/2.0\r\nMax-Forwards: 70\r\nCSeq: 1 INVITE\r\nX-Custom: \xffbytes\r\n\
           Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"[..]
    );
}

#[test]
fn numbers_are_written_whole() {
    for length in [0, 1, 9, 10, 99, 100, 12345] {
        let body = alloc::vec![b'x'; length];
        let bytes = Writer::response(200, "OK").finish(Some(("a/b", &body)));
        let Ok(Message::Response(response)) = Message::parse(bytes) else { panic!("refused") };
        assert_eq!(response.body().len(), length);
        let text = alloc::format!("{length}");
        assert_eq!(response.first(HeaderName::ContentLength), Some(text.as_bytes()));
    }
}

#[test]
fn folds_are_written_as_one_space() {
    for (folded, unfolded) in [
        ("a\r\n b", "a b"),
        ("a \r\n \t b", "a b"),
        ("a\r\n b\r\n\tc", "a b c"),
        ("\r\n b", " b"),
        ("a\r\n ", "a "),
        ("plain", "plain"),
    ] {
        let mut writer = Writer::response(200, "OK");
        writer.header(HeaderName::Subject, folded);
        writer.header_fmt(HeaderName::Organization, format_args!("{folded}"));
        let expected = alloc::format!(
            "SIP/2.0 200 OK\r\nSubject: {unfolded}\r\nOrganization: {unfolded}\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(writer.finish(None), expected.as_bytes(), "{folded:?}");
    }
}

/// In a debug build the bug is told; in a release build no line can be smuggled in.
#[test]
#[cfg_attr(debug_assertions, should_panic(expected = "a line break in a value"))]
fn no_line_break_comes_in_through_a_value() {
    let mut writer = Writer::response(200, "OK\r\nFoo: 1");
    writer.header(HeaderName::Subject, "a\r\nFoo: 2\nFoo: 3\rFoo: 4");
    writer.header_fmt(HeaderName::Organization, format_args!("{}", "\nFoo: 5"));
    let Ok(Message::Response(response)) = Message::parse(writer.finish(None)) else {
        panic!("refused")
    };
    assert_eq!(response.other("Foo").count(), 0);
    assert_eq!(response.iter().count(), 3);
}

#[test]
fn lines_are_copied_in_order() {
    let request = request(&request_with(
        "Record-Route: <sip:p1;lr>,\n <sip:p2;lr>\nRecord-Route: <sip:p3;lr>",
    ));
    let mut writer = Writer::response(200, "OK");
    writer.copy(&request, HeaderName::RecordRoute).copy(&request, HeaderName::Route);
    assert_eq!(
        writer.finish(None),
        &b"SIP/2.0 200 OK\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\nContent-Length: 0\r\n\r\n"[..]
    );
}

#[test]
#[cfg_attr(debug_assertions, should_panic(expected = "no header name"))]
fn no_line_comes_in_through_a_name() {
    let mut writer = Writer::response(200, "OK");
    writer.other("X-A: 1\r\nX-B", "2").other("", "3");
    let Ok(Message::Response(response)) = Message::parse(writer.finish(None)) else {
        panic!("refused")
    };
    assert_eq!(response.iter().count(), 1);
}
