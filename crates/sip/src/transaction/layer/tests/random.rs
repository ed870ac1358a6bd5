//! Two layers and a network that loses, repeats and reorders: whatever happens, every transaction ends
//! once, and nothing is left.

use super::wire::{Ask, answer, parse, tcp, text, udp};
use super::{Layer, assert_is_clean, ms};
use crate::transaction::{ClientKey, LayerSettings, Output, Received, ServerKey};
use crate::{Message, Method, Request};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use bytes::Bytes;
use mediator_model::{Flow, Instant};
use proptest::prelude::*;

/// How unkind the world is.
#[derive(Clone, Copy, Debug)]
struct Weather {
    seed: u64,
    loss_percent: u64,
    repeat_percent: u64,
    /// The longest time that a datagram takes.
    delay_millis: u64,
    /// How late the driver wakes at most.
    late_millis: u64,
}

/// Which layer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Side {
    Client,
    Server,
}

#[derive(Debug)]
enum Event {
    Arrives { at: Side, bytes: Bytes, flow: Flow },
    Begin { user: u32 },
    Cancel { user: u32 },
    Answer { server: ServerKey, request: Request, status: u16 },
    RepeatAnswer { server: ServerKey, request: Request, interval: u64 },
}

/// What became of one client transaction.
#[derive(Debug, Default)]
struct Fate {
    method: String,
    key: Option<ClientKey>,
    wants_cancel: bool,
    successes: usize,
    /// Failures, and final responses to other requests.
    finals: usize,
    timed_out: usize,
    failed: usize,
}

impl Fate {
    fn ends(&self) -> usize {
        self.successes.min(1) + self.finals + self.timed_out + self.failed
    }
}

struct World {
    weather: Weather,
    dice: u64,
    now: u64,
    queue: BTreeMap<(u64, u64), Event>,
    queued: u64,
    client: Layer,
    server: Layer,
    fates: BTreeMap<u32, Fate>,
    /// Call-IDs whose 2xx was acknowledged.
    acknowledged: BTreeSet<String>,
    /// INVITEs that got their final response from the core.
    answered: BTreeSet<String>,
    /// How often the server's core saw each request.
    seen: BTreeMap<String, usize>,
    /// The requests of server transactions that were live after the last step, and those that have ended.
    live_servers: BTreeMap<String, ServerKey>,
    ended_servers: BTreeSet<String>,
}

const CALLS: u32 = 12;

impl World {
    fn new(weather: Weather) -> Self {
        let settings = LayerSettings { hash_seed: weather.seed, ..LayerSettings::default() };
        Self {
            weather,
            dice: weather.seed | 1,
            now: 0,
            queue: BTreeMap::new(),
            queued: 0,
            client: Layer::new(settings),
            server: Layer::new(settings),
            fates: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            answered: BTreeSet::new(),
            seen: BTreeMap::new(),
            live_servers: BTreeMap::new(),
            ended_servers: BTreeSet::new(),
        }
    }

