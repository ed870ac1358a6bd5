//! What peers send, and what of it reaches the other side: `corpus-sdp/README.md` tells how it is kept.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use mediator_sip::sdp::{Crossing, SessionDescription, rewrite_direct};

const HIDDEN: &str = "15551230001";

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus-sdp");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sdp"))
        .collect();
    files.sort();
    assert!(files.len() > 20, "the corpus is not where it should be");
    files
}

fn crossing() -> Crossing {
    Crossing { session_id: 1, session_version: 2, our_address: "203.0.113.1".parse().unwrap() }
}

#[test]
fn every_sample_crosses_as_its_twin_says() {
    for path in corpus() {
        let sample = fs::read(&path).unwrap();
        let twin = path.parent().unwrap().join("crossed").join(path.file_name().unwrap());
        match rewrite_direct(&sample, &crossing()) {
            Ok(written) => {
                let written = String::from_utf8(written.to_vec()).unwrap();
                assert_eq!(written, fs::read_to_string(&twin).unwrap(), "{}", path.display());
                assert!(!written.contains(HIDDEN), "{}", path.display());
            }
            Err(fault) => {
                let expected = fs::read_to_string(twin.with_extension("error")).unwrap();
                assert_eq!(format!("{} {fault}\n", fault.status()), expected, "{}", path.display());
            }
        }
    }
}

#[test]
fn tells_which_samples_hold() {
    for path in corpus() {
        let sample = fs::read(&path).unwrap();
        let Ok(read) = SessionDescription::parse(&sample) else { continue };
        let name = path.file_stem().unwrap().to_str().unwrap();
        let expected = ["hold-sendonly", "hold-zero-address", "spaces-and-blanks"].contains(&name);
        assert_eq!(read.is_hold(), expected, "{name}");
    }
}

#[test]
fn lists_the_codecs_of_a_carrier() {
    let path = corpus().into_iter().find(|path| path.ends_with("carrier-volte.sdp")).unwrap();
    let sample = fs::read(path).unwrap();
    let read = SessionDescription::parse(&sample).unwrap();
    let [audio] = read.media.as_slice() else { panic!("{:?}", read.media) };
    let names: Vec<_> =
        audio.codecs().map(|codec| (codec.name.to_vec(), codec.clock_rate)).collect();
    let expected: [(&[u8], u32); 7] = [
        (b"EVS", 16_000),
        (b"AMR-WB", 16_000),
        (b"AMR", 8000),
        (b"telephone-event", 16_000),
        (b"telephone-event", 8000),
        (b"G729", 8000),
        (b"x-15551230001", 8000),
    ];
    assert_eq!(names, expected.map(|(name, rate)| (name.to_vec(), rate)));
}
