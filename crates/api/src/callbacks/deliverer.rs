//! The task that delivers: looks for what is due, tries it, and tells the store what became of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::FutureExt;
use mediator_model::{Secret, Sid, UnixMillis};
use mediator_store::{Calls, Delivery, DeliveryOutcome};
use reqwest::Client;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, warn};

use super::post::{self, Failure};
use super::queue::{MAX_WAITING, Queue};
use super::schedule::next_attempt;
use super::{Counts, Wake};

/// How many deliveries are taken in at one look into the store.
const BATCH: usize = 256;
/// The shortest time between two looks; it bounds what calls that end all the time can cause.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// The time between two looks while deliveries wait here: until then they keep the task busy.
const BUSY_PAUSE: Duration = Duration::from_secs(1);
/// The longest time between two looks: the wall clock may be set meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// After the store could not be read.
const FAILED_PAUSE: Duration = Duration::from_secs(5);

/// What the task works on.
pub(super) struct Source {
    pub(super) calls: Arc<dyn Calls>,
    pub(super) secret: Box<dyn Fn() -> Option<Secret> + Send>,
    pub(super) now: Box<dyn Fn() -> UnixMillis + Send>,
}

/// The task.
pub(super) struct Task {
    pub(super) source: Source,
    pub(super) client: Client,
    pub(super) wake: Wake,
    pub(super) counts: Arc<Counts>,
    pub(super) stop: watch::Receiver<Option<Duration>>,
    pub(super) queue: Queue,
    pub(super) attempts: JoinSet<Ended>,
}

/// An attempt that ended.
pub(super) struct Ended {
    host: Box<str>,
    id: u64,
    dr_sid: Sid,
    created: UnixMillis,
    /// Failed attempts before this one.
    failures: u32,
    result: Result<(), Failure>,
}

impl Task {
    /// Delivers until it is told to stop, then waits for the attempts under way.
    pub(super) async fn run(mut self) {
        let mut last = Instant::now();
        let mut next = last;
        let within = loop {
            if Instant::now() >= next {
                last = Instant::now();
                next = last + self.look().await;
            }
            self.dispatch();
            tokio::select! {
                within = stopped(&mut self.stop) => break within,
                Some(ended) = self.attempts.join_next() => {
                    if let Ok(ended) = ended
                        && let Some(delay) = self.settle(ended)
                    {
                        next = next.min(Instant::now() + delay);
                    }
                }
                () = self.wake.0.notified() => next = next.min(last + SHORTEST_PAUSE),
                () = sleep_until(next) => {}
            }
        };
        let end = Instant::now() + within;
        // What is cut here is tried again after the next start; receivers know it by its id.
        while let Ok(Some(ended)) = timeout_at(end, self.attempts.join_next()).await {
            if let Ok(ended) = ended {
                self.settle(ended);
            }
        }
    }

    /// Takes in what is due; gives the time until the next look.
    async fn look(&mut self) -> Duration {
        self.queue.forget(Instant::now());
        let held = self.queue.waiting() + self.queue.running();
        if self.queue.waiting() >= MAX_WAITING {
            return BUSY_PAUSE;
        }
        let now = (self.source.now)();
        let calls = Arc::clone(&self.source.calls);
        // What is held here is due, too, and stands before the rest.
        let limit = held + BATCH;
        let read = spawn_blocking(move || Ok((calls.due(now, limit)?, calls.next_due()?))).await;
        let (due, next_due) = match read {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => return cannot_be_read(&error),
            Err(_) => return FAILED_PAUSE,
        };
        let is_all = due.len() < limit;
        for delivery in due {
            let host = post::host(&delivery.url).map(|(_, host)| host).unwrap_or_default();
            self.queue.admit(delivery, &host);
        }
        if self.queue.waiting() > BATCH / 2 {
            BUSY_PAUSE
        } else if !is_all {
            SHORTEST_PAUSE
        } else if self.queue.waiting() + self.queue.running() > 0 {
            BUSY_PAUSE
        } else {
            let until_due = next_due.map_or(LONGEST_PAUSE, |due| due.saturating_since(now));
            until_due.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
        }
    }

    fn dispatch(&mut self) {
        while let Some((host, delivery)) = self.queue.take() {
            let client = self.client.clone();
            let (secret, now) = ((self.source.secret)(), (self.source.now)());
            self.attempts.spawn(attempt(client, host, delivery, (secret, now)));
        }
        self.counts.running.store(self.queue.running() as u64, Relaxed);
    }

    /// Tells the store what became of an attempt; gives the time until the next one, where there is one.
    fn settle(&mut self, ended: Ended) -> Option<Duration> {
        let Ended { host, id, dr_sid, created, failures, result } = ended;
        self.queue.ended(&host, id, Instant::now());
        let now = (self.source.now)();
        let failure = match result {
            Ok(()) => {
                self.counts.delivered.fetch_add(1, Relaxed);
                debug!(%dr_sid, "callback delivered");
                self.source.calls.attempted(id, DeliveryOutcome::Delivered);
                return None;
            }
            Err(failure) => failure,
        };
        let failures = failures.saturating_add(1);
        let next = next_attempt(failures, created, now).filter(|_| !failure.is_final());
        let cause = failure.to_string().into_boxed_str();
        debug!(%dr_sid, %host, failures, %cause, "callback failed");
        self.counts.failed.fetch_add(1, Relaxed);
        let Some(next) = next else {
            self.counts.dead.fetch_add(1, Relaxed);
            warn!(%dr_sid, attempts = failures, "callback given up: it is a dead letter now");
            self.source.calls.attempted(id, DeliveryOutcome::Dead(cause));
            return None;
        };
        self.source.calls.attempted(id, DeliveryOutcome::RetryAt(next, cause));
        Some(next.saturating_since(now))
    }
}

async fn attempt(
    client: Client,
    host: Box<str>,
    delivery: Delivery,
    (secret, now): (Option<Secret>, UnixMillis),
) -> Ended {
    let Delivery { id, dr_sid, created, attempts: failures, .. } = delivery;
    let post = AssertUnwindSafe(post::post(&client, delivery, secret, now)).catch_unwind();
    // A defect here must not keep the host's place for ever.
    let result = post.await.unwrap_or_else(|_| Err(Failure::Broken("defect".into())));
    Ended { host, id, dr_sid, created, failures, result }
}

fn cannot_be_read(error: &mediator_store::ReadError) -> Duration {
    warn!(%error, "callbacks wait: the store cannot be read");
    FAILED_PAUSE
}

/// Waits until the task shall stop, and gives the time that is left for it.
async fn stopped(stop: &mut watch::Receiver<Option<Duration>>) -> Duration {
    match stop.wait_for(Option::is_some).await.map(|within| *within) {
        Ok(Some(within)) => within,
        // Nobody can stop it any more: it ends with its runtime.
        Ok(None) | Err(_) => std::future::pending().await,
    }
}
