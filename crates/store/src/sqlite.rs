//! The embedded store: SQLite in a folder, or in memory.
//!
//! One writer thread commits what waits in groups, each with one sync to disk; reads go over connections of their own and
//! wait for nobody. A folder holds `mediator.db` (with its write-ahead log), `secret.key`, which seals passwords, and
//! `mediator.lock`, held by the process that has it open. A backup is a copy of the whole folder while nothing runs.

mod bindings;
mod calls;
mod cells;
mod checkpoint;
mod compile;
mod dialouts;
mod fields;
mod functions;
mod lists;
mod log;
mod objects;
mod open;
mod ops;
mod plan;
mod queue;
mod reads;
mod schema;
mod seal;
mod snapshot;
mod stop;
#[cfg(test)]
mod tests;
mod times;
mod writer;

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use mediator_model::{BindingKey, Sid, UnixMillis};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};

use self::cells::SidCell;
use self::checkpoint::Checkpointer;
use self::log::Log;
use self::queue::{Job, NotTaken, Queue};
use self::reads::{Pool, Reads};
use self::writer::{Shared, Writer};
use crate::query::{CallQuery, Page, Query};
use crate::record::{BindingRecord, CallRow, DialoutRecord, Kind, LegRow, Record, Versioned};
use crate::traits::{
    CallDelivery, Calls, Delivery, DeliveryOutcome, FeedError, Follower, OpenError, ReadError,
    Remembered, Store,
};
use crate::write::{Change, Done, Refused, Revision, Write};

/// Connections for reads.
const READERS: usize = 4;
/// How long a read of call records waits for those that are being stored.
const SETTLE_PATIENCE: Duration = Duration::from_secs(1);

/// Where a store lives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Location {
    /// In memory: it ends with the process.
    Memory,
    /// In this folder, which is made where it is not there.
    Folder(PathBuf),
}

/// A store that was found in order and is ours, before anything is written: what a follower keeps in memory is read from
/// here first.
pub struct Opened {
    db: Arc<Mutex<Connection>>,
    shared: Arc<Shared>,
    reads: Arc<Reads>,
    log: Log,
    checkpointer: Option<Checkpointer>,
    lock: Option<File>,
}

/// SQLite as a [`Store`] and as [`Calls`]. Dropping it stores what waits, and closes the database.
pub struct SqliteStore {
    shared: Arc<Shared>,
    reads: Arc<Reads>,
    writer: Option<JoinHandle<()>>,
    /// Ends after the writer.
    checkpointer: Option<Checkpointer>,
    /// Let go last.
    _lock: Option<File>,
}

impl SqliteStore {
    /// Opens a store, and makes it where there is none; nothing that is there is overwritten.
    pub fn open(location: &Location) -> Result<Opened, OpenError> {
        match location {
            Location::Memory => {
                let (conn, sealer) = open::memory()?;
                let db = Arc::new(Mutex::new(conn));
                let reads = Reads::Shared(Arc::clone(&db));
                Opened::new(db, sealer, reads).map_err(|error| unusable(location, &error))
            }
            Location::Folder(path) => {
                let folder = open::folder(path)?;
                let readers = (0..READERS).map(|_| open::reader(&folder.database));
                let opened = readers
                    .collect::<rusqlite::Result<Vec<_>>>()
                    .and_then(|readers| {
                        let db = Arc::new(Mutex::new(folder.conn));
                        Opened::new(db, folder.sealer, Reads::Pool(Pool::new(readers)))
                    })
                    .map_err(|error| unusable(location, &error))?;
                let checkpointer = open::reader(&folder.database)
                    .map_err(|error| unusable(location, &error))
                    .and_then(|conn| {
                        Checkpointer::start(conn).map_err(|error| OpenError::Unusable {
                            path: shown(location),
                            cause: error.to_string().into(),
                        })
                    })?;
                let (checkpointer, lock) = (Some(checkpointer), Some(folder.lock));
                Ok(Opened { checkpointer, lock, ..opened })
            }
        }
    }
}

fn unusable(location: &Location, error: &rusqlite::Error) -> OpenError {
    OpenError::Unusable { path: shown(location), cause: stop::remedy(error).into() }
}

fn shown(location: &Location) -> Box<str> {
    match location {
        Location::Memory => "memory:".into(),
        Location::Folder(path) => path.display().to_string().into(),
    }
}

