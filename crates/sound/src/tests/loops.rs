//! Tests of what is played over and over: nothing clicks where it begins again.

use bytes::Bytes;
use mediator_media::{Speech, Tone, Track};

use super::files::{sine, wav};
use super::heard;
use crate::{Ending, Form, Piece, Plan, track_of_file, track_of_tone};

/// The track twice, one behind the other, as a listener has it.
fn twice(track: &Track) -> Track {
    let mut twice = Track::new(track.speech(), track.packet_ms());
    for _ in 0..2 {
        (0..track.packets())
            .filter_map(|at| track.packet(at))
            .for_each(|packet| twice.push(packet));
    }
    twice
}

/// The largest step from one sample to the next.
fn steepest(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn hold_music_begins_again_without_a_click() {
    for speech in Speech::ALL {
        let form = Form::new(speech, 20);
        let track = track_of_file(Piece::HoldMusic.file(), form, Ending::Loop).unwrap();
        let once = heard(&track).len();
        let samples = heard(&twice(&track));
        let ms = speech.sample_rate() as usize / 1_000;
        // The seam itself comes up to 7 ms late out of a codec; the first beat is 12 ms behind it.
        let seam = steepest(&samples[once - 8 * ms..once + 10 * ms]);
        let usual = steepest(&samples[..once]);
        assert!(seam < usual / 3.0, "{speech:?}: {seam} at the seam, {usual} in the music");
        let around = &samples[once - 200 * ms..once + 200 * ms];
        let gap = around.split(|sample| sample.abs() > 0.01).map(<[f32]>::len).max().unwrap_or(0);
        assert!(gap < 60 * ms, "{speech:?}: {} ms of silence", gap / ms);
    }
}

#[test]
fn a_second_round_sounds_like_the_first() {
    for speech in [Speech::G722, Speech::Opus] {
        let form = Form::new(speech, 20);
        let track = track_of_file(Piece::HoldMusic.file(), form, Ending::Loop).unwrap();
        let once = heard(&track);
        let second = heard(&twice(&track)).split_off(once.len());
        // From half a second on both rounds come from the same state of the codec.
        let from = speech.sample_rate() as usize / 2;
        let noise: f32 =
            once[from..].iter().zip(&second[from..]).map(|(a, b)| (a - b).powi(2)).sum();
        let power: f32 = once[from..].iter().map(|sample| sample.powi(2)).sum();
        assert!(noise < power * 1e-3, "{speech:?}: {noise} of {power}");
    }
}

#[test]
fn every_tone_is_whole_cadences_in_whole_packets() {
    for plan in Plan::all() {
        for tone in [Tone::Ringing, Tone::Busy, Tone::Reorder] {
            let cadence_ms: u128 =
                plan.cadence(tone).on_off_ms.iter().map(|ms| u128::from(*ms)).sum();
            for packet_ms in [10, 20, 30, 60] {
                let form = Form::new(Speech::Pcma, packet_ms);
                let track = track_of_tone(tone, plan, form).unwrap();
                let length_ms = track.length().as_millis();
                let name = format!("{tone:?} of {} in {packet_ms} ms", plan.country);
                assert!(length_ms >= cadence_ms, "{name}");
                assert!(
                    length_ms.is_multiple_of(cadence_ms),
                    "{name}: {length_ms} of {cadence_ms}"
                );
                assert!(length_ms <= 360_000, "{name}");
            }
        }
    }
}

#[test]
fn a_loop_of_somebody_else_goes_on_in_phase() {
    // Half a second of whole waves, at rates that are resampled and at some that are not.
    for rate in [8_000, 16_000, 44_100, 48_000] {
        for speech in Speech::ALL {
            let file = Bytes::from(wav(rate, 1, 16, &sine(rate, 400.0, 0.4, 0.6)));
            let track = track_of_file(file, Form::new(speech, 20), Ending::Loop).unwrap();
            let once = heard(&track).len();
            assert_eq!(track.length().as_millis(), 600);
            let samples = heard(&twice(&track));
            let ms = speech.sample_rate() as usize / 1_000;
            let seam = steepest(&samples[once - 20 * ms..once + 20 * ms]);
            // The steepest step of a sine of this height, and some noise of the codec.
            let step = 0.4 * std::f32::consts::TAU * 400.0 / speech.sample_rate() as f32;
            assert!(seam < step * 1.3 + 0.01, "{rate} in {speech:?}: {seam} instead of {step}");
        }
    }
}
