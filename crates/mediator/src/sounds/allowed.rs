//! Which addresses are fetched from: public ones, and those that the operator has named.
//!
//! A URL comes from an API client, and the server stands where the client does not: without this check the client could
//! have it ask what only the server's own network may ask (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mediator_model::Cidr;

/// An entry of `media.fetch.allow`: fetched from, though it may not be public.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// Addresses, whatever name led to them.
    Block(Cidr),
    /// A host by its name, whatever address it has.
    Host(Box<str>),
}

impl Allowed {
    /// Reads an address, a block, or a host's name.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(block) = text.parse() {
            return Some(Self::Block(block));
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(base) = bare.parse::<IpAddr>() {
            let prefix = if base.is_ipv4() { 32 } else { 128 };
            return Some(Self::Block(Cidr { base, prefix }));
        }
        let is_name = !text.is_empty()
            && text.len() <= 253
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        is_name.then(|| Self::Host(text.trim_end_matches('.').to_ascii_lowercase().into()))
    }
}

/// What may be fetched from.
#[derive(Clone, Default, Debug)]
pub(super) struct Guard {
    allow: Vec<Allowed>,
}

impl Guard {
    pub(super) fn new(allow: &[Allowed]) -> Self {
        Self { allow: allow.to_vec() }
    }

    /// Whether a host may have any address.
    pub(super) fn trusts_host(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.allow.iter().any(|entry| match entry {
            Allowed::Host(name) => name.eq_ignore_ascii_case(host),
            Allowed::Block(_) => false,
        })
    }

    /// Whether an address may be connected to.
    pub(super) fn permits(&self, ip: IpAddr) -> bool {
        let named = self.allow.iter().any(|entry| match entry {
            Allowed::Block(block) => block.contains(ip),
            Allowed::Host(_) => false,
        });
        named || is_public(ip)
    }
}

/// Whether an address is anybody's, and not one of a network that only the server can reach.
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// The registry of special addresses (RFC 6890 and its successors), multicast and what is reserved.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = match a {
        0 | 10 | 127 | 224..=255 => true,
        100 => (64..=127).contains(&b), // shared with carriers' NAT, RFC 6598
        169 => b == 254,                // link-local; clouds tell secrets there
        172 => (16..=31).contains(&b),
        192 => b == 168 || (b == 0 && (c == 0 || c == 2)) || (b == 88 && c == 99),
        198 => b == 18 || b == 19 || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        _ => false,
    };
    !special
}

/// Global unicast, `2000::/3`, without what is documentation or holds an IPv4 address: through a translator (RFC 6052),
/// 6to4 or Teredo that would be reached.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    let is_global = first & 0xe000 == 0x2000;
    let is_special = match first {
        0x2001 => second < 0x0200 || second == 0x0db8, // IETF protocols with Teredo; documentation
        0x2002 => true,                                // 6to4
        0x3fff => second < 0x1000,                     // documentation, RFC 9637
        _ => false,
    };
    is_global && !is_special
}
