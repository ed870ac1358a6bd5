//! Making tracks: each once, however many ask for it, and only so many at a time.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::Shared;
use hashbrown::HashMap;
use mediator_media::{SoundFailure, Track};
use mediator_sound::{
    DecodeError, EncodeError, Ending, Form, Plan, track_of_digits, track_of_file, track_of_tone,
};
use parking_lot::Mutex;
use reqwest::Url;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_blocking;
use tracing::{error, warn};

use super::counts::Counts;
use super::disk::ContentId;
use super::folder::{self, FileState, FolderError};
use super::told::Told;
use super::tracks::{Made, Tracks};
use super::web::{Want, Web};
use super::{Own, Place, Source, Wanted};
use crate::config::MediaSettings;

/// The most tracks that are being made or waited for.
const MAX_PENDING: usize = 1024;
/// The most that are decoded at a time.
const MAX_AT_ONCE: usize = 4;

/// Makes and keeps tracks.
pub(super) struct Work {
    folder: PathBuf,
    /// `None`: there is no TLS to be had, a defect of the machine that was logged.
    web: Option<Web>,
    tracks: Mutex<Tracks<Kept>>,
    pending: Mutex<HashMap<Wanted, Shared<oneshot::Receiver<Made>>>>,
    at_once: Semaphore,
    counts: Arc<Counts>,
    told: Told,
}

/// What a kept track was made of, and what for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Kept {
    content: Content,
    form: Form,
    ending: Ending,
}

/// Which sound it is: of a file, which state of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Content {
    File(FileState),
    Web(ContentId),
    Own(Own),
}

