//! What waits for the writer: bounded for clients, with a reserve for calls.
//!
//! Claims overtake everything: a caller waits for them. Writes keep their order. Call records, for which nobody waits, gather:
//! a transaction costs more than a record, so a busy server makes a few a second. The first record after a pause goes at
//! once, and so do all when somebody wants to read them.

use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use mediator_model::UnixMillis;
use parking_lot::{Condvar, Mutex};

use crate::record::Kind;
use crate::traits::{CallDelivery, DeliveryOutcome, ReadError};
use crate::write::{Done, Op, Write};

/// Operations of clients that may wait, before the next write is refused as too much.
pub(super) const MAX_WAITING_OPS: usize = 65_536;
/// Writes of clients that may wait.
pub(super) const MAX_WAITING_WRITES: usize = 16_384;
/// Operations of one group, save that a single write may have more.
const MAX_GROUP_OPS: usize = 2_048;
/// Claims, expiries and records that may wait; as many calls do not end within a second.
pub(super) const MAX_RESERVE: usize = 1_048_576;
/// How long records gather since the last were taken.
const GATHER: Duration = Duration::from_millis(100);
/// As many records are taken whenever they came.
const GATHERED: usize = 1_024;

/// One thing to make durable.
pub(super) enum Job {
    /// A write of objects.
    Write(Write, Done),
    /// A call's records.
    Append(Box<CallDelivery>),
    /// What became of a delivery.
    Attempted(u64, DeliveryOutcome),
    /// Removes old call records, and tells how many went.
    Purge {
        /// Those stored before this.
        before: UnixMillis,
        /// At most this many of each kind.
        limit: usize,
        /// Who asked.
        told: SyncSender<Result<usize, ReadError>>,
    },
    /// Tells when all writes before it are done.
    Flush(SyncSender<()>),
    /// Tells when all records before it are done.
    Settle(SyncSender<()>),
}

/// From which share of the queue a job takes its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Claim,
    Reserve,
    Client,
    Records,
}

impl Job {
    fn lane(&self) -> Lane {
        match self {
            Self::Write(write, _) if !write.ops.is_empty() => {
                let is_claim = |op: &Op| matches!(op, Op::Claim { .. });
                let is_expiry = |op: &Op| matches!(op, Op::Expire { .. });
                if write.ops.iter().all(is_claim) {
                    Lane::Claim
                } else if write.ops.iter().all(is_expiry) {
                    Lane::Reserve
                } else {
                    Lane::Client
                }
            }
            Self::Write(..) => Lane::Client,
            Self::Flush(_) => Lane::Reserve,
            Self::Append(_) | Self::Attempted(..) | Self::Purge { .. } | Self::Settle(_) => {
                Lane::Records
            }
        }
    }

    /// Whether somebody waits for it behind records that gather, or records must not be lost that came before it: a
    /// dialout that is over is removed once its record is told, and one of the two is always there.
    fn hurries_records(&self) -> bool {
        let ends_dialout = |op: &Op| matches!(op, Op::Delete { kind: Kind::Dialout, .. });
        match self {
            Self::Purge { .. } | Self::Settle(_) => true,
            Self::Write(write, _) => write.ops.iter().any(ends_dialout),
            Self::Append(_) | Self::Attempted(..) | Self::Flush(_) => false,
        }
    }

    fn ops(&self) -> usize {
        match self {
            Self::Write(write, _) => write.ops.len().max(1),
            Self::Append(_) | Self::Attempted(..) | Self::Flush(_) | Self::Settle(_) => 1,
            Self::Purge { limit, .. } => *limit,
        }
    }
}

#[derive(Default)]
struct Waiting {
    claims: VecDeque<Job>,
    others: VecDeque<Job>,
    records: VecDeque<Job>,
    client_ops: usize,
    client_writes: usize,
    /// Those in `records` that make all of them due.
    hurried: usize,
    /// When records were taken last.
    records_taken: Option<Instant>,
    /// The last group that was taken held records: they may not be stored yet.
    holds_records: bool,
    closed: bool,
}

/// When there is something to do.
#[derive(Clone, Copy)]
enum Due {
    Now,
    At(Instant),
    Never,
}

/// The queue between everybody and the writer.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// Why a job was not taken; it comes back.
pub(super) enum NotTaken {
    /// Too many wait.
    Full(Job),
    /// The store is being closed.
    Closed(Job),
}

