//! Single values: a TOML value in, a type that cannot be wrong out, or the reason with its remedy.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use mediator_model::{Number, NumberError, Secret};
use toml::de::DeValue;

use super::fault::Reason;

/// The longest text of a name, user name or password, in bytes.
const MAX_TEXT_BYTES: usize = 256;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);
pub(super) const WEEK: Duration = Duration::from_hours(7 * 24);

/// A name for people and logs: not empty, printable, at most [`MAX_TEXT_BYTES`].
pub(super) fn name(value: &DeValue<'_>) -> Result<Box<str>, Reason> {
    bounded(value, "expected a name in quotes: printable, not empty, at most 256 bytes")
}

/// A login of HTTP Basic, which ends it at the first colon (RFC 7617 §2).
pub(super) fn login(value: &DeValue<'_>) -> Result<Box<str>, Reason> {
    let login = name(value)?;
    if login.contains(':') {
        return Err("expected no colon: HTTP Basic cannot carry one in a login".into());
    }
    Ok(login)
}

/// A password or token: a text that no message ever quotes.
pub(super) fn secret(value: &DeValue<'_>) -> Result<Secret, Reason> {
    bounded(value, "expected text in quotes: printable, not empty, at most 256 bytes")
        .map(Secret::new)
}

/// As [`secret`], or an argon2 hash of one in PHC form, `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`: a text that begins
/// like one and is none would be a password that nobody knows.
pub(super) fn hashable_secret(value: &DeValue<'_>) -> Result<Secret, Reason> {
    let secret = secret(value)?;
    if secret.expose().starts_with("$argon2") && !is_argon2_hash(secret.expose()) {
        return Err(Cow::Borrowed(
            "expected a whole argon2 hash such as \"$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH\", or a password",
        ));
    }
    Ok(secret)
}

fn is_argon2_hash(text: &str) -> bool {
    let is_base64 = |part: &str, least: usize| {
        part.len() >= least
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
    };
    let parts: Vec<&str> = text.split('$').collect();
    let ["", kind, version, cost, salt, hash] = parts.as_slice() else { return false };
    let has_cost = ["m=", "t=", "p="].iter().all(|key| cost.contains(key));
    matches!(*kind, "argon2id" | "argon2i" | "argon2d")
        && version.starts_with("v=")
        && has_cost
        && is_base64(salt, 11)
        && is_base64(hash, 16)
}

fn bounded(value: &DeValue<'_>, expected: &'static str) -> Result<Box<str>, Reason> {
    match value.as_str() {
        Some(text)
            if !text.trim().is_empty()
                && text.len() <= MAX_TEXT_BYTES
                && !text.chars().any(char::is_control) =>
        {
            Ok(text.into())
        }
        _ => Err(Cow::Borrowed(expected)),
    }
}

/// `true` or `false`.
pub(super) fn boolean(value: &DeValue<'_>) -> Result<bool, Reason> {
    value.as_bool().ok_or(Cow::Borrowed("expected true or false, without quotes"))
}

/// A whole number of any size that TOML allows.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// A whole number in a range.
pub(super) fn whole<T>(range: RangeInclusive<T>) -> impl Fn(&DeValue<'_>) -> Result<T, Reason>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display,
{
    move |value| {
        integer(value)
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                Cow::Owned(format!(
                    "expected a whole number from {} to {}",
                    range.start(),
                    range.end()
                ))
            })
    }
}

/// An amount of memory or disk in a range: `"20MiB"` (also `KiB`, `GiB`), or a whole number of bytes.
pub(super) fn bytes(
    range: RangeInclusive<u64>,
    example: &'static str,
) -> impl Fn(&DeValue<'_>) -> Result<u64, Reason> {
    move |value| {
        let bytes = match value.as_str() {
            Some(text) => parse_bytes(text),
            None => integer(value).and_then(|count| u64::try_from(count).ok()),
        };
        let expected = || Cow::Owned(format!("expected an amount such as \"{example}\""));
        let bytes = bytes.ok_or_else(expected)?;
        if range.contains(&bytes) {
            return Ok(bytes);
        }
        let (least, most) = (Amount(*range.start()), Amount(*range.end()));
        Err(Cow::Owned(format!("expected an amount from \"{least}\" to \"{most}\"")))
    }
}

/// The units of amounts, the largest first.
const UNITS: [(u64, &str); 4] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")];

