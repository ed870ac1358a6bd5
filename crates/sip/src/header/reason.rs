//! Reason: RFC 3326.

use super::Params;
use super::tokens::{Scanner, ascii};

/// Why a request was sent or a call was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reason<'a> {
    /// `SIP`, `Q.850` or another protocol, as received.
    pub protocol: &'a str,
    /// The `cause` parameter.
    pub cause: Option<u16>,
    /// The `text` parameter, escapes left in.
    pub text: Option<&'a [u8]>,
}

impl<'a> Reason<'a> {
    /// Reads one value.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner::new(value);
        scanner.skip_lws();
        let protocol = scanner.token()?;
        let params = Params::take(&mut scanner)?;
        scanner.skip_lws();
        if !scanner.is_end() {
            return None;
        }
        let cause = params.value("cause").and_then(|cause| ascii(cause).parse().ok());
        Some(Self { protocol, cause, text: params.value("text") })
    }
}
