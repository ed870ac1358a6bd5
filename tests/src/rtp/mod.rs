//! The media of a phone: a pair of sockets that keeps every packet with its time, and speaks a tone or presses keys.
//!
//! Packets are read by position (RFC 3550 section 5.1), not by the server's own code.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub mod law;
#[cfg(test)]
mod tests;

use law::Law;

/// Samples a packet, and so 20 ms.
const FRAME: u32 = 160;
/// The time of a packet.
pub const FRAME_TIME: Duration = Duration::from_millis(20);
/// How long one read waits, so that the thread sees that it shall end.
const READ_SLICE: Duration = Duration::from_millis(20);
/// The peak of a spoken tone.
const PEAK: f64 = 8_000.0;
/// Packets of a pressed key before it is released (100 ms), and how often its end is told (RFC 4733 section 2.5.1.4).
const KEY_PACKETS: u16 = 5;
const KEY_ENDS: u16 = 3;
/// Pairs of ports tried before giving up.
const TRIES: usize = 64;

/// A datagram that came in.
#[derive(Debug, Clone)]
pub struct Packet {
    /// When.
    pub at: Instant,
    /// From where.
    pub from: SocketAddr,
    /// All of it.
    pub bytes: Vec<u8>,
}

impl Packet {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or_default()
    }

    /// The payload type.
    pub fn payload_type(&self) -> u8 {
        self.byte(1) & 0x7f
    }

    /// The marker bit.
    pub fn marker(&self) -> bool {
        self.byte(1) & 0x80 != 0
    }

    /// The sequence number.
    pub fn sequence(&self) -> u16 {
        u16::from_be_bytes([self.byte(2), self.byte(3)])
    }

    /// The timestamp.
    pub fn timestamp(&self) -> u32 {
        u32::from_be_bytes([self.byte(4), self.byte(5), self.byte(6), self.byte(7)])
    }

    /// The synchronisation source.
    pub fn ssrc(&self) -> u32 {
        u32::from_be_bytes([self.byte(8), self.byte(9), self.byte(10), self.byte(11)])
    }

    /// Whether the head is the plain one: version 2, no padding, no extension, no contributing sources.
    pub fn is_plain(&self) -> bool {
        self.byte(0) == 0x80
    }

    /// What is behind a plain head.
    pub fn payload(&self) -> &[u8] {
        self.bytes.get(12..).unwrap_or_default()
    }
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Voice {
    /// Where to.
    pub to: SocketAddr,
    /// The payload type.
    pub payload_type: u8,
    /// How it is coded.
    pub law: Law,
    /// The tone, in Hz.
    pub hertz: f64,
}

/// A key to be pressed: payload type and event.
#[derive(Debug, Clone, Copy)]
struct Key {
    payload_type: u8,
    event: u8,
    sent: u16,
}

#[derive(Debug, Default)]
struct Speaking {
    voice: Option<Voice>,
    keys: VecDeque<Key>,
    /// Everything is sent from here instead.
    mouth: Option<Arc<UdpSocket>>,
    /// Heard at the same time as the voice, in Hz.
    second: Option<f64>,
    /// Put behind the fixed head: contributing sources and extensions that must not reach the other side.
    burdened: bool,
}

#[derive(Debug)]
struct Shared {
    rtp: Arc<UdpSocket>,
    rtcp: UdpSocket,
    ssrc: u32,
    heard: Mutex<Vec<Packet>>,
    reports: Mutex<Vec<Packet>>,
    speaking: Mutex<Speaking>,
    over: AtomicBool,
}

