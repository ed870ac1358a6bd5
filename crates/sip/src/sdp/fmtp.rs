//! `a=fmtp` rewritten parameter by parameter: what a table names, with a value of the right shape.
//!
//! No text of the peer's is copied: numbers are read and written again, words are those of the table,
//! sets are sorted. No number has more than six digits, so that none can be a telephone number.

use alloc::string::String;
use core::fmt::Write as _;

use super::scan::{decimal, payload_type, split_once, word_of};

/// The largest number that any parameter may have.
#[cfg(test)]
pub(super) const MAX_NUMBER: u32 = 999_999;
/// The most entries of a redundancy list (RFC 2198 §5).
const MAX_REDUNDANT: usize = 8;

/// What an encoding's `a=fmtp` may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fmtp {
    /// Nothing.
    None,
    /// Event numbers and ranges of them: RFC 4733 §2.4.1.
    Events,
    /// Payload types joined by slashes: RFC 2198 §5.
    Redundant,
    /// `name=value` joined by semicolons.
    Params(&'static [Param]),
}

/// One parameter that may cross.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
}

/// What a parameter's value looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// A decimal number.
    Integer { min: u32, max: u32 },
    /// Exactly so many hex digits, at most 6.
    Hex { digits: u8 },
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of these words, or two of them joined by `-`.
    Span(&'static [&'static str]),
    /// Numbers from 0 to `max`, at most 31, joined by commas; written in order, each once.
    Set { max: u8 },
    /// Another payload type of the same section; without one the format makes no sense.
    Format,
}

impl Fmtp {
    /// The parameters of `raw` that may cross, empty where none may; `None` where the format cannot be
    /// used without one that it lacks. `kept` are the section's other payload types.
    pub(super) fn rewrite(self, raw: &[u8], kept: &[u8]) -> Option<String> {
        match self {
            Self::None => Some(String::new()),
            Self::Events => Some(events(raw)),
            Self::Redundant => Some(redundant(raw, kept)),
            Self::Params(table) => params(raw, table, kept),
        }
    }
}

fn params(raw: &[u8], table: &'static [Param], kept: &[u8]) -> Option<String> {
    let mut out = String::new();
    let mut seen: u32 = 0;
    for pair in raw.split(|byte| *byte == b';') {
        let (name, value) = split_once(pair, b'=');
        let (name, Some(value)) = (name.trim_ascii(), value) else { continue };
        let found = table
            .iter()
            .enumerate()
            .find(|(_, param)| param.name.as_bytes().eq_ignore_ascii_case(name));
        let Some((index, param)) = found else { continue };
        let bit = 1 << index;
        let start = out.len();
        if seen & bit != 0 {
            continue;
        }
        if start > 0 {
            out.push(';');
        }
        out.push_str(param.name);
        out.push('=');
        match param.shape.push(&mut out, value.trim_ascii(), kept) {
            Some(()) => seen |= bit,
            None => out.truncate(start),
        }
    }
    let lacks_format = table
        .iter()
        .enumerate()
        .any(|(index, param)| param.shape == Shape::Format && seen & (1 << index) == 0);
    (!lacks_format).then_some(out)
}

impl Shape {
    /// Appends the value as it may cross; `None` where it does not have this shape.
    fn push(self, out: &mut String, value: &[u8], kept: &[u8]) -> Option<()> {
        match self {
            Self::Integer { min, max } => {
                let number = decimal(value, max).filter(|number| *number >= min)?;
                write!(out, "{number}").ok()
            }
            Self::Hex { digits } => {
                let fits =
                    value.len() == usize::from(digits) && value.iter().all(u8::is_ascii_hexdigit);
                let text = core::str::from_utf8(value).ok().filter(|_| fits)?;
                out.push_str(&text.to_ascii_lowercase());
                Some(())
            }
            Self::OneOf(words) => {
                out.push_str(word_of(words, value)?);
                Some(())
            }
            Self::Span(words) => {
                let (low, high) = split_once(value, b'-');
                out.push_str(word_of(words, low)?);
                if let Some(high) = high {
                    out.push('-');
                    out.push_str(word_of(words, high)?);
                }
                Some(())
            }
            Self::Set { max } => {
                let mut members: u32 = 0;
                for number in value.split(|byte| *byte == b',') {
                    members |= 1 << decimal(number.trim_ascii(), u32::from(max))?;
                }
                let all = (0..=u32::from(max)).filter(|number| members & (1 << number) != 0);
                for (index, number) in all.enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    write!(out, "{number}").ok()?;
                }
                Some(())
            }
            Self::Format => {
                let other = payload_type(value).filter(|other| kept.contains(other))?;
                write!(out, "{other}").ok()
            }
        }
    }
}

/// Event numbers as the ranges that they make, in order; empty where the list is malformed, which means
/// the events 0 to 15 (RFC 4733 §2.4.1).
fn events(raw: &[u8]) -> String {
    let mut out = String::new();
    let Some(members) = event_set(raw) else { return out };
    let mut from = 0;
    while let Some(event) = next_event(&members, from) {
        let mut last = event;
        while next_event(&members, last + 1) == Some(last + 1) {
            last += 1;
        }
        let comma = if out.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = if last == event {
            write!(out, "{comma}{event}")
        } else {
            write!(out, "{comma}{event}-{last}")
        };
        from = last + 1;
    }
    out
}

/// The first event of the set that is `from` or more.
fn next_event(members: &[u32; 8], from: u32) -> Option<u32> {
    let mut mask = u32::MAX << (from % 32);
    for (index, word) in (0..).zip(members).skip(from as usize / 32) {
        if word & mask != 0 {
            return Some(32 * index + (word & mask).trailing_zeros());
        }
        mask = u32::MAX;
    }
    None
}

/// One bit an event, 0 to 255.
fn event_set(raw: &[u8]) -> Option<[u32; 8]> {
    let raw = raw.trim_ascii();
    // RFC 4733 §4.1.1's media type writes the list as `events=`, and so do a few peers.
    let raw = raw.strip_prefix(b"events=").unwrap_or(raw);
    let mut members = [0; 8];
    for range in raw.split(|byte| *byte == b',') {
        let (low, high) = split_once(range, b'-');
        let low = decimal(low.trim_ascii(), 255)?;
        let high = high.map_or(Some(low), |high| decimal(high.trim_ascii(), 255))?;
        for event in low..=high {
            *members.get_mut(event as usize / 32)? |= 1 << (event % 32);
        }
    }
    Some(members)
}

/// Payload types of the section, joined by slashes; empty where one is none of them.
fn redundant(raw: &[u8], kept: &[u8]) -> String {
    let mut out = String::new();
    for (index, level) in raw.trim_ascii().split(|byte| *byte == b'/').enumerate() {
        let level = payload_type(level).filter(|level| kept.contains(level));
        let (Some(level), true) = (level, index < MAX_REDUNDANT) else { return String::new() };
        let slash = if index > 0 { "/" } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(out, "{slash}{level}");
    }
    out
}
