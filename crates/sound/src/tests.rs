//! Tests of tracks: what is heard after decoding them again.
#![expect(clippy::cast_precision_loss, reason = "a test's sounds are short")]

mod ears;
mod files;
mod hostile;
mod loops;
mod tones;

use audio_codec::{CodecType, create_decoder};
use mediator_media::{Speech, Tone, Track};
use mediator_model::Number;

use crate::{Ending, Form, Piece, Plan, track_of_file, track_of_tone};

/// The samples of a track, at its codec's rate, full scale -1 to 1.
pub(crate) fn heard(track: &Track) -> Vec<f32> {
    let packets = (0..track.packets()).filter_map(|at| track.packet(at));
    let kind = match track.speech() {
        Speech::Pcmu => CodecType::PCMU,
        Speech::Pcma => CodecType::PCMA,
        Speech::G722 => CodecType::G722,
        Speech::Opus => {
            let mut decoder = opus_rs::OpusDecoder::new(48_000, 1).unwrap();
            let frame = 48 * usize::from(track.packet_ms());
            return packets
                .flat_map(|packet| {
                    let mut samples = vec![0.0; frame];
                    assert_eq!(decoder.decode(packet, frame, &mut samples), Ok(frame));
                    samples
                })
                .collect();
        }
    };
    let mut decoder = create_decoder(kind);
    packets
        .flat_map(|packet| decoder.decode(packet))
        .map(|sample| f32::from(sample) / 32_768.0)
        .collect()
}

/// How much of the samples is of one frequency: its amplitude.
pub(crate) fn amplitude(samples: &[f32], rate: u32, hz: f32) -> f32 {
    let step = std::f64::consts::TAU * f64::from(hz) / f64::from(rate);
    let (mut re, mut im) = (0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        re += f64::from(*sample) * (step * at as f64).cos();
        im += f64::from(*sample) * (step * at as f64).sin();
    }
    (2.0 * re.hypot(im) / samples.len() as f64) as f32
}

#[test]
fn a_tone_is_heard_in_every_codec() {
    let plan = Plan::of(Number::from_digits("15162065337").unwrap());
    for speech in Speech::ALL {
        for packet_ms in [10, 20, 30, 40, 50, 60] {
            let form = Form::new(speech, packet_ms);
            let track = track_of_tone(Tone::Ringing, plan, form).unwrap();
            let rate = speech.sample_rate();
            let samples = heard(&track);
            assert_eq!(samples.len(), rate as usize * 6, "{form:?}");
            let on = &samples[rate as usize / 2..rate as usize * 3 / 2];
            for hz in [440.0, 480.0] {
                let level = amplitude(on, rate, hz);
                assert!((0.10..0.12).contains(&level), "{form:?} {hz} Hz: {level}");
            }
            assert!(amplitude(on, rate, 400.0) < 0.01, "{form:?}");
            let off = &samples[rate as usize * 3..rate as usize * 5];
            assert!(off.iter().all(|sample| sample.abs() < 0.005), "{form:?}");
        }
    }
}

#[test]
fn the_pieces_can_be_played_in_every_codec() {
    for piece in Piece::ALL {
        for speech in Speech::ALL {
            let ending = if piece == Piece::HoldMusic { Ending::Loop } else { Ending::Once };
            let track = track_of_file(piece.file(), Form::new(speech, 20), ending).unwrap();
            let samples = heard(&track);
            let loudest = samples.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
            assert!((0.2..0.7).contains(&loudest), "{piece:?} in {speech:?}: {loudest}");
            let seconds = track.length().as_secs_f32();
            match piece {
                Piece::HoldMusic => assert!((seconds - 48.0).abs() < 1e-3, "{seconds}"),
                Piece::ConfirmationPrompt | Piece::Announcement => {
                    assert!((1.5..4.0).contains(&seconds), "{seconds}");
                }
            }
        }
    }
}
