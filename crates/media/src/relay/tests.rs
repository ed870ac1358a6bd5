//! A relay with two peers, in virtual time.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use mediator_model::{Instant, MediaPort, Sid};

use super::*;
use crate::rtp::{Header, Packet};
use crate::{Format, Hear, NoEars, Peer, Play, Repeat, Sound, SoundOutcome, Speech, Terms};

mod control;
mod defects;
mod forwarding;
mod honest;
mod hostile;
mod keys;
mod sounds;
mod sources;
mod supervision;

/// A packet that was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) at: Instant,
    pub(super) from: Lane,
    pub(super) to: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

impl Sent {
    pub(super) fn header(&self) -> Header {
        Packet::parse(&self.bytes).unwrap().header
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.bytes[12..]
    }
}

#[derive(Default)]
pub(super) struct Wire(Instant, pub(super) Vec<Sent>);

impl Outlet for Wire {
    fn send(&mut self, from: Lane, to: SocketAddr, packet: &[u8]) {
        self.1.push(Sent { at: self.0, from, to, bytes: packet.to_vec() });
    }
}

/// One call of a relay: A is at 192.0.2.1:4000, B at 192.0.2.2:4000.
pub(super) struct World {
    pub(super) relay: Relay,
    pub(super) now: Instant,
    pub(super) session: SessionKey,
    pub(super) wire: Wire,
}

pub(super) const CALL: Sid = Sid::from_u128(7);
pub(super) const MS: Duration = Duration::from_millis(1);

pub(super) fn peer(side: Side) -> SocketAddr {
    let last = if side == Side::A { 1 } else { 2 };
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), 4000)
}

pub(super) fn format(payload_type: u8, speech: Speech) -> Format {
    Format {
        payload_type,
        encoding: speech.name(),
        clock_rate: speech.clock_rate(),
        channels: speech.channels(),
    }
}

pub(super) fn event(payload_type: u8, clock_rate: u32) -> Format {
    Format { payload_type, encoding: "telephone-event", clock_rate, channels: 1 }
}

pub(super) fn terms(side: Side, formats: &[Format]) -> Terms {
    Terms {
        remote: Some(peer(side)),
        remote_rtcp: Some(SocketAddr::new(peer(side).ip(), 4001)),
        rtcp_mux: false,
        signalling: peer(side).ip(),
        peer: Peer::default(),
        send: formats.into(),
        receive: formats.into(),
        peer_sends: true,
        peer_receives: true,
        ptime_ms: None,
    }
}

impl World {
    pub(super) fn open() -> Self {
        Self::open_with(Arc::new(NoEars))
    }