/// The sockets and what goes on there; dropped, they are closed.
#[derive(Debug)]
pub struct Media {
    shared: Arc<Shared>,
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Media {
    /// Opens a pair of ports at `ip`, the lower one even.
    pub fn open(ip: Ipv4Addr) -> Result<Self> {
        let (rtp, rtcp) = pair(ip)?;
        let address = rtp.local_addr()?;
        rtp.set_read_timeout(Some(READ_SLICE))?;
        rtcp.set_read_timeout(Some(READ_SLICE))?;
        let shared = Arc::new(Shared {
            rtp: Arc::new(rtp),
            rtcp,
            ssrc: 0x5150_0000 | u32::from(address.port()),
            heard: Mutex::default(),
            reports: Mutex::default(),
            speaking: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let run = |work: fn(&Shared)| {
            let own = Arc::clone(&shared);
            thread::spawn(move || work(&own))
        };
        let threads = vec![
            run(|own| own.listen(&own.rtp, &own.heard)),
            run(|own| own.listen(&own.rtcp, &own.reports)),
            run(Shared::speak),
        ];
        Ok(Self { shared, address, threads })
    }

    /// Where RTP is received.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The synchronisation source of what is spoken here.
    pub fn ssrc(&self) -> u32 {
        self.shared.ssrc
    }

    /// Speaks from now on, instead of what was spoken.
    pub fn speak(&self, voice: Voice) {
        let mut speaking = lock(&self.shared.speaking);
        (speaking.voice, speaking.second) = (Some(voice), None);
    }

    /// Speaks another tone over the voice, until something else is spoken.
    pub fn over_it(&self, hertz: f64) {
        lock(&self.shared.speaking).second = Some(hertz);
    }

    /// Sends nothing more.
    pub fn hush(&self) {
        lock(&self.shared.speaking).voice = None;
    }

    /// Sends from a socket of its own on `ip` from now on, while listening stays where it is.
    pub fn speak_from(&self, ip: Ipv4Addr) -> Result<SocketAddr> {
        let mouth = UdpSocket::bind((ip, 0)).with_context(|| format!("bind {ip}"))?;
        let address = mouth.local_addr()?;
        lock(&self.shared.speaking).mouth = Some(Arc::new(mouth));
        Ok(address)
    }

    /// Adds a contributing source and a header extension to every packet from now on.
    pub fn burden(&self) {
        lock(&self.shared.speaking).burdened = true;
    }

    /// Presses keys one after the other, in place of the voice: RFC 4733 events of `payload_type`.
    pub fn press(&self, payload_type: u8, keys: &str) -> Result<()> {
        for key in keys.chars() {
            let event = EVENTS.find(key).with_context(|| format!("no key {key}"))?;
            let event = u8::try_from(event)?;
            lock(&self.shared.speaking).keys.push_back(Key { payload_type, event, sent: 0 });
        }
        Ok(())
    }

    /// Sends one datagram of RTP's socket.
    pub fn send(&self, to: SocketAddr, bytes: &[u8]) -> Result<()> {
        self.shared.rtp.send_to(bytes, to).map(drop).context("send")
    }

    /// Sends one datagram of RTCP's socket.
    pub fn send_report(&self, to: SocketAddr, bytes: &[u8]) -> Result<()> {
        self.shared.rtcp.send_to(bytes, to).map(drop).context("send")
    }

    /// Every packet of RTP that came in.
    pub fn heard(&self) -> Vec<Packet> {
        lock(&self.shared.heard).clone()
    }

    /// How many packets of RTP came in.
    pub fn count(&self) -> usize {
        lock(&self.shared.heard).len()
    }

    /// Every datagram of RTCP that came in.
    pub fn reports(&self) -> Vec<Packet> {
        lock(&self.shared.reports).clone()
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A panic there has been printed already.
            let _ = thread.join();
        }
    }
}

/// The keys in the order of their events, RFC 4733 section 3.2.
const EVENTS: &str = "0123456789*#ABCD";

/// A key that was heard as RFC 4733 events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pressed {
    /// Which.
    pub key: char,
    /// When its first packet came.
    pub at: Instant,
    /// How long it was, by its end: in ticks of its clock.
    pub duration: u16,
    /// How many packets told its end.
    pub ends: usize,
}

/// The keys among `packets`, which are events of `payload_type`: one for each timestamp.
pub fn keys(packets: &[Packet], payload_type: u8) -> Vec<Pressed> {
    let mut found: Vec<(u32, Pressed)> = Vec::new();
    for packet in packets.iter().filter(|packet| packet.payload_type() == payload_type) {
        let &[event, flags, high, low, ..] = packet.payload() else { continue };
        let duration = u16::from_be_bytes([high, low]);
        let end = flags & 0x80 != 0;
        if let Some((_, key)) = found.iter_mut().find(|(time, _)| *time == packet.timestamp()) {
            key.duration = key.duration.max(duration);
            key.ends += usize::from(end);
            continue;
        }
        let key = EVENTS.chars().nth(usize::from(event)).unwrap_or('?');
        let pressed = Pressed { key, at: packet.at, duration, ends: usize::from(end) };
        found.push((packet.timestamp(), pressed));
    }
    found.into_iter().map(|(_, pressed)| pressed).collect()
}

impl Shared {
    fn listen(&self, socket: &UdpSocket, kept: &Mutex<Vec<Packet>>) {
        let mut buffer = vec![0; 65_535];
        while !self.over.load(Ordering::Relaxed) {
            // ICMP of a peer that is gone is an error as well as the end of the wait.
            let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
            let bytes = buffer.get(..length).unwrap_or_default().to_vec();
            lock(kept).push(Packet { at: Instant::now(), from, bytes });
        }
    }

