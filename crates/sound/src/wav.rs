//! What a wav file says of itself, checked and put right before the decoder believes it.
//!
//! Programs that write to a pipe cannot know how long a file becomes: they say that it has 4 GiB, or nothing, and never come
//! back to correct it. Such files are whole, but for that.

use bytes::{Bytes, BytesMut};

use crate::decode::{DecodeError, check_channels, check_rate};

/// Where the first chunk begins.
const FIRST_CHUNK: usize = 12;
/// A chunk's name and length.
const CHUNK_HEADER: usize = 8;
/// The most chunks that are looked at in search of the samples.
const MAX_CHUNKS: usize = 256;
/// The most bits a sample.
const MAX_BITS: u16 = 64;

/// The file with lengths that are true; a file of another kind as it is.
pub(crate) fn corrected(file: Bytes) -> Result<Bytes, DecodeError> {
    let is_wav = file.starts_with(b"RIFF") && file.get(8..FIRST_CHUNK) == Some(b"WAVE");
    if !is_wav {
        return Ok(file);
    }
    let mut wrong = Vec::new();
    note(&mut wrong, &file, 4, file.len().saturating_sub(CHUNK_HEADER));
    let mut at = FIRST_CHUNK;
    for _ in 0..MAX_CHUNKS {
        let Some(name) = file.get(at..at + 4) else { break };
        let Some(claimed) = u32_at(&file, at + 4) else { break };
        let body = at + CHUNK_HEADER;
        let there = file.len().saturating_sub(body);
        let is_data = name == b"data";
        if name == b"fmt " {
            check_format(&file, body)?;
        }
        if claimed as usize > there || (is_data && claimed == 0) {
            note(&mut wrong, &file, at + 4, there);
            break;
        }
        if is_data {
            break;
        }
        // Chunks begin at even places.
        at = body + claimed as usize + claimed as usize % 2;
    }
    if wrong.is_empty() {
        return Ok(file);
    }
    let mut file = BytesMut::from(file);
    for (at, length) in wrong {
        if let Some(place) = file.get_mut(at..at + 4) {
            place.copy_from_slice(&length.to_le_bytes());
        }
    }
    Ok(file.freeze())
}

/// Notes a length that is not what the file says.
fn note(wrong: &mut Vec<(usize, u32)>, file: &[u8], at: usize, length: usize) {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    if u32_at(file, at) != Some(length) {
        wrong.push((at, length));
    }
}

fn check_format(file: &[u8], body: usize) -> Result<(), DecodeError> {
    let (Some(channels), Some(rate), Some(bits)) =
        (u16_at(file, body + 2), u32_at(file, body + 4), u16_at(file, body + 14))
    else {
        return Err(DecodeError::Empty);
    };
    check_channels(usize::from(channels))?;
    check_rate(rate)?;
    if bits > MAX_BITS { Err(DecodeError::Bits(bits)) } else { Ok(()) }
}

fn u16_at(file: &[u8], at: usize) -> Option<u16> {
    file.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn u32_at(file: &[u8], at: usize) -> Option<u32> {
    file.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}
