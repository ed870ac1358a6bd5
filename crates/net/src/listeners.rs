//! The sockets of `sip.listen`, bound in order before anything else runs.

use std::net::SocketAddr;
use std::sync::Arc;

use mediator_model::{ListenerId, Transport};

use crate::event::BindError;
use crate::stream::StreamListener;
use crate::udp::UdpListener;

/// All listeners, bound. A listener's [`ListenerId`] is its place in the list.
#[derive(Default)]
pub struct Listeners {
    /// The UDP sockets.
    pub udp: Vec<Arc<UdpListener>>,
    /// The TCP listeners, for [`StreamParts`](crate::StreamParts).
    pub streams: Vec<StreamListener>,
}

impl Listeners {
    /// Binds each of `wanted`, or none: the first that cannot be bound is the error.
    pub fn bind(wanted: &[(Transport, SocketAddr)]) -> Result<Self, BindError> {
        if wanted.len() > usize::from(u8::MAX) + 1 {
            return Err(BindError::TooMany(wanted.len()));
        }
        let mut bound = Self::default();
        for (place, (transport, address)) in wanted.iter().copied().enumerate() {
            let id = ListenerId(u8::try_from(place).map_err(|_| BindError::TooMany(place))?);
            match transport {
                Transport::Udp => bound.udp.push(UdpListener::bind(id, address)?),
                Transport::Tcp => bound.streams.push(StreamListener::bind(id, address)?),
                Transport::Tls | Transport::Ws | Transport::Wss => {
                    return Err(BindError::NotBuilt { transport, address });
                }
            }
        }
        Ok(bound)
    }

    /// What is listened on, in the order of the config.
    pub fn addresses(&self) -> Vec<(ListenerId, Transport, SocketAddr)> {
        let udp = self.udp.iter().map(|one| (one.id(), Transport::Udp, one.local_address()));
        let tcp = self.streams.iter().map(|one| (one.id(), Transport::Tcp, one.local_address()));
        let mut all: Vec<_> = udp.chain(tcp).collect();
        all.sort_by_key(|(id, ..)| *id);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> SocketAddr {
        ([127, 0, 0, 1], 0).into()
    }

    #[test]
    fn listeners_are_numbered_by_their_place() {
        let wanted = [Transport::Tcp, Transport::Udp, Transport::Udp];
        let bound = Listeners::bind(&wanted.map(|one| (one, loopback()))).unwrap();
        let listed: Vec<_> = bound.addresses().iter().map(|(id, one, _)| (id.0, *one)).collect();
        assert_eq!(listed, [(0, Transport::Tcp), (1, Transport::Udp), (2, Transport::Udp)]);
        assert!(bound.addresses().iter().all(|(_, _, address)| address.port() != 0));
    }

    #[test]
    fn the_occupied_one_is_named() {
        fn check(transport: Transport) {
            let first = Listeners::bind(&[(transport, loopback())]).unwrap();
            let (_, _, taken) = first.addresses()[0];
            let wanted = [(Transport::Udp, loopback()), (transport, taken)];
            let error = Listeners::bind(&wanted).err().unwrap().to_string();
            assert!(
                error.starts_with(&format!("cannot listen on {transport} {taken}: ")),
                "{error}"
            );
        }
        check(Transport::Udp);
        check(Transport::Tcp);
    }

    #[test]
    fn what_is_not_built_is_refused() {
        for transport in [Transport::Tls, Transport::Ws, Transport::Wss] {
            let error = Listeners::bind(&[(transport, loopback())]).err().unwrap().to_string();
            assert!(error.ends_with("is not built in"), "{error}");
        }
    }

    #[test]
    fn more_than_a_listener_id_counts_is_refused() {
        let wanted = vec![(Transport::Udp, loopback()); 257];
        let error = Listeners::bind(&wanted).err().unwrap();
        assert!(matches!(error, BindError::TooMany(257)), "{error}");
    }
}
