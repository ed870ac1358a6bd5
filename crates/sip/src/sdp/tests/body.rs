//! Bodies: alone, in multiparts, nested, misleading.

use alloc::string::String;

use crate::sdp::sdp_body;

const MIXED: &str = "multipart/mixed;boundary=b1";

/// Finds `SDP` in a body where `\n` stands for CRLF, and again where it is LF alone.
#[track_caller]
fn check(content_type: &str, body: &str, expected: Option<&str>) {
    for line_end in ["\r\n", "\n"] {
        let body = body.replace('\n', line_end);
        let expected = expected.map(|text| text.replace('\n', line_end));
        let found = sdp_body(Some(content_type.as_bytes()), body.as_bytes());
        let found = found.map(|text| String::from_utf8(text.to_vec()).unwrap());
        assert_eq!(found, expected, "{content_type} {body:?}");
    }
}

#[test]
fn takes_a_body_of_its_type_in_any_spelling() {
    for content_type in ["application/sdp", "Application/SDP", "application / sdp ; charset=utf-8"]
    {
        check(content_type, "v=0\n", Some("v=0\n"));
    }
    for content_type in ["application/sdpx", "text/plain", "sdp", "", "application/", ";"] {
        check(content_type, "v=0\n", None);
    }
}

#[test]
fn takes_a_body_without_type_only_where_it_looks_like_sdp() {
    assert_eq!(sdp_body(None, b"v=0\r\n"), Some(&b"v=0\r\n"[..]));
    assert_eq!(sdp_body(None, b"Signal=5\r\n"), None);
    assert_eq!(sdp_body(None, b""), None);
}

#[test]
fn takes_an_empty_body_for_none() {
    check("application/sdp", "", None);
    check("application/sdp", "\n", None);
}

#[test]
fn finds_the_part_of_a_multipart() {
    let part = "--b1\nContent-Type: application/sdp\n\nv=0\nm=\n--b1--\n";
    check(MIXED, part, Some("v=0\nm="));
    let preamble =
        "hello\n--b1\nContent-Type: text/plain\n\nv=1\n--b1\nc: application/sdp\n\nv=0\n--b1--\n";
    check(MIXED, preamble, Some("v=0"));
    let folded = "--b1 \nContent-Type:\n application/sdp;\n x=y\nX-Other: z\n\nv=0\n--b1--";
    check(MIXED, folded, Some("v=0"));
    check(MIXED, "--b1\nContent-Type: application/sdp\n\nv=0\n", Some("v=0\n"));
}

#[test]
fn reads_the_boundary_with_quotes_and_among_parameters() {
    let part = "--a b\nContent-Type: application/sdp\n\nv=0\n--a b--\n";
    check("multipart/mixed; x=\"q;boundary=no\" ; Boundary = \"a b\"", part, Some("v=0"));
    check("multipart/mixed; x; boundary=a b ;y", part, Some("v=0"));
    for content_type in
        ["multipart/mixed", "multipart/mixed;boundary=", "multipart/mixed;boundary=\"a b"]
    {
        check(content_type, part, None);
    }
    let long = alloc::format!("multipart/mixed;boundary={}", "b".repeat(71));
    check(&long, &alloc::format!("--{}\n\nv=0\n", "b".repeat(71)), None);
}

#[test]
fn passes_over_parts_that_are_not_for_the_session() {
    let rows = [
        ("Content-Disposition: session;handling=required", Some("v=0")),
        ("Content-Disposition: early-session", None),
        ("Content-Disposition: render", None),
        ("Content-Transfer-Encoding: binary", Some("v=0")),
        ("Content-Transfer-Encoding: base64", None),
        ("X-Unknown", Some("v=0")),
    ];
    for (header, expected) in rows {
        let body = alloc::format!("--b1\nContent-Type: application/sdp\n{header}\n\nv=0\n--b1--\n");
        check(MIXED, &body, expected);
    }
}

#[test]
fn takes_the_last_of_alternatives() {
    let body = "--b1\nContent-Type: application/sdp\n\nv=0\no=1\n--b1\nContent-Type: application/sdp\n\nv=0\no=2\n--b1--\n";
    check("multipart/alternative;boundary=b1", body, Some("v=0\no=2"));
    check(MIXED, body, Some("v=0\no=1"));
}

#[test]
fn follows_three_levels_of_nesting_and_no_more() {
    let mut body = String::from("v=0");
    let mut content_type = String::from("application/sdp");
    for level in 1..=4 {
        body = alloc::format!("--l{level}\nContent-Type: {content_type}\n\n{body}\n--l{level}--\n");
        content_type = alloc::format!("multipart/mixed;boundary=l{level}");
        check(&content_type, &body, (level <= 3).then_some("v=0"));
    }
}

#[test]
fn looks_at_sixteen_parts_and_no_more() {
    for (before, expected) in [(15, Some("v=0")), (16, None)] {
        let mut body = "--b1\nContent-Type: text/plain\n\nx\n".repeat(before);
        body.push_str("--b1\nContent-Type: application/sdp\n\nv=0\n--b1--\n");
        check(MIXED, &body, expected);
    }
}

#[test]
fn a_boundary_that_begins_like_another_does_not_end_a_part() {
    let body = "--b1\nContent-Type: application/sdp\n\nv=0\n--b1x\ns=-\n--b1--\n";
    check(MIXED, body, Some("v=0\n--b1x\ns=-"));
}
