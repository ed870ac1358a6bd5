//! What the sockets tell a shard, and why a send can be refused.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use mediator_model::{ConnectionId, Flow, Transport};

/// Something that happened on a socket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NetEvent {
    /// One whole message: a datagram, or what the framer cut from a stream.
    Message {
        /// Where it came from; answers go back over it.
        flow: Flow,
        /// The message, in memory of its own.
        bytes: Bytes,
    },
    /// The connection is gone. Every shard hears of every connection.
    ConnectionClosed(ConnectionId),
    /// Bytes taken by [`Sender::send`](crate::Sender::send) never left: the connection could not
    /// be opened, or closed before they were written.
    SendFailed {
        /// Where they should have gone.
        flow: Flow,
        /// What the sender gave with them.
        tag: u64,
    },
}

/// Why bytes were not taken. The caller knows at once; no event follows.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The flow names a listener that is not there, or one of another transport.
    #[error("no {transport} listener {listener}")]
    NoListener {
        /// The transport asked for.
        transport: Transport,
        /// The number in the flow.
        listener: u8,
    },
    /// The transport is not part of this build.
    #[error("{0} is not built in")]
    NotBuilt(Transport),
    /// The kernel refused: no route, a datagram too long, another address family, a firewall, a
    /// connection that broke just now.
    #[error("cannot send to {remote}: {source}")]
    Refused {
        /// The peer.
        remote: SocketAddr,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The queue for when the kernel's buffer is full is full itself.
    #[error("the send queue towards {remote} is full")]
    QueueFull {
        /// The peer.
        remote: SocketAddr,
    },
    /// No more connections may be opened ([`StreamSettings::max_connections`](crate::StreamSettings)).
    #[error("too many connections to open one to {remote}")]
    TooManyConnections {
        /// The peer.
        remote: SocketAddr,
    },
}

/// A socket that cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is occupied, not ours, or not allowed.
    #[error("cannot listen on {transport} {address}: {source}")]
    Socket {
        /// The transport asked for.
        transport: Transport,
        /// The address asked for.
        address: SocketAddr,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The transport is not part of this build.
    #[error("cannot listen on {transport} {address}: {transport} is not built in")]
    NotBuilt {
        /// The transport asked for.
        transport: Transport,
        /// The address asked for.
        address: SocketAddr,
    },
    /// [`ListenerId`](mediator_model::ListenerId) counts to 256.
    #[error("{0} listeners are too many, at most 256")]
    TooMany(usize),
}
