//! A table of source addresses that no flood can make grow: buckets of eight, the least important makes way.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use mediator_model::Instant;
use parking_lot::Mutex;

/// The most addresses that one table knows at a time.
pub const MAX_SOURCES: usize = 1 << 16;

/// Addresses in a bucket: looked through one by one.
const WAYS: usize = 8;
const BUCKETS: usize = MAX_SOURCES / WAYS;

/// What is kept of an address.
pub(super) trait Record: Default {
    /// Until when it matters; the earliest makes way first.
    fn matters_until(&self) -> Instant;
}

struct Known<T> {
    address: u128,
    record: T,
}

/// The addresses that are remembered.
pub(super) struct Sources<T> {
    buckets: Box<[Mutex<Vec<Known<T>>>]>,
    hashing: RandomState,
    pushed_out: AtomicU64,
}

impl<T: Record> Sources<T> {
    pub(super) fn new() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| Mutex::default()).collect(),
            hashing: RandomState::default(),
            pushed_out: AtomicU64::new(0),
        }
    }

    /// Acts on what is kept of an address, if anything is.
    pub(super) fn peek<R>(&self, address: u128, act: impl FnOnce(&T) -> R) -> Option<R> {
        let bucket = self.bucket(address).lock();
        bucket.iter().find(|known| known.address == address).map(|known| act(&known.record))
    }

    /// Acts on the record of an address, a new one where none is kept.
    pub(super) fn with<R>(&self, address: u128, now: Instant, act: impl FnOnce(&mut T) -> R) -> R {
        let mut bucket = self.bucket(address).lock();
        if let Some(known) = bucket.iter_mut().find(|known| known.address == address) {
            return act(&mut known.record);
        }
        self.make_way(&mut bucket, now);
        let mut record = T::default();
        let outcome = act(&mut record);
        bucket.push(Known { address, record });
        outcome
    }

    fn make_way(&self, bucket: &mut Vec<Known<T>>, now: Instant) {
        bucket.retain(|known| known.record.matters_until() > now);
        if bucket.len() < WAYS {
            return;
        }
        let until = |(_, known): &(usize, &Known<T>)| known.record.matters_until();
        if let Some((least, _)) = bucket.iter().enumerate().min_by_key(until) {
            bucket.swap_remove(least);
            super::count(&self.pushed_out);
        }
    }

    pub(super) fn pushed_out(&self) -> u64 {
        self.pushed_out.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.buckets.iter().map(|bucket| bucket.lock().len()).sum()
    }

    fn bucket(&self, address: u128) -> &Mutex<Vec<Known<T>>> {
        let at = self.hashing.hash_one(address) as usize % BUCKETS;
        self.buckets
            .get(at)
            .expect("a remainder of BUCKETS is below it, and there are as many buckets")
    }
}
