//! Tones as Q.24 asks, and sounds that are none: noise, music, voices.
#![allow(clippy::cast_precision_loss, reason = "a test's sounds are short")]

use std::f64::consts::TAU;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::ToneDetector;
use crate::g711;

const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
const KEYS: &str = "123A456B789C*0#D";
/// The level of one tone: -10 dBm0.
const LEVEL: f64 = 7200.0;

/// A sound that is made of sines: milliseconds, frequencies and amplitudes.
fn sines(millis: usize, parts: &[(f64, f64)]) -> Vec<i16> {
    (0..millis * 8)
        .map(|n| {
            let at = n as f64 / 8000.0;
            let sum: f64 =
                parts.iter().map(|(hertz, level)| level * (TAU * hertz * at + hertz).sin()).sum();
            sum.clamp(-32_768.0, 32_767.0) as i16
        })
        .collect()
}

fn silence(millis: usize) -> Vec<i16> {
    vec![0; millis * 8]
}

/// The two frequencies of a key.
fn tones(key: char) -> (f64, f64) {
    let at = KEYS.find(key).unwrap();
    (ROWS[at / 4], COLUMNS[at % 4])
}

fn press(key: char, millis: usize, row_level: f64, column_level: f64, off: f64) -> Vec<i16> {
    let (row, column) = tones(key);
    sines(millis, &[(row * off, row_level), (column * off, column_level)])
}

/// A steady stream of numbers from -1 to 1.
fn noise(mut seed: u32) -> impl FnMut() -> f64 {
    move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(seed.cast_signed()) / f64::from(i32::MAX)
    }
}

/// What is heard after a way over G.711, in packets of 20 ms.
fn heard(samples: &[i16]) -> String {
    let mut keys = String::new();
    let mut detector = ToneDetector::new();
    let ulaw: Vec<u8> = samples.iter().map(|sample| g711::linear_to_ulaw(*sample)).collect();
    for packet in ulaw.chunks(160) {
        detector.hear(packet.iter().map(|code| g711::ulaw_to_linear(*code)), |key| keys.push(key));
    }
    keys
}

#[test]
fn every_key_of_40_ms_is_told_once_wherever_it_begins() {
    for offset in (0..102).step_by(3) {
        let mut sound = vec![0; offset];
        for key in KEYS.chars() {
            sound.extend(press(key, 40, LEVEL, LEVEL, 1.0));
            sound.extend(silence(53));
        }
        assert_eq!(heard(&sound), KEYS, "{offset}");
    }
}

#[test]
fn the_same_key_is_told_for_each_press_and_a_long_one_once() {
    let mut sound = press('5', 3000, LEVEL, LEVEL, 1.0);
    for _ in 0..4 {
        sound.extend(silence(60));
        sound.extend(press('5', 60, LEVEL, LEVEL, 1.0));
    }
    assert_eq!(heard(&sound), "55555");
    // A packet that is lost in the middle is no second press.
    let mut torn = press('8', 100, LEVEL, LEVEL, 1.0);
    torn.extend(silence(20));
    torn.extend(press('8', 100, LEVEL, LEVEL, 1.0));
    assert_eq!(heard(&torn), "8");
    // Without a pause between them.
    let joined = [press('1', 80, LEVEL, LEVEL, 1.0), press('2', 80, LEVEL, LEVEL, 1.0)].concat();
    assert_eq!(heard(&joined), "12");
}

#[test]
fn levels_twist_and_frequency_are_those_of_q24() {
    let decibel = |level: f64| 10_f64.powf(level / 20.0);
    for key in KEYS.chars() {
        for (row, column, off, expected) in [
            (0.0, 0.0, 1.014, true),
            (0.0, 0.0, 0.986, true),
            (0.0, 0.0, 1.035, false),
            (0.0, 0.0, 0.965, false),
            (6.0, 0.0, 1.0, true),
            (0.0, 4.0, 1.0, true),
            (12.0, 0.0, 1.0, false),
            (0.0, 10.0, 1.0, false),
            (-22.0, -22.0, 1.0, true),
            (-45.0, -45.0, 1.0, false),
        ] {
            let sound = press(key, 60, LEVEL * decibel(row), LEVEL * decibel(column), off);
            let found = heard(&[silence(20), sound, silence(20)].concat());
            let is_right = if expected { found == String::from(key) } else { found.is_empty() };
            assert!(is_right, "{key} at {row} and {column} dB, {off}: {found}");
        }
        let short = [silence(20), press(key, 20, LEVEL, LEVEL, 1.0), silence(60)].concat();
        assert_eq!(heard(&short), "", "20 ms of {key}");
    }
}

