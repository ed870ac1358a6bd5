//! `[media]`: who carries RTP, and where it is received.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use mediator_model::Transport;
use toml::de::DeValue;

use super::Listen;
use super::fault::Reason;
use super::reader::{At, Section};
use super::sounds::{self, SoundSettings};
use super::value::{self, HOUR, MINUTE, SECOND};

/// The most threads for media.
pub const MAX_MEDIA_THREADS: u16 = 64;

/// Who carries RTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MediaMode {
    /// We do: each side sees our address alone.
    Relay,
    /// The two sides send to each other, where no attribute needs media of ours: SDP passes, filtered; each sees the
    /// other's media address.
    Direct,
}

/// `[media]`, complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MediaSettings {
    /// Who carries RTP. Default relay.
    pub mode: MediaMode,
    /// Where RTP is received. Default: the address of the first of `sip.listen`.
    pub listen_address: IpAddr,
    /// What SDP names instead, of the same family. Default (`None`): `sip.advertised_address` where that is of this
    /// family, else `listen_address`.
    pub advertised_address: Option<IpAddr>,
    /// The first and the last port for RTP. Default 30000 to 39999.
    pub port_range: (u16, u16),
    /// Media threads. 1 to [`MAX_MEDIA_THREADS`], default (`None`): half as many as cores, four at most.
    pub threads: Option<u16>,
    /// Both legs end after this time without RTP. 1 s to 1 h, default 60 s.
    pub media_timeout: Duration,
    /// Where files to be played lie, relative to the working directory. Default `media`.
    pub folder: PathBuf,
    /// Whether the caller is answered before an announcement. Default false.
    pub answer_before_announce: bool,
    /// What is played, and where it comes from.
    pub sounds: SoundSettings,
}

/// Reads `[media]`; `sip` is what SIP listens on.
pub(super) fn read(section: Section<'_>, sip: &[Listen]) -> MediaSettings {
    let modes = &[("relay", MediaMode::Relay), ("direct", MediaMode::Direct)];
    let mode = section.read("mode", value::one_of(modes));
    let folder =
        section.read_or("folder", "media".into(), |value| value::name(value).map(String::from));
    let listen_address = read_listen_address(&section, sip);
    let settings = MediaSettings {
        mode: mode.map_or(MediaMode::Relay, |found| found.value),
        listen_address,
        advertised_address: read_advertised_address(&section, listen_address),
        port_range: read_port_range(&section, listen_address, sip),
        threads: section
            .read("threads", value::whole(1..=MAX_MEDIA_THREADS))
            .map(|found| found.value),
        media_timeout: section.read_or(
            "media_timeout",
            MINUTE,
            value::duration(SECOND..=HOUR, "60s"),
        ),
        folder: PathBuf::from(folder),
        answer_before_announce: section.read_or("answer_before_announce", false, value::boolean),
        sounds: sounds::read(&section),
    };
    if let Some(At { value: MediaMode::Direct, offset }) = mode {
        let shown = "\"direct\" shows each side the other's media address: for trusted networks";
        section.notice_at(offset, "mode", shown);
    }
    section.finish();
    settings
}

/// Audio goes where calls come in, unless the file says otherwise: media on loopback would be silent for everybody else.
fn read_listen_address(section: &Section<'_>, sip: &[Listen]) -> IpAddr {
    let first = sip.first().map_or(IpAddr::from([127, 0, 0, 1]), |listen| listen.address.ip());
    let Some(At { value, offset }) = section.read("listen_address", value::ip) else {
        return first;
    };
    if value.is_loopback() && !sip.iter().all(|listen| listen.address.ip().is_loopback()) {
        let silent =
            "only this machine reaches a loopback address: calls from elsewhere have no audio";
        section.notice_at(offset, "listen_address", silent);
    }
    value
}

fn read_advertised_address(section: &Section<'_>, listen_address: IpAddr) -> Option<IpAddr> {
    let At { value, offset } = section.read("advertised_address", value::ip)?;
    if value.is_ipv4() != listen_address.is_ipv4() {
        let reason =
            format!("expected an address of the same family as listen_address {listen_address}");
        section.fault_at(offset, "advertised_address", reason);
    }
    if value.is_unspecified() {
        section.fault_at(offset, "advertised_address", "expected an address that can be reached");
    }
    Some(value)
}

fn read_port_range(section: &Section<'_>, at: IpAddr, sip: &[Listen]) -> (u16, u16) {
    let Some(At { value: (first, last), offset }) = section.read("port_range", port_range) else {
        // What stands in the way of these is stepped over.
        return (30_000, 39_999);
    };
    let pairs = pairs(first, last);
    if pairs == 0 {
        let reason = "expected a pair at least: an even port and the one behind it";
        section.fault_at(offset, "port_range", reason);
    } else if pairs == 1 {
        section.notice_at(offset, "port_range", "one pair of ports: a call takes two");
    }
    let taken = sip.iter().find(|listen| {
        let (ip, port) = (listen.address.ip(), listen.address.port());
        let is_same = ip == at || ip.is_unspecified() || at.is_unspecified();
        listen.transport == Transport::Udp && is_same && (first..=last).contains(&port)
    });
    if let Some(listen) = taken {
        let reason = format!("has the port of sip.listen's {listen}: choose other ports");
        section.fault_at(offset, "port_range", reason);
    }
    (first, last)
}

/// How many pairs of an even port and the next one there are.
fn pairs(first: u16, last: u16) -> u16 {
    let even = first.saturating_add(first % 2);
    last.saturating_sub(even).div_ceil(2)
}

fn port_range(value: &DeValue<'_>) -> Result<(u16, u16), Reason> {
    value
        .as_str()
        .and_then(|text| text.split_once('-'))
        .and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)))
        .filter(|(first, last)| *first > 0 && first < last)
        .ok_or(Cow::Borrowed("expected two ports from 1 to 65535 such as \"30000-39999\""))
}
