//! One door for everything that a shard sends.

use std::sync::Arc;

use bytes::Bytes;
use mediator_model::{Flow, Transport};

use crate::event::SendError;
use crate::stream::Streams;
use crate::udp::UdpListener;

/// A shard's way out. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    shard: usize,
    udp: Arc<[Option<Arc<UdpListener>>]>,
    streams: Arc<Streams>,
}

impl Sender {
    /// The way out of `shard`; failures of streams come back to its inbox.
    pub fn new(shard: usize, udp: &[Arc<UdpListener>], streams: Arc<Streams>) -> Self {
        let places = udp.iter().map(|one| usize::from(one.id().0) + 1).max().unwrap_or(0);
        let mut by_id = vec![None; places];
        for listener in udp {
            if let Some(place) = by_id.get_mut(usize::from(listener.id().0)) {
                *place = Some(Arc::clone(listener));
            }
        }
        Self { shard, udp: by_id.into(), streams }
    }

    /// Sends one message along `flow`. `Ok` means taken: written to the kernel, or queued. What is
    /// queued and then cannot be sent comes back as
    /// [`NetEvent::SendFailed`](crate::NetEvent::SendFailed) with `tag`.
    pub fn send(&self, flow: &Flow, bytes: &Bytes, tag: u64) -> Result<(), SendError> {
        match flow.transport {
            Transport::Udp => self.udp_listener(flow)?.send(bytes, flow.remote),
            Transport::Tcp => self.streams.send(self.shard, flow, bytes, tag),
            Transport::Tls | Transport::Ws | Transport::Wss => {
                Err(SendError::NotBuilt(flow.transport))
            }
        }
    }

    fn udp_listener(&self, flow: &Flow) -> Result<&Arc<UdpListener>, SendError> {
        let (transport, listener) = (flow.transport, flow.listener.0);
        let place = self.udp.get(usize::from(listener));
        place.and_then(Option::as_ref).ok_or(SendError::NoListener { transport, listener })
    }
}

#[cfg(test)]
mod tests;
