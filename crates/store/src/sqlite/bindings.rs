//! Rows of bindings.

use mediator_model::{BindingKey, Number, Sid, UnixMillis};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use super::cells::{self, NumberCell, SidCell, TimeCell, TtlCell, signed};
use crate::record::{BindingRecord, Versioned};
use crate::write::Revision;

/// The columns that [`read`] takes, in its order.
pub(super) const COLUMNS: &str = "id, account, sid, revision, name, redirect_did, origination_did, \
     destination_did, dtmf, attributes, maximum_ttl, wait_origination_did_ttl, date_created, claim_until";

/// A row of [`COLUMNS`]; whose it is the caller knows, or asks [`owner`].
pub(super) fn read(row: &Row<'_>, account_sid: Sid) -> rusqlite::Result<Versioned<BindingRecord>> {
    let record = BindingRecord {
        sid: cells::sid(row, 2)?,
        account_sid,
        name: cells::text(row, 4)?,
        redirect_did: cells::number(row, 5)?,
        origination_did: cells::optional_number(row, 6)?,
        destination_did: cells::number(row, 7)?,
        dtmf: cells::optional_text(row, 8)?,
        attributes: cells::object(row, 9)?,
        maximum_ttl: row.get::<_, TtlCell>(10)?.0,
        wait_origination_did_ttl: row.get::<_, TtlCell>(11)?.0,
        date_created: cells::time(row, 12)?,
        claim_until: cells::optional_time(row, 13)?,
    };
    Ok(Versioned { revision: cells::count(row, 3)?, record })
}

/// A binding and its row's id, whether or not it is past its end.
pub(super) fn find(
    conn: &Connection,
    sid: Sid,
) -> rusqlite::Result<Option<(i64, Versioned<BindingRecord>)>> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM bindings WHERE sid = ?1"))?;
    read_one(conn, &mut statement, params![SidCell(sid)])
}

/// The binding that holds a key, whether or not it is past its end.
pub(super) fn find_key(
    conn: &Connection,
    key: BindingKey,
) -> rusqlite::Result<Option<(i64, Versioned<BindingRecord>)>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM bindings \
         WHERE redirect_did = ?1 AND coalesce(origination_did, '') = ?2"
    ))?;
    let origination = key.origination_did.map(|number| number.to_string()).unwrap_or_default();
    read_one(conn, &mut statement, params![NumberCell(key.redirect_did), origination])
}

fn read_one(
    conn: &Connection,
    statement: &mut CachedStatement<'_>,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Option<(i64, Versioned<BindingRecord>)>> {
    let mut rows = statement.query(params)?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let account = owner(conn, row.get(1)?)?;
    Ok(Some((row.get(0)?, read(row, account)?)))
}

/// Adds a binding.
pub(super) fn insert(
    conn: &Connection,
    record: &BindingRecord,
    revision: Revision,
) -> rusqlite::Result<()> {
    let account = owner_id(conn, record.account_sid)?;
    conn.prepare_cached(
        "INSERT INTO bindings (sid, account, revision, name, redirect_did, origination_did, \
         destination_did, dtmf, attributes, maximum_ttl, wait_origination_did_ttl, date_created, \
         claim_until, deadline) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        SidCell(record.sid),
        account,
        signed(revision),
        record.name,
        NumberCell(record.redirect_did),
        record.origination_did.map(NumberCell),
        NumberCell(record.destination_did),
        record.dtmf,
        cells::to_json(&record.attributes)?,
        TtlCell(record.maximum_ttl),
        TtlCell(record.wait_origination_did_ttl),
        TimeCell(record.date_created),
        record.claim_until.map(TimeCell),
        record.deadline().map(TimeCell),
    ])?;
    Ok(())
}

/// Replaces the binding of a row.
pub(super) fn update(
    conn: &Connection,
    id: i64,
    record: &BindingRecord,
    revision: Revision,
) -> rusqlite::Result<()> {
    let account = owner_id(conn, record.account_sid)?;
    conn.prepare_cached(
        "UPDATE bindings SET account = ?2, revision = ?3, name = ?4, redirect_did = ?5, \
         origination_did = ?6, destination_did = ?7, dtmf = ?8, attributes = ?9, maximum_ttl = ?10, \
         wait_origination_did_ttl = ?11, date_created = ?12, claim_until = ?13, deadline = ?14 \
         WHERE id = ?1",
    )?
    .execute(params![
        id,
        account,
        signed(revision),
        record.name,
        NumberCell(record.redirect_did),
        record.origination_did.map(NumberCell),
        NumberCell(record.destination_did),
        record.dtmf,
        cells::to_json(&record.attributes)?,
        TtlCell(record.maximum_ttl),
        TtlCell(record.wait_origination_did_ttl),
        TimeCell(record.date_created),
        record.claim_until.map(TimeCell),
        record.deadline().map(TimeCell),
    ])?;
    Ok(())
}

/// Removes a row.
pub(super) fn delete(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM bindings WHERE id = ?1")?.execute(params![id])?;
    Ok(())
}

/// The rows past their end, the earliest end first.
pub(super) fn expired(
    conn: &Connection,
    now: UnixMillis,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Sid)>> {
    conn.prepare_cached(
        "SELECT id, sid FROM bindings WHERE deadline <= ?1 ORDER BY deadline, id LIMIT ?2",
    )?
    .query_map(params![TimeCell(now), signed(limit as u64)], |row| {
        Ok((row.get(0)?, cells::sid(row, 1)?))
    })?
    .collect()
}

/// A binding that lives and is reached through this DID.
pub(super) fn live_on(
    conn: &Connection,
    redirect_did: Number,
    now: UnixMillis,
) -> rusqlite::Result<Option<Sid>> {
    conn.prepare_cached(
        "SELECT sid FROM bindings WHERE redirect_did = ?1 \
         AND (deadline IS NULL OR deadline > ?2) LIMIT 1",
    )?
    .query_row(params![NumberCell(redirect_did), TimeCell(now)], |row| cells::sid(row, 0))
    .optional()
}

/// A binding that lives and belongs to this account.
pub(super) fn live_of(
    conn: &Connection,
    account: Sid,
    now: UnixMillis,
) -> rusqlite::Result<Option<Sid>> {
    conn.prepare_cached(
        "SELECT sid FROM bindings WHERE account = (SELECT id FROM owners WHERE sid = ?1) \
         AND (deadline IS NULL OR deadline > ?2) LIMIT 1",
    )?
    .query_row(params![SidCell(account), TimeCell(now)], |row| cells::sid(row, 0))
    .optional()
}

/// The small integer that stands for an account, if it ever owned something.
pub(super) fn known_owner(conn: &Connection, sid: Sid) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT id FROM owners WHERE sid = ?1")?
        .query_row(params![SidCell(sid)], |row| row.get(0))
        .optional()
}

/// The small integer that stands for an account.
pub(super) fn owner_id(conn: &Connection, sid: Sid) -> rusqlite::Result<i64> {
    if let Some(id) = known_owner(conn, sid)? {
        return Ok(id);
    }
    conn.prepare_cached("INSERT INTO owners (sid) VALUES (?1)")?.execute(params![SidCell(sid)])?;
    Ok(conn.last_insert_rowid())
}

/// The account that a small integer stands for.
pub(super) fn owner(conn: &Connection, id: i64) -> rusqlite::Result<Sid> {
    conn.prepare_cached("SELECT sid FROM owners WHERE id = ?1")?
        .query_row(params![id], |row| cells::sid(row, 0))
}
