//! SIP, SIPS and tel URIs: RFC 3261 §19.1, RFC 3966.

use crate::Params;
use alloc::borrow::Cow;
use core::net::{Ipv4Addr, Ipv6Addr};
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

/// The host of a URI or of a Via.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Host<'a> {
    /// A name, as received; empty where the URI has no host.
    Name(&'a str),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, in brackets on the wire.
    V6(Ipv6Addr),
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
    /// Reads a whole URI.
    pub fn parse(_text: &'a [u8]) -> Result<Self, UriError> {
        todo!()
    }

    /// The user part with its escapes decoded; what is not UTF-8 is replaced. Empty where there is none.
    pub fn user_decoded(&self) -> Cow<'a, str> {
        todo!()
    }

    /// A URI parameter's value, by name in any case, escapes left in; empty where it has no value.
    pub fn param(&self, _name: &str) -> Option<&'a [u8]> {
        todo!()
    }

    /// The `transport` parameter, where it names one that we know.
    pub fn transport(&self) -> Option<Transport> {
        todo!()
    }

    /// Whether the `lr` parameter is there (RFC 3261 §19.1.1).
    pub fn is_loose_router(&self) -> bool {
        self.param("lr").is_some()
    }

    /// Whether both name the same resource (RFC 3261 §19.1.4).
    pub fn equivalent(&self, _other: &Uri<'_>) -> bool {
        todo!()
    }
}
