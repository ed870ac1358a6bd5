//! Where a relay does not send to: addresses that nobody can be at, and its own media sockets, where a packet would run
//! in circles.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;

use crate::latch::is_sendable;

#[cfg(test)]
mod tests;

/// The addresses of our media sockets.
#[derive(Debug)]
pub(crate) struct OwnSockets {
    addresses: Vec<IpAddr>,
    ports: RangeInclusive<u16>,
}

impl OwnSockets {
    pub(crate) const fn new(addresses: Vec<IpAddr>, ports: RangeInclusive<u16>) -> Self {
        Self { addresses, ports }
    }

    /// Whether it is, or may at any time be, a media socket of ours.
    pub(crate) fn has(&self, address: SocketAddr) -> bool {
        self.ports.contains(&address.port()) && self.addresses.contains(&canonical(address.ip()))
    }

    /// Whether media may be sent to it.
    pub(crate) fn may_send_to(&self, address: SocketAddr) -> bool {
        is_sendable(SocketAddr::new(canonical(address.ip()), address.port())) && !self.has(address)
    }
}

/// An IPv4 address that came as IPv6 is that IPv4 address.
fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}
