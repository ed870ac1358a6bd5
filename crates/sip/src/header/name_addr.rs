//! From, To, Contact, Route and their kin: `"display" <uri>;params` (RFC 3261 §20.10, §25.1).

use super::list::TypedValues;
use super::tokens::{Class, Scanner, find, trim};
use super::{HeaderError, Params};
use crate::Uri;
use crate::message::Lines;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

/// An address with its display name and header parameters.
#[derive(Clone, Copy, Debug)]
pub struct NameAddr<'a> {
    /// The display name as received, without the quotes, escapes left in; `None` where there is none.
    pub display: Option<&'a [u8]>,
    /// The URI.
    pub uri: Uri<'a>,
    /// The parameters behind the address, not those inside the URI.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one whole value. Strict: white space inside `<>`, an unquoted display name that is not
    /// made of tokens, or a URI with `;`, `,` or `?` outside `<>` is malformed.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner::new(value);
        let address = Self::take(&mut scanner)?;
        scanner.skip_lws();
        scanner.is_end().then_some(address)
    }

    /// Passes one value and stops in front of a comma or of what cannot belong to it.
    pub(crate) fn take(scanner: &mut Scanner<'a>) -> Option<Self> {
        scanner.skip_lws();
        let (display, uri) = if scanner.peek() == Some(b'<') {
            (None, take_bracketed(scanner)?)
        } else if scanner.peek() == Some(b'"') {
            let display = scanner.quoted()?;
            scanner.skip_lws();
            (Some(display), take_bracketed(scanner)?)
        } else {
            let start = *scanner;
            let words = trim(scanner.run(Class::DISPLAY));
            if scanner.peek() == Some(b'<') {
                ((!words.is_empty()).then_some(words), take_bracketed(scanner)?)
            } else {
                *scanner = start;
                (None, take_bare(scanner)?)
            }
        };
        let uri = Uri::parse(uri).ok()?;
        let params = Params::take(scanner)?;
        Some(Self { display, uri, params })
    }

    /// The dialog tag.
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.value("tag")
    }

    /// The display name without quotes and escapes, folds as one space; what is not UTF-8 is replaced.
    pub fn display_decoded(&self) -> Option<Cow<'a, str>> {
        let raw = self.display?;
        if !raw.iter().any(|byte| matches!(byte, b'\\' | b'\r' | b'\n')) {
            return Some(String::from_utf8_lossy(raw));
        }
        let mut text = Vec::with_capacity(raw.len());
        let mut scanner = Scanner::new(raw);
        while let Some(byte) = scanner.take(1).first() {
            match byte {
                b'\\' => text.extend_from_slice(scanner.take(1)),
                b'\r' | b'\n' => {
                    scanner.skip_lws();
                    text.truncate(trim_end(&text).len());
                    text.push(b' ');
                }
                other => text.push(*other),
            }
        }
        Some(Cow::Owned(String::from_utf8_lossy(&text).into_owned()))
    }
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// A display name as a quoted string: `"` and `\` escaped, control characters as spaces.
///
/// ```
/// use mediator_sip::header::Quoted;
///
/// assert_eq!(Quoted("Ann \"A\" B").to_string(), r#""Ann \"A\" B""#);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        let mut rest = self.0;
        while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
            let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
            f.write_str(plain)?;
            let mut characters = special.chars();
            match characters.next() {
                Some(character @ ('"' | '\\')) => write!(f, "\\{character}")?,
                Some(_) => f.write_char(' ')?,
                None => {}
            }
            rest = characters.as_str();
        }
        f.write_str(rest)?;
        f.write_char('"')
    }
}

/// Passes `<uri>`.
fn take_bracketed<'a>(scanner: &mut Scanner<'a>) -> Option<&'a [u8]> {
    if !scanner.eat(b'<') {
        return None;
    }
    let length = find(b'>', scanner.rest())?;
    let uri = scanner.take(length);
    scanner.eat(b'>');
    Some(uri)
}

/// Passes a URI without brackets, where `;` ends it and begins header parameters and `?` may not
/// stand (RFC 3261 §20.10).
fn take_bare<'a>(scanner: &mut Scanner<'a>) -> Option<&'a [u8]> {
    let length = scanner
        .rest()
        .iter()
        .position(|&byte| matches!(byte, b';' | b',' | b'?') || Class::LWS.has(byte))
        .unwrap_or(scanner.rest().len());
    let uri = scanner.take(length);
    (scanner.peek() != Some(b'?')).then_some(uri)
}

/// Addresses of all lines of one header, in order. A line that is malformed gives one error and no more.
#[derive(Clone, Debug)]
pub struct NameAddrs<'a> {
    values: TypedValues<'a>,
}

impl<'a> NameAddrs<'a> {
    pub(crate) fn new(lines: Lines<'a>) -> Self {
        Self { values: TypedValues::new(lines) }
    }
}

impl<'a> Iterator for NameAddrs<'a> {
    type Item = Result<NameAddr<'a>, HeaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.values.next_by(NameAddr::take)
    }
}

/// The Contact headers of a message.
#[derive(Clone, Debug)]
pub enum Contacts<'a> {
    /// `Contact: *` (RFC 3261 §10.2.2).
    Star,
    /// Zero or more addresses.
    List(NameAddrs<'a>),
}
