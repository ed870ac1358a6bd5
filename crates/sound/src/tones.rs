//! Tones, made at the codec's own rate: those of the network, and those of keys (ITU-T Q.23).
#![expect(
    clippy::cast_precision_loss,
    reason = "samples are counted in thousands, not in billions"
)]

use std::f32::consts::TAU;

use mediator_media::{Tone, Track};

use crate::Form;
use crate::encode::{EncodeError, Ending, TrackEncoder};
use crate::plans::{Cadence, Pitch, Plan};

/// How loud the network's tones are, as the peak of each frequency: -16 dBm0 (ITU-T E.180 §10 wants about -10 at the exchange
/// and less at the ear; full scale is +3.14 dBm0).
const TONE_LEVEL: f32 = 0.11;
/// A tone of one frequency: -13 dBm0, as much as two of -16.
const SINGLE_LEVEL: f32 = 0.156;
/// A key's low and high frequency: -8 and -6 dBm0, the higher one louder, as lines want it (ITU-T Q.24).
const KEY_LEVELS: (f32, f32) = (0.277, 0.349);
/// How deep a modulated tone swings.
const DEPTH: f32 = 0.9;
/// How long a tone takes to come and to go, in milliseconds: at once would be a click.
const RAMP_MS: u32 = 4;

/// How long a key's tone lasts, and the silence behind it, in milliseconds.
const KEY_MS: (u32, u32) = (100, 100);
/// How long `,` waits, in milliseconds.
const PAUSE_MS: u32 = 500;
/// The most keys of a track; those behind are left out.
const MAX_KEYS: usize = 256;
/// The most cadences of a track.
const MAX_CADENCES: usize = 60;

/// A tone of a country's plan: whole cadences in whole packets, to be played over and over.
pub fn track_of_tone(tone: Tone, plan: &Plan, form: Form) -> Result<Track, EncodeError> {
    let cadence = plan.cadence(tone);
    let length_ms: u32 = cadence.on_off_ms.iter().copied().map(u32::from).sum();
    let fits = |cadences: &usize| {
        let total_ms = length_ms.saturating_mul(u32::try_from(*cadences).unwrap_or(u32::MAX));
        total_ms.is_multiple_of(u32::from(form.packet_ms()))
    };
    let cadences = (1..=MAX_CADENCES).find(fits).unwrap_or(MAX_CADENCES);
    let once = samples_of(cadence, form.speech().sample_rate());
    let mut encoder = TrackEncoder::new(form, Ending::Loop)?;
    for _ in 0..cadences {
        encoder.push(&once)?;
    }
    let head = (encoder.again_ms() * form.speech().sample_rate() / 1000) as usize;
    encoder.push(once.get(..head).unwrap_or(&once))?;
    encoder.finish((once.len() * cadences) as u64)
}

/// The tones of keys: `0-9*#A-D` each 100 ms with 100 ms of silence behind it, `,` for 500 ms of silence; what else there is
/// makes no sound.
pub fn track_of_digits(digits: &str, form: Form) -> Result<Track, EncodeError> {
    let rate = form.speech().sample_rate();
    let mut encoder = TrackEncoder::new(form, Ending::Once)?;
    let mut length = 0;
    for key in digits.chars().take(MAX_KEYS) {
        let samples = if key == ',' {
            silence(PAUSE_MS, rate)
        } else if let Some((low, high)) = frequencies(key) {
            let (on, off) = KEY_MS;
            let wave = move |time: f32| {
                KEY_LEVELS.0 * (TAU * low * time).sin() + KEY_LEVELS.1 * (TAU * high * time).sin()
            };
            let mut samples = burst(on, rate, wave);
            samples.extend(silence(off, rate));
            samples
        } else {
            continue;
        };
        encoder.push(&samples)?;
        length += samples.len() as u64;
    }
    encoder.finish(length)
}

/// A key's two frequencies in Hz; `None`: it is no key.
fn frequencies(key: char) -> Option<(f32, f32)> {
    let (low, high) = match key.to_ascii_uppercase() {
        '1' => (697.0, 1209.0),
        '2' => (697.0, 1336.0),
        '3' => (697.0, 1477.0),
        'A' => (697.0, 1633.0),
        '4' => (770.0, 1209.0),
        '5' => (770.0, 1336.0),
        '6' => (770.0, 1477.0),
        'B' => (770.0, 1633.0),
        '7' => (852.0, 1209.0),
        '8' => (852.0, 1336.0),
        '9' => (852.0, 1477.0),
        'C' => (852.0, 1633.0),
        '*' => (941.0, 1209.0),
        '0' => (941.0, 1336.0),
        '#' => (941.0, 1477.0),
        'D' => (941.0, 1633.0),
        _ => return None,
    };
    Some((low, high))
}

fn samples_of(cadence: Cadence, rate: u32) -> Vec<f32> {
    let mut samples = Vec::new();
    let mut is_on = true;
    for length_ms in cadence.on_off_ms.iter().copied().map(u32::from) {
        if is_on {
            samples.extend(burst(length_ms, rate, |time| wave(cadence.pitch, time)));
        } else {
            samples.extend(silence(length_ms, rate));
        }
        is_on = !is_on;
    }
    samples
}

fn wave(pitch: Pitch, time: f32) -> f32 {
    match pitch {
        Pitch::One(hz) => SINGLE_LEVEL * (TAU * hz * time).sin(),
        Pitch::Two(one, other) => {
            TONE_LEVEL * ((TAU * one * time).sin() + (TAU * other * time).sin())
        }
        Pitch::Modulated(hz, by) => {
            let swing = (1.0 + DEPTH * (TAU * by * time).cos()) / (1.0 + DEPTH);
            SINGLE_LEVEL * swing * (TAU * hz * time).sin()
        }
    }
}

fn silence(length_ms: u32, rate: u32) -> Vec<f32> {
    vec![0.0; (rate / 1000 * length_ms) as usize]
}

/// So many milliseconds of a wave, which is given the time in seconds, with a soft beginning and end.
fn burst(length_ms: u32, rate: u32, wave: impl Fn(f32) -> f32) -> Vec<f32> {
    let count = rate / 1000 * length_ms;
    let ramp = (rate / 1000 * RAMP_MS) as f32;
    let sample = |at: u32| {
        let to_an_end = at.min(count - at) as f32;
        (to_an_end / ramp).min(1.0) * wave(at as f32 / rate as f32)
    };
    (0..count).map(sample).collect()
}
