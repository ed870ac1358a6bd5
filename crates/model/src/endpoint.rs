//! Endpoints: what calls come from and go to.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use crate::{Number, Sid, Transport, TrunkGroupIndex};

/// An endpoint's place in one [`crate::Directory`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct EndpointIndex(pub u32);

/// A text that is never printed: `Debug` shows `***` and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that computes with it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A user name and password of SIP digest (RFC 7616).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SipCredentials {
    /// The digest's user name.
    pub username: Box<str>,
    /// The password.
    pub password: Secret,
}

/// Which way calls may use an [`Address`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Direction {
    /// Both.
    #[default]
    Any,
    /// Only calls that come from it.
    Inbound,
    /// Only calls to it.
    Outbound,
}

impl Direction {
    /// Whether a call may come from here.
    pub const fn admits_inbound(self) -> bool {
        matches!(self, Self::Any | Self::Inbound)
    }

    /// Whether a call may be sent here.
    pub const fn admits_outbound(self) -> bool {
        matches!(self, Self::Any | Self::Outbound)
    }
}

/// A block of IP addresses, `base/prefix` (RFC 4632 §3.1, RFC 4291 §2.3).
///
/// ```
/// use mediator_model::Cidr;
///
/// let block: Cidr = "203.0.113.0/24".parse()?;
/// assert!(block.contains("203.0.113.7".parse().unwrap()));
/// # Ok::<(), mediator_model::CidrError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cidr {
    /// Any address of the block.
    pub base: IpAddr,
    /// Leading bits that count: at most 32 for IPv4, 128 for IPv6.
    pub prefix: u8,
}

/// Why a text is no block of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CidrError {
    /// No `/`, or what is before it is no IP address.
    #[error("expected an IP address, \"/\" and a prefix length")]
    Malformed,
    /// A prefix that is no number, or longer than the address.
    #[error("the prefix length must be at most 32 for IPv4, 128 for IPv6")]
    Prefix,
}

impl Cidr {
    /// Whether `ip` lies in the block. An IPv4 block never holds an IPv6 address and the other way round, save that
    /// an IPv4-mapped address (`::ffff:203.0.113.7`, how a dual-stack socket shows IPv4 peers) counts as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.base, ip.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => {
                let mask =
                    u32::MAX.checked_shl(32_u32.saturating_sub(self.prefix.into())).unwrap_or(0);
                (u32::from(base) ^ u32::from(ip)) & mask == 0
            }
            (IpAddr::V6(base), IpAddr::V6(ip)) => {
                let mask =
                    u128::MAX.checked_shl(128_u32.saturating_sub(self.prefix.into())).unwrap_or(0);
                (u128::from(base) ^ u128::from(ip)) & mask == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (base, prefix) = text.split_once('/').ok_or(CidrError::Malformed)?;
        let base: IpAddr = base.parse().map_err(|_| CidrError::Malformed)?;
        let longest = if base.is_ipv4() { 32 } else { 128 };
        // `u8::from_str` would take "+8", which no peer of ours writes.
        if !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CidrError::Prefix);
        }
        match prefix.parse() {
            Ok(prefix) if prefix <= longest => Ok(Self { base, prefix }),
            _ => Err(CidrError::Prefix),
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// What an [`Address`] names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AddressHost {
    /// One host.
    Ip(IpAddr),
    /// A block; only calls from it are known, none can be sent to it.
    Block(Cidr),
    /// A name that RFC 3263 resolves, call by call.
    Name(Box<str>),
}

/// One place that an endpoint lives at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// Which way calls may use it.
    pub direction: Direction,
    /// Host, block or name.
    pub host: AddressHost,
    /// Port; for a name, `None` asks SRV (RFC 3263 §4.2). Default 5060.
    pub port: Option<u16>,
    /// How calls are sent to it; for a name, `None` asks NAPTR. Default UDP.
    pub transport: Option<Transport>,
    /// Lower first.
    pub priority: u16,
    /// Credentials for a challenge from here; the endpoint's `out_sip` ones where `None`.
    pub credentials: Option<SipCredentials>,
}

impl Address {
    /// The port as set, or the transport's default one.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or_else(|| self.transport.unwrap_or(Transport::Udp).default_port())
    }
}

/// How numbers are written towards an endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum NumberFormat {
    /// `15162065337`.
    #[default]
    Digits,
    /// `+15162065337`.
    Plus,
}

/// Where a mediator endpoint sends numbers that are no DIDs here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outbound(pub TrunkGroupIndex);

/// What an endpoint is, with the data that only this type has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EndpointKind {
    /// Runs bindings and dialouts; an account of the Mediator API.
    Mediator {
        /// The way to numbers that are no DIDs here; `None`: such a call gets 503.
        outbound: Option<Outbound>,
    },
    /// A SIP phone, PBX or application; registers where it has credentials.
    ThirdParty {
        /// What it registers and authenticates with.
        credentials: Option<SipCredentials>,
    },
    /// A carrier: the way to the PSTN.
    SystemGateway,
}

/// A thing that calls come from or go to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Its id.
    pub sid: Sid,
    /// For people and logs.
    pub name: Box<str>,
    /// What it is.
    pub kind: EndpointKind,
    /// Where it lives; empty for a phone that registers.
    pub addresses: Vec<Address>,
    /// Whether a request that no address matches may authenticate by digest. Default true.
    pub auth_required: bool,
    /// Calls at once that it takes part in; 0 is unlimited.
    pub capacity: u32,
    /// Calls a second; 0 is unlimited.
    pub cps_limit: u32,
    /// The answer to a far side's challenge.
    pub out_credentials: Option<SipCredentials>,
    /// How numbers are written towards it.
    pub number_format: NumberFormat,
    /// Its own numbers, in the order of the config: the first one is its caller ID by default.
    pub dids: Vec<Number>,
}

#[cfg(test)]
mod tests;
