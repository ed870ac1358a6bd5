//! Which ports of an address somebody has: changed and read by any thread without a lock.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU64, Ordering};

/// A set of ports, 8 KiB.
#[derive(Debug)]
pub struct PortSet(Box<[AtomicU64]>);

/// Ports in a word.
const BITS: u16 = 64;

impl Default for PortSet {
    fn default() -> Self {
        Self((0..=u16::MAX / BITS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl PortSet {
    /// Adds a port.
    pub fn insert(&self, port: u16) {
        if let Some(word) = self.word(port) {
            word.fetch_or(bit(port), Ordering::Relaxed);
        }
    }

    /// Takes a port out.
    pub fn remove(&self, port: u16) {
        if let Some(word) = self.word(port) {
            word.fetch_and(!bit(port), Ordering::Relaxed);
        }
    }

    /// Whether a port is in it.
    pub fn contains(&self, port: u16) -> bool {
        self.word(port).is_some_and(|word| word.load(Ordering::Relaxed) & bit(port) != 0)
    }

    fn word(&self, port: u16) -> Option<&AtomicU64> {
        self.0.get(usize::from(port / BITS))
    }
}

const fn bit(port: u16) -> u64 {
    1 << (port % BITS)
}

#[cfg(test)]
mod tests;
