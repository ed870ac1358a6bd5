//! Responses made from requests: RFC 3261 §8.2.6, §18.2.1, RFC 3581.

use super::{Request, Writer};
use core::net::SocketAddr;

/// A response started from a request: Via (the topmost with `received` and `rport` filled in from `source`),
/// From, To, Call-ID, CSeq; Timestamp for a 100.
///
/// `to_tag` is added to To where To has none.
pub fn response_to(
    _request: &Request,
    _source: SocketAddr,
    _status: u16,
    _reason: &str,
    _to_tag: Option<&str>,
) -> Writer {
    todo!()
}

/// The standard phrase of a status code; that of its class where it has none of its own.
pub fn reason_phrase(_status: u16) -> &'static str {
    todo!()
}
