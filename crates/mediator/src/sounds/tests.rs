//! Tests of the sound service: against a web server on loopback, and folders of their own.

mod cache;
mod files;
mod places;
mod web;

use std::f32::consts::TAU;
use std::path::Path;

use mediator_media::{Speech, Track};

use super::*;
use crate::config::Config;

/// A tone of 1 kHz as a wav file of so many milliseconds.
fn wav(length_ms: u16) -> Vec<u8> {
    let samples = (0..length_ms * 8).map(|at| (TAU * f32::from(at) / 8.0).sin() * 8_000.0);
    let data: Vec<u8> = samples.flat_map(|sample| (sample as i16).to_le_bytes()).collect();
    let length = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((length + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(8_000_u32.to_le_bytes());
    file.extend(16_000_u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

/// `[media]` with these lines, of a folder.
fn media(folder: &Path, lines: &str) -> MediaSettings {
    let folder = folder.display();
    let text = format!("store.url = \"memory:\"\n[media]\nfolder = \"{folder}\"\n{lines}\n");
    Config::parse("test.toml", &text).unwrap_or_else(|error| panic!("{error}")).media
}

/// A service without a cache on the disk.
fn service(folder: &Path, lines: &str) -> Sounds {
    Sounds::new(&media(folder, lines), None)
}

async fn play(sounds: &Sounds, sound: Sound) -> Result<Arc<Track>, SoundFailure> {
    sounds.track(sound, Speech::Pcmu, 20).await
}

fn announcement(name: &str) -> Sound {
    Sound::Announcement(name.into())
}

/// A number of the page of metrics.
fn metric(sounds: &Sounds, sample: &str) -> u64 {
    let metrics = crate::metrics::Metrics::default();
    metrics.add(sounds.clone());
    let page = metrics.render();
    let line = page.lines().find_map(|line| line.strip_prefix(sample));
    line.unwrap_or_else(|| panic!("no {sample} in {page}")).trim().parse().unwrap()
}
