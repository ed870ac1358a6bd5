//! The world of a run: it drives engines and agents, keeps the virtual time and carries what they send.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mediator_call::io::{ClaimOutcome, Event, Input, MediaMode, Output, Ports, QueryId};
use mediator_call::route::{Claiming, Router};
use mediator_call::{CallRecord, Engine, Explained, explain};
use mediator_media::{Event as MediaEvent, Order, Side, SoundFailure, Track};
use mediator_model::{
    Change, ConnectionId, Dialout, Directory, Flow, Instant, ListenerId, Number, Sid, Transport,
};
use mediator_sip::{peek_call_id, shard_hash};
use mediator_table::{BindingTable, Gate, UnboundPorts};

use crate::agent::{Agent, Party, Profile};
use crate::dice::Dice;
use crate::media::Room;
use crate::network::Network;
use crate::sounds::Sounds;
use crate::stage::{EPOCH, Stage};

/// Steps at one instant beyond which something runs in circles.
const MAX_STEPS_AT_ONCE: u32 = 100_000;

/// Something on its way.
#[derive(Debug)]
pub(crate) enum Coming {
    ToEngine { flow: Flow, bytes: Bytes },
    ToAgent { to: SocketAddr, bytes: Bytes },
    Resolved { shard: usize, id: QueryId, host: Box<str> },
    ClaimStored { shard: usize, call: Sid },
    Media { shard: usize, event: MediaEvent },
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Vec<u8> },
    Track { call: Sid, side: Side, token: u32, track: Result<Arc<Track>, SoundFailure> },
}

/// Engines, agents, a network and a clock.
pub struct Sim {
    /// The network.
    pub net: Network,
    /// The network as far as media goes over it.
    pub media_net: Network,
    /// What can be played.
    pub sounds: Sounds,
    /// Media that was sent to addresses that are no agent's.
    pub strangers: Vec<(Instant, SocketAddr, Vec<u8>)>,
    /// What engines told, in order.
    pub events: Vec<(Instant, Event)>,
    /// Records of calls that have ended, or that met a binding and no way.
    pub records: Vec<CallRecord>,
    /// What names resolve to; a name that is not here is never answered.
    pub names: BTreeMap<String, Vec<(Transport, SocketAddr)>>,
    /// How long a claim takes to be stored; `None`: it fails at once.
    pub claim_delay: Option<Duration>,
    /// What becomes of a claim that is not stored.
    pub claim_fails: ClaimOutcome,
    /// What was asked of media.
    pub media_orders: Vec<Order>,
    /// Claims that were to be stored.
    pub claims: Vec<Change>,
    /// What no run may show.
    pub faults: Vec<String>,
    pub(crate) engines: Vec<Engine>,
    pub(crate) agents: Vec<Agent>,
    pub(crate) secrets: Vec<(Party, String)>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) media_ports: Arc<UnboundPorts>,
    pub(crate) room: Room,
    pub(crate) table: Arc<BindingTable>,
    pub(crate) directory: Arc<Directory>,
    ports: Ports,
    now: Instant,
    coming: BinaryHeap<Reverse<(Instant, u64)>>,
    parcels: HashMap<u64, Coming>,
    sequence: u64,
    us: SocketAddr,
    places: HashMap<SocketAddr, usize>,
    /// Streams by the agent's address, and when their last byte arrives.
    streams: BTreeMap<SocketAddr, (ConnectionId, Instant, Instant)>,
    trace: Option<Vec<String>>,
}

impl Sim {
    /// A world of one seed.
    pub fn new(seed: u64, stage: Stage) -> Self {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let (media, media_ports) = (stage.settings.media.clone(), stage.media_ports.clone());
        let ears = stage.ears.clone();
        let built = stage.build(&mut dice);
        let room = Room::new(media.address, (media_ports, ears), &mut dice);
        // Where we carry media, neither side sees where the other one's is.
        let hidden = |party, host: &str| (party, host.to_owned());
        let secrets = match media.mode {
            MediaMode::Relay => vec![hidden(Party::A, "192.0.2.1"), hidden(Party::B, "192.0.2.2")],
            MediaMode::Direct => Vec::new(),
        };
        Self {
            net: Network::new(seed),
            media_net: Network::new(seed ^ 0x0a0d),
            sounds: Sounds::default(),
            strangers: Vec::new(),
            events: Vec::new(),
            records: Vec::new(),
            names: BTreeMap::new(),
            claim_delay: Some(Duration::from_millis(3)),
            claim_fails: ClaimOutcome::Failed,
            media_orders: Vec::new(),
            claims: Vec::new(),
            faults: Vec::new(),
            engines: built.engines,
            agents: Vec::new(),
            secrets,
            gate: built.gate,
            media_ports: built.media,
            room,
            table: built.table,
            directory: built.directory,
            ports: built.ports,
            now: Instant::from_millis(1),
            coming: BinaryHeap::new(),
            parcels: HashMap::new(),
            sequence: 0,
            us: "10.0.0.1:5060".parse().expect("an address"),
            places: HashMap::new(),
            streams: BTreeMap::new(),
            trace: std::env::var_os("SIM_TRACE").map(|_| Vec::new()),
        }
    }

