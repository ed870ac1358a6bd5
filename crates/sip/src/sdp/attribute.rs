//! Attribute lines that any section may have, read into typed values.

use core::net::IpAddr;

use super::scan::{decimal_u16, words};
use crate::uri::ipv4;

/// `a=rtcp`'s value (RFC 3605 §2.1): a port and, where it differs from `c=`, an IP address.
/// `None` where it is malformed or names a host.
pub(super) fn rtcp(value: &[u8]) -> Option<(u16, Option<IpAddr>)> {
    let mut words = words(value);
    let port = decimal_u16(words.next()?, u16::MAX)?;
    let address = match (words.next(), words.next(), words.next()) {
        (None, None, None) => None,
        (Some(network), Some(_family), Some(address)) if network.eq_ignore_ascii_case(b"IN") => {
            Some(ip(address)?)
        }
        _ => return None,
    };
    words.next().is_none().then_some((port, address))
}

/// An IP address without brackets, zone or prefix.
pub(super) fn ip(text: &[u8]) -> Option<IpAddr> {
    ipv4(text).map(IpAddr::V4).or_else(|| core::str::from_utf8(text).ok()?.parse().ok())
}

/// Whether media may be sent to an address at all: not to groups, whoever asks for it.
pub(super) fn is_unicast(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => !v4.is_multicast() && !v4.is_broadcast(),
        IpAddr::V6(v6) => !v6.is_multicast(),
    }
}

/// `a=ptime` and `a=maxptime`: whole milliseconds, 1 to 9999 (RFC 8866 §6.4).
pub(super) fn packet_time(value: &[u8]) -> Option<u16> {
    decimal_u16(value.trim_ascii(), 9999).filter(|millis| *millis > 0)
}
