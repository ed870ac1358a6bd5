//! So many challenges a second to one address: a forged source must not get more bytes from us than it sends.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use mediator_model::Instant;

use super::rate;
use super::sources::{Record, Sources};

/// When the next challenge would be due at an even pace, in nanoseconds.
#[derive(Default)]
struct Due(u64);

impl Record for Due {
    fn matters_until(&self) -> Instant {
        Instant::from_nanos(self.0)
    }
}

/// Who was challenged lately.
pub(super) struct Challenges {
    per_second: Option<NonZeroU32>,
    challenged: Sources<Due>,
    withheld: AtomicU64,
}

impl Challenges {
    /// 0 is unlimited.
    pub(super) fn new(per_second: u32) -> Self {
        Self {
            per_second: NonZeroU32::new(per_second),
            challenged: Sources::new(),
            withheld: AtomicU64::new(0),
        }
    }

    pub(super) fn admit(&self, address: u128, now: Instant) -> bool {
        let Some(per_second) = self.per_second else { return true };
        let admitted = self.challenged.with(address, now, |due| {
            rate::admit(due.0, per_second, now).map(|next| due.0 = next).is_ok()
        });
        if !admitted {
            super::count(&self.withheld);
        }
        admitted
    }

    pub(super) fn withheld(&self) -> u64 {
        self.withheld.load(Ordering::Relaxed)
    }

    pub(super) fn pushed_out(&self) -> u64 {
        self.challenged.pushed_out()
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.challenged.len()
    }
}
