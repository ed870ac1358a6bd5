//! Keys heard in G.722 and Opus: what our own encoders make of them, and what libopus does; sounds that are none; and packets of anybody.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use mediator_media::goertzel::ToneDetector;
use mediator_media::{Ear, Ears as _, Speech, Tone, Track, Unheard};
use mediator_model::Number;
use opus_rs::{Application, OpusEncoder};
use proptest::prelude::*;

use crate::{CodecEars, Ending, Form, Piece, Plan, track_of_digits, track_of_file, track_of_tone};

const KEYS: &str = "123A456B789C*0#D";
const CODED: [Speech; 2] = [Speech::G722, Speech::Opus];

fn ear(speech: Speech) -> Box<dyn Ear> {
    CodecEars.ear(speech).expect("there is one for each codec of ours that is not G.711")
}

/// The keys in packets; those that are `None` were lost.
fn keys<'a>(speech: Speech, packets: impl IntoIterator<Item = Option<&'a [u8]>>) -> String {
    let (mut ear, mut detector) = (ear(speech), ToneDetector::new());
    let (mut keys, mut samples) = (String::new(), Vec::new());
    for packet in packets.into_iter().flatten() {
        samples.clear();
        assert_eq!(ear.hear(packet, &mut samples), Ok(()));
        detector.hear(samples.iter().copied(), |key| keys.push(key));
    }
    keys
}

fn packets(track: &Track) -> impl Iterator<Item = Option<&[u8]>> {
    (0..track.packets()).map(|at| track.packet(at))
}

#[test]
fn every_key_is_heard_once_in_packets_of_every_length() {
    for speech in CODED {
        for packet_ms in [10, 20, 30, 40, 50, 60] {
            let track = track_of_digits(KEYS, Form::new(speech, packet_ms)).unwrap();
            assert_eq!(keys(speech, packets(&track)), KEYS, "{speech:?} {packet_ms}");
        }
    }
}

#[test]
fn g711_needs_no_ear() {
    for speech in [Speech::Pcmu, Speech::Pcma] {
        assert!(CodecEars.ear(speech).is_none());
    }
}

/// All keys, each for 80 ms and 80 ms apart, as libopus encodes them: a stream each of SILK at 8 kHz in packets of 20 ms, of
/// SILK at 16 kHz in packets of 60 ms, of what changes between hybrid and CELT, and of CELT in packets of 10 ms. Each begins
/// with how many packets it has, each packet with how many bytes, both as two bytes, the lower one first.
const LIBOPUS: &[u8] = include_bytes!("../../testdata/keys-opus.packets");

