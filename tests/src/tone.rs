//! Tones: a sine in a WAV file for a softphone to play, and how strong it is in a recording.
//!
//! What is played is 16 bit linear PCM, mono, 8 kHz; what was recorded has the rate of the call's codec.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// Samples a second.
const RATE: u32 = 8000;
/// Peak of the played sine, half of full scale.
const PEAK: f64 = 16_000.0;
/// The length of a WAV file without samples.
const HEADER_BYTES: u64 = 44;
/// Windows a second that are looked at: 50 ms, so that neighbouring tones are 20 Hz apart.
const WINDOWS: u32 = 20;

/// Writes a sine of `hertz` to a WAV file.
pub fn write(path: &Path, hertz: f64, length: Duration) -> Result<()> {
    fs::write(path, wav(hertz, length)?).with_context(|| format!("write {}", path.display()))
}

/// A WAV file with a sine of `hertz`.
pub fn wav(hertz: f64, length: Duration) -> Result<Vec<u8>> {
    let count = u32::try_from(length.as_millis())? * (RATE / 1000);
    let mut bytes = header(count * 2);
    for n in 0..count {
        let value = PEAK * (TAU * hertz * f64::from(n) / f64::from(RATE)).sin();
        #[expect(clippy::cast_possible_truncation, reason = "|value| <= 16000")]
        bytes.extend_from_slice(&(value as i16).to_le_bytes());
    }
    Ok(bytes)
}

/// The header of a WAV file with `data_bytes` of samples.
fn header(data_bytes: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(36 + data_bytes).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend_from_slice(&16_u32.to_le_bytes());
    bytes.extend_from_slice(&1_u16.to_le_bytes()); // linear PCM
    bytes.extend_from_slice(&1_u16.to_le_bytes()); // mono
    bytes.extend_from_slice(&RATE.to_le_bytes());
    bytes.extend_from_slice(&(RATE * 2).to_le_bytes()); // bytes a second
    bytes.extend_from_slice(&2_u16.to_le_bytes()); // bytes a sample
    bytes.extend_from_slice(&16_u16.to_le_bytes()); // bits a sample
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&data_bytes.to_le_bytes());
    bytes
}

/// How long, in a recording, the tone of `hertz` makes up most of what is heard.
///
/// A phone that still records may have written nothing yet, which is no tone. linphonec leaves the
/// header zero until it ends, so that a header is checked only where there is one.
pub fn heard(path: &Path, hertz: f64) -> Result<Duration> {
    if fs::metadata(path).map_or(0, |file| file.len()) < HEADER_BYTES {
        return Ok(Duration::ZERO);
    }
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let (samples, rate) = samples(&bytes).with_context(|| format!("in {}", path.display()))?;
    let windows = samples.chunks_exact((rate / WINDOWS).try_into()?);
    let tones = windows.filter(|window| is_tone(window, hertz, rate)).count();
    Ok(Duration::from_millis(tones as u64 * 1000 / u64::from(WINDOWS)))
}

/// The samples of a WAV file of linear PCM, of its first channel, and how many there are a second.
fn samples(bytes: &[u8]) -> Result<(Vec<f64>, u32)> {
    let (header, rest) = bytes.split_at_checked(44).context("the header is cut off")?;
    if header.iter().all(|&byte| byte == 0) {
        return Ok((numbers(rest), RATE));
    }
    ensure!(bytes.starts_with(b"RIFF"), "not a RIFF file");
    let (Some(&[1, 0, channels, 0]), Some(rate)) = (
        bytes.get(20..24).and_then(|kind| kind.first_chunk::<4>()),
        bytes.get(24..28).and_then(|rate| rate.first_chunk::<4>()),
    ) else {
        bail!("not linear PCM: {:?}", bytes.get(20..28))
    };
    let data = bytes.windows(4).position(|word| word == b"data").context("no data chunk")?;
    let body = bytes.get(data + 8..).unwrap_or_default();
    let first = numbers(body).into_iter().step_by(usize::from(channels.max(1))).collect();
    Ok((first, u32::from_le_bytes(*rate)))
}

/// Little-endian 16 bit samples; half a sample at the end is left out.
fn numbers(body: &[u8]) -> Vec<f64> {
    let (pairs, _) = body.as_chunks::<2>();
    pairs.iter().map(|&pair| f64::from(i16::from_le_bytes(pair))).collect()
}

/// Whether more than half of the window's energy is at `hertz` (Goertzel's algorithm), and the
/// window is not silent.
fn is_tone(window: &[f64], hertz: f64, rate: u32) -> bool {
    let energy: f64 = window.iter().map(|sample| sample * sample).sum();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let length = window.len() as f64;
    if energy / length < 100.0 * 100.0 {
        return false;
    }
    let turn = 2.0 * (TAU * hertz / f64::from(rate)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in window {
        (last, before) = (sample + turn * last - before, last);
    }
    let power = last * last + before * before - turn * last * before;
    // For a pure sine the power is energy * length / 2.
    power > 0.5 * energy * length / 2.0
}

#[cfg(test)]
mod tests;
