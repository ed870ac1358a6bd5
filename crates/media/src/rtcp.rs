//! RTCP: RFC 3550 §6, compound packets or reduced-size ones (RFC 5506).
//!
//! Read: [`Compound`] checks a datagram's lengths before anything is believed of it, then gives the reports and
//! farewells in it; names and everything else are passed over. Written: one datagram with a sender or receiver report,
//! the CNAME and, at the end, BYE. Nothing is allocated either way.

use core::time::Duration;

use smallvec::SmallVec;

/// Packet types (RFC 3550 §12.1).
const SR: u8 = 200;
const RR: u8 = 201;
const SDES: u8 = 202;
const BYE: u8 = 203;
/// Packets in one datagram; more are an attack.
const MAX_PACKETS: usize = 32;
/// Bytes of a CNAME that are written at most.
const MAX_CNAME: usize = 255;

/// What is received of one source, as it is reported to it (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReportBlock {
    /// The source that it is about.
    pub ssrc: u32,
    /// Packets lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Packets lost since the beginning: 24 bits with sign.
    pub cumulative_lost: i32,
    /// The highest sequence number, and above it how often it wrapped.
    pub highest_sequence: u32,
    /// Interarrival jitter in ticks.
    pub jitter: u32,
    /// The middle of the NTP timestamp of the last sender report; 0: none came.
    pub last_sr: u32,
    /// Since that report, in 65,536ths of a second.
    pub delay_since_last_sr: u32,
}

/// What a sender says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SenderInfo {
    /// When it was sent: seconds since 1900 and their fraction.
    pub ntp: u64,
    /// The same moment by the stream's clock.
    pub timestamp: u32,
    /// Packets sent, modulo 2^32.
    pub packets: u32,
    /// Payload bytes sent, modulo 2^32.
    pub octets: u32,
}

/// A part of a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// A sender report.
    Sender {
        /// Who says so.
        ssrc: u32,
        /// What.
        info: SenderInfo,
    },
    /// A block of a sender's or receiver's report.
    Block {
        /// Who says so.
        from: u32,
        /// What.
        block: ReportBlock,
    },
    /// A source is gone.
    Bye {
        /// Which.
        ssrc: u32,
    },
}

/// Why a datagram is no RTCP.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// A packet is longer than what is left, or ends inside what it says that it has.
    #[error("a packet ends too early")]
    Short,
    /// Not version 2.
    #[error("it is not RTCP version 2")]
    Version,
    /// Padding where it may not be, or more than there is.
    #[error("its padding is wrong")]
    Padding,
    /// More packets than one datagram of ours would ever hold.
    #[error("it has too many packets")]
    TooMany,
}

/// One packet inside a datagram.
struct Piece<'a> {
    count: u8,
    kind: u8,
    /// Behind the header, without padding.
    body: &'a [u8],
}

/// A datagram whose lengths are right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compound<'a>(&'a [u8]);

impl<'a> Compound<'a> {
    /// Checks a datagram as a whole (RFC 3550 §A.2).
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = datagram;
        if rest.is_empty() {
            return Err(Malformed::Short);
        }
        for _ in 0..MAX_PACKETS {
            if rest.is_empty() {
                return Ok(Self(datagram));
            }
            let (piece, behind) = split(rest)?;
            let needed = match piece.kind {
                SR => 24 + BLOCK_BYTES * usize::from(piece.count),
                RR => 4 + BLOCK_BYTES * usize::from(piece.count),
                BYE => 4 * usize::from(piece.count),
                _ => 0,
            };
            if piece.body.len() < needed {
                return Err(Malformed::Short);
            }
            rest = behind;
        }
        if rest.is_empty() { Ok(Self(datagram)) } else { Err(Malformed::TooMany) }
    }

    /// Tells all reports and farewells.
    pub fn for_each(&self, mut tell: impl FnMut(Part)) {
        let mut rest = self.0;
        while let Ok((piece, behind)) = split(rest) {
            rest = behind;
            let mut words = Words(piece.body);
            match piece.kind {
                SR | RR => {
                    let from = words.next();
                    if piece.kind == SR {
                        tell(Part::Sender { ssrc: from, info: words.sender() });
                    }
                    for _ in 0..piece.count {
                        tell(Part::Block { from, block: words.block() });
                    }
                }
                BYE => {
                    for _ in 0..piece.count {
                        tell(Part::Bye { ssrc: words.next() });
                    }
                }
                _ => {}
            }
        }
    }
}

/// Bytes of a report block.
const BLOCK_BYTES: usize = 24;

/// The first packet, and what is behind it.
fn split(bytes: &[u8]) -> Result<(Piece<'_>, &[u8]), Malformed> {
    let ([first, kind, high, low], _) = bytes.split_first_chunk::<4>().ok_or(Malformed::Short)?;
    if first >> 6 != 2 {
        return Err(Malformed::Version);
    }
    let length = 4 + 4 * usize::from(u16::from_be_bytes([*high, *low]));
    let (packet, behind) = bytes.split_at_checked(length).ok_or(Malformed::Short)?;
    let mut end = packet.len();
    if first & 0x20 != 0 {
        let padding = usize::from(packet.last().copied().unwrap_or_default());
        // Only the last one may have padding, whole words of it.
        if !behind.is_empty() || padding == 0 || !padding.is_multiple_of(4) || padding > end - 4 {
            return Err(Malformed::Padding);
        }
        end -= padding;
    }
    let body = packet.get(4..end).ok_or(Malformed::Short)?;
    Ok((Piece { count: first & 0x1F, kind: *kind, body }, behind))
}