fn parse_bytes(text: &str) -> Option<u64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (count, unit) = text.split_at_checked(digits)?;
    let (size, _) = UNITS.into_iter().find(|(_, name)| *name == unit.trim_start())?;
    count.parse::<u64>().ok()?.checked_mul(size)
}

/// Writes an amount back as the config has it, in its largest whole unit.
struct Amount(u64);

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fits = |(size, _): &(u64, &str)| self.0 >= *size && self.0.is_multiple_of(*size);
        match UNITS.into_iter().find(fits) {
            Some((size, unit)) => write!(f, "{}{unit}", self.0 / size),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// One of a few words.
pub(super) fn one_of<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(&DeValue<'_>) -> Result<T, Reason> {
    move |value| {
        let given = value.as_str();
        words.iter().find(|(word, _)| given == Some(*word)).map(|(_, meaning)| *meaning).ok_or_else(
            || {
                let all: Vec<String> =
                    words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
                Cow::Owned(format!("expected {}", all.join(" or ")))
            },
        )
    }
}

/// A duration with its unit (`ms`, `s`, `m`, `h`, `d`), in a range.
pub(super) fn duration(
    range: RangeInclusive<Duration>,
    example: &'static str,
) -> impl Fn(&DeValue<'_>) -> Result<Duration, Reason> {
    move |value| {
        let duration = value
            .as_str()
            .and_then(parse_duration)
            .ok_or_else(|| Cow::Owned(format!("expected a duration such as \"{example}\"")))?;
        if range.contains(&duration) {
            return Ok(duration);
        }
        let (least, most) = (Unit(*range.start()), Unit(*range.end()));
        Err(Cow::Owned(format!("expected a duration from \"{least}\" to \"{most}\"")))
    }
}

/// As [`duration`]; a number without a unit is seconds, as the Core API writes these fields.
pub(super) fn duration_or_seconds(
    range: RangeInclusive<Duration>,
    example: &'static str,
) -> impl Fn(&DeValue<'_>) -> Result<Duration, Reason> {
    let with_unit = duration(range.clone(), example);
    move |value| match integer(value).map(u64::try_from) {
        Some(Ok(seconds)) if range.contains(&Duration::from_secs(seconds)) => {
            Ok(Duration::from_secs(seconds))
        }
        _ => with_unit(value),
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (count, unit) = text.split_at_checked(digits)?;
    let count: u64 = count.parse().ok()?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(count)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    count.checked_mul(seconds).map(Duration::from_secs)
}

/// Writes a duration back as the config has it, in its largest whole unit.
struct Unit(Duration);

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.as_secs();
        if self.0.subsec_millis() != 0 {
            return write!(f, "{}ms", self.0.as_millis());
        }
        let units = [(86_400, "d"), (3600, "h"), (60, "m")];
        match units.iter().find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size)) {
            Some((size, unit)) => write!(f, "{}{unit}", seconds / size),
            None => write!(f, "{seconds}s"),
        }
    }
}

/// A telephone number in any of the forms that the contract tolerates.
pub(super) fn number(value: &DeValue<'_>) -> Result<Number, Reason> {
    let Some(text) = value.as_str() else {
        return Err(Cow::Borrowed("expected a number in quotes such as \"15162065337\""));
    };
    let bare = ["tel:", "sip:", "sips:"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let user = bare.unwrap_or(text);
    Number::from_user(user.split('@').next().unwrap_or(user)).map_err(|error| match error {
        NumberError::Empty => Cow::Borrowed("expected a number such as \"15162065337\""),
        NumberError::NotADigit => {
            Cow::Borrowed("expected digits, as in \"15162065337\" or \"+1 516 206 5337\"")
        }
        NumberError::TooLong => Cow::Borrowed("expected at most 15 digits (E.164)"),
    })
}

/// An IP address without a port.
pub(super) fn ip(value: &DeValue<'_>) -> Result<IpAddr, Reason> {
    value
        .as_str()
        .and_then(|text| text.trim_start_matches('[').trim_end_matches(']').parse().ok())
        .ok_or(Cow::Borrowed("expected an IP address such as \"203.0.113.7\" or \"2001:db8::7\""))
}

/// An IP address with a port.
pub(super) fn socket_address(value: &DeValue<'_>) -> Result<SocketAddr, Reason> {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or(Cow::Borrowed("expected IP:port such as \"127.0.0.1:8080\" or \"[::1]:8080\""))
}
