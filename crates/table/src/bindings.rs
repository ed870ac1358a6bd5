//! The binding table: (number dialled, caller) to binding, read by every call and written by few.
//!
//! Invariants:
//! - at most one live binding a [`BindingKey`], and one a sid;
//! - a lookup never waits, never returns a binding past its end, and finds a binding that is on its way from
//!   (redirect, any) to (redirect, caller) at one of the two, for it is put at the new key before it leaves the old;
//! - a claim is decided under the writer's lock against the binding as it stands: one caller wins, whoever read what;
//! - the journal hears of a change before any reader can see it, and of changes in the order in which they happen.
//!
//! One writer at a time holds a lock for a few microseconds; a durable store takes changes one after the other anyway.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use mediator_model::{
    Binding, BindingKey, Bindings, Change, Claim, ClaimWindow, Lookup, MatchRule, Number, Sid,
    UnixMillis,
};
use parking_lot::{Mutex, MutexGuard};

use crate::index::Index;
use deadlines::{Deadlines, SidTail};

mod deadlines;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod race_tests;
#[cfg(test)]
mod tests;

/// The most changes that one [`BindingTable::expire`] makes.
pub const EXPIRE_BATCH: usize = 1024;

/// Expiries between two moments at which a waiting writer gets the lock.
const EXPIRIES_PER_HOLD: usize = 16;

/// How many bindings a table is made for unless told otherwise.
const DEFAULT_CAPACITY: usize = 1_000_000;

/// Hears of every change that this table makes, in the order in which they take effect.
///
/// It is called with the writer's lock held, before readers can see the change: it hands the change to a queue, and
/// neither waits for a disk nor calls the table.
pub trait Journal: Send + Sync {
    /// Takes the next change.
    fn append(&self, change: &Change);
}

/// Why a write changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WriteError {
    /// Another live binding has this redirect and origination number.
    #[error("the binding {holder} has this redirect_did and origination_did already")]
    Conflict {
        /// The other one.
        holder: Sid,
    },
    /// A new binding has the sid of one that is there.
    #[error("there is a binding with this sid already")]
    SidTaken,
    /// The binding is not what it was when the write was worked out: it was claimed or written meanwhile.
    #[error("the binding was changed meanwhile")]
    Stale,
    /// The binding is gone, or past its end.
    #[error("there is no such binding")]
    Gone,
}

/// Why bindings make no table: two live ones with one key or one sid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the bindings {first} and {second} have the same sid, or the same numbers")]
pub struct DuplicateKey {
    /// One of them.
    pub first: Sid,
    /// The other.
    pub second: Sid,
}

/// All bindings, by key and by sid.
pub struct BindingTable {
    hashing: Hashing,
    by_key: Index,
    by_sid: Index,
    len: AtomicUsize,
    writer: Mutex<Deadlines>,
    journal: Option<Box<dyn Journal>>,
}

