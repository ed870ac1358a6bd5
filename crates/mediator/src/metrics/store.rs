//! A store that counts: how many writes wait, how long they take, what became of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use mediator_model::{BindingKey, Sid, UnixMillis};
use mediator_store::query::{Page as ListPage, Query};
use mediator_store::record::{BindingRecord, DialoutRecord};
use mediator_store::{
    Change, Done, FeedError, Kind as ObjectKind, ReadError, Record, Refused, Remembered, Revision,
    Store, Versioned, Write,
};

use super::shard::Histogram;
use super::{Kind, Page, Source};

/// 1 ms to 5 s: what a disk takes.
const WRITE_BOUNDS: &[u64] =
    &[1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

/// A store's writes, counted.
#[derive(Debug)]
pub(super) struct StoreCounts {
    asked: AtomicU64,
    written: AtomicU64,
    refused: AtomicU64,
    overloaded: AtomicU64,
    failed: AtomicU64,
    /// Only the store's thread tells of a success, so this has one writer.
    duration: Histogram,
}

impl Default for StoreCounts {
    fn default() -> Self {
        Self {
            asked: AtomicU64::default(),
            written: AtomicU64::default(),
            refused: AtomicU64::default(),
            overloaded: AtomicU64::default(),
            failed: AtomicU64::default(),
            duration: Histogram::new(WRITE_BOUNDS),
        }
    }
}

impl StoreCounts {
    fn ended(&self, asked: Instant, outcome: Option<&Refused>) {
        let count = match outcome {
            None => {
                self.duration.observe(asked.elapsed());
                &self.written
            }
            Some(Refused::Overloaded) => &self.overloaded,
            Some(Refused::Failed(_)) => &self.failed,
            Some(
                Refused::Exists
                | Refused::Gone { .. }
                | Refused::Stale { .. }
                | Refused::Taken { .. }
                | Refused::InUse { .. }
                | Refused::Claimed
                | Refused::Remembered,
            ) => &self.refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// A store that counts its writes.
pub struct CountedStore {
    inner: Arc<dyn Store>,
    counts: Arc<StoreCounts>,
}

impl CountedStore {
    /// Counts the writes of `inner`.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, counts: Arc::default() }
    }

    /// The counts, for the page.
    pub fn metrics(&self) -> StoreMetrics {
        StoreMetrics { store: self.inner.clone(), counts: self.counts.clone() }
    }
}

impl Store for CountedStore {
    fn submit(&self, write: Write, done: Done) {
        let counts = self.counts.clone();
        counts.asked.fetch_add(1, Ordering::Relaxed);
        let asked = Instant::now();
        self.inner.submit(
            write,
            Box::new(move |outcome| {
                counts.ended(asked, outcome.as_ref().err());
                done(outcome);
            }),
        );
    }

    fn revision(&self) -> Revision {
        self.inner.revision()
    }

    fn changes_after(
        &self,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<(Revision, Change)>, FeedError> {
        self.inner.changes_after(after, limit)
    }

    fn snapshot(
        &self,
        now: UnixMillis,
        each: &mut dyn FnMut(Versioned<Record>),
    ) -> Result<Revision, ReadError> {
        self.inner.snapshot(now, each)
    }

    fn object(
        &self,
        kind: ObjectKind,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Versioned<Record>>, ReadError> {
        self.inner.object(kind, sid, now)
    }

    fn binding_at(
        &self,
        key: BindingKey,
        now: UnixMillis,
    ) -> Result<Option<Versioned<BindingRecord>>, ReadError> {
        self.inner.binding_at(key, now)
    }

    fn bindings(
        &self,
        account: Sid,
        query: &Query,
    ) -> Result<ListPage<Versioned<BindingRecord>>, ReadError> {
        self.inner.bindings(account, query)
    }

    fn dialouts(
        &self,
        account: Sid,
        query: &Query,
    ) -> Result<ListPage<Versioned<DialoutRecord>>, ReadError> {
        self.inner.dialouts(account, query)
    }

    fn each_binding(
        &self,
        account: Sid,
        now: UnixMillis,
        each: &mut dyn FnMut(&BindingRecord) -> bool,
    ) -> Result<(), ReadError> {
        self.inner.each_binding(account, now, each)
    }

    fn remembered(
        &self,
        owner: Sid,
        key: &str,
        now: UnixMillis,
    ) -> Result<Option<Remembered>, ReadError> {
        self.inner.remembered(owner, key, now)
    }

    fn flush(&self) {
        self.inner.flush();
    }
}

/// A store's counts as metrics.
pub struct StoreMetrics {
    store: Arc<dyn Store>,
    counts: Arc<StoreCounts>,
}

impl Source for StoreMetrics {
    fn collect(&self, page: &mut Page) {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &*self.counts;
        let outcomes = [
            ("written", count(&counts.written)),
            ("refused", count(&counts.refused)),
            ("overloaded", count(&counts.overloaded)),
            ("failed", count(&counts.failed)),
        ];
        let ended: u64 = outcomes.iter().map(|(_, count)| count).sum();
        page.family(
            "mediator_store_writes_total",
            "Writes, by what became of them.",
            Kind::Counter,
        );
        for (outcome, count) in outcomes {
            page.sample(&[("outcome", outcome)], count);
        }
        page.family("mediator_store_writes_waiting", "Writes that wait for the disk.", Kind::Gauge);
        page.sample(&[], count(&counts.asked).saturating_sub(ended));
        page.family("mediator_store_revision", "The newest revision.", Kind::Counter);
        page.sample(&[], self.store.revision());
        page.family(
            "mediator_store_write_seconds",
            "From asking for a write until it is durable and followed.",
            Kind::Histogram,
        );
        counts.duration.collect(page);
    }
}
