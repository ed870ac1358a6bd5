//! Everything there is, in one go: how a process begins.

use std::collections::HashMap;
use std::sync::Arc;

use mediator_model::{Sid, UnixMillis};
use rusqlite::{Connection, params};

use super::cells::{self, TimeCell};
use super::log::meta;
use super::seal::Sealer;
use super::{bindings, dialouts, objects};
use crate::record::{Record, Versioned};
use crate::traits::ReadError;
use crate::write::Revision;

/// Hands over every object: first those that others refer to, then dialouts and bindings, each in the order of creation.
/// The caller has begun a transaction.
pub(super) fn read(
    conn: &Connection,
    sealer: &Sealer,
    now: UnixMillis,
    each: &mut dyn FnMut(Versioned<Record>),
) -> Result<Revision, ReadError> {
    let revision = meta(conn, "revision")?;
    let owners = owners(conn)?;
    read_objects(conn, sealer, each)?;
    let mut statement =
        conn.prepare(&format!("SELECT {} FROM dialouts ORDER BY id", dialouts::COLUMNS))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let found = dialouts::read(row, owner(&owners, row.get(1)?)?)?;
        let record = Record::Dialout(Arc::new(found.record));
        each(Versioned { revision: found.revision, record });
    }
    let mut statement = conn.prepare(&format!(
        "SELECT {} FROM bindings WHERE deadline IS NULL OR deadline > ?1 ORDER BY id",
        bindings::COLUMNS
    ))?;
    let mut rows = statement.query(params![TimeCell(now)])?;
    while let Some(row) = rows.next()? {
        let found = bindings::read(row, owner(&owners, row.get(1)?)?)?;
        let record = Record::Binding(Arc::new(found.record));
        each(Versioned { revision: found.revision, record });
    }
    Ok(revision)
}

fn read_objects(
    conn: &Connection,
    sealer: &Sealer,
    each: &mut dyn FnMut(Versioned<Record>),
) -> rusqlite::Result<()> {
    let mut statement =
        conn.prepare("SELECT kind, sid, doc, sealed, revision FROM objects ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = (objects::kind_of(row.get(0)?)?, cells::sid(row, 1)?);
        let sealed = row.get_ref(3)?.as_blob_or_null()?;
        let record = objects::decode(sealer, name, row.get_ref(2)?.as_str()?, sealed)?;
        each(Versioned { revision: cells::count(row, 4)?, record });
    }
    Ok(())
}

fn owners(conn: &Connection) -> rusqlite::Result<HashMap<i64, Sid>> {
    conn.prepare("SELECT id, sid FROM owners")?
        .query_map([], |row| Ok((row.get(0)?, cells::sid(row, 1)?)))?
        .collect()
}

fn owner(owners: &HashMap<i64, Sid>, id: i64) -> rusqlite::Result<Sid> {
    owners.get(&id).copied().ok_or(rusqlite::Error::IntegralValueOutOfRange(1, id))
}