impl Work {
    pub(super) fn new(media: &MediaSettings, cache: Option<&Path>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let settings = &media.sounds;
        let counts = Arc::<Counts>::default();
        let cache = cache.map(|folder| (folder, settings.cache_max_bytes));
        let web = Web::new(&settings.fetch, cache, counts.clone());
        Self {
            folder: media.folder.clone(),
            web: web
                .inspect_err(|cause| error!(%cause, "sounds cannot be fetched: no client"))
                .ok(),
            tracks: Mutex::new(Tracks::new(settings.tracks_max_bytes)),
            pending: Mutex::new(HashMap::new()),
            at_once: Semaphore::new((cores / 2).clamp(1, MAX_AT_ONCE)),
            counts,
            told: Told::default(),
        }
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How much is kept in memory and on the disk, in bytes.
    pub(super) fn cached_bytes(&self) -> (u64, u64) {
        (self.tracks.lock().bytes(), self.web.as_ref().map_or(0, Web::disk_bytes))
    }

    /// The track, made now or before. The work goes on where nobody waits for it any more: the next one may.
    pub(super) async fn track(self: &Arc<Self>, wanted: Wanted) -> Made {
        let Some(waiting) = self.begin(wanted) else { return Err(SoundFailure::Late) };
        // No answer is a task that came to nothing: the runtime ends, or it has a defect, which is logged there.
        waiting.await.unwrap_or(Err(SoundFailure::Unfetched))
    }

    /// Begins the work, or joins what is under way; `None`: there is too much of it.
    fn begin(self: &Arc<Self>, wanted: Wanted) -> Option<Shared<oneshot::Receiver<Made>>> {
        let mut pending = self.pending.lock();
        if let Some(waiting) = pending.get(&wanted) {
            return Some(waiting.clone());
        }
        if pending.len() >= MAX_PENDING {
            return None;
        }
        let (done, waiting) = oneshot::channel();
        let waiting = waiting.shared();
        pending.insert(wanted.clone(), waiting.clone());
        let work = self.clone();
        tokio::spawn(async move {
            let made = work.make(&wanted).await;
            work.pending.lock().remove(&wanted);
            let _ = done.send(made);
        });
        Some(waiting)
    }

    async fn make(&self, wanted: &Wanted) -> Made {
        let (content, bytes) = match &wanted.source {
            Source::Place(Place::File(path)) => (self.find_file(wanted, path).await?, None),
            Source::Place(Place::Web(url)) => self.find_web(wanted, url, Want::Name).await?,
            Source::Own(own) => (Content::Own(own.clone()), None),
        };
        let key = Kept { content, form: wanted.form, ending: wanted.ending };
        if let Some(made) = self.tracks.lock().find(&key) {
            self.counts.memory_hit();
            return made;
        }
        let (key, bytes) = match (&wanted.source, bytes) {
            (Source::Place(Place::Web(url)), None) => {
                let (content, bytes) = self.find_web(wanted, url, Want::Bytes).await?;
                (Kept { content, ..key }, bytes)
            }
            (_, bytes) => (key, bytes),
        };
        let made = self.decode(wanted, key.content.clone(), bytes).await;
        // What could not be read this time may be readable the next time.
        if !matches!(made, Err(SoundFailure::Unfetched | SoundFailure::Late)) {
            self.tracks.lock().keep(key, made.clone());
        }
        made
    }

    async fn find_file(&self, wanted: &Wanted, path: &Path) -> Result<Content, SoundFailure> {
        let (folder, path) = (self.folder.clone(), path.to_owned());
        match blocking(move || folder::find(&folder, &path)).await {
            Some(Ok(found)) => Ok(Content::File(found)),
            Some(Err(cause)) => Err(self.unfetched(&wanted.source, &cause)),
            None => Err(SoundFailure::Unfetched),
        }
    }

    async fn find_web(
        &self,
        wanted: &Wanted,
        url: &Url,
        want: Want,
    ) -> Result<(Content, Option<Bytes>), SoundFailure> {
        let Some(web) = &self.web else { return Err(SoundFailure::Unfetched) };
        match web.find(url, want).await {
            Ok(found) => Ok((Content::Web(found.id), found.bytes)),
            Err(cause) => Err(self.unfetched(&wanted.source, &cause)),
        }
    }

    async fn decode(&self, wanted: &Wanted, content: Content, bytes: Option<Bytes>) -> Made {
        let Ok(_turn) = self.at_once.acquire().await else { return Err(SoundFailure::Late) };
        let Wanted { form, ending, .. } = *wanted;
        let done = blocking(move || match (content, bytes) {
            (Content::Own(own), _) => of_own(&own, form, ending),
            (_, Some(bytes)) => of_file(bytes, form, ending),
            (Content::File(found), None) => of_file(folder::read(&found)?, form, ending),
            (Content::Web(_), None) => Err(Unmade::Gone),
        });
        match done.await {
            Some(Ok(track)) => Ok(Arc::new(track)),
            Some(Err(cause @ (Unmade::Unread(_) | Unmade::Gone))) => {
                Err(self.unfetched(&wanted.source, &cause))
            }
            Some(Err(cause @ (Unmade::Undecoded(_) | Unmade::Unencoded(_)))) => {
                self.tell_failure(&wanted.source.to_string(), &cause);
                Err(SoundFailure::Undecoded)
            }
            None => Err(SoundFailure::Undecoded),
        }
    }

    fn unfetched(&self, source: &Source, cause: &dyn Display) -> SoundFailure {
        self.tell_failure(&source.to_string(), cause);
        SoundFailure::Unfetched
    }

    /// Logs that a sound cannot be played: once a minute for each.
    pub(super) fn tell_failure(&self, source: &str, cause: &dyn Display) {
        if self.told.is_due(source, Instant::now()) {
            warn!(source, %cause, "a sound cannot be played");
        }
    }
}

/// Why no track was made.
#[derive(Debug, thiserror::Error)]
enum Unmade {
    #[error(transparent)]
    Unread(#[from] FolderError),
    #[error("the copy is gone")]
    Gone,
    #[error(transparent)]
    Undecoded(#[from] DecodeError),
    #[error(transparent)]
    Unencoded(#[from] EncodeError),
}

fn of_file(file: Bytes, form: Form, ending: Ending) -> Result<Track, Unmade> {
    Ok(track_of_file(file, form, ending)?)
}

fn of_own(own: &Own, form: Form, ending: Ending) -> Result<Track, Unmade> {
    match own {
        Own::Piece(piece) => of_file(piece.file(), form, ending),
        Own::Tone(tone, country) => Ok(track_of_tone(*tone, Plan::of_country(country), form)?),
        Own::Digits(digits) => Ok(track_of_digits(digits, form)?),
    }
}

/// Does what takes its time where it holds up nobody; `None`: it has a defect.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let done = spawn_blocking(work).await;
    done.inspect_err(|cause| {
        if cause.is_panic() {
            error!(%cause, "a defect: making a sound came to no end");
        }
    })
    .ok()
}
