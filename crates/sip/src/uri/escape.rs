//! `%HH` escapes: RFC 3261 §19.1.2, RFC 3986 §2.1.

/// The bytes of a component with its escapes decoded, one by one. A `%` that begins no escape stands for itself.
#[derive(Clone, Debug)]
pub(super) struct Decoded<'a> {
    rest: &'a [u8],
}

impl<'a> Decoded<'a> {
    pub(super) fn new(escaped: &'a [u8]) -> Self {
        Self { rest: escaped }
    }
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let [b'%', high, low, rest @ ..] = self.rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            self.rest = rest;
            return Some(high << 4 | low);
        }
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Whether both are the same once decoded.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    one == other || Decoded::new(one).eq(Decoded::new(other))
}

/// Whether both are the same once decoded, whatever their case.
pub(super) fn same_any_case(one: &[u8], other: &[u8]) -> bool {
    let lower = |escaped| Decoded::new(escaped).map(|byte| byte.to_ascii_lowercase());
    lower(one).eq(lower(other))
}
