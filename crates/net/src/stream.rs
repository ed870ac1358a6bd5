//! SIP over TCP (RFC 3261 §18, RFC 5626 keep-alives, RFC 5923 in the part that needs no certificates).
//!
//! Each connection is read by one small task, on a shard's runtime: no buffer of its own while it is
//! idle, timers armed lazily. Whoever has something to send writes it straight to the socket; only
//! what the kernel does not take waits, in a bounded queue that the task empties. A message goes to
//! its owner's inbox; where that is full the task waits, and with it the peer.
//!
//! Invariants: a connection that a peer opened is written to only by a flow that names it, for only
//! the peer's word says who it is; a connection that we opened serves every request to its remote
//! address. A [`ConnectionId`] is never used twice.
//!
//! TLS and WebSocket will be variants of the two types in `wire.rs`.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use mediator_model::{ConnectionId, Flow, ListenerId};
use tokio::runtime::Handle;

use crate::dispatch::Dispatch;
use crate::event::SendError;

mod accept;
mod connection;
mod frame;
mod table;
mod task;
#[cfg(test)]
mod tests;
mod wire;

pub use accept::StreamListener;
use connection::{Sent, Ticket};
pub use frame::{Frame, FrameReader};
use table::{Opened, Table};

/// Limits and times of streams.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// A connection without a byte in either direction is closed. Default 10 min.
    pub idle_timeout: Duration,
    /// An accepted connection that brings no whole message or keep-alive is closed. Default 30 s.
    /// Known peers may take their time.
    pub greeting_timeout: Duration,
    /// A message that has begun must be whole. Default 10 s.
    pub message_timeout: Duration,
    /// Bytes that wait must move. Default 20 s; also the kernel's limit for bytes that the peer
    /// does not acknowledge.
    pub write_timeout: Duration,
    /// Opening a connection. Default 3 s: the SYN and one repetition.
    pub connect_timeout: Duration,
    /// How long a connection is kept for answers after the peer has closed its side or sent what
    /// cannot be read. Default 2 s.
    pub linger: Duration,
    /// Accepted connections of peers that are not known, in all. Default 20,000. Connections that
    /// we open have a limit of the same size of their own.
    pub max_connections: usize,
    /// Accepted connections of one IPv4 address or IPv6 /64 that is not known. Default 256.
    pub max_connections_per_peer: usize,
    /// Bytes that wait for one connection. Default 512 KiB.
    pub max_queued_bytes: usize,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_mins(10),
            greeting_timeout: Duration::from_secs(30),
            message_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(3),
            linger: Duration::from_secs(2),
            max_connections: 20_000,
            max_connections_per_peer: 256,
            max_queued_bytes: 512 * 1024,
        }
    }
}

/// What the caller knows and this crate does not.
pub trait StreamPolicy: Send + Sync + 'static {
    /// A reader of messages for a new connection.
    fn framer(&self, flow: &Flow) -> Box<dyn FrameReader>;

    /// Whether `peer` is one that we are configured to talk to. It is then exempt from the limits
    /// on accepted connections: flood protection must not lock out a trunk.
    fn is_known_peer(&self, peer: IpAddr) -> bool;
}

/// What [`Streams::start`] needs.
pub struct StreamParts {
    /// Limits and times.
    pub settings: StreamSettings,
    /// Framing and known peers.
    pub policy: Arc<dyn StreamPolicy>,
    /// The way to the shards.
    pub dispatch: Dispatch,
    /// The shards' runtimes, in the order of the dispatch.
    pub runtimes: Vec<Handle>,
    /// The bound listeners.
    pub listeners: Vec<StreamListener>,
}

/// What streams have seen since their start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StreamCounts {
    /// Connections that are up or being opened now.
    pub connections: usize,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections opened by us that came up.
    pub opened: u64,
    /// Attempts of ours that failed.
    pub connect_failed: u64,
    /// Accepted and closed at once: too many of this peer.
    pub refused_peer_limit: u64,
    /// Accepted and closed at once: too many in all.
    pub refused_total_limit: u64,
    /// Times that no connection could be accepted (out of file descriptors).
    pub accept_failed: u64,
    /// Closed: nothing came or went.
    pub closed_idle: u64,
    /// Closed: the peer does not read what we send, or does not end what it began.
    pub closed_slow: u64,
    /// Closed: what came is no SIP.
    pub closed_malformed: u64,
    /// Messages handed on.
    pub received: u64,
    /// Messages that never left.
    pub send_failed: u64,
}

#[derive(Default)]
struct Counters {
    accepted: AtomicU64,
    opened: AtomicU64,
    connect_failed: AtomicU64,
    refused_peer_limit: AtomicU64,
    refused_total_limit: AtomicU64,
    accept_failed: AtomicU64,
    closed_idle: AtomicU64,
    closed_slow: AtomicU64,
    closed_malformed: AtomicU64,
    received: AtomicU64,
    send_failed: AtomicU64,
}

