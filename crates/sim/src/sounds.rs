//! What can be heard in a run: voices and sounds that tell themselves by their level, whatever law of G.711 they go
//! through; and the tracks that a run plays.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mediator_media::{Sound, SoundFailure, Speech, Tone, Track, g711};

use crate::Party;

/// What a packet says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum What {
    /// The voice of that side.
    Voice(Party),
    /// An announcement.
    Announcement,
    /// Hold music.
    HoldMusic,
    /// The prompt of a dialout.
    Confirmation,
    /// The ringing tone.
    Ringing,
    /// The busy tone.
    Busy,
    /// The tone of what cannot be completed.
    Reorder,
    /// DTMF as tones.
    Digits,
    /// Nothing.
    Silence,
    /// A key, as an event.
    Key(char),
    /// None of these.
    Other,
}

/// How loud each is: far enough from the next one to survive both laws of G.711.
const LEVELS: [(What, i16); 9] = [
    (What::Voice(Party::A), 600),
    (What::Voice(Party::B), 900),
    (What::Announcement, 1300),
    (What::HoldMusic, 1900),
    (What::Confirmation, 2800),
    (What::Ringing, 4200),
    (What::Busy, 6300),
    (What::Reorder, 9400),
    (What::Digits, 14_000),
];

/// So many bytes of something, in an encoding.
pub(crate) fn payload(what: What, encoding: &str, bytes: usize) -> Vec<u8> {
    let place = LEVELS.iter().position(|(known, _)| *known == what);
    let level = place.and_then(|at| LEVELS.get(at)).map_or(0, |(_, level)| *level);
    let byte = match encoding.to_ascii_uppercase().as_str() {
        "PCMU" => g711::linear_to_ulaw(level),
        "PCMA" => g711::linear_to_alaw(level),
        _ => place.map_or(0, |at| at as u8 + 1),
    };
    vec![byte; bytes]
}

/// What a payload of audio says.
pub(crate) fn recognise(encoding: &str, payload: &[u8]) -> What {
    let Some(byte) = payload.first().copied() else { return What::Other };
    let level = match encoding.to_ascii_uppercase().as_str() {
        "PCMU" => g711::ulaw_to_linear(byte),
        "PCMA" => g711::alaw_to_linear(byte),
        _ => {
            let known = usize::from(byte).checked_sub(1).and_then(|at| LEVELS.get(at));
            return known.map_or(What::Other, |(what, _)| *what);
        }
    };
    if payload.iter().any(|other| *other != byte) {
        return What::Other;
    }
    if level.abs() <= 16 {
        return What::Silence;
    }
    let near = |known: i16| i32::from(level - known).abs() * 8 < i32::from(known);
    LEVELS.iter().find(|(_, known)| near(*known)).map_or(What::Other, |(what, _)| *what)
}

/// The sounds of a run: how long they are, how long it takes to find them, and which cannot be played.
#[derive(Debug)]
pub struct Sounds {
    /// From the question to the track.
    pub delay: Duration,
    /// What was asked for, and in which codec.
    pub asked: Vec<(Sound, Speech)>,
    lengths: HashMap<What, Duration>,
    failing: HashMap<What, SoundFailure>,
}

impl Default for Sounds {
    fn default() -> Self {
        let lengths = [
            (What::Announcement, 2000),
            (What::HoldMusic, 10_000),
            (What::Confirmation, 1000),
            (What::Ringing, 6000),
            (What::Busy, 1000),
            (What::Reorder, 500),
        ];
        Self {
            delay: Duration::from_millis(50),
            asked: Vec::new(),
            lengths: lengths.map(|(what, millis)| (what, Duration::from_millis(millis))).into(),
            failing: HashMap::new(),
        }
    }
}

impl Sounds {
    /// A sound is so long.
    pub fn lasts(&mut self, what: What, length: Duration) {
        self.lengths.insert(what, length);
    }

    /// A sound cannot be played.
    pub fn fails(&mut self, what: What, failure: SoundFailure) {
        self.failing.insert(what, failure);
    }

    /// The track of a sound.
    pub(crate) fn track(
        &mut self,
        sound: &Sound,
        (speech, packet_ms): (Speech, u16),
    ) -> Result<Arc<Track>, SoundFailure> {
        self.asked.push((sound.clone(), speech));
        let what = what(sound);
        if let Some(failure) = self.failing.get(&what) {
            return Err(*failure);
        }
        let length = match sound {
            Sound::Digits(digits) => digits.chars().map(pressed_for).sum(),
            Sound::Announcement(_)
            | Sound::HoldMusic
            | Sound::Confirmation(_)
            | Sound::Tone { .. } => self.lengths.get(&what).copied().unwrap_or_default(),
        };
        let bytes = match speech {
            Speech::Pcmu | Speech::Pcma | Speech::G722 => usize::from(packet_ms) * 8,
            Speech::Opus => 60,
        };
        let packet = payload(what, speech.name(), bytes);
        let mut track = Track::new(speech, packet_ms);
        for _ in 0..length.as_millis() / u128::from(packet_ms.max(1)) {
            track.push(&packet);
        }
        Ok(Arc::new(track))
    }
}

/// How long a key and its pause are as tones.
const fn pressed_for(key: char) -> Duration {
    Duration::from_millis(if key == ',' { 500 } else { 200 })
}

fn what(sound: &Sound) -> What {
    match sound {
        Sound::Announcement(_) => What::Announcement,
        Sound::HoldMusic => What::HoldMusic,
        Sound::Confirmation(_) => What::Confirmation,
        Sound::Tone { tone: Tone::Ringing, .. } => What::Ringing,
        Sound::Tone { tone: Tone::Busy, .. } => What::Busy,
        Sound::Tone { tone: Tone::Reorder, .. } => What::Reorder,
        Sound::Digits(_) => What::Digits,
    }
}
