//! Tracks that were made, the ones used last, up to a number of bytes.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

use hashbrown::HashMap;
use mediator_media::{SoundFailure, Track};

/// What an entry costs beside its packets, in bytes; also what a failure costs.
const ENTRY_BYTES: u64 = 512;
/// What a packet costs beside its payload, in bytes.
const PACKET_BYTES: u64 = 4;

/// What came of an attempt to make a track. That something cannot be decoded is worth remembering too.
pub(super) type Made = Result<Arc<Track>, SoundFailure>;

/// Keeps what was used last, up to a number of bytes.
pub(super) struct Tracks<K> {
    max_bytes: u64,
    bytes: u64,
    /// Grows with each use.
    clock: u64,
    entries: HashMap<K, Entry>,
    /// Keys by their last use.
    by_use: BTreeMap<u64, K>,
}

struct Entry {
    made: Made,
    bytes: u64,
    used: u64,
}

impl<K: Clone + Eq + Hash> Tracks<K> {
    pub(super) fn new(max_bytes: u64) -> Self {
        let (entries, by_use) = (HashMap::new(), BTreeMap::new());
        Self { max_bytes, bytes: 0, clock: 0, entries, by_use }
    }

    /// How much is kept, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn find(&mut self, key: &K) -> Option<Made> {
        let entry = self.entries.get_mut(key)?;
        self.clock += 1;
        self.by_use.remove(&entry.used);
        entry.used = self.clock;
        self.by_use.insert(self.clock, key.clone());
        Some(entry.made.clone())
    }

    /// Keeps what was made, and lets go of what was used longest ago. What is larger than all there is room for is not kept.
    pub(super) fn keep(&mut self, key: K, made: Made) {
        self.remove(&key);
        let bytes = made.as_ref().map_or(0, |track| bytes_of(track)) + ENTRY_BYTES;
        if bytes > self.max_bytes {
            return;
        }
        while self.bytes + bytes > self.max_bytes {
            let Some((_, oldest)) = self.by_use.first_key_value() else { break };
            let oldest = oldest.clone();
            self.remove(&oldest);
        }
        self.clock += 1;
        self.bytes += bytes;
        self.by_use.insert(self.clock, key.clone());
        self.entries.insert(key, Entry { made, bytes, used: self.clock });
    }

    fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.bytes;
            self.by_use.remove(&entry.used);
        }
    }
}

fn bytes_of(track: &Track) -> u64 {
    let payload: usize =
        (0..track.packets()).filter_map(|at| track.packet(at)).map(<[u8]>::len).sum();
    payload as u64 + track.packets() as u64 * PACKET_BYTES
}
