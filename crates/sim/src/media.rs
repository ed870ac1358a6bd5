//! Media of a run: the relay beside the engines, its sockets on the network, and the sounds that it asks for.
//!
//! Checked of every packet: what leaves goes to an address that an agent has named or sent from, and nothing of one side
//! reaches the other but its voice and keys.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use mediator_call::io::Input;
use mediator_media::{
    Counters, Ears, Event, Figures, Lane, LaneKind, Opened, Order, Outlet, Relay, RelaySetup,
    SessionKey, Side, Track,
};
use mediator_model::{MediaPort, MediaPorts as _, Sid};

use crate::agent::{Agent, Party};
use crate::dice::Dice;
use crate::world::{Coming, Sim};

/// From a media thread to an engine.
const INBOX: Duration = Duration::from_micros(100);

/// The relay, and who has which port.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) relay: Relay,
    pub(crate) us: IpAddr,
    lanes: HashMap<u16, Lane>,
    ports: HashMap<SessionKey, [MediaPort; 2]>,
    /// Which engine has opened a call's session; it is told of it.
    shards: HashMap<Sid, usize>,
    /// Where agents are by their SDP, or have sent from.
    known: HashSet<SocketAddr>,
}

impl Room {
    pub(crate) fn new(
        us: IpAddr,
        (ports, ears): (RangeInclusive<u16>, Arc<dyn Ears>),
        dice: &mut Dice,
    ) -> Self {
        let setup = RelaySetup { seed: dice.seed(), addresses: vec![us], ports, ears };
        Self {
            relay: Relay::new(setup),
            us,
            lanes: HashMap::new(),
            ports: HashMap::new(),
            shards: HashMap::new(),
            known: HashSet::new(),
        }
    }

    fn port(&self, lane: Lane) -> u16 {
        let Some([a, b]) = self.ports.get(&lane.session) else { return 0 };
        let pair = match lane.side {
            Side::A => a,
            Side::B => b,
        };
        match lane.kind {
            LaneKind::Rtp => pair.rtp(),
            LaneKind::Rtcp => pair.rtcp(),
        }
    }

    /// The sockets of a session come or go.
    fn register(&mut self, opened: Opened) -> Vec<MediaPort> {
        match opened {
            Opened::Nothing => Vec::new(),
            Opened::Session(session, ports) => {
                self.ports.insert(session, ports);
                for (side, pair) in Side::BOTH.into_iter().zip(ports) {
                    let lane = |kind| Lane { session, side, kind };
                    self.lanes.insert(pair.rtp(), lane(LaneKind::Rtp));
                    self.lanes.insert(pair.rtcp(), lane(LaneKind::Rtcp));
                }
                Vec::new()
            }
            Opened::Closed(session, ports) => {
                for pair in ports {
                    self.lanes.remove(&pair.rtp());
                    self.lanes.remove(&pair.rtcp());
                }
                self.ports.remove(&session);
                ports.to_vec()
            }
        }
    }
}

/// What the relay sends of itself, with the port that it leaves from.
#[derive(Default)]
struct Outbox(Vec<(Lane, SocketAddr, Vec<u8>)>);

impl Outlet for Outbox {
    fn send(&mut self, from: Lane, to: SocketAddr, packet: &[u8]) {
        self.0.push((from, to, packet.to_vec()));
    }
}

impl Sim {
    /// What was counted so far of a call's sides.
    pub fn figures(&self, call: Sid) -> Option<[Figures; 2]> {
        self.room.relay.figures(call)
    }

    /// What the relay has counted over all calls.
    pub fn media_counters(&self) -> Counters {
        *self.room.relay.counters()
    }

    /// Sends a datagram to one of our media ports from an address that is no agent's; what is sent there is kept in
    /// [`Sim::strangers`].
    pub fn inject(&mut self, from: &str, to: SocketAddr, bytes: &[u8]) {
        let from: SocketAddr = from.parse().expect("an address");
        self.room.known.insert(from);
        self.carry_datagram(from, to, bytes);
    }

    /// Something happens in a call's media.
    pub fn media_event(&mut self, event: &Event) {
        self.tell(&Input::Media(event.clone()));
    }

    /// Carries out an order of an engine.
    pub(crate) fn carry_media(&mut self, shard: usize, order: Order) {
        let now = self.now();
        let mut out = Outbox::default();
        if let Order::Open { call, .. } = &order
            && self.room.shards.insert(*call, shard).is_some()
        {
            self.faults.push("a session was opened twice".to_owned());
        }
        let opened = self.room.relay.order(now, order.clone(), &mut out);
        self.media_orders.push(order);
        // A farewell leaves from ports that are still the session's.
        self.send_generated(out);
        for port in self.room.register(opened) {
            self.media_ports.release(port);
        }
        self.drain_media();
    }

    /// When the relay is to be woken.
    pub(crate) fn next_media(&self) -> Option<mediator_model::Instant> {
        self.room.relay.next_deadline()
    }

    /// Wakes the relay where that is due.
    pub(crate) fn wake_media(&mut self) {
        let now = self.now();
        if self.room.relay.next_deadline().is_none_or(|due| due > now) {
            return;
        }
        let mut out = Outbox::default();
        self.room.relay.handle_deadline(now, &mut out);
        self.send_generated(out);
        self.drain_media();
    }

