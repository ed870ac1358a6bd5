//! Hosts: RFC 3261 §25.1 `host`, RFC 5118.

use crate::header::{Class, Scanner, ascii};
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The host of a URI or of a Via.
#[derive(Clone, Copy, Eq, Debug)]
pub enum Host<'a> {
    /// A name, as received; empty where the URI has no host.
    Name(&'a str),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, in brackets on the wire.
    V6(Ipv6Addr),
}

impl<'a> Host<'a> {
    /// Reads a whole host: a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        let host = Self::take(&mut scanner)?;
        scanner.is_end().then_some(host)
    }

    /// Passes a host.
    pub(crate) fn take(scanner: &mut Scanner<'a>) -> Option<Self> {
        if scanner.eat(b'[') {
            let length = scanner.rest().iter().position(|&byte| byte == b']')?;
            let address = ascii(scanner.take(length)).parse().ok()?;
            scanner.eat(b']');
            return Some(Self::V6(address));
        }
        Self::from_text(scanner.some(Class::HOST)?)
    }

    /// A name or an IPv4 address. A last label of digits alone is no `toplabel`: such a text must be an address.
    fn from_text(text: &'a [u8]) -> Option<Self> {
        let labels = text.strip_suffix(b".").unwrap_or(text);
        let last = labels.rsplit(|&byte| byte == b'.').next()?;
        if Class::DIGIT.holds(last) {
            return ascii(text).parse().ok().map(Self::V4);
        }
        let empty_label =
            labels.first() == Some(&b'.') || labels.windows(2).any(|two| two == b"..");
        (!empty_label).then(|| Self::Name(ascii(text)))
    }

    /// The address, where it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(address) => Some(IpAddr::V4(*address)),
            Self::V6(address) => Some(IpAddr::V6(*address)),
        }
    }
}

/// Names are the same in any case.
impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(one), Self::Name(other)) => one.eq_ignore_ascii_case(other),
            (Self::V4(one), Self::V4(other)) => one == other,
            (Self::V6(one), Self::V6(other)) => one == other,
            (Self::Name(_) | Self::V4(_) | Self::V6(_), _) => false,
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}
