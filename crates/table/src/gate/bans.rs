//! Silence for whoever guesses passwords.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use mediator_model::Instant;

use super::BanSettings;
use super::sources::{Record, Sources};

#[derive(Default)]
struct Guesser {
    /// Wrong credentials within the window, the oldest first.
    failures: VecDeque<Instant>,
    /// The end of the silence; in the past where there is none.
    banned_until: Instant,
    /// When the last failure leaves the window.
    counts_until: Instant,
}

impl Record for Guesser {
    fn matters_until(&self) -> Instant {
        self.banned_until.max(self.counts_until)
    }
}

/// Who guessed, and who is banned for it.
pub(super) struct Bans {
    settings: BanSettings,
    guessers: Sources<Guesser>,
    /// When the last ban ends: before a first one and after the last, nobody needs looking for.
    last_end_nanos: AtomicU64,
    begun: AtomicU64,
}

impl Bans {
    pub(super) fn new(settings: BanSettings) -> Self {
        Self {
            settings,
            guessers: Sources::new(),
            last_end_nanos: AtomicU64::new(0),
            begun: AtomicU64::new(0),
        }
    }

    /// What comes during a ban does not prolong it: requests of a banned address are not even read.
    pub(super) fn wrong_credentials(&self, address: u128, now: Instant) {
        let BanSettings { failures, window, duration } = self.settings;
        let threshold = failures.min(BanSettings::MAX_FAILURES) as usize;
        if threshold == 0 {
            return;
        }
        self.guessers.with(address, now, |guesser| {
            if now < guesser.banned_until {
                return;
            }
            guesser.failures.retain(|at| now.saturating_since(*at) < window);
            guesser.failures.push_back(now);
            guesser.counts_until = now + window;
            if guesser.failures.len() >= threshold {
                guesser.failures = VecDeque::new();
                guesser.banned_until = now + duration;
                self.last_end_nanos.fetch_max(guesser.banned_until.as_nanos(), Ordering::Relaxed);
                super::count(&self.begun);
            }
        });
    }

    pub(super) fn is_banned(&self, address: u128, now: Instant) -> bool {
        now.as_nanos() < self.last_end_nanos.load(Ordering::Relaxed)
            && self.guessers.peek(address, |guesser| now < guesser.banned_until) == Some(true)
    }

    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    pub(super) fn pushed_out(&self) -> u64 {
        self.guessers.pushed_out()
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.guessers.len()
    }
}
