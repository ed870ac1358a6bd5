//! An endpoint's addresses: an IP, a block of them or a host name, with port, transport and credentials.

use std::net::IpAddr;

use mediator_model::Cidr;
use mediator_store::record::AddressRecord;
use serde_json::Value;

use crate::core::reading;
use crate::fields::{Fields, Presence};

/// The most addresses of one endpoint.
const MAX_ADDRESSES: usize = 64;
/// The port of an address that names none.
pub(super) const DEFAULT_PORT: u16 = 5060;
/// The longest host name (RFC 1035 §2.3.4).
const MAX_HOST_BYTES: usize = 253;

const NOT_BUILT: &str = "not built yet";

/// Reads the whole list; absent keeps what there is.
pub(super) fn read(fields: &mut Fields<'_>, current: &[AddressRecord]) -> Vec<AddressRecord> {
    const NAME: &str = "addresses";
    let given = fields.list(NAME, MAX_ADDRESSES);
    let Some(given) = fields.not_null(NAME, given) else { return current.to_vec() };
    let mut addresses = Vec::with_capacity(given.len());
    for (at, entry) in given.iter().enumerate() {
        let Value::Object(entry) = entry else {
            fields.fault(&format!("{NAME}.{at}"), "expected an object");
            continue;
        };
        let mut address = Fields::nested(entry, &format!("{NAME}.{at}."));
        addresses.extend(read_one(&mut address, current));
        fields.absorb(address);
    }
    addresses
}

/// What the text of `ip` stands for, written the one way that it is stored in.
enum Host {
    Ip(Box<str>),
    Block(Box<str>),
    Name(Box<str>),
}

fn read_one(fields: &mut Fields<'_>, current: &[AddressRecord]) -> Option<AddressRecord> {
    let host = read_host(fields);
    let direction = read_direction(fields, host.as_ref());
    let is_name = matches!(host, Some(Host::Name(_)));
    let port = read_port(fields, is_name);
    let transport = read_transport(fields, is_name);
    let priority = reading::whole(fields, "priority", 0..=u16::MAX, 0);
    refuse_unbuilt(fields);
    let ip = match host {
        Some(Host::Ip(text) | Host::Block(text) | Host::Name(text)) => Some(text),
        None => None,
    };
    // The password is never shown: a list that comes back keeps it where host and user name are the same.
    let username = fields.text("sip_username", reading::MAX_TEXT_BYTES).given();
    let known = current.iter().find(|known| {
        Some(&known.ip) == ip.as_ref() && username.is_some() && known.sip_username == username
    });
    let stored = known.and_then(|known| {
        reading::stored_pair(known.sip_username.as_deref(), known.sip_password.as_ref())
    });
    let stored = username.and(stored);
    let credentials = reading::pair(fields, ["sip_username", "sip_password"], stored);
    let (sip_username, sip_password) = credentials.unzip();
    Some(AddressRecord {
        direction,
        ip: ip?,
        port,
        transport: transport.map(Into::into),
        priority,
        sip_username,
        sip_password,
    })
}

fn read_host(fields: &mut Fields<'_>) -> Option<Host> {
    let text = fields.text("ip", MAX_HOST_BYTES + 1);
    let text = fields.required("ip", text)?;
    let host = host(&text);
    if host.is_none() {
        let expected = "expected an IP address, a block such as 192.0.2.0/24, or a host name";
        fields.fault("ip", expected);
    }
    host
}

/// A block is for calls that come in, whatever is said; it cannot be asked to be called.
fn read_direction(fields: &mut Fields<'_>, host: Option<&Host>) -> Box<str> {
    let given = fields.word("direction", &["any", "inbound", "outbound"]);
    let direction = reading::keep(fields, "direction", given, "any");
    match host {
        Some(Host::Block(_)) => {
            if direction == "outbound" {
                let reason = "a block of addresses is for calls that come in: set inbound";
                fields.fault("direction", reason);
            }
            "inbound".into()
        }
        Some(Host::Ip(_) | Host::Name(_)) | None => direction.into(),
    }
}

/// `port`, and `dst_port` which means the same here: calls come from where calls are sent to.
fn read_port(fields: &mut Fields<'_>, is_name: bool) -> Option<u16> {
    let range = 1..=i64::from(u16::MAX);
    let port = fields.integer("port", range.clone());
    let dst_port = fields.integer("dst_port", range);
    if let (Presence::Given(port), Presence::Given(dst_port)) = (&port, &dst_port)
        && port != dst_port
    {
        fields.fault("dst_port", format!("a port other than `port` is {NOT_BUILT}"));
    }
    // Null asks DNS (RFC 3263 §4.2), where there is a name to ask for.
    let by_dns = is_name && matches!(port, Presence::Null);
    let port = port.given().or(dst_port.given()).and_then(|port| u16::try_from(port).ok());
    port.or((!by_dns).then_some(DEFAULT_PORT))
}

fn read_transport(fields: &mut Fields<'_>, is_name: bool) -> Option<&'static str> {
    const KNOWN: &[&str] = &["udp", "tcp", "tls"];
    let given = fields.word("transport", KNOWN);
    if given == Presence::Given("tls") {
        fields.fault("transport", format!("tls is {NOT_BUILT}: use udp or tcp"));
    }
    match given {
        Presence::Given(transport) => Some(transport),
        // Null asks DNS (RFC 3263 §4.1), where there is a name to ask for.
        Presence::Null if is_name => None,
        Presence::Null | Presence::Absent => Some("udp"),
    }
}

/// What the vendor has and we have not: taken where it asks for nothing.
fn refuse_unbuilt(fields: &mut Fields<'_>) {
    if fields.boolean("srtp") == Presence::Given(true) {
        fields.fault("srtp", format!("SRTP is {NOT_BUILT}"));
    }
    if let Presence::Given(_) = fields.text("location_sid", reading::MAX_TEXT_BYTES) {
        fields.fault("location_sid", "there are no locations here");
    }
}

fn host(text: &str) -> Option<Host> {
    let bare = text.strip_prefix('[').and_then(|bare| bare.strip_suffix(']'));
    if let Ok(ip) = bare.unwrap_or(text).parse::<IpAddr>() {
        return Some(Host::Ip(ip.to_string().into()));
    }
    if text.contains('/') {
        return text.parse().ok().map(|block: Cidr| Host::Block(block.to_string().into()));
    }
    is_host_name(text).then(|| Host::Name(text.trim_end_matches('.').into()))
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
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= MAX_HOST_BYTES
        && text.split('.').all(label_is_good)
        && last.starts_with(|letter: char| letter.is_ascii_alphabetic())
}
