//! Rules of times in filters.

use mediator_model::UnixMillis;

use super::read;
use crate::record::rfc3339;

#[test]
fn times_are_read_with_and_without_offset_and_fraction() {
    let rows = [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("1970-01-01", Some(0)),
        ("1969-12-31T23:59:59.999Z", Some(-1)),
        ("2026-03-01T12:00:00.25Z", Some(1_772_366_400_250)),
        ("2026-03-01T13:00:00.250+01:00", Some(1_772_366_400_250)),
        ("2026-03-01t08:30:00.2509-03:30", Some(1_772_366_400_250)),
        ("2000-02-29 00:00:00Z", Some(951_782_400_000)),
        ("2100-02-29T00:00:00Z", None),
        ("2026-3-1", None),
        ("2026-03-01T12:00Z", None),
        ("2026-03-01T12:00:00", None),
        ("2026-03-01T24:00:00Z", None),
        ("2026-03-01T12:00:00Zulu", None),
        ("2026-03-01T12:00:00.Z", None),
        ("+026-03-01", None),
        ("yesterday", None),
        ("", None),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn what_is_shown_is_read_back() {
    for millis in (0..4_000_000_000_000).step_by(7_777_777_777) {
        let shown = rfc3339(UnixMillis(millis));
        assert_eq!(read(&shown), i64::try_from(millis).ok(), "{shown}");
    }
}
