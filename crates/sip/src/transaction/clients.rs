//! The client transactions of a layer, and the tables that find them.

use super::arena::{Arena, Key};
use super::client_invite::ClientInvite;
use super::client_non_invite::ClientNonInvite;
use super::matching::SecretHash;
use super::timing::{Due, Timing};
use crate::Method;
use crate::wheel::TimerId;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use hashbrown::HashTable;
use mediator_model::{ConnectionId, Flow, Instant};
use smallvec::SmallVec;

/// A Via's branch; ours fit without an allocation.
type Branch = SmallVec<[u8; 24]>;

/// One client transaction.
#[derive(Debug)]
pub(super) struct Client<U> {
    pub(super) machine: ClientMachine,
    /// Where the request went.
    pub(super) flow: Flow,
    pub(super) timer: Option<TimerId>,
    pub(super) user: U,
    branch: Branch,
    method: Method,
    hash: u64,
}

#[derive(Debug)]
pub(super) enum ClientMachine {
    Invite(ClientInvite),
    NonInvite(ClientNonInvite),
}

#[derive(Debug)]
pub(super) struct Clients<U> {
    arena: Arena<Client<U>>,
    by_branch: HashTable<Key>,
    /// The requests that a stream connection carries, by their places.
    by_connection: BTreeSet<(ConnectionId, u32)>,
    hash: SecretHash,
    invites: usize,
}

impl<U: Copy> Clients<U> {
    pub(super) fn new(hash: SecretHash) -> Self {
        Self {
            arena: Arena::new(),
            by_branch: HashTable::new(),
            by_connection: BTreeSet::new(),
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

    pub(super) fn get(&self, key: Key) -> Option<&Client<U>> {
        self.arena.get(key)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Client<U>> {
        self.arena.get_mut(key)
    }

    pub(super) fn key_at(&self, index: u32) -> Option<Key> {
        self.arena.key_at(index)
    }

    /// The transaction that a response with this branch and CSeq method belongs to (§17.1.3).
    pub(super) fn find(&self, branch: &[u8], method: Method) -> Option<Key> {
        let is_it = |key: &Key| {
            self.arena
                .get(*key)
                .is_some_and(|client| client.method == method && client.branch[..] == *branch)
        };
        self.by_branch.find(self.hash.of(branch), is_it).copied()
    }

    pub(super) fn insert(
        &mut self,
        machine: ClientMachine,
        method: Method,
        branch: &[u8],
        route: (Flow, U),
    ) -> Key {
        let hash = self.hash.of(branch);
        if matches!(machine, ClientMachine::Invite(_)) {
            self.invites += 1;
        }
        let (flow, user) = route;
        let branch = SmallVec::from_slice(branch);
        let key =
            self.arena.insert(Client { machine, flow, timer: None, user, branch, method, hash });
        let arena = &self.arena;
        self.by_branch.insert_unique(hash, key, |key| arena.get(*key).map_or(0, |it| it.hash));
        if let Some(connection) = flow.connection {
            self.by_connection.insert((connection, key.index()));
        }
        key
    }

    /// Removes an ended transaction; its timer is the caller's to cancel.
    pub(super) fn remove(&mut self, key: Key) -> Option<Client<U>> {
        let client = self.arena.remove(key)?;
        if matches!(client.machine, ClientMachine::Invite(_)) {
            self.invites -= 1;
        }
        if let Ok(entry) = self.by_branch.find_entry(client.hash, |it| *it == key) {
            entry.remove();
        }
        if let Some(connection) = client.flow.connection {
            self.by_connection.remove(&(connection, key.index()));
        }
        Some(client)
    }

    /// A response came on this connection: what else the transaction sends goes there too.
    pub(super) fn follow(&mut self, key: Key, connection: Option<ConnectionId>) {
        let Some(client) = self.arena.get_mut(key) else { return };
        let (Some(new), old) = (connection, client.flow.connection) else { return };
        if old == Some(new) {
            return;
        }
        client.flow.connection = Some(new);
        if let Some(old) = old {
            self.by_connection.remove(&(old, key.index()));
        }
        self.by_connection.insert((new, key.index()));
    }

    /// The transactions whose requests went over this connection.
    pub(super) fn on_connection(&self, connection: ConnectionId) -> Vec<Key> {
        self.by_connection
            .range((connection, 0)..=(connection, u32::MAX))
            .filter_map(|(_, index)| self.arena.key_at(*index))
            .collect()
    }
}

#[cfg(test)]
impl<U> Clients<U> {
    /// What the tables still hold.
    pub(super) fn leftovers(&self) -> usize {
        self.arena.len() + self.by_branch.len() + self.by_connection.len()
    }
}

impl<U> Client<U> {
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.machine {
            ClientMachine::Invite(machine) => machine.deadline(),
            ClientMachine::NonInvite(machine) => machine.deadline(),
        }
    }

    pub(super) fn handle_deadline(&mut self, now: Instant, timing: Timing<'_>) -> Due {
        match &mut self.machine {
            ClientMachine::Invite(machine) => machine.handle_deadline(now),
            ClientMachine::NonInvite(machine) => machine.handle_deadline(now, timing),
        }
    }

    pub(super) fn transport_failed(&mut self) -> bool {
        match &mut self.machine {
            ClientMachine::Invite(machine) => machine.transport_failed(),
            ClientMachine::NonInvite(machine) => machine.transport_failed(),
        }
    }

    pub(super) const fn is_terminated(&self) -> bool {
        match &self.machine {
            ClientMachine::Invite(machine) => machine.is_terminated(),
            ClientMachine::NonInvite(machine) => machine.is_terminated(),
        }
    }

    /// The branch of the request's Via.
    pub(super) const fn branch(&self) -> &Branch {
        &self.branch
    }
}
