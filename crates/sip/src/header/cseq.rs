//! CSeq and RAck: RFC 3261 §20.16, RFC 3262 §7.2.

use crate::Method;

/// A `CSeq` value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CSeq<'a> {
    /// The sequence number, below 2^31 (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// The method.
    pub method: Method,
    /// The method's text as received.
    pub token: &'a str,
}

/// A `RAck` value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RAck<'a> {
    /// The RSeq of the response that is acknowledged.
    pub rseq: u32,
    /// The CSeq of the request that it answered.
    pub cseq: CSeq<'a>,
}