impl Opened {
    fn new(
        db: Arc<Mutex<Connection>>,
        sealer: seal::Sealer,
        reads: Reads,
    ) -> rusqlite::Result<Self> {
        let log = Log::open(&db.lock())?;
        let revision = AtomicU64::new(log.revision());
        let shared = Arc::new(Shared { queue: Queue::default(), revision, sealer });
        Ok(Self { db, shared, reads: Arc::new(reads), log, checkpointer: None, lock: None })
    }

    /// As [`Store::snapshot`].
    pub fn snapshot(
        &self,
        now: UnixMillis,
        each: &mut dyn FnMut(Versioned<Record>),
    ) -> Result<Revision, ReadError> {
        self.reads.with(|conn| snapshot::read(conn, &self.shared.sealer, now, each))
    }

    /// Begins to take writes; `follower` hears of every one after the revision of the snapshot.
    pub fn start(self, follower: Arc<dyn Follower>) -> Result<SqliteStore, OpenError> {
        let writer = Writer {
            db: self.db,
            shared: Arc::clone(&self.shared),
            follower,
            log: self.log,
            written: self.checkpointer.as_ref().map(Checkpointer::hook),
            backlog: VecDeque::new(),
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| OpenError::Unusable {
                path: "the store's thread".into(),
                cause: error.to_string().into(),
            })?;
        Ok(SqliteStore {
            shared: self.shared,
            reads: self.reads,
            writer: Some(thread),
            checkpointer: self.checkpointer,
            _lock: self.lock,
        })
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer ended before the store");
        }
        self.checkpointer = None;
    }
}

impl SqliteStore {
    fn push(&self, job: Job) {
        let Err(refused) = self.shared.queue.push(job) else { return };
        match refused {
            NotTaken::Full(Job::Write(_, done)) => done(Err(Refused::Overloaded)),
            NotTaken::Closed(Job::Write(_, done)) => {
                done(Err(Refused::Failed("the store is being closed".into())));
            }
            // Who waits for it hears that it is gone.
            NotTaken::Full(Job::Flush(_) | Job::Settle(_))
            | NotTaken::Closed(Job::Flush(_) | Job::Settle(_)) => {}
            NotTaken::Full(_) | NotTaken::Closed(_) => {
                tracing::error!("a call record is lost: the store takes no more");
            }
        }
    }

    /// Reads call records or deliveries: those too that were appended before, unless the disk is too slow.
    fn read_records<R>(
        &self,
        read: impl FnOnce(&Connection) -> Result<R, ReadError>,
    ) -> Result<R, ReadError> {
        if self.shared.queue.holds_records() {
            let (settled, heard) = sync_channel(1);
            self.push(Job::Settle(settled));
            // Who is late is read next time.
            let _ = heard.recv_timeout(SETTLE_PATIENCE);
        }
        self.reads.with(read)
    }
}

impl Store for SqliteStore {
    fn submit(&self, write: Write, done: Done) {
        self.push(Job::Write(write, done));
    }

    fn revision(&self) -> Revision {
        self.shared.revision.load(Ordering::Acquire)
    }

