//! The loop of a media thread: waits for its sockets, reads, and sends on what is returned, in one step.
//!
//! A turn is a wait and a reading, two calls, so that its owner can do what it was told between them.
//!
//! Level-triggered epoll, one datagram a readiness: a socket gets a packet every 20 ms, so a second read would only be
//! told that there is nothing, and a flooded socket must not hold up the others. One buffer for all sockets, nothing is
//! allocated for a packet. An error of a socket (ICMP) is taken from it, counted, and the loop goes on.
//!
//! Deliberately not here: what becomes of a datagram (the crate `media`); batched system calls (`recvmmsg`, GRO), which
//! gained nothing with a socket a stream.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::os::fd::OwnedFd;

use mediator_model::Instant;
use rustix::event::{Timespec, epoll};

use super::alarm::Alarm;
use super::{RtpCounts, RtpSockets, RtpWaker};
use crate::Clock;

#[cfg(test)]
mod tests;

/// Longer than the longest UDP payload (65,507 bytes), so that nothing is ever cut off.
const BUFFER_BYTES: usize = 64 * 1024;

/// Sockets that one turn reads at most. What is ready beyond is read in the next; the time that a datagram is handed
/// over with is at most so many datagrams old.
const BATCH: usize = 64;

/// The waker's place among the sockets, and the alarm's.
const WAKER: u64 = u64::MAX;
const ALARM: u64 = u64::MAX - 1;

/// A registered pair of sockets. Names nothing any more once it is deregistered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RtpPair {
    slot: u32,
    generation: u32,
}

impl RtpPair {
    /// The socket on the even port.
    pub const fn rtp(self) -> RtpSocket {
        RtpSocket { pair: self, rtcp: false }
    }

    /// The socket on the port behind it.
    pub const fn rtcp(self) -> RtpSocket {
        RtpSocket { pair: self, rtcp: true }
    }
}

/// One socket of a registered pair.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RtpSocket {
    pair: RtpPair,
    rtcp: bool,
}

impl RtpSocket {
    /// The pair that it is of.
    pub const fn pair(self) -> RtpPair {
        self.pair
    }

    /// Whether it is the one for RTCP.
    pub const fn is_rtcp(self) -> bool {
        self.rtcp
    }

    /// As epoll remembers it: 32 bits of generation, 31 of slot, 1 of kind. Neither [`WAKER`] nor [`ALARM`]:
    /// slots are fewer than 2^31.
    fn token(self) -> u64 {
        u64::from(self.pair.generation) << 32
            | u64::from(self.pair.slot) << 1
            | u64::from(self.rtcp)
    }

    fn from_token(token: u64) -> Self {
        let pair = RtpPair { slot: (token as u32) >> 1, generation: (token >> 32) as u32 };
        Self { pair, rtcp: token & 1 == 1 }
    }
}

/// A datagram that came.
#[derive(Debug)]
pub struct RtpDatagram<'a, T> {
    /// As [`RtpPoller::read`] was told.
    pub now: Instant,
    /// Where it came in.
    pub at: RtpSocket,
    /// What the pair was registered with.
    pub tag: T,
    /// Where it came from.
    pub source: SocketAddr,
    /// What it holds; may be written over.
    pub bytes: &'a mut [u8],
}

/// What is to be sent on of the datagram that was just handed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RtpForward {
    /// The socket to send it from.
    pub from: RtpSocket,
    /// Where to.
    pub to: SocketAddr,
    /// Which bytes of the datagram.
    pub range: Range<usize>,
}