    /// Brings an agent in; gives its place.
    pub fn agent(&mut self, name: &'static str, party: Party, at: &str, user: &str) -> usize {
        let at: SocketAddr = at.parse().expect("an address");
        let profile = Profile { name, party, at, transport: Transport::Udp, user: user.to_owned() };
        let place = self.agents.len();
        self.places.insert(at, place);
        self.secrets.push((party, party.canary().to_owned()));
        self.secrets.push((party, at.ip().to_string()));
        let before = self.agents.iter().filter(|agent| agent.profile.party == party).count();
        let mut agent = Agent::new(profile, self.us, place as u64 + 77);
        agent.media_offset = 100 * before as u16;
        self.agents.push(agent);
        place
    }

    /// An agent has another address from now on; nobody is behind the old one.
    pub fn moves(&mut self, place: usize, to: &str) {
        let to: SocketAddr = to.parse().expect("an address");
        self.places.retain(|_, known| *known != place);
        self.places.insert(to, place);
        let profile = &mut self.ua(place).profile;
        profile.at = to;
        let secret = (profile.party, to.ip().to_string());
        self.secrets.push(secret);
    }

    /// What one side must never see of the other.
    pub fn secret(&mut self, of: Party, text: &str) {
        self.secrets.push((of, text.to_owned()));
    }

    /// An agent, to give it orders.
    ///
    /// # Panics
    /// Where there is none at that place.
    pub fn ua(&mut self, place: usize) -> &mut Agent {
        let now = self.now;
        let agent = self.agents.get_mut(place).expect("an agent of this world");
        agent.now = now;
        agent
    }

    /// Whether a request of that method has come to an agent.
    pub fn agent_was_asked(&self, place: usize, method: &str) -> bool {
        self.agents.get(place).is_some_and(|agent| agent.asked(method) > 0)
    }

    /// All agents.
    pub fn agents(&mut self) -> &mut [Agent] {
        &mut self.agents
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Tells every engine something.
    pub fn tell(&mut self, input: &Input) {
        for shard in 0..self.engines.len() {
            self.drive(shard, input.clone());
        }
    }

    /// An agent's connection breaks; the next message opens another one.
    pub fn disconnect(&mut self, place: usize) {
        let at = self.ua(place).profile.at;
        if let Some((connection, _, _)) = self.streams.remove(&at) {
            self.tell(&Input::ConnectionClosed(connection));
        }
    }

    /// How many pairs of media ports somebody has.
    pub fn media_ports_used(&self) -> usize {
        self.media_ports.used()
    }

    /// How many calls an endpoint takes part in, by its place in the stage.
    pub fn calls_of(&self, endpoint: usize) -> u32 {
        self.directory.endpoints().get(endpoint).map_or(0, |it| self.gate.calls_of(it.sid))
    }

    /// The bindings.
    pub fn bindings(&self) -> &BindingTable {
        &self.table
    }

    /// What a call from a number to another would meet now.
    pub fn explain(&self, from: Option<Number>, to: Number) -> Explained {
        let router = Router {
            directory: &self.directory,
            ports: &self.ports,
            now: self.now,
            wall: EPOCH + self.now.saturating_since(Instant::ZERO),
            claiming: Claiming::DryRun,
        };
        explain(&router, from, to, [0; 32])
    }

    /// Calls that are not gone.
    pub fn live_calls(&self) -> usize {
        self.engines.iter().map(Engine::live_calls).sum()
    }

    /// Transactions that are not over.
    pub fn live_transactions(&self) -> usize {
        self.engines.iter().map(Engine::live_transactions).sum()
    }

    /// Runs for so long.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        self.run(end, |_| false);
        self.now = end;
    }

    /// Runs until something is so, for ten minutes at most; whether it came to be so.
    pub fn run_until(&mut self, is_so: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + Duration::from_mins(10);
        self.run(end, &is_so) || is_so(self)
    }

