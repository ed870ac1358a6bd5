//! Tests of files: what they sound like as tracks, whatever their rate, channels and encoding.

use std::f32::consts::TAU;

use bytes::Bytes;
use mediator_media::Speech;

use super::{amplitude, heard};
use crate::{DecodeError, Ending, Form, MAX_LENGTH, length_of_file, track_of_file};

/// A wav file of integers, all channels alike.
pub(super) fn wav(rate: u32, channels: u16, bits: u16, samples: &[f32]) -> Vec<u8> {
    let bytes_a_sample = bits / 8;
    let data_bytes = samples.len() as u32 * u32::from(channels) * u32::from(bytes_a_sample);
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(data_bytes + 36).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend_from_slice(&channels.to_le_bytes());
    file.extend_from_slice(&rate.to_le_bytes());
    let frame = channels.wrapping_mul(bytes_a_sample);
    file.extend_from_slice(&rate.wrapping_mul(u32::from(frame)).to_le_bytes());
    file.extend_from_slice(&frame.to_le_bytes());
    file.extend_from_slice(&bits.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&data_bytes.to_le_bytes());
    for sample in samples {
        let full = f64::from(1_u32 << (bits - 1)) - 1.0;
        let value = (f64::from(*sample) * full) as i32;
        let value = if bits == 8 { value + 128 } else { value };
        for _ in 0..channels {
            file.extend_from_slice(&value.to_le_bytes()[..usize::from(bytes_a_sample)]);
        }
    }
    file
}

pub(super) fn sine(rate: u32, hz: f32, level: f32, seconds: f32) -> Vec<f32> {
    let times = (0..).map(|at: u32| at as f32 / rate as f32).take_while(|at| *at < seconds - 1e-6);
    times.map(|time| level * (TAU * hz * time).sin()).collect()
}

fn track(file: Vec<u8>, speech: Speech) -> Result<Vec<f32>, DecodeError> {
    track_of_file(Bytes::from(file), Form::new(speech, 20), Ending::Once).map(|track| heard(&track))
}

#[test]
fn a_file_is_as_loud_and_as_long_whatever_its_rate() {
    for rate in [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 47_999, 48_000, 96_000, 192_000] {
        for speech in Speech::ALL {
            let to = speech.sample_rate();
            let samples = track(wav(rate, 1, 16, &sine(rate, 1_000.0, 0.25, 1.0)), speech).unwrap();
            assert_eq!(samples.len(), to as usize, "{rate} in {speech:?}");
            let level = amplitude(&samples[to as usize / 10..to as usize * 9 / 10], to, 1_000.0);
            assert!((0.24..0.26).contains(&level), "{rate} in {speech:?}: {level}");
        }
    }
}

#[test]
fn what_a_codec_has_no_room_for_is_filtered_out() {
    let file = wav(44_100, 1, 16, &sine(44_100, 6_000.0, 0.5, 1.0));
    let samples = track(file, Speech::Pcmu).unwrap();
    // Folded back it would be heard at 2 kHz.
    assert!(amplitude(&samples[800..7_200], 8_000, 2_000.0) < 0.005);
}

#[test]
fn every_width_and_number_of_channels_is_mixed() {
    for bits in [8, 16, 24, 32] {
        for channels in [1, 2, 6, 8] {
            let file = wav(16_000, channels, bits, &sine(16_000, 1_000.0, 0.25, 1.0));
            let samples = track(file, Speech::G722).unwrap();
            let level = amplitude(&samples[1_600..14_400], 16_000, 1_000.0);
            assert!((0.24..0.26).contains(&level), "{channels} of {bits} bits: {level}");
        }
    }
}

#[test]
fn an_mp3_with_tags_and_an_adpcm_file_are_heard() {
    let files: [&[u8]; 2] = [
        include_bytes!("../../testdata/1000hz-stereo.mp3"),
        include_bytes!("../../testdata/1000hz-adpcm.wav"),
    ];
    for file in files {
        for speech in Speech::ALL {
            let rate = speech.sample_rate();
            let samples = track(file.to_vec(), speech).unwrap();
            assert!(samples.len().abs_diff(rate as usize) < rate as usize / 10);
            let middle = &samples[rate as usize / 5..rate as usize * 4 / 5];
            let level = amplitude(middle, rate, 1_000.0);
            assert!((0.23..0.27).contains(&level), "{speech:?}: {level}");
        }
    }
}

#[test]
fn what_is_too_loud_is_clipped() {
    // Floats may be beyond full scale: twice as loud as there is room for.
    let loud: Vec<u8> =
        sine(8_000, 500.0, 2.0, 1.0).iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut file = wav(8_000, 1, 32, &[]);
    file[20] = 3;
    file[40..44].copy_from_slice(&(loud.len() as u32).to_le_bytes());
    file[4..8].copy_from_slice(&(loud.len() as u32 + 36).to_le_bytes());
    file.extend_from_slice(&loud);
    for speech in Speech::ALL {
        let samples = track(file.clone(), speech).unwrap();
        let rate = speech.sample_rate();
        let middle = &samples[rate as usize / 10..rate as usize * 9 / 10];
        // A sine clipped at half its height is a fundamental of 1.2 times the height; wrapped round it would be far less.
        assert!(amplitude(middle, rate, 500.0) > 1.1, "{speech:?}");
    }
}

#[test]
fn a_file_that_plays_too_long_is_refused() {
    let seconds = MAX_LENGTH.as_secs() as usize;
    let file = |seconds: usize| Bytes::from(wav(8_000, 1, 8, &vec![0.0; 8_000 * seconds]));
    assert_eq!(length_of_file(file(seconds)).unwrap(), MAX_LENGTH);
    let form = Form::new(Speech::Pcmu, 20);
    let track = track_of_file(file(seconds), form, Ending::Once).unwrap();
    assert_eq!(track.length(), MAX_LENGTH);
    let error = length_of_file(file(seconds + 1)).unwrap_err();
    assert!(matches!(error, DecodeError::TooLong), "{error}");
}
