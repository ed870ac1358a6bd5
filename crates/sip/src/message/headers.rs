//! The header lines and the body of a message, as spans of its bytes.

use super::mandatory::Mandatory;
use crate::header::{Elements, HeaderName, HeaderNameRef, ascii};
use alloc::vec::Vec;
use bytes::Bytes;
use core::slice;

/// The headers and the body of a message, as spans of the bytes that were received.
#[derive(Clone, Debug)]
pub struct Headers {
    pub(super) bytes: Bytes,
    pub(super) lines: Vec<Line>,
    pub(super) body: Span,
    pub(super) mandatory: Mandatory,
}

/// A range of a message's bytes; 16 bits hold any offset, for no message is longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Span {
    pub(super) start: u16,
    pub(super) end: u16,
}

impl Span {
    /// The span from `start` to `end`, both within a message.
    pub(super) fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end && u16::try_from(end).is_ok(), "beyond the longest message");
        Self { start: start as u16, end: end as u16 }
    }

    /// The span of `part`, which is a slice of `text`; of an empty one only that it is empty is kept.
    pub(super) fn within(text: &[u8], part: &[u8]) -> Self {
        if part.is_empty() {
            return Self::default();
        }
        let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        Self::new(start, start.saturating_add(part.len()))
    }

    /// The bytes of the span in the text that it was made for.
    pub(super) fn of(self, text: &[u8]) -> &[u8] {
        text.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}

/// One header line: its name, the text of the name, the value without the white space around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) name: HeaderName,
    pub(super) text: Span,
    pub(super) value: Span,
}

impl Headers {
    /// The whole message as received.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The value of the first line of that name, without the white space around it, folding still inside.
    pub fn first(&self, name: HeaderName) -> Option<&[u8]> {
        self.lines.iter().find(|line| line.name == name).map(|line| self.text(line.value))
    }

    /// The value of each line of that name, in order.
    pub fn lines(&self, name: HeaderName) -> Lines<'_> {
        Lines { bytes: &self.bytes, rest: self.lines.iter(), name }
    }

    /// The comma-separated elements of all lines of that name, in order, empty ones left out. Quoted
    /// strings, comments and `<...>` hide their commas.
    pub fn values(&self, name: HeaderName) -> Values<'_> {
        Values { lines: self.lines(name), line: Elements::new(&[]) }
    }

    /// The value of each line with that name, in any case: for names that have no row in the table.
    pub fn other(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.lines
            .iter()
            .filter(move |line| {
                line.name == HeaderName::Other
                    && self.text(line.text).eq_ignore_ascii_case(name.as_bytes())
            })
            .map(|line| self.text(line.value))
    }

    /// All header lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = (HeaderNameRef<'_>, &[u8])> {
        self.lines.iter().map(|line| {
            let name = HeaderNameRef { name: line.name, text: ascii(self.text(line.text)) };
            (name, self.text(line.value))
        })
    }

    /// The body: what Content-Length counts, or all that follows the headers where there is none.
    pub fn body(&self) -> &[u8] {
        self.text(self.body)
    }

    /// The body, sharing the message's memory.
    pub fn body_bytes(&self) -> Bytes {
        self.bytes.slice_ref(self.body())
    }

    pub(super) fn text(&self, span: Span) -> &[u8] {
        span.of(&self.bytes)
    }
}

/// The values of the lines of one header, in order.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    rest: slice::Iter<'a, Line>,
    name: HeaderName,
}

impl Lines<'_> {
    pub(crate) fn name(&self) -> HeaderName {
        self.name
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let name = self.name;
        self.rest.find(|line| line.name == name).map(|line| line.value.of(self.bytes))
    }
}

/// The comma-separated values of all lines of one header, in order.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    lines: Lines<'a>,
    line: Elements<'a>,
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            match self.line.next() {
                Some([]) => {}
                Some(element) => return Some(element),
                None => self.line = Elements::new(self.lines.next()?),
            }
        }
    }
}
