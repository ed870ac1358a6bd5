//! Dialouts that wait for their time: the earliest due is marked in the store, then handed over to be dialled.
//!
//! Invariants:
//! - a dialout is handed over at most once: the mark is durable before anybody is called, and what is found with the
//!   mark at start was interrupted, so it is ended, not dialled again;
//! - what was changed or deleted while it was marked is not handed over as it was: the mark is refused, and the change,
//!   which came here first, decides;
//! - a dialout that is not dialled leaves a record that says why.
//!
//! What waits is kept here beside the store, by time; [`Dialouts::apply`] follows the store.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use mediator_model::{Dialout, Sid, UnixMillis};
use mediator_net::Clock;
use mediator_store::record::{DialoutRecord, Kind, Record, Versioned};
use mediator_store::{Change, Committed, Op, Refused, Revision, Store, Write};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tracing::{error, info, warn};

use crate::records::{DialoutEnd, Recorder};

#[cfg(test)]
mod tests;

/// The longest sleep: the wall clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// When a mark that the store could not write is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// Marks asked for before others get a turn.
const BATCH: usize = 256;

/// Its time passed while the server was down: Request Timeout.
const TOO_LATE: u16 = 408;
/// The server ended while it was dialled: Service Unavailable.
const INTERRUPTED: u16 = 503;

/// Calls what a dialout names. It is marked in the store; whoever takes it removes it when its stages are joined or its
/// call has failed: see [`remove`].
pub trait Dialer: Send + Sync {
    /// Begins to dial. Must not wait.
    fn dial(&self, dialout: Arc<Dialout>);
}

/// Removes a dialout that is joined or over. Does not wait.
pub fn remove(store: &dyn Store, dialout: Sid, now: UnixMillis) {
    let op = Op::Delete { kind: Kind::Dialout, sid: dialout, expect: None };
    let done = move |result: Result<Committed, Refused>| match result {
        // Removed before is as good.
        Ok(_) | Err(Refused::Gone { .. }) => {}
        Err(cause) => warn!(%dialout, %cause, "a dialout that is over was not removed"),
    };
    store.submit(Write::one(now, op), Box::new(done));
}

/// What the schedule works with.
pub struct DialoutParts {
    /// Where dialouts are.
    pub store: Arc<dyn Store>,
    /// Keeps the records of those that are not dialled.
    pub recorder: Arc<Recorder>,
    /// How late a dialout may be after a start: `dialout.grace`.
    pub grace: Duration,
    /// Who dials.
    pub dialer: Arc<dyn Dialer>,
}

/// The schedule.
pub struct Dialouts {
    parts: DialoutParts,
    state: Arc<State>,
}

/// Shared with the store's answers.
#[derive(Default)]
struct State {
    waiting: Mutex<Waiting>,
    /// Marked durably, not handed over yet.
    marked: Mutex<Vec<Arc<DialoutRecord>>>,
    /// Something to do has come.
    changed: Notify,
}

/// What waits, by sid and by time.
#[derive(Default)]
struct Waiting {
    by_sid: HashMap<Sid, Entry>,
    by_time: BTreeSet<(UnixMillis, Sid)>,
}

/// One that waits: when it is looked at next is its due time, or later where the store has failed.
struct Entry {
    at: UnixMillis,
    dialout: Versioned<Arc<DialoutRecord>>,
}

impl Waiting {
    fn put(&mut self, at: UnixMillis, dialout: Versioned<Arc<DialoutRecord>>) {
        let sid = dialout.record.sid;
        self.remove(sid);
        self.by_time.insert((at, sid));
        self.by_sid.insert(sid, Entry { at, dialout });
    }

    fn remove(&mut self, sid: Sid) -> Option<Entry> {
        let entry = self.by_sid.remove(&sid)?;
        self.by_time.remove(&(entry.at, sid));
        Some(entry)
    }

    fn take_due(&mut self, now: UnixMillis) -> Option<Versioned<Arc<DialoutRecord>>> {
        let (at, sid) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.remove(sid).map(|entry| entry.dialout)
    }

    fn next(&self) -> Option<UnixMillis> {
        self.by_time.first().map(|(at, _)| *at)
    }
}

impl Dialouts {
    /// A schedule that nothing waits in.
    pub fn new(parts: DialoutParts) -> Self {
        Self { parts, state: Arc::default() }
    }

