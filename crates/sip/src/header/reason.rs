//! Reason: RFC 3326.

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
