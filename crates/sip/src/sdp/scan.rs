//! Small readers of text that several files here share.

use crate::header::find;

/// A decimal number of at most `max`; `None` for anything else, signs and white space included.
pub(super) fn decimal(text: &[u8], max: u32) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    let mut number: u32 = 0;
    for byte in text {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    (number <= max).then_some(number)
}

/// [`decimal`] for numbers up to 65535.
pub(super) fn decimal_u16(text: &[u8], max: u16) -> Option<u16> {
    decimal(text, u32::from(max)).and_then(|number| u16::try_from(number).ok())
}

/// An RTP payload type: 0 to 127 (RFC 3550 §5.1).
pub(super) fn payload_type(text: &[u8]) -> Option<u8> {
    decimal(text, 127).and_then(|number| u8::try_from(number).ok())
}

/// The words between white space.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// What stands before and behind the first `separator`; behind is `None` where there is none.
pub(super) fn split_once(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match find(separator, text).and_then(|at| text.split_at_checked(at)) {
        Some((before, rest)) => (before, Some(rest.get(1..).unwrap_or_default())),
        None => (text, None),
    }
}

/// The word of `table` that equals `text` in any case.
pub(super) fn word_of(table: &[&'static str], text: &[u8]) -> Option<&'static str> {
    table.iter().copied().find(|word| word.as_bytes().eq_ignore_ascii_case(text))
}
