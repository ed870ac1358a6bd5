//! All media sessions of one thread as a value: packets, orders and `now` go in; packets, events and the next deadline
//! come out.
//!
//! A session is what one call needs: two legs, each with a pair of ports, what SDP agreed on, what the peer sends
//! (where from, in which order, what of it came) and the stream that it is sent. What is heard on a side comes from the
//! other side or from us, see [`Hear`](crate::Hear); the peer sees one stream without seams.
//!
//! The driver owns the sockets. It hands every datagram to [`Relay::receive`], which rewrites it in place and says where it
//! goes, without allocating; it calls [`Relay::handle_deadline`] when [`Relay::next_deadline`] has come, and takes
//! [`Relay::poll_event`] until it is empty after each call that it makes.
//!
//! Seams for SRTP (RFC 3711): a datagram is opened (unprotected) at the top of `Session::receive`, before anything of it
//! is read but which of RTP and RTCP it is; a forwarded packet is sealed where `Session::hand_on` has written its header,
//! and one of our own where `Outgoing::send` or `Leg::report` gives it to the [`Outlet`]. Keys would come with the terms of a leg; what is
//! between opening and sealing sees plain packets alone.
//!
//! Hostile input: nothing that a datagram says is believed before its source and its payload type fit what was agreed on;
//! a session's memory does not grow with what it receives.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::ops::{Range, RangeInclusive};

use hashbrown::HashMap;
use mediator_model::{Instant, MediaPort, PortSet, Sid};
use slotmap::{SlotMap, new_key_type};

use crate::ear::Ears;
use crate::session::Session;
use crate::surroundings::Surroundings;
use crate::timers::Ticker;
use crate::{Counters, Event, Figures, Order, Side, SoundFailure, Track};

#[cfg(test)]
mod tests;

new_key_type! {
    /// Names a session to its relay and to the driver's sockets. Not used again for another session.
    pub struct SessionKey;
}

/// One socket of a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lane {
    /// Whose.
    pub session: SessionKey,
    /// The leg.
    pub side: Side,
    /// Which of the leg's two.
    pub kind: LaneKind,
}

/// What a socket is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LaneKind {
    /// RTP, and RTCP where both go over one port (RFC 5761).
    Rtp,
    /// RTCP.
    Rtcp,
}

/// A datagram that was received and goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forward {
    /// The socket that it leaves from.
    pub from: Lane,
    /// Where it goes.
    pub to: SocketAddr,
    /// What of the datagram it is now.
    pub range: Range<usize>,
}

/// Takes the packets that a relay makes itself: sounds, silence, DTMF, RTCP.
pub trait Outlet {
    /// Sends a packet from a socket of a session.
    fn send(&mut self, from: Lane, to: SocketAddr, packet: &[u8]);
}

/// What an order means for the driver's sockets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opened {
    /// Nothing.
    Nothing,
    /// A session began on the pairs of A and B: what they receive is handed to [`Relay::receive`] from now on.
    Session(SessionKey, [MediaPort; 2]),
    /// A session is over: its sockets are closed and its pairs given back.
    Closed(SessionKey, [MediaPort; 2]),
}

/// What a relay is made of.
#[derive(Clone, Debug)]
pub struct RelaySetup {
    /// Where SSRCs, first sequence numbers and names in RTCP come from.
    pub seed: [u8; 32],
    /// Every address at which media sockets of this process are reached: those that they listen at, and the advertised one.
    pub addresses: Vec<IpAddr>,
    /// The ports of all media sockets of this process. Nothing is ever sent to one of them at these addresses.
    pub ports: RangeInclusive<u16>,
    /// What hears keys in codecs other than G.711; [`NoEars`](crate::NoEars): nothing.
    pub ears: Arc<dyn Ears>,
}

/// All sessions of one thread.
#[derive(Debug)]
pub struct Relay {
    sessions: SlotMap<SessionKey, Box<Session>>,
    calls: HashMap<Sid, SessionKey>,
    around: Surroundings,
    /// The legs of an instant of the grid that are still to be woken, and the instant's number.
    due: (u64, Vec<Ticker>),
    /// The session that is at work on what is due; still there after a panic.
    acting: Option<SessionKey>,
}

impl Relay {
    /// A relay without sessions.
    pub fn new(setup: RelaySetup) -> Self {
        Self {
            sessions: SlotMap::with_key(),
            calls: HashMap::new(),
            around: Surroundings::new(setup),
            due: (0, Vec::new()),
            acting: None,
        }
    }

    /// From now on only those ports of the setup's count as ours that are bound: another program on this machine may
    /// have the others, a phone for instance.
    pub fn watch(&mut self, bound: Arc<PortSet>) {
        self.around.own.watch(bound);
    }

