//! All streams of all calls, sent and received by one process with one clock.
//!
//! A packet is 20 ms of G.711 and tells when it was sent. The streams' phases are spread evenly over the 20 ms, as those
//! of many unrelated calls are; what is late because this process was not run is sent at once, and stamped then. Each
//! socket stands for one side of [`CALLS_A_SOCKET`] calls, so that receiving costs this process little and no buffer
//! overflows while it waits for the processor.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::event::{Timespec, epoll};

/// From one packet of a stream to the next.
const PACKET: Duration = Duration::from_millis(20);
/// Packets a second of one stream.
pub(crate) const PACKETS_A_SECOND: u32 = 50;
/// How long what is on its way is waited for.
const LINGER: Duration = Duration::from_millis(500);
/// RTP's header, and 20 ms of G.711.
const PACKET_BYTES: usize = 12 + 160;
/// Calls whose media of one side is on one socket.
const CALLS_A_SOCKET: u32 = 20;
/// The first port of either side; each further one is two above.
const FIRST_PORT: u16 = 10_000;

/// Where a side of a call is, by this bench's rule.
pub(crate) fn place(ip: Ipv4Addr, call: u32) -> SocketAddr {
    let socket = u16::try_from(call / CALLS_A_SOCKET).unwrap_or(u16::MAX);
    SocketAddr::from((ip, FIRST_PORT.saturating_add(socket.saturating_mul(2))))
}

/// Where the two sides of a call send their media.
pub(crate) type Towards = [SocketAddr; 2];

/// What was measured.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Packets sent.
    pub(crate) sent: u64,
    /// Packets that came.
    pub(crate) received: u64,
    /// From send to arrival, in ascending order.
    sorted: Vec<Duration>,
}

impl Outcome {
    /// The delay that so many thousandths of the packets stayed at or below.
    pub(crate) fn delay(&self, thousandths: usize) -> Duration {
        let last = self.sorted.len().saturating_sub(1);
        self.sorted.get(last * thousandths / 1000).copied().unwrap_or_default()
    }

    /// Packets that did not come.
    pub(crate) fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }
}

/// The phones.
#[derive(Debug)]
pub(crate) struct Phones {
    sides: [Vec<UdpSocket>; 2],
    /// The number of the next packet of every stream.
    next: u32,
    /// What all stamps count from.
    epoch: Instant,
}

impl Phones {
    /// Binds the sockets for so many calls, at the addresses of the two sides.
    pub(crate) fn new(ips: [Ipv4Addr; 2], calls: u32) -> Result<Self> {
        let side = |ip: Ipv4Addr| -> Result<Vec<UdpSocket>> {
            let first = (0..calls).step_by(CALLS_A_SOCKET as usize);
            first.map(|call| bind(place(ip, call))).collect()
        };
        let [a, b] = ips;
        Ok(Self { sides: [side(a)?, side(b)?], next: 1, epoch: Instant::now() })
    }

    /// Sends both streams of every call for so long; the streams go on where the run before has ended.
    ///
    /// # Panics
    ///
    /// Where its thread has.
    pub(crate) fn talk(&mut self, towards: &[Towards], length: Duration) -> Result<Outcome> {
        let packets = u32::try_from(length.as_millis() / PACKET.as_millis())?;
        let expected = towards.len() * 2 * packets as usize;
        let (first, over) = (self.next, AtomicBool::new(false));
        self.next += packets;
        let sorted = thread::scope(|scope| -> Result<Vec<Duration>> {
            let receiver = scope.spawn(|| self.receive(first, expected, &over));
            let sent = self.send(towards, first..first + packets);
            thread::sleep(LINGER);
            over.store(true, Ordering::Relaxed);
            let mut delays = receiver.join().expect("the thread does not panic")?;
            sent?;
            delays.sort_unstable();
            Ok(delays)
        })?;
        Ok(Outcome { sent: expected as u64, received: sorted.len() as u64, sorted })
    }

    fn send(&self, towards: &[Towards], numbers: std::ops::Range<u32>) -> Result<()> {
        let streams = u32::try_from(towards.len() * 2)?;
        let gap = PACKET / streams.max(1);
        let (begin, mut slots) = (Instant::now(), 0);
        let mut packet = [0xd5; PACKET_BYTES];
        for number in numbers {
            for (call, to) in (0_u32..).zip(towards) {
                for (side, (sockets, to)) in (0_u32..).zip(self.sides.iter().zip(to)) {
                    let due = begin + gap * slots;
                    slots += 1;
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    let socket = sockets.get((call / CALLS_A_SOCKET) as usize);
                    write(&mut packet, call * 2 + side, number, self.epoch.elapsed());
                    socket.context("a call beyond the phones")?.send_to(&packet, to)?;
                }
            }
        }
        Ok(())
    }

    /// The delays of all packets from number `first` on.
    fn receive(&self, first: u32, expected: usize, over: &AtomicBool) -> Result<Vec<Duration>> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let sockets: Vec<&UdpSocket> = self.sides.iter().flatten().collect();
        for (i, socket) in (0_u64..).zip(&sockets) {
            epoll::add(&epoll, socket, epoll::EventData::new_u64(i), epoll::EventFlags::IN)?;
        }
        let mut delays = Vec::with_capacity(expected);
        let (mut ready, mut buffer) = (Vec::with_capacity(64), [0; 2048]);
        let slice = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        while !over.load(Ordering::Relaxed) {
            epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut ready), Some(&slice))?;
            for event in ready.drain(..) {
                let data = event.data;
                let socket = sockets.get(usize::try_from(data.u64())?).context("no such socket")?;
                let Ok(length) = socket.recv(&mut buffer) else { continue };
                let now = self.epoch.elapsed();
                if let Some((number, at)) = read(buffer.get(..length).unwrap_or_default())
                    && number >= first
                {
                    delays.push(now.saturating_sub(at));
                }
            }
        }
        Ok(delays)
    }
}

fn bind(address: SocketAddr) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(address).with_context(|| format!("bind {address}"))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// What tells a packet of ours from RTCP and from what servers send on their own.
const MARK: [u8; 4] = *b"rtpM";

/// PCMU; the payload begins with [`MARK`], the packet's number and when it is sent, in nanoseconds.
fn write(packet: &mut [u8; PACKET_BYTES], stream: u32, number: u32, now: Duration) {
    let sequence = (number as u16).to_be_bytes();
    let timestamp = number.wrapping_mul(160).to_be_bytes();
    let nanos = (now.as_nanos() as u64).to_be_bytes();
    let parts: [&[u8]; 7] = [
        &[0x80, 0],
        &sequence,
        &timestamp,
        &stream.to_be_bytes(),
        &MARK,
        &number.to_be_bytes(),
        &nanos,
    ];
    for (to, from) in packet.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
}

/// The number of a packet, and when it was sent.
fn read(packet: &[u8]) -> Option<(u32, Duration)> {
    let payload = packet.get(12..)?.strip_prefix(&MARK)?;
    let (number, rest) = payload.split_first_chunk()?;
    let nanos = rest.first_chunk()?;
    Some((u32::from_be_bytes(*number), Duration::from_nanos(u64::from_be_bytes(*nanos))))
}
