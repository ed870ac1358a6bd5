//! One leg of a session: what its peer sends, and the stream that it is sent.
//!
//! What every packet needs is here; what only orders and timers need is boxed.

use alloc::boxed::Box;
use core::net::SocketAddr;

use mediator_model::{Instant, MediaPort};

use crate::control::{Control, Reports};
use crate::ear::Ears;
use crate::latch::{Latch, Verdict};
use crate::listener::{Heard, Listener};
use crate::reception::Reception;
use crate::relay::{Lane, LaneKind, Outlet};
use crate::route::{Kind, Onward, Rewrite, Route, Routes};
use crate::rtp::Packet;
use crate::silence::packet_ms;
use crate::speaker::{Mouth, Speaker, Whose};
use crate::stream::{Incoming, Stamp, Stream};
use crate::surroundings::Surroundings;
use crate::voice::Tongue;
use crate::{Figures, Terms, emodel};

/// What a leg hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hearing {
    /// Nothing is sent.
    Nothing,
    /// The other side.
    Peer,
    /// Us.
    Own,
    /// Us, until media of the other side comes: so many packets did, the last one then.
    OwnThenPeer { packets: u8, last: Instant },
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
#[derive(Debug)]
pub(crate) struct Leg {
    /// Where its media comes from; `None`: it has not agreed on anything.
    latch: Option<Latch>,
    /// The call is answered.
    talks: bool,
    routes: Routes,
    pub(crate) stream: Stream,
    pub(crate) hearing: Hearing,
    /// The peer wants to receive.
    receives: bool,
    /// We are saying something in place of what it hears.
    muted: bool,
    /// The payload type that it sent last.
    payload_type: u8,
    listener: Option<Box<Listener>>,
    /// When RTP of it came last.
    pub(crate) heard: Option<Instant>,
    packets: u64,
    bytes: u64,
    reception: Reception,
    refused: u64,
    port: MediaPort,
    /// The instant of the grid at which it is looked at next.
    pub(crate) tick: Option<u64>,
    pub(crate) speaker: Option<Box<Speaker>>,
    tongue: Option<Tongue>,
    /// The payload type and clock rate of events to it.
    events: Option<(u8, u32)>,
    control: Control,
    terms: Option<Box<Terms>>,
}

impl Leg {
    pub(crate) fn new(around: &mut Surroundings, now: Instant, port: MediaPort) -> Self {
        Self {
            latch: None,
            talks: false,
            routes: Routes::default(),
            stream: Stream::new(around.random(), now),
            hearing: Hearing::Nothing,
            receives: false,
            muted: false,
            payload_type: 0,
            listener: None,
            heard: None,
            packets: 0,
            bytes: 0,
            reception: Reception::new(),
            refused: 0,
            port,
            tick: None,
            speaker: None,
            tongue: None,
            events: None,
            control: Control::new(around.random()),
            terms: None,
        }
    }

    pub(crate) const fn port(&self) -> MediaPort {
        self.port
    }

    pub(crate) fn terms(&self) -> Option<&Terms> {
        self.terms.as_deref()
    }

    /// How we speak on it; `None`: it has not agreed on anything.
    pub(crate) const fn tongue(&self) -> Option<Tongue> {
        self.tongue
    }

    /// The payload type and clock rate of events to it.
    pub(crate) const fn events(&self) -> Option<(u8, u32)> {
        self.events
    }

    /// Whether one of the two does not send or receive.
    pub(crate) fn is_held(&self) -> bool {
        self.terms().is_some_and(|terms| {
            !terms.peer_sends || !terms.peer_receives || terms.remote.is_none()
        })
    }

    /// Takes new terms; the source is learned anew where SDP names another address, or somebody else is the peer.
    pub(crate) fn agree(&mut self, now: Instant, terms: Box<Terms>) {
        let told = self.latch.as_ref().map(Latch::told);
        let before = self.terms().map_or(terms.peer, |before| before.peer);
        let is_another = before.number != terms.peer.number;
        if told != Some(terms.remote) || is_another || before.dialog != terms.peer.dialog {
            let former = self.latch.as_ref().and_then(Latch::source).filter(|_| is_another);
            let mut latch = Latch::new(now, terms.remote, terms.signalling);
            if terms.peer.has_rivals {
                latch = latch.contested(now);
            }
            if let Some(former) = former {
                latch = latch.without(now, former);
            }
            self.latch = Some(latch);
            self.control.source = None;
        }
        if self.talks {
            self.talks_since(now);
        }
        self.receives = terms.peer_receives;
        self.tongue = Some(tongue(&terms));
        self.events = event_format(&terms);
        self.terms = Some(terms);
    }