    /// Carries out an order. What is to be sent at once, a farewell for instance, goes to `out`.
    pub fn order(&mut self, now: Instant, order: Order, out: &mut impl Outlet) -> Opened {
        match order {
            Order::Open { call, ports } => self.open(now, call, ports),
            Order::Close { call } => self.close(now, call, out),
            Order::Terms { .. }
            | Order::Hear { .. }
            | Order::Dial { .. }
            | Order::Listen { .. }
            | Order::Supervise { .. } => {
                if let Some(session) = Self::find(&mut self.sessions, &self.calls, order.call()) {
                    session.order(&mut self.around, now, order);
                }
                Opened::Nothing
            }
        }
    }

    /// Takes a datagram that a socket has received. What is returned is to be sent; it was rewritten in place.
    pub fn receive(
        &mut self,
        now: Instant,
        at: Lane,
        source: SocketAddr,
        datagram: &mut [u8],
    ) -> Option<Forward> {
        let session = self.sessions.get_mut(at.session)?;
        session.receive(&mut self.around, now, (at, source), datagram)
    }

    /// A track that [`Event::TrackNeeded`] asked for, or why there is none. One that nobody waits for any more is dropped.
    pub fn track(
        &mut self,
        now: Instant,
        call: Sid,
        side: Side,
        token: u32,
        track: Result<Arc<Track>, SoundFailure>,
    ) {
        if let Some(session) = Self::find(&mut self.sessions, &self.calls, call) {
            session.track(&mut self.around, now, (side, token), track);
        }
    }

    /// When [`Relay::handle_deadline`] is to be called next; `None`: nothing is waited for.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.around.timers.next()
    }

    /// Does all that is due at `now`. After a panic was caught it is to be called once more: it goes on behind the session
    /// that met the panic, see [`Relay::defective`].
    pub fn handle_deadline(&mut self, now: Instant, out: &mut impl Outlet) {
        loop {
            while let Some(ticker) = self.due.1.pop() {
                self.acting = Some(ticker.session);
                if let Some(session) = self.sessions.get_mut(ticker.session) {
                    let at = (ticker.side, self.due.0);
                    session.handle_tick(&mut self.around, now, at, out);
                }
            }
            let Some(tick) = self.around.timers.pop_grid(now, &mut self.due.1) else { break };
            self.due.0 = tick;
        }
        while let Some((at, key)) = self.around.timers.pop_far(now) {
            self.acting = Some(key);
            if let Some(session) = self.sessions.get_mut(key) {
                session.handle_far(&mut self.around, now, at, out);
            }
        }
        self.acting = None;
    }

    /// After a panic of [`Relay::handle_deadline`] was caught: the call that met it, once, to be closed.
    pub fn defective(&mut self) -> Option<Sid> {
        let session = self.sessions.get(self.acting.take()?)?;
        Some(session.call())
    }

    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.around.events.pop_front()
    }

    /// What was counted so far of a call's side A and side B.
    pub fn figures(&self, call: Sid) -> Option<[Figures; 2]> {
        let session = self.sessions.get(*self.calls.get(&call)?)?;
        Some(session.figures())
    }

    /// What was counted over all sessions.
    pub const fn counters(&self) -> &Counters {
        &self.around.counters
    }

    fn open(&mut self, now: Instant, call: Sid, ports: [MediaPort; 2]) -> Opened {
        if self.calls.contains_key(&call) {
            return Opened::Nothing;
        }
        let around = &mut self.around;
        let key = self
            .sessions
            .insert_with_key(|key| Box::new(Session::new(around, now, key, (call, ports))));
        self.calls.insert(call, key);
        self.around.counters.sessions += 1;
        self.around.counters.opened += 1;
        Opened::Session(key, ports)
    }

    fn close(&mut self, now: Instant, call: Sid, out: &mut impl Outlet) -> Opened {
        let closed = self.calls.remove(&call);
        let Some((key, mut session)) =
            closed.and_then(|key| Some((key, self.sessions.remove(key)?)))
        else {
            return Opened::Nothing;
        };
        session.close(&mut self.around, now, out);
        self.around.counters.sessions = self.around.counters.sessions.saturating_sub(1);
        Opened::Closed(key, session.ports())
    }

    fn find<'a>(
        sessions: &'a mut SlotMap<SessionKey, Box<Session>>,
        calls: &HashMap<Sid, SessionKey>,
        call: Sid,
    ) -> Option<&'a mut Session> {
        sessions.get_mut(*calls.get(&call)?).map(|session| &mut **session)
    }
}
