//! INFO bodies that are keys, and those that are not.

use alloc::format;
use alloc::string::String;

use bytes::Bytes;
use mediator_sip::{Message, Request};

use super::InfoBody;

fn info(content_type: &str, body: &str) -> Request {
    let kind = if content_type.is_empty() {
        String::new()
    } else {
        format!("Content-Type: {content_type}\r\n")
    };
    let text = format!(
        "INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK1\r\nFrom: <sip:c@c>;tag=1\r\n\
         To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 2 INFO\r\nMax-Forwards: 70\r\n{kind}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    match Message::parse(Bytes::from(text)) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_are_read_and_everything_else_is_refused() {
    let relay = |key, duration_ms| Ok(Some(InfoBody::Relay { key, duration_ms }));
    let bare = |key| Ok(Some(InfoBody::Bare { key }));
    for (content_type, body, expected) in [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", relay('5', 160)),
        ("application/dtmf-relay", "signal= # \nduration=100000", relay('#', 5000)),
        ("application/dtmf-relay", "Signal=10\r\nDuration=1", relay('*', 40)),
        ("Application/DTMF-Relay;x=y", "Signal=d", relay('D', 160)),
        ("application/dtmf-relay", "Duration=160", Err(400)),
        ("application/dtmf-relay", "Signal=E", Err(400)),
        ("application/dtmf-relay", "Signal=5\r\nDuration=x", Err(400)),
        ("application/dtmf", "7", bare('7')),
        ("application/dtmf", " 11 \r\n", bare('#')),
        ("application/dtmf", "77", Err(400)),
        ("text/plain", "5", Err(415)),
        ("", "5", Err(415)),
        ("", "", Ok(None)),
    ] {
        assert_eq!(InfoBody::read(&info(content_type, body)), expected, "{content_type} {body:?}");
    }
}

#[test]
fn a_key_is_written_in_the_form_that_it_came_in() {
    let relay = InfoBody::Relay { key: '#', duration_ms: 250 }.write();
    assert_eq!(relay.content_type, "application/dtmf-relay");
    assert_eq!(&relay.bytes[..], b"Signal=#\r\nDuration=250\r\n");
    let bare = InfoBody::Bare { key: 'A' }.write();
    assert_eq!((bare.content_type, &bare.bytes[..]), ("application/dtmf", &b"A"[..]));
}
