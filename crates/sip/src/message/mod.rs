//! Messages: RFC 3261 §7. Read in one pass into spans, written line by line.
//!
//! A [`Message`] that was read is well-formed as a message: a start line, header lines, a body of the
//! length that Content-Length says. What its headers say is read by typed views when asked, and checked
//! as a whole by [`check_request`] and [`check_response`].

mod body;
mod check;
mod fault;
mod framing;
mod headers;
mod mandatory;
mod method;
mod parse;
mod reply;
mod scan;
mod shard;
#[cfg(test)]
mod tests;
mod typed;
mod write;

pub use body::{BodyPart, BodyParts, MAX_BODY_PARTS, MAX_MULTIPART_DEPTH};
pub use check::{check_request, check_response};
pub use fault::{BrokenRequest, Fault, ParseError};
pub use framing::{Frame, Framer, FramingError};
pub use headers::{Headers, Lines, Values};
pub use method::Method;
pub use parse::{MAX_HEADERS, MAX_MESSAGE_BYTES, is_keep_alive};
pub use reply::{reason_phrase, response_to};
pub use shard::{peek_call_id, shard_hash};
pub use write::Writer;

use crate::header::ascii;
use crate::{Uri, UriError};
use bytes::Bytes;
use core::ops::Deref;
use headers::Span;

/// A request or a response.
#[derive(Clone, Debug)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

/// A request; its headers are reached through it.
#[derive(Clone, Debug)]
pub struct Request {
    headers: Headers,
    method: Method,
    method_text: Span,
    uri: Span,
}

/// A response; its headers are reached through it.
#[derive(Clone, Debug)]
pub struct Response {
    headers: Headers,
    status: u16,
    reason: Span,
}

impl Message {
    /// Reads one whole datagram or framed message. Empty lines in front of it are passed over
    /// (RFC 3261 §7.5), bytes behind its body are dropped (§18.3).
    pub fn parse(bytes: Bytes) -> Result<Self, ParseError> {
        parse::parse(bytes)
    }

    /// The headers and the body.
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => request,
            Self::Response(response) => response,
        }
    }
}

impl Request {
    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The method as received, also where it is unknown.
    pub fn method_token(&self) -> &str {
        match self.method {
            Method::Other => ascii(self.headers.text(self.method_text)),
            known => known.as_str(),
        }
    }

    /// The Request-URI as received.
    pub fn uri(&self) -> &[u8] {
        self.headers.text(self.uri)
    }

    /// The Request-URI, read.
    pub fn uri_parsed(&self) -> Result<Uri<'_>, UriError> {
        Uri::parse(self.uri())
    }
}

impl Response {
    /// The status code, 100 to 699.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase as received.
    pub fn reason(&self) -> &[u8] {
        self.headers.text(self.reason)
    }
}

impl Deref for Request {
    type Target = Headers;

    fn deref(&self) -> &Headers {
        &self.headers
    }
}

impl Deref for Response {
    type Target = Headers;

    fn deref(&self) -> &Headers {
        &self.headers
    }
}
