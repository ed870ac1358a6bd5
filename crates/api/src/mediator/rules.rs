//! Fields that bindings and dialouts have in common, and the ranges of their values.

use std::time::Duration;

use mediator_model::{Number, UnixMillis};

use crate::fields::{Fields, Presence};

/// The longest TTL: a hundred years, in seconds.
pub(super) const MAX_TTL: u32 = 100 * 365 * 86_400;
/// The longest delay: a year, in seconds.
pub(super) const MAX_DELAY: u32 = 365 * 86_400;
/// The longest name, in characters.
pub(super) const MAX_NAME: usize = 255;
/// The longest `dtmf`, in characters.
pub(super) const MAX_DTMF: usize = 128;
/// What an object without a name is called.
pub(super) const NO_NAME: &str = "N/A";

/// A number that may be left blank: an empty text means null.
pub(super) fn number_or_blank(fields: &mut Fields<'_>, name: &str) -> Presence<Number> {
    if fields.is_blank(name) { Presence::Null } else { fields.number(name) }
}

/// `name`.
pub(super) fn name(fields: &mut Fields<'_>) -> Presence<Box<str>> {
    let name = fields.text("name", MAX_NAME * 4);
    if let Presence::Given(text) = &name
        && text.chars().count() > MAX_NAME
    {
        fields.fault("name", format!("expected at most {MAX_NAME} characters"));
        return Presence::Absent;
    }
    name
}

/// `dtmf`; an empty text means null.
pub(super) fn dtmf(fields: &mut Fields<'_>) -> Presence<Box<str>> {
    let keys = fields.text("dtmf", MAX_DTMF);
    match keys {
        Presence::Given(keys) if keys.is_empty() => Presence::Null,
        Presence::Given(keys) if !keys.bytes().all(is_key) => {
            fields.fault("dtmf", "expected keys 0-9 * # A-D, and commas for pauses");
            Presence::Absent
        }
        other => other,
    }
}

const fn is_key(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'*' | b'#' | b'A'..=b'D' | b',')
}

/// Whole seconds from now until a time, rounded up.
pub(super) fn seconds_until(time: UnixMillis, now: UnixMillis) -> u64 {
    let left = time.saturating_since(now);
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// `seconds` from now.
pub(super) fn after(now: UnixMillis, seconds: u32) -> UnixMillis {
    now + Duration::from_secs(seconds.into())
}

/// The API's number of seconds: -1 is for ever.
pub(super) fn shown_ttl(ttl: Option<u32>) -> i64 {
    ttl.map_or(-1, i64::from)
}