    /// Below `end`, xorshift64.
    fn roll(&mut self, end: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 11) % end.max(1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    fn at(&mut self, millis: u64, event: Event) {
        self.queued += 1;
        self.queue.insert((millis, self.queued), event);
    }

    fn now(&self) -> Instant {
        ms(self.now)
    }

    fn transmit(&mut self, to: Side, bytes: &Bytes, flow: Flow) {
        if flow.transport.is_reliable() {
            let event = Event::Arrives { at: to, bytes: bytes.clone(), flow };
            return self.at(self.now + 10, event);
        }
        let copies = if self.chance(self.weather.repeat_percent) { 2 } else { 1 };
        for _ in 0..copies {
            if !self.chance(self.weather.loss_percent) {
                let delay = self.roll(self.weather.delay_millis + 1);
                let event = Event::Arrives { at: to, bytes: bytes.clone(), flow };
                self.at(self.now + delay, event);
            }
        }
    }

    fn run(&mut self) {
        for user in 0..CALLS {
            let at = self.roll(3_000);
            self.at(at, Event::Begin { user });
        }
        for step in 0.. {
            assert!(step < 200_000, "it goes on for ever");
            let timers = [self.client.next_deadline(), self.server.next_deadline()];
            let timer = timers.into_iter().flatten().min().map(|at| at.as_millis() + 1);
            let event = self.queue.first_key_value().map(|((at, _), _)| *at);
            match (timer, event) {
                (None, None) => break,
                (Some(timer), event) if event.is_none_or(|event| timer <= event) => {
                    let late = self.weather.late_millis;
                    self.now = self.now.max(timer + self.roll(late + 1));
                    self.client.handle_deadline(ms(self.now));
                    self.server.handle_deadline(ms(self.now));
                }
                (_, _) => {
                    let ((at, _), event) = self.queue.pop_first().unwrap();
                    self.now = self.now.max(at);
                    self.handle(event);
                }
            }
            self.drain();
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrives { at, bytes, flow } => self.arrive(at, bytes, flow),
            Event::Begin { user } => self.begin(user),
            Event::Cancel { user } => self.cancel(user),
            Event::Answer { server, request, status } => self.answer(server, &request, status),
            Event::RepeatAnswer { server, request, interval } => {
                self.repeat_answer(server, request, interval);
            }
        }
    }

    // The client's core.

    fn begin(&mut self, user: u32) {
        let methods = ["INVITE", "INVITE", "INVITE", "OPTIONS", "BYE"];
        let method = methods[self.roll(5) as usize];
        let branch = format!("z9hG4bKcall{user}");
        let via = format!("192.0.2.1;branch={branch}");
        let call_id = format!("call{user}");
        let ask = Ask { method, via: &via, call_id: &call_id, ..super::OURS };
        let bytes = Bytes::from(ask.text());
        let flow = if self.chance(70) { udp() } else { tcp(u64::from(user % 3)) };
        let method = ask.request().method();
        let key = self.client.send_request(self.now(), method, &branch, bytes, flow, user);
        let fate = Fate { method: ask.method.into(), key: Some(key), ..Fate::default() };
        self.fates.insert(user, fate);
        if method == Method::Invite {
            // The ring timeout, so that a call of which every answer is lost ends too.
            self.at(self.now + 60_000, Event::Cancel { user });
            if self.chance(40) {
                let after = self.roll(15_000);
                self.at(self.now + after, Event::Cancel { user });
            }
        }
    }

    fn cancel(&mut self, user: u32) {
        let fate = self.fates.get_mut(&user).unwrap();
        if fate.ends() > 0 || self.fates.contains_key(&(user + 1_000)) {
            return;
        }
        let fate = self.fates.get_mut(&user).unwrap();
        let invite = fate.key.unwrap();
        let Some(key) = self.client.cancel(ms(self.now), invite, None, user + 1_000) else {
            fate.wants_cancel = true;
            return;
        };
        let fate = Fate { method: "CANCEL".into(), key: Some(key), ..Fate::default() };
        self.fates.insert(user + 1_000, fate);
    }

    fn response(&mut self, user: u32, status: u16, flow: Flow) {
        let fate = self.fates.get_mut(&user).unwrap();
        let invite = fate.method == "INVITE";
        match status {
            100..200 => {
                assert_eq!(fate.ends(), 0, "{user}: provisional after the end");
                if fate.wants_cancel {
                    self.cancel(user);
                }
            }
            200..300 if invite => {
                fate.successes += 1;
                let via = format!("192.0.2.1;branch=z9hG4bKack{user}");
                let call_id = format!("call{user}");
                let ack = Ask { method: "ACK", via: &via, call_id: &call_id, ..super::OURS };
                self.transmit(Side::Server, &Bytes::from(ack.text()), flow);
            }
            200.. => fate.finals += 1,
            _ => panic!("{status}"),
        }
        assert!(self.fates[&user].ends() <= 1, "{:?}", self.fates[&user]);
    }

    // The server's core.

    fn request(&mut self, server: ServerKey, request: Request) {
        self.begins(&request, server);
        let invite = request.method() == Method::Invite;
        if invite || self.chance(30) {
            self.answer(server, &request, 100);
        }
        if !invite && self.chance(10) {
            return;
        }
        if invite && self.chance(60) {
            let after = self.roll(2_000);
            let event = Event::Answer { server, request: request.clone(), status: 180 };
            self.at(self.now + after, event);
        }
        let status = [200, 200, 486, 503][self.roll(4) as usize];
        let after = self.roll(if invite { 20_000 } else { 6_000 });
        self.at(self.now + after, Event::Answer { server, request, status });
    }

    fn begins(&mut self, request: &Request, server: ServerKey) {
        let name = name(request);
        *self.seen.entry(name.clone()).or_default() += 1;
        self.ended_servers.remove(&name);
        self.live_servers.insert(name, server);
    }

    fn answer(&mut self, server: ServerKey, request: &Request, status: u16) {
        let final_invite = status >= 200 && request.method() == Method::Invite;
        if final_invite && !self.answered.insert(name(request)) {
            return;
        }
        self.write(server, request, status);
        if final_invite && status < 300 {
            let event = Event::RepeatAnswer { server, request: request.clone(), interval: 500 };
            self.at(self.now + 500, event);
        }
    }

    fn write(&mut self, server: ServerKey, request: &Request, status: u16) {
        let bytes = Bytes::from(answer(request, status, ";tag=t"));
        self.server.respond(ms(self.now), server, status, bytes);
    }

    /// §13.3.1.4, without its end: the transaction's Timer L ends it.
    fn repeat_answer(&mut self, server: ServerKey, request: Request, interval: u64) {
        if self.acknowledged.contains(text(request.call_id().unwrap()))
            || self.server.server_flow(server).is_none()
        {
            return;
        }
        self.write(server, &request, 200);
        let interval = (interval * 2).min(4_000);
        self.at(self.now + interval, Event::RepeatAnswer { server, request, interval });
    }

    // Both ends of the network.

    fn arrive(&mut self, at: Side, bytes: Bytes, flow: Flow) {
        let message = Message::parse(bytes).unwrap();
        let now = self.now();
        let layer = match at {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        match layer.receive(now, message, flow) {
            Received::Request { server, request } => self.request(server, request),
            Received::Cancel { server, request, invite } => {
                self.begins(&request, server);
                self.answer(server, &request, if invite.is_some() { 200 } else { 481 });
                if let Some(invite) = invite {
                    let text = text(request.bytes()).replace("CANCEL", "INVITE");
                    let Message::Request(request) = parse(&text) else { panic!("{text}") };
                    self.answer(invite, &request, 487);
                }
            }
            Received::Ack { request } => {
                self.acknowledged.insert(text(request.call_id().unwrap()).to_string());
            }
            Received::Response { user, response, .. } => {
                self.response(user, response.status(), flow);
            }
            Received::Stray(response) => {
                let user: u32 = text(response.call_id().unwrap())
                    .strip_prefix("call")
                    .unwrap()
                    .parse()
                    .unwrap();
                let done = self.fates.get(&user).is_some_and(|fate| fate.ends() == 1);
                let cancelled = self.fates.get(&(user + 1_000)).is_some_and(|it| it.ends() == 1);
                assert!(done || cancelled, "a stray of a transaction that waits");
            }
            Received::Absorbed => {}
            other @ (Received::Late2xx { .. }
            | Received::Foreign(_)
            | Received::Overloaded { .. }
            | Received::Unreadable(_)) => panic!("{other:?}"),
        }
    }

    /// Carries out what both layers want and checks that none of it comes from the dead.
    fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Send { flow, bytes, client } => {
                    if let Some(client) = client {
                        assert!(self.client.client_flow(client).is_some(), "sent after the end");
                    }
                    self.transmit(Side::Server, &bytes, flow);
                }
                Output::TimedOut { client, user } => {
                    assert_eq!(self.client.client_flow(client), None);
                    let fate = self.fates.get_mut(&user).unwrap();
                    fate.timed_out += 1;
                    assert_eq!(fate.ends(), 1, "{fate:?}");
                }
                other @ (Output::TransportFailed { .. }
                | Output::AckMissing { .. }
                | Output::Unanswered { .. }) => panic!("{other:?}"),
            }
        }
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Send { flow, bytes, client } => {
                    assert_eq!(client, None);
                    let name = sent_name(&bytes);
                    assert!(!self.ended_servers.contains(&name), "{name} answered after the end");
                    self.transmit(Side::Client, &bytes, flow);
                }
                Output::AckMissing { server } | Output::Unanswered { server } => {
                    assert_eq!(self.server.server_flow(server), None);
                }
                other @ (Output::TimedOut { .. } | Output::TransportFailed { .. }) => {
                    panic!("{other:?}")
                }
            }
        }
        let server = &self.server;
        for (name, _) in
            self.live_servers.extract_if(.., |_, key| server.server_flow(*key).is_none())
        {
            self.ended_servers.insert(name);
        }
    }
}

