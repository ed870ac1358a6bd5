//! Hears keys in G.722 and Opus: their packets into samples at 8 kHz, which is all that keys need.
//!
//! A decoder of others, and packets of anybody: what it panics at costs the decoder, and never the call.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use audio_codec::Decoder as _;
use audio_codec::g722::{Bitrate, G722Decoder};
use mediator_media::{Ear, Ears, Speech, Unheard};
use opus_rs::OpusDecoder;

/// Samples a second of what is heard.
const RATE: i32 = 8_000;
/// The samples of the longest packet of Opus: 120 ms (RFC 6716 §3.2.5).
const MAX_OPUS_SAMPLES: usize = 960;
/// What stands in place of a packet of Opus that says that nothing is said (RFC 6716 §2.1.9): 20 ms. One of those frames
/// says how long it is, but not how many follow that are not sent at all.
const PAUSE_SAMPLES: usize = 160;

/// Ears for G.722 and Opus. G.711 is heard without any.
#[derive(Clone, Copy, Debug)]
pub struct CodecEars;

impl Ears for CodecEars {
    fn ear(&self, speech: Speech) -> Option<Box<dyn Ear>> {
        match speech {
            // Its lower half is 8 kHz already: the upper one has no keys, and is left alone.
            Speech::G722 => {
                let decoder = G722Decoder::with_options(Bitrate::Mode1_64000, false, true);
                Some(Box::new(G722Ear(Box::new(decoder))))
            }
            Speech::Opus => {
                let decoder = contained(|| OpusDecoder::new(RATE, 1)).ok()?.ok()?;
                let room = vec![0.0; MAX_OPUS_SAMPLES];
                Some(Box::new(OpusEar { decoder: Box::new(decoder), room }))
            }
            Speech::Pcmu | Speech::Pcma => None,
        }
    }
}

struct G722Ear(Box<G722Decoder>);

impl Ear for G722Ear {
    fn hear(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), Unheard> {
        let before = samples.len();
        samples.resize(before + self.0.max_decode_samples(payload.len()), 0);
        let room = samples.get_mut(before..).unwrap_or_default();
        let made = contained(|| self.0.decode_into(payload, room))?;
        samples.truncate(before + made.map_err(|_| Unheard::Packet)?);
        Ok(())
    }
}

impl fmt::Debug for G722Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("G722Ear")
    }
}

struct OpusEar {
    decoder: Box<OpusDecoder>,
    room: Vec<f32>,
}

impl Ear for OpusEar {
    fn hear(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), Unheard> {
        // The decoder would make up what may have been said: a key that was let go would go on.
        if payload.len() <= 1 {
            samples.extend([0; PAUSE_SAMPLES]);
            return Ok(());
        }
        let Self { decoder, room } = self;
        let made = contained(|| decoder.decode(payload, MAX_OPUS_SAMPLES, room))?;
        let made = room.get(..made.map_err(|_| Unheard::Packet)?).unwrap_or_default();
        // `as` saturates, and takes what is no number for 0.
        samples.extend(made.iter().map(|sample| (sample * 32_767.0) as i16));
        Ok(())
    }
}

impl fmt::Debug for OpusEar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpusEar")
    }
}

/// What a decoder panics at is its end: what it holds may be wrong from then on.
fn contained<T>(decode: impl FnOnce() -> T) -> Result<T, Unheard> {
    catch_unwind(AssertUnwindSafe(decode)).map_err(|_| Unheard::Defect)
}
