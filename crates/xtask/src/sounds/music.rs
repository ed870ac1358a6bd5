//! The hold music: sixteen bars in C, an electric piano's chords, a bass and a melody that leaves room.
//!
//! It is written into a ring: what rings on at the end rings on at the beginning, so it can be played over and over. It is made
//! for telephones: little below 200 Hz that they would lose, nothing shrill, and no long silence that sounds like a lost call.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "samples are counted in millions, from 0 on"
)]

use std::f32::consts::TAU;

use super::wave::Wave;

const RATE: u32 = 32_000;
/// 80 beats a minute.
const BEAT_SECONDS: f32 = 0.75;
const BEATS_A_BAR: f32 = 4.0;
const BARS: usize = 16;
/// The loudest sample, of full scale.
const PEAK: f32 = 0.5;

/// How long before the first beat the file begins.
const SEAM_SECONDS: f32 = 0.012;
/// How long the music takes to come and to go at the seam.
const EDGE_SECONDS: f32 = 0.010;

/// A bar: its bass and its chord, as MIDI notes (60 is middle C).
type Bar = (u8, [u8; 4]);

/// Four phrases: home, away, further, and back.
const HARMONY: [Bar; BARS] = [
    (48, [60, 64, 67, 71]), // Cmaj7
    (45, [60, 64, 67, 69]), // Am7
    (53, [60, 65, 69, 72]), // F
    (55, [59, 62, 67, 69]), // G9
    (48, [60, 64, 67, 71]),
    (52, [59, 64, 67, 71]), // Em7
    (53, [57, 60, 64, 69]), // Fmaj7
    (55, [60, 62, 67, 69]), // Gsus4
    (45, [60, 64, 69, 71]), // Am9
    (52, [59, 62, 67, 71]), // Em7
    (53, [60, 64, 65, 69]), // Fmaj7
    (48, [60, 64, 67, 72]), // C
    (50, [60, 62, 65, 69]), // Dm7
    (52, [59, 64, 67, 71]), // Em7
    (53, [57, 60, 65, 69]), // F
    (55, [59, 62, 65, 69]), // G9
];

/// A note of the melody: bar, beat, MIDI note, beats.
type Note = (usize, f32, u8, f32);

const MELODY: [Note; 38] = [
    (0, 0.0, 79, 1.5),
    (0, 1.5, 76, 0.5),
    (0, 2.0, 74, 2.0),
    (1, 1.0, 72, 1.0),
    (1, 2.0, 76, 2.0),
    (2, 0.0, 77, 1.5),
    (2, 1.5, 76, 0.5),
    (2, 2.0, 72, 2.0),
    (3, 1.0, 74, 3.0),
    (4, 0.0, 79, 1.5),
    (4, 1.5, 76, 0.5),
    (4, 2.0, 83, 2.0),
    (5, 1.0, 79, 1.0),
    (5, 2.0, 76, 2.0),
    (6, 0.0, 77, 1.0),
    (6, 1.0, 76, 1.0),
    (6, 2.0, 72, 2.0),
    (7, 1.0, 74, 3.0),
    (8, 0.0, 76, 1.0),
    (8, 1.0, 79, 1.0),
    (8, 2.0, 84, 2.0),
    (9, 1.0, 83, 1.0),
    (9, 2.0, 79, 2.0),
    (10, 0.0, 81, 1.5),
    (10, 1.5, 79, 0.5),
    (10, 2.0, 76, 2.0),
    (11, 1.0, 79, 3.0),
    (12, 0.0, 77, 1.0),
    (12, 1.0, 76, 1.0),
    (12, 2.0, 74, 2.0),
    (13, 1.0, 76, 1.0),
    (13, 2.0, 79, 2.0),
    (14, 0.0, 81, 1.0),
    (14, 1.0, 79, 1.0),
    (14, 2.0, 77, 1.0),
    (14, 3.0, 76, 1.0),
    (15, 0.0, 74, 2.5),
    (15, 3.0, 74, 1.0),
];

/// A voice of the piece.
#[derive(Clone, Copy)]
struct Timbre {
    loudness: f32,
    /// Seconds until a note has fallen to a third.
    fade: f32,
    /// Overtones: how many times the frequency, how loud, and how much sooner each fades.
    overtones: &'static [(f32, f32, f32)],
}

