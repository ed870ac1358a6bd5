//! The grammar that challenges and credentials share: RFC 3261 §25.1, RFC 7616 §3.3 and §3.4.
//!
//! A scheme, then `name=value` separated by commas, with linear white space (folded lines too) around
//! every separator. A value may come quoted or not whatever the grammar says of that parameter: real
//! phones quote `qop` and `nc`, and leave out the quotes of `algorithm`. Unknown parameters are read over.

use alloc::borrow::Cow;

use super::quoted::unquote;

/// The longest value of one header line that is read, in bytes.
pub(super) const MAX_VALUE_BYTES: usize = 8192;
/// The most parameters of one challenge or one set of credentials.
pub(super) const MAX_PARAMS: usize = 32;

/// Why a challenge or credentials cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AuthError {
    /// Another scheme, such as Basic or Bearer.
    #[error("not the Digest scheme")]
    NotDigest,
    /// Longer than 8192 bytes.
    #[error("{bytes} bytes of credentials or challenge are too many")]
    TooLong {
        /// The length found.
        bytes: usize,
    },
    /// More than 32 parameters.
    #[error("too many parameters")]
    TooManyParams,
    /// Not `name=value`, or a quote that is not closed.
    #[error("malformed parameter")]
    Malformed,
    /// A parameter that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A parameter is there twice.
    #[error("{0} is repeated")]
    Repeated(&'static str),
    /// A parameter's value is none that it may have.
    #[error("{0} has a bad value")]
    BadValue(&'static str),
}

/// The quality of protection: of a challenge what may be used, of credentials what is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Qop {
    /// Not named: the computation of RFC 2069.
    Absent,
    /// `auth`, alone or among others.
    Auth,
    /// Only what is not spoken here, such as `auth-int`.
    Other,
}

impl Qop {
    /// Reads a list of qop values, or the one of credentials.
    pub(super) fn parse(value: &[u8]) -> Self {
        let mut named = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        if value.trim_ascii().is_empty() {
            Self::Absent
        } else if named.any(|one| one.eq_ignore_ascii_case(b"auth")) {
            Self::Auth
        } else {
            Self::Other
        }
    }
}

/// The parameters that something here reads.
const NAMES: [&str; 13] = [
    "username",
    "username*",
    "realm",
    "nonce",
    "uri",
    "response",
    "algorithm",
    "cnonce",
    "opaque",
    "qop",
    "nc",
    "userhash",
    "stale",
];

/// The name as [`NAMES`] spells it, so that it can be matched; `""` for one that is not known.
fn known(name: &[u8]) -> &'static str {
    let found = NAMES.into_iter().find(|known| known.as_bytes().eq_ignore_ascii_case(name));
    found.unwrap_or_default()
}

/// A parameter's value as it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value<'a> {
    /// Between quotes; escapes still in.
    Quoted(&'a [u8]),
    /// Without quotes.
    Bare(&'a [u8]),
}

impl<'a> Value<'a> {
    /// What the value says: without escapes, and unfolded.
    pub(super) fn text(self) -> Cow<'a, [u8]> {
        match self {
            Self::Quoted(inside) => unquote(inside),
            Self::Bare(text) => Cow::Borrowed(text),
        }
    }
}

/// The parameters of a Digest challenge or credentials, read one by one.
pub(super) struct DigestParams<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> DigestParams<'a> {
    /// Checks length and scheme.
    pub(super) fn new(value: &'a [u8]) -> Result<Self, AuthError> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(AuthError::TooLong { bytes: value.len() });
        }
        let value = value.trim_ascii();
        let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
        let (scheme, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
        if scheme.eq_ignore_ascii_case(b"Digest") {
            Ok(Self { rest, left: MAX_PARAMS })
        } else {
            Err(AuthError::NotDigest)
        }
    }

    /// The next parameter, its name in lower case or `""` where it is unknown; `Ok(None)` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(&'static str, Value<'a>)>, AuthError> {
        // Empty list elements are read over, as RFC 7230 §7 asks of recipients.
        let start = self.rest.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != b',');
        let Some(text) = start.and_then(|start| self.rest.get(start..)) else { return Ok(None) };
        self.left = self.left.checked_sub(1).ok_or(AuthError::TooManyParams)?;
        let equals = text.iter().position(|byte| *byte == b'=').ok_or(AuthError::Malformed)?;
        let (name, value) = text.split_at_checked(equals).ok_or(AuthError::Malformed)?;
        let name = name.trim_ascii_end();
        if name.is_empty() || !name.iter().copied().all(is_token_byte) {
            return Err(AuthError::Malformed);
        }
        let value = value.get(1..).unwrap_or_default().trim_ascii_start();
        let (value, rest) = match value.strip_prefix(b"\"") {
            Some(inside) => split_quoted(inside)?,
            None => split_bare(value),
        };
        let rest = rest.trim_ascii_start();
        if rest.first().is_some_and(|byte| *byte != b',') {
            return Err(AuthError::Malformed);
        }
        self.rest = rest;
        Ok(Some((known(name), value)))
    }
}

/// Splits behind the closing quote; `inside` starts behind the opening one.
fn split_quoted(inside: &[u8]) -> Result<(Value<'_>, &[u8]), AuthError> {
    let mut escaped = false;
    let end = inside
        .iter()
        .position(|byte| {
            let closes = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            closes
        })
        .ok_or(AuthError::Malformed)?;
    let (text, rest) = inside.split_at_checked(end).ok_or(AuthError::Malformed)?;
    Ok((Value::Quoted(text), rest.get(1..).unwrap_or_default()))
}

fn split_bare(value: &[u8]) -> (Value<'_>, &[u8]) {
    let end = value
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || *byte == b',')
        .unwrap_or(value.len());
    let (text, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
    (Value::Bare(text), rest)
}

/// RFC 3261 §25.1 `token`.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Stores a value at its first appearance; a second is an error, since the two could disagree.
pub(super) fn once<T>(slot: &mut Option<T>, name: &'static str, value: T) -> Result<(), AuthError> {
    if slot.is_some() {
        return Err(AuthError::Repeated(name));
    }
    *slot = Some(value);
    Ok(())
}

/// Reads `true` or `false` in any case; what is neither counts as false, as RFC 7616 §3.3 says of `stale`.
pub(super) fn is_true(value: &[u8]) -> bool {
    value.eq_ignore_ascii_case(b"true")
}
