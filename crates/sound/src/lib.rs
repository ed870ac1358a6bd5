//! Sounds for calls: audio files decoded, resampled and encoded into tracks, tones by country plan, and the built-in
//! pieces.
//!
//! Bytes go in and tracks come out: where files come from is the server's affair. All of it takes milliseconds and more,
//! so it is done beside calls, never in their way.
//!
//! - [`track_of_file`]: a wav or mp3 file of anybody's; [`Piece`]: a file of ours.
//! - [`track_of_tone`], [`track_of_digits`]: what the network and what keys sound like; [`Plan`]: by country.
//! - [`CodecEars`]: the other way round, packets of a call into samples, to hear keys in them.
//! - [`Form`]: what for: a codec and a length of packets; [`Ending`]: heard once, or over and over.

use std::time::Duration;

mod decode;
mod ears;
mod encode;
mod form;
mod pieces;
mod plans;
mod resample;
mod tones;
mod wav;

#[cfg(test)]
mod tests;

pub use decode::{DecodeError, length_of_file, track_of_file};
pub use ears::CodecEars;
pub use encode::{EncodeError, Ending};
pub use form::Form;
pub use pieces::Piece;
pub use plans::{Cadence, Pitch, Plan};
pub use resample::ResampleError;
pub use tones::{track_of_digits, track_of_tone};

/// The largest file that is looked at, in bytes.
pub const MAX_FILE_BYTES: usize = 20 * 1024 * 1024;

/// The longest that a file may play.
pub const MAX_LENGTH: Duration = Duration::from_mins(10);
