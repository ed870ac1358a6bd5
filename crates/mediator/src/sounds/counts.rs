//! What is counted of sounds, and the page that shows it.

use std::sync::atomic::{AtomicU64, Ordering};

use mediator_media::{Sound, SoundFailure};

use super::Sounds;
use super::fetch::FetchError;
use crate::metrics::{Kind, Page, Source};

const KINDS: [&str; 5] = ["announcement", "hold_music", "confirmation", "tone", "digits"];
const OUTCOMES: [&str; 5] = ["found", "unfetched", "undecoded", "no_codec", "late"];

/// What is counted.
#[derive(Default)]
pub(super) struct Counts {
    /// By kind and outcome.
    asked: [[AtomicU64; OUTCOMES.len()]; KINDS.len()],
    fetched: AtomicU64,
    unchanged: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    stale: AtomicU64,
    unkept: AtomicU64,
    disk_hits: AtomicU64,
    memory_hits: AtomicU64,
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

impl Counts {
    /// A sound was asked for.
    pub(super) fn asked(&self, sound: &Sound, failure: Option<SoundFailure>) {
        let kind = match sound {
            Sound::Announcement(_) => 0,
            Sound::HoldMusic => 1,
            Sound::Confirmation(_) => 2,
            Sound::Tone { .. } => 3,
            Sound::Digits(_) => 4,
        };
        let outcome = match failure {
            None => 0,
            Some(SoundFailure::Unfetched) => 1,
            Some(SoundFailure::Undecoded) => 2,
            Some(SoundFailure::NoCodec) => 3,
            Some(SoundFailure::Late) => 4,
        };
        let count = self.asked.get(kind).and_then(|outcomes: &[_; 5]| outcomes.get(outcome));
        count.into_iter().for_each(add);
    }

    pub(super) fn fetched(&self) {
        add(&self.fetched);
    }

    pub(super) fn unchanged(&self) {
        add(&self.unchanged);
    }

    pub(super) fn failed(&self, error: &FetchError) {
        add(if *error == FetchError::Refused { &self.refused } else { &self.failed });
    }

    /// A copy was used though its server cannot be asked whether it is right.
    pub(super) fn stale(&self) {
        add(&self.stale);
    }

    /// A file could not be written to the cache.
    pub(super) fn unkept(&self) {
        add(&self.unkept);
    }

    /// A fresh copy was there.
    pub(super) fn disk_hit(&self) {
        add(&self.disk_hits);
    }

    /// A track was there.
    pub(super) fn memory_hit(&self) {
        add(&self.memory_hits);
    }
}

impl Source for Sounds {
    fn collect(&self, page: &mut Page) {
        let counts = self.counts();
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let name = "mediator_sound_tracks_total";
        page.family(name, "Sounds asked for, by kind and by what came of it.", Kind::Counter);
        for (kind, outcomes) in KINDS.into_iter().zip(&counts.asked) {
            for (outcome, asked) in OUTCOMES.into_iter().zip(outcomes) {
                page.sample(&[("kind", kind), ("outcome", outcome)], count(asked));
            }
        }
        let name = "mediator_sound_fetches_total";
        page.family(name, "Sounds asked for on the web, by what came of it.", Kind::Counter);
        let outcomes = [
            ("fetched", &counts.fetched),
            ("unchanged", &counts.unchanged),
            ("failed", &counts.failed),
            ("refused", &counts.refused),
        ];
        for (outcome, of) in outcomes {
            page.sample(&[("outcome", outcome)], count(of));
        }
        let name = "mediator_sound_stale_total";
        page.family(name, "Copies used whose server could not be asked.", Kind::Counter);
        page.sample(&[], count(&counts.stale));
        let name = "mediator_sound_cache_hits_total";
        page.family(name, "Sounds that were there: tracks, or fresh copies.", Kind::Counter);
        page.sample(&[("cache", "memory")], count(&counts.memory_hits));
        page.sample(&[("cache", "disk")], count(&counts.disk_hits));
        let name = "mediator_sound_cache_failures_total";
        page.family(name, "Fetched sounds that could not be kept.", Kind::Counter);
        page.sample(&[], count(&counts.unkept));
        let (memory, disk) = self.cached_bytes();
        let name = "mediator_sound_cache_bytes";
        page.family(name, "Bytes of sounds that are kept.", Kind::Gauge);
        page.sample(&[("cache", "memory")], memory);
        page.sample(&[("cache", "disk")], disk);
    }
}
