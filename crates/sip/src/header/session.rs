//! Numbers of seconds and what stands behind them: Expires, Session-Expires, Min-SE, Retry-After
//! (RFC 3261 §20.19, §20.33, RFC 4028).

use super::tokens::Scanner;
use super::{Params, Problem};

/// Who refreshes the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refresher {
    /// The side that sent the request.
    Uac,
    /// The side that answered it.
    Uas,
}

/// A `Session-Expires` value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionExpires {
    /// The interval in seconds.
    pub seconds: u32,
    /// The `refresher` parameter, where it is `uac` or `uas`.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// Reads one whole value.
    pub fn parse(value: &[u8]) -> Result<Self, Problem> {
        let (seconds, params) = seconds(value)?;
        let refresher = match params.value("refresher") {
            Some(side) if side.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
            Some(side) if side.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
            _ => None,
        };
        Ok(Self { seconds, refresher })
    }
}

/// Reads `delta-seconds [comment] *( SEMI generic-param )`; a number beyond 32 bits counts as the greatest.
pub(crate) fn seconds(value: &[u8]) -> Result<(u32, Params<'_>), Problem> {
    let mut scanner = Scanner::new(value);
    scanner.skip_lws();
    let number = scanner.number().ok_or(Problem::Malformed)?;
    scanner.skip_lws();
    if scanner.peek() == Some(b'(') {
        let length = super::list::comment_length(scanner.rest()).ok_or(Problem::Malformed)?;
        scanner.take(length + 1);
    }
    let params = Params::take(&mut scanner).ok_or(Problem::Malformed)?;
    scanner.skip_lws();
    if !scanner.is_end() {
        return Err(Problem::Malformed);
    }
    Ok((u32::try_from(number).unwrap_or(u32::MAX), params))
}
