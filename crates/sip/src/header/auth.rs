//! Authorization, WWW-Authenticate and their proxy forms: RFC 3261 §20.7, RFC 7616. Syntax only.

/// A challenge: a scheme and its parameters.
#[derive(Clone, Copy, Debug)]
pub struct Challenge<'a> {
    /// `Digest`, as received.
    pub scheme: &'a str,
    pub(crate) params: &'a [u8],
}

/// Credentials: a scheme and its parameters.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// `Digest`, as received.
    pub scheme: &'a str,
    pub(crate) params: &'a [u8],
}

impl<'a> Challenge<'a> {
    /// Reads one header line's value.
    pub fn parse(_value: &'a [u8]) -> Option<Self> {
        todo!()
    }

    /// Whether the scheme is Digest.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }

    /// The value of a parameter, by name in any case, without its quotes, escapes left in.
    pub fn get(&self, _name: &str) -> Option<&'a [u8]> {
        let _ = self.params;
        todo!()
    }

    /// Each parameter in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let _ = self;
        core::iter::empty()
    }
}

impl<'a> Credentials<'a> {
    /// Reads one header line's value.
    pub fn parse(_value: &'a [u8]) -> Option<Self> {
        todo!()
    }

    /// Whether the scheme is Digest.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }

    /// The value of a parameter, by name in any case, without its quotes, escapes left in.
    pub fn get(&self, _name: &str) -> Option<&'a [u8]> {
        let _ = self.params;
        todo!()
    }

    /// Each parameter in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let _ = self;
        core::iter::empty()
    }
}