    fn run(&mut self, end: Instant, is_so: impl Fn(&Self) -> bool) -> bool {
        let mut steps = 0;
        self.post();
        loop {
            if is_so(self) {
                return true;
            }
            let Some(at) = self.next_time().filter(|at| *at <= end) else { return false };
            if at > self.now {
                steps = 0;
            }
            steps += 1;
            if steps > MAX_STEPS_AT_ONCE {
                self.faults.push("time stands still".to_owned());
                return false;
            }
            self.now = self.now.max(at);
            self.step();
            self.post();
        }
    }

    fn next_time(&self) -> Option<Instant> {
        let engines = self.engines.iter().filter_map(Engine::next_deadline).min();
        let agents = self.agents.iter().filter_map(Agent::next_deadline).min();
        let coming = self.coming.peek().map(|Reverse((at, _))| *at);
        [engines, agents, coming, self.next_media()].into_iter().flatten().min()
    }

    fn step(&mut self) {
        let now = self.now;
        if let Some(Reverse((at, key))) = self.coming.peek().copied()
            && at <= now
        {
            self.coming.pop();
            if let Some(parcel) = self.parcels.remove(&key) {
                self.arrive(parcel);
            }
            return;
        }
        for shard in 0..self.engines.len() {
            if let Some(engine) = self.engines.get_mut(shard)
                && engine.next_deadline().is_some_and(|due| due <= now)
            {
                engine.handle_deadline(now);
                self.drain(shard);
            }
        }
        self.wake_media();
        for agent in &mut self.agents {
            if agent.next_deadline().is_some_and(|due| due <= now) {
                agent.handle_deadline(now);
            }
        }
    }

    fn arrive(&mut self, parcel: Coming) {
        let now = self.now;
        match parcel {
            Coming::ToEngine { flow, bytes } => {
                let owner = peek_call_id(&bytes).map_or(0, shard_hash) % self.engines.len() as u64;
                self.drive(owner as usize, Input::Message { flow, bytes });
            }
            Coming::ToAgent { to, bytes } => {
                let Some(agent) = self.places.get(&to).and_then(|at| self.agents.get_mut(*at))
                else {
                    return;
                };
                agent.handle(now, &bytes);
                let party = agent.profile.party;
                let name = agent.profile.name;
                self.look_for_leaks(party, name, &bytes);
            }
            Coming::Resolved { shard, id, host } => {
                let candidates = self.names.get(&*host).cloned().unwrap_or_default();
                self.drive(shard, Input::Resolved { id, candidates });
            }
            Coming::Media { shard, event } => self.drive(shard, Input::Media(event)),
            Coming::Datagram { from, to, bytes } => self.arrive_media(from, to, bytes),
            Coming::Track { call, side, token, track } => {
                self.arrive_track((call, side, token), track);
            }
            Coming::ClaimStored { shard, call } => {
                let outcome = if self.claim_delay.is_some() {
                    ClaimOutcome::Durable
                } else {
                    self.claim_fails
                };
                self.drive(shard, Input::ClaimStored { call, outcome });
            }
        }
    }

    /// Nothing that one side says of itself may reach the other.
    pub(crate) fn look_for_leaks(&mut self, party: Party, name: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for (owner, secret) in &self.secrets {
            if *owner != party && text.contains(secret.as_str()) {
                self.faults.push(format!("{name} saw {secret} in:\n{text}"));
                return;
            }
        }
    }

    fn drive(&mut self, shard: usize, input: Input) {
        let now = self.now;
        if let Some(engine) = self.engines.get_mut(shard) {
            engine.handle(now, input);
        }
        self.drain(shard);
    }

    fn drain(&mut self, shard: usize) {
        while let Some(output) = self.engines.get_mut(shard).and_then(Engine::poll_output) {
            match output {
                Output::Send { flow, bytes, .. } => self.carry_out(flow, bytes),
                Output::Resolve(query) => {
                    let (id, host) = (query.id, query.host);
                    if self.names.contains_key(&*host) {
                        let at = self.now + Duration::from_millis(20);
                        self.put(at, Coming::Resolved { shard, id, host });
                    }
                }
                Output::Media(order) => self.carry_media(shard, order),
                Output::StoreClaim { call, change } => {
                    self.claims.push(change);
                    let at = self.now + self.claim_delay.unwrap_or_default();
                    self.put(at, Coming::ClaimStored { shard, call });
                }
                Output::Event(event) => self.note(event),
            }
        }
    }

