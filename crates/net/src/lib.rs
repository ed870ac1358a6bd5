//! Sockets for SIP: UDP and TCP, the look-up of servers by name (RFC 3263), and the one clock read.
//!
//! Shards drive it. A shard reads its UDP sockets itself ([`UdpReader::drain`] calls straight into
//! a closure); connections are read by small tasks on the shards' runtimes and reach the owner of a
//! message through its [`Inbox`]. Sending ([`Sender::send`]) is a system call on the caller's
//! thread wherever the kernel takes the bytes.
//!
//! Deliberately not here: reading SIP. Cutting a stream into messages ([`FrameReader`]) and
//! choosing the owner of one ([`Route`]) come from the caller.

mod clock;
mod dispatch;
mod dns;
mod event;
mod inbox;
mod listeners;
mod local_address;
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
pub use listeners::Listeners;
pub use local_address::{LocalAddresses, local_address_towards};
pub use sender::Sender;
pub use stream::{
    Frame, FrameReader, StreamCounts, StreamListener, StreamParts, StreamPolicy, StreamSettings,
    Streams,
};
pub use udp::{
    DatagramKind, Drained, SOCKET_BUFFER_BYTES, UdpCounts, UdpListener, UdpReader, datagram_kind,
};
