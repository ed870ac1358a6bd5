//! Time that never runs backwards, and dates as records show them.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn an_instant_never_wraps() {
    assert_eq!(Instant::FAR_FUTURE + SECOND, Instant::FAR_FUTURE);
    assert_eq!(Instant::ZERO + Duration::MAX, Instant::FAR_FUTURE);
    assert_eq!(Instant::from_millis(u64::MAX), Instant::FAR_FUTURE);
    assert_eq!(Instant::ZERO - Instant::FAR_FUTURE, Duration::ZERO);
}

#[test]
fn an_instant_counts_in_both_directions() {
    let mut at = Instant::from_millis(1500);
    assert_eq!(at.as_nanos(), 1_500_000_000);
    at += SECOND;
    assert_eq!(at.as_millis(), 2500);
    assert_eq!(at - Instant::from_millis(500), Duration::from_secs(2));
    assert_eq!(at.saturating_since(Instant::from_millis(2501)), Duration::ZERO);
    assert_eq!(Instant::from_nanos(1_999_999).as_millis(), 1);
}

#[test]
fn wall_clock_time_never_wraps() {
    assert_eq!(UnixMillis(u64::MAX) + SECOND, UnixMillis(u64::MAX));
    assert_eq!(UnixMillis(1) + SECOND, UnixMillis(1001));
    assert_eq!(UnixMillis(1001).saturating_since(UnixMillis(1)), SECOND);
    assert_eq!(UnixMillis(1).saturating_since(UnixMillis(2)), Duration::ZERO);
}
