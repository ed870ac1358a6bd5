//! A store in which somebody else is quicker: an object is changed between its reading and its writing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mediator_model::{BindingKey, Sid, UnixMillis};
use mediator_store::query::{Page, Query};
use mediator_store::record::{BindingRecord, DialoutRecord};
use mediator_store::{
    Change, Done, FeedError, Kind, Op, ReadError, Record, Remembered, Revision, SqliteStore, Store,
    Versioned, Write,
};

/// Renames, before the first update of a binding that comes through it, that binding.
pub(super) struct Racing {
    store: Arc<SqliteStore>,
    raced: AtomicBool,
}

impl Racing {
    pub(super) fn new(store: Arc<SqliteStore>) -> Self {
        Self { store, raced: AtomicBool::new(false) }
    }
}

impl Store for Racing {
    fn submit(&self, write: Write, done: Done) {
        let binding = write.ops.iter().find_map(|op| match op {
            Op::Update { record: Record::Binding(binding), expect } => Some((binding, *expect)),
            _ => None,
        });
        if let Some((binding, expect)) = binding
            && !self.raced.swap(true, Ordering::Relaxed)
        {
            let held = self.store.object(Kind::Binding, binding.sid, write.now).unwrap().unwrap();
            let Record::Binding(held) = held.record else { panic!("a binding") };
            let quicker = BindingRecord { name: "quicker".into(), ..(*held).clone() };
            let op = Op::Update { record: Record::Binding(Arc::new(quicker)), expect };
            super::super::write(&*self.store, vec![op], write.now).unwrap();
        }
        self.store.submit(write, done);
    }

    fn revision(&self) -> Revision {
        self.store.revision()
    }

    fn changes_after(
        &self,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<(Revision, Change)>, FeedError> {
        self.store.changes_after(after, limit)
    }

    fn snapshot(
        &self,
        now: UnixMillis,
        each: &mut dyn FnMut(Versioned<Record>),
    ) -> Result<Revision, ReadError> {
        self.store.snapshot(now, each)
    }

    fn object(
        &self,
        kind: Kind,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Versioned<Record>>, ReadError> {
        self.store.object(kind, sid, now)
    }

    fn binding_at(
        &self,
        key: BindingKey,
        now: UnixMillis,
    ) -> Result<Option<Versioned<BindingRecord>>, ReadError> {
        self.store.binding_at(key, now)
    }

    fn bindings(
        &self,
        account: Sid,
        query: &Query,
    ) -> Result<Page<Versioned<BindingRecord>>, ReadError> {
        self.store.bindings(account, query)
    }

    fn dialouts(
        &self,
        account: Sid,
        query: &Query,
    ) -> Result<Page<Versioned<DialoutRecord>>, ReadError> {
        self.store.dialouts(account, query)
    }

    fn each_binding(
        &self,
        account: Sid,
        now: UnixMillis,
        each: &mut dyn FnMut(&BindingRecord) -> bool,
    ) -> Result<(), ReadError> {
        self.store.each_binding(account, now, each)
    }

    fn remembered(
        &self,
        owner: Sid,
        key: &str,
        now: UnixMillis,
    ) -> Result<Option<Remembered>, ReadError> {
        self.store.remembered(owner, key, now)
    }

    fn flush(&self) {
        self.store.flush();
    }
}
