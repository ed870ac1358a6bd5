//! Bodies: one part or several, RFC 2046 §5.1, RFC 5621.
//!
//! Parts are slices of the message; nesting goes [`MAX_MULTIPART_DEPTH`] deep and no further, and no
//! more than [`MAX_BODY_PARTS`] parts are looked at.

use super::Headers;
use super::scan::{RawValues, line_end};
use crate::header::{HeaderName, MediaType};

/// How deep a multipart body may be nested; what lies deeper is given as one opaque part.
pub const MAX_MULTIPART_DEPTH: usize = 4;
/// The most parts of a body that are read; further ones are left out.
pub const MAX_BODY_PARTS: usize = 32;

/// One part of a body that is no multipart itself; the whole body where that is none.
#[derive(Clone, Copy, Debug)]
pub struct BodyPart<'a> {
    /// Its type; `None` where there is none or it cannot be read.
    pub content_type: Option<MediaType<'a>>,
    /// Its Content-Disposition, as received.
    pub disposition: Option<&'a [u8]>,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// The parts of a body in order, nested ones where they stand.
#[derive(Clone, Debug)]
pub struct BodyParts<'a> {
    whole: Option<BodyPart<'a>>,
    /// The multiparts that are open, the outermost first.
    open: [Multipart<'a>; MAX_MULTIPART_DEPTH],
    depth: usize,
    left: usize,
}

/// What is left of an open multipart.
#[derive(Clone, Copy, Debug, Default)]
struct Multipart<'a> {
    boundary: &'a [u8],
    rest: &'a [u8],
}

impl Headers {
    /// The parts of the body; none where the body is empty.
    pub fn body_parts(&self) -> BodyParts<'_> {
        let whole = BodyPart {
            content_type: self.content_type(),
            disposition: self.first(HeaderName::ContentDisposition),
            bytes: self.body(),
        };
        BodyParts {
            whole: (!whole.bytes.is_empty()).then_some(whole),
            open: [Multipart::default(); MAX_MULTIPART_DEPTH],
            depth: 0,
            left: MAX_BODY_PARTS,
        }
    }

    /// The bytes of the first part of that type, such as `application/sdp`.
    pub fn body_of(&self, kind: &str, subtype: &str) -> Option<&[u8]> {
        self.body_parts()
            .find(|part| part.content_type.is_some_and(|its| its.is(kind, subtype)))
            .map(|part| part.bytes)
    }
}

impl<'a> BodyParts<'a> {
    /// Opens the part, where it is a multipart that can be opened.
    fn try_open(&mut self, part: &BodyPart<'a>) -> bool {
        let Some(media_type) = part.content_type else { return false };
        if !media_type.kind.eq_ignore_ascii_case("multipart") {
            return false;
        }
        let Some(boundary) = media_type.params.value("boundary") else { return false };
        let Some(slot) = self.open.get_mut(self.depth) else { return false };
        let Some(Delimiter { next, last: false, .. }) = find_delimiter(part.bytes, boundary) else {
            return false;
        };
        *slot = Multipart { boundary, rest: part.bytes.get(next..).unwrap_or_default() };
        self.depth += 1;
        true
    }

    /// The next part of the innermost open multipart.
    fn next_part(&mut self) -> Option<BodyPart<'a>> {
        loop {
            let innermost = self.open.get_mut(self.depth.checked_sub(1)?)?;
            // A part whose closing delimiter is missing ends with the body (RFC 2046 §5.1.2).
            let rest = innermost.rest;
            if rest.is_empty() {
                self.depth -= 1;
                continue;
            }
            let part = match find_delimiter(rest, innermost.boundary) {
                None => {
                    innermost.rest = &[];
                    rest
                }
                Some(Delimiter { start, next, last }) => {
                    innermost.rest = rest.get(next..).filter(|_| !last).unwrap_or_default();
                    rest.get(..start).unwrap_or_default()
                }
            };
            return Some(read_part(part));
        }
    }
}

impl<'a> Iterator for BodyParts<'a> {
    type Item = BodyPart<'a>;

    fn next(&mut self) -> Option<BodyPart<'a>> {
        loop {
            self.left = self.left.checked_sub(1)?;
            let part = match self.whole.take() {
                Some(whole) => whole,
                None => self.next_part()?,
            };
            if !self.try_open(&part) {
                return Some(part);
            }
        }
    }
}

/// A line of `--boundary`.
struct Delimiter {
    /// Where the part in front of it ends, the line break that belongs to the delimiter left out.
    start: usize,
    /// Where the next part begins.
    next: usize,
    /// Whether it is the closing one.
    last: bool,
}

fn find_delimiter(text: &[u8], boundary: &[u8]) -> Option<Delimiter> {
    let mut at = 0;
    let mut start = 0;
    while at < text.len() {
        let line = line_end(text, at);
        let begun = text.get(at..line.end)?.strip_prefix(b"--");
        if let Some(tail) = begun.and_then(|line| line.strip_prefix(boundary)) {
            let padding = tail.strip_prefix(b"--").unwrap_or(tail);
            if padding.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
                return Some(Delimiter { start, next: line.next, last: tail.starts_with(b"--") });
            }
        }
        start = line.end;
        at = line.next;
    }
    None
}

/// Splits a part at the empty line behind its headers.
fn read_part(text: &[u8]) -> BodyPart<'_> {
    let mut at = 0;
    let body_start = loop {
        let line = line_end(text, at);
        if line.end == at || line.next == line.end {
            break line.next;
        }
        at = line.next;
    };
    let headers = text.get(..body_start).unwrap_or_default();
    let first = |header| RawValues::of_lines(headers, header).next();
    BodyPart {
        content_type: first(HeaderName::ContentType).and_then(MediaType::parse),
        disposition: first(HeaderName::ContentDisposition),
        bytes: text.get(body_start..).unwrap_or_default(),
    }
}
