//! What we can speak and where to, as our listeners say.

use std::net::{IpAddr, SocketAddr};

use mediator_model::{ListenerId, Transport};

/// Our listeners, as far as the choice of a way to a server looks at them.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    listeners: Vec<(ListenerId, Transport, SocketAddr)>,
}

impl Reach {
    /// What these listeners reach ([`Listeners::addresses`](crate::Listeners::addresses)).
    pub fn of(listeners: Vec<(ListenerId, Transport, SocketAddr)>) -> Self {
        Self { listeners }
    }

    /// The listener to speak from: the one that has the address `local`, which the kernel would send
    /// from ([`LocalAddresses`](crate::LocalAddresses)); else one on all addresses; else the first of
    /// the transport and the remote's family.
    pub fn listener(
        &self,
        transport: Transport,
        remote: IpAddr,
        local: Option<IpAddr>,
    ) -> Option<ListenerId> {
        let fits = |family: IpAddr| family.is_ipv4() == remote.is_ipv4();
        let usable = self.listeners.iter().filter(|(_, ours, _)| *ours == transport);
        usable
            .filter(|(_, _, address)| fits(address.ip()))
            .min_by_key(|(_, _, address)| {
                let ip = address.ip();
                (Some(ip) != local, !ip.is_unspecified())
            })
            .map(|(id, ..)| *id)
    }

    pub(super) fn speaks(&self, transport: Transport) -> bool {
        self.listeners.iter().any(|(_, ours, _)| *ours == transport)
    }

    pub(super) fn speaks_ipv4(&self, transport: Transport) -> bool {
        self.listeners.iter().any(|(_, ours, address)| *ours == transport && address.is_ipv4())
    }

    pub(super) fn speaks_ipv6(&self, transport: Transport) -> bool {
        self.listeners.iter().any(|(_, ours, address)| *ours == transport && address.is_ipv6())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listener_with_the_kernels_address_comes_first() {
        let listeners = ["10.0.0.1:5060", "192.0.2.7:5060", "0.0.0.0:5070", "[2001:db8::7]:5060"];
        let mut all: Vec<_> = (0..)
            .zip(listeners)
            .map(|(id, one)| (ListenerId(id), Transport::Udp, one.parse().unwrap()))
            .collect();
        all.push((ListenerId(4), Transport::Tcp, "10.0.0.1:5060".parse().unwrap()));
        let reach = Reach::of(all);
        let check = |transport, remote: &str, local: Option<&str>, expected: Option<u8>| {
            let local = local.map(|one| one.parse().unwrap());
            let found = reach.listener(transport, remote.parse().unwrap(), local);
            assert_eq!(found, expected.map(ListenerId), "{transport} {remote} {local:?}");
        };
        check(Transport::Udp, "198.51.100.1", Some("192.0.2.7"), Some(1));
        check(Transport::Udp, "10.0.0.9", Some("10.0.0.1"), Some(0));
        check(Transport::Udp, "172.16.0.1", Some("172.16.0.2"), Some(2));
        check(Transport::Udp, "198.51.100.1", None, Some(2));
        check(Transport::Udp, "2001:db8::1", None, Some(3));
        check(Transport::Tcp, "198.51.100.1", Some("192.0.2.7"), Some(4));
        check(Transport::Tcp, "2001:db8::1", None, None);
        check(Transport::Tls, "198.51.100.1", None, None);
    }
}
