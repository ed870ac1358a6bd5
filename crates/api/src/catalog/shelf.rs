//! Objects of one kind, by their ids and by their age.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use mediator_model::{Sid, UnixMillis};
use mediator_store::record::Versioned;
use mediator_store::write::Revision;

/// Objects of one kind.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    by_sid: HashMap<Sid, (UnixMillis, Versioned<Arc<T>>), RandomState>,
    by_age: BTreeSet<(UnixMillis, Sid)>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { by_sid: HashMap::default(), by_age: BTreeSet::new() }
    }
}

impl<T> Shelf<T> {
    /// Puts an object; gives back the one that it replaces.
    pub(super) fn put(
        &mut self,
        (sid, created): (Sid, UnixMillis),
        record: Arc<T>,
        revision: Revision,
    ) -> Option<Arc<T>> {
        let old = self.by_sid.insert(sid, (created, Versioned { revision, record }));
        if let Some((old_created, _)) = &old {
            self.by_age.remove(&(*old_created, sid));
        }
        self.by_age.insert((created, sid));
        old.map(|(_, old)| old.record)
    }

    pub(super) fn remove(&mut self, sid: Sid) -> Option<Arc<T>> {
        let (created, old) = self.by_sid.remove(&sid)?;
        self.by_age.remove(&(created, sid));
        Some(old.record)
    }

    pub(super) fn record(&self, sid: Sid) -> Option<&Arc<T>> {
        self.by_sid.get(&sid).map(|(_, held)| &held.record)
    }

    pub(super) fn held(&self, sid: Sid) -> Option<Versioned<Arc<T>>> {
        self.by_sid.get(&sid).map(|(_, held)| held.clone())
    }

    /// The oldest first.
    pub(super) fn all(&self) -> Vec<Versioned<Arc<T>>> {
        self.by_age.iter().filter_map(|(_, sid)| self.held(*sid)).collect()
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Arc<T>> {
        self.by_age.iter().filter_map(|(_, sid)| self.record(*sid))
    }
}
