//! Which trunks are dead: by hard failures for a cooldown, by unanswered OPTIONS until one is answered.
//!
//! Only trunks that have failed are kept, so a healthy one costs a look into a map.

use std::collections::VecDeque;
use std::time::Duration;

use dashmap::DashMap;
use foldhash::fast::RandomState;
use mediator_model::{Instant, Sid};

/// The most hard failures that are remembered of one trunk; a higher threshold counts as this.
const MAX_COUNTED_FAILURES: usize = 1000;

#[derive(Default)]
struct Ailment {
    /// Hard failures within the interval, the oldest first.
    failures: VecDeque<Instant>,
    /// The end of the cooldown; in the past where there is none.
    dead_until: Instant,
    /// OPTIONS in a row without an answer.
    probes_failed: u32,
    /// Whether those were enough.
    dead_by_probes: bool,
}

/// What is known against each trunk.
#[derive(Default)]
pub(super) struct Health(DashMap<Sid, Ailment, RandomState>);

impl Health {
    pub(super) fn is_dead(&self, trunk: Sid, now: Instant) -> bool {
        self.0.get(&trunk).is_some_and(|ailment| ailment.dead_by_probes || now < ailment.dead_until)
    }

    /// A threshold of 0 never kills. Failures of calls that were under way when the trunk died do not prolong it.
    pub(super) fn hard_failure(
        &self,
        trunk: Sid,
        threshold: u32,
        (interval, cooldown): (Duration, Duration),
        now: Instant,
    ) {
        let threshold = (threshold as usize).min(MAX_COUNTED_FAILURES);
        if threshold == 0 {
            return;
        }
        let mut ailment = self.0.entry(trunk).or_default();
        if now < ailment.dead_until {
            return;
        }
        ailment.failures.retain(|at| now.saturating_since(*at) < interval);
        ailment.failures.push_back(now);
        if ailment.failures.len() >= threshold {
            ailment.failures = VecDeque::new();
            ailment.dead_until = now + cooldown;
        }
    }

    /// A threshold of 0 never kills.
    pub(super) fn probe_failed(&self, trunk: Sid, threshold: u32) {
        let mut ailment = self.0.entry(trunk).or_default();
        ailment.probes_failed = ailment.probes_failed.saturating_add(1);
        ailment.dead_by_probes |= threshold > 0 && ailment.probes_failed >= threshold;
    }

    /// Alive at once, also out of a cooldown. Hard failures that have not killed yet still count: a far side that
    /// answers OPTIONS may fail its calls all the same.
    pub(super) fn probe_answered(&self, trunk: Sid) {
        if let Some(mut ailment) = self.0.get_mut(&trunk) {
            ailment.probes_failed = 0;
            ailment.dead_by_probes = false;
            ailment.dead_until = Instant::ZERO;
        }
    }

    pub(super) fn retain(&self, is_known: impl Fn(Sid) -> bool) {
        self.0.retain(|trunk, _| is_known(*trunk));
    }
}
