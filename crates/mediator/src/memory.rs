//! What is kept in memory of the store, and how it follows: bindings for calls, the catalog for the API, and the
//! directory that routing reads.
//!
//! Loaded once from the store's snapshot; from then on every write of the store comes here before its writer is
//! answered, so that an answer of the API means that the next INVITE goes by it.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use mediator_api::catalog::Catalog;
use mediator_call::io::Input;
use mediator_model::{Binding, Directory, Sid, UnixMillis};
use mediator_store::record::{BindingRecord, DialoutRecord};
use mediator_store::{Change, Committed, Follower, Kind, Record, Versioned};
use mediator_table::{BindingTable, DuplicateKey, Gate};
use parking_lot::Mutex;
use tracing::error;

use crate::dialouts::Dialouts;
use crate::directory::{self, Sources};
use crate::shards::Orders;

/// What a snapshot is gathered into.
#[derive(Default)]
pub struct Loading {
    bindings: Vec<Arc<Binding>>,
    dialouts: Vec<Versioned<Arc<DialoutRecord>>>,
    catalog: Catalog,
    sources: Sources,
}

impl Loading {
    /// Takes one object of the snapshot.
    pub fn add(&mut self, object: Versioned<Record>) {
        match &object.record {
            Record::Binding(binding) => self.bindings.push(binding.to_binding()),
            Record::Dialout(dialout) => {
                let (revision, record) = (object.revision, dialout.clone());
                self.dialouts.push(Versioned { revision, record });
            }
            other => {
                self.sources.put(other);
            }
        }
        self.catalog.load(object);
    }

    /// What was gathered, at work, and the dialouts among it; `gate` knows the trunks.
    pub fn finish(self, gate: Arc<Gate>, now: UnixMillis) -> Result<Loaded, DuplicateKey> {
        let (bindings, _expired) = BindingTable::load(self.bindings, now)?;
        let memory = Memory {
            bindings: Arc::new(bindings),
            catalog: Arc::new(self.catalog),
            directory: Arc::default(),
            gate,
            routing: Mutex::new(Routing { sources: self.sources, is_stale: false }),
            shards: Mutex::default(),
            dialouts: OnceLock::new(),
        };
        memory.build_directory(&memory.routing.lock().sources);
        Ok(Loaded { memory, dialouts: self.dialouts })
    }
}

/// What a snapshot comes to.
pub struct Loaded {
    /// What follows the store from here on.
    pub memory: Memory,
    /// The dialouts that wait, or were interrupted.
    pub dialouts: Vec<Versioned<Arc<DialoutRecord>>>,
}

/// What the directory is made of, and whether it was since.
struct Routing {
    sources: Sources,
    is_stale: bool,
}

/// The store's objects in memory.
pub struct Memory {
    /// Bindings as calls look them up.
    pub bindings: Arc<BindingTable>,
    /// The small objects.
    pub catalog: Arc<Catalog>,
    /// Endpoints, trunk groups and DIDs as routing reads them.
    pub directory: Arc<ArcSwap<Directory>>,
    /// Limits and the health of trunks.
    pub gate: Arc<Gate>,
    routing: Mutex<Routing>,
    shards: Mutex<Option<Orders>>,
    dialouts: OnceLock<Arc<Dialouts>>,
}

impl Memory {
    /// From here on the shards hear of every new directory; of the one that there is now, at once.
    pub fn tell(&self, shards: Orders) {
        // Under the lock no directory can come between the one that is told now and those that follow.
        let routing = self.routing.lock();
        *self.shards.lock() = Some(shards);
        self.tell_all(&self.directory.load_full());
        drop(routing);
    }

    /// From here on the schedule hears of every dialout.
    pub fn schedule(&self, dialouts: Arc<Dialouts>) {
        // There is one process, and it has one schedule.
        let _ = self.dialouts.set(dialouts);
    }

    fn tell_all(&self, directory: &Arc<Directory>) {
        if let Some(shards) = &*self.shards.lock() {
            shards.give(&Input::Directory(directory.clone()));
        }
    }

    fn build_directory(&self, sources: &Sources) {
        let directory = match directory::build(sources) {
            Ok(directory) => Arc::new(directory),
            Err(cause) => {
                return error!(%cause, "the objects make no directory: calls go by the old one");
            }
        };
        self.directory.store(directory.clone());
        let trunks = directory.trunk_groups().iter().flat_map(|group| &group.trunks);
        let trunks: HashSet<Sid> = trunks.map(|trunk| trunk.sid).collect();
        self.gate.retain(|sid| trunks.contains(&sid) || directory.endpoint_by_sid(sid).is_some());
        self.tell_all(&directory);
    }

    fn put_binding(&self, record: &BindingRecord) {
        self.bindings.apply(&mediator_model::Change::BindingPut(record.to_binding()));
    }

    fn remove_binding(&self, binding_sid: Sid) {
        self.bindings.apply(&mediator_model::Change::BindingRemoved { binding_sid });
    }
}

impl Follower for Memory {
    fn committed(&self, committed: &Committed) {
        let mut routing = self.routing.lock();
        let Routing { sources, is_stale } = &mut *routing;
        for change in committed.changes.iter() {
            match change {
                Change::Put(Record::Binding(record)) => self.put_binding(record),
                Change::Put(record) => *is_stale |= sources.put(record),
                Change::Removed { kind: Kind::Binding, sid } => self.remove_binding(*sid),
                Change::Removed { kind, sid } => *is_stale |= sources.remove(*kind, *sid),
            }
        }
        drop(routing);
        self.catalog.apply(committed);
        if let Some(dialouts) = self.dialouts.get() {
            dialouts.apply(committed);
        }
    }

    /// One directory for a group of writes: with many DIDs it takes milliseconds.
    fn settled(&self) {
        let mut routing = self.routing.lock();
        if std::mem::take(&mut routing.is_stale) {
            self.build_directory(&routing.sources);
        }
    }

    fn claim_failed(&self, binding_sid: Sid, binding: Option<Versioned<BindingRecord>>) {
        match binding {
            Some(held) => self.put_binding(&held.record),
            None => self.remove_binding(binding_sid),
        }
    }
}

#[cfg(test)]
mod tests;
