//! CSeq and RAck: RFC 3261 §20.16, RFC 3262 §7.2.

use super::Problem;
use super::tokens::Scanner;
use crate::Method;

/// The greatest sequence number: below 2^31 (RFC 3261 §8.1.1.5).
pub const MAX_CSEQ: u32 = (1 << 31) - 1;

/// A `CSeq` value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CSeq<'a> {
    /// The sequence number, 0 to [`MAX_CSEQ`].
    pub number: u32,
    /// The method.
    pub method: Method,
    /// The method's text as received.
    pub token: &'a str,
}

impl<'a> CSeq<'a> {
    /// Reads one whole value.
    pub fn parse(value: &'a [u8]) -> Result<Self, Problem> {
        let mut scanner = Scanner::new(value);
        scanner.skip_lws();
        let number = scanner.number().ok_or(Problem::Malformed)?;
        if !scanner.skip_lws() {
            return Err(Problem::Malformed);
        }
        let token = scanner.token().ok_or(Problem::Malformed)?;
        scanner.skip_lws();
        if !scanner.is_end() {
            return Err(Problem::Malformed);
        }
        let number = u32::try_from(number)
            .ok()
            .filter(|number| *number <= MAX_CSEQ)
            .ok_or(Problem::OutOfRange)?;
        Ok(Self { number, method: Method::from_token(token.as_bytes()), token })
    }
}

/// A `RAck` value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RAck<'a> {
    /// The `RSeq` of the response that is acknowledged.
    pub rseq: u32,
    /// The `CSeq` of the request that it answered.
    pub cseq: CSeq<'a>,
}

impl<'a> RAck<'a> {
    /// Reads one whole value.
    pub fn parse(value: &'a [u8]) -> Result<Self, Problem> {
        let mut scanner = Scanner::new(value);
        scanner.skip_lws();
        let rseq = scanner.number().ok_or(Problem::Malformed)?;
        if !scanner.skip_lws() {
            return Err(Problem::Malformed);
        }
        let rseq = u32::try_from(rseq).map_err(|_| Problem::OutOfRange)?;
        Ok(Self { rseq, cseq: CSeq::parse(scanner.rest())? })
    }
}
