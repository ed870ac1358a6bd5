//! A media thread: the sockets and the relay of its calls, in one loop.
//!
//! A turn waits for sockets, for the waker or for the relay's next deadline, and does what it was told from outside; then
//! it hands each datagram that is there to the relay, sends on what it says, and does what is due. So an order holds for
//! each packet that comes after it: the first word after an answer is heard. A packet costs no lock and no allocation.
//!
//! A panic in the relay costs the session that met it: it is closed, its ports are given back, and its call is hung up.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mediator_call::io::Input;
use mediator_media::{
    Event, Figures, Forward, Lane, LaneKind, Opened, Order, Outlet, Relay, SessionKey, Side,
    SoundOutcome,
};
use mediator_model::{Instant, MediaPort, Sid};
use mediator_net::{Clock, Post, RtpDatagram, RtpForward, RtpPair, RtpPoller, RtpPorts, RtpSocket};
use slotmap::SecondaryMap;
use tracing::{error, warn};

use super::counts::{OwnTally, Published, Tally};
use super::inbox::{Command, FiguresAsked, MediaPost, TrackFound};
use super::tracks::{Tracks, Wanted};

/// Calls whose figures are told in one turn: the rest wait for the next, behind the packets that came meanwhile.
const FIGURES_A_TURN: usize = 64;
/// How often numbers are published while only packets come.
const PUBLISH: Duration = Duration::from_millis(20);
/// How long to wait after the kernel could not say which sockets are ready.
const POLL_PAUSE: Duration = Duration::from_millis(100);

/// What a pair of sockets is registered with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    session: SessionKey,
    side: Side,
}

/// What one thread is made of.
pub(super) struct ThreadParts {
    pub(super) relay: Relay,
    pub(super) ports: Arc<RtpPorts>,
    pub(super) tracks: Tracks,
    pub(super) published: Arc<Published>,
}

/// A media thread at work.
pub(super) struct MediaThread {
    relay: Relay,
    /// The relay's datagrams, and its own packets, go through here.
    wires: Wires,
    calls: HashMap<Sid, Open>,
    inbox: MediaPost,
    /// Kept for its capacity.
    commands: Vec<Command>,
    /// Sessions that met a panic in this turn.
    broken: Vec<SessionKey>,
    ports: Arc<RtpPorts>,
    tracks: Tracks,
    published: Arc<Published>,
    published_at: Instant,
    clock: Clock,
}

/// A session that is open.
struct Open {
    key: SessionKey,
    ports: [MediaPort; 2],
    /// Who is told of it.
    shard: Post<Input>,
}

/// Sockets by lane.
struct Wires {
    poller: RtpPoller<Tag>,
    pairs: SecondaryMap<SessionKey, [RtpPair; 2]>,
    tally: OwnTally,
}

impl Outlet for Wires {
    fn send(&mut self, from: Lane, to: SocketAddr, packet: &[u8]) {
        if let Some(socket) = socket(&self.pairs, from) {
            self.tally.bytes_out += packet.len() as u64;
            self.poller.send(socket, to, packet);
        }
    }
}

/// The socket of a lane; `None` where its session is over.
fn socket(pairs: &SecondaryMap<SessionKey, [RtpPair; 2]>, lane: Lane) -> Option<RtpSocket> {
    let [a, b] = pairs.get(lane.session)?;
    let pair = match lane.side {
        Side::A => a,
        Side::B => b,
    };
    Some(match lane.kind {
        LaneKind::Rtp => pair.rtp(),
        LaneKind::Rtcp => pair.rtcp(),
    })
}

impl MediaThread {
    pub(super) fn new(parts: ThreadParts, poller: RtpPoller<Tag>, inbox: MediaPost) -> Self {
        let ThreadParts { relay, ports, tracks, published } = parts;
        let clock = poller.clock();
        Self {
            relay,
            wires: Wires { poller, pairs: SecondaryMap::new(), tally: OwnTally::default() },
            calls: HashMap::new(),
            inbox,
            commands: Vec::new(),
            broken: Vec::new(),
            ports,
            tracks,
            published,
            published_at: clock.now(),
            clock,
        }
    }

    /// Runs until the process ends.
    pub(super) fn run(mut self) {
        loop {
            if let Err(cause) = self.turn() {
                error!(%cause, "media sockets cannot be read");
                thread::sleep(POLL_PAUSE);
            }
        }
    }

