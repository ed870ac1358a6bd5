//! Pairs of ports for media: bound when they are reserved, so that what SDP names is ours.
//!
//! A pair that is given back rests at the end of the queue: what still comes for the call that had it finds nobody for as
//! long as other pairs are free.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};

use mediator_model::{MediaPort, MediaPorts, NoMediaPort};
use parking_lot::Mutex;

#[cfg(test)]
mod tests;

/// Pairs that are tried, where other programs hold some of them, before a call is refused.
const MAX_TRIES: usize = 64;

/// The two sockets of a pair, bound and non-blocking.
#[derive(Debug)]
pub struct RtpSockets {
    /// On the even port.
    pub rtp: UdpSocket,
    /// On the port behind it.
    pub rtcp: UdpSocket,
}

/// The pairs of one address.
#[derive(Debug)]
pub struct RtpPorts {
    address: IpAddr,
    pairs: Mutex<Pairs>,
    exhausted: AtomicU64,
}

#[derive(Debug)]
struct Pairs {
    free: VecDeque<MediaPort>,
    /// Reserved, and not taken by a session yet.
    reserved: HashMap<MediaPort, RtpSockets>,
    used: usize,
}

impl RtpPorts {
    /// The pairs of a range of ports at an address of this machine; nothing is bound yet. They are used from `first` on,
    /// any number: what is drawn from dice at each start spares the ports of the process before.
    pub fn new(address: IpAddr, range: RangeInclusive<u16>, first: u32) -> Self {
        let mut free: VecDeque<MediaPort> =
            range.clone().filter(|port| *port < *range.end()).filter_map(MediaPort::new).collect();
        if !free.is_empty() {
            let first = first as usize % free.len();
            free.rotate_left(first);
        }
        let pairs = Pairs { free, reserved: HashMap::new(), used: 0 };
        Self { address, pairs: Mutex::new(pairs), exhausted: AtomicU64::new(0) }
    }

    /// The sockets of a reserved pair, for the session that is opened with it; once.
    pub fn take(&self, port: MediaPort) -> Option<RtpSockets> {
        self.pairs.lock().reserved.remove(&port)
    }

    /// Gives a pair back whose sockets were taken and are closed by now.
    pub fn give_back(&self, port: MediaPort) {
        let mut pairs = self.pairs.lock();
        pairs.reserved.remove(&port);
        pairs.used = pairs.used.saturating_sub(1);
        pairs.free.push_back(port);
    }

    /// Pairs that are reserved or taken.
    pub fn used(&self) -> usize {
        self.pairs.lock().used
    }

    /// Pairs that nobody has.
    pub fn free(&self) -> usize {
        self.pairs.lock().free.len()
    }

    /// How often no pair was free.
    pub fn exhausted(&self) -> u64 {
        self.exhausted.load(Ordering::Relaxed)
    }

    fn bind(&self, port: MediaPort) -> io::Result<RtpSockets> {
        let socket = |port| -> io::Result<UdpSocket> {
            let socket = UdpSocket::bind(SocketAddr::new(self.address, port))?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        Ok(RtpSockets { rtp: socket(port.rtp())?, rtcp: socket(port.rtcp())? })
    }
}

impl MediaPorts for RtpPorts {
    fn reserve(&self) -> Result<MediaPort, NoMediaPort> {
        for _ in 0..MAX_TRIES {
            let Some(port) = self.pairs.lock().free.pop_front() else { break };
            // Not under the lock: other shards reserve too.
            let bound = self.bind(port);
            let mut pairs = self.pairs.lock();
            match bound {
                Ok(sockets) => {
                    pairs.reserved.insert(port, sockets);
                    pairs.used += 1;
                    return Ok(port);
                }
                Err(cause) => {
                    tracing::debug!(port = port.rtp(), %cause, "a media port is not free");
                    pairs.free.push_back(port);
                }
            }
        }
        self.exhausted.fetch_add(1, Ordering::Relaxed);
        Err(NoMediaPort)
    }

    fn release(&self, port: MediaPort) {
        self.give_back(port);
    }
}
