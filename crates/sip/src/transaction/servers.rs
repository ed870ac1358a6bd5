//! The server transactions of a layer, and the tables that find them.

use super::arena::{Arena, Key};
use super::matching::{Name, SecretHash};
use super::server_invite::ServerInvite;
use super::server_non_invite::ServerNonInvite;
use super::timing::{Due, Timing};
use crate::wheel::TimerId;
use crate::{HeaderError, Message, Request, Via};
use bytes::Bytes;
use hashbrown::HashTable;
use mediator_model::{Flow, Instant};
use smallvec::SmallVec;

/// One server transaction.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) machine: ServerMachine,
    /// Where responses go.
    pub(super) flow: Flow,
    /// The port that the request came from; `flow` has the one that its Via asks for.
    pub(super) source_port: u16,
    pub(super) timer: Option<TimerId>,
    /// Most names fit: a method, a branch of 36 and a sent-by of 20 bytes.
    name: SmallVec<[u8; 64]>,
    hash: u64,
    origin: Origin,
}

#[derive(Debug)]
pub(super) enum ServerMachine {
    Invite(ServerInvite),
    NonInvite(ServerNonInvite),
}

/// Where a request stands among the copies of it that came on different ways (§8.2.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    /// Inside a dialog, or refused: its copies are no merged requests.
    None,
    /// The first copy, with the fingerprint of what all have in common.
    First(u64),
    /// A further one.
    Merged,
}

#[derive(Debug)]
pub(super) struct Servers {
    arena: Arena<Server>,
    by_name: HashTable<Key>,
    by_origin: HashTable<Key>,
    name: Name,
    hash: SecretHash,
    invites: usize,
}

impl Servers {
    pub(super) fn new(hash: SecretHash) -> Self {
        Self {
            arena: Arena::new(),
            by_name: HashTable::new(),
            by_origin: HashTable::new(),
            name: Name::default(),
            hash,
            invites: 0,
        }
    }

    /// How many INVITE transactions live, and how many others.
    pub(super) const fn live(&self) -> (usize, usize) {
        (self.invites, self.arena.len() - self.invites)
    }

    pub(super) const fn len(&self) -> usize {
        self.arena.len()
    }

