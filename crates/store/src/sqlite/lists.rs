//! Pages of lists, each with its exact total.

use mediator_model::{Sid, UnixMillis};
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::cells::{TimeCell, count, signed};
use super::compile::{Scope, Sql};
use super::fields::{BINDINGS, CALLS, DIALOUTS, LEGS};
use super::plan::{self, Way};
use super::{bindings, calls, dialouts, objects};
use crate::query::{CallQuery, Page, Query};
use crate::record::{BindingRecord, CallRow, DialoutRecord, LegRow, Versioned};
use crate::traits::ReadError;

/// Matches from which a page is looked for among the first rows before all of them are sorted.
const MANY: u64 = 10_000;
/// How many rows are the first ones.
const WINDOW: u64 = 50_000;
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
    let Some(owner) = bindings::known_owner(conn, account)? else {
        // An account without bindings: what is wrong with the question is told all the same.
        let scope = Scope { fields: &BINDINGS, account: Some(account), partner: None };
        let mut sql = Sql::new(query.now);
        scope.condition(&mut sql, &query.filter)?;
        scope.order(&mut sql, &query.order, "id")?;
        return Ok(page_of(Vec::new(), query, 0));
    };
    let list = BindingList { conn, account, owner, query };
    let total = list.total()?;
    let ids = if query.offset >= total { Vec::new() } else { list.ids(total)? };
    let mut one =
        conn.prepare_cached(&format!("SELECT {} FROM bindings WHERE id = ?1", bindings::COLUMNS))?;
    let items = ids
        .into_iter()
        .map(|id| one.query_row(params![id], |row| bindings::read(row, account)))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(page_of(items, query, total))
}

struct BindingList<'a> {
    conn: &'a Connection,
    account: Sid,
    owner: i64,
    query: &'a Query,
}

impl BindingList<'_> {
    fn scope(&self) -> Scope {
        Scope { fields: &BINDINGS, account: Some(self.account), partner: None }
    }

    fn select(&self, start: &str) -> Result<Sql, ReadError> {
        let mut sql = Sql::new(self.query.now);
        sql.push(start).push(" WHERE account = ").bind(Cell::Integer(self.owner)).push(" AND ");
        self.scope().condition(&mut sql, &self.query.filter)?;
        Ok(sql)
    }

    /// Where no index has all that is asked for, rows are read in the order in which they lie: any other order costs a
    /// page of the disk for each.
    fn table(&self) -> &'static str {
        match plan::way(&self.query.filter) {
            Way::Index | Way::Covered => "bindings",
            Way::Rows => "bindings INDEXED BY bindings_account",
        }
    }

    fn total(&self) -> Result<u64, ReadError> {
        let all = self.select(&format!("SELECT count(*) FROM {}", self.table()))?;
        // The order of a CROSS JOIN is kept: from those past their end to their rows.
        let past = self.select(
            "SELECT count(*) FROM (SELECT id AS past FROM bindings WHERE deadline <= ?1) \
             CROSS JOIN bindings ON bindings.id = past",
        )?;
        Ok(number(self.conn, &all)?.saturating_sub(number(self.conn, &past)?))
    }

    fn ids(&self, total: u64) -> Result<Vec<i64>, ReadError> {
        let is_indexed = plan::way(&self.query.filter) == Way::Index;
        if is_indexed && self.query.order.is_empty() && total > MANY {
            // Most of what an index finds would be sorted for nothing: the first rows hold enough.
            let window = self.page("bindings INDEXED BY bindings_account", "id", Some(WINDOW))?;
            if window.len() as u64 >= u64::from(self.query.limit.min(Query::MAX_LIMIT)) {
                return Ok(window);
            }
        }
        // "+": where an index finds the rows, it is not given up for one that has them in order.
        self.page(self.table(), if is_indexed { "+id" } else { "id" }, None)
    }

    fn page(&self, table: &str, last: &str, window: Option<u64>) -> Result<Vec<i64>, ReadError> {
        let mut page = self.select(&format!("SELECT id FROM {table}"))?;
        page.push(" AND id NOT IN (SELECT id FROM bindings WHERE deadline <= ?1)");
        if let Some(rows) = window {
            page.push(" AND id <= coalesce((SELECT id FROM bindings WHERE account = ");
            page.bind(Cell::Integer(self.owner)).push(" ORDER BY id LIMIT 1 OFFSET ");
            page.bind(Cell::Integer(signed(rows))).push("), 9223372036854775807)");
        }
        self.scope().order(&mut page, &self.query.order, last)?;
        limit(&mut page, self.query, 0);
        rows(self.conn, &page, |row| row.get(0)).map_err(Into::into)
    }
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