    pub(super) fn open_with(ears: Arc<dyn Ears>) -> Self {
        let mut relay = Relay::new(RelaySetup {
            seed: [1; 32],
            addresses: [IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1))].into(),
            ports: 30_000..=39_999,
            ears,
        });
        let now = Instant::from_millis(1_000_000);
        let mut wire = Wire::default();
        let ports = [MediaPort::new(30_000).unwrap(), MediaPort::new(30_002).unwrap()];
        let Opened::Session(session, _) =
            relay.order(now, Order::Open { call: CALL, ports }, &mut wire)
        else {
            panic!("a session begins");
        };
        Self { relay, now, session, wire }
    }

    /// Both sides have agreed on these and hear each other.
    pub(super) fn joined(a: &[Format], b: &[Format]) -> Self {
        Self::joined_with(Arc::new(NoEars), a, b)
    }

    pub(super) fn joined_with(ears: Arc<dyn Ears>, a: &[Format], b: &[Format]) -> Self {
        let mut world = Self::open_with(ears);
        world.terms(Side::A, terms(Side::A, a));
        world.terms(Side::B, terms(Side::B, b));
        world.hear(Side::A, Hear::Peer);
        world.hear(Side::B, Hear::Peer);
        world
    }

    pub(super) fn order(&mut self, order: Order) -> Opened {
        self.wire.0 = self.now;
        self.relay.order(self.now, order, &mut self.wire)
    }

    pub(super) fn terms(&mut self, side: Side, terms: Terms) {
        self.order(Order::Terms { call: CALL, side, terms: Box::new(terms) });
    }

    pub(super) fn hear(&mut self, side: Side, hear: Hear) {
        self.order(Order::Hear { call: CALL, side, hear });
    }

    pub(super) fn lane(&self, side: Side, kind: LaneKind) -> Lane {
        Lane { session: self.session, side, kind }
    }

    /// A datagram comes in at a side; what goes out for it.
    pub(super) fn datagram(&mut self, side: Side, from: SocketAddr, bytes: &[u8]) -> Option<Sent> {
        let at = self.lane(side, LaneKind::Rtp);
        let mut buffer = bytes.to_vec();
        let forward = self.relay.receive(self.now, at, from, &mut buffer)?;
        let bytes = buffer[forward.range].to_vec();
        let sent = Sent { at: self.now, from: forward.from, to: forward.to, bytes };
        self.wire.1.push(sent.clone());
        Some(sent)
    }

    /// A packet of a side's peer.
    pub(super) fn packet(&mut self, side: Side, header: Header, payload: &[u8]) -> Option<Sent> {
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend_from_slice(payload);
        self.datagram(side, peer(side), &bytes)
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.relay.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.wire.0 = self.now;
            self.relay.handle_deadline(self.now, &mut self.wire);
        }
        self.now = end;
    }

    /// Lets time pass in which a side's peer talks.
    pub(super) fn talk(&mut self, side: Side, talker: &mut Talker, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.packet(side, talker.next(), &[0x55; 160]);
            self.pass(MS * 20);
        }
    }

    /// The track that a side waits for: its token, codec and length of packet.
    pub(super) fn asked(&mut self) -> (u32, Sound, Speech, u16) {
        let events = self.events();
        let [Event::TrackNeeded { token, sound, speech, packet_ms, .. }] = &events[..] else {
            panic!("one track is asked for: {events:?}");
        };
        (*token, sound.clone(), *speech, *packet_ms)
    }

    pub(super) fn track(&mut self, side: Side, token: u32, track: Arc<Track>) {
        self.relay.track(self.now, CALL, side, token, Ok(track));
    }

    pub(super) fn events(&mut self) -> Vec<Event> {
        core::iter::from_fn(|| self.relay.poll_event()).collect()
    }

    /// The RTP packets that a side's peer was sent since this was last asked.
    pub(super) fn heard_by(&mut self, side: Side) -> Vec<Sent> {
        let lane = self.lane(side, LaneKind::Rtp);
        let (mine, others) =
            core::mem::take(&mut self.wire.1).into_iter().partition(|sent| sent.from == lane);
        self.wire.1 = others;
        mine
    }
}

/// A peer that sends twenty milliseconds of audio at a time.
#[derive(Clone, Copy)]
pub(super) struct Talker {
    pub(super) header: Header,
    pub(super) ticks: u32,
}

impl Talker {
    pub(super) const fn new(payload_type: u8, ssrc: u32) -> Self {
        let header =
            Header { marker: false, payload_type, sequence: 65_530, timestamp: 0xffff_ff00, ssrc };
        Self { header, ticks: 160 }
    }

    pub(super) fn next(&mut self) -> Header {
        let header = self.header;
        self.header.sequence = header.sequence.wrapping_add(1);
        self.header.timestamp = header.timestamp.wrapping_add(self.ticks);
        header
    }
}

/// A track whose packets are all of this byte.
pub(super) fn tone(speech: Speech, packet_ms: u16, packets: usize, byte: u8) -> Arc<Track> {
    let mut track = Track::new(speech, packet_ms);
    for _ in 0..packets {
        track.push(&alloc::vec![byte; usize::from(packet_ms) * 8]);
    }
    Arc::new(track)
}

pub(super) fn play(token: u32, repeat: Repeat) -> Play {
    Play { token, sound: Sound::HoldMusic, repeat }
}

/// The numbers of a stream go on without a seam: one SSRC, no sequence number missing or twice, and a timestamp that is
/// where the time is, give or take some milliseconds.
pub(super) fn check_seamless(sent: &[Sent], clock_rate: u32, tolerance_ms: u32) {
    let first = &sent[0];
    for (before, after) in sent.iter().zip(&sent[1..]) {
        let (one, other) = (before.header(), after.header());
        assert_eq!(one.ssrc, other.ssrc);
        assert_eq!(one.sequence.wrapping_add(1), other.sequence, "at {:?}", after.at - first.at);
        assert!(other.timestamp.wrapping_sub(one.timestamp).cast_signed() > 0);
    }
    for packet in sent {
        let passed = (packet.at - first.at).as_millis() as u32 * (clock_rate / 1000);
        let off =
            packet.header().timestamp.wrapping_sub(first.header().timestamp).wrapping_sub(passed);
        let off = off.cast_signed().unsigned_abs();
        assert!(
            off <= tolerance_ms * (clock_rate / 1000),
            "{off} ticks at {:?}",
            packet.at - first.at
        );
    }
}

/// The longest time without a packet.
pub(super) fn longest_gap(sent: &[Sent]) -> Duration {
    sent.iter()
        .zip(&sent[1..])
        .map(|(before, after)| after.at - before.at)
        .max()
        .unwrap_or_default()
}