/// The sockets of one media thread. `T` is what a pair is registered with, mostly the session and side that it is for.
///
/// ```
/// # use std::net::UdpSocket;
/// # use std::time::Duration;
/// # use mediator_net::{Clock, RtpForward, RtpPoller, RtpPorts};
/// # use mediator_model::MediaPorts;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut poller, _waker) = RtpPoller::new(Clock::start())?;
/// let ports = RtpPorts::new([127, 0, 0, 1].into(), 47_300..=47_399, 0);
/// let port = ports.reserve()?;
/// let pair = poller.register(ports.take(port).ok_or("reserved")?, "echo")?;
///
/// let peer = UdpSocket::bind("127.0.0.1:0")?;
/// peer.send_to(b"hello", ("127.0.0.1", port.rtp()))?;
/// let clock = poller.clock();
/// let until = clock.now() + Duration::from_secs(1);
/// assert!(!poller.wait(Some(until))?, "nobody used the waker");
/// let datagrams = poller.read(clock.now(), &mut |datagram| {
///     assert_eq!(datagram.tag, "echo");
///     Some(RtpForward { from: datagram.at, to: datagram.source, range: 0..4 })
/// });
/// assert_eq!(datagrams, 1);
/// assert_eq!(peer.recv(&mut [0; 9])?, 4);
///
/// poller.deregister(pair);
/// ports.give_back(port);
/// # Ok(())
/// # }
/// ```
pub struct RtpPoller<T> {
    epoll: OwnedFd,
    clock: Clock,
    waker: RtpWaker,
    alarm: Alarm,
    slots: Vec<Slot<T>>,
    /// Slots without a pair.
    free: Vec<u32>,
    ready: Vec<epoll::Event>,
    buffer: Box<[u8]>,
    counts: RtpCounts,
}

struct Slot<T> {
    /// Grows with each pair that the slot has had.
    generation: u32,
    pair: Option<(RtpSockets, T)>,
}

impl<T> Slot<T> {
    fn socket(&self, socket: RtpSocket) -> Option<(&UdpSocket, &T)> {
        let (sockets, tag) =
            self.pair.as_ref().filter(|_| self.generation == socket.pair.generation)?;
        Some((if socket.rtcp { &sockets.rtcp } else { &sockets.rtp }, tag))
    }
}

