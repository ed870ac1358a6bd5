//! Conversions to and from the message types of the crate rsip 0.4, behind the feature `rsip`.
//!
//! They go through bytes that rsip can read: canonical names, no folds, and a body that it does not
//! touch. What rsip has no room for is an error: methods that it does not know, `tel:` and IPv6 URIs,
//! headers that are not UTF-8. It keeps no reason phrase of a status that it knows.

use crate::HeaderName;
use crate::message::{Headers, Message, ParseError, Request, Response, Writer};
use alloc::string::{String, ToString};
use bytes::Bytes;
use rsip::message::HasHeaders;

/// Why a message cannot be converted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RsipError {
    /// rsip has no room for it.
    #[error("rsip cannot hold the message: {0}")]
    Refused(rsip::Error),
    /// What rsip holds is no message, such as a header with a line break in it.
    #[error("rsip holds no well-formed message: {0}")]
    Malformed(ParseError),
    /// rsip holds a request where a response is asked for, or the other way round.
    #[error("a request where a response is asked for, or the other way round")]
    OtherKind,
}

impl TryFrom<&Request> for rsip::Request {
    type Error = RsipError;

    fn try_from(request: &Request) -> Result<Self, RsipError> {
        let writer = Writer::request(request.method_token(), request.uri());
        Self::try_from(canonical(writer, request)).map_err(RsipError::Refused)
    }
}

impl TryFrom<&Response> for rsip::Response {
    type Error = RsipError;

    fn try_from(response: &Response) -> Result<Self, RsipError> {
        let reason = String::from_utf8_lossy(response.reason());
        let writer = Writer::response(response.status(), &reason);
        Self::try_from(canonical(writer, response)).map_err(RsipError::Refused)
    }
}

impl TryFrom<&Message> for rsip::SipMessage {
    type Error = RsipError;

    fn try_from(message: &Message) -> Result<Self, RsipError> {
        match message {
            Message::Request(request) => rsip::Request::try_from(request).map(Self::Request),
            Message::Response(response) => rsip::Response::try_from(response).map(Self::Response),
        }
    }
}

impl TryFrom<&rsip::Request> for Request {
    type Error = RsipError;

    fn try_from(request: &rsip::Request) -> Result<Self, RsipError> {
        let start =
            Writer::request(&request.method.to_string(), request.uri.to_string().as_bytes());
        match read(start, request.headers(), &request.body)? {
            Message::Request(request) => Ok(request),
            Message::Response(_) => Err(RsipError::OtherKind),
        }
    }
}

impl TryFrom<&rsip::Response> for Response {
    type Error = RsipError;

    fn try_from(response: &rsip::Response) -> Result<Self, RsipError> {
        let status = &response.status_code;
        let reason = match status {
            rsip::StatusCode::Other(_, reason) => reason.as_str(),
            known => crate::reason_phrase(known.code()),
        };
        let start = Writer::response(status.code(), reason);
        match read(start, response.headers(), &response.body)? {
            Message::Response(response) => Ok(response),
            Message::Request(_) => Err(RsipError::OtherKind),
        }
    }
}

impl TryFrom<&rsip::SipMessage> for Message {
    type Error = RsipError;

    fn try_from(message: &rsip::SipMessage) -> Result<Self, RsipError> {
        match message {
            rsip::SipMessage::Request(request) => Request::try_from(request).map(Self::Request),
            rsip::SipMessage::Response(response) => {
                Response::try_from(response).map(Self::Response)
            }
        }
    }
}

/// The message as rsip can read it.
fn canonical(mut writer: Writer, headers: &Headers) -> Bytes {
    for (name, value) in headers.iter() {
        match name.name {
            HeaderName::ContentLength => {}
            HeaderName::Other => {
                writer.other(name.text, value);
            }
            known => {
                writer.header(known, value);
            }
        }
    }
    writer.finish_body(headers.body())
}

/// The message that rsip's parts make, read again. Content-Length is that of the body.
fn read(mut writer: Writer, headers: &rsip::Headers, body: &[u8]) -> Result<Message, RsipError> {
    for header in headers.iter() {
        let line = header.to_string();
        let name = line.split_once(':').map_or("", |(name, _)| name.trim_end());
        if HeaderName::recognise(name.as_bytes()) != HeaderName::ContentLength {
            writer.raw_line(line.as_bytes());
        }
    }
    Message::parse(writer.finish_body(body)).map_err(RsipError::Malformed)
}