impl BindingTable {
    /// An empty table for about `capacity` bindings; it holds more, a little slower.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            hashing: Hashing(RandomState::default()),
            by_key: Index::with_capacity(capacity),
            by_sid: Index::with_capacity(capacity),
            len: AtomicUsize::new(0),
            writer: Mutex::default(),
            journal: None,
        }
    }

    /// A table of what a store held, and the removal of whatever is past its end at `now`, for the store to log.
    ///
    /// Much faster than so many [`insert`](Self::insert)s, and never told to the journal.
    pub fn load(
        bindings: impl IntoIterator<Item = Arc<Binding>>,
        now: UnixMillis,
    ) -> Result<(Self, Vec<Change>), DuplicateKey> {
        let (expired, live): (Vec<_>, Vec<_>) =
            bindings.into_iter().partition(|binding| binding.is_expired(now));
        let mut table = Self::with_capacity(live.len().max(DEFAULT_CAPACITY));
        *table.len.get_mut() = live.len();
        *table.writer.get_mut() = live.iter().map(|binding| &**binding).collect();
        for binding in live {
            let same = table.at(&binding.key).or_else(|| table.with_sid(binding.sid));
            if let Some(first) = same {
                return Err(DuplicateKey { first: first.sid, second: binding.sid });
            }
            table.by_key.insert(table.hashing.key(&binding.key), binding.clone());
            table.by_sid.insert(table.hashing.sid(binding.sid), binding);
        }
        Ok((table, expired.iter().map(|binding| removal(binding)).collect()))
    }

    /// The same table with somebody who hears of every change.
    #[must_use]
    pub fn with_journal(self, journal: Box<dyn Journal>) -> Self {
        Self { journal: Some(journal), ..self }
    }

    /// How many bindings it holds, those included whose end nobody has swept yet.
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The binding with this sid, unless it is past its end.
    pub fn by_sid(&self, sid: Sid, now: UnixMillis) -> Option<Arc<Binding>> {
        self.with_sid(sid).filter(|binding| !binding.is_expired(now))
    }

    /// All bindings that are not past their end, in no order. Writes during the walk may be seen or not.
    pub fn iter(&self, now: UnixMillis) -> impl Iterator<Item = Arc<Binding>> + '_ {
        self.by_sid.iter().filter(move |binding| !binding.is_expired(now))
    }

    /// All of one account, in no order: a walk over the whole table, for exports and not for calls.
    pub fn of_account(
        &self,
        account_sid: Sid,
        now: UnixMillis,
    ) -> impl Iterator<Item = Arc<Binding>> + '_ {
        self.iter(now).filter(move |binding| binding.account_sid == account_sid)
    }

    /// Puts a new binding in. A binding past its end that holds the key or the sid makes way, as a change of its own.
    pub fn insert(
        &self,
        binding: Arc<Binding>,
        now: UnixMillis,
    ) -> Result<Vec<Change>, WriteError> {
        let mut write = self.write();
        let same_sid = self.with_sid(binding.sid);
        if same_sid.as_ref().is_some_and(|held| !held.is_expired(now)) {
            return Err(WriteError::SidTaken);
        }
        let holder = self.vacate(&binding.key, binding.sid, now)?;
        for gone in [same_sid, holder].into_iter().flatten() {
            write.discard(&gone);
        }
        write.put(None, binding);
        Ok(write.changes)
    }

    /// Puts `next` in the place of `current`, which has the same sid, if the table still holds exactly `current`.
    ///
    /// Read the binding, work out the next one, replace; on [`WriteError::Stale`] begin again, so that a claim that
    /// came between is not undone.
    pub fn replace(
        &self,
        current: &Arc<Binding>,
        next: Arc<Binding>,
        now: UnixMillis,
    ) -> Result<Vec<Change>, WriteError> {
        debug_assert_eq!(current.sid, next.sid, "a binding keeps its sid");
        let mut write = self.write();
        let held = self.by_sid(current.sid, now).ok_or(WriteError::Gone)?;
        if !Arc::ptr_eq(&held, current) || current.sid != next.sid {
            return Err(WriteError::Stale);
        }
        if let Some(gone) = self.vacate(&next.key, next.sid, now)? {
            write.discard(&gone);
        }
        write.put(Some(&held), next);
        Ok(write.changes)
    }

    /// Takes a binding out; `None` where there is none.
    pub fn remove(&self, sid: Sid) -> Option<Change> {
        let mut write = self.write();
        let held = self.with_sid(sid)?;
        write.discard(&held);
        write.changes.pop()
    }

    /// Gives the binding `sid` at (`redirect_did`, any) to its first caller.
    ///
    /// Lost where it is not there, not waiting any more, or the caller has a binding of its own by now, which wins
    /// over any (contract §2) and which the caller's next lookup finds.
    pub fn claim_first(
        &self,
        redirect_did: Number,
        sid: Sid,
        caller: Number,
        now: UnixMillis,
    ) -> (Claim, Vec<Change>) {
        let mut write = self.write();
        let Some(held) = self.by_sid(sid, now).filter(|held| awaits_caller(held, redirect_did))
        else {
            return (Claim::Lost, Vec::new());
        };
        let claimed = Arc::new(claimed(&held, caller));
        match self.vacate(&claimed.key, sid, now) {
            Ok(gone) => gone.iter().for_each(|gone| write.discard(gone)),
            Err(_) => return (Claim::Lost, Vec::new()),
        }
        write.claim(&held, claimed.clone(), caller);
        (Claim::Won(claimed), write.changes)
    }

    /// Takes out bindings past their end, the earliest first and at most [`EXPIRE_BATCH`]; call again while it is full.
    ///
    /// Ends are kept to the second, rounded up: a binding is swept up to a second after lookups have stopped finding it.
    pub fn expire(&self, now: UnixMillis) -> Vec<Change> {
        let mut write = self.write();
        while write.changes.len() < EXPIRE_BATCH {
            for _ in 0..EXPIRIES_PER_HOLD {
                let Some(tail) = write.deadlines.pop_due(now) else { return write.changes };
                let hash = self.hashing.sid_tail(tail);
                let due = |b: &Binding| SidTail::of(b.sid) == tail && b.is_expired(now);
                while let Some(binding) = self.by_sid.find(hash, due) {
                    write.discard(&binding);
                }
            }
            MutexGuard::bump(&mut write.deadlines);
        }
        write.changes
    }

    /// When [`expire`](Self::expire) has something to do next.
    pub fn next_expiry(&self) -> Option<UnixMillis> {
        self.writer.lock().next()
    }

    /// Repeats a change that was decided elsewhere and logged: by the run before this one, or by another node.
    ///
    /// The log is right: whoever holds the key makes way, and the journal does not hear of it.
    pub fn apply(&self, change: &Change) {
        let mut write = self.write();
        write.journal = None;
        match change {
            Change::BindingPut(binding) => {
                let held = self.with_sid(binding.sid);
                write.displace(&binding.key, binding.sid);
                write.put(held.as_ref(), binding.clone());
            }
            Change::BindingRemoved { binding_sid } => {
                if let Some(held) = self.with_sid(*binding_sid) {
                    write.discard(&held);
                }
            }
            Change::BindingClaimed { binding_sid, origination_did } => {
                if let Some(held) = self.with_sid(*binding_sid) {
                    let claimed = Arc::new(claimed(&held, *origination_did));
                    write.displace(&claimed.key, held.sid);
                    write.put(Some(&held), claimed);
                }
            }
        }
    }

    /// Whoever but `sid` holds the key and is past its end; a live one is a conflict.
    fn vacate(
        &self,
        key: &BindingKey,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Arc<Binding>>, WriteError> {
        match self.at(key).filter(|holder| holder.sid != sid) {
            Some(holder) if !holder.is_expired(now) => {
                Err(WriteError::Conflict { holder: holder.sid })
            }
            holder => Ok(holder),
        }
    }

    fn at(&self, key: &BindingKey) -> Option<Arc<Binding>> {
        self.by_key.find(self.hashing.key(key), |binding| binding.key == *key)
    }

    fn live_at(&self, key: BindingKey, now: UnixMillis) -> Option<Arc<Binding>> {
        self.at(&key).filter(|binding| !binding.is_expired(now))
    }

    fn with_sid(&self, sid: Sid) -> Option<Arc<Binding>> {
        self.by_sid.find(self.hashing.sid(sid), |binding| binding.sid == sid)
    }

    fn write(&self) -> Write<'_> {
        Write {
            table: self,
            deadlines: self.writer.lock(),
            journal: self.journal.as_deref(),
            changes: Vec::new(),
        }
    }
}

