//! The media of one call: two legs, what each hears, and what is waited for.
//!
//! `receive` is the hot path: payload type, source, what the other side hears, numbers, header; nothing is allocated.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::ops::Range;

use mediator_model::{Instant, MediaPort, Sid};
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore as _, SeedableRng as _};

use crate::leg::{Admitted, Hearing, Leg};
use crate::own::OwnSockets;
use crate::relay::{Forward, Lane, LaneKind, Outlet, RelaySetup, SessionKey};
use crate::route::{Law, Onward, Rewrite, Route};
use crate::rtp::{Header, Packet, is_rtcp};
use crate::stream::{Stamp, rescale};
use crate::timers::{Ticker, Timers};
use crate::{Counters, Event, Figures, Hear, Order, Side, SoundFailure, Terms, Track, g711};

#[cfg(test)]
mod tests;

/// What all sessions of a relay share.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) own: OwnSockets,
    pub(crate) timers: Timers,
    /// Kept from one instant of the grid to the next for its memory alone.
    pub(crate) tickers: Vec<Ticker>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) counters: Counters,
    dice: ChaCha12Rng,
}

impl Surroundings {
    pub(crate) fn new(setup: RelaySetup) -> Self {
        Self {
            own: OwnSockets::new(setup.addresses, setup.ports),
            timers: Timers::default(),
            tickers: Vec::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            dice: ChaCha12Rng::from_seed(setup.seed),
        }
    }

    pub(crate) fn random(&mut self) -> u64 {
        self.dice.next_u64()
    }
}

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    legs: [Leg; 2],
    key: SessionKey,
    call: Sid,
}

impl Session {
    pub(crate) fn new(
        around: &mut Surroundings,
        now: Instant,
        key: SessionKey,
        (call, ports): (Sid, [MediaPort; 2]),
    ) -> Self {
        Self { legs: ports.map(|port| Leg::new(around, now, port)), key, call }
    }

    pub(crate) fn ports(&self) -> [MediaPort; 2] {
        self.legs.each_ref().map(Leg::port)
    }

    /// Carries out an order of this call.
    pub(crate) fn order(&mut self, around: &mut Surroundings, now: Instant, order: Order) {
        match order {
            Order::Terms { side, terms, .. } => self.agree(now, side, terms),
            Order::Hear { side, hear, .. } => self.hear(around, now, side, hear),
            Order::Dial { .. } | Order::Listen { .. } | Order::Supervise { .. } => {}
            // The relay's own.
            Order::Open { .. } | Order::Close { .. } => {}
        }
    }

    /// Takes a datagram; see [`Relay::receive`](crate::Relay::receive).
    pub(crate) fn receive(
        &mut self,
        around: &mut Surroundings,
        now: Instant,
        at: Lane,
        source: SocketAddr,
        datagram: &mut [u8],
    ) -> Option<Forward> {
        // A protected datagram is opened here.
        if at.kind == LaneKind::Rtcp || is_rtcp(datagram) {
            around.counters.rtcp_ignored += 1;
            return None;
        }
        let Ok(packet) = Packet::parse(datagram) else {
            around.counters.malformed += 1;
            return None;
        };
        let (leg, other) = self.pair(at.side);
        let (route, numbers) = match leg.admit(around, now, source, &packet) {
            Admitted::Refused => return None,
            Admitted::Unknown(numbers) => {
                around.counters.unroutable += 1;
                other.stream.skip(numbers);
                return None;
            }
            Admitted::Taken(route, numbers) => (route, numbers),
        };
        around.counters.packets += 1;
        around.counters.bytes += datagram.len() as u64;
        let Some(onward) = route.onward else {
            around.counters.unroutable += 1;
            other.stream.skip(numbers);
            return None;
        };
        if !matches!(other.hearing, Hearing::Peer) {
            return None;
        }
        let Some(to) = other.target(now, &around.own) else {
            other.stream.interrupt();
            return None;
        };
        let Some(stamp) = other.place(now, numbers, (route, onward)) else {
            around.counters.misplaced += 1;
            return None;
        };
        let range = Self::hand_on(other, &packet, (stamp, route, onward), datagram)?;
        around.counters.forwarded += 1;
        around.counters.transcoded += u64::from(matches!(onward.rewrite, Rewrite::Law(_)));
        Some(Forward { from: Lane { side: at.side.other(), ..at }, to, range })
    }

