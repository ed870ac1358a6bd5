//! The time in front of each log line: UTC, RFC 3339, to the microsecond.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// `2026-11-21T22:00:07` as text.
const SECOND_BYTES: usize = 19;
const SECONDS_A_DAY: u64 = 86_400;

thread_local! {
    /// The last second that this thread has told, and its text: the calendar is asked once a second.
    static LAST: Cell<(u64, [u8; SECOND_BYTES])> = const { Cell::new((u64::MAX, [0; SECOND_BYTES])) };
}

/// Tells the wall clock's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp;

impl FormatTime for Stamp {
    fn format_time(&self, out: &mut Writer<'_>) -> fmt::Result {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        put_time(out, since)
    }
}

/// Writes the time that is `since` 1970.
fn put_time(out: &mut impl fmt::Write, since: Duration) -> fmt::Result {
    let second = since.as_secs();
    let (known, mut text) = LAST.get();
    if known != second {
        text = calendar(second);
        LAST.set((second, text));
    }
    let mut tail = *b".000000Z";
    let mut micros = since.subsec_micros();
    for digit in tail.iter_mut().skip(1).take(6).rev() {
        *digit = b'0' + (micros % 10) as u8;
        micros /= 10;
    }
    for part in [&text[..], &tail] {
        out.write_str(str::from_utf8(part).unwrap_or_default())?;
    }
    Ok(())
}

/// Date and time of day of a second since 1970, in the proleptic Gregorian calendar; years beyond 9999 are told
/// as 9999.
fn calendar(second: u64) -> [u8; SECOND_BYTES] {
    let (day, time) = (second / SECONDS_A_DAY, second % SECONDS_A_DAY);
    // Counted from 1 March of the year 0, so that the leap day is the last of a year and of an era of 400 years.
    let day = day + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year + u64::from(month >= 10);
    let month = if month < 10 { month + 3 } else { month - 9 };
    let mut text = *b"0000-00-00T00:00:00";
    let fields = [
        (0, 4, year.min(9999)),
        (5, 2, month),
        (8, 2, day),
        (11, 2, time / 3600),
        (14, 2, time / 60 % 60),
        (17, 2, time % 60),
    ];
    for (start, digits, mut number) in fields {
        for digit in text.iter_mut().skip(start).take(digits).rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_dates_as_the_calendar_has_them() {
        for (seconds, micros, told) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (86_399, 999_999, "1970-01-01T23:59:59.999999Z"),
            (68_169_600, 0, "1972-02-29T00:00:00.000000Z"),
            (951_782_400, 1, "2000-02-29T00:00:00.000001Z"),
            (951_868_800, 0, "2000-03-01T00:00:00.000000Z"),
            (1_795_298_407, 123_456, "2026-11-21T22:00:07.123456Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59.000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
            (253_402_300_799, 0, "9999-12-31T23:59:59.000000Z"),
        ] {
            let mut text = String::new();
            put_time(&mut text, Duration::new(seconds, micros * 1000)).unwrap();
            assert_eq!(text, told);
        }
    }
}
