//! So many a second, in one word: the generic cell rate algorithm (ITU-T I.371 §A).
//!
//! The word is the time at which the last one admitted would be due if all came evenly. An idle second's worth may come
//! at once; after that they pass at the rate.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mediator_model::Instant;

const SECOND_NANOS: u64 = 1_000_000_000;

/// When the one after would be due if this one is admitted at `now`, or how long it is too early.
pub(super) fn admit(due_nanos: u64, per_second: NonZeroU32, now: Instant) -> Result<u64, Duration> {
    let rate = u64::from(per_second.get());
    let interval = SECOND_NANOS.div_ceil(rate);
    let next = due_nanos.max(now.as_nanos()).saturating_add(interval);
    let early = next.saturating_sub(now.as_nanos()).saturating_sub(interval.saturating_mul(rate));
    if early == 0 { Ok(next) } else { Err(Duration::from_nanos(early)) }
}

/// The same for many threads.
#[derive(Default)]
pub(super) struct Rate(AtomicU64);

impl Rate {
    pub(super) fn admit(&self, per_second: NonZeroU32, now: Instant) -> Result<(), Duration> {
        let mut due = self.0.load(Ordering::Relaxed);
        loop {
            let next = admit(due, per_second, now)?;
            match self.0.compare_exchange_weak(due, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(actual) => due = actual,
            }
        }
    }
}
