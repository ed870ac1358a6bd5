//! The allow-list: what of a peer's description may reach the other side of a masked call.
//!
//! Nothing passes but what has a field here. So no `i=`, `u=`, `e=`, `p=`, `k=`, no session name, label,
//! mid, msid, ssrc, cname, ICE candidate, header extension, nor any attribute that nobody here knows: what
//! a peer puts there says who it is, or could.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use smallvec::SmallVec;

use super::attribute::{is_unicast, packet_time, rtcp};
use super::codec::allowed_formats;
use super::fax::fax_parameters;
use super::feedback::feedback;
use super::scan::payload_type;
use super::{
    AllowedFormat, Attribute, Connection, ConnectionAddress, Crypto, Direction, FaxParameter,
    Feedback, Fingerprint, MediaDescription, MediaKind, Protocol, SdpError, SessionDescription,
    Setup, Transporting,
};

/// The most `a=crypto` lines of one section that cross.
pub const MAX_CRYPTO: usize = 16;

/// A description of which everything may cross. Whoever relays media changes ports, addresses and formats
/// here before it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Allowed<'a> {
    /// The session's `b=AS`, in kbit/s.
    pub bandwidth_kbit: Option<u32>,
    /// The media sections: as many as were read, in their order.
    pub media: Vec<AllowedMedia<'a>>,
}

/// A media section of which everything may cross.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AllowedMedia<'a> {
    /// What is sent.
    pub kind: MediaKind,
    /// Where it is received; 0 is refused or ended.
    pub port: u16,
    /// How it is sent.
    pub protocol: Protocol,
    /// In which formats.
    pub formats: Formats,
    /// Where it is received; unspecified is hold, and what a section with port 0 has.
    pub address: IpAddr,
    /// Which way it flows, seen from the sender of the description.
    pub direction: Direction,
    /// The section's `b=AS`, in kbit/s.
    pub bandwidth_kbit: Option<u32>,
    /// Milliseconds a packet, 1 to 9999.
    pub ptime_ms: Option<u16>,
    /// Milliseconds a packet at most, 1 to 9999.
    pub maxptime_ms: Option<u16>,
    /// Where RTCP is received, where it is not the port behind RTP's.
    pub rtcp: Option<Rtcp>,
    /// RTCP comes on RTP's port (RFC 5761).
    pub rtcp_mux: bool,
    /// RTCP may be of reduced size (RFC 5506).
    pub rtcp_rsize: bool,
    /// RTCP feedback asked for.
    pub feedback: Vec<Feedback>,
    /// SRTP keys.
    pub crypto: Vec<Crypto<'a>>,
    /// The DTLS certificate.
    pub fingerprint: Option<Fingerprint<'a>>,
    /// Who opens DTLS.
    pub setup: Option<Setup>,
}

/// The formats of a section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Formats {
    /// RTP payload types, the sender's favourite first; at least one of speech or video.
    Rtp(Vec<AllowedFormat>),
    /// Fax over UDPTL.
    Fax(Vec<FaxParameter>),
    /// A section with port 0: its `m=` line needs a format all the same, and nobody reads it.
    Refused {
        /// A payload type where the protocol is RTP, else `None`: `t38` or `*` is written.
        payload_type: Option<u8>,
    },
}

/// `a=rtcp` (RFC 3605).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rtcp {
    /// The port.
    pub port: u16,
    /// The address where it is another than the section's.
    pub address: Option<IpAddr>,
}

impl<'a> Allowed<'a> {
    /// Keeps what may cross. A section that is no audio, video or fax, or none of whose formats may
    /// cross, stays in its place with port 0. Fails only on an address that cannot be shown.
    pub fn from_description(description: &SessionDescription<'a>) -> Result<Self, SdpError> {
        let mut media = Vec::with_capacity(description.media.len());
        for section in &description.media {
            media.push(AllowedMedia::new(section, &description.attributes)?);
        }
        Ok(Self { bandwidth_kbit: description.bandwidth_kbit, media })
    }

    /// What the sender favours: the first speech or video format of the first section in use, by its registered name;
    /// `t38` where that is fax.
    pub fn codec(&self) -> Option<&'static str> {
        let first = self.media.iter().find(|media| media.port != 0)?;
        match &first.formats {
            Formats::Rtp(formats) => formats
                .iter()
                .find(|format| format.encoding.is_media())
                .map(|format| format.encoding.name()),
            Formats::Fax(_) => Some("t38"),
            Formats::Refused { .. } => None,
        }
    }

    /// Makes every section flow `direction` at most: [`Direction::SendOnly`] puts the reader on hold.
    pub fn limit_direction(&mut self, direction: Direction) {
        for media in &mut self.media {
            media.direction = media.direction.and(direction);
        }
    }
}

