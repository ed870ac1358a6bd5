//! Authorization, WWW-Authenticate and their proxy forms: RFC 3261 §20.7, §25.1, RFC 7616.
//!
//! Syntax only: what the parameters mean is for [`crate::digest`].

use super::tokens::{Class, Scanner};

/// A scheme and its parameters.
#[derive(Clone, Copy, Debug)]
pub struct SchemeParams<'a> {
    /// `Digest`, as received.
    pub scheme: &'a str,
    params: Scanner<'a>,
}

/// A value of WWW-Authenticate or Proxy-Authenticate.
pub type Challenge<'a> = SchemeParams<'a>;

/// A value of Authorization or Proxy-Authorization.
pub type Credentials<'a> = SchemeParams<'a>;

impl<'a> SchemeParams<'a> {
    /// Reads one header line's value. The parameters of Digest must be well-formed to the end; those of
    /// another scheme are left as they are.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner::new(value);
        scanner.skip_lws();
        let scheme = scanner.token()?;
        if !scanner.skip_lws() {
            return None;
        }
        let this = Self { scheme, params: scanner };
        if this.is_digest() {
            let mut all = this.iter();
            if all.by_ref().count() == 0 {
                return None;
            }
            all.rest.skip_lws();
            if !all.rest.is_end() {
                return None;
            }
        }
        Some(this)
    }

    /// Whether the scheme is Digest.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(DIGEST)
    }

    /// The value of a parameter, by name in any case, without its quotes, escapes left in.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// Each parameter in order: name and value, without its quotes, escapes left in.
    pub fn iter(&self) -> AuthParams<'a> {
        AuthParams { rest: self.params }
    }
}

impl<'a> IntoIterator for &SchemeParams<'a> {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = AuthParams<'a>;

    fn into_iter(self) -> AuthParams<'a> {
        self.iter()
    }
}

/// The scheme that SIP uses.
const DIGEST: &str = "Digest";

/// Parameters in order; ends in front of one that is malformed.
#[derive(Clone, Debug)]
pub struct AuthParams<'a> {
    rest: Scanner<'a>,
}

impl<'a> Iterator for AuthParams<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.rest.some(Class::TOKEN)?;
        if !self.rest.eat_separator(b'=') {
            return None;
        }
        let value = if self.rest.peek() == Some(b'"') {
            self.rest.quoted()?
        } else {
            self.rest.some(Class::VALUE)?
        };
        self.rest.eat_separator(b',');
        Some((name, value))
    }
}
