//! From one sampling rate to another, chunk by chunk.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

/// How many chunks there are in a second: each is one FFT, so that the filter is some 40 ms long and its edge steep.
const CHUNKS_A_SECOND: u32 = 10;

/// Why samples cannot be resampled: a defect, for rates are checked before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("cannot resample from {from} Hz to {to} Hz")]
pub struct ResampleError {
    from: u32,
    to: u32,
}

/// Resamples a stream of one channel. What comes out begins with what went in, and is as long.
pub(crate) enum Resampler {
    /// The rates are the same.
    Same,
    /// They differ.
    Differing(Box<Differing>),
}

/// A resampler at work.
pub(crate) struct Differing {
    fft: Fft<f32>,
    error: ResampleError,
    pending: Vec<f32>,
    output: Vec<f32>,
    /// Samples of the filter's delay that are still to be dropped.
    delay: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    pub(crate) fn new(from: u32, to: u32) -> Result<Self, ResampleError> {
        if from == to {
            return Ok(Self::Same);
        }
        let error = ResampleError { from, to };
        let chunk = (from / CHUNKS_A_SECOND).max(1) as usize;
        let window = WindowFunction::BlackmanHarris2;
        let (rate_in, rate_out) = (from as usize, to as usize);
        let fft = Fft::new_custom(rate_in, rate_out, chunk, 1, 1, window, FixedSync::Both)
            .map_err(|_| error)?;
        let delay = fft.output_delay();
        let output = vec![0.0; fft.output_frames_max()];
        let pending = Vec::with_capacity(fft.input_frames_max());
        Ok(Self::Differing(Box::new(Differing {
            fft,
            error,
            pending,
            output,
            delay,
            taken: 0,
            given: 0,
        })))
    }

    /// Takes samples, and hands on those that are ready.
    pub(crate) fn push<E: From<ResampleError>>(
        &mut self,
        samples: &[f32],
        give: &mut impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Same => give(samples),
            Self::Differing(differing) => {
                differing.taken += samples.len() as u64;
                differing.push(samples, give)
            }
        }
    }

    /// How many samples are made of so many.
    pub(crate) fn due(&self, samples: u64) -> u64 {
        match self {
            Self::Same => samples,
            Self::Differing(differing) => differing.due(samples),
        }
    }

    /// Hands on the rest.
    pub(crate) fn finish<E: From<ResampleError>>(
        self,
        give: &mut impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self::Differing(mut differing) = self else { return Ok(()) };
        let silence = vec![0.0; differing.fft.input_frames_next()];
        while differing.given < differing.due(differing.taken) {
            differing.push(&silence, give)?;
        }
        Ok(())
    }
}

impl Differing {
    fn due(&self, samples: u64) -> u64 {
        let ResampleError { from, to } = self.error;
        (samples * u64::from(to)).div_ceil(u64::from(from))
    }

    fn push<E: From<ResampleError>>(
        &mut self,
        mut samples: &[f32],
        give: &mut impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !samples.is_empty() {
            let wanted = self.fft.input_frames_next();
            let room = wanted.saturating_sub(self.pending.len()).min(samples.len());
            let Some((now, later)) = samples.split_at_checked(room) else { break };
            self.pending.extend_from_slice(now);
            samples = later;
            if self.pending.len() >= wanted {
                self.chunk(give)?;
            }
        }
        Ok(())
    }

    fn chunk<E: From<ResampleError>>(
        &mut self,
        give: &mut impl FnMut(&[f32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let error = self.error;
        let (frames_in, frames_out) = (self.pending.len(), self.output.len());
        let input = SequentialSlice::new(&self.pending, 1, frames_in).map_err(|_| error)?;
        let mut output =
            SequentialSlice::new_mut(&mut self.output, 1, frames_out).map_err(|_| error)?;
        let (_, made) =
            self.fft.process_into_buffer(&input, &mut output, None).map_err(|_| error)?;
        self.pending.clear();
        let dropped = self.delay.min(made);
        self.delay -= dropped;
        let left =
            usize::try_from(self.due(self.taken).saturating_sub(self.given)).unwrap_or(usize::MAX);
        let end = made.min(dropped.saturating_add(left));
        let ready = self.output.get(dropped..end).unwrap_or_default();
        self.given += ready.len() as u64;
        give(ready)
    }
}
