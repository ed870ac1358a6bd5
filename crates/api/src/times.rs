//! Times as the APIs write them: RFC 3339, UTC, milliseconds.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use mediator_model::UnixMillis;
use serde_json::Value;

/// `2018-10-09T22:47:56.609Z`. A time past the year 9999 is written as that year's end.
pub(crate) fn written(time: UnixMillis) -> String {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    let timestamp = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
    format!("{timestamp:.3}")
}

/// As [`written`], or null.
pub(crate) fn written_or_null(time: Option<UnixMillis>) -> Value {
    time.map_or(Value::Null, |time| Value::String(written(time)))
}

/// Reads RFC 3339 with any offset; without one it is UTC, and a date alone is its first moment. `None`: it is none, or
/// before 1970.
pub(crate) fn read(text: &str) -> Option<UnixMillis> {
    let timestamp: Timestamp = text.parse().ok().or_else(|| {
        // A date alone, too, reads as a date and time.
        let civil: DateTime = text.parse().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })?;
    u64::try_from(timestamp.as_millisecond()).ok().map(UnixMillis)
}
