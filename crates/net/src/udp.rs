//! UDP for SIP (RFC 3261 §18): one socket a listener, one reader, any number of senders.
//!
//! The socket is bound before any runtime exists, so that an occupied port ends the start with its
//! name. Reading is the business of one shard ([`UdpReader`]); sending is a system call from
//! whichever thread has something to send. Only when the kernel's buffer is full do datagrams wait,
//! in a bounded queue that the reader's runtime empties.
//!
//! Deliberately not here: batched system calls (measured without gain), the choice between UDP and
//! TCP by size (§18.1.1; it belongs to who builds the request).

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mediator_model::{Flow, ListenerId, Transport};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::event::{BindError, SendError};

mod backlog;
mod datagram;
mod reader;
#[cfg(test)]
mod tests;

use backlog::Backlog;
pub use datagram::{DatagramKind, datagram_kind};
pub use reader::{Drained, UdpReader};

/// The kernel buffers asked for: some 1,800 messages of 900 bytes, as the kernel counts them.
/// The kernel gives what `net.core.rmem_max` and `wmem_max` allow.
pub const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// A bound UDP socket.
pub struct UdpListener {
    id: ListenerId,
    local: SocketAddr,
    socket: UdpSocket,
    backlog: Backlog,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    received: AtomicU64,
    keep_alives: AtomicU64,
    stun: AtomicU64,
    receive_errors: AtomicU64,
    refused: AtomicU64,
}

/// What a UDP listener has seen since its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UdpCounts {
    /// Datagrams handed on as messages.
    pub received: u64,
    /// Datagrams that only keep a NAT's mapping alive, or are too short to be answered.
    pub keep_alives: u64,
    /// STUN requests, which nobody answers here.
    pub stun: u64,
    /// Errors of the socket when reading; reading goes on.
    pub receive_errors: u64,
    /// Datagrams that had to wait for the kernel's buffer.
    pub deferred: u64,
    /// Datagrams that did not even find room to wait.
    pub dropped: u64,
    /// Datagrams that the kernel refused.
    pub refused: u64,
}

impl UdpListener {
    /// Binds `address`. An occupied port is an error: `SO_REUSEADDR` stays off, for with it two
    /// servers would share a UDP port and each lose half.
    pub fn bind(id: ListenerId, address: SocketAddr) -> Result<Arc<Self>, BindError> {
        let named = |source| BindError::Socket { transport: Transport::Udp, address, source };
        let socket = open(address).map_err(named)?;
        let local = socket.local_addr().map_err(named)?;
        Ok(Arc::new(Self {
            id,
            local,
            socket,
            backlog: Backlog::default(),
            counters: Counters::default(),
        }))
    }

    /// The address bound, with the port that the kernel chose where 0 was asked for.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// The place in the config.
    pub fn id(&self) -> ListenerId {
        self.id
    }

    /// Sends one datagram, at once where the kernel's buffer has room, else as soon as it has.
    pub fn send(&self, bytes: &[u8], remote: SocketAddr) -> Result<(), SendError> {
        // Whoever waits already goes first.
        if self.backlog.is_empty() {
            match send_datagram(&self.socket, bytes, remote) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(source) => {
                    self.counters.refused.fetch_add(1, Ordering::Relaxed);
                    return Err(SendError::Refused { remote, source });
                }
            }
        }
        match self.backlog.push(bytes, remote) {
            Ok(()) => Ok(()),
            Err(backlog::Full) => Err(SendError::QueueFull { remote }),
        }
    }

    /// The reader of this socket, on the current runtime. A listener has one.
    pub fn reader(self: &Arc<Self>) -> io::Result<UdpReader> {
        UdpReader::new(Arc::clone(self))
    }

    /// What was seen so far.
    pub fn counts(&self) -> UdpCounts {
        let Counters { received, keep_alives, stun, receive_errors, refused } = &self.counters;
        UdpCounts {
            received: received.load(Ordering::Relaxed),
            keep_alives: keep_alives.load(Ordering::Relaxed),
            stun: stun.load(Ordering::Relaxed),
            receive_errors: receive_errors.load(Ordering::Relaxed),
            deferred: self.backlog.deferred(),
            dropped: self.backlog.dropped(),
            refused: refused.load(Ordering::Relaxed),
        }
    }

    /// The size of the kernel's receive buffer as granted, in the kernel's own count.
    pub fn receive_buffer_bytes(&self) -> io::Result<usize> {
        SockRef::from(&self.socket).recv_buffer_size()
    }

    fn flow_from(&self, remote: SocketAddr) -> Flow {
        Flow { transport: Transport::Udp, listener: self.id, remote, connection: None }
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // `[::]:5060` and `0.0.0.0:5060` are two listeners; addresses then never come mapped.
        socket.set_only_v6(true)?;
    }
    // Best effort: a smaller buffer is no reason not to start.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn send_datagram(socket: &UdpSocket, bytes: &[u8], remote: SocketAddr) -> io::Result<()> {
    loop {
        match socket.send_to(bytes, remote) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
