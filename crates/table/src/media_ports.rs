//! Pairs of media ports without sockets: for whoever drives an engine over another network than the system's, or over
//! none (simulations, benches).

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use mediator_model::{MediaPort, MediaPorts, NoMediaPort};
use parking_lot::Mutex;

/// Pairs of ports that nobody binds.
#[derive(Debug)]
pub struct UnboundPorts {
    free: Mutex<VecDeque<MediaPort>>,
    all: usize,
}

impl UnboundPorts {
    /// The pairs of a range.
    pub fn new(range: RangeInclusive<u16>) -> Self {
        let end = *range.end();
        let free: VecDeque<MediaPort> =
            range.filter(|port| *port < end).filter_map(MediaPort::new).collect();
        Self { all: free.len(), free: Mutex::new(free) }
    }

    /// Pairs that somebody has.
    pub fn used(&self) -> usize {
        self.all - self.free.lock().len()
    }
}

impl MediaPorts for UnboundPorts {
    fn reserve(&self) -> Result<MediaPort, NoMediaPort> {
        self.free.lock().pop_front().ok_or(NoMediaPort)
    }

    fn release(&self, port: MediaPort) {
        let mut free = self.free.lock();
        if !free.contains(&port) {
            free.push_back(port);
        }
    }
}
