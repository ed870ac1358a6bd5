//! Content-Type: RFC 3261 §20.15.

use super::Params;
use super::tokens::Scanner;

/// A media type with its parameters.
#[derive(Clone, Copy, Debug)]
pub struct MediaType<'a> {
    /// `application`, as received.
    pub kind: &'a str,
    /// `sdp`, as received.
    pub subtype: &'a str,
    /// What follows, such as a multipart's boundary.
    pub params: Params<'a>,
}

impl<'a> MediaType<'a> {
    /// Reads one whole value.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner::new(value);
        scanner.skip_lws();
        let kind = scanner.token()?;
        if !scanner.eat_separator(b'/') {
            return None;
        }
        let subtype = scanner.token()?;
        let params = Params::take(&mut scanner)?;
        scanner.skip_lws();
        scanner.is_end().then_some(Self { kind, subtype, params })
    }

    /// Whether it is `kind/subtype`, in any case.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }
}
