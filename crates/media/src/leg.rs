//! One leg of a session: what its peer sends, and the stream that it is sent.
//!
//! What every packet needs stands first and together; what only orders and timers need is behind it.

use alloc::boxed::Box;
use core::net::SocketAddr;

use mediator_model::{Instant, MediaPort};

use crate::Terms;
use crate::latch::{Latch, Verdict};
use crate::own::OwnSockets;
use crate::reception::Reception;
use crate::route::{Kind, Onward, Rewrite, Route, Routes};
use crate::rtp::Packet;
use crate::session::Surroundings;
use crate::stream::{Incoming, Stamp, Stream};

/// What a leg hears.
#[derive(Clone, Debug)]
pub(crate) enum Hearing {
    /// Nothing is sent.
    Nothing,
    /// The other side.
    Peer,
}

/// What becomes of a packet of RTP.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Admitted {
    /// It is not the leg's.
    Refused,
    /// It is the leg's, of a payload type that was not agreed on.
    Unknown(Incoming),
    /// It is the leg's.
    Taken(Route, Incoming),
}

/// A leg.
#[derive(Clone, Debug)]
pub(crate) struct Leg {
    /// Where its media comes from; `None`: it has not agreed on anything.
    latch: Option<Latch>,
    routes: Routes,
    pub(crate) stream: Stream,
    pub(crate) hearing: Hearing,
    /// The peer wants to receive.
    receives: bool,
    /// When RTP of it came last.
    pub(crate) heard: Option<Instant>,
    reception: Reception,
    packets: u64,
    bytes: u64,
    refused: u64,
    port: MediaPort,
    terms: Option<Box<Terms>>,
}

impl Leg {
    pub(crate) fn new(around: &mut Surroundings, now: Instant, port: MediaPort) -> Self {
        Self {
            latch: None,
            routes: Routes::default(),
            stream: Stream::new(around.random(), now),
            hearing: Hearing::Nothing,
            receives: false,
            heard: None,
            reception: Reception::new(),
            packets: 0,
            bytes: 0,
            refused: 0,
            port,
            terms: None,
        }
    }

    pub(crate) const fn port(&self) -> MediaPort {
        self.port
    }

    pub(crate) fn terms(&self) -> Option<&Terms> {
        self.terms.as_deref()
    }

    /// Takes new terms; the source is learned anew where SDP names another address.
    pub(crate) fn agree(&mut self, now: Instant, terms: Box<Terms>) {
        let told = self.latch.as_ref().map(Latch::told);
        if told != Some(terms.remote) {
            self.latch = Some(Latch::new(now, terms.remote, terms.signalling));
        }
        self.receives = terms.peer_receives;
        self.terms = Some(terms);
    }

    /// Draws up what becomes of the payload types of this leg.
    pub(crate) fn route_to(&mut self, other: Option<&Terms>) {
        self.routes = self.terms().map(|terms| Routes::new(terms, other)).unwrap_or_default();
    }

    /// Judges a packet by its payload type and its source, and counts it.
    pub(crate) fn admit(
        &mut self,
        around: &mut Surroundings,
        now: Instant,
        source: SocketAddr,
        packet: &Packet,
    ) -> Admitted {
        let route = self.routes.find(packet.header.payload_type).copied();
        let Some(latch) = self.latch.as_mut() else {
            return Admitted::Refused;
        };
        // Nothing is learned from what was not agreed on, or from ourselves.
        let may_learn = route.is_some() && !around.own.has(source);
        let may_pass = may_learn || latch.source() == Some(source);
        if !may_pass || latch.accept(now, source) == Verdict::Refused {
            around.counters.refused += 1;
            self.refused += 1;
            return Admitted::Refused;
        }
        self.heard = Some(now);
        self.packets += 1;
        self.bytes += packet.payload_bytes() as u64;
        let header = &packet.header;
        let clock_rate = route.map_or(8000, |route| route.clock_rate);
        let incoming = Incoming {
            ssrc: header.ssrc,
            sequence: header.sequence,
            timestamp: header.timestamp,
            arrival: self.reception.receive(now, header, clock_rate),
        };
        route.map_or(Admitted::Unknown(incoming), |route| Admitted::Taken(route, incoming))
    }

    /// Where its RTP goes to now; `None`: it gets none.
    pub(crate) fn target(&self, now: Instant, own: &OwnSockets) -> Option<SocketAddr> {
        if !self.receives {
            return None;
        }
        self.latch.as_ref()?.target(now).filter(|to| own.may_send_to(*to))
    }

    /// The numbers that a packet of the other side gets here; `None`: it has no place.
    pub(crate) fn place(
        &mut self,
        now: Instant,
        incoming: Incoming,
        (route, onward): (Route, Onward),
    ) -> Option<Stamp> {
        let rate = route.clock_rate;
        match (route.kind, onward.rewrite) {
            (Kind::Event, Rewrite::Event) => self.stream.forward_event(now, incoming, rate),
            (Kind::Event, Rewrite::Nothing | Rewrite::Law(_)) => {
                self.stream.forward_beside(now, incoming, rate)
            }
            (Kind::Law(_) | Kind::Audio, _) => self.stream.forward(now, incoming, rate),
        }
    }

    pub(crate) const fn received(&self) -> (u64, u64) {
        (self.packets, self.bytes)
    }

    pub(crate) const fn refused(&self) -> u64 {
        self.refused
    }
}
