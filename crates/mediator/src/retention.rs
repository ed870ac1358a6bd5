//! Records are kept for so long: older ones are removed, every hour, in steps that leave the store to others between.

use std::sync::Arc;
use std::time::Duration;

use mediator_model::UnixMillis;
use mediator_net::Clock;
use mediator_store::{Calls, ReadError};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

#[cfg(test)]
mod tests;

/// How often it is looked for old records.
const EVERY: Duration = Duration::from_hours(1);
/// Records removed in one step, of each kind.
const STEP: usize = 500;
/// Between two steps: calls write meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

/// Removes records once they are older than `keep`.
pub struct Retention {
    /// The records.
    pub calls: Arc<dyn Calls>,
    /// How long they are kept.
    pub keep: Duration,
}

impl Retention {
    /// Runs until the task is dropped; the first look is at once.
    pub async fn run(self, clock: Clock) {
        let mut every = interval(EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            match self.purge(clock.unix_now()).await {
                Ok(0) => {}
                Ok(removed) => info!(removed, "old call records removed"),
                Err(cause) => warn!(%cause, "old call records not removed"),
            }
        }
    }

    /// Removes what is too old at `now`; how many went.
    pub async fn purge(&self, now: UnixMillis) -> Result<usize, ReadError> {
        let keep = u64::try_from(self.keep.as_millis()).unwrap_or(u64::MAX);
        let before = UnixMillis(now.0.saturating_sub(keep));
        let mut removed = 0;
        loop {
            let calls = self.calls.clone();
            // A panic of the store's is told by the store's own thread; here nothing was removed.
            let step = spawn_blocking(move || calls.purge(before, STEP)).await.unwrap_or(Ok(0))?;
            removed += step;
            if step < STEP {
                return Ok(removed);
            }
            sleep(PAUSE).await;
        }
    }
}