/// What a request's transaction is called here: its branch and method.
fn name(request: &Request) -> String {
    let branch = text(request.via().unwrap().branch().unwrap()).to_string();
    format!("{branch} {}", request.method())
}

fn sent_name(response: &Bytes) -> String {
    let message = Message::parse(response.clone()).unwrap();
    let branch = text(message.headers().via().unwrap().branch().unwrap()).to_string();
    format!("{branch} {}", message.headers().cseq().unwrap().method)
}

fn check(weather: Weather) {
    let mut world = World::new(weather);
    world.run();
    assert_is_clean(&world.client);
    assert_is_clean(&world.server);
    for (user, fate) in &world.fates {
        assert_eq!(fate.ends(), 1, "{user}: {fate:?}");
    }
    assert!(world.fates.len() >= CALLS as usize);
    // A driver that sleeps late sends its last copies after the other side has forgotten the first.
    if weather.late_millis == 0 {
        assert!(world.seen.values().all(|count| *count == 1), "{:?}", world.seen);
    }
    if weather.loss_percent == 0 && weather.late_millis == 0 {
        let counters = world.server.counters();
        assert_eq!(counters.acks_missing, 0, "an ACK of a failure went astray");
        let timed_out = world.client.counters().timed_out;
        assert_eq!(timed_out, counters.unanswered, "only what nobody answers times out");
    }
}

fn weather() -> impl Strategy<Value = Weather> {
    (any::<u64>(), 0_u64..60, 0_u64..30, 0_u64..400, prop_oneof![Just(0), 0_u64..3_000]).prop_map(
        |(seed, loss_percent, repeat_percent, delay_millis, late_millis)| Weather {
            seed,
            loss_percent: loss_percent.saturating_sub(10),
            repeat_percent,
            delay_millis,
            late_millis,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_transaction_ends_once_and_nothing_is_left(weather in weather()) {
        check(weather);
    }
}