    /// A dialout's time has come.
    pub fn dial(&mut self, dialout: Dialout) {
        let shard = dialout.sid.as_u128() as usize % self.engines.len();
        self.drive(shard, Input::Dial(Arc::new(dialout)));
    }

    fn note(&mut self, event: Event) {
        match &event {
            Event::Bug { what, .. } => self.faults.push(format!("a bug: {what}")),
            Event::CallEnded(record) | Event::CallUnrouted(record) => {
                self.records.push((**record).clone());
            }
            _ => {}
        }
        self.events.push((self.now, event));
    }

    pub(crate) fn put(&mut self, at: Instant, what: Coming) {
        self.sequence += 1;
        self.coming.push(Reverse((at, self.sequence)));
        self.parcels.insert(self.sequence, what);
    }

    fn carry_out(&mut self, flow: Flow, bytes: Bytes) {
        let to = flow.remote;
        self.log("<-", to, &bytes);
        if flow.transport.is_reliable() {
            let (at, _) = self.stream(to, false);
            return self.put(at, Coming::ToAgent { to, bytes });
        }
        for after in self.net.packet((self.us, to), &bytes) {
            let at = self.now + after;
            self.put(at, Coming::ToAgent { to, bytes: bytes.clone() });
        }
    }

    /// When the next message of a stream arrives, and which connection it is.
    fn stream(&mut self, peer: SocketAddr, to_engine: bool) -> (Instant, ConnectionId) {
        let arrives = self.now + self.net.time();
        self.sequence += 1;
        let fresh = ConnectionId::new(self.sequence);
        let (connection, to_us, to_them) =
            self.streams.entry(peer).or_insert((fresh, Instant::ZERO, Instant::ZERO));
        let last = if to_engine { to_us } else { to_them };
        *last = (*last).max(arrives);
        (*last, *connection)
    }

    /// Carries what agents have written.
    fn post(&mut self) {
        for place in 0..self.agents.len() {
            let Some(agent) = self.agents.get_mut(place) else { break };
            let out = std::mem::take(&mut agent.outbox);
            let (from, transport) = (agent.profile.at, agent.profile.transport);
            for bytes in out {
                self.log("->", from, &bytes);
                if let Ok(wire) = crate::Wire::read(&bytes)
                    && wire.has_sdp()
                {
                    self.know_media(&wire.body);
                }
                self.carry_in(from, transport, &bytes);
            }
        }
        // What was said is there before what it announces.
        self.post_media();
    }

    fn carry_in(&mut self, from: SocketAddr, transport: Transport, bytes: &Bytes) {
        let listener = ListenerId(u8::from(transport.is_reliable()));
        let flow = Flow { transport, listener, remote: from, connection: None };
        if transport.is_reliable() {
            let (at, connection) = self.stream(from, true);
            let flow = Flow { connection: Some(connection), ..flow };
            return self.put(at, Coming::ToEngine { flow, bytes: bytes.clone() });
        }
        for after in self.net.packet((from, self.us), bytes) {
            let at = self.now + after;
            self.put(at, Coming::ToEngine { flow, bytes: bytes.clone() });
        }
    }

    fn log(&mut self, way: &str, peer: SocketAddr, bytes: &[u8]) {
        let millis = self.now.as_millis();
        if let Some(trace) = &mut self.trace {
            let text = String::from_utf8_lossy(bytes);
            let whole = std::env::var_os("SIM_TRACE").is_some_and(|how| how == "full");
            trace.push(if whole {
                format!("--- {millis} ms {way} {peer}\n{text}")
            } else {
                format!("{millis:>8} {way} {peer} {}", headline(&text))
            });
        }
    }

    /// What went over the wire, with `SIM_TRACE` set: a line a message, with `SIM_TRACE=full` all of it.
    pub fn trace(&self) -> String {
        self.trace.as_ref().map_or_else(String::new, |trace| trace.join("\n"))
    }
}

/// A message in one line.
fn headline(text: &str) -> String {
    let Ok(wire) = crate::Wire::read(text.as_bytes()) else {
        return text.lines().next().unwrap_or_default().to_owned();
    };
    let short = |text: &str| text.chars().take(24).collect::<String>();
    let sdp = if wire.has_sdp() { wire.sdp_line('o').unwrap_or_default() } else { "" };
    format!(
        "{:<28} {:<10} from {:<24} to {:<24} {} {sdp}",
        wire.start.chars().take(28).collect::<String>(),
        wire.header("CSeq").unwrap_or_default(),
        wire.from_tag().map(short).unwrap_or_default(),
        wire.to_tag().map(short).unwrap_or_default(),
        short(wire.call_id()),
    )
}
