//! The From or To value of one side of a dialog, with its tag: RFC 3261 §12, §19.3.

use crate::{NameAddr, Params, Uri};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// One side's name on the wire, in one allocation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    value: Box<[u8]>,
    /// Where the tag lies in `value`; empty where there is none.
    tag_start: u16,
    tag_bytes: u16,
}

impl Identity {
    /// A value that has no tag yet, and the tag for it.
    pub(super) fn tagged(value: &[u8], tag: &[u8]) -> Self {
        let mut text = Vec::with_capacity(value.len() + b";tag=".len() + tag.len());
        unfold_into(&mut text, value);
        text.extend_from_slice(b";tag=");
        let tag_start = u16::try_from(text.len()).unwrap_or(u16::MAX);
        text.extend_from_slice(tag);
        Self {
            value: text.into_boxed_slice(),
            tag_start,
            tag_bytes: u16::try_from(tag.len()).unwrap_or(0),
        }
    }

    /// A value as it was received or as it shall be sent, with or without a tag.
    pub(super) fn of_value(value: &[u8]) -> Self {
        let value = unfold(value).into_boxed_slice();
        let tag = NameAddr::parse(&value).and_then(|address| address.tag()).unwrap_or_default();
        // The tag is a slice of the value, so the distance of their starts is its place in it.
        let start = (tag.as_ptr() as usize).wrapping_sub(value.as_ptr() as usize);
        let (tag_start, tag_bytes) = match (u16::try_from(start), u16::try_from(tag.len())) {
            (Ok(start), Ok(length)) if !tag.is_empty() => (start, length),
            _ => (0, 0),
        };
        Self { value, tag_start, tag_bytes }
    }

    /// The whole value.
    pub(super) fn value(&self) -> &[u8] {
        &self.value
    }

    /// The tag.
    pub(super) fn tag(&self) -> Option<&[u8]> {
        let start = usize::from(self.tag_start);
        self.value.get(start..start + usize::from(self.tag_bytes)).filter(|_| self.tag_bytes > 0)
    }
}

/// A header value on one line: a fold becomes one space (RFC 3261 §7.3.1).
pub(super) fn unfold(value: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(value.len());
    unfold_into(&mut line, value);
    line
}

fn unfold_into(line: &mut Vec<u8>, value: &[u8]) {
    let mut rest = value;
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        let (before, fold) = rest.split_at(end);
        line.extend_from_slice(before.trim_ascii_end());
        line.push(b' ');
        rest = fold.trim_ascii_start();
    }
    line.extend_from_slice(rest);
}

/// A URI as a Request-URI: without headers and the `method` parameter, which have no place there (RFC 3261
/// §19.1.1).
pub fn request_uri<'a>(uri: &Uri<'a>) -> Cow<'a, [u8]> {
    let without_headers = uri
        .headers
        .and_then(|headers| uri.raw.len().checked_sub(headers.len() + 1))
        .and_then(|end| uri.raw.get(..end))
        .unwrap_or(uri.raw);
    if uri.params.get("method").is_none() {
        return Cow::Borrowed(without_headers);
    }
    let bare = without_headers.len().saturating_sub(uri.params.raw().len());
    let mut text = without_headers.get(..bare).unwrap_or_default().to_vec();
    push_without_method(&mut text, uri.params);
    Cow::Owned(text)
}

fn push_without_method(text: &mut Vec<u8>, params: Params<'_>) {
    for (name, value) in params.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(b"method")) {
        text.push(b';');
        text.extend_from_slice(name);
        if let Some(value) = value {
            text.push(b'=');
            text.extend_from_slice(value);
        }
    }
}
