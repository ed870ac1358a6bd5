//! What a session description says, as it was received: RFC 8866 §5, for RFC 3264.
//!
//! Everything borrows from the text. Values that nobody has checked yet are bytes.

use alloc::vec::Vec;
use core::net::IpAddr;

use smallvec::SmallVec;

use super::Protocol;

/// A whole description.
#[derive(Clone, Debug)]
pub struct SessionDescription<'a> {
    /// `o=`.
    pub origin: Origin<'a>,
    /// The session's `c=`, which media sections without one use.
    pub connection: Option<Connection<'a>>,
    /// The session's `b=AS`, in kbit/s.
    pub bandwidth_kbit: Option<u32>,
    /// The session's `a=` lines, in order.
    pub attributes: Vec<Attribute<'a>>,
    /// The media sections, in order: at most [`MAX_MEDIA`](super::MAX_MEDIA).
    pub media: Vec<MediaDescription<'a>>,
}

/// `o=` (RFC 8866 §5.2). What names the sender's host is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin<'a> {
    /// `sess-id`, a number by the RFC, of any length.
    pub session_id: &'a [u8],
    /// `sess-version` where it is a number that fits. It grows when the description changes (RFC 3264 §8).
    pub version: Option<u64>,
}

/// `c=` (RFC 8866 §5.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connection<'a> {
    /// Where media goes.
    pub address: ConnectionAddress<'a>,
    /// The line it stands on, from 1.
    pub line: u16,
}

/// The address of `c=`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectionAddress<'a> {
    /// An IP address; a multicast TTL behind it is not kept.
    Ip(IpAddr),
    /// A host name under `IP4`.
    NameV4(&'a [u8]),
    /// A host name under `IP6`.
    NameV6(&'a [u8]),
}

impl ConnectionAddress<'_> {
    /// Whether no media can be sent there: `0.0.0.0`, `::`, or a name of `.invalid`, the old signs of hold
    /// (RFC 3264 §5.1 and §8.4).
    pub fn is_unspecified(&self) -> bool {
        match self {
            Self::Ip(address) => address.is_unspecified(),
            Self::NameV4(name) | Self::NameV6(name) => {
                let end = name.strip_suffix(b".").unwrap_or(name);
                end.rsplit(|byte| *byte == b'.')
                    .next()
                    .is_some_and(|label| label.eq_ignore_ascii_case(b"invalid"))
            }
        }
    }
}

/// One `a=` line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attribute<'a> {
    /// The name: case matters (RFC 8866 §5.13).
    pub name: &'a [u8],
    /// What follows the colon.
    pub value: Option<&'a [u8]>,
}

/// The first word of `m=`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MediaKind {
    /// `audio`.
    Audio,
    /// `video`.
    Video,
    /// `image`, which in SIP is fax (T.38).
    Image,
    /// `text`: real-time text.
    Text,
    /// `application`.
    Application,
    /// `message`: MSRP.
    Message,
    /// Any other.
    Other,
}

impl MediaKind {
    const NAMED: [Self; 6] =
        [Self::Audio, Self::Video, Self::Image, Self::Text, Self::Application, Self::Message];

    /// Reads the word, in any case.
    pub fn parse(word: &[u8]) -> Self {
        Self::NAMED
            .into_iter()
            .find(|kind| kind.as_str().as_bytes().eq_ignore_ascii_case(word))
            .unwrap_or(Self::Other)
    }

    /// The registered word; `application` stands for [`Self::Other`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Image => "image",
            Self::Text => "text",
            Self::Application | Self::Other => "application",
            Self::Message => "message",
        }
    }
}

/// One media section.
#[derive(Clone, Debug)]
pub struct MediaDescription<'a> {
    /// What is sent.
    pub kind: MediaKind,
    /// Where it is received; 0 is refused or ended (RFC 3264 §6).
    pub port: u16,
    /// How it is sent; `None` for a protocol that no table here knows.
    pub protocol: Option<Protocol>,
    /// The formats, the sender's favourite first: at most [`MAX_FORMATS`](super::MAX_FORMATS).
    pub formats: SmallVec<[&'a [u8]; 12]>,
    /// The section's own `c=`, else the session's.
    pub connection: Option<Connection<'a>>,
    /// The section's own direction, else the session's, else both ways.
    pub direction: Direction,
    /// The section's `b=AS`, in kbit/s.
    pub bandwidth_kbit: Option<u32>,
    /// The section's `a=` lines, in order.
    pub attributes: Vec<Attribute<'a>>,
    /// The line its `m=` stands on, from 1.
    pub line: u16,
}

/// Which way media flows, seen from who says it (RFC 3264 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// Who says it only sends.
    SendOnly,
    /// Who says it only receives.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    const ALL: [Self; 4] = [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive];

    /// Reads the attribute's name.
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.as_str().as_bytes() == name)
    }

    /// The attribute's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Whether who says it sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether who says it receives.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same flow said by the other side: the widest answer to this as an offer (RFC 3264 §6.1).
    ///
    /// ```
    /// use mediator_sip::sdp::Direction;
    /// assert_eq!(Direction::SendOnly.reversed(), Direction::RecvOnly);
    /// assert_eq!(Direction::SendRecv.reversed(), Direction::SendRecv);
    /// ```
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::SendRecv => Self::SendRecv,
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            Self::Inactive => Self::Inactive,
        }
    }

    /// The flow that both allow, each seen from the same side.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self.sends() && other.sends(), self.receives() && other.receives()) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }
}

impl<'a> MediaDescription<'a> {
    /// Whether it is in use: its port is not 0.
    pub const fn is_active(&self) -> bool {
        self.port != 0
    }

    /// Whether the sender takes no media here: it only sends, or does neither, or has no address.
    pub fn is_held(&self) -> bool {
        !self.direction.receives()
            || self.connection.is_some_and(|connection| connection.address.is_unspecified())
    }

    /// The value of the first `a=` line of that name; `Some(None)` where it has no value.
    pub fn attribute(&self, name: &str) -> Option<Option<&'a [u8]>> {
        let found = self.attributes.iter().find(|attribute| attribute.name == name.as_bytes());
        found.map(|attribute| attribute.value)
    }
}

impl SessionDescription<'_> {
    /// Whether its sender puts the other side on hold: there is media in use, and none of it is received
    /// (RFC 3264 §8.4).
    pub fn is_hold(&self) -> bool {
        let mut active = self.media.iter().filter(|media| media.is_active()).peekable();
        active.peek().is_some() && active.all(MediaDescription::is_held)
    }
}
