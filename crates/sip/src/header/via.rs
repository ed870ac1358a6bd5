//! Via: RFC 3261 §20.42, RFC 3581.

use super::list::TypedValues;
use super::tokens::{Class, Scanner, ascii, before, trim};
use super::{HeaderError, Params};
use crate::Host;
use crate::message::Lines;
use core::net::{IpAddr, Ipv6Addr};

/// What a branch of RFC 3261 begins with (§8.1.1.7).
pub const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

/// One hop of the way that a request came.
#[derive(Clone, Copy, Debug)]
pub struct Via<'a> {
    /// The transport as received (`UDP`), which may be one that we do not know.
    pub transport_token: &'a str,
    /// The host of sent-by.
    pub host: Host<'a>,
    /// The port of sent-by.
    pub port: Option<u16>,
    /// The parameters.
    pub params: Params<'a>,
    pub(crate) sent_by: &'a [u8],
    pub(crate) raw: &'a [u8],
}

impl<'a> Via<'a> {
    /// Reads one whole value.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner::new(value);
        let via = Self::take(&mut scanner)?;
        scanner.skip_lws();
        scanner.is_end().then_some(via)
    }

    /// Passes one value and stops in front of a comma or of what cannot belong to it.
    pub(crate) fn take(scanner: &mut Scanner<'a>) -> Option<Self> {
        scanner.skip_lws();
        let start = scanner.rest();
        for _ in ["protocol-name", "protocol-version"] {
            scanner.some(Class::TOKEN)?;
            if !scanner.eat_separator(b'/') {
                return None;
            }
        }
        let transport_token = scanner.token()?;
        if !scanner.skip_lws() {
            return None;
        }
        let from_host = scanner.rest();
        let host = Host::take(scanner)?;
        let mut after = scanner.rest();
        let mut port = None;
        if scanner.eat_separator(b':') {
            port = Some(u16::try_from(scanner.number()?).ok()?);
            after = scanner.rest();
        }
        let sent_by = before(from_host, after);
        let params = Params::take(scanner)?;
        let raw = trim(before(start, scanner.rest()));
        Some(Self { transport_token, host, port, params, sent_by, raw })
    }

    /// The value as received, its parameters included.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The `branch` parameter.
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.params.value("branch")
    }

    /// The `received` parameter, where it is an address; brackets around IPv6 are tolerated (RFC 5118 §4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.value("received")?;
        let bare = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
        match bare {
            Some(inner) => ascii(inner).parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => ascii(text).parse().ok(),
        }
    }

    /// The `rport` parameter: `Some(None)` where it is asked for, `Some(Some(port))` where it is filled in
    /// (RFC 3581).
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.get("rport").map(|value| value.and_then(|port| ascii(port).parse().ok()))
    }

    /// The sent-by as received: host and, where there is one, port.
    pub fn sent_by(&self) -> &'a [u8] {
        self.sent_by
    }
}

/// The Via values of all lines, the topmost first. A line that is malformed gives one error and no more.
#[derive(Clone, Debug)]
pub struct Vias<'a> {
    values: TypedValues<'a>,
}

impl<'a> Vias<'a> {
    pub(crate) fn new(lines: Lines<'a>) -> Self {
        Self { values: TypedValues::new(lines) }
    }
}

impl<'a> Iterator for Vias<'a> {
    type Item = Result<Via<'a>, HeaderError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.values.next_by(Via::take)
    }
}
