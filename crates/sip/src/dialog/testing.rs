//! Messages for the tests of this module.

use crate::{Message, Request, Response};
use bytes::Bytes;

/// A request, from lines with bare line feeds.
pub(super) fn request(text: &str) -> Request {
    match parse(text) {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response: {text}"),
    }
}

/// A response, from lines with bare line feeds.
pub(super) fn response(text: &str) -> Response {
    match parse(text) {
        Message::Response(response) => response,
        Message::Request(_) => panic!("a request: {text}"),
    }
}

fn parse(text: &str) -> Message {
    let wire = [text.trim().replace('\n', "\r\n").as_str(), "\r\n\r\n"].concat();
    Message::parse(Bytes::from(wire)).unwrap()
}

/// Bytes as text, for readable assertions.
pub(super) fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap()
}
