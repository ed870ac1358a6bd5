//! Callbacks: call records on their way to where the operator wants them (`callbacks.app_mediator` of the partner).
//!
//! The store holds what is to be delivered, so that a restart loses nothing; here it is posted, signed, and tried again:
//! after 5 s, then twice that, up to an hour, for 24 h; then it is a dead letter. A 2xx is a delivery, everything else
//! is none. Delivery is at least once: a receiver that answered and was not heard gets the record again, with the same
//! `X-Mediator-Delivery`. Order is not promised.

mod deliverer;
mod post;
mod queue;
mod schedule;
mod signature;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::ports::Backend;
use deliverer::{Source, Task};
use queue::Queue;

/// Wakes the deliverer: what is due may have changed. Made before it, for those who append records and retry dead
/// letters; cheap to clone and to call.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// The deliverer looks again, soon.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// What became of attempts since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Attempts that were answered with 2xx.
    pub delivered: AtomicU64,
    /// Attempts that were not.
    pub failed: AtomicU64,
    /// Deliveries given up.
    pub dead: AtomicU64,
    /// Attempts under way now.
    pub running: AtomicU64,
}

/// Why callbacks cannot be delivered at all.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client for callbacks: {0}")]
pub struct StartError(#[from] reqwest::Error);

/// The deliverer while it runs. Dropping it does not stop it.
#[derive(Debug)]
pub struct Deliverer {
    task: JoinHandle<()>,
    stop: watch::Sender<Option<Duration>>,
    counts: Arc<Counts>,
}

impl Deliverer {
    /// What became of attempts, for metrics.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Begins no more attempts, and waits for those under way, at most this long: the others are tried again after the
    /// next start.
    pub async fn stop(self, within: Duration) {
        self.stop.send_replace(Some(within));
        // It ends with its runtime at the latest.
        let _ = self.task.await;
    }
}

/// Starts to deliver on `runtime`.
pub fn start(backend: &Backend, wake: Wake, runtime: &Handle) -> Result<Deliverer, StartError> {
    let Backend { calls, catalog, process, store: _ } = backend.clone();
    let source = Source {
        calls,
        secret: Box::new(move || catalog.partner()?.record.callbacks_secret.clone()),
        now: Box::new(move || process.now()),
    };
    Ok(run(source, wake, post::client()?, runtime))
}

fn run(source: Source, wake: Wake, client: reqwest::Client, runtime: &Handle) -> Deliverer {
    let counts = Arc::new(Counts::default());
    let stop = watch::Sender::new(None);
    let task = Task {
        source,
        client,
        wake,
        counts: Arc::clone(&counts),
        stop: stop.subscribe(),
        queue: Queue::default(),
        attempts: JoinSet::new(),
    };
    Deliverer { task: runtime.spawn(task.run()), stop, counts }
}
