//! The writer: one thread, one connection, one transaction for all that waits (group commit).
//!
//! A group is begun, each write is done inside a savepoint of its own, the group is committed and synced to disk; then the
//! follower hears of it, in order; then those who asked. A group that the disk refuses is tried again write by write, so
//! that one that cannot be stored takes no other with it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mediator_model::Sid;
use parking_lot::Mutex;
use rusqlite::Connection;

use super::calls::{self, Appender};
use super::log::Log;
use super::queue::{Job, Queue};
use super::seal::Sealer;
use super::stop::{Stop, failed, remedy};
use super::{bindings, ops};
use crate::record::{BindingRecord, Versioned};
use crate::traits::{Follower, ReadError};
use crate::write::{Committed, Done, Op, Refused, Write};

/// Records that are kept in memory while the disk takes none; the oldest goes when there are more.
const MAX_BACKLOG: usize = 65_536;
/// How many of them are tried again at once.
const BACKLOG_GROUP: usize = 256;
/// How often they are tried again.
const BACKLOG_PATIENCE: Duration = Duration::from_secs(1);

/// What the writer shares with the store's readers.
pub(super) struct Shared {
    /// What waits.
    pub(super) queue: Queue,
    /// The newest durable revision.
    pub(super) revision: AtomicU64,
    /// The key of secrets.
    pub(super) sealer: Sealer,
}

/// What is done after each group.
pub(super) type Written = Box<dyn Fn(&Connection) + Send>;

/// The writer's thread.
pub(super) struct Writer {
    /// Its connection; in memory everybody's.
    pub(super) db: Arc<Mutex<Connection>>,
    /// See [`Shared`].
    pub(super) shared: Arc<Shared>,
    /// Who hears of changes.
    pub(super) follower: Arc<dyn Follower>,
    /// The feed's length.
    pub(super) log: Log,
    /// Told after a group that the write-ahead log grew.
    pub(super) written: Option<Written>,
    /// Records that the disk did not take yet.
    pub(super) backlog: VecDeque<Job>,
}

/// What became of one job.
enum Outcome {
    Committed(Committed),
    Refused(Refused, Vec<FailedClaim>),
    /// So many records went.
    Purged(usize),
    /// Nobody waits to hear.
    Silent,
}

/// A claim that was not stored, and what the store holds instead.
type FailedClaim = (Sid, Option<Versioned<BindingRecord>>);