impl<T: Copy> RtpPoller<T> {
    /// A poller without sockets, and what wakes it. Only the thread that drives it needs to own it.
    pub fn new(clock: Clock) -> io::Result<(Self, RtpWaker)> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let waker = RtpWaker::new()?;
        let token = epoll::EventData::new_u64(WAKER);
        epoll::add(&epoll, waker.event(), token, epoll::EventFlags::IN)?;
        let alarm = Alarm::new()?;
        let token = epoll::EventData::new_u64(ALARM);
        epoll::add(&epoll, alarm.timer(), token, epoll::EventFlags::IN)?;
        let poller = Self {
            epoll,
            clock,
            waker: waker.clone(),
            alarm,
            slots: Vec::new(),
            free: Vec::new(),
            ready: Vec::with_capacity(BATCH),
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            counts: RtpCounts::default(),
        };
        Ok((poller, waker))
    }

    /// Reads these sockets from now on. Where the kernel has no room to watch them they are closed.
    pub fn register(&mut self, sockets: RtpSockets, tag: T) -> io::Result<RtpPair> {
        let slot = if let Some(slot) = self.free.pop() {
            slot
        } else {
            let slot = u32::try_from(self.slots.len()).map_err(io::Error::other)?;
            self.slots.push(Slot { generation: 0, pair: None });
            slot
        };
        let Some(place) = self.slots.get_mut(slot as usize) else {
            return Err(io::Error::other("no slot"));
        };
        place.generation = place.generation.wrapping_add(1);
        let pair = RtpPair { slot, generation: place.generation };
        let watched = [(&sockets.rtp, pair.rtp()), (&sockets.rtcp, pair.rtcp())].map(|(fd, at)| {
            let token = epoll::EventData::new_u64(at.token());
            epoll::add(&self.epoll, fd, token, epoll::EventFlags::IN)
        });
        if let Some(error) = watched.into_iter().find_map(Result::err) {
            self.free.push(slot);
            return Err(error.into());
        }
        place.pair = Some((sockets, tag));
        Ok(pair)
    }

    /// Closes both sockets of a pair; does nothing for one that is not registered any more.
    pub fn deregister(&mut self, pair: RtpPair) {
        let Some(place) = self.slots.get_mut(pair.slot as usize) else { return };
        if place.generation == pair.generation && place.pair.take().is_some() {
            self.free.push(pair.slot);
        }
    }

    /// Pairs that are registered.
    pub fn pairs(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Waits until there is something to read, the waker was used, or `until` has come (`None`: without end), or an earlier
    /// one's time has come. `true`: the waker was used, so look at what was handed over to the thread, and do it
    /// **before** [`read`](Self::read): what was handed over before a datagram came then holds for that datagram.
    ///
    /// An error is one of epoll itself, which cannot be helped by trying again.
    pub fn wait(&mut self, until: Option<Instant>) -> io::Result<bool> {
        let is_due = match until {
            Some(due) => !self.alarm.set(due, self.clock)?,
            None => false,
        };
        // The alarm cannot be set to no time at all.
        let timeout = is_due.then_some(Timespec { tv_sec: 0, tv_nsec: 0 });
        self.ready.clear();
        let ready = rustix::buffer::spare_capacity(&mut self.ready);
        match epoll::wait(&self.epoll, ready, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        self.counts.wake_ups += 1;
        let mut is_woken = false;
        for event in &self.ready {
            match { event.data }.u64() {
                WAKER => {
                    self.waker.settle();
                    is_woken = true;
                }
                ALARM => self.alarm.settle(),
                _ => {}
            }
        }
        Ok(is_woken)
    }

    /// Hands over a datagram of each socket that the last wait found ready, and sends what is returned for it; how many
    /// there were. `now` is what they are handed over with. A pair that was deregistered since is passed over.
    pub fn read(
        &mut self,
        now: Instant,
        on_datagram: &mut impl FnMut(RtpDatagram<'_, T>) -> Option<RtpForward>,
    ) -> usize {
        let Self { ready, slots, buffer, counts, .. } = self;
        let mut datagrams = 0;
        for event in ready.drain(..) {
            let token = { event.data }.u64();
            if token == WAKER || token == ALARM {
                continue;
            }
            let at = RtpSocket::from_token(token);
            let Some((socket, tag)) = find(slots, at) else { continue };
            let Some((length, source)) = receive(socket, buffer, counts) else { continue };
            let Some(bytes) = buffer.get_mut(..length) else { continue };
            datagrams += 1;
            let datagram = RtpDatagram { now, at, tag: *tag, source, bytes };
            if let Some(forward) = on_datagram(datagram)
                && let Some(bytes) = buffer.get(forward.range)
                && let Some((socket, _)) = find(slots, forward.from)
            {
                transmit(socket, forward.to, bytes, counts);
            }
        }
        datagrams
    }

    /// Sends a datagram; does nothing for a pair that is not registered any more.
    pub fn send(&mut self, from: RtpSocket, to: SocketAddr, bytes: &[u8]) {
        if let Some((socket, _)) = find(&self.slots, from) {
            transmit(socket, to, bytes, &mut self.counts);
        }
    }

    /// What was read and sent so far.
    pub fn counts(&self) -> RtpCounts {
        self.counts
    }

    /// The clock that datagrams are handed over with.
    pub fn clock(&self) -> Clock {
        self.clock
    }
}

/// A socket that is registered, and its pair's tag.
fn find<T>(slots: &[Slot<T>], socket: RtpSocket) -> Option<(&UdpSocket, &T)> {
    slots.get(socket.pair.slot as usize)?.socket(socket)
}

/// Reads one datagram. An error is taken from the socket by the reading itself, so it does not come again.
fn receive(
    socket: &UdpSocket,
    buffer: &mut [u8],
    counts: &mut RtpCounts,
) -> Option<(usize, SocketAddr)> {
    match socket.recv_from(buffer) {
        Ok(received) => {
            counts.received += 1;
            Some(received)
        }
        // A datagram of a wrong checksum is dropped only now; a signal: it is read in the next turn.
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            None
        }
        Err(_) => {
            counts.receive_errors += 1;
            None
        }
    }
}

fn transmit(socket: &UdpSocket, to: SocketAddr, bytes: &[u8], counts: &mut RtpCounts) {
    let mut sent = socket.send_to(bytes, to);
    if let Err(error) = &sent
        && matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::Interrupted)
    {
        // The news of an earlier datagram's fate came in place of this one's sending.
        sent = socket.send_to(bytes, to);
    }
    match sent {
        Ok(_) => counts.sent += 1,
        Err(error) if error.kind() == ErrorKind::WouldBlock => counts.dropped += 1,
        Err(_) => counts.refused += 1,
    }
}
