//! `[[endpoint]]`: mediators, phones and carriers.

use std::borrow::Cow;
use std::net::IpAddr;

use mediator_model::{
    Address, AddressHost, Cidr, Direction, Endpoint, EndpointKind, Number, NumberFormat, Secret,
    SipCredentials, Transport,
};
use toml::de::DeValue;

use super::fault::Reason;
use super::reader::{At, Section};
use super::{sids, value};

/// The most numbers of one endpoint.
const MAX_DIDS: usize = 1_000_000;
/// The port of an address that names none.
const DEFAULT_PORT: u16 = 5060;

/// A user of the Mediator API: a mediator endpoint's login.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The login of HTTP Basic.
    pub login: Box<str>,
    /// Its password, or an argon2 hash of it in PHC form.
    pub password: Secret,
}

/// An endpoint as the file has it: what it refers to is a name still.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndpointSpec {
    /// The endpoint; a mediator's `outbound` is not filled in yet.
    pub endpoint: Endpoint,
    /// Where a mediator sends numbers that are no DIDs here: an endpoint or trunk group.
    pub outbound: Option<Box<str>>,
    /// A mediator's login.
    pub account: Option<Account>,
}

/// An endpoint and where in the file its parts stand, for checks across objects.
pub(super) struct ReadEndpoint {
    pub(super) spec: EndpointSpec,
    pub(super) offset: usize,
    pub(super) dids: Vec<At<Number>>,
    pub(super) outbound_offset: usize,
    pub(super) user_offset: usize,
    pub(super) login_offset: usize,
    /// Whether `type` could be read; where not, nothing that depends on it is checked.
    pub(super) is_typed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Mediator,
    ThirdParty,
    SystemGateway,
}

const UNBUILT_TYPES: [&str; 4] = ["conference", "conference_playback", "flexml", "voicemail"];

fn endpoint_type(value: &DeValue<'_>) -> Result<Type, Reason> {
    let expected = "expected \"mediator\", \"third_party\" or \"system_gateway\"";
    match value.as_str() {
        Some("mediator") => Ok(Type::Mediator),
        Some("third_party") => Ok(Type::ThirdParty),
        Some("system_gateway") => Ok(Type::SystemGateway),
        Some(other) if UNBUILT_TYPES.contains(&other) || other.starts_with("peering_") => {
            Err(Cow::Owned(format!("this type is not built yet: {expected}")))
        }
        _ => Err(Cow::Borrowed(expected)),
    }
}

/// Reads one `[[endpoint]]`; `None` where it has no usable name.
pub(super) fn read(section: Section<'_>) -> Option<ReadEndpoint> {
    let name = section.require("name", value::name);
    let kind = section.require("type", endpoint_type).map(|found| found.value);
    check_keys_of_type(&section, kind);
    let outbound = section.read("outbound", value::name);
    let credentials = read_pair(&section, "sip_username", "sip_password");
    let account = read_account(&section);
    let out_credentials = read_pair(&section, "out_sip_username", "out_sip_password");
    let dids = section.list("dids", 0..=MAX_DIDS, value::number).unwrap_or_default();
    let addresses: Vec<Address> =
        section.sections("addresses").filter_map(|address| read_address(address)).collect();
    let user_offset = credentials.as_ref().map_or(section.offset(), |found| found.offset);
    let login_offset = account.as_ref().map_or(section.offset(), |found| found.offset);
    let kind_with_data = match kind {
        Some(Type::Mediator) => EndpointKind::Mediator { outbound: None },
        Some(Type::ThirdParty) => {
            EndpointKind::ThirdParty { credentials: credentials.map(|found| found.value) }
        }
        Some(Type::SystemGateway) | None => EndpointKind::SystemGateway,
    };
    notice_unreachable(&section, &kind_with_data, &addresses);
    let endpoint = Endpoint {
        sid: sids::endpoint(name.as_ref().map_or("", |found| &found.value)),
        name: name.as_ref().map(|found| found.value.clone()).unwrap_or_default(),
        kind: kind_with_data,
        addresses,
        auth_required: section.read_or("auth_required", true, value::boolean),
        capacity: section.read_or("capacity", 0, value::whole(0..=1_000_000)),
        cps_limit: section.read_or("cps_limit", 0, value::whole(0..=1_000_000)),
        out_credentials: out_credentials.map(|found| found.value),
        number_format: section.read_or("number_format", NumberFormat::Digits, number_format()),
        dids: dids.iter().map(|did| did.value).collect(),
    };
    let read = ReadEndpoint {
        offset: section.offset(),
        outbound_offset: outbound.as_ref().map_or(section.offset(), |found| found.offset),
        user_offset,
        login_offset,
        dids,
        is_typed: kind.is_some(),
        spec: EndpointSpec {
            endpoint,
            outbound: outbound.map(|found| found.value),
            account: account.map(|found| found.value),
        },
    };
    section.finish();
    name.is_some().then_some(read)
}

fn number_format() -> impl Fn(&DeValue<'_>) -> Result<NumberFormat, Reason> {
    value::one_of(&[("digits", NumberFormat::Digits), ("plus", NumberFormat::Plus)])
}

