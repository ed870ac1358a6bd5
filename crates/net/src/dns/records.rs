//! Questions to the DNS and its answers, as far as locating SIP servers needs them.

use std::net::IpAddr;
use std::sync::Arc;

/// A host or service name in one spelling: lower case, without the dot at the end.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct DnsName(Arc<str>);

impl DnsName {
    /// The name that `text` spells.
    pub fn new(text: &str) -> Self {
        Self(text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase().into())
    }

    /// The name without a dot at the end; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the root: as an SRV target it says that there is no such service (RFC 2782).
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The name without its leading `_service._proto` labels.
    pub(super) fn host_part(&self) -> &str {
        let mut rest = self.as_str();
        while rest.starts_with('_') {
            rest = rest.split_once('.').map_or("", |(_, parent)| parent);
        }
        rest
    }
}

/// One thing to ask.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Question {
    /// NAPTR records (RFC 3403).
    Naptr(DnsName),
    /// SRV records (RFC 2782).
    Srv(DnsName),
    /// A records.
    Ipv4(DnsName),
    /// AAAA records.
    Ipv6(DnsName),
}

impl Question {
    /// The name asked about.
    pub fn name(&self) -> &DnsName {
        match self {
            Self::Naptr(name) | Self::Srv(name) | Self::Ipv4(name) | Self::Ipv6(name) => name,
        }
    }
}

/// A NAPTR record; a regexp is not kept, for SIP uses none (RFC 3263 §4.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Naptr {
    /// Lower first; records of another order than the first usable one are not considered.
    pub order: u16,
    /// Lower first within one order.
    pub preference: u16,
    /// `s` where the replacement is the name of SRV records.
    pub flags: Box<str>,
    /// For instance `SIP+D2U`.
    pub service: Box<str>,
    /// The name to go on with.
    pub replacement: DnsName,
}

/// An SRV record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Srv {
    /// Lower first.
    pub priority: u16,
    /// The share of the requests within one priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host.
    pub target: DnsName,
}

/// What came back. Clones share the records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// To [`Question::Naptr`].
    Naptr(Arc<[Naptr]>),
    /// To [`Question::Srv`].
    Srv(Arc<[Srv]>),
    /// To [`Question::Ipv4`] and [`Question::Ipv6`].
    Addresses(Arc<[IpAddr]>),
    /// There is no such record, says the DNS.
    Nothing,
    /// The DNS says nothing: no answer in time, or an error.
    Failed,
}
