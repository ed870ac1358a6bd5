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
fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0_u8; 4];
    let mut digits = text.iter();
    for (index, octet) in octets.iter_mut().enumerate() {
        let mut value: Option<u16> = None;
        let mut ended_by_dot = false;
        for &byte in digits.by_ref() {
            match (byte, value) {
                (b'0'..=b'9', Some(0)) => return None,
                (b'0'..=b'9', known) => {
                    let next = known.unwrap_or(0) * 10 + u16::from(byte - b'0');
                    value = Some(next).filter(|next| *next <= 255);
                    value?;
                }
                (b'.', Some(_)) => {
                    ended_by_dot = true;
                    break;
                }
                _ => return None,
            }
        }
        if ended_by_dot != (index < 3) {
            return None;
        }
        *octet = value? as u8;
    }
    Some(Ipv4Addr::from(octets))
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
