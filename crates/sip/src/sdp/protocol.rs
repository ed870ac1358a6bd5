//! The protocols of `m=` (RFC 8866 §8.2.3 and the IANA registry behind it).

/// How media is sent: a row of a table, so that what is written is never a peer's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protocol {
    token: &'static str,
    transporting: Transporting,
}

/// What runs over a protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transporting {
    /// RTP over UDP: formats are payload types.
    Rtp,
    /// Fax over UDP (T.38).
    Udptl,
    /// What cannot cross: messages, data channels, RTP over TCP.
    Other,
}

static ROWS: [Protocol; 26] = [
    Protocol::new("RTP/AVP", Transporting::Rtp),
    Protocol::new("RTP/AVPF", Transporting::Rtp),
    Protocol::new("RTP/SAVP", Transporting::Rtp),
    Protocol::new("RTP/SAVPF", Transporting::Rtp),
    Protocol::new("UDP/TLS/RTP/SAVP", Transporting::Rtp),
    Protocol::new("UDP/TLS/RTP/SAVPF", Transporting::Rtp),
    // Both spellings are in use, and some peers compare them byte by byte.
    Protocol::new("udptl", Transporting::Udptl),
    Protocol::new("UDPTL", Transporting::Udptl),
    Protocol::new("UDP/TLS/UDPTL", Transporting::Other),
    Protocol::new("TCP/UDPTL", Transporting::Other),
    Protocol::new("TCP", Transporting::Other),
    Protocol::new("udp", Transporting::Other),
    Protocol::new("UDP", Transporting::Other),
    Protocol::new("TCP/RTP/AVP", Transporting::Other),
    Protocol::new("TCP/RTP/AVPF", Transporting::Other),
    Protocol::new("TCP/RTP/SAVP", Transporting::Other),
    Protocol::new("TCP/TLS/RTP/SAVPF", Transporting::Other),
    Protocol::new("TCP/MSRP", Transporting::Other),
    Protocol::new("TCP/TLS/MSRP", Transporting::Other),
    Protocol::new("TCP/BFCP", Transporting::Other),
    Protocol::new("TCP/TLS/BFCP", Transporting::Other),
    Protocol::new("UDP/BFCP", Transporting::Other),
    Protocol::new("UDP/TLS/BFCP", Transporting::Other),
    Protocol::new("UDP/DTLS/SCTP", Transporting::Other),
    Protocol::new("TCP/DTLS/SCTP", Transporting::Other),
    Protocol::new("DTLS/SCTP", Transporting::Other),
];

impl Protocol {
    /// Plain RTP; also what is written for a section whose protocol is not known.
    pub const RTP_AVP: Self = Self::new("RTP/AVP", Transporting::Rtp);

    const fn new(token: &'static str, transporting: Transporting) -> Self {
        Self { token, transporting }
    }

    /// Reads the token: as it is spelt, else in any case.
    pub fn parse(token: &[u8]) -> Option<Self> {
        let exact = ROWS.iter().find(|row| row.token.as_bytes() == token);
        let alike = || ROWS.iter().find(|row| row.token.as_bytes().eq_ignore_ascii_case(token));
        exact.or_else(alike).copied()
    }

    /// The token.
    pub const fn as_str(self) -> &'static str {
        self.token
    }

    /// What runs over it.
    pub const fn transporting(self) -> Transporting {
        self.transporting
    }
}