    /// The call is answered: the peer has to show itself where SDP says that it is.
    pub(crate) fn talks_since(&mut self, now: Instant) {
        self.talks = true;
        if let Some(latch) = &mut self.latch {
            latch.talks(now);
        }
    }

    /// Draws up what becomes of the payload types of this leg.
    pub(crate) fn route_to(&mut self, other: Option<&Terms>) {
        self.routes = self.terms().map(|terms| Routes::new(terms, other)).unwrap_or_default();
    }

    /// Listens to keys from now on.
    pub(crate) fn listen(&mut self, now: Instant) {
        self.listener.get_or_insert_with(|| Box::new(Listener::new(now)));
    }

    /// Does not listen to keys any more.
    pub(crate) fn stop_listening(&mut self) {
        self.listener = None;
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
        // Nothing is learned from what was not agreed on, or from ourselves.
        let may_pass = self.latch.as_ref().is_some_and(|latch| {
            latch.source() == Some(source) || (route.is_some() && !around.own.has(source))
        });
        let latch = self.latch.as_mut().filter(|_| may_pass);
        if latch.is_none_or(|latch| latch.accept(now, source) == Verdict::Refused) {
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
        match route {
            Some(route) => Admitted::Taken(route, incoming),
            None => Admitted::Unknown(incoming),
        }
    }

    /// Hears the keys in a packet that was taken, where it is listened to.
    pub(crate) fn overhear(
        &mut self,
        (now, ears): (Instant, &dyn Ears),
        (route, incoming): (Route, Incoming),
        (packet, datagram): (&Packet, &[u8]),
        tell: impl FnMut(Heard),
    ) {
        if route.kind != Kind::Event {
            self.payload_type = route.payload_type;
        }
        let Some(listener) = &mut self.listener else { return };
        let Some(payload) = datagram.get(packet.payload()) else { return };
        if route.kind == Kind::Event {
            listener.hear_event(now, &packet.header, payload, tell);
        } else if self.events.is_none() {
            listener.hear_audio((now, ears), (route.kind, incoming.arrival), payload, tell);
        }
    }

    /// Whether it hears the other side's packet now; one that ends a sound may be that.
    pub(crate) fn hears_peer(&mut self, now: Instant, kind: Kind) -> bool {
        match self.hearing {
            Hearing::Peer => !self.muted,
            Hearing::Nothing | Hearing::Own => false,
            Hearing::OwnThenPeer { packets, last } => {
                self.hearing = wait_for_peer(now, kind, (packets, last));
                if self.hearing != Hearing::Peer {
                    return false;
                }
                self.hush();
                !self.muted
            }
        }
    }

    /// Where its RTP goes to now; `None`: it gets none.
    pub(crate) fn target(&self, now: Instant, around: &mut Surroundings) -> Option<SocketAddr> {
        if !self.receives {
            return None;
        }
        allowed(self.latch.as_ref()?.target(now)?, around)
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
            (Kind::Law(_) | Kind::Audio(_), _) => self.stream.forward(now, incoming, rate),
        }
    }

    /// Says nothing any more but what was begun beside.
    pub(crate) fn hush(&mut self) {
        if let Some(speaker) = &mut self.speaker {
            speaker.voice = None;
        }
    }

    /// Whoever speaks here for us; one is there from now on.
    pub(crate) fn speaker(&mut self) -> &mut Speaker {
        self.speaker.get_or_insert_default()
    }

    /// Says what is due. Tells what has ended.
    pub(crate) fn speak(
        &mut self,
        around: &mut Surroundings,
        now: Instant,
        (whose, lane): (Whose, Lane),
        out: &mut dyn Outlet,
    ) {
        let to = self.target(now, around);
        let Some(speaker) = &mut self.speaker else { return };
        let mut mouth = Mouth {
            stream: &mut self.stream,
            tongue: self.tongue,
            events: self.events,
            whose,
            lane,
            to,
            out,
        };
        speaker.speak(around, now, &mut mouth);
        self.muted = speaker.is_aside();
        if speaker.is_done() {
            self.speaker = None;
        }
    }

    /// Takes a datagram of RTCP; `false`: it is not the leg's, or cannot be read.
    pub(crate) fn receive_control(
        &mut self,
        now: Instant,
        (kind, source): (LaneKind, SocketAddr),
        datagram: &[u8],
    ) -> bool {
        let Some(terms) = &self.terms else { return false };
        let is_muxed = kind == LaneKind::Rtp;
        if is_muxed && !terms.rtcp_mux {
            return false;
        }
        let known = self.latch.as_ref().and_then(Latch::source);
        let is_peer = match known {
            Some(known) if is_muxed => known == source,
            Some(known) => known.ip() == source.ip(),
            None => terms.remote_rtcp == Some(source),
        };
        let names = (self.stream.ssrc(), self.reception.ssrc());
        if !is_peer || self.control.receive(now, names, datagram).is_err() {
            return false;
        }
        if !is_muxed {
            self.control.source = Some(source);
        }
        if let Some(latch) = &mut self.latch {
            latch.heard_of(source.ip());
        }
        true
    }

