//! What is wrong with a message, as the answer that it gets.

use super::{Headers, Message, Method, Request, response_to};
use alloc::boxed::Box;
use bytes::Bytes;
use core::net::SocketAddr;

/// What is wrong with a message: the status and the phrase of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{status} {phrase}")]
pub struct Fault {
    /// 400, 416, 501, 505 or 513.
    pub status: u16,
    /// The reason phrase; says what is wrong.
    pub phrase: &'static str,
}

impl Fault {
    pub(super) const START_LINE: Self = Self::bad_request("Malformed start line");
    pub(super) const REQUEST_LINE: Self = Self::bad_request("Malformed request line");
    pub(super) const STATUS_LINE: Self = Self::bad_request("Malformed status line");
    pub(super) const URI_SPACE: Self = Self::bad_request("White space in Request-URI");
    pub(super) const URI_HEADERS: Self = Self::bad_request("Headers in Request-URI");
    pub(super) const HEADER_LINE: Self = Self::bad_request("Malformed header line");
    pub(super) const LINE_END: Self = Self::bad_request("Line not ended by CRLF");
    pub(super) const UNFINISHED: Self = Self::bad_request("No empty line after the headers");
    pub(super) const TOO_MANY_HEADERS: Self = Self::bad_request("Too many header lines");
    pub(super) const LENGTH: Self = Self::bad_request("Malformed Content-Length");
    pub(super) const LENGTH_TWICE: Self = Self::bad_request("Duplicate Content-Length");
    pub(super) const LENGTH_MISSING: Self = Self::bad_request("Missing Content-Length");
    pub(super) const LENGTH_BEYOND: Self =
        Self::bad_request("Content-Length larger than the message");
    pub(super) const METHOD_MISMATCH: Self = Self::bad_request("CSeq method is not the request's");
    pub(super) const BRANCH: Self = Self::bad_request("Via branch without an identifier");
    pub(super) const MANY_VIAS: Self = Self::bad_request("More than one Via in a response");
    pub(super) const CONTACT_STAR: Self = Self::bad_request("Contact * outside REGISTER");
    pub(super) const CONTACT_MANY: Self = Self::bad_request("More than one Contact");
    pub(super) const CONTACT_SCHEME: Self = Self::bad_request("Contact is no SIP URI");
    pub(super) const SCHEME: Self = Self { status: 416, phrase: "Unsupported URI Scheme" };
    pub(super) const METHOD: Self = Self { status: 501, phrase: "Not Implemented" };
    pub(super) const VERSION: Self = Self { status: 505, phrase: "Version Not Supported" };
    pub(super) const TOO_LARGE: Self = Self { status: 513, phrase: "Message Too Large" };

    /// A fault that is answered with 400.
    pub(super) const fn bad_request(phrase: &'static str) -> Self {
        Self { status: 400, phrase }
    }
}

/// A message that cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{fault}")]
pub struct ParseError {
    fault: Fault,
    broken: Option<Box<BrokenRequest>>,
}

impl ParseError {
    /// The error of bytes in which no message can be seen.
    pub(super) fn unanswerable(fault: Fault) -> Self {
        Self { fault, broken: None }
    }

    /// The error of a message of which some lines could be read.
    pub(super) fn new(fault: Fault, message: Message) -> Self {
        let broken = match message {
            // Without a Via an answer has no way, and no ACK has an answer (RFC 3261 §17).
            Message::Request(request) if request.method() != Method::Ack => {
                request.via().is_ok().then(|| Box::new(BrokenRequest { fault, request }))
            }
            Message::Request(_) | Message::Response(_) => None,
        };
        Self { fault, broken }
    }

    /// What is wrong.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The request, where enough of it can be read to answer it; `None` for responses, ACKs and noise.
    pub fn answerable(&self) -> Option<&BrokenRequest> {
        self.broken.as_deref()
    }
}

/// A request that cannot be acted on but can be answered: its topmost Via can be read.
#[derive(Clone, Debug)]
pub struct BrokenRequest {
    fault: Fault,
    request: Request,
}

impl BrokenRequest {
    /// What is wrong.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The header lines that could be read.
    pub fn headers(&self) -> &Headers {
        &self.request
    }

    /// The answer that says what is wrong, to be sent statelessly the way that the request came. It has the
    /// Via, From, To, Call-ID and `CSeq` that the request has; `to_tag` is added to a To without one.
    pub fn answer(&self, source: SocketAddr, to_tag: &str) -> Bytes {
        response_to(&self.request, source, self.fault.status, self.fault.phrase, Some(to_tag))
            .finish(None)
    }
}
