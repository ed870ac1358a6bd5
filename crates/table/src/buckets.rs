//! A hash index whose readers never wait: many small immutable buckets, each behind a pointer that is swapped whole.
//!
//! A reader loads one pointer, looks through about fifteen neighbours in one allocation and clones what it found. A
//! writer copies one bucket with the change and publishes it; writers are told apart by a lock that is not here.
//! Nothing is ever rehashed, so no insert is slower than the copy of a bucket.

use std::sync::Arc;

use arc_swap::ArcSwapAny;
use mediator_model::Binding;
use triomphe::ThinArc;

/// What a bucket holds: a binding, with or without something to tell it by before memory is touched.
pub(crate) trait Slot: Clone {
    /// The binding of this place.
    fn binding(&self) -> &Arc<Binding>;
}

type Bucket<S> = ThinArc<(), S>;

/// A fixed number of buckets.
pub(crate) struct Buckets<S> {
    cells: Box<[ArcSwapAny<Option<Bucket<S>>>]>,
    shift: u32,
}

impl<S: Slot> Buckets<S> {
    /// Neighbours in a bucket when the table is as full as it was made for.
    const FILL: usize = 16;
    const MIN_BITS: u32 = 8;
    const MAX_BITS: u32 = 22;

    /// Buckets for about `capacity` entries; more are welcome, and cost time in proportion.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let bits = (capacity / Self::FILL).max(1).next_power_of_two().trailing_zeros();
        let bits = bits.clamp(Self::MIN_BITS, Self::MAX_BITS);
        let cells = (0..1_usize << bits).map(|_| ArcSwapAny::new(None)).collect();
        Self { cells, shift: u64::BITS - bits }
    }

    /// The binding at the first place with this hash that `is` accepts.
    pub(crate) fn find(&self, hash: u64, is: impl Fn(&S) -> bool) -> Option<Arc<Binding>> {
        let bucket = self.cell(hash).load();
        let slot = bucket.as_ref()?.slice.iter().find(|slot| is(slot))?;
        Some(slot.binding().clone())
    }

    /// Takes `old` out and puts `new` in, which readers see as one step. Callers hold the writer's lock.
    pub(crate) fn swap(&self, hash: u64, old: Option<&Arc<Binding>>, new: Option<S>) {
        let cell = self.cell(hash);
        let bucket = cell.load();
        let before = bucket.as_ref().map_or(&[][..], |bucket| &bucket.slice);
        let stays = |slot: &&S| !old.is_some_and(|old| Arc::ptr_eq(old, slot.binding()));
        let mut after: Vec<S> = Vec::with_capacity(before.len() + 1);
        after.extend(before.iter().filter(stays).cloned());
        after.extend(new);
        cell.store(publishable(after));
    }

    /// Fills buckets that nobody reads yet, each with one allocation.
    pub(crate) fn fill(&self, slots: impl Iterator<Item = (u64, S)>) {
        let mut staged: Vec<Vec<S>> = self.cells.iter().map(|_| Vec::new()).collect();
        for (hash, slot) in slots {
            if let Some(bucket) = staged.get_mut(self.index(hash)) {
                bucket.push(slot);
            }
        }
        for (cell, bucket) in self.cells.iter().zip(staged) {
            cell.store(publishable(bucket));
        }
    }

    /// All bindings, bucket by bucket; those put in or taken out meanwhile may be seen or not.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Arc<Binding>> + '_ {
        self.cells.iter().flat_map(|cell| {
            let bucket = cell.load();
            let slots = bucket.as_ref().map_or(&[][..], |bucket| &bucket.slice);
            slots.iter().map(|slot| slot.binding().clone()).collect::<Vec<_>>()
        })
    }

    const fn index(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize
    }

    fn cell(&self, hash: u64) -> &ArcSwapAny<Option<Bucket<S>>> {
        self.cells
            .get(self.index(hash))
            .expect("64 - shift bits are left of a hash, and 2 to that many cells")
    }
}

fn publishable<S>(slots: Vec<S>) -> Option<Bucket<S>> {
    (!slots.is_empty()).then(|| Bucket::from_header_and_iter((), slots.into_iter()))
}
