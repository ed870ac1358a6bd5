//! The shards: threads that each drive one call engine with real sockets (the loop net <-> engine).
//!
//! Shard i reads the UDP listeners whose number is i modulo the shards, keeps what is its own and hands the
//! rest to its owner by Call-ID; with one shard there is no hop. Nothing a shard does waits: names are resolved
//! by tasks, logs go through a queue.

mod claims;
mod framing;
mod names;
mod shard;
mod state;
mod telling;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::thread;

use mediator_call::io::{EngineSetup, Input, Listener};
use mediator_call::{Counters, Engine};
use mediator_model::{Dialout, ListenerId, Transport};
use mediator_net::{
    BindError, Clock, Dispatch, INBOX_LIMIT, Inbox, Listeners, NetEvent, Post, Resolver,
    ResolverError, Sender, StreamParts, StreamSettings, Streams, UdpListener, inbox,
    local_address_towards,
};
use mediator_sip::message::{peek_call_id, shard_hash};
use tokio::runtime;

use crate::config::{Config, MAX_SHARDS, SipSettings};
use crate::dialouts::Dialer;
use crate::metrics::{AllShards, EngineCounts, ShardMetrics};

pub use state::{Audience, OfProcess, SharedState, epoch, gate, media_address};

use claims::Claims;
use framing::SipStreams;
use shard::{Shard, ShardParts};
use telling::Teller;

/// Orders that wait for one shard; more come only from a defect.
const ORDERS_LIMIT: usize = 1 << 16;