impl<'a> AllowedMedia<'a> {
    fn new(media: &MediaDescription<'a>, session: &[Attribute<'a>]) -> Result<Self, SdpError> {
        let protocol = media.protocol.unwrap_or(Protocol::RTP_AVP);
        let Some(formats) = crossing_formats(media) else {
            return Ok(Self::refused(media, protocol));
        };
        let Some(connection) = media.connection else {
            return Err(SdpError::NoConnection { line: media.line });
        };
        let mut section = Self {
            port: media.port,
            address: crossing_address(&connection)?,
            direction: media.direction,
            bandwidth_kbit: media.bandwidth_kbit,
            ..Self::empty(media.kind, protocol, formats)
        };
        for attribute in &media.attributes {
            section.take(attribute);
        }
        // RFC 8122 §5 and RFC 4145 §4 let both stand for the whole session.
        for attribute in session {
            section.take_dtls(attribute);
        }
        if let Formats::Rtp(formats) = &section.formats {
            let kept: SmallVec<[u8; 8]> =
                formats.iter().map(|format| format.payload_type).collect();
            section.feedback = feedback(media, &kept);
        }
        Ok(section)
    }

    fn empty(kind: MediaKind, protocol: Protocol, formats: Formats) -> Self {
        Self {
            kind,
            port: 0,
            protocol,
            formats,
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            direction: Direction::SendRecv,
            bandwidth_kbit: None,
            ptime_ms: None,
            maxptime_ms: None,
            rtcp: None,
            rtcp_mux: false,
            rtcp_rsize: false,
            feedback: Vec::new(),
            crypto: Vec::new(),
            fingerprint: None,
            setup: None,
        }
    }

    /// The section with port 0 and one format, for RFC 3264 §6 wants a section for each of the offer's.
    fn refused(media: &MediaDescription<'a>, protocol: Protocol) -> Self {
        let payload_type = match protocol.transporting() {
            Transporting::Udptl | Transporting::Other => None,
            Transporting::Rtp => {
                Some(media.formats.iter().find_map(|format| payload_type(format)).unwrap_or(0))
            }
        };
        Self::empty(media.kind, protocol, Formats::Refused { payload_type })
    }

    fn take(&mut self, attribute: &Attribute<'a>) {
        self.take_dtls(attribute);
        let is_rtp = matches!(self.formats, Formats::Rtp(_));
        match (attribute.name, attribute.value) {
            (b"ptime", Some(value)) => self.ptime_ms = self.ptime_ms.or_else(|| packet_time(value)),
            (b"maxptime", Some(value)) => {
                self.maxptime_ms = self.maxptime_ms.or_else(|| packet_time(value));
            }
            (b"rtcp-mux", None) => self.rtcp_mux = is_rtp,
            (b"rtcp-rsize", None) => self.rtcp_rsize = is_rtp,
            (b"rtcp", Some(value)) if is_rtp && self.rtcp.is_none() => {
                self.rtcp = rtcp(value)
                    .filter(|(_, address)| address.is_none_or(is_unicast))
                    .map(|(port, address)| Rtcp { port, address });
            }
            (b"crypto", Some(value)) if is_rtp && self.crypto.len() < MAX_CRYPTO => {
                self.crypto.extend(Crypto::parse(value));
            }
            _ => {}
        }
    }

    fn take_dtls(&mut self, attribute: &Attribute<'a>) {
        match (attribute.name, attribute.value) {
            (b"fingerprint", Some(value)) => {
                self.fingerprint = self.fingerprint.or_else(|| Fingerprint::parse(value));
            }
            (b"setup", Some(value)) => self.setup = self.setup.or_else(|| Setup::parse(value)),
            _ => {}
        }
    }
}

/// The formats of a section in use that may cross; `None` where the section cannot.
fn crossing_formats(media: &MediaDescription<'_>) -> Option<Formats> {
    let transporting = media.protocol?.transporting();
    match (media.kind, transporting) {
        _ if !media.is_active() => None,
        (MediaKind::Audio | MediaKind::Video, Transporting::Rtp) => {
            let formats = allowed_formats(media);
            // Events and noise alone make no call.
            formats.iter().any(|format| format.encoding.is_media()).then_some(Formats::Rtp(formats))
        }
        (MediaKind::Image, Transporting::Udptl) => {
            let is_fax = media.formats.iter().any(|format| format.eq_ignore_ascii_case(b"t38"));
            is_fax.then(|| Formats::Fax(fax_parameters(media)))
        }
        _ => None,
    }
}

/// The address to show: an IP address, or the unspecified one for a name of `.invalid`.
fn crossing_address(connection: &Connection<'_>) -> Result<IpAddr, SdpError> {
    let line = connection.line;
    match connection.address {
        ConnectionAddress::Ip(address) if is_unicast(address) => Ok(address),
        ConnectionAddress::Ip(_) => Err(SdpError::Multicast { line }),
        name if !name.is_unspecified() => Err(SdpError::HostName { line }),
        ConnectionAddress::NameV4(_) => Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        ConnectionAddress::NameV6(_) => Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
    }
}