const PIANO: Timbre = Timbre {
    loudness: 0.10,
    fade: 1.6,
    overtones: &[(1.0, 1.0, 1.0), (2.0, 0.25, 1.6), (3.0, 0.10, 2.2), (6.99, 0.04, 8.0)],
};
const BASS: Timbre = Timbre {
    loudness: 0.20,
    fade: 1.1,
    overtones: &[(1.0, 0.7, 1.0), (2.0, 0.5, 1.2), (3.0, 0.25, 1.8), (4.0, 0.1, 2.5)],
};
const LEAD: Timbre = Timbre {
    loudness: 0.17,
    fade: 1.3,
    overtones: &[(1.0, 1.0, 1.0), (2.0, 0.12, 1.5), (4.0, 0.10, 3.0)],
};

/// Echoes, as a room gives them: seconds, and how loud.
const ECHOES: [(f32, f32); 5] =
    [(0.031, 0.22), (0.053, 0.18), (0.097, 0.14), (0.181, 0.10), (0.307, 0.07)];

/// The piece.
pub(super) fn compose() -> Wave {
    let length = BEAT_SECONDS * BEATS_A_BAR * BARS as f32;
    let mut ring = Ring { samples: vec![0.0; (length * RATE as f32) as usize] };
    for (bar, (bass, chord)) in HARMONY.into_iter().enumerate() {
        let beat = |beat: f32| (bar as f32 * BEATS_A_BAR + beat) * BEAT_SECONDS;
        ring.play(BASS, bass, beat(0.0), 2.4 * BEAT_SECONDS);
        ring.play(BASS, bass + 7, beat(2.5), 1.4 * BEAT_SECONDS);
        // Broken gently upwards at the bar's beginning, then once more, and single notes between.
        for (voice, note) in (0_u8..).zip(chord) {
            ring.play(PIANO, note, beat(0.06 * f32::from(voice)), 2.0 * BEAT_SECONDS);
            ring.play(PIANO, note, beat(2.0 + 0.5 * f32::from(voice)), 1.2 * BEAT_SECONDS);
        }
    }
    for (bar, beat, note, beats) in MELODY {
        let begin = (bar as f32 * BEATS_A_BAR + beat) * BEAT_SECONDS;
        ring.play(LEAD, note, begin, beats * BEAT_SECONDS);
    }
    let mut samples = ring.with_echoes();
    // The seam is a breath before the first beat, where mp3 need not encode a step.
    let seam = (SEAM_SECONDS * RATE as f32) as usize;
    samples.rotate_right(seam);
    let edge = (EDGE_SECONDS * RATE as f32) as usize;
    let length = samples.len();
    for (at, sample) in samples.iter_mut().enumerate() {
        let to_an_end = at.min(length - 1 - at).min(edge);
        *sample *= to_an_end as f32 / edge as f32;
    }
    let loudest = samples.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
    for sample in &mut samples {
        *sample *= PEAK / loudest;
    }
    Wave { rate: RATE, samples }
}

struct Ring {
    samples: Vec<f32>,
}

impl Ring {
    /// Adds a note that begins then and is held for so many seconds.
    fn play(&mut self, timbre: Timbre, note: u8, begin: f32, held: f32) {
        let frequency = 440.0 * ((f32::from(note) - 69.0) / 12.0).exp2();
        let release = 0.25;
        let count = ((held + 4.0 * release) * RATE as f32) as usize;
        let begin = (begin * RATE as f32) as usize;
        let length = self.samples.len();
        for at in 0..count {
            let time = at as f32 / RATE as f32;
            let attack = (time / 0.008).min(1.0);
            let released = (-(time - held).max(0.0) / release).exp();
            let last = (1.0 - time / (held + 4.0 * release)).min(0.05) / 0.05;
            let tone: f32 = timbre
                .overtones
                .iter()
                .map(|(times, loudness, sooner)| {
                    let fade = (-time * sooner / timbre.fade).exp();
                    loudness * fade * (TAU * frequency * times * time).sin()
                })
                .sum();
            if let Some(sample) = self.samples.get_mut((begin + at) % length) {
                *sample += timbre.loudness * attack * released * last * tone;
            }
        }
    }

    fn with_echoes(&self) -> Vec<f32> {
        let length = self.samples.len();
        let at = |at: usize| self.samples.get(at % length).copied().unwrap_or_default();
        let heard = |now: usize| {
            let echoes = ECHOES.iter().map(|(seconds, loudness)| {
                loudness * at(now + length - (seconds * RATE as f32) as usize)
            });
            at(now) + echoes.sum::<f32>()
        };
        (0..length).map(heard).collect()
    }
}
