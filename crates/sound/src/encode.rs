//! Samples into packets.
//!
//! G.722 and Opus remember what they have encoded. A track that is played over and over has its beginning encoded once more
//! behind its end, so that there is no click where it starts again.

use audio_codec::{CodecType, create_encoder};
use mediator_media::{Speech, Track};
use opus_rs::{Application, OpusEncoder};

use crate::Form;

/// Bits a second of Opus: wideband music and speech without audible loss, 80 bytes in 20 ms.
const OPUS_BITRATE: i32 = 32_000;
/// The largest packet of one frame (RFC 6716 §3.4, R2).
const MAX_OPUS_BYTES: usize = 1276;
/// How much of a loop's beginning is encoded again, in milliseconds: by then a codec has forgotten where it came from, and so
/// has the filter of a resampler.
const AGAIN_MS: u32 = 300;

/// Why samples could not be encoded: a defect of the encoder, for they cannot be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the {} encoder refused samples: {why}", speech.name())]
pub struct EncodeError {
    speech: Speech,
    why: &'static str,
}

/// Whether a track is heard once, or over and over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ending {
    /// What is left at the end is filled up with silence to a whole packet.
    Once,
    /// What is left at the end is cut off, and the end leads over to the beginning.
    Loop,
}

/// Takes samples of full scale -1 to 1 at the codec's rate, and makes a track of them.
///
/// Of a loop it is given the beginning once more behind the end, [`TrackEncoder::again_ms`] of it: those packets take the
/// place of the first ones.
pub(crate) struct TrackEncoder {
    form: Form,
    ending: Ending,
    codec: Codec,
    /// Samples of the packet that is not whole yet.
    pending: Vec<f32>,
    /// Samples that are not encoded yet: whether they belong to the end or to the beginning is known at the end.
    late: Vec<f32>,
    packets: Vec<Box<[u8]>>,
}

impl TrackEncoder {
    pub(crate) fn new(form: Form, ending: Ending) -> Result<Self, EncodeError> {
        Ok(Self {
            form,
            ending,
            codec: Codec::new(form.speech())?,
            pending: Vec::with_capacity(form.packet_samples()),
            late: Vec::new(),
            packets: Vec::new(),
        })
    }

    /// How much of the beginning is to be given once more behind the end, in milliseconds.
    pub(crate) fn again_ms(&self) -> u32 {
        match self.ending {
            Ending::Loop => AGAIN_MS,
            Ending::Once => 0,
        }
    }

    /// Takes samples.
    pub(crate) fn push(&mut self, samples: &[f32]) -> Result<(), EncodeError> {
        if self.ending == Ending::Once {
            return self.encode(samples);
        }
        self.late.extend_from_slice(samples);
        let keep = (self.form.speech().sample_rate() / 1000 * AGAIN_MS) as usize;
        let ready = self.late.len().saturating_sub(keep + self.form.packet_samples());
        let early: Vec<f32> = self.late.drain(..ready).collect();
        self.encode(&early)
    }

    fn encode(&mut self, mut samples: &[f32]) -> Result<(), EncodeError> {
        let whole = self.form.packet_samples();
        while !samples.is_empty() {
            let room = whole.saturating_sub(self.pending.len()).min(samples.len());
            let Some((now, later)) = samples.split_at_checked(room) else { break };
            self.pending.extend_from_slice(now);
            samples = later;
            if self.pending.len() >= whole {
                self.packets.push(self.codec.encode(&self.pending)?);
                self.pending.clear();
            }
        }
        Ok(())
    }

    /// The track; `length` is how many samples it has, without those of the beginning that came once more.
    pub(crate) fn finish(mut self, length: u64) -> Result<Track, EncodeError> {
        let whole = self.form.packet_samples();
        let encoded = self.packets.len() * whole + self.pending.len();
        let left = usize::try_from(length).unwrap_or(usize::MAX).saturating_sub(encoded);
        let late = std::mem::take(&mut self.late);
        let (end, again) = late.split_at_checked(left).unwrap_or((&late, &[]));
        self.encode(end)?;
        // Less than a packet is no loop: it is filled up, as if it were heard once.
        let is_loop = self.ending == Ending::Loop && !self.packets.is_empty();
        if is_loop {
            self.pending.clear();
            for (packet, samples) in self.packets.iter_mut().zip(again.chunks_exact(whole)) {
                *packet = self.codec.encode(samples)?;
            }
        } else if !self.pending.is_empty() {
            self.pending.resize(whole, 0.0);
            self.packets.push(self.codec.encode(&self.pending)?);
        }
        let mut track = Track::new(self.form.speech(), self.form.packet_ms());
        for packet in &self.packets {
            track.push(packet);
        }
        Ok(track)
    }
}

enum Codec {
    /// G.711 and G.722: as many samples as they are given.
    Itu(Speech, Box<dyn audio_codec::Encoder>),
    /// Opus, mono: a frame a call.
    Opus(Box<OpusEncoder>),
}

impl Codec {
    fn new(speech: Speech) -> Result<Self, EncodeError> {
        let itu = |codec| Ok(Self::Itu(speech, create_encoder(codec)));
        match speech {
            Speech::Pcmu => itu(CodecType::PCMU),
            Speech::Pcma => itu(CodecType::PCMA),
            Speech::G722 => itu(CodecType::G722),
            Speech::Opus => {
                // For audio rather than speech: it keeps tones and music, and at this rate speech is none the worse.
                let encoder = OpusEncoder::new(48_000, 1, Application::Audio);
                let mut encoder = encoder.map_err(|why| EncodeError { speech, why })?;
                encoder.bitrate_bps = OPUS_BITRATE;
                Ok(Self::Opus(Box::new(encoder)))
            }
        }
    }

    fn encode(&mut self, samples: &[f32]) -> Result<Box<[u8]>, EncodeError> {
        match self {
            Self::Itu(speech, encoder) => {
                let samples: Vec<i16> = samples.iter().copied().map(clipped).collect();
                let mut packet = vec![0; encoder.max_encode_bytes(samples.len())];
                let bytes = encoder
                    .encode_into(&samples, &mut packet)
                    .map_err(|_| EncodeError { speech: *speech, why: "no room" })?;
                packet.truncate(bytes);
                Ok(packet.into())
            }
            Self::Opus(encoder) => {
                let samples: Vec<f32> =
                    samples.iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
                let mut packet = vec![0; MAX_OPUS_BYTES];
                let bytes = encoder
                    .encode(&samples, samples.len(), &mut packet)
                    .map_err(|why| EncodeError { speech: Speech::Opus, why })?;
                packet.truncate(bytes);
                Ok(packet.into())
            }
        }
    }
}

/// To 16 bits. What is louder than full scale is clipped, for wrapped round it would be noise.
fn clipped(sample: f32) -> i16 {
    // `as` saturates, and takes what is no number for 0.
    (sample * 32_767.0).round() as i16
}
