//! The life of one connection: open, read, write what waits, close.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use bytes::Bytes;
use mediator_model::Flow;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::connection::{Connection, Flushed, Origin};
use super::frame::{Frame, FrameReader};
use super::wire::{self, Reader};
use super::{Streams, add_one};
use crate::event::NetEvent;

/// One read takes at most this much; all connections of a thread read into the same memory.
const SCRATCH_BYTES: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into_boxed_slice());
}

/// The answer to a double CRLF (RFC 5626 §3.5.1).
const PONG: Bytes = Bytes::from_static(b"\r\n");

/// Why a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Idle,
    Slow,
    Malformed,
    /// By the peer, by an error, or by us on request.
    Over,
}

pub(super) async fn run_accepted(
    streams: Arc<Streams>,
    stream: TcpStream,
    flow: Flow,
    origin: Origin,
) {
    add_one(&streams.counters.accepted);
    let (reader, writer) = wire::halves(stream, streams.settings.write_timeout);
    let connection = streams.table.accepted(&flow, origin, writer);
    run(&streams, &connection, reader).await;
}

pub(super) async fn open_and_run(
    streams: Arc<Streams>,
    connection: Arc<Connection>,
    local: SocketAddr,
) {
    let opening = wire::connect(local, connection.flow.remote);
    match tokio::time::timeout(streams.settings.connect_timeout, opening).await {
        Ok(Ok(stream)) => {
            add_one(&streams.counters.opened);
            let (reader, writer) = wire::halves(stream, streams.settings.write_timeout);
            if connection.up(writer) {
                run(&streams, &connection, reader).await;
                return;
            }
        }
        Ok(Err(error)) => {
            add_one(&streams.counters.connect_failed);
            tracing::debug!(remote = %connection.flow.remote, %error, "cannot connect");
        }
        Err(_elapsed) => {
            add_one(&streams.counters.connect_failed);
            tracing::debug!(remote = %connection.flow.remote, "no answer to connect");
        }
    }
    // Nobody has heard of its id yet.
    forget(&streams, &connection);
}

async fn run(streams: &Arc<Streams>, connection: &Arc<Connection>, reader: Reader) {
    let end = Session::new(streams, connection, reader).run().await;
    let counters = &streams.counters;
    match end {
        End::Idle => add_one(&counters.closed_idle),
        End::Slow => add_one(&counters.closed_slow),
        End::Malformed => add_one(&counters.closed_malformed),
        End::Over if connection.has_overflowed() => add_one(&counters.closed_slow),
        End::Over => {}
    }
    tracing::debug!(remote = %connection.flow.remote, ?end, "connection closed");
    forget(streams, connection);
    streams.dispatch.connection_closed(connection.id);
}

/// Takes the connection out of the table and reports what never left.
fn forget(streams: &Streams, connection: &Connection) {
    streams.table.remove(connection);
    let flow = Flow { connection: None, ..connection.flow };
    for ticket in connection.close() {
        add_one(&streams.counters.send_failed);
        let event = NetEvent::SendFailed { flow, tag: ticket.tag };
        streams.dispatch.send_failed(ticket.shard, event);
    }
}

/// What is done with bytes that come.
#[derive(Clone, Copy)]
enum Reading {
    /// Framed and handed on.
    On,
    /// Thrown away until the answer to what was malformed has been read: closing a socket with bytes
    /// unread would tear the answer from the peer's hands.
    Discard { until: Instant },
    /// The peer will send no more, but may wait for answers.
    Ended { until: Instant },
}

/// What [`Session::step`] waited for.
enum Step {
    /// So many bytes were read; 0 is the end of the stream.
    Read(usize),
    Writable,
}

struct Session<'a> {
    streams: &'a Arc<Streams>,
    connection: &'a Connection,
    reader: Reader,
    framer: Box<dyn FrameReader>,
    reading: Reading,
    born_at: Instant,
    /// When bytes last came.
    read_at: Instant,
    /// When the message that is not yet whole began.
    begun_at: Option<Instant>,
    /// When the last whole message came.
    message_at: Option<Instant>,
    /// Whether anything sensible came yet.
    greeted: bool,
}

impl<'a> Session<'a> {
    fn new(streams: &'a Arc<Streams>, connection: &'a Connection, reader: Reader) -> Self {
        let now = Instant::now();
        Self {
            streams,
            connection,
            reader,
            framer: streams.policy.framer(&connection.flow),
            reading: Reading::On,
            born_at: now,
            read_at: now,
            begun_at: None,
            message_at: None,
            // Only strangers have to show at once what they came for.
            greeted: !matches!(connection.origin, Origin::Accepted(_)),
        }
    }

