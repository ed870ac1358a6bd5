//! One connection as senders see it: a writer that any thread may use, and what waits for it.
//!
//! Invariant: bytes leave in the order in which they were given. Whoever writes holds the lock, and
//! writes straight to the socket only when nothing waits.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;

use bytes::{Buf, Bytes};
use mediator_model::{ConnectionId, Flow};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::StreamSettings;
use super::wire::Writer;

/// Who sent a message, should it never leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ticket {
    pub(super) shard: usize,
    pub(super) tag: u64,
}

/// How a send ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sent {
    /// Written, or waiting.
    Taken,
    /// Too much waits already. A connection that was up is closed for it.
    QueueFull,
    /// The connection is no more; nothing was written.
    Gone,
}

/// Who began the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// We did.
    Opened,
    /// A peer that is configured; it does not count towards the limits.
    AcceptedKnown,
    /// Any other peer, counted under this key.
    Accepted(IpAddr),
}

/// What becomes of a connection whose queue was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flushed {
    /// Nothing waits.
    Empty,
    /// The kernel takes no more now.
    Blocked,
    /// The connection is no more.
    Gone,
}

pub(super) struct Connection {
    pub(super) id: ConnectionId,
    /// What messages from here carry.
    pub(super) flow: Flow,
    pub(super) origin: Origin,
    outbox: Mutex<Outbox>,
    /// Tells the task that the outbox wants it.
    changed: Notify,
}

struct Outbox {
    phase: Phase,
    queue: VecDeque<Queued>,
    queued_bytes: usize,
    /// When bytes were last taken by the kernel.
    moved_at: Instant,
    overflowed: bool,
}

enum Phase {
    Connecting,
    Open(Writer),
    Closed,
}

struct Queued {
    bytes: Bytes,
    /// `None` for what nobody waits for: pongs, answers to broken messages.
    ticket: Option<Ticket>,
}

impl Connection {
    /// A connection that is still being opened (no `writer`) or is up.
    pub(super) fn new(
        id: ConnectionId,
        flow: &Flow,
        origin: Origin,
        writer: Option<Writer>,
    ) -> Self {
        let flow = Flow { connection: Some(id), ..*flow };
        let outbox = Outbox {
            phase: writer.map_or(Phase::Connecting, Phase::Open),
            queue: VecDeque::new(),
            queued_bytes: 0,
            moved_at: Instant::now(),
            overflowed: false,
        };
        Self { id, flow, origin, outbox: Mutex::new(outbox), changed: Notify::new() }
    }

    /// Sends a message that a shard will ask about.
    pub(super) fn send(&self, bytes: &Bytes, ticket: Ticket, settings: &StreamSettings) -> Sent {
        self.put(bytes, Some(ticket), settings.max_queued_bytes)
    }

    /// Sends what nobody will ask about.
    pub(super) fn send_unasked(&self, bytes: &Bytes, settings: &StreamSettings) -> Sent {
        self.put(bytes, None, settings.max_queued_bytes)
    }

    fn put(&self, bytes: &Bytes, ticket: Option<Ticket>, max_queued_bytes: usize) -> Sent {
        let mut outbox = self.outbox.lock();
        let Ok(written) = outbox.write_now(bytes) else {
            drop(outbox);
            self.changed.notify_one();
            return Sent::Gone;
        };
        if written == bytes.len() {
            return Sent::Taken;
        }
        let rest = bytes.len() - written;
        if outbox.queued_bytes + rest > max_queued_bytes {
            if let Phase::Open(_) = outbox.phase {
                outbox.overflowed = true;
                outbox.phase = Phase::Closed;
            }
            drop(outbox);
            self.changed.notify_one();
            return Sent::QueueFull;
        }
        if outbox.queue.is_empty() {
            outbox.moved_at = Instant::now();
        }
        outbox.queued_bytes += rest;
        outbox.queue.push_back(Queued { bytes: bytes.slice(written..), ticket });
        drop(outbox);
        self.changed.notify_one();
        Sent::Taken
    }

    /// Turns a connection that was being opened into one that is up. `false` when it was closed
    /// meanwhile.
    pub(super) fn up(&self, writer: Writer) -> bool {
        let mut outbox = self.outbox.lock();
        match outbox.phase {
            Phase::Connecting => {
                outbox.phase = Phase::Open(writer);
                outbox.moved_at = Instant::now();
                true
            }
            Phase::Open(_) | Phase::Closed => false,
        }
    }

    /// Writes what waits.
    pub(super) fn flush(&self) -> Flushed {
        self.outbox.lock().flush()
    }

    /// Waits until the task should look at the outbox.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// When the kernel last took bytes, and whether more wait.
    pub(super) fn moved_at(&self) -> (Instant, bool) {
        let outbox = self.outbox.lock();
        (outbox.moved_at, !outbox.queue.is_empty())
    }

    /// Closed by us or found dead; the task is about to notice.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.outbox.lock().phase, Phase::Closed)
    }

    /// Closed because the peer read too slowly.
    pub(super) fn has_overflowed(&self) -> bool {
        self.outbox.lock().overflowed
    }

    /// Ends the connection; its task does the rest.
    pub(super) fn shut(&self) {
        self.outbox.lock().phase = Phase::Closed;
        self.changed.notify_one();
    }

    /// Ends the connection and gives back the tickets of all that never left.
    pub(super) fn close(&self) -> Vec<Ticket> {
        let mut outbox = self.outbox.lock();
        outbox.phase = Phase::Closed;
        outbox.queued_bytes = 0;
        std::mem::take(&mut outbox.queue).into_iter().filter_map(|queued| queued.ticket).collect()
    }
}

/// The connection is closed, or was found dead just now.
struct Gone;

impl Outbox {
    /// Writes straight to the socket where nothing waits; says how much it took.
    fn write_now(&mut self, bytes: &[u8]) -> Result<usize, Gone> {
        let writer = match &self.phase {
            Phase::Open(writer) if self.queue.is_empty() => writer,
            Phase::Open(_) | Phase::Connecting => return Ok(0),
            Phase::Closed => return Err(Gone),
        };
        match writer.try_write(bytes) {
            Ok(written) => {
                self.moved_at = Instant::now();
                Ok(written)
            }
            Err(error) if is_transient(&error) => Ok(0),
            Err(_) => {
                self.phase = Phase::Closed;
                Err(Gone)
            }
        }
    }

    fn flush(&mut self) -> Flushed {
        let writer = match &self.phase {
            Phase::Open(writer) => writer,
            Phase::Connecting => return Flushed::Empty,
            Phase::Closed => return Flushed::Gone,
        };
        while let Some(front) = self.queue.front_mut() {
            match writer.try_write(&front.bytes) {
                Ok(written) => {
                    self.moved_at = Instant::now();
                    self.queued_bytes -= written;
                    front.bytes.advance(written);
                    if front.bytes.is_empty() {
                        self.queue.pop_front();
                    }
                }
                Err(error) if is_transient(&error) => return Flushed::Blocked,
                Err(_) => {
                    self.phase = Phase::Closed;
                    return Flushed::Gone;
                }
            }
        }
        Flushed::Empty
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