impl Writer {
    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let _end = End(Arc::clone(&self.shared));
        loop {
            let patience = (!self.backlog.is_empty()).then_some(BACKLOG_PATIENCE);
            let Some(taken) = self.shared.queue.take(patience) else { break };
            let many = self.backlog.len().min(BACKLOG_GROUP);
            let group: Vec<Job> = self.backlog.drain(..many).chain(taken).collect();
            self.store(group);
        }
        if !self.backlog.is_empty() {
            let group = self.backlog.drain(..).collect();
            self.store(group);
            if !self.backlog.is_empty() {
                tracing::error!(lost = self.backlog.len(), "call records could not be stored");
            }
        }
    }

    fn store(&mut self, group: Vec<Job>) {
        let error = match self.commit(&group) {
            Ok(outcomes) => return self.tell(group, outcomes),
            Err(error) => error,
        };
        tracing::warn!(cause = remedy(&error), jobs = group.len(), "a group was not stored");
        for job in group {
            match job {
                Job::Append(_) | Job::Attempted(..) => self.postpone(job),
                Job::Flush(_) | Job::Settle(_) => self.tell(vec![job], vec![Outcome::Silent]),
                Job::Purge { told, .. } => {
                    // Who asked may have gone.
                    let _ = told.try_send(Err(ReadError::Failed(remedy(&error).into())));
                }
                Job::Write(..) => {
                    let one = vec![job];
                    let outcomes = self.commit(&one).unwrap_or_else(|error| {
                        vec![Outcome::Refused(failed(&error), self.failed_claims(&one))]
                    });
                    self.tell(one, outcomes);
                }
            }
        }
    }

    /// Keeps a record for when the disk takes it.
    fn postpone(&mut self, job: Job) {
        if self.backlog.len() >= MAX_BACKLOG {
            self.backlog.pop_front();
            tracing::error!("the disk takes nothing for so long that a call record is lost");
        }
        self.backlog.push_back(job);
    }

    /// One transaction; nothing of it remains where it fails.
    fn commit(&mut self, group: &[Job]) -> rusqlite::Result<Vec<Outcome>> {
        let db = Arc::clone(&self.db);
        let conn = db.lock();
        let before = self.log.clone();
        let result = self.try_commit(&conn, group);
        if result.is_err() {
            self.log = before;
            if !conn.is_autocommit()
                && let Err(error) = conn.execute_batch("ROLLBACK")
            {
                tracing::error!(cause = remedy(&error), "a transaction could not be undone");
            }
        } else {
            self.shared.revision.store(self.log.revision(), Ordering::Release);
            if let Some(written) = &self.written {
                written(&conn);
            }
        }
        result
    }

    fn try_commit(&mut self, conn: &Connection, group: &[Job]) -> rusqlite::Result<Vec<Outcome>> {
        run(conn, "BEGIN IMMEDIATE")?;
        let mut outcomes = Vec::with_capacity(group.len());
        let mut appender = None;
        for job in group {
            outcomes.push(self.one(&mut appender, (conn, job))?);
        }
        self.log.keep(conn)?;
        run(conn, "COMMIT")?;
        Ok(outcomes)
    }

    fn one<'conn>(
        &mut self,
        appender: &mut Option<Appender<'conn>>,
        (conn, job): (&'conn Connection, &Job),
    ) -> rusqlite::Result<Outcome> {
        match job {
            Job::Write(write, _) => self.write(conn, write),
            Job::Append(delivery) => {
                let appender = match appender {
                    Some(ready) => ready,
                    none => none.insert(Appender::new(conn)?),
                };
                appender.append(delivery)?;
                Ok(Outcome::Silent)
            }
            Job::Attempted(id, outcome) => {
                calls::attempted(conn, *id, outcome)?;
                Ok(Outcome::Silent)
            }
            Job::Purge { before, limit, .. } => {
                Ok(Outcome::Purged(calls::purge(conn, *before, *limit)?))
            }
            Job::Flush(_) | Job::Settle(_) => Ok(Outcome::Silent),
        }
    }

    fn write(&mut self, conn: &Connection, write: &Write) -> rusqlite::Result<Outcome> {
        run(conn, "SAVEPOINT one")?;
        let revision = self.log.revision() + 1;
        let outcome = match ops::apply(conn, &self.shared.sealer, write, revision) {
            Ok(changes) => {
                self.log.grow(changes.len());
                Outcome::Committed(Committed {
                    revision: self.log.revision(),
                    changes: changes.into(),
                })
            }
            Err(Stop::Refused(refused)) => {
                run(conn, "ROLLBACK TO one")?;
                Outcome::Refused(refused, claims_of(conn, write)?)
            }
            Err(Stop::Sqlite(error)) => return Err(error),
        };
        run(conn, "RELEASE one")?;
        Ok(outcome)
    }

    /// What the store holds of the bindings that a lost write claimed. A store that cannot be read tells nothing: then
    /// the table goes on with what it decided, and the call is refused.
    fn failed_claims(&self, group: &[Job]) -> Vec<FailedClaim> {
        let conn = self.db.lock();
        let mut failed = Vec::new();
        for job in group {
            if let Job::Write(write, _) = job {
                match claims_of(&conn, write) {
                    Ok(claims) => failed.extend(claims),
                    Err(error) => {
                        tracing::error!(
                            cause = remedy(&error),
                            "a failed claim cannot be looked up"
                        );
                    }
                }
            }
        }
        failed
    }

    /// Tells the follower, then those who asked, each in order.
    fn tell(&self, group: Vec<Job>, outcomes: Vec<Outcome>) {
        for outcome in &outcomes {
            guarded(|| self.follow(outcome));
        }
        guarded(|| self.follower.settled());
        for (job, outcome) in group.into_iter().zip(outcomes) {
            match (job, outcome) {
                (Job::Write(_, done), outcome) => answer(done, outcome),
                (Job::Flush(told) | Job::Settle(told), _) => {
                    // Who asked may have gone.
                    let _ = told.try_send(());
                }
                (Job::Purge { told, .. }, Outcome::Purged(many)) => {
                    let _ = told.try_send(Ok(many));
                }
                (Job::Append(_) | Job::Attempted(..) | Job::Purge { .. }, _) => {}
            }
        }
    }

    fn follow(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Committed(committed) if !committed.changes.is_empty() => {
                self.follower.committed(committed);
            }
            Outcome::Refused(_, claims) => {
                for (sid, binding) in claims {
                    self.follower.claim_failed(*sid, binding.clone());
                }
            }
            Outcome::Committed(_) | Outcome::Purged(_) | Outcome::Silent => {}
        }
    }
}

/// Whatever ends the thread, nobody waits for it: what it was asked and did not begin is refused, and so is what comes later.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        let queue = &self.0.queue;
        queue.close();
        // Nothing but a panic leaves jobs behind. Dropping those that are no writes tells who waits for them.
        while let Some(jobs) = queue.take(None) {
            for job in jobs {
                if let Job::Write(_, done) = job {
                    guarded(|| done(Err(Refused::Failed("its thread has ended".into()))));
                }
            }
        }
    }
}

fn answer(done: Done, outcome: Outcome) {
    let result = match outcome {
        Outcome::Committed(committed) => Ok(committed),
        Outcome::Refused(refused, _) => Err(refused),
        Outcome::Purged(_) | Outcome::Silent => return,
    };
    guarded(|| done(result));
}

/// A listener's bug must not end the thread that everybody's writes wait for.
fn guarded(call: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(call)).is_err() {
        tracing::error!("a listener of the store panicked");
    }
}

fn claims_of(conn: &Connection, write: &Write) -> rusqlite::Result<Vec<FailedClaim>> {
    let mut claims = Vec::new();
    for op in &write.ops {
        if let Op::Claim { binding_sid, .. } = op {
            let found = bindings::find(conn, *binding_sid)?
                .map(|(_, found)| found)
                .filter(|found| !found.record.is_expired(write.now));
            claims.push((*binding_sid, found));
        }
    }
    Ok(claims)
}

fn run(conn: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(drop)
}
