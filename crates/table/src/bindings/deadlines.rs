//! When bindings end, the earliest first: 8 bytes an entry, any of them taken out in logarithmic time.
//!
//! A tree and not a wheel: ends lie from seconds to years ahead, a binding that is written anew must leave no stale
//! entry behind, and no step may touch more than a few nodes however many entries fall on one second.

use std::collections::{BTreeSet, HashSet};

use mediator_model::{Binding, Sid, UnixMillis};

/// The last 32 bits of a sid, all random: enough to find a few by, and what is found is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SidTail(pub(super) u32);

impl SidTail {
    pub(super) const fn of(sid: Sid) -> Self {
        Self(sid.as_u128() as u32)
    }
}

/// Unix seconds, rounded up, above the tail of a sid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Entry(u64);

impl Entry {
    /// An end past the year 2106 is none: lookups keep to it all the same, and nobody waits to sweep it.
    fn of(binding: &Binding) -> Option<Self> {
        let second = u32::try_from(binding.deadline()?.0.div_ceil(1000)).ok()?;
        Some(Self((u64::from(second) << 32) | u64::from(SidTail::of(binding.sid).0)))
    }

    const fn tail(self) -> SidTail {
        SidTail(self.0 as u32)
    }

    const fn due(self) -> UnixMillis {
        UnixMillis((self.0 >> 32) * 1000)
    }
}

/// The ends of all bindings that have one.
#[derive(Default)]
pub(super) struct Deadlines {
    ends: BTreeSet<Entry>,
    /// Entries that stand for more than one binding. One in 2^32 pairs of the same second: hardly ever any.
    shared: HashSet<Entry>,
}

impl Deadlines {
    pub(super) fn insert(&mut self, binding: &Binding) {
        let Some(entry) = Entry::of(binding) else { return };
        if !self.ends.insert(entry) {
            self.shared.insert(entry);
        }
    }

    /// A shared entry stays until it is due: it may find fewer bindings then than it stood for.
    pub(super) fn remove(&mut self, binding: &Binding) {
        if let Some(entry) = Entry::of(binding)
            && !self.shared.contains(&entry)
        {
            self.ends.remove(&entry);
        }
    }

    pub(super) fn next(&self) -> Option<UnixMillis> {
        self.ends.first().map(|entry| entry.due())
    }

    /// Takes out the earliest, if its time has come. Every binding with this tail that is past its end is due.
    pub(super) fn pop_due(&mut self, now: UnixMillis) -> Option<SidTail> {
        let first = *self.ends.first()?;
        (first.due() <= now).then(|| {
            self.ends.pop_first();
            self.shared.remove(&first);
            first.tail()
        })
    }
}

impl<'a> FromIterator<&'a Binding> for Deadlines {
    /// In bulk, which packs the tree's nodes full.
    fn from_iter<T: IntoIterator<Item = &'a Binding>>(bindings: T) -> Self {
        let mut all: Vec<Entry> = bindings.into_iter().filter_map(Entry::of).collect();
        all.sort_unstable();
        let twins = all.windows(2).filter_map(|pair| match pair {
            [a, b] if a == b => Some(*a),
            _ => None,
        });
        Self { shared: twins.collect(), ends: all.into_iter().collect() }
    }
}