    /// Waits for something to do, and does all that there is.
    fn turn(&mut self) -> io::Result<()> {
        let was_woken = self.wires.poller.wait(self.relay.next_deadline())?;
        if was_woken {
            self.obey();
        }
        let now = self.clock.now();
        self.read_sockets(now);
        self.end_broken();
        if self.relay.next_deadline().is_some_and(|due| due <= now) {
            self.do_due(now);
        }
        self.tell();
        if was_woken || now.saturating_since(self.published_at) >= PUBLISH {
            self.publish(now);
        }
        Ok(())
    }

    /// Hands on the datagrams that are there.
    fn read_sockets(&mut self, now: Instant) {
        let Self { relay, wires, broken, .. } = self;
        let Wires { poller, pairs, tally } = wires;
        poller.read(now, &mut |datagram| {
            let RtpDatagram { now, at, tag, source, bytes } = datagram;
            let kind = if at.is_rtcp() { LaneKind::Rtcp } else { LaneKind::Rtp };
            let lane = Lane { session: tag.session, side: tag.side, kind };
            let received = || relay.receive(now, lane, source, bytes);
            let Ok(forward) = catch_unwind(AssertUnwindSafe(received)) else {
                broken.push(tag.session);
                return None;
            };
            let Forward { from, to, range } = forward?;
            tally.bytes_out += range.len() as u64;
            Some(RtpForward { from: socket(pairs, from)?, to, range })
        });
    }

    /// Does what was posted, oldest first.
    fn obey(&mut self) {
        let mut commands = std::mem::take(&mut self.commands);
        self.inbox.take(&mut commands);
        for command in commands.drain(..) {
            let now = self.clock.now();
            match command {
                Command::Order { order, shard } => self.order(now, order, shard),
                Command::Track(found) => self.track(now, found),
                Command::Figures(asked) => self.tell_figures(asked),
            }
        }
        self.commands = commands;
    }

    fn order(&mut self, now: Instant, order: Order, shard: Post<Input>) {
        let call = order.call();
        let is_close = matches!(order, Order::Close { .. });
        let Self { relay, wires, .. } = self;
        let carried = catch_unwind(AssertUnwindSafe(|| relay.order(now, order, wires)));
        match carried {
            Ok(Opened::Session(key, ports)) => self.open(Open { key, ports, shard }, call),
            Ok(Opened::Closed(..)) => {
                self.tell();
                self.end_session(call);
            }
            // The engine waits for this, and there is, or by now there is not, a session that could say it.
            Ok(Opened::Nothing) if is_close => tell_closed(call, &shard),
            Ok(Opened::Nothing) => {}
            Err(_) if is_close => {
                error!(%call, "a defect: the end of a call's media panicked");
                self.wires.tally.broken += 1;
                self.end_session(call);
                tell_closed(call, &shard);
            }
            Err(_) => self.break_call(call),
        }
        self.tell();
    }

    /// Reads a new session's sockets from here on.
    fn open(&mut self, open: Open, call: Sid) {
        let Open { key, ports: [a, b], .. } = open;
        // Both are taken, whatever becomes of one: what is taken can be given back.
        let pairs = [(a, Side::A), (b, Side::B)]
            .map(|(port, side)| self.register(port, Tag { session: key, side }));
        self.calls.insert(call, open);
        if let [Some(a), Some(b)] = pairs {
            self.wires.pairs.insert(key, [a, b]);
            return;
        }
        for pair in pairs.into_iter().flatten() {
            self.wires.poller.deregister(pair);
        }
        self.break_call(call);
    }

    fn register(&mut self, port: MediaPort, tag: Tag) -> Option<RtpPair> {
        let Some(sockets) = self.ports.take(port) else {
            error!(port = port.rtp(), "a defect: a media port that was not reserved");
            return None;
        };
        let registered = self.wires.poller.register(sockets, tag);
        registered.inspect_err(|cause| warn!(%cause, "a media port cannot be read")).ok()
    }

    fn track(&mut self, now: Instant, found: TrackFound) {
        let TrackFound { call, side, token, track } = found;
        let relay = &mut self.relay;
        let played = || relay.track(now, call, side, token, track);
        if catch_unwind(AssertUnwindSafe(played)).is_err() {
            self.break_call(call);
        }
        self.tell();
    }