fn add_one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// All stream connections of the process.
pub struct Streams {
    settings: StreamSettings,
    policy: Arc<dyn StreamPolicy>,
    dispatch: Dispatch,
    runtimes: Vec<Handle>,
    next_runtime: AtomicUsize,
    listeners: Vec<(ListenerId, SocketAddr)>,
    table: Table,
    counters: Counters,
}

impl Streams {
    /// Starts to accept on the listeners.
    ///
    /// # Errors
    /// When a listening socket cannot be handed to its runtime.
    pub fn start(parts: StreamParts) -> io::Result<Arc<Self>> {
        let StreamParts { settings, policy, dispatch, runtimes, listeners } = parts;
        let streams = Arc::new(Self {
            table: Table::new(&settings),
            settings,
            policy,
            dispatch,
            runtimes,
            next_runtime: AtomicUsize::new(0),
            listeners: listeners.iter().map(|one| (one.id(), one.local_address())).collect(),
            counters: Counters::default(),
        });
        for (place, listener) in listeners.into_iter().enumerate() {
            accept::start(&streams, listener, place)?;
        }
        Ok(streams)
    }

    /// Sends one message for `shard` along `flow`: over the connection it names, else over one that
    /// we opened to its remote address, else over a new one. `tag` comes back in
    /// [`NetEvent::SendFailed`](crate::NetEvent::SendFailed) when the message never left.
    pub fn send(
        self: &Arc<Self>,
        shard: usize,
        flow: &Flow,
        bytes: &Bytes,
        tag: u64,
    ) -> Result<(), SendError> {
        let ticket = Ticket { shard, tag };
        let named = flow.connection.and_then(|id| self.table.find(id));
        if let Some(connection) = named.or_else(|| self.table.find_opened(flow)) {
            match connection.send(bytes, ticket, &self.settings) {
                Sent::Taken => return Ok(()),
                Sent::QueueFull => return Err(SendError::QueueFull { remote: flow.remote }),
                Sent::Gone => {}
            }
        }
        self.send_over_new(flow, bytes, ticket)
    }

    /// Closes a connection; what waits for it is lost and reported.
    pub fn close(&self, id: ConnectionId) {
        if let Some(connection) = self.table.find(id) {
            connection.shut();
        }
    }

    /// Connections for which something waits: before the process ends, wait for none.
    pub fn unsent(&self) -> usize {
        self.table.unsent()
    }

    /// What was seen so far.
    pub fn counts(&self) -> StreamCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StreamCounts {
            connections: self.table.len(),
            accepted: read(&self.counters.accepted),
            opened: read(&self.counters.opened),
            connect_failed: read(&self.counters.connect_failed),
            refused_peer_limit: read(&self.counters.refused_peer_limit),
            refused_total_limit: read(&self.counters.refused_total_limit),
            accept_failed: read(&self.counters.accept_failed),
            closed_idle: read(&self.counters.closed_idle),
            closed_slow: read(&self.counters.closed_slow),
            closed_malformed: read(&self.counters.closed_malformed),
            received: read(&self.counters.received),
            send_failed: read(&self.counters.send_failed),
        }
    }

    fn send_over_new(
        self: &Arc<Self>,
        flow: &Flow,
        bytes: &Bytes,
        ticket: Ticket,
    ) -> Result<(), SendError> {
        let local = self.local_for(flow)?;
        let (connection, is_new) = match self.table.open(flow) {
            Opened::New(connection) => (connection, true),
            // Another shard was faster.
            Opened::Existing(connection) => (connection, false),
            Opened::TooMany => {
                return Err(SendError::TooManyConnections { remote: flow.remote });
            }
        };
        let sent = connection.send(bytes, ticket, &self.settings);
        if is_new {
            let runtime = self.runtime(ticket.shard);
            runtime.spawn(task::open_and_run(Arc::clone(self), connection, local));
        }
        match sent {
            Sent::Taken => Ok(()),
            Sent::QueueFull => Err(SendError::QueueFull { remote: flow.remote }),
            Sent::Gone => {
                let source = io::ErrorKind::ConnectionReset.into();
                Err(SendError::Refused { remote: flow.remote, source })
            }
        }
    }

    /// The address to open a connection from: the listener's, so that the peer sees the one it knows.
    fn local_for(&self, flow: &Flow) -> Result<SocketAddr, SendError> {
        let listener = self.listeners.iter().find(|(id, _)| *id == flow.listener);
        let Some((_, local)) = listener else {
            let (transport, listener) = (flow.transport, flow.listener.0);
            return Err(SendError::NoListener { transport, listener });
        };
        if local.is_ipv4() != flow.remote.is_ipv4() {
            let source = io::ErrorKind::Unsupported.into();
            return Err(SendError::Refused { remote: flow.remote, source });
        }
        Ok(SocketAddr::new(local.ip(), 0))
    }

    fn runtime(&self, shard: usize) -> &Handle {
        self.runtimes.get(shard % self.runtimes.len()).expect("the remainder is below the length")
    }

    /// Connections that peers open are spread over the shards in turn.
    fn next_shard(&self) -> usize {
        self.next_runtime.fetch_add(1, Ordering::Relaxed) % self.runtimes.len()
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
