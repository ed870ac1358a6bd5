//! A hash index of bindings whose readers never wait: cells of one cache line, each place in them an atomic pointer.
//!
//! A reader compares six bytes of one cell and follows a pointer only where a byte agrees with the hash, so that a hit
//! costs two cache misses (the cell, the binding) and a miss one. A writer changes one place. Nothing is ever rehashed:
//! a full cell gets another one behind it, and an index that holds ten times what it was made for walks ten cells.
//! Writers are kept apart by a lock that is not here.
//!
//! Why this one: `benches/lookup.rs` at 1,000,000 bindings in random order, each found as an `Arc` of the caller's own and
//! asked for its end, medians of six runs in turn on a machine with other work (2 cores, AMD EPYC):
//!
//! | | hit ns | miss ns | insert us, 50 / 99.9 % | bytes an entry | |
//! |---|---|---|---|---|---|
//! | no index, the floor | 54 | | | 0 | one cache miss: the binding itself |
//! | this | 148 | 13 | 0.7 / 5 | 18 | |
//! | dashmap 6, 256 shards | 144 | 13 | 0.2 / 8 | 53 | readers wait for writers of their shard |
//! | papaya 0.2 | 136 | 45 | 0.2 / 14 | 54 | |
//! | scc 3 `HashIndex` | 157 | 10 | 0.2 / 36 | 55 | no value is replaced in one step |
//! | hash maps in 4096 arc-swaps | 163 | 18 | 2.5 / 13 | 53 | |
//!
//! The miss is one look; a lookup that finds nothing at all takes three of them in [`crate::BindingTable`], 39 ns.
//! A hit is 23 ns of work while cells and bindings are in a cache, and two cache misses (94-139 ns in all, by allocator
//! and by page size) when none of a million is; all of the above pay at least those two. What decided are the bytes, for a
//! binding and all that finds it fit in 200 (112 of them the binding as malloc counts it), that readers never wait, and
//! that an insert touches one place.
//!
//! Invariants, which make a reader's walk right beside a writer:
//! - a place is filled before its tag says so, and its tag says empty before it is emptied;
//! - a key stays at its place until it leaves the index;
//! - cells are only added, behind others.

use std::array;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use mediator_model::Binding;

#[cfg(test)]
mod tests;

/// Places in a cell: with their tags and the way to the next cell they fill 64 bytes.
const PLACES: usize = 6;
/// Places that are taken in the mean, in two cells, when the index holds what it was made for.
const FILL_OF_TWO: usize = 9;
/// Cells that come into being together, a page of them: an index that holds little costs little.
const CELLS_PER_CHUNK: usize = 64;

/// The index by one kind of key. What the key is and how it is hashed, the callers know.
pub(crate) struct Index {
    chunks: Box<[OnceLock<Box<Chunk>>]>,
}

type Chunk = [Line; CELLS_PER_CHUNK];

/// A cell that begins where a cache line does. Those behind it need not.
#[derive(Default)]
#[repr(align(64))]
struct Line(Cell);