    /// Tells what was counted of some calls, and leaves the rest for the next turn.
    fn tell_figures(&mut self, mut asked: FiguresAsked) {
        if asked.answer.is_closed() {
            return;
        }
        let rest = asked.calls.len().saturating_sub(FIGURES_A_TURN);
        for call in asked.calls.drain(rest..) {
            let relay = &self.relay;
            if let Ok(Some(figures)) = catch_unwind(AssertUnwindSafe(|| relay.figures(call))) {
                asked.found.push((call, figures));
            }
        }
        if asked.calls.is_empty() {
            // Whoever asked may wait no more.
            let _ = asked.answer.send(asked.found);
        } else {
            self.inbox.post(Command::Figures(asked));
        }
    }

    fn do_due(&mut self, now: Instant) {
        // Each panic costs the session that met it, so this ends.
        loop {
            let Self { relay, wires, .. } = self;
            if catch_unwind(AssertUnwindSafe(|| relay.handle_deadline(now, wires))).is_ok() {
                return;
            }
            match self.relay.defective() {
                Some(call) => self.break_call(call),
                None => return error!("a defect: a media timer panicked; the thread goes on"),
            }
        }
    }

    /// Tells what the relay has to tell.
    fn tell(&mut self) {
        while let Some(event) = self.relay.poll_event() {
            match &event {
                Event::TrackNeeded { call, side, token, sound, speech, packet_ms } => {
                    let wanted = Wanted {
                        call: *call,
                        side: *side,
                        token: *token,
                        sound: sound.clone(),
                        speech: *speech,
                        packet_ms: *packet_ms,
                    };
                    self.tracks.find(wanted, self.inbox.clone());
                }
                Event::SoundEnded { call, outcome, .. } => {
                    match outcome {
                        SoundOutcome::Played => self.wires.tally.played += 1,
                        SoundOutcome::Failed(failure) => {
                            self.wires.tally.count_unplayed(*failure);
                        }
                    }
                    self.post(*call, event);
                }
                Event::Key { call, .. } => self.post(*call, event),
                Event::Silent { call } => {
                    self.wires.tally.timeouts += 1;
                    self.post(*call, event);
                }
                Event::Closed { call, figures } => {
                    self.wires.tally.lost += figures.iter().map(|side| side.lost).sum::<u64>();
                    self.post(*call, event);
                }
            }
        }
    }

    /// Tells the shard that opened a call's session.
    fn post(&self, call: Sid, event: Event) {
        // One whose session a defect has ended was hung up.
        if let Some(open) = self.calls.get(&call) {
            open.shard.post_always(Input::Media(event));
        }
    }

    /// Ends the sessions that met a panic in this turn.
    fn end_broken(&mut self) {
        while let Some(key) = self.broken.pop() {
            let call = self.calls.iter().find(|(_, open)| open.key == key).map(|(call, _)| *call);
            if let Some(call) = call {
                self.break_call(call);
            }
        }
    }

    /// Ends a session that a defect of ours has met, and hangs up its call: its engine closes it, and is told then.
    fn break_call(&mut self, call: Sid) {
        error!(%call, "a defect ended a call's media");
        self.wires.tally.broken += 1;
        let now = self.clock.now();
        let shard = self.calls.get(&call).map(|open| open.shard.clone());
        self.end_session(call);
        let Self { relay, wires, .. } = self;
        // What it sends goes nowhere, and what it tells is told to nobody.
        let close = || relay.order(now, Order::Close { call }, wires);
        let _ = catch_unwind(AssertUnwindSafe(close));
        if let Some(shard) = shard {
            shard.post_always(Input::HangUp(call));
        }
    }

    /// Closes a session's sockets and gives its ports back.
    fn end_session(&mut self, call: Sid) {
        let Some(Open { key, ports, .. }) = self.calls.remove(&call) else { return };
        for pair in self.wires.pairs.remove(key).into_iter().flatten() {
            self.wires.poller.deregister(pair);
        }
        for port in ports {
            self.ports.give_back(port);
        }
    }

    fn publish(&mut self, now: Instant) {
        self.published_at = now;
        self.published.publish(&Tally {
            relay: *self.relay.counters(),
            sockets: self.wires.poller.counts(),
            own: self.wires.tally,
        });
    }
}

/// Tells of the end of a session that is not there.
fn tell_closed(call: Sid, shard: &Post<Input>) {
    let figures = [Figures::default(); 2];
    shard.post_always(Input::Media(Event::Closed { call, figures }));
}
