//! Tests of files that lie: they end in an error or in what there is of them, never in a panic, and within bounds.

use std::time::{Duration, Instant};

use bytes::Bytes;
use mediator_media::Speech;
use proptest::prelude::*;

use super::files::{sine, wav};
use crate::{DecodeError, Ending, Form, MAX_FILE_BYTES, MAX_LENGTH, track_of_file};

const MP3: &[u8] = include_bytes!("../../testdata/1000hz-stereo.mp3");
const ADPCM: &[u8] = include_bytes!("../../testdata/1000hz-adpcm.wav");

fn play(file: Vec<u8>) -> Result<Duration, DecodeError> {
    let begun = Instant::now();
    let form = Form::new(Speech::Pcmu, 20);
    let outcome = track_of_file(Bytes::from(file), form, Ending::Once).map(|track| track.length());
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    outcome
}

fn second() -> Vec<u8> {
    wav(8_000, 1, 16, &sine(8_000, 1_000.0, 0.25, 1.0))
}

/// The file with other bytes at a place of its header.
fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = second();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

#[test]
fn lies_in_a_header_end_in_an_error() {
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("a text", b"<html><body>404 not found</body></html>".to_vec()),
        ("zeros", vec![0; 100_000]),
        ("half a header", second()[..20].to_vec()),
        ("a header alone", second()[..44].to_vec()),
        ("no samples", wav(8_000, 1, 16, &[])),
        ("1 Hz", with(24, &1_u32.to_le_bytes())),
        ("0 Hz", with(24, &0_u32.to_le_bytes())),
        ("10 MHz", with(24, &10_000_000_u32.to_le_bytes())),
        ("4 GHz", with(24, &u32::MAX.to_le_bytes())),
        ("no channels", with(22, &0_u16.to_le_bytes())),
        ("32 channels", with(22, &32_u16.to_le_bytes())),
        ("65535 channels", with(22, &u16::MAX.to_le_bytes())),
        ("no bits", with(34, &0_u16.to_le_bytes())),
        ("65535 bits", with(34, &u16::MAX.to_le_bytes())),
        ("a codec that nobody has", with(20, &0x1234_u16.to_le_bytes())),
        ("too many bytes", vec![0; MAX_FILE_BYTES + 1]),
        ("garbage that begins like mp3", [&[0xff, 0xfb, 0x90, 0x64][..], &[0x55; 50_000]].concat()),
    ];
    for (name, file) in cases {
        assert!(play(file).is_err(), "{name}");
    }
}

#[test]
fn a_file_that_ends_too_early_is_played_as_far_as_it_goes() {
    let four_gib = with(40, &u32::MAX.to_le_bytes());
    let both = [&four_gib[..4], &u32::MAX.to_le_bytes(), &four_gib[8..]].concat();
    let nothing = with(40, &0_u32.to_le_bytes());
    for (name, file, least_ms) in [
        ("data of 4 GiB", four_gib, 900),
        ("all of 4 GiB", both, 900),
        ("data of no length", nothing, 900),
        ("half a wav file", second()[..8_044].to_vec(), 400),
        ("half an mp3 file", MP3[..MP3.len() / 2].to_vec(), 300),
    ] {
        let length = play(file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(length >= Duration::from_millis(least_ms), "{name}: {length:?}");
        assert!(length <= Duration::from_millis(1_100), "{name}: {length:?}");
    }
}

#[test]
fn the_largest_files_take_bounded_time() {
    let most = MAX_FILE_BYTES - 44;
    // As many samples a second as are taken, and as few bits.
    let fast = wav(191_999, 1, 8, &vec![0.1; most]);
    assert!(play(fast).is_ok());
    // Frame upon frame of mp3 that are none.
    let frames: Vec<u8> =
        MP3.chunks(400).flat_map(|part| [&[0xff, 0xfb, 0x90, 0x64], part].concat()).collect();
    let broken: Vec<u8> = frames.iter().copied().cycle().take(most).collect();
    if let Ok(length) = play(broken) {
        assert!(length <= MAX_LENGTH);
    }
}

fn files() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(second()),
        Just(wav(44_100, 2, 24, &sine(44_100, 1_000.0, 0.25, 0.1))),
        Just(MP3.to_vec()),
        Just(ADPCM.to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_do_no_harm(
        file in files(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..24),
        head in prop::collection::vec((0_usize..64, any::<u8>()), 0..6),
        keep in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let mut file = file;
        for (at, byte) in damage {
            let at = at.index(file.len());
            file[at] = byte;
        }
        for (at, byte) in head {
            file[at] = byte;
        }
        if is_cut {
            file.truncate(keep.index(file.len()) + 1);
        }
        if let Ok(length) = play(file) {
            prop_assert!(length <= MAX_LENGTH);
        }
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let _ = play(bytes);
    }
}
