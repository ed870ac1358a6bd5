//! Character classes and the scanner that every typed view reads with: RFC 3261 §25.1.
//!
//! White space here is LWS: a value that came out of a message holds CR and LF only as folds, so both
//! count as white space wherever LWS may stand.

/// A set of bytes, one bit of [`CLASSES`].
#[derive(Clone, Copy)]
pub(crate) struct Class(u16);

impl Class {
    /// `token`.
    pub(crate) const TOKEN: Self = Self(1);
    /// SP, HTAB, and CR and LF of a fold.
    pub(crate) const LWS: Self = Self(1 << 1);
    /// `unreserved` and `user-unreserved`: a user part but for its escapes.
    pub(crate) const USER: Self = Self(1 << 2);
    /// `password` but for its escapes.
    pub(crate) const PASSWORD: Self = Self(1 << 3);
    /// `paramchar` but for its escapes.
    pub(crate) const PARAM: Self = Self(1 << 4);
    /// `hnv-unreserved` and `unreserved`: headers of a URI but for their escapes.
    pub(crate) const HEADER: Self = Self(1 << 5);
    /// A host name. RFC 3261 has no `_` in it; names of hosts in the field do.
    pub(crate) const HOST: Self = Self(1 << 6);
    /// `uric` but for its escapes, and the brackets of an IPv6 reference.
    pub(crate) const URIC: Self = Self(1 << 7);
    /// The unquoted value of a header parameter: what `token` and `host` hold, and the visible
    /// characters that no grammar around it needs, which peers are known to send.
    pub(crate) const VALUE: Self = Self(1 << 8);
    /// What a fixed-width number has.
    pub(crate) const DIGIT: Self = Self(1 << 9);
    /// The number of a tel URI: `phonedigit-hex`, `*`, `#` (RFC 3966 §3).
    pub(crate) const PHONE: Self = Self(1 << 10);
    /// What a URI is made of whatever its scheme: visible ASCII but for `<`, `>` and `"`.
    pub(crate) const URI: Self = Self(1 << 14);
    /// Anything visible in ASCII.
    pub(crate) const VISIBLE: Self = Self(1 << 11);
    /// A display name without quotes: `token`, LWS and, as peers send it, UTF-8.
    pub(crate) const DISPLAY: Self = Self(1 << 12);
    /// A URI scheme behind its first letter.
    pub(crate) const SCHEME: Self = Self(1 << 13);
    /// A parameter as far as its end can be told from the byte alone: neither `;` nor `"`.
    pub(crate) const UNQUOTED: Self = Self(1 << 15);

    /// Whether `byte` is in the set.
    pub(crate) fn has(self, byte: u8) -> bool {
        classes(byte) & self.0 != 0
    }

    /// The length of the longest run of the set at the start of `bytes`.
    pub(crate) fn run(self, bytes: &[u8]) -> usize {
        // Four bytes at a time: a class is one bit, so it outlives the `and` of all that have it.
        let (fours, _) = bytes.as_chunks::<4>();
        let is_whole =
            |four: &&[u8; 4]| four.iter().fold(self.0, |all, &byte| all & classes(byte)) != 0;
        let whole = fours.iter().take_while(is_whole).count() * 4;
        let rest = bytes.get(whole..).unwrap_or_default();
        whole + rest.iter().position(|&byte| !self.has(byte)).unwrap_or(rest.len())
    }

    /// Whether `bytes` holds nothing else.
    pub(crate) fn holds(self, bytes: &[u8]) -> bool {
        self.run(bytes) == bytes.len()
    }

    /// Whether `bytes` holds nothing else but well-formed `%HH` escapes.
    pub(crate) fn holds_escaped(self, mut bytes: &[u8]) -> bool {
        loop {
            let run = self.run(bytes);
            match bytes.get(run..) {
                None | Some([]) => return true,
                Some([b'%', high, low, rest @ ..])
                    if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
                {
                    bytes = rest;
                }
                Some(_) => return false,
            }
        }
    }
}

/// The classes that a byte is in.
fn classes(byte: u8) -> u16 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or_default()
}

static CLASSES: [u16; 256] = table();