/// A body, read word by word. Lengths were checked; a word that is not there is 0.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self) -> u32 {
        let Some((word, rest)) = self.0.split_first_chunk::<4>() else { return 0 };
        self.0 = rest;
        u32::from_be_bytes(*word)
    }

    fn sender(&mut self) -> SenderInfo {
        let ntp = u64::from(self.next()) << 32 | u64::from(self.next());
        SenderInfo { ntp, timestamp: self.next(), packets: self.next(), octets: self.next() }
    }

    fn block(&mut self) -> ReportBlock {
        let ssrc = self.next();
        let lost = self.next();
        ReportBlock {
            ssrc,
            fraction_lost: (lost >> 24) as u8,
            // The sign is the 24th bit.
            cumulative_lost: (lost << 8).cast_signed() >> 8,
            highest_sequence: self.next(),
            jitter: self.next(),
            last_sr: self.next(),
            delay_since_last_sr: self.next(),
        }
    }
}

/// What a datagram of ours says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report<'a> {
    /// Our source.
    pub ssrc: u32,
    /// What we sent since the last report, or are about to; `None` makes it a receiver report.
    pub sender: Option<SenderInfo>,
    /// What we receive of the peer.
    pub block: Option<ReportBlock>,
    /// Our name; 255 bytes at most are written.
    pub cname: &'a str,
    /// Our source is gone.
    pub bye: bool,
}

impl Report<'_> {
    /// The datagram.
    pub fn write(&self) -> SmallVec<[u8; 128]> {
        let mut out = SmallVec::new();
        let blocks = u8::from(self.block.is_some());
        packet(&mut out, if self.sender.is_some() { SR } else { RR }, blocks, |out| {
            word(out, self.ssrc);
            if let Some(sender) = self.sender {
                word(out, (sender.ntp >> 32) as u32);
                word(out, sender.ntp as u32);
                word(out, sender.timestamp);
                word(out, sender.packets);
                word(out, sender.octets);
            }
            if let Some(block) = self.block {
                let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7F_FFFF).cast_unsigned();
                word(out, block.ssrc);
                word(out, u32::from(block.fraction_lost) << 24 | lost & 0xFF_FFFF);
                word(out, block.highest_sequence);
                word(out, block.jitter);
                word(out, block.last_sr);
                word(out, block.delay_since_last_sr);
            }
        });
        packet(&mut out, SDES, 1, |out| {
            let name = self.cname.as_bytes();
            let name = name.get(..MAX_CNAME).unwrap_or(name);
            word(out, self.ssrc);
            out.push(1);
            out.push(name.len() as u8);
            out.extend_from_slice(name);
            // The end of the list is a null byte at least (RFC 3550 §6.5).
            out.push(0);
        });
        if self.bye {
            packet(&mut out, BYE, 1, |out| word(out, self.ssrc));
        }
        out
    }
}

/// The middle 32 bits of an NTP timestamp, as reports name a sender report.
pub const fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// The way there and back, from a block about us that came at this NTP time (RFC 3550 §6.4.1). `None`: the peer has
/// no report of ours, or its figures would have it back before it was sent.
pub fn round_trip(block: &ReportBlock, now_ntp: u64) -> Option<Duration> {
    if block.last_sr == 0 {
        return None;
    }
    let since = middle(now_ntp).wrapping_sub(block.last_sr);
    let way = since.checked_sub(block.delay_since_last_sr)?;
    // Half of the range is the past: a report from the future, or hours old, is a lie.
    (since < 1 << 31).then(|| span(way))
}

/// 65,536ths of a second as a span.
pub fn span(units: u32) -> Duration {
    Duration::from_nanos((u64::from(units) * 1_000_000_000) >> 16)
}

/// A span in 65,536ths of a second; 18 hours at most.
pub fn units(span: Duration) -> u32 {
    u32::try_from((span.as_nanos() << 16) / 1_000_000_000).unwrap_or(u32::MAX)
}

/// Writes a packet: header, what `body` writes, and nulls up to a whole word.
fn packet(
    out: &mut SmallVec<[u8; 128]>,
    kind: u8,
    count: u8,
    body: impl FnOnce(&mut SmallVec<[u8; 128]>),
) {
    let begin = out.len();
    out.extend_from_slice(&[0x80 | count & 0x1F, kind, 0, 0]);
    body(out);
    while !out.len().is_multiple_of(4) {
        out.push(0);
    }
    let words = ((out.len() - begin) / 4 - 1) as u16;
    if let Some(length) = out.get_mut(begin + 2..begin + 4) {
        length.copy_from_slice(&words.to_be_bytes());
    }
}

fn word(out: &mut SmallVec<[u8; 128]>, word: u32) {
    out.extend_from_slice(&word.to_be_bytes());
}

#[cfg(test)]
mod tests;
