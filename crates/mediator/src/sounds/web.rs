//! Files of the web: fetched once for all that ask, kept, asked for again when they are no longer fresh, and played from the
//! copy where the server is down.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hashbrown::HashMap;
use parking_lot::Mutex;
use reqwest::Url;
use tokio::sync;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tracing::warn;

use super::counts::Counts;
use super::disk::{ContentId, Disk};
use super::fetch::{FetchError, Fetched, Fetcher, Validators};
use crate::config::FetchSettings;

/// For how long a server that failed is not asked again.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How long a server may take where there is a copy: then the copy is played, for a caller waits.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most URLs that something is known of.
const MAX_KNOWN: usize = 10_000;

/// Files of the web.
pub(super) struct Web {
    fetcher: Fetcher,
    timeout: Duration,
    disk: Option<Arc<Disk>>,
    known: Mutex<HashMap<Box<str>, Arc<sync::Mutex<Known>>>>,
    counts: Arc<Counts>,
}

/// What is known of a URL. Locked while it is asked, so that it is asked once.
#[derive(Default)]
struct Known {
    is_looked_up: bool,
    copy: Option<Copy>,
    failed: Option<(Instant, FetchError)>,
}

/// Which file a URL had.
struct Copy {
    id: ContentId,
    validators: Validators,
    fresh_until: Instant,
}

/// What is wanted of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Want {
    /// Which one it is, and its bytes only if they are at hand.
    Name,
    /// Its bytes.
    Bytes,
}

/// A file of a URL.
pub(super) struct Found {
    pub(super) id: ContentId,
    /// There where they were wanted.
    pub(super) bytes: Option<Bytes>,
}

impl Web {
    /// With a folder for copies and how much fits; a folder that cannot be used is told, and goes unused.
    pub(super) fn new(
        settings: &FetchSettings,
        cache: Option<(&Path, u64)>,
        counts: Arc<Counts>,
    ) -> Result<Self, reqwest::Error> {
        let disk = cache.and_then(|(folder, max_bytes)| {
            Disk::open(folder, max_bytes)
                .inspect_err(|cause| {
                    let folder = folder.display();
                    warn!(%folder, %cause, "fetched sounds are not kept: the cache cannot be used");
                })
                .ok()
        });
        Ok(Self {
            fetcher: Fetcher::new(settings)?,
            timeout: settings.timeout,
            disk: disk.map(Arc::new),
            known: Mutex::new(HashMap::new()),
            counts,
        })
    }

    /// How much is kept on the disk, in bytes.
    pub(super) fn disk_bytes(&self) -> u64 {
        self.disk.as_ref().map_or(0, |disk| disk.bytes())
    }

    /// The file of a URL as it is now, or as it was where the server cannot be asked.
    pub(super) async fn find(&self, url: &Url, want: Want) -> Result<Found, FetchError> {
        let known = self.known(url);
        let mut known = known.lock().await;
        let mut at_hand = self.look_up(url, &mut known).await;
        let now = Instant::now();
        let is_fresh = known.copy.as_ref().is_some_and(|copy| copy.fresh_until > now);
        let has_failed = known.failed.as_ref().is_some_and(|(until, _)| *until > now);
        if is_fresh || has_failed || want == Want::Bytes {
            at_hand = self.bytes_of(url, &known, at_hand, want).await;
        }
        let is_enough = want == Want::Name || at_hand.is_some();
        if let Some(copy) = known.copy.as_ref().filter(|_| is_enough && (is_fresh || has_failed)) {
            if is_fresh {
                self.counts.disk_hit();
            } else {
                self.counts.stale();
            }
            return Ok(Found { id: copy.id, bytes: at_hand });
        }
        if let Some((_, error)) = known.failed.as_ref().filter(|_| has_failed) {
            return Err(error.clone());
        }
        // Bytes that are wanted and gone are asked for whatever their state is.
        let copy = known.copy.as_ref().filter(|_| is_enough);
        let limit = if copy.is_some() { PATIENCE.min(self.timeout) } else { self.timeout };
        let fetched = self.fetcher.fetch(url, copy.map(|copy| &copy.validators), limit).await;
        self.settle(url, &mut known, fetched, at_hand).await
    }

