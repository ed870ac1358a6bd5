//! RFC 3339 as filters write it.

#[cfg(test)]
mod tests;

/// Milliseconds since 1970 of `2026-03-01T12:00:00.25Z`, with an offset (`+01:00`) as well, without seconds' fraction,
/// or the date alone (its beginning in UTC). Digits behind the milliseconds are cut off. `None`: it is none of these.
pub(super) fn read(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) =
        (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month)
    {
        return None;
    }
    let midnight = days_since_1970(year, month, day) * 86_400_000;
    time.map_or(Some(midnight), |time| Some(midnight + millis_of_day(time)?))
}

fn millis_of_day(text: &str) -> Option<i64> {
    let zone = text.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = text.split_at_checked(zone)?;
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (second, fraction) = match parts.next()?.split_once('.') {
        Some((second, fraction)) => (digits(second, 2)?, millis(fraction)?),
        None => (digits(clock.get(6..)?, 2)?, 0),
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(((hour * 60 + minute - offset_minutes(zone)?) * 60 + second) * 1000 + fraction)
}

fn offset_minutes(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("Z" | "z", rest) => return rest.is_empty().then_some(0),
        ("-", rest) => (-1, rest),
        (_, rest) => (1, rest),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn millis(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let all = digits(fraction, fraction.len())?;
    let power = i64::pow(10, u32::try_from(fraction.len()).ok()?);
    Some(all * 1000 / power)
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let are_digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits { text.parse().ok() } else { None }
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01, in the proleptic Gregorian calendar; years are counted from March, so that the leap day is the
/// last one.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH: i64 = 719_468;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - EPOCH
}
