//! What can be wrong with a session description. All of it is the peer's fault.

use super::reader::{MAX_FORMATS, MAX_LINES, MAX_MEDIA, MAX_SDP_BYTES};

/// Why a description cannot be read, or cannot cross. Lines count from 1; the text fits a reason phrase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SdpError {
    /// Longer than [`MAX_SDP_BYTES`].
    #[error("SDP of {bytes} bytes, more than {MAX_SDP_BYTES}")]
    TooLarge {
        /// The length found.
        bytes: usize,
    },
    /// More than [`MAX_LINES`] lines.
    #[error("SDP of more than {MAX_LINES} lines")]
    TooManyLines,
    /// More than [`MAX_MEDIA`] media sections.
    #[error("SDP line {line}: more than {MAX_MEDIA} media sections")]
    TooManyMedia {
        /// The `m=` line that is one too many.
        line: u16,
    },
    /// More than [`MAX_FORMATS`] formats in one media section.
    #[error("SDP line {line}: more than {MAX_FORMATS} formats")]
    TooManyFormats {
        /// The `m=` line.
        line: u16,
    },
    /// Nothing but white space.
    #[error("SDP is empty")]
    Empty,
    /// Not a letter, `=` and a value; or a NUL or a CR inside the value.
    #[error("SDP line {line}: not <letter>=<value>")]
    NotALine {
        /// That line.
        line: u16,
    },
    /// The first line is not `v=0` (RFC 8866 §5.1).
    #[error("SDP line {line}: v=0 expected")]
    Version {
        /// The first line.
        line: u16,
    },
    /// No `o=` (RFC 8866 §5.2).
    #[error("SDP without o=")]
    NoOrigin,
    /// `o=` does not have its six fields.
    #[error("SDP line {line}: malformed o=")]
    Origin {
        /// The `o=` line.
        line: u16,
    },
    /// `c=` is not a network type, an address type and an address.
    #[error("SDP line {line}: malformed c=")]
    Connection {
        /// The `c=` line.
        line: u16,
    },
    /// `m=` is not a kind, a port, a protocol and formats.
    #[error("SDP line {line}: malformed m=")]
    Media {
        /// The `m=` line.
        line: u16,
    },
    /// A media section in use has no `c=`, of its own or the session's (RFC 8866 §5.7).
    #[error("SDP line {line}: media without c=")]
    NoConnection {
        /// The `m=` line.
        line: u16,
    },
    /// `c=` names another network than the internet with IPv4 or IPv6.
    #[error("SDP line {line}: network type not supported")]
    NetworkType {
        /// The `c=` line.
        line: u16,
    },
    /// `c=` has a host name, which could tell the other side who is there.
    #[error("SDP line {line}: host name in c= not supported")]
    HostName {
        /// The `c=` line.
        line: u16,
    },
    /// `c=` has a multicast or broadcast address, at which no call's media may be aimed.
    #[error("SDP line {line}: multicast not supported")]
    Multicast {
        /// The `c=` line.
        line: u16,
    },
}

impl SdpError {
    /// The line at fault, from 1; `None` where the whole is.
    pub const fn line(&self) -> Option<u16> {
        match *self {
            Self::TooLarge { .. } | Self::TooManyLines | Self::Empty | Self::NoOrigin => None,
            Self::TooManyMedia { line }
            | Self::TooManyFormats { line }
            | Self::NotALine { line }
            | Self::Version { line }
            | Self::Origin { line }
            | Self::Connection { line }
            | Self::Media { line }
            | Self::NoConnection { line }
            | Self::NetworkType { line }
            | Self::HostName { line }
            | Self::Multicast { line } => Some(line),
        }
    }

    /// The final status for an offer with this fault: 400 malformed, 413 too large, 488 well-formed but
    /// not acceptable here (RFC 3261 §21.4).
    pub const fn status(&self) -> u16 {
        match self {
            Self::TooLarge { .. } | Self::TooManyLines => 413,
            Self::TooManyMedia { .. }
            | Self::TooManyFormats { .. }
            | Self::NetworkType { .. }
            | Self::HostName { .. }
            | Self::Multicast { .. } => 488,
            Self::Empty
            | Self::NotALine { .. }
            | Self::Version { .. }
            | Self::NoOrigin
            | Self::Origin { .. }
            | Self::Connection { .. }
            | Self::Media { .. }
            | Self::NoConnection { .. } => 400,
        }
    }
}
