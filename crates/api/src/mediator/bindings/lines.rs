//! Newline-delimited JSON as it comes in: pieces of a body become lines with their numbers.

#[cfg(test)]
mod tests;

use bytes::{Buf, Bytes, BytesMut};

use crate::body::MAX_BYTES;

/// One line that is not empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    /// Its number in the file, from 1; empty lines count.
    pub(super) number: u64,
    /// What it holds, without its end; `None`: more than [`MAX_BYTES`].
    pub(super) text: Option<Bytes>,
}

/// Cuts lines; holds one unfinished line of at most [`MAX_BYTES`].
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: BytesMut,
    /// How much of `rest` was searched for an end already.
    searched: usize,
    /// The line that is being read is too long: its rest is not kept.
    is_too_long: bool,
    /// Ends seen so far.
    ended: u64,
}

impl Lines {
    /// Takes a piece of the body, and gives the lines that end in it.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<Line> {
        self.rest.extend_from_slice(piece);
        let mut lines = Vec::new();
        while let Some(end) = self.next_end() {
            let text = self.rest.split_to(end).freeze();
            self.rest.advance(1);
            self.searched = 0;
            lines.extend(self.ended_with(text));
        }
        self.searched = self.rest.len();
        if self.rest.len() > MAX_BYTES {
            self.is_too_long = true;
        }
        if self.is_too_long {
            self.rest.clear();
            self.searched = 0;
        }
        lines
    }

    /// The last line, where the body does not end with an end of line.
    pub(super) fn finish(mut self) -> Option<Line> {
        let text = self.rest.split().freeze();
        self.ended_with(text)
    }

    fn next_end(&self) -> Option<usize> {
        let fresh = self.rest.get(self.searched..)?;
        fresh.iter().position(|byte| *byte == b'\n').map(|at| self.searched + at)
    }

    fn ended_with(&mut self, text: Bytes) -> Option<Line> {
        self.ended += 1;
        let number = self.ended;
        if std::mem::take(&mut self.is_too_long) || text.len() > MAX_BYTES {
            return Some(Line { number, text: None });
        }
        let is_empty = text.iter().all(u8::is_ascii_whitespace);
        (!is_empty).then_some(Line { number, text: Some(text) })
    }
}
