//! One channel of samples, as a wav file of 16 bits has them.
#![expect(clippy::cast_precision_loss, reason = "samples are counted in millions, from 0 on")]

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Below this, of full scale, a sample is silence.
const SILENCE: f32 = 0.005;

/// One channel of samples, full scale -1 to 1.
pub(super) struct Wave {
    pub(super) rate: u32,
    pub(super) samples: Vec<f32>,
}

impl Wave {
    /// Reads what flite writes: one channel of 16 bits behind a header of 44 bytes.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        let (header, data) = bytes.split_first_chunk::<44>().context("a wav file's header")?;
        let rate = u32::from_le_bytes([header[24], header[25], header[26], header[27]]);
        ensure!(header[22] == 1 && header[34] == 16, "expected one channel of 16 bits");
        let (pairs, _) = data.as_chunks::<2>();
        let samples = pairs.iter().map(|pair| f32::from(i16::from_le_bytes(*pair)) / 32_768.0);
        Ok(Self { rate, samples: samples.collect() })
    }

    /// Without silence at its beginning and its end.
    pub(super) fn trimmed(mut self) -> Self {
        let is_heard = |sample: &f32| sample.abs() > SILENCE;
        let end = self.samples.iter().rposition(is_heard).map_or(0, |last| last + 1);
        self.samples.truncate(end);
        let begin = self.samples.iter().position(is_heard).unwrap_or(0);
        self.samples.drain(..begin);
        self
    }

    /// As loud as that: the root of its mean square.
    pub(super) fn at_level(mut self, level: f32) -> Self {
        let square: f32 = self.samples.iter().map(|sample| sample * sample).sum();
        let gain = level / (square / self.samples.len().max(1) as f32).sqrt().max(1e-6);
        self.samples.iter_mut().for_each(|sample| *sample *= gain);
        self
    }

    /// With so many milliseconds of silence before and behind it.
    pub(super) fn with_margin(mut self, margin_ms: u32) -> Self {
        let margin = vec![0.0; (self.rate / 1000 * margin_ms) as usize];
        self.samples.splice(..0, margin.iter().copied());
        self.samples.extend(margin);
        self
    }

    /// A wav file of 16 bits.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let data_bytes = u32::try_from(self.samples.len() * 2).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(self.samples.len() * 2 + 44);
        bytes.extend_from_slice(b"RIFF");
        bytes.extend_from_slice(&(data_bytes + 36).to_le_bytes());
        bytes.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        bytes.extend_from_slice(&self.rate.to_le_bytes());
        bytes.extend_from_slice(&(self.rate * 2).to_le_bytes());
        bytes.extend_from_slice(b"\x02\0\x10\0data");
        bytes.extend_from_slice(&data_bytes.to_le_bytes());
        for sample in &self.samples {
            let sample = (sample * 32_767.0).round() as i16;
            bytes.extend_from_slice(&sample.to_le_bytes());
        }
        bytes
    }
}
