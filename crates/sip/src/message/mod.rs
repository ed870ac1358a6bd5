//! Messages: RFC 3261 §7.

mod fault;
mod framing;
mod method;
mod parse;
mod reply;
mod shard;
mod typed;
mod write;

pub use fault::{BrokenRequest, Fault, ParseError, check_request, check_response};
pub use framing::{Frame, Framer, FramingError};
pub use method::Method;
pub use reply::{reason_phrase, response_to};
pub use shard::{peek_call_id, shard_hash};
pub use write::Writer;

use crate::header::{HeaderName, HeaderNameRef};
use crate::{Uri, UriError};
use alloc::vec::Vec;
use bytes::Bytes;
use core::ops::Deref;

/// The longest message that is read, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 65_535;
/// The most header lines that a message may have.
pub const MAX_HEADERS: usize = 256;
/// How deep a multipart body may be nested.
pub const MAX_MULTIPART_DEPTH: usize = 4;

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

/// The headers and the body of a message, as spans of the bytes that were received.
#[derive(Clone, Debug)]
pub struct Headers {
    bytes: Bytes,
    lines: Vec<Line>,
    body: Span,
}

/// A range of a message's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Span {
    start: u16,
    end: u16,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    name: HeaderName,
    text: Span,
    value: Span,
}

impl Message {
    /// Reads one whole datagram or framed message.
    pub fn parse(_bytes: Bytes) -> Result<Self, ParseError> {
        todo!()
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
        let _ = self.method_text;
        todo!()
    }

    /// The Request-URI as received.
    pub fn uri(&self) -> &[u8] {
        let _ = self.uri;
        todo!()
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
        let _ = self.reason;
        todo!()
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

impl Headers {
    /// The whole message as received.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The value of the first line of that name, without the white space around it, folding still inside.
    pub fn first(&self, name: HeaderName) -> Option<&[u8]> {
        self.lines(name).next()
    }

    /// The value of each line of that name, in order.
    pub fn lines(&self, name: HeaderName) -> impl Iterator<Item = &[u8]> + Clone {
        self.lines.iter().filter(move |line| line.name == name).map(|line| {
            self.bytes.get(line.value.start.into()..line.value.end.into()).unwrap_or_default()
        })
    }

    /// The comma-separated elements of all lines of that name, in order. Quoted strings, comments and
    /// `<...>` hide their commas.
    pub fn values(&self, name: HeaderName) -> impl Iterator<Item = &[u8]> + Clone {
        self.lines(name)
    }

    /// The value of each line with that name, in any case: for names that have no row in the table.
    pub fn other(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let _ = name;
        self.lines(HeaderName::Other)
    }

    /// All header lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = (HeaderNameRef<'_>, &[u8])> {
        let _ = self.lines.iter().map(|line| line.text);
        core::iter::empty()
    }

    /// The body: what Content-Length counts, or all that follows where there is none.
    pub fn body(&self) -> &[u8] {
        let _ = self.body;
        todo!()
    }

    /// The body, sharing the message's memory.
    pub fn body_bytes(&self) -> Bytes {
        todo!()
    }
}
