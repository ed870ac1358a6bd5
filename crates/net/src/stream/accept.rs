//! Listening for connections, and who may come in.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::sync::Arc;
use std::time::Duration;

use mediator_model::{Flow, ListenerId, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use super::connection::Origin;
use super::table::{Refused, peer_key};
use super::{Streams, add_one, task};
use crate::event::BindError;

/// Connections that the kernel holds until we accept them; it cuts this to `net.core.somaxconn`.
const ACCEPT_BACKLOG: i32 = 1024;

/// How long accepting rests when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound TCP listener that is not yet accepting.
#[derive(Debug)]
pub struct StreamListener {
    id: ListenerId,
    local: SocketAddr,
    socket: StdListener,
}

impl StreamListener {
    /// Binds `address`. `SO_REUSEADDR` is set: for TCP it only lets a restart pass old connections
    /// that linger, and an occupied port stays an error.
    pub fn bind(id: ListenerId, address: SocketAddr) -> Result<Self, BindError> {
        let named = |source| BindError::Socket { transport: Transport::Tcp, address, source };
        let socket = open(address).map_err(named)?;
        let local = socket.local_addr().map_err(named)?;
        Ok(Self { id, local, socket })
    }

    /// The place in the config.
    pub fn id(&self) -> ListenerId {
        self.id
    }

    /// The address bound, with the port that the kernel chose where 0 was asked for.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }
}

fn open(address: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(ACCEPT_BACKLOG)?;
    Ok(socket.into())
}

/// Accepts on `listener` for as long as its runtime lives; `place` chooses the runtime.
pub(super) fn start(
    streams: &Arc<Streams>,
    listener: StreamListener,
    place: usize,
) -> io::Result<()> {
    let home = place % streams.runtimes.len();
    let runtime = streams.runtime(home);
    let socket = {
        let _inside = runtime.enter();
        TcpListener::from_std(listener.socket)?
    };
    runtime.spawn(accept_all(Arc::clone(streams), listener.id, socket, home));
    Ok(())
}

async fn accept_all(streams: Arc<Streams>, id: ListenerId, socket: TcpListener, home: usize) {
    let mut failing = false;
    loop {
        match socket.accept().await {
            Ok((stream, remote)) => {
                failing = false;
                let flow =
                    Flow { transport: Transport::Tcp, listener: id, remote, connection: None };
                take_in(&streams, stream, flow, home);
            }
            // The peer gave up while it waited.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                add_one(&streams.counters.accept_failed);
                if !failing {
                    tracing::warn!(%error, listener = id.0, "cannot accept connections");
                }
                failing = true;
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn take_in(streams: &Arc<Streams>, stream: TcpStream, flow: Flow, home: usize) {
    let peer = flow.remote.ip();
    let origin = if streams.policy.is_known_peer(peer) {
        Origin::AcceptedKnown
    } else {
        Origin::Accepted(peer_key(peer))
    };
    if let Err(refused) = streams.table.admit(origin) {
        let counter = match refused {
            Refused::PeerLimit => &streams.counters.refused_peer_limit,
            Refused::TotalLimit => &streams.counters.refused_total_limit,
        };
        add_one(counter);
        tracing::debug!(remote = %flow.remote, ?refused, "connection refused");
        return;
    }
    let shard = streams.next_shard();
    if shard == home {
        streams.runtime(home).spawn(task::run_accepted(Arc::clone(streams), stream, flow, origin));
        return;
    }
    // A socket belongs to the runtime that made it: leave this one, enter the other.
    let streams_there = Arc::clone(streams);
    match stream.into_std() {
        Ok(stream) => {
            streams.runtime(shard).spawn(move_in(streams_there, stream, flow, origin));
        }
        Err(_) => streams.table.discount(origin),
    }
}

async fn move_in(streams: Arc<Streams>, stream: StdStream, flow: Flow, origin: Origin) {
    match TcpStream::from_std(stream) {
        Ok(stream) => task::run_accepted(streams, stream, flow, origin).await,
        Err(_) => streams.table.discount(origin),
    }
}