    /// Sends its peer a report, where there is anything to tell; the last one says farewell.
    pub(crate) fn report(
        &mut self,
        around: &mut Surroundings,
        (now, lane): (Instant, Lane),
        reports: Reports,
        out: &mut dyn Outlet,
    ) {
        let Some(to) = self.control_target(now, around) else { return };
        let report = match reports {
            Reports::Due => self.control.report(now, &self.stream, self.reception.report()),
            Reports::Last => self.control.farewell(now, &self.stream),
        };
        if let Some(report) = report {
            around.counters.rtcp_sent += 1;
            // What is protected is sealed here.
            out.send(lane, to, &report);
        }
    }

    /// The socket of its RTCP.
    pub(crate) fn control_lane(&self) -> LaneKind {
        match self.terms() {
            Some(terms) if terms.rtcp_mux => LaneKind::Rtp,
            Some(_) | None => LaneKind::Rtcp,
        }
    }

    /// What was counted.
    pub(crate) fn figures(&self) -> Figures {
        let reception = &self.reception;
        let round_trip = self.control.round_trip;
        let formats = self.terms().map_or(&[][..], |terms| &terms.receive);
        let spoken = formats.iter().find(|format| format.payload_type == self.payload_type);
        let encoding = spoken.map_or("", |format| format.encoding);
        let packet = core::time::Duration::from_millis(20);
        let delay = emodel::delay(round_trip, reception.jitter_ms(), packet);
        let mos = emodel::mos(encoding, delay, reception.loss());
        let heard = spoken.filter(|format| self.packets > 0 && !format.is_event());
        let liked = self.terms().and_then(|terms| terms.send.iter().find(|it| !it.is_event()));
        Figures {
            codec: heard.or(liked).map(|format| format.encoding),
            packets: self.packets,
            bytes: self.bytes,
            lost: reception.lost(),
            reordered: reception.reordered(),
            jitter_ms: reception.jitter_ms(),
            mos: (self.packets > 0).then_some(mos),
            round_trip,
            packets_sent: self.stream.packets(),
            refused: self.refused,
        }
    }

    fn control_target(&self, now: Instant, around: &mut Surroundings) -> Option<SocketAddr> {
        let terms = self.terms()?;
        let media = self.latch.as_ref()?.target(now)?;
        if terms.rtcp_mux {
            return allowed(media, around);
        }
        let here = |address: &SocketAddr| address.ip() == media.ip();
        let learned = self.control.source.filter(here);
        allowed(learned.or(terms.remote_rtcp.filter(here))?, around)
    }
}

/// The destination, if media may be sent to it.
fn allowed(to: SocketAddr, around: &mut Surroundings) -> Option<SocketAddr> {
    if around.own.may_send_to(to) {
        return Some(to);
    }
    around.counters.forbidden += 1;
    None
}

/// Packets of the other side, at most so far from each other, that show that media of it really comes.
const MEDIA_COMES: u8 = 3;
const MEDIA_GAP: core::time::Duration = core::time::Duration::from_millis(200);

fn wait_for_peer(now: Instant, kind: Kind, (packets, last): (u8, Instant)) -> Hearing {
    if kind == Kind::Event {
        return Hearing::OwnThenPeer { packets, last };
    }
    let packets = if now - last <= MEDIA_GAP { packets + 1 } else { 1 };
    if packets >= MEDIA_COMES { Hearing::Peer } else { Hearing::OwnThenPeer { packets, last: now } }
}

/// The peer's favourite among the codecs that we speak.
fn tongue(terms: &Terms) -> Tongue {
    let spoken = terms.send.iter().find_map(|format| Some((format, format.speech()?)));
    let speech = spoken.map(|(_, speech)| speech);
    Tongue {
        speech,
        payload_type: spoken.map_or(0, |(format, _)| format.payload_type),
        packet_ms: packet_ms(speech, terms.ptime_ms),
    }
}

/// Events at the clock rate of its audio (RFC 4733 §2.1), else at any.
fn event_format(terms: &Terms) -> Option<(u8, u32)> {
    let rate = terms.send.iter().find(|format| !format.is_event()).map(|audio| audio.clock_rate);
    let all = || terms.send.iter().filter(|format| format.is_event());
    let event = all().find(|event| Some(event.clock_rate) == rate).or_else(|| all().next())?;
    Some((event.payload_type, event.clock_rate.max(1)))
}
