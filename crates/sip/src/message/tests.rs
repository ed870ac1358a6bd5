//! Messages, from bytes to typed views and back.

mod bodies;
mod checks;
mod frames;
mod reads;
mod replies;
mod writes;

use super::*;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

/// Text with LF as the bytes of a message with CRLF.
fn wire(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

fn read(text: &str) -> Result<Message, ParseError> {
    Message::parse(wire(text).into())
}

fn request(text: &str) -> Request {
    match read(text) {
        Ok(Message::Request(request)) => request,
        other => panic!("{text}: {other:?}"),
    }
}

fn response(text: &str) -> Response {
    match read(text) {
        Ok(Message::Response(response)) => response,
        other => panic!("{text}: {other:?}"),
    }
}

/// A whole request with these lines in place of its own of the same name, or beside them.
fn request_with(lines: &str) -> String {
    let usual = [
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa"),
        ("Max-Forwards", "70"),
        ("From", "<sip:a@example.com>;tag=1"),
        ("To", "<sip:b@example.com>"),
        ("Call-ID", "c@example.com"),
        ("CSeq", "1 INVITE"),
        ("Content-Length", "0"),
    ];
    let mut text = String::from("INVITE sip:b@example.com SIP/2.0\n");
    for (name, value) in usual {
        if !lines.contains(&alloc::format!("{name}:")) {
            let _ = writeln!(text, "{name}: {value}");
        }
    }
    text + lines + "\n\n"
}
