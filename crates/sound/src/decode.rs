//! Audio files into tracks: wav and mp3, decoded chunk by chunk, so that memory does not grow with what a file claims.
//!
//! A file may come from anybody. What it says of itself is believed only within limits; what does not decode is skipped, and a
//! file that ends too early is played as far as it goes.
#![expect(
    clippy::cast_precision_loss,
    reason = "samples are counted in thousands, not in billions"
)]

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bytes::Bytes;
use mediator_media::Track;
use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::common::Limit;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use crate::encode::{EncodeError, Ending, TrackEncoder};
use crate::resample::{ResampleError, Resampler};
use crate::{Form, MAX_FILE_BYTES, MAX_LENGTH, wav};

/// The sampling rates that are taken, in samples a second.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;
/// The most channels.
const MAX_CHANNELS: usize = 8;
/// The most of a file's own description of itself that is kept, in bytes a tag.
const MAX_TAG_BYTES: usize = 64 * 1024;

/// Why a file cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than are looked at.
    #[error("larger than {} MiB", MAX_FILE_BYTES / 1024 / 1024)]
    TooLarge,
    /// It would play for longer than anybody waits.
    #[error("longer than {} minutes", MAX_LENGTH.as_secs() / 60)]
    TooLong,
    /// Neither wav nor mp3, or of a kind that is not decoded.
    #[error("no wav or mp3 file: {0}")]
    Unknown(Error),
    /// It has no audio, or nothing of it can be decoded.
    #[error("there is no audio in it")]
    Empty,
    /// A rate that no audio has.
    #[error("{0} samples a second: expected 4000 to 192000")]
    Rate(u32),
    /// More channels than are mixed.
    #[error("{0} channels: expected 1 to {MAX_CHANNELS}")]
    Channels(usize),
    /// Wider samples than there are.
    #[error("{0} bits a sample")]
    Bits(u16),
    /// The decoder's own defect, met by a file that is damaged.
    #[error("the decoder cannot take it")]
    Defect,
    /// Our own defect.
    #[error(transparent)]
    Resample(#[from] ResampleError),
    /// Our own defect.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Makes a track of a wav or mp3 file: mixed to one channel, as loud as it is. Takes milliseconds to seconds.
pub fn track_of_file(file: Bytes, form: Form, ending: Ending) -> Result<Track, DecodeError> {
    unwound(|| {
        let mut decoding = Decoding::begin(file)?;
        let mut encoder = TrackEncoder::new(form, ending)?;
        let mut resampler = Resampler::new(decoding.rate, form.speech().sample_rate())?;
        let head_samples = (decoding.rate / 1000 * encoder.again_ms()) as usize;
        let mut head = Vec::new();
        let mut give = |samples: &[f32]| encoder.push(samples).map_err(DecodeError::from);
        while let Some(samples) = decoding.chunk()? {
            head.extend(samples.iter().take(head_samples.saturating_sub(head.len())));
            resampler.push(samples, &mut give)?;
        }
        let length = resampler.due(decoding.taken);
        resampler.push(&head, &mut give)?;
        resampler.finish(&mut give)?;
        Ok(encoder.finish(length)?)
    })
}

/// How long a file plays; found by decoding it.
pub fn length_of_file(file: Bytes) -> Result<Duration, DecodeError> {
    unwound(|| {
        let mut decoding = Decoding::begin(file)?;
        while decoding.chunk()?.is_some() {}
        Ok(Duration::from_secs_f64(decoding.taken as f64 / f64::from(decoding.rate)))
    })
}

/// Files come from anybody, and decoders of others are not proof against all of them: what they panic at is no sound.
fn unwound<T>(decode: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    // Everything that was touched is dropped with it.
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or(Err(DecodeError::Defect))
}

/// A file being decoded.
struct Decoding {
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    channels: usize,
    interleaved: Vec<f32>,
    mono: Vec<f32>,
    /// Samples so far.
    taken: u64,
}

impl Decoding {
    fn begin(file: Bytes) -> Result<Self, DecodeError> {
        if file.len() > MAX_FILE_BYTES {
            return Err(DecodeError::TooLarge);
        }
        if file.is_empty() {
            return Err(DecodeError::Empty);
        }
        let file = wav::corrected(file)?;
        let stream = MediaSourceStream::new(
            Box::new(Cursor::new(file)),
            MediaSourceStreamOptions::default(),
        );
        let limit = Limit::Maximum(MAX_TAG_BYTES);
        let metadata = MetadataOptions::default().limit_tag_bytes(limit).limit_visual_bytes(limit);
        let reader = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), metadata)
            .map_err(DecodeError::Unknown)?;
        let track = reader.default_track(TrackType::Audio).ok_or(DecodeError::Empty)?;
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
        let parameters = parameters.ok_or(DecodeError::Empty)?;
        let rate = parameters.sample_rate.unwrap_or_default();
        check_rate(rate)?;
        // A decoder's buffers have room for all channels: they are counted first.
        let channels = parameters.channels.as_ref().map_or(1, Channels::count);
        check_channels(channels)?;
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(DecodeError::Unknown)?;
        let track = track.id;
        let (interleaved, mono) = (Vec::new(), Vec::new());
        Ok(Self { reader, decoder, track, rate, channels, interleaved, mono, taken: 0 })
    }

    /// The next samples, mixed to one channel; `None` at the end.
    fn chunk(&mut self) -> Result<Option<&[f32]>, DecodeError> {
        loop {
            let packet = match self.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => packet,
                Ok(Some(_)) => continue,
                // Where it ends too early, or what follows cannot be found, what came before is all there is of it.
                Ok(None) | Err(_) => return self.end(),
            };
            let Ok(decoded) = self.decoder.decode(&packet) else { continue };
            let (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
            // Frames of another kind amid an mp3 are damage, and so left out.
            if rate != self.rate || decoded.frames() == 0 {
                continue;
            }
            check_channels(channels)?;
            self.channels = channels;
            decoded.copy_to_vec_interleaved(&mut self.interleaved);
            break;
        }
        self.mono.clear();
        let share = 1.0 / self.channels as f32;
        let frames = self.interleaved.chunks_exact(self.channels);
        self.mono.extend(frames.map(|frame| finite(frame.iter().sum::<f32>() * share)));
        self.taken += self.mono.len() as u64;
        if self.taken > MAX_LENGTH.as_secs() * u64::from(self.rate) {
            return Err(DecodeError::TooLong);
        }
        Ok(Some(&self.mono))
    }

    fn end(&self) -> Result<Option<&[f32]>, DecodeError> {
        if self.taken == 0 { Err(DecodeError::Empty) } else { Ok(None) }
    }
}

pub(crate) fn check_rate(rate: u32) -> Result<(), DecodeError> {
    if RATES.contains(&rate) { Ok(()) } else { Err(DecodeError::Rate(rate)) }
}

pub(crate) fn check_channels(channels: usize) -> Result<(), DecodeError> {
    if (1..=MAX_CHANNELS).contains(&channels) {
        Ok(())
    } else {
        Err(DecodeError::Channels(channels))
    }
}

/// A wav file of floats may hold what is no number; through a filter it would silence all that follows.
fn finite(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-8.0, 8.0) } else { 0.0 }
}
