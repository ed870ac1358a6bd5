//! Metrics: plain counts that their owners add to, and a page in Prometheus' text format that reads them when asked.
//!
//! A page is made of [`Source`]s, each of which owns whole families. Nothing here is on a call's path but [`ShardMetrics`],
//! whose counts have one writer each.

mod callbacks;
mod page;
mod process;
mod requests;
mod shard;
mod state;
mod store;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

pub use callbacks::CallbackMetrics;
pub use page::{Kind, Page};
pub use process::ProcessMetrics;
pub use requests::{RequestCounts, count_request};
pub use shard::{AllShards, Counter, Histogram, MessageDirection, ShardMetrics};
pub use state::{EngineCounts, SharedState};
pub use store::{CountedStore, StoreMetrics};

/// Something that has metrics to show.
pub trait Source: Send + Sync {
    /// Writes its families, each once.
    fn collect(&self, page: &mut Page);
}

/// Every source of the process.
#[derive(Clone, Default)]
pub struct Metrics {
    sources: Arc<Mutex<Vec<Box<dyn Source>>>>,
}

impl Metrics {
    /// Adds a source; its families are on every page from here on.
    pub fn add(&self, source: impl Source + 'static) {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(source));
    }

    /// The page as it is now.
    pub fn render(&self) -> String {
        let mut page = Page::default();
        for source in self.sources.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            source.collect(&mut page);
        }
        page.finish()
    }
}