fn streams(mut bytes: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut streams = Vec::new();
    let number = |bytes: &mut &[u8]| {
        let (number, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(usize::from(u16::from_le_bytes(*number)))
    };
    while let Some(count) = number(&mut bytes) {
        let packet = |_| {
            let length = number(&mut bytes).unwrap();
            let (packet, rest) = bytes.split_at(length);
            bytes = rest;
            packet
        };
        streams.push((0..count).map(packet).collect());
    }
    streams
}

#[test]
fn keys_are_heard_in_all_modes_of_opus() {
    let streams = streams(LIBOPUS);
    // RFC 6716 §3.1: SILK is below 12, CELT from 16 on.
    let kinds = |packets: &[&[u8]]| -> BTreeSet<u8> {
        packets.iter().map(|packet| packet[0] >> 3).collect()
    };
    let kinds: Vec<_> = streams.iter().map(|packets| kinds(packets)).collect();
    assert_eq!(kinds, [vec![1], vec![11], vec![13, 27], vec![30]].map(BTreeSet::from_iter));
    for (packets, kinds) in streams.into_iter().zip(kinds) {
        assert_eq!(keys(Speech::Opus, packets.into_iter().map(Some)), KEYS, "{kinds:?}");
    }
}

#[test]
fn a_pause_that_is_not_sent_lets_go_of_a_key() {
    let track = track_of_digits("1", Form::new(Speech::Opus, 20)).unwrap();
    // As far as the tone goes.
    let press = || packets(&track).take(5);
    let pause: &[u8] = &[track.packet(0).unwrap()[0]];
    let twice = press().chain([Some(pause); 3]).chain(press());
    assert_eq!(keys(Speech::Opus, twice), "11");
    assert_eq!(keys(Speech::Opus, press().chain(press())), "1");
}

#[test]
fn packets_that_are_lost_break_few_keys_and_make_none_up() {
    for speech in CODED {
        let track = track_of_digits(&"1".repeat(100), Form::new(speech, 20)).unwrap();
        let arrives = |(at, packet)| (at * 7 % 20 != 3).then_some(packet).flatten();
        let found = keys(speech, packets(&track).enumerate().map(arrives));
        assert!(found.chars().all(|key| key == '1'), "{speech:?}: {found}");
        assert!((95..=105).contains(&found.len()), "{speech:?}: {}", found.len());
    }
}

#[test]
fn speech_music_and_tones_of_the_network_press_no_keys() {
    for speech in CODED {
        let form = Form::new(speech, 20);
        for piece in Piece::ALL {
            let track = track_of_file(piece.file(), form, Ending::Once).unwrap();
            assert_eq!(keys(speech, packets(&track)), "", "{piece:?} in {speech:?}");
        }
        for code in ["1", "44", "49", "33", "34", "39", "61", "81", "86", "91"] {
            let plan = Plan::of(Number::from_digits(&format!("{code}5550100")).unwrap());
            for tone in [Tone::Ringing, Tone::Busy, Tone::Reorder] {
                let track = track_of_tone(tone, plan, form).unwrap();
                assert_eq!(keys(speech, packets(&track)), "", "{tone:?} of {code} in {speech:?}");
            }
        }
    }
}

#[test]
fn what_is_above_4_khz_is_not_heard_as_something_below() {
    // Folded down at 8 kHz it would be a 1.
    let samples: Vec<f32> = (0..48_000)
        .map(|n| {
            let time = std::f32::consts::TAU * n as f32 / 48_000.0;
            0.3 * ((7_303.0 * time).sin() + (6_791.0 * time).sin())
        })
        .collect();
    let mut encoder = OpusEncoder::new(48_000, 1, Application::Audio).unwrap();
    encoder.bitrate_bps = 96_000;
    let encode = |samples: &[f32]| {
        let mut packet = vec![0; 1276];
        let bytes = encoder.encode(samples, samples.len(), &mut packet).unwrap();
        packet.truncate(bytes);
        packet
    };
    let made: Vec<Vec<u8>> = samples.chunks_exact(960).map(encode).collect();
    assert_eq!(keys(Speech::Opus, made.iter().map(|packet| Some(&**packet))), "");
    let wide: Vec<i16> = samples.iter().step_by(3).map(|it| (it * 32_767.0) as i16).collect();
    let made = audio_codec::create_encoder(audio_codec::CodecType::G722).encode(&wide);
    assert_eq!(keys(Speech::G722, made.chunks(160).map(Some)), "");
}

static SEVEN_KEYS: LazyLock<[Track; 2]> = LazyLock::new(|| {
    CODED.map(|speech| track_of_digits("1234567", Form::new(speech, 20)).unwrap())
});

proptest! {
    #[test]
    fn packets_of_anybody_neither_panic_nor_last_longer_than_a_packet_may(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..20)
    ) {
        for speech in CODED {
            let mut ear = ear(speech);
            for packet in &packets {
                let mut samples = Vec::new();
                let heard = ear.hear(packet, &mut samples);
                prop_assert_ne!(heard, Err(Unheard::Defect), "{:?} {:02x?}", speech, packet);
                prop_assert!(samples.len() <= 960);
            }
        }
    }

    #[test]
    fn damaged_packets_are_no_end(
        damage in prop::collection::vec((0usize..120, any::<u8>()), 1..60), length in 1usize..90
    ) {
        for (speech, track) in CODED.into_iter().zip(&*SEVEN_KEYS) {
            let mut ear = ear(speech);
            for at in 0..track.packets() {
                let mut packet = track.packet(at).unwrap().to_vec();
                for (place, byte) in damage.iter().filter(|(place, _)| place % 7 == at % 7) {
                    if let Some(hit) = packet.get_mut(*place) {
                        *hit ^= byte;
                    }
                }
                packet.truncate(if at % 5 == 0 { length } else { usize::MAX });
                let heard = ear.hear(&packet, &mut Vec::new());
                prop_assert_ne!(heard, Err(Unheard::Defect), "{:?} {:02x?}", speech, packet);
            }
        }
    }
}
