//! The feed: which object changed in which revision, for who was away.
//!
//! The newest million or so of changes are kept; the oldest go a little with each group.

use rusqlite::{Connection, OptionalExtension, params};

use mediator_model::Sid;

use super::cells::{self, signed};
use super::seal::Sealer;
use super::{bindings, dialouts, objects};
use crate::record::{Kind, Record, Versioned};
use crate::traits::FeedError;
use crate::write::{Change, Revision};

/// Changes that are kept.
const KEPT: u64 = 1_000_000;
/// The fewest that go at once.
const STEP: u64 = 512;
/// Rows that are looked at in one go.
const BATCH: usize = 1_000;

/// What the writer knows of the feed without asking.
#[derive(Clone, Debug)]
pub(super) struct Log {
    revision: Revision,
    rows: u64,
    kept: u64,
    /// Rows since the last [`Log::keep`].
    grown: u64,
}

impl Log {
    /// The feed of an open database.
    pub(super) fn open(conn: &Connection) -> rusqlite::Result<Self> {
        let rows = conn.query_row("SELECT count(*) FROM log", [], |row| cells::count(row, 0))?;
        Ok(Self { revision: meta(conn, "revision")?, rows, kept: KEPT, grown: 0 })
    }

    /// Keeps fewer changes than a million: for tests.
    #[cfg(test)]
    pub(super) fn keeping(mut self, kept: u64) -> Self {
        self.kept = kept;
        self
    }

    /// The newest revision.
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// A write made this many changes; none: it has no revision.
    pub(super) fn grow(&mut self, changes: usize) {
        if changes > 0 {
            self.revision += 1;
            self.rows += changes as u64;
            self.grown += changes as u64;
        }
    }

    /// Notes the newest revision, and lets old changes go, within the group's transaction.
    pub(super) fn keep(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if self.grown == 0 {
            return Ok(());
        }
        set_meta(conn, "revision", self.revision)?;
        if self.rows > self.kept + STEP {
            let step = (self.grown * 2).max(STEP).min(self.rows - self.kept);
            let floor: Option<u64> = conn
                .prepare_cached(
                    "SELECT revision FROM log ORDER BY revision, place LIMIT 1 OFFSET ?1",
                )?
                .query_row(params![signed(step - 1)], |row| cells::count(row, 0))
                .optional()?;
            if let Some(floor) = floor {
                self.rows -= conn
                    .prepare_cached("DELETE FROM log WHERE revision <= ?1")?
                    .execute(params![signed(floor)])? as u64;
                set_meta(conn, "log_floor", floor)?;
            }
        }
        self.grown = 0;
        Ok(())
    }
}

/// A number of the table `meta`.
pub(super) fn meta(conn: &Connection, key: &str) -> rusqlite::Result<u64> {
    conn.prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row(params![key], |row| cells::count(row, 0))
}

fn set_meta(conn: &Connection, key: &str, value: u64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE meta SET value = ?2 WHERE key = ?1")?
        .execute(params![key, signed(value)])
        .map(drop)
}

/// The changes after a revision; whole revisions, so that the last one can be resumed from. The caller has begun a
/// transaction.
pub(super) fn changes_after(
    conn: &Connection,
    sealer: &Sealer,
    after: Revision,
    limit: usize,
) -> Result<Vec<(Revision, Change)>, FeedError> {
    let (floor, newest) = (meta(conn, "log_floor")?, meta(conn, "revision")?);
    // A revision that is yet to come is of another history: of a store that was set back to a backup.
    if after < floor || after > newest {
        return Err(FeedError::Compacted { oldest: floor });
    }
    let mut changes = Vec::new();
    let mut place = (after, i64::MAX);
    loop {
        let batch = rows(conn, place)?;
        let Some(last) = batch.last() else { return Ok(changes) };
        place = (last.revision, last.place);
        for row in &batch {
            let is_new = changes.last().is_none_or(|(revision, _)| *revision != row.revision);
            if is_new && changes.len() >= limit {
                return Ok(changes);
            }
            if let Some(change) = still_so(conn, sealer, row)? {
                changes.push((row.revision, change));
            }
        }
    }
}

struct LogRow {
    revision: Revision,
    place: i64,
    kind: Kind,
    sid: Sid,
    removed: bool,
}

fn rows(conn: &Connection, after: (Revision, i64)) -> rusqlite::Result<Vec<LogRow>> {
    conn.prepare_cached(
        "SELECT revision, place, kind, sid, removed FROM log \
         WHERE (revision, place) > (?1, ?2) ORDER BY revision, place LIMIT ?3",
    )?
    .query_map(params![signed(after.0), after.1, signed(BATCH as u64)], |row| {
        Ok(LogRow {
            revision: cells::count(row, 0)?,
            place: row.get(1)?,
            kind: objects::kind_of(row.get(2)?)?,
            sid: cells::sid(row, 3)?,
            removed: row.get(4)?,
        })
    })?
    .collect()
}

/// The change, unless a later one says more of the same object.
fn still_so(conn: &Connection, sealer: &Sealer, row: &LogRow) -> rusqlite::Result<Option<Change>> {
    let found = object(conn, sealer, row.kind, row.sid)?;
    Ok(match found {
        Some(found) if !row.removed && found.revision == row.revision => {
            Some(Change::Put(found.record))
        }
        None if row.removed => Some(Change::Removed { kind: row.kind, sid: row.sid }),
        Some(_) | None => None,
    })
}

/// An object of any kind, past its end or not.
pub(super) fn object(
    conn: &Connection,
    sealer: &Sealer,
    kind: Kind,
    sid: Sid,
) -> rusqlite::Result<Option<Versioned<Record>>> {
    Ok(match kind {
        Kind::Binding => bindings::find(conn, sid)?.map(|(_, found)| Versioned {
            revision: found.revision,
            record: Record::Binding(found.record.into()),
        }),
        Kind::Dialout => dialouts::find(conn, sid)?.map(|(_, found)| Versioned {
            revision: found.revision,
            record: Record::Dialout(found.record.into()),
        }),
        _ => objects::find(conn, sealer, kind, sid)?.map(|(_, found)| found),
    })
}
