//! Messages for the tests of the layer, written as text.

use crate::{Message, Request, Response};
use alloc::format;
use alloc::string::String;
use bytes::Bytes;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use mediator_model::{ConnectionId, Flow, ListenerId, Transport};

/// A request by its parts; the rest is always the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    /// Everything after `SIP/2.0/UDP `.
    pub(super) via: &'a str,
    pub(super) from_tag: &'a str,
    /// With its semicolon, or empty.
    pub(super) to_tag: &'a str,
    pub(super) call_id: &'a str,
    pub(super) cseq: u32,
}

/// An INVITE of a peer of RFC 3261.
pub(super) const INVITE: Ask<'static> = Ask {
    method: "INVITE",
    uri: "sip:1002@192.0.2.1",
    via: "192.0.2.9:5060;branch=z9hG4bKb1",
    from_tag: "f1",
    to_tag: "",
    call_id: "c1",
    cseq: 1,
};

impl Ask<'_> {
    pub(super) fn text(&self) -> String {
        let Self { method, uri, via, from_tag, to_tag, call_id, cseq } = self;
        format!(
            "{method} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {via}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:1001@192.0.2.9>;tag={from_tag}\r\n\
             To: <sip:1002@192.0.2.1>{to_tag}\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\n\
             Content-Length: 0\r\n\r\n"
        )
    }

    pub(super) fn message(&self) -> Message {
        parse(&self.text())
    }

    pub(super) fn request(&self) -> Request {
        match self.message() {
            Message::Request(request) => request,
            Message::Response(response) => panic!("{response:?}"),
        }
    }
}

pub(super) fn parse(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

/// The response to a request, with this To tag (its semicolon included).
pub(super) fn answer(request: &Request, status: u16, to_tag: &str) -> String {
    let via = text(request.first(crate::HeaderName::Via).unwrap());
    let from = text(request.first(crate::HeaderName::From).unwrap());
    let to = text(request.first(crate::HeaderName::To).unwrap());
    let call_id = text(request.call_id().unwrap());
    let cseq = text(request.first(crate::HeaderName::CSeq).unwrap());
    format!(
        "SIP/2.0 {status} Status\r\n\
         Via: {via}\r\n\
         From: {from}\r\n\
         To: {to}{to_tag}\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: {cseq}\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

pub(super) fn answer_message(request: &Request, status: u16) -> Message {
    parse(&answer(request, status, ";tag=t1"))
}

pub(super) fn answer_response(request: &Request, status: u16) -> Response {
    match answer_message(request, status) {
        Message::Response(response) => response,
        Message::Request(request) => panic!("{request:?}"),
    }
}

pub(super) fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

pub(super) const fn udp() -> Flow {
    let remote = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)), 5060);
    Flow { transport: Transport::Udp, listener: ListenerId(0), remote, connection: None }
}

pub(super) const fn tcp(connection: u64) -> Flow {
    Flow { transport: Transport::Tcp, connection: Some(ConnectionId::new(connection)), ..udp() }
}
