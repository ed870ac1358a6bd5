//! The shards: threads that each drive one call engine with real sockets (the loop net <-> engine).
//!
//! Shard i reads the UDP listeners whose number is i modulo the shards, keeps what is its own and hands the
//! rest to its owner by Call-ID; with one shard there is no hop. Nothing a shard does waits: names are resolved
//! by tasks, logs go through a queue.

mod framing;
mod outlets;
mod shard;
mod state;
mod telling;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use mediator_call::io::{EngineSetup, Input, Listener};
use mediator_call::{Counters, Engine};
use mediator_model::{Directory, ListenerId, Transport};
use mediator_net::{
    BindError, Clock, Dispatch, INBOX_LIMIT, Inbox, NetEvent, Post, StreamListener, StreamParts,
    StreamSettings, Streams, UdpListener, inbox,
};
use mediator_sip::message::{peek_call_id, shard_hash};
use tokio::runtime;

use crate::config::{Config, Listen};
use crate::metrics::{AllShards, ShardMetrics};

pub use state::{SharedState, StateError};

use framing::SipStreams;
use outlets::Outlets;
use shard::{Shard, ShardParts};
use telling::Teller;

/// Orders that wait for one shard; more come only from a defect.
const ORDERS_LIMIT: usize = 1 << 16;