impl Default for BindingTable {
    /// An empty table for 1,000,000 bindings.
    fn default() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }
}

impl Bindings for BindingTable {
    fn lookup(
        &self,
        redirect_did: Number,
        caller: Option<Number>,
        now: UnixMillis,
    ) -> Option<Lookup> {
        let exact = || {
            let key = BindingKey { redirect_did, origination_did: Some(caller?) };
            let binding = self.live_at(key, now)?;
            Some(Lookup { binding, rule: MatchRule::Exact })
        };
        let any = || {
            let binding = self.live_at(BindingKey { redirect_did, origination_did: None }, now)?;
            let rule = match binding.claim {
                ClaimWindow::OpenUntil(_) => MatchRule::Claim,
                ClaimWindow::Closed => MatchRule::Any,
            };
            Some(Lookup { binding, rule })
        };
        // The same caller's claim on another call may have moved the binding from any to exact between the two looks:
        // it was at the new key before it left the old one, so a second look finds it.
        exact().or_else(any).or_else(exact)
    }

    fn claim(
        &self,
        redirect_did: Number,
        binding_sid: Sid,
        caller: Number,
        now: UnixMillis,
    ) -> Claim {
        self.claim_first(redirect_did, binding_sid, caller, now).0
    }
}

/// One write: the lock, and what it has changed so far.
struct Write<'a> {
    table: &'a BindingTable,
    deadlines: MutexGuard<'a, Deadlines>,
    journal: Option<&'a dyn Journal>,
    changes: Vec<Change>,
}

