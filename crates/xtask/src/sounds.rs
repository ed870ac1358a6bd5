//! `cargo xtask sounds`: makes the built-in pieces of `crates/sound/pieces` anew.
//!
//! The music is composed and synthesised here; the sentences are spoken by flite. What comes out is committed, so that
//! nobody needs these programs to build.

mod music;
mod wave;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{root, step};
use crate::tools::{self, FOR_SOUNDS};
use wave::Wave;

/// What is said where nothing else is configured: its file and its words. The commas are breaths.
const SENTENCES: [(&str, &str); 2] = [
    ("confirmation-prompt.wav", "Press one, to be connected."),
    ("announcement.wav", "Please hold, while we connect your call."),
];
/// The voice: CMU Arctic's SLT.
const VOICE: &str = "slt";
/// How loud speech is: the root of its mean square, of full scale. -20 dBFS is about what a telephone sends.
const SPEECH_LEVEL: f32 = 0.1;
/// Silence around a sentence, in milliseconds: the first packets of a call are the ones that are lost.
const MARGIN_MS: u32 = 200;
/// Bits a second of the music's mp3.
const MUSIC_KBITS: &str = "64";

/// Makes all pieces.
pub(crate) fn run() -> Result<()> {
    tools::ensure_installed(FOR_SOUNDS)?;
    let folder = root().join("crates/sound/pieces");
    fs::create_dir_all(&folder)?;
    let scratch = env::temp_dir().join(format!("mediator-sounds-{}", std::process::id()));
    fs::create_dir_all(&scratch)?;
    let made = make(&folder, &scratch);
    fs::remove_dir_all(&scratch)?;
    made
}

fn make(folder: &Path, scratch: &Path) -> Result<()> {
    for (name, words) in SENTENCES {
        let spoken = scratch.join(name);
        let mut flite = Command::new("flite");
        flite.args(["-voice", VOICE, "-t", words, "-o"]).arg(&spoken);
        step(&format!("speak {name}"), &mut flite)?;
        let wave = Wave::read(&spoken)?.trimmed().at_level(SPEECH_LEVEL).with_margin(MARGIN_MS);
        write(&wave, &folder.join(name))?;
    }
    let music = scratch.join("hold-music.wav");
    write(&music::compose(), &music)?;
    let mut lame = Command::new("lame");
    lame.args(["--quiet", "-m", "m", "--cbr", "-b", MUSIC_KBITS, "-q", "0", "--noreplaygain"]);
    step("encode hold-music.mp3", lame.arg(music).arg(folder.join("hold-music.mp3")))
}

fn write(wave: &Wave, path: &PathBuf) -> Result<()> {
    fs::write(path, wave.to_bytes()).with_context(|| format!("write {}", path.display()))
}