    fn changes_after(
        &self,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<(Revision, Change)>, FeedError> {
        self.reads.with(|conn| log::changes_after(conn, &self.shared.sealer, after, limit))
    }

    fn snapshot(
        &self,
        now: UnixMillis,
        each: &mut dyn FnMut(Versioned<Record>),
    ) -> Result<Revision, ReadError> {
        self.reads.with(|conn| snapshot::read(conn, &self.shared.sealer, now, each))
    }

    fn object(
        &self,
        kind: Kind,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Versioned<Record>>, ReadError> {
        let found = self.reads.with(|conn| log::object(conn, &self.shared.sealer, kind, sid))?;
        Ok(found.filter(|found| match &found.record {
            Record::Binding(binding) => !binding.is_expired(now),
            _ => true,
        }))
    }

    fn binding_at(
        &self,
        key: BindingKey,
        now: UnixMillis,
    ) -> Result<Option<Versioned<BindingRecord>>, ReadError> {
        let found = self.reads.with(|conn| bindings::find_key(conn, key))?;
        Ok(found.map(|(_, found)| found).filter(|found| !found.record.is_expired(now)))
    }

    fn bindings(
        &self,
        account: Sid,
        query: &Query,
    ) -> Result<Page<Versioned<BindingRecord>>, ReadError> {
        self.reads.with(|conn| lists::bindings(conn, account, query))
    }

    fn dialouts(
        &self,
        account: Sid,
        query: &Query,
    ) -> Result<Page<Versioned<DialoutRecord>>, ReadError> {
        self.reads.with(|conn| lists::dialouts(conn, account, query))
    }

    fn each_binding(
        &self,
        account: Sid,
        now: UnixMillis,
        each: &mut dyn FnMut(&BindingRecord) -> bool,
    ) -> Result<(), ReadError> {
        let mut after = 0;
        loop {
            // No connection is held while `each` works: it may be a slow client's.
            let batch = self.reads.with(|conn| lists::batch(conn, account, after, now))?;
            let Some((last, _)) = batch.last() else { return Ok(()) };
            after = *last;
            if !batch.iter().all(|(_, binding)| each(binding)) {
                return Ok(());
            }
        }
    }

    fn remembered(
        &self,
        owner: Sid,
        key: &str,
        now: UnixMillis,
    ) -> Result<Option<Remembered>, ReadError> {
        let found = self.reads.with(|conn| remembered(conn, owner, key))?;
        let Some(mut found) = found.filter(|found| found.until > now) else { return Ok(None) };
        let name = ops::remember_name(owner, key);
        let opened = self.shared.sealer.open(&found.body, &name);
        found.body = opened.map_err(|error| ReadError::Failed(error.to_string().into()))?.into();
        Ok(Some(found))
    }

    fn flush(&self) {
        let (flushed, heard) = sync_channel(1);
        let (settled, heard_too) = sync_channel(1);
        self.push(Job::Flush(flushed));
        self.push(Job::Settle(settled));
        // An error is the writer's end: there is nothing left to wait for.
        let _ = (heard.recv(), heard_too.recv());
    }
}

fn remembered(conn: &Connection, owner: Sid, key: &str) -> Result<Option<Remembered>, ReadError> {
    let found = conn
        .prepare_cached(
            "SELECT fingerprint, status, body, until FROM remembered WHERE owner = ?1 AND key = ?2",
        )?
        .query_row(params![SidCell(owner), key], |row| {
            Ok(Remembered {
                owner,
                key: key.into(),
                fingerprint: row.get(0)?,
                status: row.get(1)?,
                body: row.get::<_, Vec<u8>>(2)?.into(),
                until: cells::time(row, 3)?,
            })
        })
        .optional()?;
    Ok(found)
}

impl Calls for SqliteStore {
    fn append(&self, delivery: CallDelivery) {
        self.push(Job::Append(Box::new(delivery)));
    }

    fn calls(&self, query: &CallQuery) -> Result<Page<CallRow>, ReadError> {
        self.read_records(|conn| lists::calls(conn, query))
    }

    fn legs(&self, query: &CallQuery) -> Result<Page<LegRow>, ReadError> {
        self.read_records(|conn| lists::legs(conn, query))
    }

    fn call(&self, dr_sid: Sid) -> Result<Option<CallRow>, ReadError> {
        self.read_records(|conn| Ok(calls::call(conn, dr_sid)?))
    }

    fn leg(&self, dr_sid: Sid) -> Result<Option<LegRow>, ReadError> {
        self.read_records(|conn| Ok(calls::leg(conn, dr_sid)?))
    }

    fn purge(&self, before: UnixMillis, limit: usize) -> Result<usize, ReadError> {
        let (told, heard) = sync_channel(1);
        self.push(Job::Purge { before, limit, told });
        heard.recv().unwrap_or_else(|_| Err(ReadError::Failed("the store is closed".into())))
    }

    fn due(&self, now: UnixMillis, limit: usize) -> Result<Vec<Delivery>, ReadError> {
        self.read_records(|conn| Ok(calls::due(conn, now, limit)?))
    }

    fn next_due(&self) -> Result<Option<UnixMillis>, ReadError> {
        self.read_records(|conn| Ok(calls::next_due(conn)?))
    }

    fn attempted(&self, id: u64, outcome: DeliveryOutcome) {
        self.push(Job::Attempted(id, outcome));
    }

    fn dead_letters(&self, offset: u64, limit: u32) -> Result<Page<Delivery>, ReadError> {
        let limit = limit.min(Query::MAX_LIMIT);
        let (items, total) =
            self.read_records(|conn| Ok(calls::dead_letters(conn, offset, limit)?))?;
        let has_more = offset.saturating_add(items.len() as u64) < total;
        Ok(Page { items, total: Some(total), has_more })
    }
}
