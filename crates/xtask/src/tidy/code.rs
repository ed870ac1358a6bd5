//! Rust text with comments, strings and characters blanked out, so that words in it are code.
//!
//! Line ends stay, so that a position still has its line. Not a lexer of all Rust: it knows as much
//! as is needed to tell code from what is not.

/// Blanks out everything that is not code.
pub(super) fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let after_word = at > 0 && bytes.get(at - 1).copied().is_some_and(is_word);
        let length = blank_length(rest, after_word);
        if length == 0 {
            code.extend(rest.first());
            at += 1;
        } else {
            let blanked = rest.iter().take(length);
            code.extend(blanked.map(|&byte| if byte == b'\n' { b'\n' } else { b' ' }));
            at += length;
        }
    }
    // Multi-byte characters of code are whole, those of other text are spaces.
    String::from_utf8_lossy(&code).into_owned()
}

/// The line, counted from 1, on which a byte of a text is.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

/// The places where `word` stands in `code` and is not part of a longer word.
pub(super) fn find_word(code: &str, word: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let free =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_none_or(|&byte| !is_word(byte));
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(|&at| free(at.checked_sub(1)) && free(Some(at + word.len())))
        .collect()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The length of the comment, string or character that begins here; 0 where code does.
fn blank_length(rest: &[u8], after_word: bool) -> usize {
    match rest {
        [b'/', b'/', ..] => rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => 1 + quoted(rest.get(1..).unwrap_or_default(), b'"'),
        [b'r' | b'b' | b'c', ..] if !after_word => prefixed(rest),
        [b'\'', ..] => character(rest),
        _ => 0,
    }
}

/// Block comments nest.
fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match rest.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The rest of a string with escapes, closing quote included.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut escaped = false;
    for (at, &byte) in rest.iter().enumerate() {
        if !escaped && byte == quote {
            return at + 1;
        }
        escaped = !escaped && byte == b'\\';
    }
    rest.len()
}

/// Strings with a prefix, raw or not; 0 where the letter begins a word.
fn prefixed(rest: &[u8]) -> usize {
    let letters = rest.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    let prefix = rest.get(..letters).unwrap_or_default();
    if !matches!(prefix, b"r" | b"b" | b"c" | b"br" | b"cr") {
        return 0;
    }
    let body = rest.get(letters..).unwrap_or_default();
    if !prefix.ends_with(b"r") {
        return match body {
            [b'"', ..] => letters + 1 + quoted(body.get(1..).unwrap_or_default(), b'"'),
            [b'\'', ..] if prefix == b"b" => {
                letters + 1 + quoted(body.get(1..).unwrap_or_default(), b'\'')
            }
            _ => 0,
        };
    }
    let hashes = body.iter().take_while(|&&byte| byte == b'#').count();
    if body.get(hashes) != Some(&b'"') {
        return 0;
    }
    let mut end = vec![b'"'];
    end.resize(hashes + 1, b'#');
    let content = body.get(hashes + 1..).unwrap_or_default();
    let close = content.windows(end.len()).position(|window| window == end);
    letters + hashes + 1 + close.map_or(content.len(), |close| close + end.len())
}

/// A character; 0 where the quote begins a lifetime.
fn character(rest: &[u8]) -> usize {
    let body = rest.get(1..).unwrap_or_default();
    if body.starts_with(b"\\") {
        return 1 + quoted(body, b'\'');
    }
    // One character of one to four bytes, then the quote.
    let bytes = match body.first() {
        Some(0..=0x7f) => 1,
        Some(0x80..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..) => 4,
        None => return 0,
    };
    if body.get(bytes) == Some(&b'\'') { bytes + 2 } else { 0 }
}
