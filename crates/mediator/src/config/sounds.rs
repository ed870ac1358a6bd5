//! The keys of `[media]` that say what is played and where it comes from.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use super::fault::Reason;
use super::reader::Section;
use super::services::{StorePlace, StoreSettings};
use super::value::{self, MINUTE, SECOND};
use crate::sounds::{Allowed, Place};

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// The most entries of `media.fetch.allow`.
const MAX_ALLOWED: usize = 256;

/// What is played, and where it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SoundSettings {
    /// Hold music in place of the built-in piece.
    pub hold_music: Option<Place>,
    /// What asks for the confirmation key in place of the built-in prompt.
    pub confirmation_prompt: Option<Place>,
    /// The announcement called `default` in place of the built-in one.
    pub announcement: Option<Place>,
    /// Where fetched files are kept. Default: `sounds` in the store's folder; see [`SoundSettings::cache_folder`].
    pub cache: Option<PathBuf>,
    /// How much of fetched files is kept on the disk, in bytes; 0: nothing. Up to 1 TiB, default 256 MiB.
    pub cache_max_bytes: u64,
    /// How much of encoded sounds is kept in memory, in bytes. 1 MiB to 64 GiB, default 64 MiB.
    pub tracks_max_bytes: u64,
    /// How files are fetched.
    pub fetch: FetchSettings,
}

impl SoundSettings {
    /// Where fetched files are kept; `None`: nowhere, where the cache has no room, or no folder is named and the store
    /// keeps nothing either.
    pub fn cache_folder(&self, store: &StoreSettings) -> Option<PathBuf> {
        if self.cache_max_bytes == 0 {
            return None;
        }
        match (&self.cache, &store.place) {
            (Some(folder), _) => Some(folder.clone()),
            (None, StorePlace::Folder(folder)) => Some(folder.join("sounds")),
            (None, StorePlace::Memory) => None,
        }
    }
}

/// `media.fetch`: how files are fetched over http and https.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FetchSettings {
    /// The largest file, in bytes. 1 KiB to 20 MiB, which is the default.
    pub max_bytes: u64,
    /// How long a fetch may take, redirects included. 100 ms to 60 s, default 10 s.
    pub timeout: Duration,
    /// How many redirects are followed. 0 to 10, default 3.
    pub redirects: u32,
    /// Hosts and blocks of addresses that are fetched from though they are not public. At most 256, default none.
    pub allow: Vec<Allowed>,
}

/// Reads the keys of `[media]` that are about sounds.
pub(super) fn read(section: &Section<'_>) -> SoundSettings {
    let place = |key| section.read(key, place).map(|found| found.value);
    SoundSettings {
        hold_music: place("hold_music"),
        confirmation_prompt: place("confirmation_prompt"),
        announcement: place("announcement"),
        cache: section
            .read("cache", |value| value::name(value).map(String::from))
            .map(|found| PathBuf::from(found.value)),
        cache_max_bytes: section.read_or(
            "cache_max_bytes",
            256 * MIB,
            value::bytes(0..=1024 * GIB, "256MiB"),
        ),
        tracks_max_bytes: section.read_or(
            "tracks_max_bytes",
            64 * MIB,
            value::bytes(MIB..=64 * GIB, "64MiB"),
        ),
        fetch: read_fetch(section.section("fetch")),
    }
}

fn read_fetch(section: Section<'_>) -> FetchSettings {
    let allow = section.list("allow", 0..=MAX_ALLOWED, allowed).unwrap_or_default();
    let settings = FetchSettings {
        max_bytes: section.read_or(
            "max_bytes",
            mediator_sound::MAX_FILE_BYTES as u64,
            value::bytes(1024..=mediator_sound::MAX_FILE_BYTES as u64, "20MiB"),
        ),
        timeout: section.read_or(
            "timeout",
            10 * SECOND,
            value::duration(Duration::from_millis(100)..=MINUTE, "10s"),
        ),
        redirects: section.read_or("redirects", 3, value::whole(0..=10)),
        allow: allow.into_iter().map(|entry| entry.value).collect(),
    };
    section.finish();
    settings
}

fn place(value: &DeValue<'_>) -> Result<Place, Reason> {
    let text = value.as_str().ok_or(Cow::Borrowed("expected a file or a URL in quotes"))?;
    Place::parse(text).map_err(|bad| Cow::Owned(bad.to_string()))
}

fn allowed(value: &DeValue<'_>) -> Result<Allowed, Reason> {
    value.as_str().and_then(Allowed::parse).ok_or(Cow::Borrowed(
        "expected an address, a block such as \"10.0.0.0/8\", or a host's name",
    ))
}
