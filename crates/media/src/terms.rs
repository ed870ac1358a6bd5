//! What one leg has agreed on in SDP, as far as its media needs it.

use core::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;

use crate::Speech;

/// The registered name of DTMF events (RFC 4733).
pub(crate) const TELEPHONE_EVENT: &str = "telephone-event";

/// One payload type of a leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Format {
    /// Its number in RTP, 0 to 127.
    pub payload_type: u8,
    /// The encoding's registered name.
    pub encoding: &'static str,
    /// RTP ticks a second.
    pub clock_rate: u32,
    /// Channels of audio.
    pub channels: u8,
}

impl Format {
    /// Whether two payload types, maybe of two legs, mean the same.
    pub fn is_same(&self, other: &Self) -> bool {
        self.encoding == other.encoding
            && self.clock_rate == other.clock_rate
            && self.channels == other.channels
    }

    /// The codec, where it is one that we speak.
    pub fn speech(&self) -> Option<Speech> {
        Speech::named(self.encoding).filter(|speech| speech.clock_rate() == self.clock_rate)
    }

    /// Whether it carries DTMF events.
    pub fn is_event(&self) -> bool {
        self.encoding == TELEPHONE_EVENT
    }
}

/// Who is at the other end of a leg: phones of one number that ring together were all told of our port.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Peer {
    /// Which of them; 0 where there is but one. Another one's media is learned anew, and what was heard of the one before
    /// is kept out.
    pub number: u16,
    /// Which of its dialogs: behind a proxy there may be another phone in each. Media is learned anew, but as it may as well
    /// be the same phone under another tag nobody is kept out.
    pub dialog: u16,
    /// Others may send until they are told that they have lost.
    pub has_rivals: bool,
}

/// What one leg has agreed on. Replaced as a whole when an offer or answer of the leg changes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Where the peer receives RTP by its SDP; `None`: nowhere (hold by 0.0.0.0).
    pub remote: Option<SocketAddr>,
    /// Where the peer receives RTCP: `a=rtcp`, else the port behind RTP's.
    pub remote_rtcp: Option<SocketAddr>,
    /// RTCP comes and goes on RTP's port (RFC 5761): both sides said so.
    pub rtcp_mux: bool,
    /// Where the peer's signalling comes from. To another address we send only for a short time, unless media comes from
    /// there: SDP must not aim a stream at a stranger.
    pub signalling: IpAddr,
    /// Which of those that share our port the peer is.
    pub peer: Peer,
    /// What the peer takes, its favourite first; the numbers are the peer's.
    pub send: SmallVec<[Format; 6]>,
    /// What we said that we take; the numbers are those that the peer sends with.
    pub receive: SmallVec<[Format; 6]>,
    /// The peer may send: it is not held by us, nor by itself.
    pub peer_sends: bool,
    /// The peer wants to receive.
    pub peer_receives: bool,
    /// Milliseconds a packet that the peer asks for; `None`: 20.
    pub ptime_ms: Option<u16>,
}
