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
        let text = scanner.some(Class::HOST)?;
        ipv4(text).map(Self::V4).or_else(|| Self::from_name(text))
    }

    /// A name. A last label of digits alone is no `toplabel`: such a text had to be an address.
    fn from_name(text: &'a [u8]) -> Option<Self> {
        let labels = text.strip_suffix(b".").unwrap_or(text);
        let last = labels.rsplit(|&byte| byte == b'.').next()?;
        let empty_label =
            labels.first() == Some(&b'.') || labels.windows(2).any(|two| two == b"..");
        (!empty_label && !Class::DIGIT.holds(last)).then(|| Self::Name(ascii(text)))
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

/// Reads `1*3DIGIT` four times between dots, without leading zeros: some read those as octal.
pub(crate) fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let (first, rest) = octet(text)?;
    let (second, rest) = octet(rest.strip_prefix(b".")?)?;
    let (third, rest) = octet(rest.strip_prefix(b".")?)?;
    let (fourth, rest) = octet(rest.strip_prefix(b".")?)?;
    rest.is_empty().then(|| Ipv4Addr::new(first, second, third, fourth))
}

/// Takes up to three digits off the text; a zero stands alone.
fn octet(text: &[u8]) -> Option<(u8, &[u8])> {
    let value = |digit: &u8| u16::from(digit - b'0');
    let (number, rest) = match text {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
            (value(a) * 100 + value(b) * 10 + value(c), rest)
        }
        [a @ b'1'..=b'9', b @ b'0'..=b'9', rest @ ..] => (value(a) * 10 + value(b), rest),
        [a @ b'0'..=b'9', rest @ ..] => (value(a), rest),
        _ => return None,
    };
    u8::try_from(number).ok().map(|octet| (octet, rest))
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
