//! What an engine counts for metrics. Relaxed atomics: the shard adds, the metrics page reads.

use core::sync::atomic::{AtomicU64, Ordering};

/// One count that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The count now.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes a value that something else counts.
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// One engine's counts.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests that came in, retransmissions included.
    pub requests_in: Counter,
    /// Responses that came in.
    pub responses_in: Counter,
    /// What was no SIP and was dropped.
    pub garbage: Counter,
    /// Malformed requests that were answered with 400 and its kin.
    pub malformed: Counter,
    /// Responses that belong to nothing.
    pub stray_responses: Counter,
    /// Messages that we sent again.
    pub retransmissions: Counter,
    /// Challenges sent.
    pub challenges: Counter,
    /// Requests that got silence.
    pub silenced: Counter,
    /// Calls that came in and were admitted.
    pub calls_started: Counter,
    /// Calls that were answered.
    pub calls_answered: Counter,
    /// Calls that are over.
    pub calls_ended: Counter,
    /// Calls that were refused because no port for media was free.
    pub media_exhausted: Counter,
    /// Sounds that a binding or dialout asks for and that could not be played.
    pub sounds_failed: Counter,
    /// Calls in memory now: those up, and those that only wait for their last transactions.
    pub calls_held: Counter,
    /// Transactions now.
    pub transactions_live: Counter,
    /// Calls that a reaper found and ended: always a defect.
    pub calls_reaped: Counter,
}

impl Counters {
    /// Calls that are up now: started and not ended.
    pub fn calls_live(&self) -> u64 {
        // Ended is read first: what starts in between counts, and nothing is ever below zero.
        let ended = self.calls_ended.count();
        self.calls_started.count().saturating_sub(ended)
    }
}
