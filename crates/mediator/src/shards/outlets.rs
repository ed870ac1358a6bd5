//! The way out: bytes to the socket or connection that their flow names.

use std::sync::Arc;

use bytes::Bytes;
use mediator_model::{Flow, ListenerId, Transport};
use mediator_net::{SendError, Streams, UdpListener};

/// Every socket that shards send on.
pub(super) struct Outlets {
    /// By listener number; streams have none here.
    udp: Vec<Option<Arc<UdpListener>>>,
    streams: Arc<Streams>,
}

impl Outlets {
    pub(super) fn new(udp: &[Arc<UdpListener>], streams: Arc<Streams>) -> Self {
        let mut places = Vec::new();
        for listener in udp {
            let at = usize::from(listener.id().0);
            if places.len() <= at {
                places.resize(at + 1, None);
            }
            if let Some(place) = places.get_mut(at) {
                *place = Some(listener.clone());
            }
        }
        Self { udp: places, streams }
    }

    /// Sends on the calling thread wherever the kernel takes the bytes. `tag` comes back when they never left.
    pub(super) fn send(&self, shard: usize, flow: &Flow, bytes: &Bytes, tag: u64) -> Result<(), SendError> {
        match flow.transport {
            Transport::Udp => {
                let ListenerId(at) = flow.listener;
                match self.udp.get(usize::from(at)) {
                    Some(Some(listener)) => listener.send(bytes, flow.remote),
                    _ => Err(SendError::NoListener { transport: flow.transport, listener: at }),
                }
            }
            Transport::Tcp => self.streams.send(shard, flow, bytes, tag),
            other @ (Transport::Tls | Transport::Ws | Transport::Wss) => Err(SendError::NotBuilt(other)),
        }
    }
}