    /// A packet each 20 ms, by the clock and not by sleeping 20 ms.
    fn speak(&self) {
        let start = Instant::now();
        let mut sequence = 1000_u16;
        let mut frame = 0_u32;
        let mut phase = 0_u32;
        let mut key_start = 0;
        while !self.over.load(Ordering::Relaxed) {
            let due = start + FRAME_TIME * frame;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let timestamp = frame.wrapping_mul(FRAME);
            frame += 1;
            let mut speaking = lock(&self.speaking);
            let Some(voice) = speaking.voice else { continue };
            let (mouth, burdened) = (speaking.mouth.clone(), speaking.burdened);
            let second = speaking.second;
            let (head, payload) = if let Some(key) = speaking.keys.front_mut() {
                if key.sent == 0 {
                    key_start = timestamp;
                }
                let (head, payload, over) = event(key, key_start);
                if over {
                    speaking.keys.pop_front();
                }
                (head, payload)
            } else {
                phase = phase.wrapping_add(FRAME);
                (
                    Head { marker: false, payload_type: voice.payload_type, timestamp },
                    tone(voice, second, phase),
                )
            };
            drop(speaking);
            let bytes = self.packet(head, sequence, burdened, &payload);
            sequence = sequence.wrapping_add(1);
            let socket = mouth.as_ref().unwrap_or(&self.rtp);
            // Nobody listens there any more, perhaps; who is to hear it finds out.
            let _ = socket.send_to(&bytes, voice.to);
        }
    }

    fn packet(&self, head: Head, sequence: u16, burdened: bool, payload: &[u8]) -> Vec<u8> {
        let marker = if head.marker { 0x80 } else { 0 };
        let mut bytes = vec![if burdened { 0x91 } else { 0x80 }, head.payload_type | marker];
        bytes.extend_from_slice(&sequence.to_be_bytes());
        bytes.extend_from_slice(&head.timestamp.to_be_bytes());
        bytes.extend_from_slice(&self.ssrc.to_be_bytes());
        if burdened {
            // A contributing source and an extension of one word (RFC 8285, one byte form).
            bytes.extend_from_slice(b"CSRC\xbe\xde\x00\x01\x10who");
        }
        bytes.extend_from_slice(payload);
        bytes
    }
}

#[derive(Debug, Clone, Copy)]
struct Head {
    marker: bool,
    payload_type: u8,
    timestamp: u32,
}

/// The next packet of a key, and whether it is the last.
fn event(key: &mut Key, timestamp: u32) -> (Head, Vec<u8>, bool) {
    let first = key.sent == 0;
    key.sent += 1;
    let end = key.sent > KEY_PACKETS;
    let ticks = 160 * key.sent.min(KEY_PACKETS);
    let [high, low] = ticks.to_be_bytes();
    let payload = vec![key.event, if end { 0x8a } else { 0x0a }, high, low];
    let head = Head { marker: first, payload_type: key.payload_type, timestamp };
    (head, payload, key.sent == KEY_PACKETS + KEY_ENDS)
}

fn tone(voice: Voice, second: Option<f64>, phase: u32) -> Vec<u8> {
    let sample = |at: u32| {
        let sine = |hertz: f64| {
            let turns = hertz * f64::from(phase.wrapping_add(at)) / 8000.0;
            PEAK * (std::f64::consts::TAU * turns.fract()).sin()
        };
        #[expect(clippy::cast_possible_truncation, reason = "twice the peak at most")]
        let value = (sine(voice.hertz) + second.map_or(0.0, sine)) as i16;
        voice.law.encode(value)
    };
    (0..FRAME).map(sample).collect()
}

/// Two neighbouring ports, the lower one even.
fn pair(ip: Ipv4Addr) -> Result<(UdpSocket, UdpSocket)> {
    for _ in 0..TRIES {
        let rtp = UdpSocket::bind((ip, 0)).with_context(|| format!("bind {ip}"))?;
        let port = rtp.local_addr()?.port();
        if port % 2 != 0 {
            continue;
        }
        if let Ok(rtcp) = UdpSocket::bind((ip, port + 1)) {
            return Ok((rtp, rtcp));
        }
    }
    bail!("no pair of ports at {ip} in {TRIES} tries")
}