impl Write<'_> {
    fn put(&mut self, old: Option<&Arc<Binding>>, new: Arc<Binding>) {
        self.record(Change::BindingPut(new.clone()));
        self.publish(old, new);
    }

    fn claim(&mut self, old: &Arc<Binding>, new: Arc<Binding>, caller: Number) {
        self.record(Change::BindingClaimed { binding_sid: old.sid, origination_did: caller });
        self.publish(Some(old), new);
    }

    fn discard(&mut self, old: &Arc<Binding>) {
        self.record(removal(old));
        self.deadlines.remove(old);
        self.leave_key(old);
        self.table.by_sid.remove(self.table.hashing.sid(old.sid), old);
        self.table.len.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes out whoever but `sid` holds the key.
    fn displace(&mut self, key: &BindingKey, sid: Sid) {
        if let Some(holder) = self.table.at(key).filter(|holder| holder.sid != sid) {
            self.discard(&holder);
        }
    }

    fn record(&mut self, change: Change) {
        if let Some(journal) = self.journal {
            journal.append(&change);
        }
        self.changes.push(change);
    }

    fn publish(&mut self, old: Option<&Arc<Binding>>, new: Arc<Binding>) {
        let table = self.table;
        if let Some(old) = old {
            self.deadlines.remove(old);
        } else {
            table.len.fetch_add(1, Ordering::Relaxed);
        }
        self.deadlines.insert(&new);
        let by_key = table.hashing.key(&new.key);
        match old {
            Some(old) if old.key == new.key => table.by_key.replace(by_key, old, new.clone()),
            Some(_) | None => {
                table.by_key.insert(by_key, new.clone());
                // New before old: a lookup that reads in between finds it twice rather than never.
                if let Some(old) = old {
                    self.leave_key(old);
                }
            }
        }
        let by_sid = table.hashing.sid(new.sid);
        match old {
            Some(old) => table.by_sid.replace(by_sid, old, new),
            None => table.by_sid.insert(by_sid, new),
        }
    }

    fn leave_key(&self, old: &Arc<Binding>) {
        self.table.by_key.remove(self.table.hashing.key(&old.key), old);
    }
}

/// The hash is seeded, for callers choose half of a key.
struct Hashing(RandomState);

impl Hashing {
    fn key(&self, key: &BindingKey) -> u64 {
        let caller = key.origination_did.map_or(0, Number::as_u64);
        self.0.hash_one((key.redirect_did.as_u64(), caller))
    }

    /// By the tail alone, for that is all that a deadline knows.
    fn sid(&self, sid: Sid) -> u64 {
        self.sid_tail(SidTail::of(sid))
    }

    fn sid_tail(&self, tail: SidTail) -> u64 {
        self.0.hash_one(tail.0)
    }
}

fn awaits_caller(binding: &Binding, redirect_did: Number) -> bool {
    let any = BindingKey { redirect_did, origination_did: None };
    binding.key == any && matches!(binding.claim, ClaimWindow::OpenUntil(_))
}

fn claimed(binding: &Binding, caller: Number) -> Binding {
    let key = BindingKey { origination_did: Some(caller), ..binding.key };
    Binding { key, claim: ClaimWindow::Closed, ..binding.clone() }
}

fn removal(binding: &Binding) -> Change {
    Change::BindingRemoved { binding_sid: binding.sid }
}
