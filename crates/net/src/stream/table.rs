//! All connections: by their id, by where we opened them to, and how many each peer has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mediator_model::{ConnectionId, Flow, ListenerId, Transport};
use parking_lot::RwLock;

use super::StreamSettings;
use super::connection::{Connection, Origin};
use super::wire::Writer;

pub(super) struct Table {
    rows: RwLock<Rows>,
    next_id: AtomicU64,
    max_connections: usize,
    max_per_peer: usize,
}

#[derive(Default)]
struct Rows {
    by_id: HashMap<ConnectionId, Arc<Connection>>,
    opened: HashMap<Way, Arc<Connection>>,
    accepted: usize,
    accepted_by_peer: HashMap<IpAddr, usize>,
}

/// What a connection that we opened may be used again for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Way {
    transport: Transport,
    listener: ListenerId,
    remote: SocketAddr,
}

impl Way {
    fn of(flow: &Flow) -> Self {
        Self { transport: flow.transport, listener: flow.listener, remote: flow.remote }
    }
}

/// Why an accepted connection is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    PeerLimit,
    TotalLimit,
}

/// The end of [`Table::open`].
pub(super) enum Opened {
    /// Made now; it is the caller's to connect.
    New(Arc<Connection>),
    /// Somebody made it before.
    Existing(Arc<Connection>),
    TooMany,
}

/// The key under which a peer is counted: whoever has one IPv6 address has its /64.
pub(super) fn peer_key(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
    }
}

impl Table {
    pub(super) fn new(settings: &StreamSettings) -> Self {
        Self {
            rows: RwLock::default(),
            next_id: AtomicU64::new(1),
            max_connections: settings.max_connections,
            max_per_peer: settings.max_connections_per_peer,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.read().by_id.len()
    }

    pub(super) fn unsent(&self) -> usize {
        let rows = self.rows.read();
        rows.by_id.values().filter(|connection| connection.moved_at().1).count()
    }

    pub(super) fn find(&self, id: ConnectionId) -> Option<Arc<Connection>> {
        self.rows.read().by_id.get(&id).cloned()
    }

    /// A connection that we opened to the flow's remote address.
    pub(super) fn find_opened(&self, flow: &Flow) -> Option<Arc<Connection>> {
        self.rows.read().opened.get(&Way::of(flow)).cloned()
    }

    /// Makes the connection for `flow`, unless there is a living one.
    pub(super) fn open(&self, flow: &Flow) -> Opened {
        let way = Way::of(flow);
        let mut rows = self.rows.write();
        if let Some(existing) = rows.opened.get(&way)
            && !existing.is_closed()
        {
            return Opened::Existing(Arc::clone(existing));
        }
        if rows.opened.len() >= self.max_connections {
            return Opened::TooMany;
        }
        let connection = Connection::new(self.mint(), flow, Origin::Opened, None);
        let connection = Arc::new(connection);
        rows.by_id.insert(connection.id, Arc::clone(&connection));
        rows.opened.insert(way, Arc::clone(&connection));
        Opened::New(connection)
    }

    /// Says whether one more connection of `origin` may come, and counts it.
    pub(super) fn admit(&self, origin: Origin) -> Result<(), Refused> {
        let Origin::Accepted(peer) = origin else { return Ok(()) };
        let mut rows = self.rows.write();
        if rows.accepted >= self.max_connections {
            return Err(Refused::TotalLimit);
        }
        let of_peer = rows.accepted_by_peer.entry(peer).or_default();
        if *of_peer >= self.max_per_peer {
            return Err(Refused::PeerLimit);
        }
        *of_peer += 1;
        rows.accepted += 1;
        Ok(())
    }

    /// Enters an accepted connection that was admitted.
    pub(super) fn accepted(&self, flow: &Flow, origin: Origin, writer: Writer) -> Arc<Connection> {
        let connection = Arc::new(Connection::new(self.mint(), flow, origin, Some(writer)));
        self.rows.write().by_id.insert(connection.id, Arc::clone(&connection));
        connection
    }

    /// Forgets a connection.
    pub(super) fn remove(&self, connection: &Connection) {
        let mut rows = self.rows.write();
        rows.by_id.remove(&connection.id);
        match connection.origin {
            Origin::Opened => {
                let way = Way::of(&connection.flow);
                // A newer one may have taken the place.
                if rows.opened.get(&way).is_some_and(|current| current.id == connection.id) {
                    rows.opened.remove(&way);
                }
            }
            Origin::AcceptedKnown => {}
            Origin::Accepted(peer) => rows.discount(peer),
        }
    }

    /// Takes back an admission that led to no connection.
    pub(super) fn discount(&self, origin: Origin) {
        if let Origin::Accepted(peer) = origin {
            self.rows.write().discount(peer);
        }
    }

    fn mint(&self) -> ConnectionId {
        ConnectionId::new(self.next_id.fetch_add(1, Ordering::Relaxed))
    }
}

impl Rows {
    fn discount(&mut self, peer: IpAddr) {
        self.accepted = self.accepted.saturating_sub(1);
        if let Some(count) = self.accepted_by_peer.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                self.accepted_by_peer.remove(&peer);
            }
        }
    }
}
