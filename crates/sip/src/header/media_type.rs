//! Content-Type: RFC 3261 §20.15.

use super::Params;

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

impl MediaType<'_> {
    /// Whether it is `kind/subtype`, in any case.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }
}
