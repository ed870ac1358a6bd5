//! The one clock read: everything that decides is handed its `now` from here.
//!
//! Monotonic time counts from the clock's making, so that a shard's deadlines are small numbers;
//! wall-clock time is for records and is never compared with a deadline.

use std::time::{Duration, SystemTime};

use mediator_model::{Instant, UnixMillis};

/// The process's clock. Copies share the epoch.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    // tokio's instant is std's, but for tests that pause time: then both stand still together.
    epoch: tokio::time::Instant,
}

impl Clock {
    /// Starts a clock at zero.
    pub fn start() -> Self {
        Self { epoch: tokio::time::Instant::now() }
    }

    /// The monotonic time since the start.
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.epoch.elapsed()
    }

    /// The wall clock, in UTC; zero where it stands before 1970.
    pub fn unix_now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// The runtime's instant for `deadline`, to sleep until; at most a year ahead, for the runtime's
    /// instants end somewhere.
    pub fn wake_at(&self, deadline: Instant) -> tokio::time::Instant {
        const FAR: Duration = Duration::from_hours(365 * 24);
        let now = self.now();
        tokio::time::Instant::now() + deadline.saturating_since(now).min(FAR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn counts_from_its_start_and_never_back() {
        let clock = Clock::start();
        assert_eq!(clock.now(), Instant::ZERO);
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert_eq!(clock.now(), Instant::from_millis(1500));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_slept_until() {
        let clock = Clock::start();
        let deadline = Instant::from_millis(32_000);
        tokio::time::sleep_until(clock.wake_at(deadline)).await;
        assert!(clock.now() >= deadline);
        assert!(clock.now() < deadline + Duration::from_millis(2));
    }

    #[tokio::test(start_paused = true)]
    async fn never_is_far_but_finite() {
        let clock = Clock::start();
        assert!(clock.wake_at(Instant::FAR_FUTURE) > tokio::time::Instant::now());
        assert_eq!(clock.wake_at(Instant::ZERO), tokio::time::Instant::now());
    }

    #[test]
    fn the_wall_clock_is_after_the_making_of_this_file() {
        assert!(Clock::start().unix_now() > UnixMillis(1_760_000_000_000));
    }
}
