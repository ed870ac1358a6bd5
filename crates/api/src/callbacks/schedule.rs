//! When a delivery is tried again, and when it is given up. Pure.

use std::time::Duration;

use mediator_model::UnixMillis;

/// After the first failure.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// The longest time between two attempts.
const LONGEST_RETRY: Duration = Duration::from_hours(1);
/// How long after a record was made it is tried.
pub(super) const LIFETIME: Duration = Duration::from_hours(24);

/// When to try again after `failures` failed attempts, at least one, the last of which ended at `now`; `None`: no more.
///
/// The last attempt is made when the record is [`LIFETIME`] old; one that is older, because the server was down
/// meanwhile, has had its attempt with the one that just failed.
pub(super) fn next_attempt(
    failures: u32,
    created: UnixMillis,
    now: UnixMillis,
) -> Option<UnixMillis> {
    let end = created + LIFETIME;
    (now < end).then(|| (now + delay(failures)).min(end))
}

/// 5 s, doubled with every further failure, at most an hour.
fn delay(failures: u32) -> Duration {
    let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_RETRY.saturating_mul(factor).min(LONGEST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_an_hour() {
        let seconds: Vec<u64> = (1..=13).map(|failures| delay(failures).as_secs()).collect();
        let expected = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600];
        assert_eq!(seconds, expected);
        for failures in [31, 32, 33, 64, u32::MAX] {
            assert_eq!(delay(failures), LONGEST_RETRY, "{failures}");
        }
    }

    #[test]
    fn tries_for_a_day_and_a_last_time_at_its_end() {
        let created = UnixMillis(1_700_000_000_000);
        let mut now = created;
        let mut attempts = 1;
        while let Some(next) = next_attempt(attempts, created, now) {
            assert!(next > now);
            assert!(attempts < 100, "no end");
            now = next;
            attempts += 1;
        }
        assert_eq!(now, created + LIFETIME);
        // Ten while it doubles to 2560 s, which is 5115 s; then hourly: 22.6 of them, and the last one at the end.
        assert_eq!(attempts, 11 + 22 + 1);
    }

    #[test]
    fn one_that_is_overdue_gets_one_attempt() {
        let created = UnixMillis(1_700_000_000_000);
        assert_eq!(next_attempt(1, created, created + LIFETIME), None);
        assert_eq!(next_attempt(1, created, created + 2 * LIFETIME), None);
    }

    #[test]
    fn a_clock_set_back_ends_nothing() {
        let created = UnixMillis(1_700_000_000_000);
        let before = UnixMillis(1_600_000_000_000);
        assert_eq!(next_attempt(1, created, before), Some(before + FIRST_RETRY));
    }
}
