//! What a track is to be made for: a codec, and how long its packets are.

use mediator_media::Speech;

/// The shortest packets, in milliseconds.
const MIN_PACKET_MS: u16 = 10;
/// The longest packets, in milliseconds.
const MAX_PACKET_MS: u16 = 60;

/// What a track is made for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Form {
    speech: Speech,
    packet_ms: u16,
}

impl Form {
    /// A codec, and packets of about so many milliseconds: rounded down to tens, 10 to 60. Opus has no packets of one frame
    /// of 30 or 50 ms; there it is 20 and 40. The track says what it came to.
    pub fn new(speech: Speech, packet_ms: u16) -> Self {
        let tens = packet_ms.clamp(MIN_PACKET_MS, MAX_PACKET_MS) / 10 * 10;
        let packet_ms = match (speech, tens) {
            (Speech::Opus, 30) => 20,
            (Speech::Opus, 50) => 40,
            (Speech::Opus | Speech::Pcmu | Speech::Pcma | Speech::G722, tens) => tens,
        };
        Self { speech, packet_ms }
    }

    /// The codec.
    pub const fn speech(self) -> Speech {
        self.speech
    }

    /// Milliseconds a packet: 10, 20, 30, 40, 50 or 60.
    pub const fn packet_ms(self) -> u16 {
        self.packet_ms
    }

    /// Samples a packet.
    pub(crate) const fn packet_samples(self) -> usize {
        self.speech.sample_rate() as usize / 1000 * self.packet_ms as usize
    }
}
