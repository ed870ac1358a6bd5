//! Rows of dialouts.

use mediator_model::{Number, Sid};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::bindings::owner_id;
use super::cells::{self, NumberCell, SidCell, TimeCell, signed};
use crate::record::{DialoutRecord, Versioned};
use crate::write::Revision;

/// The columns that [`read`] takes, in its order.
pub(super) const COLUMNS: &str = "id, account, sid, revision, stage_one_destination_did, \
     stage_two_destination_did, redirect_did, attributes, date_created, due, dialling";

/// A row of [`COLUMNS`]; whose it is the caller knows.
pub(super) fn read(row: &Row<'_>, account_sid: Sid) -> rusqlite::Result<Versioned<DialoutRecord>> {
    let record = DialoutRecord {
        sid: cells::sid(row, 2)?,
        account_sid,
        stage_one_destination_did: cells::number(row, 4)?,
        stage_two_destination_did: cells::number(row, 5)?,
        redirect_did: cells::number(row, 6)?,
        attributes: cells::object(row, 7)?,
        date_created: cells::time(row, 8)?,
        due: cells::time(row, 9)?,
        dialling: row.get(10)?,
    };
    Ok(Versioned { revision: cells::count(row, 3)?, record })
}

/// A dialout and its row's id.
pub(super) fn find(
    conn: &Connection,
    sid: Sid,
) -> rusqlite::Result<Option<(i64, Versioned<DialoutRecord>)>> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM dialouts WHERE sid = ?1"))?;
    let mut rows = statement.query(params![SidCell(sid)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let account = super::bindings::owner(conn, row.get(1)?)?;
    Ok(Some((row.get(0)?, read(row, account)?)))
}

/// The dialout that holds the numbers of this one.
pub(super) fn holder(conn: &Connection, record: &DialoutRecord) -> rusqlite::Result<Option<Sid>> {
    conn.prepare_cached(
        "SELECT sid FROM dialouts WHERE redirect_did = ?1 AND stage_one_destination_did = ?2 \
         AND stage_two_destination_did = ?3",
    )?
    .query_row(
        params![
            NumberCell(record.redirect_did),
            NumberCell(record.stage_one_destination_did),
            NumberCell(record.stage_two_destination_did)
        ],
        |row| cells::sid(row, 0),
    )
    .optional()
}

/// Adds a dialout.
pub(super) fn insert(
    conn: &Connection,
    record: &DialoutRecord,
    revision: Revision,
) -> rusqlite::Result<()> {
    let account = owner_id(conn, record.account_sid)?;
    conn.prepare_cached(
        "INSERT INTO dialouts (sid, account, revision, stage_one_destination_did, \
         stage_two_destination_did, redirect_did, attributes, date_created, due, dialling) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        SidCell(record.sid),
        account,
        signed(revision),
        NumberCell(record.stage_one_destination_did),
        NumberCell(record.stage_two_destination_did),
        NumberCell(record.redirect_did),
        cells::to_json(&record.attributes)?,
        TimeCell(record.date_created),
        TimeCell(record.due),
        record.dialling,
    ])?;
    Ok(())
}

/// Replaces the dialout of a row.
pub(super) fn update(
    conn: &Connection,
    id: i64,
    record: &DialoutRecord,
    revision: Revision,
) -> rusqlite::Result<()> {
    let account = owner_id(conn, record.account_sid)?;
    conn.prepare_cached(
        "UPDATE dialouts SET account = ?2, revision = ?3, stage_one_destination_did = ?4, \
         stage_two_destination_did = ?5, redirect_did = ?6, attributes = ?7, date_created = ?8, \
         due = ?9, dialling = ?10 WHERE id = ?1",
    )?
    .execute(params![
        id,
        account,
        signed(revision),
        NumberCell(record.stage_one_destination_did),
        NumberCell(record.stage_two_destination_did),
        NumberCell(record.redirect_did),
        cells::to_json(&record.attributes)?,
        TimeCell(record.date_created),
        TimeCell(record.due),
        record.dialling,
    ])?;
    Ok(())
}

/// Removes a row.
pub(super) fn delete(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM dialouts WHERE id = ?1")?.execute(params![id])?;
    Ok(())
}

/// A dialout that waits and shows this DID.
pub(super) fn waiting_on(conn: &Connection, redirect_did: Number) -> rusqlite::Result<Option<Sid>> {
    conn.prepare_cached(
        "SELECT sid FROM dialouts WHERE redirect_did = ?1 AND dialling = 0 LIMIT 1",
    )?
    .query_row(params![NumberCell(redirect_did)], |row| cells::sid(row, 0))
    .optional()
}

/// A dialout of this account.
pub(super) fn any_of(conn: &Connection, account: Sid) -> rusqlite::Result<Option<Sid>> {
    conn.prepare_cached(
        "SELECT sid FROM dialouts WHERE account = (SELECT id FROM owners WHERE sid = ?1) LIMIT 1",
    )?
    .query_row(params![SidCell(account)], |row| cells::sid(row, 0))
    .optional()
}