    /// Takes what a fetch has found.
    async fn settle(
        &self,
        url: &Url,
        known: &mut Known,
        fetched: Result<Fetched, FetchError>,
        at_hand: Option<Bytes>,
    ) -> Result<Found, FetchError> {
        match (fetched, &mut known.copy) {
            (Ok(Fetched::File(bytes, about)), _) => {
                self.counts.fetched();
                let id = ContentId::of(&bytes);
                if about.may_store {
                    let (file, about) = (bytes.clone(), about.clone());
                    self.on_disk(url, move |disk, url| disk.store(url, &file, &about)).await;
                } else {
                    self.on_disk(url, |disk, url| {
                        disk.forget(url);
                        Ok(())
                    })
                    .await;
                }
                let fresh_until = Instant::now() + about.max_age;
                let validators = about.validators;
                known.copy = Some(Copy { id, validators, fresh_until });
                known.failed = None;
                Ok(Found { id, bytes: Some(bytes) })
            }
            (Ok(Fetched::Unchanged(max_age)), Some(copy)) => {
                self.counts.unchanged();
                self.on_disk(url, Disk::touch).await;
                copy.fresh_until = Instant::now() + max_age;
                let id = copy.id;
                known.failed = None;
                Ok(Found { id, bytes: at_hand })
            }
            // It said that what we do not have is unchanged.
            (Ok(Fetched::Unchanged(_)), None) => Err(FetchError::Status(304)),
            (Err(error), copy) => {
                self.counts.failed(&error);
                known.failed = Some((Instant::now() + RETRY_AFTER, error.clone()));
                match copy {
                    Some(copy) if error != FetchError::Refused => {
                        self.counts.stale();
                        Ok(Found { id: copy.id, bytes: at_hand })
                    }
                    Some(_) | None => Err(error),
                }
            }
        }
    }

    fn known(&self, url: &Url) -> Arc<sync::Mutex<Known>> {
        let mut all = self.known.lock();
        if let Some(known) = all.get(url.as_str()) {
            return known.clone();
        }
        if all.len() >= MAX_KNOWN {
            // What nobody is at just now is on the disk, and can be looked up again.
            all.retain(|_, known| Arc::strong_count(known) > 1);
        }
        let known = Arc::<sync::Mutex<Known>>::default();
        all.insert(url.as_str().into(), known.clone());
        known
    }

    /// Looks on the disk for what an earlier process has fetched.
    async fn look_up(&self, url: &Url, known: &mut Known) -> Option<Bytes> {
        if std::mem::replace(&mut known.is_looked_up, true) {
            return None;
        }
        let kept = self.load(url).await?;
        let fresh_until = Instant::now() + kept.fresh_for;
        known.copy = Some(Copy { id: kept.id, validators: kept.validators, fresh_until });
        Some(kept.bytes)
    }

    /// The bytes of the copy, where they are wanted and there.
    async fn bytes_of(
        &self,
        url: &Url,
        known: &Known,
        at_hand: Option<Bytes>,
        want: Want,
    ) -> Option<Bytes> {
        let copy = known.copy.as_ref()?;
        match (want, at_hand) {
            (_, Some(bytes)) => Some(bytes),
            (Want::Name, None) => None,
            (Want::Bytes, None) => {
                let kept = self.load(url).await?;
                (kept.id == copy.id).then_some(kept.bytes)
            }
        }
    }

    async fn load(&self, url: &Url) -> Option<super::disk::Kept> {
        let (disk, url) = (self.disk.clone()?, url.clone());
        spawn_blocking(move || disk.load(url.as_str())).await.ok().flatten()
    }

    /// Writes to the disk; where that cannot be done, the copy is not kept.
    async fn on_disk(
        &self,
        url: &Url,
        write: impl FnOnce(&Disk, &str) -> std::io::Result<()> + Send + 'static,
    ) {
        let (Some(disk), url) = (self.disk.clone(), url.clone()) else { return };
        let done = spawn_blocking(move || write(&disk, url.as_str())).await;
        if let Ok(Err(cause)) = done {
            self.counts.unkept();
            tracing::debug!(%cause, "a fetched sound cannot be kept");
        }
    }
}