    /// Takes over what the store holds at start, `now`: what was being dialled when the process ended, and what is later
    /// than the grace, is ended with a record; the rest waits.
    pub fn begin(&self, dialouts: Vec<Versioned<Arc<DialoutRecord>>>, now: UnixMillis) {
        for dialout in dialouts {
            let record = &dialout.record;
            if record.dialling {
                info!(dialout = %record.sid, "interrupted while it was dialled: ended");
                self.end(record, &DialoutEnd::undialled(now, INTERRUPTED));
            } else if record.due + self.parts.grace < now {
                info!(dialout = %record.sid, "its time passed while the server was down: dropped");
                self.end(record, &DialoutEnd::undialled(now, TOO_LATE));
            } else {
                self.state.waiting.lock().put(record.due, dialout);
            }
        }
        self.state.changed.notify_one();
    }

    /// Follows a write of the store.
    pub fn apply(&self, committed: &Committed) {
        for change in committed.changes.iter() {
            match change {
                Change::Put(Record::Dialout(record)) => self.put(committed.revision, record),
                Change::Removed { kind: Kind::Dialout, sid } => {
                    self.state.waiting.lock().remove(*sid);
                }
                Change::Put(_) | Change::Removed { .. } => {}
            }
        }
    }

    fn put(&self, revision: Revision, record: &Arc<DialoutRecord>) {
        let mut waiting = self.state.waiting.lock();
        if record.dialling {
            waiting.remove(record.sid);
        } else {
            waiting.put(record.due, Versioned { revision, record: record.clone() });
            self.state.changed.notify_one();
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.state.waiting.lock().by_sid.len()
    }

    /// Looks again, now.
    pub fn look(&self) {
        self.state.changed.notify_one();
    }

    /// Ends a dialout that is not dialled: keeps its record and removes the object. Where the process ends between the
    /// two, the next start ends it again: of two records the store keeps the first.
    fn end(&self, dialout: &DialoutRecord, end: &DialoutEnd) {
        self.parts.recorder.dialout_ended(dialout, end);
        remove(&*self.parts.store, dialout.sid, end.date_stop);
    }

    /// Runs until the task is dropped.
    pub async fn run(&self, clock: Clock) {
        loop {
            let now = clock.unix_now();
            let next = self.run_due(now);
            let sleep = next.map_or(LONGEST_SLEEP, |at| at.saturating_since(now));
            tokio::select! {
                () = self.state.changed.notified() => {}
                () = tokio::time::sleep(sleep.min(LONGEST_SLEEP)) => {}
            }
        }
    }

    /// Hands over what is marked, and asks for the mark of what is due at `now`; when the next one is due.
    pub fn run_due(&self, now: UnixMillis) -> Option<UnixMillis> {
        let marked = std::mem::take(&mut *self.state.marked.lock());
        for dialout in marked {
            self.parts.dialer.dial(dialout.to_dialout());
        }
        for _ in 0..BATCH {
            // The lock is not held while the store is asked: its answer may come at once.
            let Some(dialout) = self.state.waiting.lock().take_due(now) else { break };
            self.mark(dialout, now);
        }
        self.state.waiting.lock().next()
    }

    /// Asks the store to mark a dialout; only what it has marked is dialled.
    fn mark(&self, dialout: Versioned<Arc<DialoutRecord>>, now: UnixMillis) {
        let marked = Arc::new(DialoutRecord { dialling: true, ..(*dialout.record).clone() });
        let record = Record::Dialout(marked.clone());
        let op = Op::Update { record, expect: dialout.revision };
        let state = self.state.clone();
        let done = move |result: Result<Committed, Refused>| match result {
            Ok(_) => {
                state.marked.lock().push(marked);
                state.changed.notify_one();
            }
            Err(cause) => state.not_marked(dialout, now, &cause),
        };
        self.parts.store.submit(Write::one(now, op), Box::new(done));
    }
}

impl State {
    fn not_marked(&self, dialout: Versioned<Arc<DialoutRecord>>, now: UnixMillis, cause: &Refused) {
        match cause {
            // Changed or deleted meanwhile: what it is now came by `apply`.
            Refused::Stale { .. } | Refused::Gone { .. } => {}
            Refused::Overloaded | Refused::Failed(_) => {
                let sid = dialout.record.sid;
                warn!(dialout = %sid, %cause, "a dialout that is due is not dialled yet");
                let mut waiting = self.waiting.lock();
                if !waiting.by_sid.contains_key(&sid) {
                    waiting.put(now + RETRY, dialout);
                }
            }
            Refused::Exists
            | Refused::Taken { .. }
            | Refused::InUse { .. }
            | Refused::Claimed
            | Refused::Remembered => {
                error!(dialout = %dialout.record.sid, %cause, "a defect: a dialout was not marked");
            }
        }
    }
}
