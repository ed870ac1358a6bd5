//! From, To, Contact, Route and their kin: `"display" <uri>;params` (RFC 3261 §20.10, §25.1).

use super::list::Elements;
use super::tokens::{Class, Scanner, trim};
use super::{HeaderError, Params, Problem};
use crate::Uri;
use crate::message::Lines;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

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
        let (display, uri) = if scanner.peek() == Some(b'"') {
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

/// Passes `<uri>`.
fn take_bracketed<'a>(scanner: &mut Scanner<'a>) -> Option<&'a [u8]> {
    if !scanner.eat(b'<') {
        return None;
    }
    let length = scanner.rest().iter().position(|&byte| byte == b'>')?;
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

/// Addresses of all lines of one header, in order.
#[derive(Clone, Debug)]
pub struct NameAddrs<'a> {
    lines: Lines<'a>,
    line: Elements<'a>,
}

impl<'a> NameAddrs<'a> {
    pub(crate) fn new(lines: Lines<'a>) -> Self {
        Self { lines, line: Elements::new(&[]) }
    }
}

impl<'a> Iterator for NameAddrs<'a> {
    type Item = Result<NameAddr<'a>, HeaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        let malformed = HeaderError { header: self.lines.name(), problem: Problem::Malformed };
        if let Some(element) = self.line.next() {
            return Some(NameAddr::parse(element).ok_or(malformed));
        }
        self.line = Elements::new(self.lines.next()?);
        // A line without any address has not what its grammar asks for.
        Some(self.line.next().and_then(NameAddr::parse).ok_or(malformed))
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
