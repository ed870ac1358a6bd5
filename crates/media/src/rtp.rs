//! RTP packets: RFC 3550 §5.1, told apart from RTCP on one port by RFC 5761 §4.
//!
//! A packet is read once into [`Packet`] and, where it is passed on, rewritten in place: the fixed header is written
//! right before the payload, so that contributing sources, the header extension and padding fall away without a copy.
//!
//! Invariant: `FIXED <= begin <= end <= datagram.len()` of the datagram that a [`Packet`] was read from.

use core::ops::Range;

/// Bytes of the fixed header.
pub const FIXED: usize = 12;

/// The fixed header, but for what describes the packet's own layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// The marker bit: of audio, the first packet after silence.
    pub marker: bool,
    /// The payload type, 0 to 127.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence: u16,
    /// The timestamp, in ticks of the payload type's clock.
    pub timestamp: u32,
    /// The synchronisation source.
    pub ssrc: u32,
}

impl Header {
    /// The header's bytes: version 2, no padding, no extension, no contributing sources.
    pub const fn to_bytes(self) -> [u8; FIXED] {
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [c0, c1, c2, c3] = self.ssrc.to_be_bytes();
        let second = (self.marker as u8) << 7 | self.payload_type & 0x7F;
        [VERSION_2, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]
    }
}

/// Version 2 in the first byte, all else 0.
const VERSION_2: u8 = 0x80;

/// Why a datagram is no RTP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// Shorter than its header says.
    #[error("it ends inside its header")]
    Short,
    /// Not version 2.
    #[error("it is not RTP version 2")]
    Version,
    /// It says that it has padding, but not how much, or more than it has payload.
    #[error("its padding is longer than its payload")]
    Padding,
}

/// A packet that was read: its header, and where in the datagram its payload is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    /// The fixed header.
    pub header: Header,
    begin: usize,
    end: usize,
}

impl Packet {
    /// Reads a datagram.
    pub fn parse(datagram: &[u8]) -> Result<Self, Malformed> {
        let (fixed, _) = datagram.split_first_chunk::<FIXED>().ok_or(Malformed::Short)?;
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *fixed;
        if first >> 6 != 2 {
            return Err(Malformed::Version);
        }
        let mut begin = FIXED + 4 * usize::from(first & 0x0F);
        if first & 0x10 != 0 {
            let extension = datagram.get(begin..).and_then(<[u8]>::first_chunk::<4>);
            let [_, _, high, low] = *extension.ok_or(Malformed::Short)?;
            begin += 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        }
        let payload = datagram.get(begin..).ok_or(Malformed::Short)?;
        let mut end = datagram.len();
        if first & 0x20 != 0 {
            let padding = usize::from(*payload.last().ok_or(Malformed::Padding)?);
            if padding == 0 || padding > payload.len() {
                return Err(Malformed::Padding);
            }
            end -= padding;
        }
        let header = Header {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7F,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
        };
        Ok(Self { header, begin, end })
    }

    /// Where the payload is in the datagram; may be empty.
    pub const fn payload(&self) -> Range<usize> {
        self.begin..self.end
    }

    /// Payload bytes.
    pub const fn payload_bytes(&self) -> usize {
        self.end - self.begin
    }

    /// Writes another header before the payload; gives the packet that is then to be sent. `None`: it was read from
    /// another datagram.
    pub fn rewrite(&self, datagram: &mut [u8], header: Header) -> Option<Range<usize>> {
        let start = self.begin.checked_sub(FIXED)?;
        datagram.get(..self.end)?;
        datagram.get_mut(start..self.begin)?.copy_from_slice(&header.to_bytes());
        Some(start..self.end)
    }
}

/// Whether a datagram on a port that carries both is RTCP (RFC 5761 §4: packet types 192 to 223, which no payload type
/// with a marker may look like).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}

#[cfg(test)]
mod tests;