impl Index {
    /// An index for about `capacity` bindings.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let cells = capacity.saturating_mul(2) / FILL_OF_TWO;
        let chunks = cells.div_ceil(CELLS_PER_CHUNK).max(1);
        Self { chunks: (0..chunks).map(|_| OnceLock::new()).collect() }
    }

    /// The binding with this hash that `is` accepts.
    pub(crate) fn find(&self, hash: u64, is: impl Fn(&Binding) -> bool) -> Option<Arc<Binding>> {
        self.chunk(hash).get()?.get(cell_of(hash))?.0.find(tag_of(hash), &is)
    }

    /// Puts a binding in whose key is not here.
    pub(crate) fn insert(&self, hash: u64, binding: Arc<Binding>) {
        let chunk = self.chunk(hash).get_or_init(|| Box::new(array::from_fn(|_| Line::default())));
        if let Some(cell) = chunk.get(cell_of(hash)) {
            cell.0.insert(tag_of(hash), binding);
        }
    }

    /// Puts `new` in the place of `old`, which has the same key. Readers see the one or the other.
    pub(crate) fn replace(&self, hash: u64, old: &Arc<Binding>, new: Arc<Binding>) {
        self.at_place_of(hash, old, |_, place| place.store(Some(new)));
    }

    /// Takes a binding out.
    pub(crate) fn remove(&self, hash: u64, binding: &Arc<Binding>) {
        self.at_place_of(hash, binding, |tag, place| {
            tag.store(EMPTY, Ordering::Release);
            place.store(None);
        });
    }

    /// All bindings, cell by cell; those put in or taken out meanwhile may be seen or not.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Arc<Binding>> + '_ {
        let cells = self.chunks.iter().filter_map(OnceLock::get).flat_map(|chunk| chunk.iter());
        cells.flat_map(|cell| {
            let mut all = Vec::new();
            cell.0.collect(&mut all);
            all
        })
    }

    fn at_place_of(
        &self,
        hash: u64,
        binding: &Arc<Binding>,
        act: impl FnOnce(&AtomicU8, &ArcSwapOption<Binding>),
    ) {
        let cell = self.chunk(hash).get().and_then(|chunk| chunk.get(cell_of(hash)));
        let there = cell.is_some_and(|cell| cell.0.at_place_of(binding, act));
        debug_assert!(there, "writers only touch what they have found");
    }

    /// The upper half of a hash, mapped onto the chunks.
    fn chunk(&self, hash: u64) -> &OnceLock<Box<Chunk>> {
        let at = ((hash >> 32) * self.chunks.len() as u64) >> 32;
        self.chunks.get(at as usize).expect("a part of 2^32 times a count, over 2^32, is below it")
    }
}

/// Six bits of a hash that choose neither chunk nor tag.
const fn cell_of(hash: u64) -> usize {
    (hash >> 8) as usize % CELLS_PER_CHUNK
}

const EMPTY: u8 = 0;

/// The low byte of a hash, and never that of an empty place.
const fn tag_of(hash: u64) -> u8 {
    if hash as u8 == EMPTY { 1 } else { hash as u8 }
}

/// One cache line.
#[derive(Default)]
struct Cell {
    tags: [AtomicU8; PLACES],
    /// Spares those who find nothing here the look at a pointer that is nearly always null.
    has_next: AtomicBool,
    places: [ArcSwapOption<Binding>; PLACES],
    next: ArcSwapOption<Self>,
}

impl Cell {
    fn find(&self, wanted: u8, is: &impl Fn(&Binding) -> bool) -> Option<Arc<Binding>> {
        for (tag, place) in self.tags.iter().zip(&self.places) {
            if tag.load(Ordering::Acquire) == wanted
                && let Some(binding) = place.load().as_ref().filter(|binding| is(binding))
            {
                return Some(binding.clone());
            }
        }
        if self.has_next.load(Ordering::Acquire) {
            return self.next.load().as_ref()?.find(wanted, is);
        }
        None
    }

    fn insert(&self, tag: u8, binding: Arc<Binding>) {
        let mut places = self.tags.iter().zip(&self.places);
        if let Some((free, place)) = places.find(|(tag, _)| tag.load(Ordering::Relaxed) == EMPTY) {
            place.store(Some(binding));
            free.store(tag, Ordering::Release);
        } else if let Some(next) = self.next.load().as_ref() {
            next.insert(tag, binding);
        } else {
            let next = Self::default();
            next.insert(tag, binding);
            self.next.store(Some(Arc::new(next)));
            self.has_next.store(true, Ordering::Release);
        }
    }

    /// Acts on the place that holds exactly this binding; `false` where none does.
    fn at_place_of(
        &self,
        binding: &Arc<Binding>,
        act: impl FnOnce(&AtomicU8, &ArcSwapOption<Binding>),
    ) -> bool {
        let holds = |place: &ArcSwapOption<Binding>| {
            place.load().as_ref().is_some_and(|held| Arc::ptr_eq(held, binding))
        };
        match self.tags.iter().zip(&self.places).find(|(_, place)| holds(place)) {
            Some((tag, place)) => {
                act(tag, place);
                true
            }
            None => self.next.load().as_ref().is_some_and(|next| next.at_place_of(binding, act)),
        }
    }

    fn collect(&self, all: &mut Vec<Arc<Binding>>) {
        all.extend(self.places.iter().filter_map(ArcSwapOption::load_full));
        if let Some(next) = self.next.load().as_ref() {
            next.collect(all);
        }
    }
}
