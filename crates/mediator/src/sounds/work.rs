//! Making tracks: each once, however many ask for it, and only so many at a time.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::Shared;
use hashbrown::HashMap;
use mediator_media::{SoundFailure, Track};
use mediator_sound::{
    DecodeError, EncodeError, Ending, Form, Plan, track_of_digits, track_of_file, track_of_tone,
};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_blocking;
use tracing::{error, warn};

use super::folder::{self, FileState, FolderError};
use super::tracks::{Made, Tracks};
use super::{Own, Place, Source, Wanted};
use crate::config::MediaSettings;

/// The most tracks that are being made or waited for.
const MAX_PENDING: usize = 1024;
/// The most that are decoded at a time.
const MAX_AT_ONCE: usize = 4;

/// Makes and keeps tracks.
pub(super) struct Work {
    folder: PathBuf,
    tracks: Mutex<Tracks<Kept>>,
    pending: Mutex<HashMap<Wanted, Shared<oneshot::Receiver<Made>>>>,
    at_once: Arc<Semaphore>,
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
    Own(Own),
}

impl Work {
    pub(super) fn new(media: &MediaSettings, _cache: Option<PathBuf>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            folder: media.folder.clone(),
            tracks: Mutex::new(Tracks::new(media.sounds.tracks_max_bytes)),
            pending: Mutex::new(HashMap::new()),
            at_once: Arc::new(Semaphore::new((cores / 2).clamp(1, MAX_AT_ONCE))),
        }
    }

    /// The track, made now or before. The work goes on where nobody waits for it any more: the next one may.
    pub(super) async fn track(self: &Arc<Self>, wanted: Wanted) -> Made {
        let waiting = {
            let mut pending = self.pending.lock();
            match pending.get(&wanted) {
                Some(waiting) => waiting.clone(),
                None if pending.len() >= MAX_PENDING => return Err(SoundFailure::Late),
                None => {
                    let (done, waiting) = oneshot::channel();
                    let waiting = waiting.shared();
                    pending.insert(wanted.clone(), waiting.clone());
                    let work = self.clone();
                    tokio::spawn(async move {
                        let made = work.make(&wanted).await;
                        work.pending.lock().remove(&wanted);
                        let _ = done.send(made);
                    });
                    waiting
                }
            }
        };
        // No answer is a task that came to nothing: the runtime ends, or it has a defect, which is logged there.
        waiting.await.unwrap_or(Err(SoundFailure::Unfetched))
    }

    async fn make(&self, wanted: &Wanted) -> Made {
        let content = match &wanted.source {
            Source::Place(Place::File(path)) => {
                let (folder, path) = (self.folder.clone(), path.clone());
                match blocking(move || folder::find(&folder, &path)).await {
                    Some(Ok(found)) => Content::File(found),
                    Some(Err(cause)) => return self.unfetched(&wanted.source, &cause),
                    None => return Err(SoundFailure::Unfetched),
                }
            }
            Source::Place(Place::Web(_)) => return Err(SoundFailure::Unfetched),
            Source::Own(own) => Content::Own(own.clone()),
        };
        let Wanted { form, ending, .. } = *wanted;
        let key = Kept { content, form, ending };
        if let Some(made) = self.tracks.lock().find(&key) {
            return made;
        }
        let made = self.decode(wanted, key.content.clone()).await;
        self.tracks.lock().keep(key, made.clone());
        made
    }

    async fn decode(&self, wanted: &Wanted, content: Content) -> Made {
        let Ok(_turn) = self.at_once.acquire().await else { return Err(SoundFailure::Late) };
        let Wanted { form, ending, .. } = *wanted;
        let done = blocking(move || match content {
            Content::File(found) => of_file(folder::read(&found)?, form, ending),
            Content::Own(own) => of_own(&own, form, ending),
        });
        match done.await {
            Some(Ok(track)) => Ok(Arc::new(track)),
            Some(Err(Unmade::Unread(cause))) => self.unfetched(&wanted.source, &cause),
            Some(Err(cause)) => {
                self.tell_failure(&wanted.source.to_string(), &cause);
                Err(SoundFailure::Undecoded)
            }
            None => Err(SoundFailure::Undecoded),
        }
    }

    fn unfetched(&self, source: &Source, cause: &dyn Display) -> Made {
        self.tell_failure(&source.to_string(), cause);
        Err(SoundFailure::Unfetched)
    }

    /// Logs that a sound cannot be played.
    pub(super) fn tell_failure(&self, source: &str, cause: &dyn Display) {
        warn!(source, %cause, "a sound cannot be played");
    }
}

/// Why no track was made.
#[derive(Debug, thiserror::Error)]
enum Unmade {
    #[error(transparent)]
    Unread(#[from] FolderError),
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