impl Queue {
    /// Puts a job at the end of its lane.
    #[expect(clippy::result_large_err, reason = "the job goes back whole to who pushed it")]
    pub(super) fn push(&self, job: Job) -> Result<(), NotTaken> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(NotTaken::Closed(job));
        }
        let is_hurried = job.hurries_records();
        match job.lane() {
            // As many as there are calls, which are limited elsewhere.
            Lane::Claim => waiting.claims.push_back(job),
            Lane::Reserve | Lane::Records if waiting.reserve() >= MAX_RESERVE => {
                return Err(NotTaken::Full(job));
            }
            Lane::Reserve => waiting.others.push_back(job),
            Lane::Records => {
                waiting.records.push_back(job);
                let many = waiting.records.len();
                // Who gathers them wakes by himself.
                if !is_hurried && many != 1 && many != GATHERED {
                    return Ok(());
                }
            }
            Lane::Client => {
                if waiting.client_writes >= MAX_WAITING_WRITES
                    || waiting.client_ops >= MAX_WAITING_OPS
                {
                    return Err(NotTaken::Full(job));
                }
                waiting.client_writes += 1;
                waiting.client_ops += job.ops();
                waiting.others.push_back(job);
            }
        }
        waiting.hurried += usize::from(is_hurried);
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for jobs, at most `patience` where that is given, and takes a group of them. `None`: closed, and empty.
    pub(super) fn take(&self, patience: Option<Duration>) -> Option<Vec<Job>> {
        let mut waiting = self.waiting.lock();
        waiting.holds_records = false;
        let until = patience.map(|patience| Instant::now() + patience);
        loop {
            let gathered = match waiting.due() {
                Due::Now => return Some(waiting.group()),
                Due::Never if waiting.closed => return None,
                Due::Never => None,
                Due::At(time) => Some(time),
            };
            match gathered.into_iter().chain(until).min() {
                None => self.changed.wait(&mut waiting),
                Some(time) => {
                    let is_late = self.changed.wait_until(&mut waiting, time).timed_out();
                    if is_late && until.is_some_and(|until| until <= time) {
                        return Some(Vec::new());
                    }
                }
            }
        }
    }

    /// Whether there are records that readers may not see yet.
    pub(super) fn holds_records(&self) -> bool {
        let waiting = self.waiting.lock();
        waiting.holds_records || !waiting.records.is_empty()
    }

    /// Takes no more; what waits is still done.
    pub(super) fn close(&self) {
        self.waiting.lock().closed = true;
        self.changed.notify_all();
    }
}

impl Waiting {
    fn reserve(&self) -> usize {
        self.others.len() - self.client_writes + self.records.len()
    }

    fn due(&self) -> Due {
        if !self.claims.is_empty() || !self.others.is_empty() {
            return Due::Now;
        }
        self.records_due()
    }

    fn records_due(&self) -> Due {
        if self.records.is_empty() {
            return Due::Never;
        }
        if self.closed || self.hurried > 0 || self.records.len() >= GATHERED {
            return Due::Now;
        }
        match self.records_taken.map(|taken| taken + GATHER) {
            Some(gathered) if gathered > Instant::now() => Due::At(gathered),
            _ => Due::Now,
        }
    }

    fn group(&mut self) -> Vec<Job> {
        let mut group = Vec::new();
        let mut ops = 0;
        while ops < MAX_GROUP_OPS
            && let Some(job) = self.claims.pop_front()
        {
            ops += job.ops();
            group.push(job);
        }
        // Neither keeps the other waiting for ever.
        let share = if self.others.is_empty() { MAX_GROUP_OPS } else { MAX_GROUP_OPS / 2 };
        if matches!(self.records_due(), Due::Now) {
            self.holds_records = true;
            self.records_taken = Some(Instant::now());
            ops = fill(&mut group, &mut self.records, (ops, share));
        }
        let others = group.len();
        fill(&mut group, &mut self.others, (ops, MAX_GROUP_OPS));
        for job in group.get(others..).unwrap_or_default() {
            if job.lane() == Lane::Client {
                self.client_writes -= 1;
                self.client_ops -= job.ops();
            }
        }
        self.hurried -= group.iter().filter(|job| job.hurries_records()).count();
        group
    }
}

/// Takes from `jobs` into a group of `ops` operations until it has `most`; a single job may have more. How many it has then.
fn fill(group: &mut Vec<Job>, jobs: &mut VecDeque<Job>, (mut ops, most): (usize, usize)) -> usize {
    while let Some(job) = jobs.pop_front_if(|job| ops == 0 || ops + job.ops() <= most) {
        ops += job.ops();
        group.push(job);
    }
    ops
}

#[cfg(test)]
mod tests;