/// Why the shards cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A socket.
    #[error("{0}")]
    Bind(#[from] BindError),
    /// A thread, a runtime, or randomness of the operating system.
    #[error("cannot start a shard: {0}")]
    System(#[from] io::Error),
    /// Random numbers.
    #[error("no random numbers from the operating system: {0}")]
    Random(#[from] getrandom::Error),
}

/// Sockets that are bound, before anything runs on them.
pub struct Sockets {
    udp: Vec<Arc<UdpListener>>,
    tcp: Vec<StreamListener>,
    listeners: Vec<Listener>,
}

impl Sockets {
    /// Binds every listener of the config.
    pub fn bind(config: &Config) -> Result<Self, BindError> {
        let mut sockets = Self { udp: Vec::new(), tcp: Vec::new(), listeners: Vec::new() };
        for (at, Listen { transport, address, .. }) in config.sip.listen.iter().enumerate() {
            let id = ListenerId(u8::try_from(at).map_err(|_| BindError::TooMany(at + 1))?);
            let bound = match transport {
                Transport::Udp => {
                    let listener = UdpListener::bind(id, *address)?;
                    let bound = listener.local_address();
                    sockets.udp.push(listener);
                    bound
                }
                Transport::Tcp => {
                    let listener = StreamListener::bind(id, *address)?;
                    let bound = listener.local_address();
                    sockets.tcp.push(listener);
                    bound
                }
                Transport::Tls | Transport::Ws | Transport::Wss => {
                    return Err(BindError::NotBuilt { transport: *transport, address: *address });
                }
            };
            let ip = config.sip.advertised_address.unwrap_or_else(|| own_ip(bound));
            let advertised = SocketAddr::new(ip, bound.port());
            sockets.listeners.push(Listener { id, transport: *transport, advertised, bound });
        }
        Ok(sockets)
    }

    /// What listens, as standard output says it.
    pub fn announcements(&self) -> impl Iterator<Item = String> {
        self.listeners.iter().map(|listener| {
            format!("listening sip {} {}", listener.transport.uri_token(), listener.bound)
        })
    }

    /// The listeners as messages name them.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }
}

/// The address that Via and Contact carry: the socket's; for a wildcard the one that leads out of this machine.
fn own_ip(bound: SocketAddr) -> std::net::IpAddr {
    if !bound.ip().is_unspecified() {
        return bound.ip();
    }
    mediator_net::local_address_towards(mediator_net::far_address(bound.is_ipv4()))
        .unwrap_or(bound.ip())
}

/// The hash by which shards share messages (architecture: owner = hash of Call-ID modulo shards).
fn route(bytes: &[u8]) -> u64 {
    shard_hash(peek_call_id(bytes).unwrap_or_default())
}

/// The running shards.
pub struct Shards {
    orders: Vec<Post<Input>>,
    counters: Vec<Arc<Counters>>,
    metrics: AllShards,
    streams: Arc<Streams>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Shards {
    /// Starts one thread a shard.
    pub fn start(
        config: &Config,
        sockets: Sockets,
        state: &SharedState,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let count = usize::from(config.sip.shards.unwrap_or(1)).max(1);
        let (posts, inboxes): (Vec<Post<NetEvent>>, Vec<Inbox<NetEvent>>) =
            (0..count).map(|_| inbox(INBOX_LIMIT)).unzip();
        let (orders, order_inboxes): (Vec<Post<Input>>, Vec<Inbox<Input>>) =
            (0..count).map(|_| inbox(ORDERS_LIMIT)).unzip();
        let dispatch = Dispatch::new(posts, route);
        let runtimes = (0..count)
            .map(|_| runtime::Builder::new_current_thread().enable_all().build())
            .collect::<io::Result<Vec<_>>>()?;
        let streams = Streams::start(StreamParts {
            settings: StreamSettings::default(),
            policy: Arc::new(SipStreams { directory: state.directory.clone() }),
            dispatch: dispatch.clone(),
            runtimes: runtimes.iter().map(|runtime| runtime.handle().clone()).collect(),
            listeners: sockets.tcp,
        })?;
        let outlets = Arc::new(Outlets::new(&sockets.udp, streams.clone()));
        let mut shards = Self {
            orders,
            counters: Vec::new(),
            metrics: AllShards((0..count).map(|_| Arc::new(ShardMetrics::default())).collect()),
            streams,
            threads: Vec::new(),
        };
        let settings = Arc::new(state.settings(config, sockets.listeners)?);
        let parts = runtimes.into_iter().zip(inboxes).zip(order_inboxes).enumerate();
        for (at, ((runtime, net), orders)) in parts {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed)?;
            let engine = Engine::new(EngineSetup {
                shard: at,
                shards: count,
                settings: settings.clone(),
                directory: state.directory.load_full(),
                ports: state.ports(),
                seed,
                epoch: state.epoch,
            });
            shards.counters.push(engine.counters());
            let metrics = shards.metrics.0.get(at).cloned().unwrap_or_default();
            let own = |listener: &&Arc<UdpListener>| usize::from(listener.id().0) % count == at;
            let parts = ShardParts {
                at,
                engine,
                net,
                orders,
                own_orders: shards.orders.get(at).cloned(),
                sorter: dispatch.sorter(at),
                udp: sockets.udp.iter().filter(own).cloned().collect(),
                outlets: outlets.clone(),
                resolver: state.resolver.clone(),
                teller: Teller::new(metrics.clone()),
                metrics,
                clock,
            };
            let thread = thread::Builder::new().name(format!("shard-{at}"));
            shards.threads.push(thread.spawn(move || runtime.block_on(Shard::run(parts)))?);
        }
        Ok(shards)
    }

    /// Gives every shard the same order.
    pub fn order(&self, input: &Input) {
        for shard in &self.orders {
            shard.post_always(input.clone());
        }
    }

    /// Hands over a new directory.
    pub fn direct(&self, directory: &Arc<Directory>) {
        self.order(&Input::Directory(directory.clone()));
    }

    /// Calls that are not over.
    pub fn live_calls(&self) -> u64 {
        self.counters.iter().map(|shard| shard.calls_live.count()).sum()
    }

    /// What engines count, for metrics.
    pub fn counters(&self) -> Vec<Arc<Counters>> {
        self.counters.clone()
    }

    /// What shards count, for metrics.
    pub fn metrics(&self) -> AllShards {
        self.metrics.clone()
    }

    /// What streams count.
    pub fn streams(&self) -> &Arc<Streams> {
        &self.streams
    }
}