    async fn run(&mut self) -> End {
        let mut timer = pin!(tokio::time::sleep_until(self.deadline().0));
        loop {
            let blocked = match self.connection.flush() {
                Flushed::Empty => false,
                Flushed::Blocked => true,
                Flushed::Gone => return End::Over,
            };
            let (deadline, _) = self.deadline();
            // A later deadline waits for the timer to fire; only an earlier one moves it.
            if deadline < timer.deadline() {
                timer.as_mut().reset(deadline);
            }
            tokio::select! {
                biased;
                () = self.connection.changed() => {}
                step = self.step(blocked) => match step {
                    Ok(Step::Read(0)) => if let Some(end) = self.peer_ended() { return end },
                    Ok(Step::Read(_)) => self.take_frames().await,
                    Ok(Step::Writable) => {}
                    Err(_) => return End::Over,
                },
                () = timer.as_mut() => {
                    // Senders write without a word to this task: look again.
                    let (deadline, end) = self.deadline();
                    if deadline <= Instant::now() {
                        return end;
                    }
                    timer.as_mut().reset(deadline);
                }
            }
        }
    }

    /// Waits for the socket: reads once and pushes what came to the framer, or, where `blocked`,
    /// finds that the kernel takes bytes again. Cancelling it loses nothing.
    async fn step(&mut self, blocked: bool) -> io::Result<Step> {
        poll_fn(|context| {
            if blocked && self.reader.poll_writable(context).is_ready() {
                return Poll::Ready(Ok(Step::Writable));
            }
            if let Reading::Ended { .. } = self.reading {
                return Poll::Pending;
            }
            SCRATCH.with_borrow_mut(|scratch| {
                let read = ready!(self.reader.poll_read(context, scratch))?;
                if let Reading::On = self.reading {
                    self.framer.push(scratch.get(..read).unwrap_or_default());
                }
                Poll::Ready(Ok(Step::Read(read)))
            })
        })
        .await
    }

    /// The nearest moment at which this connection has to end, and as what.
    fn deadline(&self) -> (Instant, End) {
        let settings = &self.streams.settings;
        let (moved_at, waits) = self.connection.moved_at();
        let mut nearest = (self.read_at.max(moved_at) + settings.idle_timeout, End::Idle);
        let mut sooner = |at: Instant, end| {
            if at < nearest.0 {
                nearest = (at, end);
            }
        };
        if waits {
            sooner(moved_at + settings.write_timeout, End::Slow);
        }
        if let Some(begun_at) = self.begun_at {
            sooner(begun_at + settings.message_timeout, End::Slow);
        }
        if !self.greeted {
            sooner(self.born_at + settings.greeting_timeout, End::Idle);
        }
        match self.reading {
            Reading::On => {}
            Reading::Discard { until } => sooner(until, End::Malformed),
            Reading::Ended { until } => sooner(until, End::Over),
        }
        nearest
    }

    /// The peer closed its side: all is over, unless it may still wait for an answer.
    fn peer_ended(&mut self) -> Option<End> {
        match self.reading {
            Reading::Discard { .. } => return Some(End::Malformed),
            Reading::Ended { .. } => return Some(End::Over),
            Reading::On => {}
        }
        match (self.connection.origin, self.message_at) {
            (Origin::Accepted(_) | Origin::AcceptedKnown, Some(message_at)) => {
                let until = message_at + self.streams.settings.linger;
                self.reading = Reading::Ended { until };
                (until <= Instant::now()).then_some(End::Over)
            }
            (Origin::Accepted(_) | Origin::AcceptedKnown, None) | (Origin::Opened, _) => {
                Some(End::Over)
            }
        }
    }

    /// Hands on each whole message. Where the owner's inbox is full this waits, and reads no more.
    async fn take_frames(&mut self) {
        let now = Instant::now();
        self.read_at = now;
        let mut progress = false;
        loop {
            match self.framer.poll_frame() {
                Frame::Incomplete => break,
                Frame::Message(bytes) => {
                    progress = true;
                    self.message_at = Some(now);
                    add_one(&self.streams.counters.received);
                    let owner = self.streams.dispatch.owner_post(&bytes);
                    owner.post(NetEvent::Message { flow: self.connection.flow, bytes }).await;
                }
                Frame::Ping => {
                    progress = true;
                    self.connection.send_unasked(&PONG, &self.streams.settings);
                }
                Frame::Pong => progress = true,
                Frame::Broken { answer } => {
                    if let Some(answer) = answer {
                        self.connection.send_unasked(&answer, &self.streams.settings);
                    }
                    self.begun_at = None;
                    self.reading = Reading::Discard { until: now + self.streams.settings.linger };
                    return;
                }
            }
        }
        self.greeted |= progress;
        self.begun_at = match (self.framer.pending_bytes(), progress) {
            (0, _) => None,
            (_, true) => Some(now),
            (_, false) => self.begun_at.or(Some(now)),
        };
    }
}
