//! `[sip]`: sockets, timers and the guard against guessed passwords.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use mediator_model::Transport;
use mediator_sip::digest::Algorithm;
use toml::de::DeValue;

use super::fault::Reason;
use super::reader::Section;
use super::value::{self, HOUR, MINUTE, SECOND, WEEK};

/// The most sockets that one process listens on.
pub const MAX_LISTENERS: usize = 64;
/// The most engine threads.
pub const MAX_SHARDS: u16 = 256;

/// One entry of `sip.listen`: `udp:127.0.0.1:5060`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Listen {
    /// UDP or TCP.
    pub transport: Transport,
    /// Address and port; port 0 takes any free one, which the line `listening` then names.
    pub address: SocketAddr,
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.address)
    }
}

/// `sip.ban`: when an unknown address that guesses passwords gets silence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ban {
    /// Wrong credentials that start it; 0: never. 0 to 100, default 10.
    pub failures: u32,
    /// Within this time. 1 s to 1 h, default 60 s.
    pub window: Duration,
    /// Its length. 1 s to 7 d, default 300 s.
    pub duration: Duration,
}

impl Default for Ban {
    fn default() -> Self {
        Self { failures: 10, window: MINUTE, duration: 5 * MINUTE }
    }
}

/// `[sip]`, complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SipSettings {
    /// Where we listen; at least one. Default UDP and TCP on 127.0.0.1:5060.
    pub listen: Vec<Listen>,
    /// What Via, Contact and SDP name. Default: the address of the socket used.
    pub advertised_address: Option<IpAddr>,
    /// Until a callee must have answered. 1 s to 1 h, default 120 s.
    pub ring_timeout: Duration,
    /// Until a trunk must have said anything. 100 ms to 60 s, default 5 s.
    pub trunk_timeout: Duration,
    /// The longest call. 1 s to 7 d, default 4 h.
    pub max_call_duration: Duration,
    /// How long calls may go on after SIGTERM. 0 s to 1 h, default 30 s.
    pub drain_timeout: Duration,
    /// RFC 4028 session interval. `min_se` to 7 d, default 1800 s.
    pub session_expires: Duration,
    /// The shortest session interval accepted. 90 s (RFC 4028 §5) to 1 h, default 90 s.
    pub min_se: Duration,
    /// The guard against guessed passwords.
    pub ban: Ban,
    /// Engine threads. 1 to [`MAX_SHARDS`], default (`None`): as many as cores.
    pub shards: Option<u16>,
    /// Realm of our digest challenges. Default `mediator`.
    pub realm: Box<str>,
    /// What our digest challenges offer, most wanted first. Default MD5 alone.
    pub digest: Vec<Algorithm>,
}

/// Reads `[sip]`.
pub(super) fn read(section: Section<'_>) -> SipSettings {
    let settings = SipSettings {
        listen: read_listen(&section),
        advertised_address: section.read("advertised_address", value::ip).map(|found| found.value),
        ring_timeout: section.read_or(
            "ring_timeout",
            2 * MINUTE,
            value::duration(SECOND..=HOUR, "120s"),
        ),
        trunk_timeout: section.read_or(
            "trunk_timeout",
            5 * SECOND,
            value::duration(SECOND / 10..=MINUTE, "5s"),
        ),
        max_call_duration: section.read_or(
            "max_call_duration",
            4 * HOUR,
            value::duration(SECOND..=WEEK, "4h"),
        ),
        drain_timeout: section.read_or(
            "drain_timeout",
            30 * SECOND,
            value::duration(Duration::ZERO..=HOUR, "30s"),
        ),
        session_expires: section.read_or(
            "session_expires",
            1800 * SECOND,
            value::duration(90 * SECOND..=WEEK, "1800s"),
        ),
        min_se: section.read_or("min_se", 90 * SECOND, value::duration(90 * SECOND..=HOUR, "90s")),
        ban: read_ban(section.section("ban")),
        shards: section.read("shards", value::whole(1..=MAX_SHARDS)).map(|found| found.value),
        realm: section.read_or("realm", "mediator".into(), realm),
        digest: read_digest(&section),
    };
    if settings.session_expires < settings.min_se {
        let offset = section.position("session_expires").unwrap_or(section.offset());
        section.fault_at(offset, "session_expires", "expected no less than sip.min_se");
    }
    section.finish();
    settings
}

fn read_listen(section: &Section<'_>) -> Vec<Listen> {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 5060));
    let Some(entries) = section.list("listen", 1..=MAX_LISTENERS, listen) else {
        return [Transport::Udp, Transport::Tcp]
            .map(|transport| Listen { transport, address: local })
            .to_vec();
    };
    let mut all: Vec<Listen> = Vec::with_capacity(entries.len());
    for entry in entries {
        if entry.value.address.port() != 0 && all.contains(&entry.value) {
            section.fault_at(entry.offset, "listen", "given twice");
        }
        all.push(entry.value);
    }
    all
}

fn listen(entry: &DeValue<'_>) -> Result<Listen, Reason> {
    let expected =
        "expected transport:IP:port such as \"udp:127.0.0.1:5060\" or \"tcp:[::1]:5060\"";
    let (transport, address) =
        entry.as_str().and_then(|text| text.split_once(':')).ok_or(Cow::Borrowed(expected))?;
    let transport = match Transport::from_token(transport) {
        Some(transport @ (Transport::Udp | Transport::Tcp)) => transport,
        Some(unbuilt @ (Transport::Tls | Transport::Ws | Transport::Wss)) => {
            return Err(Cow::Owned(format!("\"{unbuilt}:\" is not built yet: use udp: or tcp:")));
        }
        None => return Err(Cow::Borrowed(expected)),
    };
    let address = address.parse().map_err(|_| Cow::Borrowed(expected))?;
    Ok(Listen { transport, address })
}

fn read_digest(section: &Section<'_>) -> Vec<Algorithm> {
    let words = value::one_of(&[("MD5", Algorithm::Md5), ("SHA-256", Algorithm::Sha256)]);
    let Some(entries) = section.list("digest", 1..=2, words) else {
        // Not SHA-256 beside it: baresip 1.0 (Debian 12) gives up at any challenge but MD5, in either order.
        return vec![Algorithm::Md5];
    };
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        if all.contains(&entry.value) {
            section.fault_at(entry.offset, "digest", "given twice");
        }
        all.push(entry.value);
    }
    all
}

fn read_ban(section: Section<'_>) -> Ban {
    let default = Ban::default();
    let ban = Ban {
        failures: section.read_or("failures", default.failures, value::whole(0..=100)),
        window: section.read_or("window", default.window, value::duration(SECOND..=HOUR, "60s")),
        duration: section.read_or(
            "duration",
            default.duration,
            value::duration(SECOND..=WEEK, "300s"),
        ),
    };
    section.finish();
    ban
}

/// A realm goes into a quoted string (RFC 3261 §25.1): nothing that would need escaping there.
fn realm(value: &DeValue<'_>) -> Result<Box<str>, Reason> {
    let name = value::name(value)?;
    if name.contains(['"', '\\']) {
        return Err(Cow::Borrowed("expected text without quotes and backslashes"));
    }
    Ok(name)
}
