//! The timers of RFC 3261 §17 as they are on one transport: some are zero, and nothing is sent again,
//! where the transport delivers or fails.

use super::TimerSettings;
use bytes::Bytes;
use core::time::Duration;
use mediator_model::{Instant, Transport};

/// A message that is kept: an exact copy, so that no larger buffer stays alive for its sake.
pub(super) type Kept = alloc::boxed::Box<[u8]>;

/// What a machine wants when its deadline has come.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// Nothing: it has ended, or the call came early.
    Nothing,
    /// The message is sent again (timers A, E and G).
    Resend(Bytes),
    /// It has ended without what it waited for (timers B, F and H).
    GaveUp,
}

/// The class of a status code, as far as transactions care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// 1xx.
    Provisional,
    /// 2xx.
    Success,
    /// 300 to 699.
    Failure,
}

impl Class {
    pub(super) const fn of(status: u16) -> Self {
        match status {
            0..200 => Self::Provisional,
            200..300 => Self::Success,
            300.. => Self::Failure,
        }
    }
}

/// The timers' lengths on one transport.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing<'a> {
    timers: &'a TimerSettings,
    transport: Transport,
}

impl<'a> Timing<'a> {
    pub(super) const fn new(timers: &'a TimerSettings, transport: Transport) -> Self {
        Self { timers, transport }
    }

    /// Timers A, E and G begin with T1; a reliable transport has none of them.
    pub(super) fn backoff(&self, now: Instant) -> Option<Backoff> {
        let interval = self.timers.t1;
        (!self.transport.is_reliable()).then(|| Backoff { at: now + interval, interval })
    }

    /// The longest interval of timers E and G.
    pub(super) const fn t2(&self) -> Duration {
        self.timers.t2
    }

    /// Timers B, F, H, L and M: 64*T1 on every transport.
    pub(super) fn patience(&self) -> Duration {
        self.timers.patience()
    }

    /// Timer D: how long a repeated failure of an INVITE is acknowledged again.
    pub(super) fn d(&self) -> Duration {
        self.unless_reliable(self.timers.timer_d)
    }

    /// Timer I: how long repeated ACKs are absorbed.
    pub(super) fn i(&self) -> Duration {
        self.unless_reliable(self.timers.t4)
    }

    /// Timer J: how long a repeated request is answered again.
    pub(super) fn j(&self) -> Duration {
        self.unless_reliable(self.patience())
    }

    /// Timer K: how long repeated responses are absorbed.
    pub(super) fn k(&self) -> Duration {
        self.unless_reliable(self.timers.t4)
    }

    const fn unless_reliable(&self, span: Duration) -> Duration {
        if self.transport.is_reliable() { Duration::ZERO } else { span }
    }
}

/// When a message is sent again: each interval is twice the one before.
///
/// Intervals count from when the timer fired, not from when it should have: after a long sleep one copy
/// goes out, not all that were missed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Backoff {
    at: Instant,
    interval: Duration,
}

impl Backoff {
    pub(super) const fn at(&self) -> Instant {
        self.at
    }

    /// The timer has fired: sets it anew, at most `longest` ahead.
    pub(super) fn double(&mut self, now: Instant, longest: Duration) {
        self.interval = self.interval.saturating_mul(2).min(longest);
        self.at = now + self.interval;
    }

    /// From the next time on the interval is `interval`.
    pub(super) const fn settle(&mut self, interval: Duration) {
        self.interval = interval;
    }
}

/// The earlier of a retransmission and the end.
pub(super) fn first(resend: Option<&Backoff>, end: Instant) -> Instant {
    resend.map_or(end, |backoff| backoff.at.min(end))
}
