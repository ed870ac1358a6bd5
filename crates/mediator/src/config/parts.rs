//! Cuts a file with many bindings into parts that are read one after the other.
//!
//! A parsed document takes some twenty times the memory of its text, and with a hundred thousand bindings most of the
//! text is bindings. The cut goes by lines, so a text whose strings or lists span lines may be cut where it should not
//! be: then a part is no TOML, and the whole file is read at once instead. It never changes what a file means.

use std::ops::Range;

/// Bindings a part.
const BINDINGS_A_PART: usize = 512;

/// A file, cut.
#[derive(Debug)]
pub(super) struct Parts {
    /// The file without its bindings: blanks stand in their place, so that everything else stands where it stood.
    pub(super) rest: String,
    /// Where the parts are that hold only `[[binding]]`s; empty where there are not many.
    pub(super) bindings: Vec<Range<usize>>,
}

/// Cuts `text`; `None` where it is not worth it.
pub(super) fn cut(text: &str) -> Option<Parts> {
    let runs = binding_parts(text);
    if runs.len() < 2 {
        return None;
    }
    let mut rest = String::with_capacity(text.len());
    for part in &runs {
        rest.push_str(text.get(rest.len()..part.start)?);
        rest.push_str(&" ".repeat(part.len().saturating_sub(1)));
        rest.push('\n');
    }
    rest.push_str(text.get(rest.len()..)?);
    Some(Parts { rest, bindings: runs })
}

fn binding_parts(text: &str) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let (mut offset, mut in_bindings, mut count) = (0, false, 0);
    for line in text.split_inclusive('\n') {
        let begins = line.starts_with("[[binding]]");
        if begins && (!in_bindings || count == BINDINGS_A_PART) {
            parts.push(offset..offset);
            count = 0;
        }
        if line.starts_with('[') && !line.starts_with("[binding.") {
            in_bindings = begins;
        }
        count += usize::from(begins);
        offset += line.len();
        if let (true, Some(part)) = (in_bindings, parts.last_mut()) {
            part.end = offset;
        }
    }
    parts
}
