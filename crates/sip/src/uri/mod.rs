//! SIP, SIPS and tel URIs: RFC 3261 §19.1, RFC 3966.

mod compare;
mod escape;
mod host;
mod parse;
#[cfg(test)]
mod tests;

pub use host::Host;
pub(crate) use host::ipv4;
pub use parse::MAX_URI_PARTS;

use crate::Params;
use crate::header::ascii;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use mediator_model::Transport;

/// The scheme of a URI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966)
    Tel,
    /// Any other; the URI is opaque.
    Other,
}

/// A URI, borrowed from the text that it was read from.
#[derive(Clone, Copy, Debug)]
pub struct Uri<'a> {
    /// The scheme.
    pub scheme: Scheme,
    /// The user part, still escaped; of a tel URI the number as written; `None` for other schemes.
    pub user: Option<&'a [u8]>,
    /// The password, still escaped.
    pub password: Option<&'a [u8]>,
    /// The host; an empty name for tel and other schemes.
    pub host: Host<'a>,
    /// The port.
    pub port: Option<u16>,
    /// The URI parameters, still escaped.
    pub params: Params<'a>,
    /// What follows `?`, still escaped.
    pub headers: Option<&'a [u8]>,
    /// The whole text.
    pub raw: &'a [u8],
}

/// Why a text is no URI.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UriError {
    /// No scheme before a colon.
    #[error("no scheme")]
    Scheme,
    /// The user part holds a character that must be escaped.
    #[error("malformed user part")]
    User,
    /// The host is empty or malformed.
    #[error("malformed host")]
    Host,
    /// The port is no number from 0 to 65535.
    #[error("malformed port")]
    Port,
    /// A parameter is malformed.
    #[error("malformed parameter")]
    Params,
    /// The headers behind `?` are malformed.
    #[error("malformed headers")]
    Headers,
    /// The number of a tel URI is malformed.
    #[error("malformed telephone number")]
    Number,
    /// A character that no URI may hold, such as a space or `<`.
    #[error("character not allowed in a URI")]
    Character,
}

impl<'a> Uri<'a> {
    /// The user part with its escapes decoded; what is not UTF-8 is replaced. Empty where there is none.
    pub fn user_decoded(&self) -> Cow<'a, str> {
        let user = self.user.unwrap_or_default();
        if !user.contains(&b'%') {
            return String::from_utf8_lossy(user);
        }
        let decoded: Vec<u8> = escape::Decoded::new(user).collect();
        Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
    }

    /// A URI parameter's value, escapes left in, by name in any case and whatever is escaped in it; empty
    /// where it has no value.
    pub fn param(&self, name: &str) -> Option<&'a [u8]> {
        self.params
            .iter()
            .find(|(found, _)| {
                found.eq_ignore_ascii_case(name.as_bytes())
                    || found.contains(&b'%') && escape::same_any_case(found, name.as_bytes())
            })
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// The `transport` parameter, where it names one that we know.
    pub fn transport(&self) -> Option<Transport> {
        self.param("transport").and_then(|token| Transport::from_token(ascii(token)))
    }

    /// Whether the `lr` parameter is there (RFC 3261 §19.1.1).
    pub fn is_loose_router(&self) -> bool {
        self.param("lr").is_some()
    }

    /// Whether the scheme is `sip` or `sips`.
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// Whether both name the same resource (RFC 3261 §19.1.4, RFC 3966 §4).
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        compare::equivalent(self, other)
    }
}
