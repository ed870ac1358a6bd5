//! Finding lines: breaks eight bytes at a time, and header lines of text that nobody has parsed.

use crate::header::{Class, HeaderName, find_low, trim};

/// The index of the first CR or LF at or behind `from`; `None` where there is none.
pub(super) fn line_break(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += find_low(text.get(at..)?)?;
        // It is nearly always the CR looked for, now and then a tab.
        if text.get(at).is_some_and(|byte| is_break(*byte)) {
            return Some(at);
        }
        at += 1;
    }
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// The end of a line.
#[derive(Clone, Copy)]
pub(super) struct LineEnd {
    /// Where its text ends.
    pub(super) end: usize,
    /// Where the next line begins; `end` where the text ends without a line break.
    pub(super) next: usize,
    /// Whether it ended with CRLF and held no CR of its own.
    pub(super) proper: bool,
}

/// The end of the line that begins at `from`. A bare LF ends a line too, a bare CR does not.
pub(super) fn line_end(text: &[u8], from: usize) -> LineEnd {
    let mut at = from;
    let mut proper = true;
    while let Some(end) = line_break(text, at) {
        match text.get(end..) {
            Some([b'\r', b'\n', ..]) => return LineEnd { end, next: end + 2, proper },
            Some([b'\n', ..]) => return LineEnd { end, next: end + 1, proper: false },
            _ => {
                proper = false;
                at = end + 1;
            }
        }
    }
    LineEnd { end: text.len(), next: text.len(), proper: false }
}

/// Whether the line that ended in front of `next` is continued there (RFC 3261 §7.3.1).
pub(super) fn is_folded(text: &[u8], next: usize) -> bool {
    matches!(text.get(next), Some(b' ' | b'\t'))
}

/// The values of one header in header lines that nobody has parsed, in order.
#[derive(Clone)]
pub(super) struct RawValues<'a> {
    text: &'a [u8],
    at: usize,
    header: HeaderName,
}

impl<'a> RawValues<'a> {
    /// Looks through header lines, which begin where `text` begins and end at an empty line.
    pub(super) fn of_lines(text: &'a [u8], header: HeaderName) -> Self {
        Self { text, at: 0, header }
    }

    /// Looks through a message, start line first.
    pub(super) fn of_message(text: &'a [u8], header: HeaderName) -> Self {
        let start = text.iter().position(|&byte| !is_break(byte)).unwrap_or(text.len());
        Self { text, at: line_end(text, start).next, header }
    }
}

impl<'a> Iterator for RawValues<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while self.at < self.text.len() {
            let mut line = line_end(self.text, self.at);
            if line.end == self.at {
                break;
            }
            while is_folded(self.text, line.next) {
                line = line_end(self.text, line.next);
            }
            let text = self.text.get(self.at..line.end).unwrap_or_default();
            self.at = line.next;
            if let Some(value) = value_of(text, self.header) {
                return Some(value);
            }
        }
        self.at = self.text.len();
        None
    }
}

/// The value, where the line is of that header.
fn value_of(line: &[u8], header: HeaderName) -> Option<&[u8]> {
    let (name, rest) = line.split_at_checked(Class::TOKEN.run(line))?;
    if HeaderName::recognise(name) != header {
        return None;
    }
    let blanks = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
    rest.get(blanks..)?.strip_prefix(b":").map(trim)
}
