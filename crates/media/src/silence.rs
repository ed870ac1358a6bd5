//! Silence in packets, for each codec that we speak.

use crate::Speech;
use crate::g711::{ALAW_SILENCE, ULAW_SILENCE};

#[cfg(test)]
mod tests;

/// Bytes of the longest packet at 64 kbit/s: 60 ms.
const LONGEST: usize = 480;

static ULAW: [u8; LONGEST] = [ULAW_SILENCE; LONGEST];
static ALAW: [u8; LONGEST] = [ALAW_SILENCE; LONGEST];
/// The smallest positive step in both bands (ITU-T G.722 §3): it adds nothing, and lets the quantizers come to rest.
static G722: [u8; LONGEST] = [0xFD; LONGEST];
/// One CELT frame (RFC 6716 §3.1, configurations 30 and 31) whose silence flag is set.
static OPUS_10: [u8; 3] = [0xF0, 0xFF, 0xFE];
static OPUS_20: [u8; 3] = [0xF8, 0xFF, 0xFE];
/// Two frames of one size (code 1), and three (code 3).
static OPUS_40: [u8; 5] = [0xF9, 0xFF, 0xFE, 0xFF, 0xFE];
static OPUS_60: [u8; 8] = [0xFB, 0x03, 0xFF, 0xFE, 0xFF, 0xFE, 0xFF, 0xFE];

/// A payload of silence that lasts so many milliseconds; see [`packet_ms`] for which there are.
pub(crate) fn silence(speech: Speech, packet_ms: u16) -> &'static [u8] {
    let bytes = (usize::from(packet_ms) * 8).min(LONGEST);
    match speech {
        Speech::Pcmu => ULAW.get(..bytes).unwrap_or(&ULAW),
        Speech::Pcma => ALAW.get(..bytes).unwrap_or(&ALAW),
        Speech::G722 => G722.get(..bytes).unwrap_or(&G722),
        Speech::Opus => match packet_ms {
            0..=10 => &OPUS_10,
            11..=20 => &OPUS_20,
            21..=40 => &OPUS_40,
            41.. => &OPUS_60,
        },
    }
}

/// How long our packets are where the peer asks for this: 10 to 60 ms in tens, of Opus a length that it has.
pub(crate) fn packet_ms(speech: Option<Speech>, asked: Option<u16>) -> u16 {
    let tens = asked.unwrap_or(20).clamp(10, 60) / 10 * 10;
    match (speech, tens) {
        (Some(Speech::Opus), 30) => 20,
        (Some(Speech::Opus), 50) => 40,
        _ => tens,
    }
}
