//! Pages of lists, each with its exact total.

use mediator_model::{Sid, UnixMillis};
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::cells::{TimeCell, count, signed};
use super::compile::{Scope, Sql};
use super::fields::{BINDINGS, CALLS, DIALOUTS, LEGS};
use super::{bindings, calls, dialouts, objects, plan};
use crate::query::{CallQuery, Page, Query};
use crate::record::{BindingRecord, CallRow, DialoutRecord, LegRow, Versioned};
use crate::traits::ReadError;

/// Rows that are read in one go where all are asked for.
const BATCH: i64 = 1_000;

/// A page of an account's bindings.
///
/// Indices lead to the ids of the page; only its rows are looked at. Rows past their end are few, for they are removed
/// every second: they are found by their own index and taken off the total.
pub(super) fn bindings(
    conn: &Connection,
    account: Sid,
    query: &Query,
) -> Result<Page<Versioned<BindingRecord>>, ReadError> {
    let scope = Scope { fields: &BINDINGS, account: Some(account), partner: None };
    let owner = bindings::known_owner(conn, account)?.unwrap_or(-1);
    let select = |what: &str, from: &str, and: &str| -> Result<Sql, ReadError> {
        let mut sql = Sql::new(query.now);
        sql.push(what).push(" FROM ").push(from).push(" WHERE account = ");
        sql.bind(Cell::Integer(owner)).push(and).push(" AND ");
        scope.condition(&mut sql, &query.filter)?;
        Ok(sql)
    };
    let all = select("SELECT count(*)", "bindings", "")?;
    let past =
        select("SELECT count(*)", "bindings INDEXED BY bindings_deadline", " AND deadline <= ?1")?;
    let total = number(conn, &all)?.saturating_sub(number(conn, &past)?);
    let without_past = " AND id NOT IN (SELECT id FROM bindings WHERE deadline <= ?1)";
    let mut page = select("SELECT id", "bindings", without_past)?;
    // "+": where an index finds the rows, it is not given up for one that has them in order.
    let last = if plan::is_indexed(&query.filter) { "+id" } else { "id" };
    scope.order(&mut page, &query.order, last)?;
    limit(&mut page, query, 0);
    let ids: Vec<i64> = rows(conn, &page, |row| row.get(0))?;
    let mut one =
        conn.prepare_cached(&format!("SELECT {} FROM bindings WHERE id = ?1", bindings::COLUMNS))?;
    let items = ids
        .into_iter()
        .map(|id| one.query_row(params![id], |row| bindings::read(row, account)))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(page_of(items, query, total))
}

/// A page of an account's dialouts that still wait.
pub(super) fn dialouts(
    conn: &Connection,
    account: Sid,
    query: &Query,
) -> Result<Page<Versioned<DialoutRecord>>, ReadError> {
    let scope = Scope { fields: &DIALOUTS, account: Some(account), partner: None };
    let owner = bindings::known_owner(conn, account)?.unwrap_or(-1);
    let select = |what: &str| -> Result<Sql, ReadError> {
        let mut sql = Sql::new(query.now);
        sql.push("SELECT ").push(what).push(" FROM dialouts WHERE dialling = 0 AND account = ");
        sql.bind(Cell::Integer(owner)).push(" AND ");
        scope.condition(&mut sql, &query.filter)?;
        Ok(sql)
    };
    let total = number(conn, &select("count(*)")?)?;
    let mut page = select(dialouts::COLUMNS)?;
    scope.order(&mut page, &query.order, "id")?;
    limit(&mut page, query, 0);
    let items = rows(conn, &page, |row| dialouts::read(row, account))?;
    Ok(page_of(items, query, total))
}

/// A page of Mediator records.
pub(super) fn calls(conn: &Connection, query: &CallQuery) -> Result<Page<CallRow>, ReadError> {
    let scope = Scope { fields: &CALLS, account: None, partner: objects::partner_sid(conn)? };
    let sql = records(&scope, "calls", calls::CALL_COLUMNS, query)?;
    Ok(uncounted(rows(conn, &sql, calls::read_call)?, query))
}

/// A page of leg records.
pub(super) fn legs(conn: &Connection, query: &CallQuery) -> Result<Page<LegRow>, ReadError> {
    let scope = Scope { fields: &LEGS, account: None, partner: objects::partner_sid(conn)? };
    let sql = records(&scope, "legs", calls::LEG_COLUMNS, query)?;
    Ok(uncounted(rows(conn, &sql, calls::read_leg)?, query))
}

/// One more than asked for, to see whether there are more.
fn records(scope: &Scope, table: &str, columns: &str, query: &CallQuery) -> Result<Sql, ReadError> {
    let mut sql = Sql::new(query.query.now);
    sql.push("SELECT ").push(columns).push(" FROM ").push(table).push(" WHERE ");
    if let Some(before) = query.before {
        sql.push("id < (SELECT id FROM ").push(table).push(" WHERE dr_sid = ");
        sql.bind(Cell::Blob(before.as_u128().to_be_bytes().to_vec())).push(") AND ");
    }
    scope.condition(&mut sql, &query.query.filter)?;
    scope.order(&mut sql, &query.query.order, "id DESC")?;
    limit(&mut sql, &query.query, 1);
    Ok(sql)
}

/// All bindings of an account after a row, a batch of them; and the last row's id.
pub(super) fn batch(
    conn: &Connection,
    account: Sid,
    after: i64,
    now: UnixMillis,
) -> rusqlite::Result<Vec<(i64, BindingRecord)>> {
    let Some(owner) = bindings::known_owner(conn, account)? else { return Ok(Vec::new()) };
    conn.prepare_cached(&format!(
        "SELECT {} FROM bindings WHERE account = ?1 AND id > ?2 \
         AND (deadline IS NULL OR deadline > ?3) ORDER BY id LIMIT ?4",
        bindings::COLUMNS
    ))?
    .query_map(params![owner, after, TimeCell(now), BATCH], |row| {
        Ok((row.get(0)?, bindings::read(row, account)?.record))
    })?
    .collect()
}

fn number(conn: &Connection, sql: &Sql) -> rusqlite::Result<u64> {
    conn.prepare_cached(&sql.text)?.query_row(params_from_iter(&sql.params), |row| count(row, 0))
}

fn rows<T>(
    conn: &Connection,
    sql: &Sql,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    conn.prepare_cached(&sql.text)?.query_map(params_from_iter(&sql.params), read)?.collect()
}

fn limit(sql: &mut Sql, query: &Query, more: i64) {
    let limit = i64::from(query.limit.min(Query::MAX_LIMIT)) + more;
    sql.push(" LIMIT ").bind(Cell::Integer(limit));
    sql.push(" OFFSET ").bind(Cell::Integer(signed(query.offset)));
}

fn page_of<T>(items: Vec<T>, query: &Query, total: u64) -> Page<T> {
    let has_more = query.offset.saturating_add(items.len() as u64) < total;
    Page { items, total: Some(total), has_more }
}

fn uncounted<T>(mut items: Vec<T>, query: &CallQuery) -> Page<T> {
    let limit = query.query.limit.min(Query::MAX_LIMIT) as usize;
    let has_more = items.len() > limit;
    items.truncate(limit);
    Page { items, total: None, has_more }
}
