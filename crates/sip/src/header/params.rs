//! Parameters of headers and URIs: `;name=value` (RFC 3261 §25.1 `generic-param`, §19.1.1).

use super::tokens::{Class, Scanner, before, find, trim};

/// The parameters behind a value, parsed as they are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Params<'a> {
    raw: &'a [u8],
}

/// One parameter: its name and, where there is one, its value.
pub type Param<'a> = (&'a [u8], Option<&'a [u8]>);

impl<'a> Params<'a> {
    /// Parameters whose grammar has been checked, from the first `;` on.
    pub(crate) fn checked(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// Passes `*( SEMI generic-param )`; `None` where a parameter is malformed.
    pub(crate) fn take(scanner: &mut Scanner<'a>) -> Option<Self> {
        let mut start = *scanner;
        start.skip_lws();
        let mut end = start;
        if start.peek() != Some(b';') {
            return Some(Self::default());
        }
        while scanner.eat_separator(b';') {
            scanner.some(Class::TOKEN)?;
            end = *scanner;
            if scanner.eat_separator(b'=') {
                if scanner.peek() == Some(b'"') {
                    scanner.quoted()?;
                } else {
                    scanner.some(Class::VALUE)?;
                }
                end = *scanner;
            }
        }
        Some(Self { raw: before(start.rest(), end.rest()) })
    }

    /// The text from the first `;` on; empty where there are none.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Each parameter in order; a quoted value comes without its quotes, its escapes left in.
    pub fn iter(&self) -> Iter<'a> {
        Iter { raw: self.iter_raw() }
    }

    /// The text of each parameter in order, as received.
    pub(crate) fn iter_raw(&self) -> RawIter<'a> {
        RawIter { rest: self.raw }
    }

    /// The value of the first parameter of that name, in any case; `Some(None)` where it has no value.
    pub fn get(&self, name: &str) -> Option<Option<&'a [u8]>> {
        self.iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The value of the first parameter of that name; `None` where it is absent or has no value.
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.get(name).flatten()
    }
}

impl<'a> IntoIterator for &Params<'a> {
    type Item = Param<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Parameters in order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    raw: RawIter<'a>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        self.raw.next().map(split)
    }
}

/// The texts of parameters in order.
#[derive(Clone, Debug)]
pub(crate) struct RawIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for RawIter<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.strip_prefix(b";")?;
        let end = param_end(rest);
        let (param, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        self.rest = tail;
        Some(trim(param))
    }
}

/// Where the first parameter of `text` ends: at the next `;` outside quotes, or at the end.
fn param_end(text: &[u8]) -> usize {
    let start = Class::UNQUOTED.run(text);
    if text.get(start) != Some(&b'"') {
        return start;
    }
    let mut quoted = false;
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b';' if !quoted => return at,
            b'"' => quoted = !quoted,
            b'\\' if quoted => escaped = true,
            _ => {}
        }
    }
    text.len()
}

/// A parameter's text as name and value.
fn split(param: &[u8]) -> Param<'_> {
    let Some(equals) = find(b'=', param) else {
        return (param, None);
    };
    let (name, value) = param.split_at_checked(equals).unwrap_or((param, &[]));
    let value = trim(value.get(1..).unwrap_or_default());
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    (trim(name), Some(unquoted.unwrap_or(value)))
}