#[test]
fn keys_are_heard_over_noise() {
    let mut random = noise(7);
    for key in KEYS.chars() {
        // 15 dB below both tones together.
        let mut sound = [silence(20), press(key, 80, LEVEL, LEVEL, 1.0), silence(60)].concat();
        for sample in &mut sound {
            *sample += (random() * LEVEL * 0.3) as i16;
        }
        assert_eq!(heard(&sound), String::from(key));
    }
}

/// A voice: pulses at a pitch that moves, rounded as the throat does it, through three resonances that move.
fn voice(seconds: usize, seed: u32) -> Vec<i16> {
    let mut random = noise(seed);
    let mut out = vec![];
    let (mut phase, mut rounded) = (0.0, 0.0);
    let (mut pitch, mut formants) = (120.0, [600.0, 1300.0, 2500.0]);
    let mut state = [[0.0; 2]; 3];
    for n in 0..seconds * 8000 {
        if n % 800 == 0 {
            pitch = 160.0 + 90.0 * random();
            formants =
                [570.0 + 300.0 * random(), 1500.0 + 700.0 * random(), 2600.0 + 300.0 * random()];
        }
        pitch *= 1.0 + 0.002 * random();
        phase += pitch / 8000.0;
        let mut sample = random() * 0.02;
        if phase >= 1.0 {
            phase -= 1.0;
            sample += 1.0;
        }
        rounded = sample + 0.95 * rounded;
        sample = rounded;
        for ((state, hertz), radius) in state.iter_mut().zip(formants).zip([0.97, 0.96, 0.94]) {
            let turn: f64 = (TAU * hertz / 8000.0).cos();
            // Without a change of what is at 0 Hz.
            let gain = 1.0 - 2.0 * radius * turn + radius * radius;
            let next = gain * sample + 2.0 * radius * turn * state[0] - radius * radius * state[1];
            *state = [next, state[0]];
            sample = next;
        }
        out.push((sample * 9000.0).clamp(-32_000.0, 32_000.0) as i16);
    }
    out
}

#[test]
fn voices_noise_and_music_press_no_keys() {
    for seed in 0..20 {
        assert_eq!(heard(&voice(30, seed)), "", "voice {seed}");
    }
    let mut random = noise(3);
    let hiss: Vec<i16> = (0..8000 * 60).map(|_| (random() * 20_000.0) as i16).collect();
    assert_eq!(heard(&hiss), "");
    // Every chord of two notes of two octaves, as pure as a synthesiser makes them, with their second harmonics.
    let note = |n: u32| 440.0 * 2_f64.powf(f64::from(n) / 12.0);
    for low in 0..24 {
        for high in low + 1..24 {
            let (low, high) = (note(low), note(high));
            // What is as near to a key as this is one.
            let is_near =
                |all: [f64; 4], hertz: f64| all.iter().any(|it| (hertz / it - 1.0).abs() < 0.02);
            if is_near(ROWS, low) && is_near(COLUMNS, high) {
                continue;
            }
            let parts =
                [(low, LEVEL), (high, LEVEL), (low * 2.0, LEVEL * 0.6), (high * 2.0, LEVEL * 0.6)];
            assert_eq!(heard(&sines(200, &parts)), "", "{low} {high}");
        }
    }
    for tone in [350.0, 425.0, 440.0, 480.0, 620.0, 1100.0, 2100.0] {
        assert_eq!(heard(&sines(500, &[(tone, LEVEL * 2.0)])), "", "{tone}");
    }
    for (low, high) in [(350.0, 440.0), (440.0, 480.0), (480.0, 620.0), (400.0, 450.0)] {
        assert_eq!(heard(&sines(500, &[(low, LEVEL), (high, LEVEL)])), "", "{low} {high}");
    }
}
