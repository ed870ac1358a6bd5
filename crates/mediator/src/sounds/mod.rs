//! The sound service: finds what is to be played, and has it decoded and encoded, beside calls.
//!
//! - [`Sounds::track`] is what players ask. Equal requests at one time are one piece of work; what came of it is kept, up to
//!   `media.tracks_max_bytes`.
//! - [`Place`]: where a sound lies. Files are read inside `media.folder` only; the web is asked within the limits of
//!   `media.fetch`, and from public addresses only but for those that [`Allowed`] names.
//! - What fails is logged and counted, and what stands in for it is played: for a prompt of a call the operator's, for that the
//!   built-in one. Announcements have no stand-in.

mod allowed;
mod check;
mod counts;
mod disk;
mod fetch;
mod folder;
mod place;
mod told;
mod tracks;
mod web;
mod work;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use mediator_media::{Sound, SoundFailure, Speech, Tone, Track};
use mediator_sound::{Ending, Form, Piece, Plan};

use crate::config::{MediaSettings, SoundSettings};
use crate::media::TrackSource;

pub use allowed::Allowed;
pub use check::unplayable;
pub use place::{BadPlace, Place};

use counts::Counts;
use work::Work;

/// The announcement that is meant by this name: the operator's, or the built-in one.
const DEFAULT: &str = "default";

/// Finds sounds and makes tracks of them; clones share everything. To be asked within a tokio runtime.
#[derive(Clone)]
pub struct Sounds {
    settings: Arc<SoundSettings>,
    work: Arc<Work>,
}

/// What a track is made of.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Source {
    /// A file, here or elsewhere.
    Place(Place),
    /// What needs no file.
    Own(Own),
}

/// What we can make ourselves.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Own {
    Piece(Piece),
    /// A tone of the plan of a country.
    Tone(Tone, &'static str),
    Digits(Box<str>),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => place.fmt(f),
            Self::Own(Own::Piece(piece)) => write!(f, "the built-in {piece:?}"),
            Self::Own(Own::Tone(tone, country)) => write!(f, "{tone:?} of {country}"),
            // Keys may be a secret.
            Self::Own(Own::Digits(_)) => f.write_str("keys"),
        }
    }
}

/// A track that is asked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Wanted {
    source: Source,
    form: Form,
    ending: Ending,
}

impl Sounds {
    /// With what `[media]` says; fetched files are kept in `cache`, `None`: nowhere.
    pub fn new(media: &MediaSettings, cache: Option<&Path>) -> Self {
        let work = Work::new(media, cache);
        Self { settings: Arc::new(media.sounds.clone()), work: Arc::new(work) }
    }

    fn counts(&self) -> &Counts {
        self.work.counts()
    }

    /// How much is kept in memory and on the disk, in bytes.
    fn cached_bytes(&self) -> (u64, u64) {
        self.work.cached_bytes()
    }

    /// The track of a sound for a codec, in packets of about so many milliseconds; the track says of how many.
    pub async fn track(
        &self,
        sound: Sound,
        speech: Speech,
        packet_ms: u16,
    ) -> Result<Arc<Track>, SoundFailure> {
        let form = Form::new(speech, packet_ms);
        let ending = ending_of(&sound);
        let mut outcome = Err(SoundFailure::Unfetched);
        for source in self.sources(&sound) {
            outcome = self.work.track(Wanted { source, form, ending }).await;
            if outcome.is_ok() {
                break;
            }
        }
        self.counts().asked(&sound, outcome.as_ref().err().copied());
        outcome
    }

    /// What a sound may be made of, the best first.
    fn sources(&self, sound: &Sound) -> Vec<Source> {
        let configured = |place: &Option<Place>| place.clone().map(Source::Place);
        let settings = &self.settings;
        match sound {
            Sound::Announcement(name) if &**name == DEFAULT => {
                let operators = configured(&settings.announcement);
                operators
                    .into_iter()
                    .chain([Source::Own(Own::Piece(Piece::Announcement))])
                    .collect()
            }
            Sound::Announcement(name) => self.named(name).into_iter().collect(),
            Sound::HoldMusic => {
                let operators = configured(&settings.hold_music);
                operators.into_iter().chain([Source::Own(Own::Piece(Piece::HoldMusic))]).collect()
            }
            Sound::Confirmation(name) => {
                let named = name.as_deref().and_then(|name| self.named(name));
                let operators = configured(&settings.confirmation_prompt);
                let built_in = [Source::Own(Own::Piece(Piece::ConfirmationPrompt))];
                named.into_iter().chain(operators).chain(built_in).collect()
            }
            Sound::Tone { tone, number } => {
                vec![Source::Own(Own::Tone(*tone, Plan::of(*number).country))]
            }
            Sound::Digits(digits) => vec![Source::Own(Own::Digits(digits.clone()))],
        }
    }

    /// What a call names; what names no place cannot be fetched.
    fn named(&self, name: &str) -> Option<Source> {
        match Place::parse(name) {
            Ok(place) => Some(Source::Place(place)),
            Err(cause) => {
                // What it says may be anything: it is not logged.
                self.work.tell_failure("a name that is none", &cause);
                None
            }
        }
    }
}

impl TrackSource for Sounds {
    fn track(
        self: Arc<Self>,
        sound: Sound,
        speech: Speech,
        packet_ms: u16,
    ) -> BoxFuture<'static, Result<Arc<Track>, SoundFailure>> {
        Box::pin(async move { Sounds::track(&self, sound, speech, packet_ms).await })
    }
}

/// Music and tones are played over and over; what is said, once.
fn ending_of(sound: &Sound) -> Ending {
    match sound {
        Sound::HoldMusic | Sound::Tone { .. } => Ending::Loop,
        Sound::Announcement(_) | Sound::Confirmation(_) | Sound::Digits(_) => Ending::Once,
    }
}