#[expect(clippy::indexing_slicing, reason = "a byte always fits 256 slots; runs at compile time")]
const fn table() -> [u16; 256] {
    let mut table = [0_u16; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = classes_of(byte);
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

const fn classes_of(byte: u8) -> u16 {
    let alnum = byte.is_ascii_alphanumeric();
    let mark = matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')');
    let unreserved = alnum || mark;
    let token = alnum
        || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
    let lws = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let user = matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/');
    let password = matches!(byte, b'&' | b'=' | b'+' | b'$' | b',');
    let param = matches!(byte, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$');
    let header = matches!(byte, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$');
    let uric = matches!(byte, b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',')
        || matches!(byte, b'[' | b']');
    let visible = byte.is_ascii_graphic();
    let delimiter = matches!(byte, b',' | b';' | b'"' | b'<' | b'>' | b'\\');
    let separator = matches!(byte, b'-' | b'.' | b'(' | b')');
    let scheme = alnum || matches!(byte, b'+' | b'-' | b'.');
    let quote = matches!(byte, b'<' | b'>' | b'"');
    bits(token, Class::TOKEN)
        | bits(lws, Class::LWS)
        | bits(unreserved || user, Class::USER)
        | bits(unreserved || password, Class::PASSWORD)
        | bits(unreserved || param, Class::PARAM)
        | bits(unreserved || header, Class::HEADER)
        | bits(alnum || matches!(byte, b'-' | b'.' | b'_'), Class::HOST)
        | bits(unreserved || uric, Class::URIC)
        | bits(visible && !delimiter, Class::VALUE)
        | bits(byte.is_ascii_digit(), Class::DIGIT)
        | bits(byte.is_ascii_hexdigit() || separator || matches!(byte, b'*' | b'#'), Class::PHONE)
        | bits(visible, Class::VISIBLE)
        | bits(visible && !quote, Class::URI)
        | bits(token || lws || byte >= 0x80, Class::DISPLAY)
        | bits(scheme, Class::SCHEME)
        | bits(!matches!(byte, b';' | b'"'), Class::UNQUOTED)
}

/// The bit of a class for a byte that is in it.
const fn bits(is_member: bool, class: Class) -> u16 {
    if is_member { class.0 } else { 0 }
}

/// Fewer digits than these are below 2^64.
const MAX_SAFE_DIGITS: usize = 20;

/// Reads a value from its start to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether all has been read.
    pub(crate) fn is_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte, left where it is.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Passes `byte` where it is next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((&next, rest)) if next == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Passes `byte` and the white space around it (SEMI, COMMA, SLASH, EQUAL, COLON).
    #[inline]
    pub(crate) fn eat_separator(&mut self, byte: u8) -> bool {
        if self.peek() != Some(byte) {
            let mut behind = *self;
            if !behind.skip_lws() || behind.peek() != Some(byte) {
                return false;
            }
            *self = behind;
        }
        self.eat(byte);
        self.skip_lws();
        true
    }

    /// Passes `count` bytes, or all that are left, and gives them back.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Passes the longest run of a class.
    pub(crate) fn run(&mut self, class: Class) -> &'a [u8] {
        self.take(class.run(self.rest))
    }

    /// Passes a run of a class that is not empty.
    pub(crate) fn some(&mut self, class: Class) -> Option<&'a [u8]> {
        let run = self.run(class);
        (!run.is_empty()).then_some(run)
    }

    /// Passes white space; says whether there was any.
    #[inline]
    pub(crate) fn skip_lws(&mut self) -> bool {
        // Mostly there is none, and this is asked between any two parts.
        self.peek().is_some_and(|byte| Class::LWS.has(byte)) && !self.run(Class::LWS).is_empty()
    }

    /// Passes a token.
    pub(crate) fn token(&mut self) -> Option<&'a str> {
        self.some(Class::TOKEN).and_then(|token| core::str::from_utf8(token).ok())
    }

    /// Passes `1*DIGIT`; a number beyond 64 bits counts as the greatest.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let digits = self.some(Class::DIGIT)?;
        if digits.len() < MAX_SAFE_DIGITS {
            return Some(
                digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')),
            );
        }
        Some(digits.iter().fold(0_u64, |number, digit| {
            number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        }))
    }

    /// Passes a quoted string; gives what is between the quotes, escapes left in.
    ///
    /// Control characters must be escaped in it; bytes above ASCII may be any (RFC 3261 §25.1 wants
    /// UTF-8, older peers send ISO 8859-1).
    pub(crate) fn quoted(&mut self) -> Option<&'a [u8]> {
        let inner = self.rest.strip_prefix(b"\"")?;
        let mut at = 0;
        loop {
            match inner.get(at)? {
                b'"' => {
                    let (text, rest) = inner.split_at_checked(at)?;
                    self.rest = rest.get(1..)?;
                    return Some(text);
                }
                b'\\' if matches!(inner.get(at + 1), Some(0..=9 | 11 | 12 | 14..=127)) => at += 2,
                b'\\' | 0x7f => return None,
                byte if *byte < b' ' && !Class::LWS.has(*byte) => return None,
                _ => at += 1,
            }
        }
    }
}

/// The index of the first `byte` in `bytes`, eight at a time.
pub(crate) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    // Equal bytes become zero, and the borrow of a zero marks it.
    let mark = |word: u64| {
        let zero_where_equal = word ^ (ONES * u64::from(byte));
        zero_where_equal.wrapping_sub(ONES) & !zero_where_equal & TOPS
    };
    find_marked(bytes, mark, |other| other == byte)
}

/// The index of the first byte below 14, as CR, LF and NUL are, eight at a time.
pub(crate) fn find_low(bytes: &[u8]) -> Option<usize> {
    let mark = |word: u64| word.wrapping_sub(ONES * 14) & !word & TOPS;
    find_marked(bytes, mark, |byte| byte < 14)
}

const ONES: u64 = u64::MAX / 0xff;
const TOPS: u64 = ONES * 0x80;

/// Finds by marks on the top bits of eight bytes, the lowest of which is right; those above it may be wrong.
fn find_marked(
    bytes: &[u8],
    mark: impl Fn(u64) -> u64,
    is_it: impl Fn(u8) -> bool,
) -> Option<usize> {
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().position(|&byte| is_it(byte));
    };
    let (words, _) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marks = mark(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(index * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    // The last eight, some of which have been looked at and are none.
    let marks = mark(u64::from_le_bytes(*last));
    (marks != 0).then(|| bytes.len() - 8 + marks.trailing_zeros() as usize / 8)
}

/// The part of `whole` in front of `rest`, which is its tail.
pub(crate) fn before<'a>(whole: &'a [u8], rest: &[u8]) -> &'a [u8] {
    whole.get(..whole.len().saturating_sub(rest.len())).unwrap_or(whole)
}

/// `bytes` without the white space around it.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [first, rest @ ..] = bytes
        && Class::LWS.has(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && Class::LWS.has(*last)
    {
        bytes = rest;
    }
    bytes
}

/// The text of bytes that are known to be ASCII; empty where they are not.
pub(crate) fn ascii(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}