    pub(super) fn get(&self, key: Key) -> Option<&Server> {
        self.arena.get(key)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Server> {
        self.arena.get_mut(key)
    }

    pub(super) fn key_at(&self, index: u32) -> Option<Key> {
        self.arena.key_at(index)
    }

    /// The transaction of `method` that the request belongs to (§17.2.3).
    pub(super) fn find(
        &mut self,
        method: &str,
        request: &Request,
        via: &Via<'_>,
    ) -> Result<Option<Key>, HeaderError> {
        self.name.set(method, request, via)?;
        let whole = self.name.whole();
        let hash = self.hash.of(self.name.head());
        let is_it =
            |key: &Key| self.arena.get(*key).is_some_and(|server| server.name[..] == *whole);
        Ok(self.by_name.find(hash, is_it).copied())
    }

    /// The INVITE that an ACK belongs to. An old peer's ACK has the To tag of our response (§17.2.3); one
    /// without any is let pass, for else we would repeat the failure in vain.
    pub(super) fn find_acknowledged(
        &mut self,
        ack: &Request,
        via: &Via<'_>,
    ) -> Result<Option<Key>, HeaderError> {
        self.name.set("INVITE", ack, via)?;
        let head = self.name.head();
        let to_tag = self.name.has_to_tag().then(|| self.name.whole().get(head.len()..)).flatten();
        let hash = self.hash.of(head);
        let is_it = |key: &Key| {
            self.arena.get(*key).is_some_and(|server| {
                server.hash == hash
                    && server.name.starts_with(head)
                    && to_tag.is_none_or(|tag| server.answered_with(tag))
            })
        };
        Ok(self.by_name.find(hash, is_it).copied())
    }

    /// Makes the transaction that the last [`Self::find`] did not find.
    pub(super) fn insert(
        &mut self,
        machine: ServerMachine,
        request: &Request,
        (flow, source_port): (Flow, u16),
    ) -> Key {
        let hash = self.hash.of(self.name.head());
        let origin = self.origin_of(request);
        if matches!(machine, ServerMachine::Invite(_)) {
            self.invites += 1;
        }
        let name = SmallVec::from_slice(self.name.whole());
        let server = Server { machine, flow, source_port, timer: None, name, hash, origin };
        let key = self.arena.insert(server);
        let arena = &self.arena;
        self.by_name.insert_unique(hash, key, |key| arena.get(*key).map_or(0, |it| it.hash));
        if let Origin::First(hash) = origin {
            self.by_origin.insert_unique(hash, key, |key| {
                arena.get(*key).and_then(Server::fingerprint).unwrap_or_default()
            });
        }
        key
    }

    /// Removes an ended transaction; its timer is the caller's to cancel.
    pub(super) fn remove(&mut self, key: Key) -> Option<Server> {
        self.forget_origin(key);
        let server = self.arena.remove(key)?;
        if matches!(server.machine, ServerMachine::Invite(_)) {
            self.invites -= 1;
        }
        if let Ok(entry) = self.by_name.find_entry(server.hash, |it| *it == key) {
            entry.remove();
        }
        Some(server)
    }

    /// Another copy of the request came here before, and has not been refused (§8.2.2.2).
    pub(super) fn is_merged(&self, key: Key) -> bool {
        self.arena.get(key).is_some_and(|server| server.origin == Origin::Merged)
    }

    /// From here on a copy of the request is none: this one was refused, or is gone.
    pub(super) fn forget_origin(&mut self, key: Key) {
        let Some(server) = self.arena.get_mut(key) else { return };
        let Origin::First(hash) = server.origin else { return };
        server.origin = Origin::None;
        if let Ok(entry) = self.by_origin.find_entry(hash, |it| *it == key) {
            entry.remove();
        }
    }

    fn origin_of(&self, request: &Request) -> Origin {
        let Some(hash) = self.hash.of_origin(request) else { return Origin::None };
        let is_it = |key: &Key| {
            self.arena.get(*key).is_some_and(|server| server.fingerprint() == Some(hash))
        };
        if self.by_origin.find(hash, is_it).is_some() {
            Origin::Merged
        } else {
            Origin::First(hash)
        }
    }
}

#[cfg(test)]
impl Servers {
    /// What the tables still hold.
    pub(super) fn leftovers(&self) -> usize {
        self.arena.len() + self.by_name.len() + self.by_origin.len()
    }
}

impl Server {
    /// The way that the request came.
    pub(super) fn source(&self) -> Flow {
        let mut source = self.flow;
        source.remote.set_port(self.source_port);
        source
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.deadline(),
            ServerMachine::NonInvite(machine) => machine.deadline(),
        }
    }

    pub(super) fn handle_deadline(&mut self, now: Instant, timing: Timing<'_>) -> Due {
        match &mut self.machine {
            ServerMachine::Invite(machine) => machine.handle_deadline(now, timing),
            ServerMachine::NonInvite(machine) => machine.handle_deadline(now),
        }
    }

    pub(super) fn respond(
        &mut self,
        now: Instant,
        status: u16,
        bytes: Bytes,
        timing: Timing<'_>,
    ) -> Option<Bytes> {
        match &mut self.machine {
            ServerMachine::Invite(machine) => machine.respond(now, status, bytes, timing),
            ServerMachine::NonInvite(machine) => machine.respond(now, status, bytes, timing),
        }
    }

    pub(super) fn repeated(&self) -> Option<Bytes> {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.repeated(),
            ServerMachine::NonInvite(machine) => machine.repeated(),
        }
    }

    pub(super) const fn is_terminated(&self) -> bool {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.is_terminated(),
            ServerMachine::NonInvite(machine) => machine.is_terminated(),
        }
    }

    const fn fingerprint(&self) -> Option<u64> {
        match self.origin {
            Origin::First(hash) => Some(hash),
            Origin::None | Origin::Merged => None,
        }
    }

    /// Whether the failure that waits for its ACK has this To tag (RFC 2543 peers); true where none waits.
    fn answered_with(&self, to_tag: &[u8]) -> bool {
        let ServerMachine::Invite(machine) = &self.machine else { return false };
        let Some(reply) = machine.unacknowledged() else { return true };
        match Message::parse(Bytes::copy_from_slice(reply)) {
            Ok(message) => message.headers().to_tag().is_ok_and(|tag| tag == Some(to_tag)),
            Err(_) => false,
        }
    }
}
