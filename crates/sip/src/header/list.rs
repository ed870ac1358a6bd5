//! Comma-separated values of one header line: RFC 3261 §7.3.1.

use super::tokens::{Class, Scanner, trim};
use super::{HeaderError, Problem};
use crate::message::Lines;

/// The elements of a line, in order, white space around each removed.
///
/// Quoted strings, `<...>` and comments hide their commas. An empty element is given too.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Elements<'a> {
    pub(crate) fn new(line: &'a [u8]) -> Self {
        Self { rest: (!trim(line).is_empty()).then_some(line) }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let end = element_end(rest);
        let (element, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        self.rest = tail.get(1..);
        Some(trim(element))
    }
}

/// The values of all lines of one header, each read by its own grammar up to the comma behind it.
///
/// Strict: an empty element or an empty line is malformed, and so is the line that has one.
#[derive(Clone, Debug)]
pub(super) struct TypedValues<'a> {
    lines: Lines<'a>,
    line: Option<Scanner<'a>>,
}

impl<'a> TypedValues<'a> {
    pub(super) fn new(lines: Lines<'a>) -> Self {
        Self { lines, line: None }
    }

    /// The next value, by the reader that passes one.
    pub(super) fn next_by<T>(
        &mut self,
        take: impl FnOnce(&mut Scanner<'a>) -> Option<T>,
    ) -> Option<Result<T, HeaderError>> {
        let mut line = match self.line.take() {
            Some(line) => line,
            None => Scanner::new(self.lines.next()?),
        };
        let value = take(&mut line);
        let more = line.eat_separator(b',');
        line.skip_lws();
        if value.is_none() || !(more || line.is_end()) {
            let header = self.lines.name();
            return Some(Err(HeaderError { header, problem: Problem::Malformed }));
        }
        self.line = more.then_some(line);
        value.map(Ok)
    }
}

/// Where the first element of `line` ends: at its comma, or at the end.
fn element_end(line: &[u8]) -> usize {
    let mut at = 0;
    let mut at_word_start = true;
    // What never closes hides nothing. Once that is known of one it holds for all behind it, so that a
    // line of nothing else is not looked through again and again.
    let mut closes = [true; 3];
    let [quotes, brackets, comments] = &mut closes;
    while let Some(&byte) = line.get(at) {
        let rest = line.get(at..).unwrap_or_default();
        let hidden = match byte {
            b',' => return at,
            b'"' if *quotes => noted(quotes, quoted_length(rest)),
            b'<' if *brackets => noted(brackets, rest.iter().position(|&byte| byte == b'>')),
            // A comment stands after white space; a parenthesis inside a URI does not.
            b'(' if *comments && at_word_start => noted(comments, comment_length(rest)),
            _ => 0,
        };
        at_word_start = Class::LWS.has(byte);
        at += hidden + 1;
    }
    line.len()
}

/// How much is hidden; notes where nothing closes.
fn noted(closes: &mut bool, length: Option<usize>) -> usize {
    *closes = length.is_some();
    length.unwrap_or(0)
}

/// The index of the quote that closes the string at the start of `text`.
fn quoted_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The index of the parenthesis that closes the comment at the start of `text`; comments nest.
pub(super) fn comment_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    let mut depth = 1_u32;
    loop {
        match text.get(at)? {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at),
            b')' => depth -= 1,
            b'\\' => at += 1,
            _ => {}
        }
        at += 1;
    }
}
