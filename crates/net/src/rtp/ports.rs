//! Pairs of ports for media: bound when they are reserved, so that what SDP names is ours.
//!
//! A pair is free, reserved (bound, nobody reads it yet) or taken (a session has its sockets). One that is given back
//! rests at the end of the queue: what still comes for the call that had it finds nobody for as long as other pairs are
//! free. Whatever is given back twice, or by someone who does not have it, stays as it is.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mediator_model::{MediaPort, MediaPorts, NoMediaPort, PortSet};
use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};

#[cfg(test)]
mod tests;

/// Pairs that are tried, where other programs hold some of them, before a call is refused: under a millisecond of the
/// shard's time. The next call goes on from there, so a longer run of such pairs is got over all the same.
const MAX_TRIES: usize = 128;

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
    occupied: AtomicU64,
    failed: AtomicU64,
    bound: Arc<PortSet>,
}

#[derive(Debug)]
struct Pairs {
    free: VecDeque<MediaPort>,
    /// Bound, and not taken by a session yet.
    reserved: HashMap<MediaPort, RtpSockets>,
    /// A session has their sockets.
    taken: HashSet<MediaPort>,
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
        let pairs = Pairs { free, reserved: HashMap::new(), taken: HashSet::new() };
        let [exhausted, occupied, failed] = [const { AtomicU64::new(0) }; 3];
        Self {
            address,
            pairs: Mutex::new(pairs),
            exhausted,
            occupied,
            failed,
            bound: Arc::default(),
        }
    }

    /// The sockets of a reserved pair, for the session that is opened with it; once.
    pub fn take(&self, port: MediaPort) -> Option<RtpSockets> {
        let mut pairs = self.pairs.lock();
        let sockets = pairs.reserved.remove(&port)?;
        pairs.taken.insert(port);
        Some(sockets)
    }

    /// Gives a pair back whose sockets were taken and are closed by now.
    pub fn give_back(&self, port: MediaPort) {
        let mut pairs = self.pairs.lock();
        if pairs.taken.remove(&port) {
            self.unbind(port);
            pairs.free.push_back(port);
        }
    }

    /// The ports of the pairs that are reserved or taken, as they are at any time.
    pub fn bound(&self) -> Arc<PortSet> {
        self.bound.clone()
    }

    /// Pairs that are reserved or taken.
    pub fn used(&self) -> usize {
        let pairs = self.pairs.lock();
        pairs.reserved.len() + pairs.taken.len()
    }

    /// Pairs that nobody here has.
    pub fn free(&self) -> usize {
        self.pairs.lock().free.len()
    }

    /// How often no pair could be had: all used, or held by other programs, or no socket to be got.
    pub fn exhausted(&self) -> u64 {
        self.exhausted.load(Ordering::Relaxed)
    }

    /// How often a pair was passed over because another program holds one of its ports.
    pub fn occupied(&self) -> u64 {
        self.occupied.load(Ordering::Relaxed)
    }

    /// How often the system would not give a socket for another reason: too many files open, no memory, an address that
    /// is not (any more) this machine's.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    fn unbind(&self, port: MediaPort) {
        self.bound.remove(port.rtp());
        self.bound.remove(port.rtcp());
    }

    fn bind(&self, port: MediaPort) -> io::Result<RtpSockets> {
        let rtp = bind(SocketAddr::new(self.address, port.rtp()))?;
        let rtcp = bind(SocketAddr::new(self.address, port.rtcp()))?;
        Ok(RtpSockets { rtp, rtcp })
    }

    /// Puts a pair that could not be bound at the end; `true`: another may be tried.
    fn passed_over(&self, port: MediaPort, cause: &io::Error) -> bool {
        self.pairs.lock().free.push_back(port);
        if cause.kind() == ErrorKind::AddrInUse {
            self.occupied.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(port = port.rtp(), "another program holds a media port");
            return true;
        }
        let before = self.failed.fetch_add(1, Ordering::Relaxed);
        // Every call would say the same.
        if before.is_power_of_two() || before == 0 {
            tracing::warn!(%cause, times = before + 1, "no socket for media");
        }
        false
    }
}

impl MediaPorts for RtpPorts {
    fn reserve(&self) -> Result<MediaPort, NoMediaPort> {
        for _ in 0..MAX_TRIES {
            let Some(port) = self.pairs.lock().free.pop_front() else { break };
            // Not under the lock: other shards reserve too.
            match self.bind(port) {
                Ok(sockets) => {
                    self.bound.insert(port.rtp());
                    self.bound.insert(port.rtcp());
                    self.pairs.lock().reserved.insert(port, sockets);
                    return Ok(port);
                }
                Err(cause) => {
                    if !self.passed_over(port, &cause) {
                        break;
                    }
                }
            }
        }
        self.exhausted.fetch_add(1, Ordering::Relaxed);
        Err(NoMediaPort)
    }

    fn release(&self, port: MediaPort) {
        let reserved = self.pairs.lock().reserved.remove(&port);
        if let Some(sockets) = reserved {
            // Closed before anybody may bind them again, and not under the lock.
            drop(sockets);
            self.unbind(port);
            self.pairs.lock().free.push_back(port);
        }
    }
}

/// A bound socket. `SO_REUSEADDR` stays off, for with it two programs would share a port and each lose half.
fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let kind = Type::DGRAM.nonblocking();
    let socket = Socket::new(Domain::for_address(address), kind, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // Of `[::]`: IPv4 has an address of its own, and addresses never come mapped.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}
