//! Where a message came from and where it goes: the words that the engine and the sockets share.

use core::fmt;
use core::net::SocketAddr;
use core::num::NonZeroU64;

/// A SIP transport (RFC 3261 §18, RFC 7118 for WebSocket).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams; the only one on which transactions retransmit.
    Udp,
    /// A byte stream.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket.
    Ws,
    /// WebSocket over TLS.
    Wss,
}

impl Transport {
    /// Whether the transport delivers or fails (RFC 3261 §17: timers A, E, G, I, J, K are for the others).
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The token in Via (`UDP`).
    pub const fn via_token(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// The value of a URI's `transport` parameter (`udp`).
    pub const fn uri_token(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The transport that a token names, in any case.
    pub fn from_token(token: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss]
            .into_iter()
            .find(|known| known.uri_token().eq_ignore_ascii_case(token))
    }

    /// The port where none is named: 5060, over TLS 5061 (RFC 3261 §19.1.2), 80 and 443 for WebSocket.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri_token())
    }
}

/// One of our listening sockets, by its place in the config's `sip.listen`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ListenerId(pub u8);

/// One stream connection; never used again for another one.
///
/// Counted from 1, so that `Option` of it is no larger: each call keeps some.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ConnectionId(NonZeroU64);

impl ConnectionId {
    /// The connection that was numbered `count`, from 0 on.
    pub const fn new(count: u64) -> Self {
        // 2^64 - 1 shares its id with the one before it: no process makes so many.
        Self(NonZeroU64::MIN.saturating_add(count))
    }
}

/// A way to a peer: our socket, its address and, on a stream, the connection.
///
/// As a source: where the message came from. As a target: where to send. A target whose
/// `connection` is `None` or gone is reached over a new connection to `remote`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Flow {
    /// The transport spoken.
    pub transport: Transport,
    /// Our listener whose address we speak from (for streams: whose transport we use).
    pub listener: ListenerId,
    /// The peer's address and port.
    pub remote: SocketAddr,
    /// The stream connection, where there is one.
    pub connection: Option<ConnectionId>,
}

#[cfg(test)]
mod tests;
