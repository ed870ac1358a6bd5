//! What waits for the writer: bounded for clients, with a reserve for calls.
//!
//! Claims overtake everything: a caller waits for them. The rest keeps its order.

use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use mediator_model::UnixMillis;
use parking_lot::{Condvar, Mutex};

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
    /// Tells when all before it are done.
    Flush(SyncSender<()>),
}

/// From which share of the queue a job takes its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Claim,
    Reserve,
    Client,
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
            Self::Append(_) | Self::Attempted(..) | Self::Purge { .. } | Self::Flush(_) => {
                Lane::Reserve
            }
        }
    }

    fn ops(&self) -> usize {
        match self {
            Self::Write(write, _) => write.ops.len().max(1),
            Self::Append(_) | Self::Attempted(..) | Self::Flush(_) => 1,
            Self::Purge { limit, .. } => *limit,
        }
    }
}

#[derive(Default)]
struct Waiting {
    claims: VecDeque<Job>,
    others: VecDeque<Job>,
    client_ops: usize,
    client_writes: usize,
    closed: bool,
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
        match job.lane() {
            // As many as there are calls, which are limited elsewhere.
            Lane::Claim => waiting.claims.push_back(job),
            Lane::Reserve => {
                if waiting.others.len() - waiting.client_writes >= MAX_RESERVE {
                    return Err(NotTaken::Full(job));
                }
                waiting.others.push_back(job);
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
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for jobs, at most `patience` where that is given, and takes a group of them. `None`: closed, and empty.
    pub(super) fn take(&self, patience: Option<Duration>) -> Option<Vec<Job>> {
        let mut waiting = self.waiting.lock();
        while waiting.claims.is_empty() && waiting.others.is_empty() {
            if waiting.closed {
                return None;
            }
            match patience {
                None => self.changed.wait(&mut waiting),
                Some(patience) => {
                    if self.changed.wait_for(&mut waiting, patience).timed_out() {
                        return Some(Vec::new());
                    }
                }
            }
        }
        Some(waiting.group())
    }

    /// Takes no more; what waits is still done.
    pub(super) fn close(&self) {
        self.waiting.lock().closed = true;
        self.changed.notify_all();
    }
}

impl Waiting {
    fn group(&mut self) -> Vec<Job> {
        let mut ops = 0;
        let mut group = Vec::new();
        while let Some(job) = self.next(ops) {
            ops += job.ops();
            if job.lane() == Lane::Client {
                self.client_writes -= 1;
                self.client_ops -= job.ops();
            }
            group.push(job);
        }
        group
    }

    fn next(&mut self, ops: usize) -> Option<Job> {
        if ops >= MAX_GROUP_OPS {
            return None;
        }
        if !self.claims.is_empty() {
            return self.claims.pop_front();
        }
        let fits =
            self.others.front().is_some_and(|job| ops == 0 || ops + job.ops() <= MAX_GROUP_OPS);
        if fits { self.others.pop_front() } else { None }
    }
}
