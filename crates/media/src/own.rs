//! Where a relay does not send to: addresses that nobody can be at, and its own media sockets, where a packet would run
//! in circles.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;

use alloc::sync::Arc;
use mediator_model::PortSet;

use crate::latch::is_sendable;

#[cfg(test)]
mod tests;

/// The addresses of our media sockets.
#[derive(Debug)]
pub(crate) struct OwnSockets {
    addresses: Vec<IpAddr>,
    ports: RangeInclusive<u16>,
    /// Which of them are bound now; `None`: all of them count.
    bound: Option<Arc<PortSet>>,
}

impl OwnSockets {
    pub(crate) const fn new(addresses: Vec<IpAddr>, ports: RangeInclusive<u16>) -> Self {
        Self { addresses, ports, bound: None }
    }

    /// From now on only those ports count that are bound.
    pub(crate) fn watch(&mut self, bound: Arc<PortSet>) {
        self.bound = Some(bound);
    }

    /// Whether it is a media socket of ours; where nobody tells which ports are bound, whether it may be one.
    pub(crate) fn has(&self, address: SocketAddr) -> bool {
        let port = address.port();
        self.ports.contains(&port)
            && self.addresses.contains(&canonical(address.ip()))
            && self.bound.as_ref().is_none_or(|bound| bound.contains(port))
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
