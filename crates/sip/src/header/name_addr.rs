//! From, To, Contact, Route and their kin: `"display" <uri>;params` (RFC 3261 §20.10, §25.1).

use super::{HeaderError, Params};
use crate::Uri;
use alloc::borrow::Cow;

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
    /// Reads one whole value.
    pub fn parse(_value: &'a [u8]) -> Option<Self> {
        todo!()
    }

    /// The dialog tag.
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.value("tag")
    }

    /// The display name without quotes and escapes; what is not UTF-8 is replaced.
    pub fn display_decoded(&self) -> Option<Cow<'a, str>> {
        todo!()
    }
}

/// Addresses of one header in order.
#[derive(Clone, Debug)]
pub struct NameAddrs<'a> {
    _raw: &'a [u8],
}

impl<'a> Iterator for NameAddrs<'a> {
    type Item = Result<NameAddr<'a>, HeaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        todo!()
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