    /// Rewrites a packet for the leg that hears it.
    fn hand_on(
        to: &mut Leg,
        packet: &Packet,
        (stamp, route, onward): (Stamp, Route, Onward),
        datagram: &mut [u8],
    ) -> Option<Range<usize>> {
        let payload = datagram.get_mut(packet.payload())?;
        match onward.rewrite {
            Rewrite::Nothing => {}
            Rewrite::Law(Law::A) => g711::ulaw_to_alaw(payload),
            Rewrite::Law(Law::U) => g711::alaw_to_ulaw(payload),
            Rewrite::Event => rescale_event(payload, route.clock_rate, onward.clock_rate),
        }
        let header = Header {
            marker: packet.header.marker || stamp.begins,
            payload_type: onward.payload_type,
            sequence: stamp.sequence,
            timestamp: stamp.timestamp,
            ssrc: to.stream.ssrc(),
        };
        to.stream.count(packet.payload_bytes());
        // What is protected is sealed here.
        packet.rewrite(datagram, header)
    }

    /// A track has come.
    pub(crate) fn track(
        &mut self,
        _around: &mut Surroundings,
        _now: Instant,
        _side: Side,
        _token: u32,
        _track: Result<alloc::sync::Arc<Track>, SoundFailure>,
    ) {
    }

    /// An instant of the grid has come for a leg.
    pub(crate) fn handle_tick(
        &mut self,
        _around: &mut Surroundings,
        _now: Instant,
        _at: (Side, u64),
        _out: &mut dyn Outlet,
    ) {
    }

    /// A time has come that was asked for.
    pub(crate) fn handle_far(
        &mut self,
        _around: &mut Surroundings,
        _now: Instant,
        _at: Instant,
        _out: &mut dyn Outlet,
    ) {
    }

    /// The end.
    pub(crate) fn close(
        &mut self,
        around: &mut Surroundings,
        _now: Instant,
        _out: &mut dyn Outlet,
    ) {
        let figures = self.figures();
        around.events.push_back(Event::Closed { call: self.call, figures });
    }

    /// What was counted of side A and side B.
    pub(crate) fn figures(&self) -> [Figures; 2] {
        self.legs.each_ref().map(|leg| {
            let (packets, bytes) = leg.received();
            Figures {
                packets,
                bytes,
                packets_sent: leg.stream.packets(),
                refused: leg.refused(),
                ..Figures::default()
            }
        })
    }

    fn agree(&mut self, now: Instant, side: Side, terms: alloc::boxed::Box<Terms>) {
        let (leg, other) = self.pair(side);
        leg.agree(now, terms);
        leg.route_to(other.terms());
        other.route_to(leg.terms());
    }

    fn hear(&mut self, _around: &mut Surroundings, _now: Instant, side: Side, hear: Hear) {
        let (leg, _) = self.pair(side);
        leg.stream.interrupt();
        leg.hearing = match hear {
            Hear::Peer => Hearing::Peer,
            Hear::Nothing | Hear::Silence | Hear::Sound(_) | Hear::SoundThenPeer(_) => {
                Hearing::Nothing
            }
        };
    }

    /// The leg of a side, and the other one.
    const fn pair(&mut self, side: Side) -> (&mut Leg, &mut Leg) {
        let [a, b] = &mut self.legs;
        match side {
            Side::A => (a, b),
            Side::B => (b, a),
        }
    }
}

/// Tells the duration of an RFC 4733 event in ticks of another clock; longer than it can say is the longest.
fn rescale_event(payload: &mut [u8], from: u32, to: u32) {
    if let Some([_, _, high, low]) = payload.first_chunk_mut::<4>() {
        let duration = rescale(u32::from(u16::from_be_bytes([*high, *low])), from, to);
        [*high, *low] = u16::try_from(duration).unwrap_or(u16::MAX).to_be_bytes();
    }
}
