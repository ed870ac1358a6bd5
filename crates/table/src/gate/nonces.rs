//! Replays: which counts of a nonce were used (RFC 7616 §3.4, `nc`).
//!
//! Of each nonce the highest count and the 63 below it are remembered, so that requests that overtake each other pass
//! once each. Two generations hold them: a nonce stays for at least the time that it could be used again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use mediator_model::Instant;
use parking_lot::Mutex;

/// The most nonces that one generation remembers; there are two, at some 20 bytes each.
pub const MAX_NONCES: usize = 1 << 20;

/// Locks; nonces are random, so their low bits spread them.
const SHARDS: usize = 64;

/// The counts of one nonce.
struct Window {
    highest: u32,
    /// Bit n: `highest - n` was used.
    used: u64,
}

impl Window {
    fn opened_by(count: u32) -> Self {
        Self { highest: count, used: 1 }
    }

    /// Whether the count was not used before, and if so it is now.
    fn take(&mut self, count: u32) -> bool {
        if let Some(ahead) = count.checked_sub(self.highest).filter(|ahead| *ahead > 0) {
            self.used = self.used.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let Some(bit) = 1_u64.checked_shl(self.highest - count) else { return false };
        let fresh = self.used & bit == 0;
        self.used |= bit;
        fresh
    }
}

#[derive(Default)]
struct Shard {
    current: HashMap<u64, Window, RandomState>,
    previous: HashMap<u64, Window, RandomState>,
    /// When the current generation began.
    since: Instant,
}

impl Shard {
    fn turn(&mut self, memory: Duration, now: Instant) {
        let age = now.saturating_since(self.since);
        if age < memory {
            return;
        }
        let last = std::mem::take(&mut self.current);
        self.previous = if age < memory * 2 { last } else { HashMap::default() };
        self.since = now;
    }
}

/// The nonces in use.
pub(super) struct Nonces {
    shards: Box<[Mutex<Shard>]>,
    memory: Duration,
    max_per_shard: usize,
    replays: AtomicU64,
    full: AtomicU64,
}

impl Nonces {
    pub(super) fn new(memory: Duration) -> Self {
        Self::with_limit(memory, MAX_NONCES)
    }

    pub(super) fn with_limit(memory: Duration, max_nonces: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            memory,
            max_per_shard: max_nonces.div_ceil(SHARDS),
            replays: AtomicU64::new(0),
            full: AtomicU64::new(0),
        }
    }

    /// Whether this count of this nonce is used for the first time. A full memory says no, which makes the engine
    /// challenge again: a phone waits, and nobody replays.
    pub(super) fn take(&self, nonce: u64, count: u32, now: Instant) -> bool {
        let Some(shard) = self.shards.get(nonce as usize % SHARDS) else { return false };
        let mut shard = shard.lock();
        shard.turn(self.memory, now);
        let Shard { current, previous, .. } = &mut *shard;
        if let Some(window) = current.get_mut(&nonce).or_else(|| previous.get_mut(&nonce)) {
            let fresh = window.take(count);
            if !fresh {
                super::count(&self.replays);
            }
            return fresh;
        }
        if current.len() >= self.max_per_shard {
            super::count(&self.full);
            return false;
        }
        current.insert(nonce, Window::opened_by(count));
        true
    }

    pub(super) fn replays(&self) -> u64 {
        self.replays.load(Ordering::Relaxed)
    }

    pub(super) fn full(&self) -> u64 {
        self.full.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock())
            .map(|s| s.current.len() + s.previous.len())
            .sum()
    }
}
