//! What is wrong with a message, as the answer that it gets.

use super::{Headers, Request, Response};
use bytes::Bytes;
use core::net::SocketAddr;

/// What is wrong with a message: the status and the phrase of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{status} {phrase}")]
pub struct Fault {
    /// 400, 416, 501, 505, 513.
    pub status: u16,
    /// The reason phrase; says what is wrong.
    pub phrase: &'static str,
}

/// A message that cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{fault}")]
pub struct ParseError {
    fault: Fault,
    broken: Option<BrokenRequest>,
}

impl ParseError {
    /// What is wrong.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The request, where enough of it can be read to answer it; `None` for responses, ACKs and noise.
    pub fn answerable(&self) -> Option<&BrokenRequest> {
        self.broken.as_ref()
    }
}

/// A request that cannot be acted on but can be answered.
#[derive(Clone, Debug)]
pub struct BrokenRequest {
    fault: Fault,
    request: Request,
}

impl BrokenRequest {
    /// The header lines that could be read.
    pub fn headers(&self) -> &Headers {
        &self.request
    }

    /// The answer that says what is wrong, to be sent the way that the request came.
    pub fn answer(&self, _source: SocketAddr, _to_tag: &str) -> Bytes {
        let _ = self.fault;
        todo!()
    }
}

/// Checks what a UAS core relies on: every mandatory header there, once and well-formed, the CSeq's method
/// the request's, the Request-URI usable (RFC 3261 §8.1.1, §8.2, §16.3).
pub fn check_request(_request: &Request) -> Result<(), Fault> {
    todo!()
}

/// Checks a response; one with a fault is dropped (RFC 3261 §8.1.3, §18.1.2).
pub fn check_response(_response: &Response) -> Result<(), Fault> {
    todo!()
}
