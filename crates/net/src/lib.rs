//! Sockets: UDP and TCP for SIP, ports for RTP, the look-up of servers by name (RFC 3263), and the one clock read.
//!
//! Shards drive it. A shard reads its UDP sockets itself ([`UdpReader::drain`] calls straight into
//! a closure); connections are read by small tasks on the shards' runtimes and reach the owner of a
//! message through its [`Inbox`]. Sending ([`Sender::send`]) is a system call on the caller's
//! thread wherever the kernel takes the bytes.
//!
//! Deliberately not here: reading SIP. Cutting a stream into messages ([`FrameReader`]) and
//! choosing the owner of one ([`Route`]) come from the caller.
//!
//! The loop of a shard that reads one UDP socket:
//!
//! ```no_run
//! use std::future::{Future, poll_fn};
//! use std::pin::pin;
//! use std::task::Poll;
//!
//! use mediator_net::{Clock, Inbox, Moderation, NetEvent, Sorter, UdpReader};
//!
//! /// What decides: takes events, sends, and says when it wants to be called again.
//! trait Engine {
//!     fn handle(&mut self, now: mediator_model::Instant, event: NetEvent);
//!     fn send_and_handle_deadlines(&mut self, now: mediator_model::Instant);
//!     fn next_deadline(&self) -> mediator_model::Instant;
//! }
//!
//! async fn shard(
//!     clock: Clock,
//!     mut reader: UdpReader,
//!     mut inbox: Inbox<NetEvent>,
//!     mut sorter: Sorter,
//!     mut engine: impl Engine,
//! ) {
//!     const BATCH: usize = 64;
//!     let mut moderation = Moderation::default();
//!     let mut timer = pin!(tokio::time::sleep_until(clock.wake_at(engine.next_deadline())));
//!     loop {
//!         poll_fn(|context| {
//!             let socket = reader.poll_readable(context).is_ready();
//!             let others = inbox.poll_ready(context).is_ready();
//!             let time = timer.as_mut().poll(context).is_ready();
//!             if socket || others || time { Poll::Ready(()) } else { Poll::Pending }
//!         })
//!         .await;
//!         let now = clock.now();
//!         let drained = reader.drain(BATCH, &mut |event| {
//!             // Messages of other shards' calls go there, all at once.
//!             if let Some(ours) = sorter.sort(event) {
//!                 engine.handle(now, ours);
//!             }
//!         });
//!         sorter.flush();
//!         let handed = inbox.drain(BATCH, &mut |event| engine.handle(now, event));
//!         engine.send_and_handle_deadlines(now);
//!         timer.as_mut().reset(clock.wake_at(engine.next_deadline()));
//!         moderation.count(now, drained.events + handed);
//!         if !drained.empty || handed == BATCH {
//!             // More is waiting; the connections' tasks get their turn all the same.
//!             tokio::task::yield_now().await;
//!         } else if let Some(pause) = moderation.pause() {
//!             std::thread::sleep(pause);
//!         }
//!     }
//! }
//! ```

mod clock;
mod dispatch;
mod dns;
mod event;
mod inbox;
mod limits;
mod listeners;
mod local_address;
mod moderation;
mod rtp;
mod sender;
mod stream;
mod udp;

pub use clock::Clock;
pub use dispatch::{Dispatch, Route, Sorter};
pub use dns::{
    Answer, Candidate, DnsName, Known, LocateError, MAX_CANDIDATES, Naptr, Progress, Question,
    Reach, Resolver, ResolverCounts, ResolverError, ResolverSettings, Srv, Target, TargetHost,
    Zone, ZoneError, ZoneFault, locate,
};
pub use event::{BindError, NetEvent, SendError};
pub use inbox::{INBOX_LIMIT, Inbox, Post, inbox};
pub use limits::raise_descriptor_limit;
pub use listeners::Listeners;
pub use local_address::{LocalAddresses, local_address_towards};
pub use moderation::Moderation;
pub use rtp::{
    RtpCounts, RtpDatagram, RtpForward, RtpPair, RtpPoller, RtpPorts, RtpSocket, RtpSockets,
    RtpWaker,
};
pub use sender::Sender;
pub use stream::{
    Frame, FrameReader, StreamCounts, StreamListener, StreamParts, StreamPolicy, StreamSettings,
    Streams,
};
pub use udp::{
    DatagramKind, Drained, SOCKET_BUFFER_BYTES, UdpCounts, UdpListener, UdpReader, datagram_kind,
};
