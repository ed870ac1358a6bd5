//! The media of one call: two legs, what each hears, and what is waited for.
//!
//! `receive` is the hot path: payload type, source, what the other side hears, numbers, header; nothing is allocated.

use core::net::SocketAddr;
use core::ops::Range;

use mediator_model::{Instant, MediaPort, Sid};

use crate::control::{FIRST, Reports};
use crate::leg::{Admitted, Leg};
use crate::listener::Heard;
use crate::relay::{Forward, Lane, LaneKind, Outlet, SessionKey};
use crate::route::{Law, Onward, Rewrite, Route};
use crate::rtp::{Header, Packet, is_rtcp};
use crate::speaker::Whose;
use crate::stream::{Stamp, rescale};
use crate::supervision::{Signs, Supervision};
use crate::surroundings::Surroundings;
use crate::timers::{Ticker, Timers};
use crate::{Event, Figures, Side, g711};

mod orders;

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    legs: [Leg; 2],
    key: SessionKey,
    call: Sid,
    supervision: Option<Supervision>,
    /// When both peers are reported to next.
    report: Instant,
    /// When the session is woken; earlier entries of the timers are passed over.
    armed: Option<Instant>,
}

impl Session {
    pub(crate) fn new(
        around: &mut Surroundings,
        now: Instant,
        key: SessionKey,
        (call, ports): (Sid, [MediaPort; 2]),
    ) -> Self {
        let legs = ports.map(|port| Leg::new(around, now, port));
        let report = now + FIRST;
        around.timers.arm(report, key);
        Self { legs, key, call, supervision: None, report, armed: Some(report) }
    }

    pub(crate) const fn call(&self) -> Sid {
        self.call
    }

    pub(crate) fn ports(&self) -> [MediaPort; 2] {
        self.legs.each_ref().map(Leg::port)
    }

    /// Takes a datagram; see [`Relay::receive`](crate::Relay::receive).
    pub(crate) fn receive(
        &mut self,
        around: &mut Surroundings,
        now: Instant,
        (at, source): (Lane, SocketAddr),
        datagram: &mut [u8],
    ) -> Option<Forward> {
        // A protected datagram is opened here.
        if at.kind == LaneKind::Rtcp || is_rtcp(datagram) {
            self.receive_control(around, now, (at, source), datagram);
            return None;
        }
        let Ok(packet) = Packet::parse(datagram) else {
            around.counters.malformed += 1;
            return None;
        };
        let call = self.call;
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
        let Surroundings { ears, counters, events, .. } = around;
        leg.overhear((now, &**ears), (route, numbers), (&packet, datagram), |heard| match heard {
            Heard::Key(key) => {
                counters.keys += 1;
                events.push_back(Event::Key { call, side: at.side, key });
            }
            Heard::TooMany => counters.keys_ignored += 1,
        });
        let Some(onward) = route.onward else {
            around.counters.unroutable += 1;
            other.stream.skip(numbers);
            return None;
        };
        if !other.hears_peer(now, route.kind) {
            other.stream.interrupt_peer();
            return None;
        }
        let Some(to) = other.target(now, around) else {
            other.stream.interrupt_peer();
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

    /// Reads RTCP.
    fn receive_control(
        &mut self,
        around: &mut Surroundings,
        now: Instant,
        (at, source): (Lane, SocketAddr),
        datagram: &[u8],
    ) {
        let (leg, _) = self.pair(at.side);
        if leg.receive_control(now, (at.kind, source), datagram) {
            around.counters.rtcp += 1;
        } else {
            around.counters.rtcp_ignored += 1;
        }
    }

    /// An instant of the grid has come for a leg.
    pub(crate) fn handle_tick(
        &mut self,
        around: &mut Surroundings,
        now: Instant,
        (side, tick): (Side, u64),
        out: &mut dyn Outlet,
    ) {
        let (whose, lane) = (self.whose(side), self.lane(side, LaneKind::Rtp));
        let (leg, _) = self.pair(side);
        if leg.tick != Some(tick) {
            return;
        }
        leg.tick = None;
        leg.speak(around, now, (whose, lane), out);
        self.arm_tick(around, now, side);
    }

    /// A time has come that was asked for; another one may have been asked for since.
    pub(crate) fn handle_far(
        &mut self,
        around: &mut Surroundings,
        now: Instant,
        at: Instant,
        out: &mut dyn Outlet,
    ) {
        if self.armed != Some(at) {
            return;
        }
        self.armed = None;
        let signs = self.signs();
        if self.supervision.as_mut().is_some_and(|watch| watch.is_over(now, signs)) {
            around.events.push_back(Event::Silent { call: self.call });
        }
        if self.report <= now {
            self.send_reports(around, now, Reports::Due, out);
            self.report = around.next_report(now);
        }
        self.arm_far(around);
    }

    /// The end.
    pub(crate) fn close(&mut self, around: &mut Surroundings, now: Instant, out: &mut dyn Outlet) {
        self.send_reports(around, now, Reports::Last, out);
        around.events.push_back(Event::Closed { call: self.call, figures: self.figures() });
    }

    /// What was counted of side A and side B.
    pub(crate) fn figures(&self) -> [Figures; 2] {
        self.legs.each_ref().map(Leg::figures)
    }

    fn send_reports(
        &mut self,
        around: &mut Surroundings,
        now: Instant,
        reports: Reports,
        out: &mut dyn Outlet,
    ) {
        for side in Side::BOTH {
            let kind = self.pair(side).0.control_lane();
            let lane = self.lane(side, kind);
            let (leg, _) = self.pair(side);
            leg.report(around, (now, lane), reports, out);
        }
    }

    /// Has the leg looked at when it has something to say.
    fn arm_tick(&mut self, around: &mut Surroundings, now: Instant, side: Side) {
        let ticker = Ticker { session: self.key, side };
        let (leg, _) = self.pair(side);
        let due = leg.speaker.as_ref().and_then(|speaker| speaker.due());
        leg.tick = match (due, leg.tick) {
            (None, _) => None,
            (Some(due), Some(tick)) if Timers::tick_of(due) >= tick => Some(tick),
            (Some(due), _) => Some(around.timers.tick_at(now, due, ticker)),
        };
    }

    /// Has the session looked at for its next report, or for silence.
    fn arm_far(&mut self, around: &mut Surroundings) {
        let signs = self.signs();
        let watch = self.supervision.as_ref().and_then(|watch| watch.next_deadline(signs));
        let at = watch.map_or(self.report, |watch| watch.min(self.report));
        if self.armed.is_none_or(|armed| at < armed) {
            self.armed = Some(at);
            around.timers.arm(at, self.key);
        }
    }

    fn signs(&self) -> Signs {
        let [a, b] = &self.legs;
        Signs { heard: a.heard.max(b.heard), is_held: a.is_held() || b.is_held() }
    }

    const fn whose(&self, side: Side) -> Whose {
        Whose { call: self.call, side }
    }

    const fn lane(&self, side: Side, kind: LaneKind) -> Lane {
        Lane { session: self.key, side, kind }
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
