//! The two requests that are made from an INVITE that was sent: the ACK of its failure (RFC 3261
//! §17.1.1.3) and its CANCEL (§9.1). Both keep its Request-URI, its topmost Via (so that they match it),
//! From, Call-ID, CSeq number and Route.

use crate::{HeaderName, Method, Request, Response, Writer};
use bytes::Bytes;

/// The ACK: To is the response's, with the tag. Credentials go along (§22.1).
///
/// `None` when the response has no To, so that there is nothing to acknowledge it with.
pub(super) fn ack_for_failure(invite: &Request, response: &Response) -> Option<Bytes> {
    let mut ack = begin(Method::Ack, invite);
    ack.header(HeaderName::To, response.first(HeaderName::To)?);
    for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
        for value in invite.lines(name) {
            ack.header(name, value);
        }
    }
    Some(ack.finish(None))
}

/// The CANCEL: To is the INVITE's own; no Require, no Proxy-Require, no body.
pub(super) fn cancel_for(invite: &Request, reason: Option<&str>) -> Bytes {
    let mut cancel = begin(Method::Cancel, invite);
    if let Some(to) = invite.first(HeaderName::To) {
        cancel.header(HeaderName::To, to);
    }
    if let Some(reason) = reason {
        cancel.header(HeaderName::Reason, reason);
    }
    cancel.finish(None)
}

fn begin(method: Method, invite: &Request) -> Writer {
    let mut writer = Writer::request(method.as_str(), invite.uri());
    if let Some(via) = invite.values(HeaderName::Via).next() {
        writer.header(HeaderName::Via, via);
    }
    for name in [HeaderName::MaxForwards, HeaderName::From, HeaderName::CallId] {
        if let Some(value) = invite.first(name) {
            writer.header(name, value);
        }
    }
    if let Ok(cseq) = invite.cseq() {
        writer.header_fmt(HeaderName::CSeq, format_args!("{} {method}", cseq.number));
    }
    for route in invite.lines(HeaderName::Route) {
        writer.header(HeaderName::Route, route);
    }
    writer
}
