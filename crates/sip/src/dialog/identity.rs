//! The texts that a dialog keeps, and the From and To values among them with their tags: RFC 3261 §12, §19.3.

use crate::{NameAddr, Params, Uri};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The most bytes of a value in which a tag is found: no datagram holds more.
const MAX_TAG_END: usize = u16::MAX as usize;

/// One side's name as a dialog is made of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name<'a> {
    /// A value that has no tag yet, and the tag for it.
    Tagged(&'a [u8], &'a [u8]),
    /// A value as it was received or as it shall be sent, with or without a tag.
    Whole(&'a [u8]),
    /// That of another dialog.
    Known(&'a [u8], Tag),
}

/// Where the tag lies in a value; empty where there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Tag {
    start: u16,
    bytes: u16,
}

/// The texts of a dialog in one allocation: a held call keeps those of two.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Texts {
    /// Call-ID, our From or To, the peer's, and its target.
    all: Box<[u8]>,
    /// Where the first three of them end.
    ends: [u32; 3],
    local_tag: Tag,
    remote_tag: Tag,
}

impl Texts {
    pub(super) fn new(
        call_id: &[u8],
        (local, remote): (Name<'_>, Name<'_>),
        target: &[u8],
    ) -> Self {
        let room = call_id.len() + local.most_bytes() + remote.most_bytes() + target.len();
        let mut all = Vec::with_capacity(room);
        all.extend_from_slice(call_id);
        let call_id_end = all.len();
        let local_tag = local.put(&mut all);
        let local_end = all.len();
        let remote_tag = remote.put(&mut all);
        let ends = [call_id_end, local_end, all.len()];
        all.extend_from_slice(target);
        // What does not fit into 32 bits fits into no message.
        let ends = ends.map(|end| u32::try_from(end).unwrap_or(u32::MAX));
        Self { all: all.into_boxed_slice(), ends, local_tag, remote_tag }
    }

    /// The same with another target.
    pub(super) fn retarget(&mut self, target: &[u8]) {
        let [.., end] = self.ends;
        let names = self.all.get(..end as usize).unwrap_or_default();
        self.all = [names, target].concat().into_boxed_slice();
    }

    pub(super) fn call_id(&self) -> &[u8] {
        let [end, ..] = self.ends;
        self.between(0, end)
    }

    pub(super) fn local(&self) -> &[u8] {
        let [start, end, _] = self.ends;
        self.between(start, end)
    }

    pub(super) fn remote(&self) -> &[u8] {
        let [_, start, end] = self.ends;
        self.between(start, end)
    }

    pub(super) fn target(&self) -> &[u8] {
        let [.., start] = self.ends;
        self.all.get(start as usize..).unwrap_or_default()
    }

    /// Our name, for another dialog.
    pub(super) fn local_name(&self) -> Name<'_> {
        Name::Known(self.local(), self.local_tag)
    }

    pub(super) fn local_tag(&self) -> Option<&[u8]> {
        self.local_tag.of(self.local())
    }

    pub(super) fn remote_tag(&self) -> Option<&[u8]> {
        self.remote_tag.of(self.remote())
    }

    fn between(&self, start: u32, end: u32) -> &[u8] {
        self.all.get(start as usize..end as usize).unwrap_or_default()
    }
}

impl Name<'_> {
    fn most_bytes(&self) -> usize {
        match self {
            Self::Tagged(value, tag) => value.len() + b";tag=".len() + tag.len(),
            Self::Whole(value) | Self::Known(value, _) => value.len(),
        }
    }

    /// Writes the whole value and says where its tag is.
    fn put(self, all: &mut Vec<u8>) -> Tag {
        let start = all.len();
        match self {
            Self::Tagged(value, tag) => {
                unfold_into(all, value);
                all.extend_from_slice(b";tag=");
                let at = all.len() - start;
                all.extend_from_slice(tag);
                Tag::at(at, tag.len())
            }
            Self::Whole(value) => {
                unfold_into(all, value);
                Tag::find(all.get(start..).unwrap_or_default())
            }
            Self::Known(value, tag) => {
                all.extend_from_slice(value);
                tag
            }
        }
    }
}

impl Tag {
    fn at(start: usize, bytes: usize) -> Self {
        if start + bytes > MAX_TAG_END {
            return Self::default();
        }
        Self { start: start as u16, bytes: bytes as u16 }
    }

    fn find(value: &[u8]) -> Self {
        let tag = NameAddr::parse(value).and_then(|address| address.tag()).unwrap_or_default();
        if tag.is_empty() {
            return Self::default();
        }
        // The tag is a slice of the value, so the distance of their starts is its place in it.
        Self::at((tag.as_ptr() as usize).wrapping_sub(value.as_ptr() as usize), tag.len())
    }

    fn of(self, value: &[u8]) -> Option<&[u8]> {
        let start = usize::from(self.start);
        value.get(start..start + usize::from(self.bytes)).filter(|_| self.bytes > 0)
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
