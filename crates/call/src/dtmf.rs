//! DTMF in INFO: the two bodies in use, read and written anew (contract §2: INFO, DTMF bodies).
//!
//! `application/dtmf-relay` has `Signal=5` and `Duration=160`, `application/dtmf` the bare key.

use alloc::format;

use mediator_sip::message::Request;

use crate::request::Body;

/// The shortest and longest press that is passed on, in milliseconds.
const DURATION_MS: core::ops::RangeInclusive<u32> = 40..=5000;
/// A press that names no time.
const DEFAULT_DURATION_MS: u32 = 160;

/// A key press in an INFO.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum InfoBody {
    /// `application/dtmf-relay`.
    Relay { key: char, duration_ms: u32 },
    /// `application/dtmf`.
    Bare { key: char },
}

impl InfoBody {
    /// Reads an INFO's body: `None` without one; the status of the refusal where it is no key press.
    pub(crate) fn read(request: &Request) -> Result<Option<Self>, u16> {
        let body = request.body();
        let Some(media_type) = request.content_type() else {
            return if body.is_empty() { Ok(None) } else { Err(415) };
        };
        let text = core::str::from_utf8(body).map_err(|_| 400_u16);
        if media_type.is("application", "dtmf-relay") {
            return read_relay(text?).map(Some).ok_or(400);
        }
        if media_type.is("application", "dtmf") {
            return read_key(text?).map(|key| Some(Self::Bare { key })).ok_or(400);
        }
        Err(415)
    }

    /// The key.
    pub(crate) const fn key(self) -> char {
        match self {
            Self::Relay { key, .. } | Self::Bare { key } => key,
        }
    }

    /// Writes it in the same form.
    pub(crate) fn write(self) -> Body {
        match self {
            Self::Relay { key, duration_ms } => Body {
                content_type: "application/dtmf-relay",
                bytes: format!("Signal={key}\r\nDuration={duration_ms}\r\n").into_bytes().into(),
            },
            Self::Bare { key } => Body {
                content_type: "application/dtmf",
                bytes: format!("{key}").into_bytes().into(),
            },
        }
    }
}

fn read_relay(text: &str) -> Option<InfoBody> {
    let mut key = None;
    let mut duration_ms = DEFAULT_DURATION_MS;
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case("signal") {
            key = Some(read_key(value)?);
        } else if name.trim().eq_ignore_ascii_case("duration") {
            let asked: u32 = value.trim().parse().ok()?;
            duration_ms = asked.clamp(*DURATION_MS.start(), *DURATION_MS.end());
        }
    }
    key.map(|key| InfoBody::Relay { key, duration_ms })
}

/// 0-9, *, #, A-D; 10 and 11 are other spellings of * and #.
fn read_key(text: &str) -> Option<char> {
    match text.trim() {
        "10" => Some('*'),
        "11" => Some('#'),
        one if one.len() == 1 => {
            let key = one.chars().next()?.to_ascii_uppercase();
            matches!(key, '0'..='9' | '*' | '#' | 'A'..='D').then_some(key)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
