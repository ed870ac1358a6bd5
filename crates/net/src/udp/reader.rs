//! Reading a UDP socket: readiness, then drain.
//!
//! Each datagram is read into one scratch buffer and copied into memory of its exact size. Sharing
//! the scratch buffer out instead was measured to cost more (`benches/socket_cost.rs`, section
//! `copy`), and would let one kept header pin 64 KiB.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

use super::UdpListener;
use super::datagram::{DatagramKind, datagram_kind};
use crate::event::NetEvent;

/// Longer than the longest UDP payload (65,507 bytes), so that nothing is ever cut off.
const SCRATCH_BYTES: usize = 64 * 1024;

/// How a [`UdpReader::drain`] ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drained {
    /// The events handed over.
    pub events: usize,
    /// Whether the socket is empty; else drain again before sleeping.
    pub empty: bool,
}

/// The one reader of a listener's socket; it lives on the runtime that made it.
pub struct UdpReader {
    listener: Arc<UdpListener>,
    /// The same socket once more, as this runtime knows it.
    socket: Arc<UdpSocket>,
    scratch: Box<[u8]>,
    flusher: AbortHandle,
}

impl UdpReader {
    pub(super) fn new(listener: Arc<UdpListener>) -> io::Result<Self> {
        let socket = Arc::new(UdpSocket::from_std(listener.socket.try_clone()?)?);
        let flusher = tokio::spawn(flush_backlog(Arc::clone(&listener), Arc::clone(&socket)));
        Ok(Self {
            listener,
            socket,
            scratch: vec![0; SCRATCH_BYTES].into_boxed_slice(),
            flusher: flusher.abort_handle(),
        })
    }

    /// The listener that is read.
    pub fn listener(&self) -> &Arc<UdpListener> {
        &self.listener
    }

    /// Ready when [`drain`](Self::drain) may find something; else the task is woken then.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_recv_ready(context)
    }

    /// Waits until [`drain`](Self::drain) may find something.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Reads until the socket is empty or `limit` datagrams were read, and hands each message to
    /// `handle`. Keep-alives and STUN are counted and dropped; errors of the socket are counted,
    /// for on UDP the next datagram has nothing to do with the last.
    pub fn drain(&mut self, limit: usize, handle: &mut impl FnMut(NetEvent)) -> Drained {
        let Self { listener, socket, scratch, .. } = self;
        let mut seen = Seen::default();
        // One visit to the runtime for the whole batch; it learns from the error that the socket is
        // empty, and only then waits for the kernel's word again.
        let read = socket.try_io(Interest::READABLE, || {
            for _ in 0..limit {
                match listener.socket.recv_from(scratch) {
                    Ok((length, remote)) => {
                        let datagram = scratch.get(..length).unwrap_or_default();
                        if seen.is_message(datagram) {
                            let bytes = Bytes::copy_from_slice(datagram);
                            let flow = listener.flow_from(remote);
                            handle(NetEvent::Message { flow, bytes });
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
                    Err(_) => seen.errors += 1,
                }
            }
            Ok(())
        });
        seen.count_in(listener);
        Drained { events: seen.messages, empty: read.is_err() }
    }
}

impl Drop for UdpReader {
    fn drop(&mut self) {
        self.flusher.abort();
    }
}

/// Counted here while draining, and added to the shared counters once.
#[derive(Default)]
struct Seen {
    messages: usize,
    keep_alives: u64,
    stun: u64,
    errors: u64,
}

impl Seen {
    fn is_message(&mut self, datagram: &[u8]) -> bool {
        match datagram_kind(datagram) {
            DatagramKind::Message => {
                self.messages += 1;
                return true;
            }
            DatagramKind::KeepAlive => self.keep_alives += 1,
            DatagramKind::Stun => self.stun += 1,
        }
        false
    }

    fn count_in(&self, listener: &UdpListener) {
        let counters = &listener.counters;
        counters.received.fetch_add(self.messages as u64, Ordering::Relaxed);
        if self.keep_alives > 0 {
            counters.keep_alives.fetch_add(self.keep_alives, Ordering::Relaxed);
        }
        if self.stun > 0 {
            counters.stun.fetch_add(self.stun, Ordering::Relaxed);
        }
        if self.errors > 0 {
            counters.receive_errors.fetch_add(self.errors, Ordering::Relaxed);
        }
    }
}

/// Empties the listener's backlog whenever the kernel has room again.
async fn flush_backlog(listener: Arc<UdpListener>, socket: Arc<UdpSocket>) {
    loop {
        listener.backlog.filled().await;
        // tokio learns that the buffer is full from its own failed attempt, and only then waits.
        while !listener.backlog.flush(&mut |bytes, remote| socket.try_send_to(bytes, remote)) {
            if socket.writable().await.is_err() {
                return; // the runtime is going away
            }
        }
    }
}