/// Keys that only one type has: elsewhere they would be read and never used.
fn check_keys_of_type(section: &Section<'_>, kind: Option<Type>) {
    let Some(kind) = kind else { return };
    let foreign: &[(&[&'static str], &'static str)] = match kind {
        Type::Mediator => &[
            (&["sip_username", "sip_password"], "only type \"third_party\" has this key"),
            (
                &["addresses", "out_sip_username", "out_sip_password"],
                "only types \"third_party\" and \"system_gateway\" have this key",
            ),
        ],
        Type::ThirdParty => {
            &[(&["login", "password", "outbound"], "only type \"mediator\" has this key")]
        }
        Type::SystemGateway => &[
            (&["login", "password", "outbound"], "only type \"mediator\" has this key"),
            (
                &["sip_username", "sip_password"],
                "only type \"third_party\" has this key: a carrier is known by its addresses",
            ),
        ],
    };
    for (keys, reason) in foreign {
        for key in *keys {
            if let Some(offset) = section.position(key) {
                section.fault_at(offset, key, *reason);
            }
        }
    }
}

/// A user name and a password, both or none.
fn read_pair(
    section: &Section<'_>,
    user_key: &'static str,
    password_key: &'static str,
) -> Option<At<SipCredentials>> {
    let username = section.read(user_key, value::name);
    let password = section.read(password_key, value::secret);
    both_or_none(section, user_key, password_key);
    let (username, password) = (username?, password?);
    let credentials = SipCredentials { username: username.value, password: password.value };
    Some(At { value: credentials, offset: username.offset })
}

/// A mediator's login; unlike SIP's, its password may be a hash.
fn read_account(section: &Section<'_>) -> Option<At<Account>> {
    let login = section.read("login", value::login);
    let password = section.read("password", value::hashable_secret);
    both_or_none(section, "login", "password");
    let (login, password) = (login?, password?);
    let account = Account { login: login.value, password: password.value };
    Some(At { value: account, offset: login.offset })
}

fn both_or_none(section: &Section<'_>, user_key: &'static str, password_key: &'static str) {
    match (section.position(user_key), section.position(password_key)) {
        (Some(offset), None) => {
            section.fault_at(offset, user_key, format!("expected {password_key} beside it"));
        }
        (None, Some(offset)) => {
            section.fault_at(offset, password_key, format!("expected {user_key} beside it"));
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
}

fn notice_unreachable(section: &Section<'_>, kind: &EndpointKind, addresses: &[Address]) {
    let reason = match kind {
        EndpointKind::ThirdParty { credentials: None } => {
            "neither addresses nor sip_username: it can neither call nor be called"
        }
        EndpointKind::SystemGateway => "no addresses: it can neither call nor be called",
        EndpointKind::ThirdParty { credentials: Some(_) } | EndpointKind::Mediator { .. } => return,
    };
    if addresses.is_empty() && section.position("addresses").is_none() {
        section.notice_at(section.offset(), "addresses", reason);
    }
}

/// Reads one entry of `addresses`; `None` where it names no host.
fn read_address(section: Section<'_>) -> Option<Address> {
    let host = section.require("ip", host);
    let direction = section.read("direction", direction());
    let transport = section.read("transport", address_transport);
    let port = section.read("port", value::whole(1..=u16::MAX));
    let priority = section.read_or("priority", 0, value::whole(0..=u16::MAX));
    let credentials = read_pair(&section, "sip_username", "sip_password");
    let is_block = matches!(&host, Some(At { value: AddressHost::Block(_), .. }));
    if let (true, Some(At { value: Direction::Outbound, offset })) = (is_block, &direction) {
        let reason = "a block of addresses is for calls that come in: set \"inbound\"";
        section.fault_at(*offset, "direction", reason);
    }
    section.finish();
    let host = host?.value;
    let by_dns = matches!(host, AddressHost::Name(_));
    Some(Address {
        direction: match direction {
            _ if is_block => Direction::Inbound,
            Some(found) => found.value,
            None => Direction::Any,
        },
        port: port.map(|found| found.value).or((!by_dns).then_some(DEFAULT_PORT)),
        transport: transport.map(|found| found.value).or((!by_dns).then_some(Transport::Udp)),
        host,
        priority,
        credentials: credentials.map(|found| found.value),
    })
}

fn direction() -> impl Fn(&DeValue<'_>) -> Result<Direction, Reason> {
    value::one_of(&[
        ("any", Direction::Any),
        ("inbound", Direction::Inbound),
        ("outbound", Direction::Outbound),
    ])
}

fn address_transport(value: &DeValue<'_>) -> Result<Transport, Reason> {
    match value.as_str().and_then(Transport::from_token) {
        Some(transport @ (Transport::Udp | Transport::Tcp)) => Ok(transport),
        Some(Transport::Tls | Transport::Ws | Transport::Wss) => {
            Err(Cow::Borrowed("not built yet: use \"udp\" or \"tcp\""))
        }
        None => Err(Cow::Borrowed("expected \"udp\" or \"tcp\"")),
    }
}

fn host(value: &DeValue<'_>) -> Result<AddressHost, Reason> {
    let expected = "expected an IP address, a block such as \"192.0.2.0/24\" or a host name";
    let text = value.as_str().ok_or(Cow::Borrowed(expected))?;
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse() {
        return Ok(AddressHost::Ip(ip));
    }
    if let Some((base, prefix)) = text.split_once('/') {
        return block(base, prefix).map(AddressHost::Block).ok_or(Cow::Borrowed(expected));
    }
    if is_host_name(text) {
        return Ok(AddressHost::Name(text.trim_end_matches('.').into()));
    }
    Err(Cow::Borrowed(expected))
}

fn block(base: &str, prefix: &str) -> Option<Cidr> {
    let base: IpAddr = base.parse().ok()?;
    let prefix: u8 = prefix.parse().ok()?;
    let most = if base.is_ipv4() { 32 } else { 128 };
    (prefix <= most).then_some(Cidr { base, prefix })
}

/// RFC 3261 §25.1 `hostname`, and `_` which DNS allows: the last label starts with a letter, so a mistyped IP is no name.
fn is_host_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label_is_good = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253
        && text.split('.').all(label_is_good)
        && text
            .split('.')
            .next_back()
            .is_some_and(|last| last.starts_with(|letter: char| letter.is_ascii_alphabetic()))
}
