//! Doubling retransmission timers that give up after 64*T1: RFC 3261 §13.3.1.4, RFC 3262 §3.

#[cfg(test)]
mod tests;

use crate::transaction::TimerSettings;
use core::time::Duration;
use mediator_model::Instant;

/// The base times of retransmissions (RFC 3261 §17.1.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetransmitTimes {
    /// The first interval. Default 500 ms.
    pub t1: Duration,
    /// The longest interval of a 2xx. Default 4 s.
    pub t2: Duration,
}

impl Default for RetransmitTimes {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4) }
    }
}

impl From<&TimerSettings> for RetransmitTimes {
    fn from(settings: &TimerSettings) -> Self {
        Self { t1: settings.t1, t2: settings.t2 }
    }
}

/// What a [`Backoff`] says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tick {
    /// Nothing yet.
    Wait,
    /// Send again.
    Again,
    /// 64*T1 have passed.
    GiveUp,
}

/// When to send again and when to give up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Backoff {
    next: Instant,
    interval: Duration,
    longest: Duration,
    give_up: Instant,
}

impl Backoff {
    /// Doubles up to `T2`.
    pub(super) fn capped(now: Instant, times: RetransmitTimes) -> Self {
        Self {
            next: now + times.t1,
            interval: times.t1,
            longest: times.t2,
            give_up: now + times.t1 * 64,
        }
    }

    /// Doubles without end.
    pub(super) fn uncapped(now: Instant, times: RetransmitTimes) -> Self {
        Self { longest: Duration::MAX, ..Self::capped(now, times) }
    }

    pub(super) fn next_deadline(&self) -> Instant {
        self.next.min(self.give_up)
    }

    pub(super) fn handle_deadline(&mut self, now: Instant) -> Tick {
        if now >= self.give_up {
            return Tick::GiveUp;
        }
        if now < self.next {
            return Tick::Wait;
        }
        self.interval = self.interval.saturating_mul(2).min(self.longest);
        // A driver that overslept sends once, not once for every deadline that it missed.
        let next = self.next + self.interval;
        self.next = if next > now { next } else { now + self.interval };
        Tick::Again
    }
}
