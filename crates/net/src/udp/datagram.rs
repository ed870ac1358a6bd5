//! What a datagram is, told by its first bytes: a message, or something that only keeps a way open.

/// No SIP message is shorter: a start line and one header field take more, and what has less cannot
/// be answered (RFC 3261 §8.1.1 wants six header fields).
const SHORTEST_MESSAGE_BYTES: usize = 20;

/// The fixed value in every STUN message (RFC 5389 §6).
const STUN_MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];

/// What a datagram is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DatagramKind {
    /// For the parser to read or to refuse.
    Message,
    /// Blank lines, NULs, or a few bytes: NAT keep-alives as phones send them (RFC 5626 §3.5.1 for
    /// streams; `jaK` and four NULs over UDP in the wild).
    KeepAlive,
    /// A STUN message (RFC 5626 §3.5.2 multiplexes it with SIP: its first two bits are zero).
    Stun,
}

/// Tells messages from what else comes to a SIP port.
pub fn datagram_kind(bytes: &[u8]) -> DatagramKind {
    if let Some([0 | 1, _, _, _, cookie @ ..]) = bytes.first_chunk::<8>()
        && *cookie == STUN_MAGIC_COOKIE
    {
        return DatagramKind::Stun;
    }
    let blank = |byte: &u8| matches!(byte, b'\r' | b'\n' | b' ' | b'\t' | 0);
    let blanks = bytes.iter().take_while(|byte| blank(byte)).count();
    if bytes.len() - blanks < SHORTEST_MESSAGE_BYTES {
        return DatagramKind::KeepAlive;
    }
    DatagramKind::Message
}