/// Why the shards cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A thread or a runtime.
    #[error("cannot start a shard: {0}")]
    System(#[from] io::Error),
    /// The system's name servers cannot be found.
    #[error("cannot read the system's name servers: {0}")]
    Names(#[from] ResolverError),
    /// Random numbers.
    #[error("no random numbers from the operating system: {0}")]
    Random(#[from] getrandom::Error),
}

/// Sockets that are bound, before anything runs on them.
pub struct Sockets {
    bound: Listeners,
    named: Vec<Listener>,
}

impl Sockets {
    /// Binds every listener of the config.
    pub fn bind(sip: &SipSettings) -> Result<Self, BindError> {
        let wanted: Vec<(Transport, SocketAddr)> =
            sip.listen.iter().map(|listen| (listen.transport, listen.address)).collect();
        let bound = Listeners::bind(&wanted)?;
        let named = bound.addresses().into_iter();
        let named = named.map(|address| named_listener(sip, address)).collect();
        Ok(Self { bound, named })
    }

    /// What listens, as standard output says it.
    pub fn announcements(&self) -> Vec<String> {
        let line =
            |one: &Listener| format!("listening sip {} {}", one.transport.uri_token(), one.bound);
        self.named.iter().map(line).collect()
    }

    /// The listeners as messages name them.
    pub fn listeners(&self) -> &[Listener] {
        &self.named
    }
}

fn named_listener(
    sip: &SipSettings,
    (id, transport, bound): (ListenerId, Transport, SocketAddr),
) -> Listener {
    let ip = sip.advertised_address.unwrap_or_else(|| own_ip(bound.ip()));
    Listener { id, transport, advertised: SocketAddr::new(ip, bound.port()), bound }
}

/// The address that Via and Contact carry: the socket's; for a wildcard the one that leads out of this machine.
fn own_ip(bound: IpAddr) -> IpAddr {
    // Addresses for documentation (RFC 5737, RFC 3849): nothing is sent there.
    let far = match bound {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    };
    if bound.is_unspecified() { local_address_towards(far).unwrap_or(bound) } else { bound }
}

/// The hash by which shards share messages (architecture: owner = hash of Call-ID modulo shards).
fn route(bytes: &[u8]) -> u64 {
    shard_hash(peek_call_id(bytes).unwrap_or_default())
}

/// As many as the process may use, as its CPU affinity and cgroup say.
fn cores() -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.min(MAX_SHARDS.into())
}

/// The way to all shards, for whoever has orders for them; cheap to clone.
#[derive(Clone)]
pub struct Orders(Arc<[Post<Input>]>);

impl Orders {
    /// Gives every shard the same order.
    pub fn give(&self, input: &Input) {
        for shard in &*self.0 {
            shard.post_always(input.clone());
        }
    }
}

impl Dialer for Orders {
    /// Any shard can dial any dialout: they are spread by their sids, which are random.
    fn dial(&self, dialout: Arc<Dialout>) {
        let at = dialout.sid.as_u128() as u32 as usize % self.0.len().max(1);
        if let Some(shard) = self.0.get(at) {
            shard.post_always(Input::Dial(dialout));
        }
    }
}

/// The running shards.
pub struct Shards {
    orders: Orders,
    counters: Vec<Arc<Counters>>,
    metrics: AllShards,
    streams: Arc<Streams>,
    resolver: Arc<Resolver>,
}

/// What one shard's thread is made of, before its engine is.
struct Seat {
    at: usize,
    runtime: runtime::Runtime,
    net: Inbox<NetEvent>,
    orders: Inbox<Input>,
    own_orders: Post<Input>,
}

impl Shards {
    /// Starts one thread a shard.
    pub fn start(
        config: &Config,
        sockets: Sockets,
        state: &SharedState,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let count = config.sip.shards.map_or_else(cores, usize::from).max(1);
        let (posts, nets): (Vec<Post<NetEvent>>, Vec<Inbox<NetEvent>>) =
            (0..count).map(|_| inbox(INBOX_LIMIT)).unzip();
        let (orders, order_inboxes): (Vec<Post<Input>>, Vec<Inbox<Input>>) =
            (0..count).map(|_| inbox(ORDERS_LIMIT)).unzip();
        let dispatch = Dispatch::new(posts, route);
        let runtimes = (0..count)
            .map(|_| runtime::Builder::new_current_thread().enable_all().build())
            .collect::<io::Result<Vec<_>>>()?;
        let Listeners { udp, streams: stream_listeners } = sockets.bound;
        let streams = Streams::start(StreamParts {
            settings: StreamSettings::default(),
            policy: Arc::new(SipStreams { directory: state.directory.clone() }),
            dispatch: dispatch.clone(),
            runtimes: runtimes.iter().map(|runtime| runtime.handle().clone()).collect(),
            listeners: stream_listeners,
        })?;
        let all_metrics = (0..count).map(|_| Arc::new(ShardMetrics::default())).collect();
        let resolver = Arc::new(names::resolver(&sockets.named)?);
        let mut shards = Self {
            orders: Orders(orders.into()),
            counters: Vec::new(),
            metrics: AllShards(all_metrics),
            streams,
            resolver,
        };
        let settings = Arc::new(state.settings(config, sockets.named));
        let both_ends = order_inboxes.into_iter().zip(shards.orders.0.to_vec());
        for (at, ((runtime, net), (orders, own_orders))) in
            runtimes.into_iter().zip(nets).zip(both_ends).enumerate()
        {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed)?;
            let engine = Engine::new(EngineSetup {
                shard: at,
                shards: count,
                settings: settings.clone(),
                directory: state.directory.load_full(),
                ports: state.ports(),
                seed,
                epoch: state::epoch(&clock),
            });
            let seat = Seat { at, runtime, net, orders, own_orders };
            shards.seat(seat, engine, (&udp, &dispatch, state), clock)?;
        }
        Ok(shards)
    }

    /// Starts one shard's thread.
    fn seat(
        &mut self,
        seat: Seat,
        engine: Engine,
        (udp, dispatch, state): (&[Arc<UdpListener>], &Dispatch, &SharedState),
        clock: Clock,
    ) -> Result<(), StartError> {
        let Seat { at, runtime, net, orders, own_orders } = seat;
        let shards = dispatch.shards();
        self.counters.push(engine.counters());
        let metrics = self.metrics.0.get(at).cloned().unwrap_or_default();
        let own = |listener: &&Arc<UdpListener>| usize::from(listener.id().0) % shards == at;
        let parts = ShardParts {
            at,
            engine,
            net,
            orders,
            claims: Claims::new(state.store.clone(), clock, own_orders.clone()),
            media: state.media.orders(own_orders.clone()),
            own_orders,
            sorter: dispatch.sorter(at),
            udp: udp.iter().filter(own).cloned().collect(),
            sender: Sender::new(at, udp, self.streams.clone()),
            resolver: self.resolver.clone(),
            teller: Teller::new(metrics.clone(), state, clock),
            metrics,
            clock,
        };
        thread::Builder::new()
            .name(format!("shard-{at}"))
            .spawn(move || runtime.block_on(Shard::run(parts)))?;
        Ok(())
    }

    /// Gives every shard the same order.
    pub fn order(&self, input: &Input) {
        self.orders.give(input);
    }

    /// The way to them.
    pub fn orders(&self) -> Orders {
        self.orders.clone()
    }

    /// Calls that are up.
    pub fn live_calls(&self) -> u64 {
        self.counters.iter().map(|shard| shard.calls_live()).sum()
    }

    /// Calls that are up, and those that still wait for an answer to their BYE or CANCEL.
    pub fn held_calls(&self) -> u64 {
        self.counters.iter().map(|shard| shard.calls_held.count()).sum()
    }

    /// What engines count, for metrics.
    pub fn engine_counts(&self) -> EngineCounts {
        EngineCounts(self.counters.clone())
    }

    /// What shards count, for metrics.
    pub fn metrics(&self) -> AllShards {
        self.metrics.clone()
    }

    /// The stream connections.
    pub const fn streams(&self) -> &Arc<Streams> {
        &self.streams
    }
}