    fn send_generated(&mut self, out: Outbox) {
        for (lane, to, bytes) in out.0 {
            self.send_media(lane, to, &bytes);
        }
    }

    fn send_media(&mut self, lane: Lane, to: SocketAddr, bytes: &[u8]) {
        let from = SocketAddr::new(self.room.us, self.room.port(lane));
        if !self.room.known.contains(&to) {
            self.faults.push(format!("media is sent to {to}, which nobody has named"));
        }
        if to.ip() == self.room.us {
            self.faults.push(format!("media is sent to ourselves at {to}"));
        }
        self.carry_datagram(from, to, bytes);
    }

    /// Puts a datagram onto the network.
    fn carry_datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        for after in self.media_net.packet((from, to), bytes) {
            let at = self.now() + after;
            let bytes = bytes.to_vec();
            self.put(at, Coming::Datagram { from, to, bytes });
        }
    }

    /// Carries the media that agents have sent, and learns where they are.
    pub(crate) fn post_media(&mut self) {
        for place in 0..self.agents.len() {
            let out = std::mem::take(&mut self.agents[place].media_outbox);
            for (from, to, bytes) in out {
                self.room.known.insert(from);
                self.carry_datagram(from, to, &bytes);
            }
        }
    }

    /// An agent has named where it receives media.
    pub(crate) fn know_media(&mut self, sdp: &str) {
        let described = crate::agent::Described::read(sdp);
        self.room.known.extend(described.rtp.into_iter().chain(described.rtcp));
    }

    /// A datagram of media has arrived.
    pub(crate) fn arrive_media(&mut self, from: SocketAddr, to: SocketAddr, mut bytes: Vec<u8>) {
        if to.ip() != self.room.us {
            return self.hear_media(from, to, &bytes);
        }
        let Some(lane) = self.room.lanes.get(&to.port()).copied() else { return };
        let now = self.now();
        let forward = self.room.relay.receive(now, lane, from, &mut bytes);
        if let Some(forward) = forward {
            let packet = bytes[forward.range].to_vec();
            self.send_media(forward.from, forward.to, &packet);
        }
        self.drain_media();
    }

    fn hear_media(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let now = self.now();
        let found =
            self.agents.iter_mut().find_map(|agent| agent.media_call(to).map(|call| (agent, call)));
        let Some((agent, call)) = found else {
            return self.strangers.push((now, to, bytes.to_vec()));
        };
        agent.hear_media(now, (call, from), (to, bytes));
        let (party, name) = (agent.profile.party, agent.profile.name);
        if from.ip() == self.room.us {
            self.look_for_media_leaks(party, name, bytes);
        }
    }

    /// Neither a source nor a name of the other side.
    fn look_for_media_leaks(&mut self, party: Party, name: &str, bytes: &[u8]) {
        let others = self.agents.iter().filter(|agent| agent.profile.party != party);
        let sources: HashSet<[u8; 4]> =
            others.flat_map(Agent::sources).map(u32::to_be_bytes).collect();
        let is_rtcp = matches!(bytes, [_, 192..=223, ..]);
        let looked_at = if is_rtcp { bytes } else { bytes.get(..12).unwrap_or(bytes) };
        if looked_at
            .chunks(4)
            .any(|word| word.try_into().is_ok_and(|it: [u8; 4]| sources.contains(&it)))
        {
            self.faults.push(format!("{name} saw a source of the other side: {bytes:x?}"));
        }
        self.look_for_leaks(party, name, bytes);
    }

    fn drain_media(&mut self) {
        while let Some(event) = self.room.relay.poll_event() {
            if let Event::TrackNeeded { call, side, token, sound, speech, packet_ms } = event {
                let track = self.sounds.track(&sound, (speech, packet_ms));
                let at = self.now() + self.sounds.delay;
                self.put(at, Coming::Track { call, side, token, track });
                continue;
            }
            let (call, over) = match &event {
                Event::SoundEnded { call, .. }
                | Event::Key { call, .. }
                | Event::Silent { call } => (*call, false),
                Event::Closed { call, .. } => (*call, true),
                Event::TrackNeeded { .. } => continue,
            };
            let shard = if over {
                self.room.shards.remove(&call)
            } else {
                self.room.shards.get(&call).copied()
            };
            let Some(shard) = shard else {
                self.faults.push(format!("an event of a session that is not open: {event:?}"));
                continue;
            };
            self.put(self.now() + INBOX, Coming::Media { shard, event });
        }
    }

    /// A track that was asked for is there.
    pub(crate) fn arrive_track(
        &mut self,
        (call, side, token): (Sid, Side, u32),
        track: Result<Arc<Track>, mediator_media::SoundFailure>,
    ) {
        let now = self.now();
        self.room.relay.track(now, call, side, token, track);
        self.drain_media();
    }

    /// Whether media has left nothing behind.
    pub(crate) fn check_media(&mut self) {
        let sessions = self.room.relay.counters().sessions;
        if sessions > 0 || !self.room.lanes.is_empty() || !self.room.shards.is_empty() {
            self.faults.push(format!("{sessions} sessions of media are left"));
        }
        let ports = self.media_ports_used();
        if ports > 0 {
            self.faults.push(format!("{ports} pairs of media ports are not given back"));
        }
    }
}
