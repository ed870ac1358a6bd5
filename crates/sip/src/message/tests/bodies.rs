//! Bodies of one part and of several.

use super::*;
use alloc::format;
use alloc::vec;

fn parts(content_type: &str, body: &str) -> Vec<(String, String)> {
    let request =
        request(&format!("MESSAGE sip:u@h SIP/2.0\nContent-Type: {content_type}\n\n{body}"));
    let describe = |part: BodyPart<'_>| {
        let kind =
            part.content_type.map_or("-".into(), |kind| format!("{}/{}", kind.kind, kind.subtype));
        (kind, String::from_utf8_lossy(part.bytes).into_owned())
    };
    request.body_parts().map(describe).collect()
}

#[track_caller]
fn check(content_type: &str, body: &str, expected: &[(&str, &str)]) {
    let found = parts(content_type, body);
    let found: Vec<_> = found.iter().map(|(kind, bytes)| (kind.as_str(), bytes.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_single_body_is_its_only_part() {
    check("application/sdp", "v=0\n", &[("application/sdp", "v=0\r\n")]);
    check("application/sdp", "", &[]);
    check("multipart/mixed", "no boundary", &[("multipart/mixed", "no boundary")]);
    check("multipart/mixed;boundary=x", "no delimiter", &[("multipart/mixed", "no delimiter")]);
}

#[test]
fn parts_are_found_between_delimiters() {
    let body = "preamble\n--x\nContent-Type: application/sdp\nContent-Disposition: session\n\nv=0\n\n--x  \n\nplain\n--x--\nepilogue";
    check("multipart/mixed;boundary=x", body, &[("application/sdp", "v=0\r\n"), ("-", "plain")]);
    check(
        "multipart/mixed; boundary=\"x\"",
        body,
        &[("application/sdp", "v=0\r\n"), ("-", "plain")],
    );
    check(
        "multipart/mixed;boundary=x",
        "--x\nc: a/b\n\n--xy is text\n--x--",
        &[("a/b", "--xy is text")],
    );
    check("multipart/mixed;boundary=x", "--x\nc: a/b\n\ncut short", &[("a/b", "cut short")]);
}

#[test]
fn nested_parts_stand_where_their_multipart_stood() {
    let body = "--x\nContent-Type: multipart/alternative; boundary=y\n\n--y\nc: a/b\n\none\n--y\nc: c/d\n\ntwo\n--y--\n--x\nc: e/f\n\nthree\n--x--";
    check("multipart/mixed;boundary=x", body, &[("a/b", "one"), ("c/d", "two"), ("e/f", "three")]);
}

#[test]
fn nesting_and_parts_have_limits() {
    let depth = MAX_MULTIPART_DEPTH + 2;
    let mut body = String::from("core");
    for level in (0..depth).rev() {
        let inner = if level + 1 == depth {
            "a/b".into()
        } else {
            format!("multipart/mixed;boundary=b{}", level + 1)
        };
        body = format!("--b{level}\nContent-Type: {inner}\n\n{body}\n--b{level}--");
    }
    let found = parts("multipart/mixed;boundary=b0", &body);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "multipart/mixed", "the fifth level stays closed");

    let many = "--x\nc: a/b\n\nz\n".repeat(MAX_BODY_PARTS * 2) + "--x--";
    assert_eq!(parts("multipart/mixed;boundary=x", &many).len(), MAX_BODY_PARTS - 1);
}

#[test]
fn a_body_is_found_by_its_type() {
    let text = "INVITE sip:u@h SIP/2.0\nContent-Type: multipart/mixed;boundary=x\n\n--x\nc: text/plain\n\nhi\n--x\nC: Application/SDP\n\nv=0\n--x--";
    let request = request(text);
    assert_eq!(request.body_of("application", "sdp"), Some(&b"v=0"[..]));
    assert_eq!(request.body_of("application", "pidf+xml"), None);
    let dispositions: Vec<_> = request.body_parts().map(|part| part.disposition).collect();
    assert_eq!(dispositions, vec![None, None]);
}
