//! Rows of call records and of their deliveries.

use mediator_model::{Number, Sid, UnixMillis};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Statement, ToSql, params};
use serde::Serialize;

use super::cells::{self, SidCell, TimeCell, signed};
use super::objects;
use crate::record::{CallRow, LegRow, MediaFigures};
use crate::traits::{CallDelivery, Delivery, DeliveryOutcome};

/// The columns that [`read_call`] takes, in its order.
pub(super) const CALL_COLUMNS: &str = "dr_sid, endpoint_sid, event_type, reference_sid, \
     attributes, dtmf, direction, number_src, number_redirect, number_dst, date_start, date_talk, \
     date_stop, date_insert, sip_cause, disconnect_originator, media_src, media_dst";

/// The columns that [`read_leg`] takes, in its order.
pub(super) const LEG_COLUMNS: &str = "dr_sid, call_sid, direction, date_start, date_talk, \
     date_stop, date_insert, endpoint_sid_src, endpoint_sid_dst, number_src, number_dst, \
     number_external, ip_src, ip_dst, sipcallid_src, sipcallid_dst, sipcause, codec_src, codec_dst, \
     disconnect_originator, identity";

const DELIVERY_COLUMNS: &str = "id, url, body, dr_sid, created, attempts, due, last_error";

/// A row of [`CALL_COLUMNS`].
pub(super) fn read_call(row: &Row<'_>) -> rusqlite::Result<CallRow> {
    Ok(CallRow {
        dr_sid: cells::sid(row, 0)?,
        endpoint_sid: cells::sid(row, 1)?,
        event_type: cells::text(row, 2)?,
        reference_sid: cells::optional_sid(row, 3)?,
        attributes: cells::object(row, 4)?,
        dtmf: cells::optional_text(row, 5)?,
        direction: cells::text(row, 6)?,
        number_src: cells::optional_number(row, 7)?,
        number_redirect: cells::number(row, 8)?,
        number_dst: cells::optional_number(row, 9)?,
        date_start: cells::time(row, 10)?,
        date_talk: cells::optional_time(row, 11)?,
        date_stop: cells::time(row, 12)?,
        date_insert: cells::time(row, 13)?,
        sip_cause: row.get(14)?,
        disconnect_originator: cells::text(row, 15)?,
        media_src: figures(row, 16)?,
        media_dst: figures(row, 17)?,
    })
}

fn figures(row: &Row<'_>, column: usize) -> rusqlite::Result<MediaFigures> {
    Ok(cells::from_json(row.get_ref(column)?.as_str()?)?)
}

/// A row of [`LEG_COLUMNS`].
pub(super) fn read_leg(row: &Row<'_>) -> rusqlite::Result<LegRow> {
    Ok(LegRow {
        dr_sid: cells::sid(row, 0)?,
        call_sid: cells::sid(row, 1)?,
        direction: cells::text(row, 2)?,
        date_start: cells::time(row, 3)?,
        date_talk: cells::optional_time(row, 4)?,
        date_stop: cells::time(row, 5)?,
        date_insert: cells::time(row, 6)?,
        endpoint_sid_src: cells::optional_sid(row, 7)?,
        endpoint_sid_dst: cells::optional_sid(row, 8)?,
        number_src: cells::optional_number(row, 9)?,
        number_dst: cells::optional_number(row, 10)?,
        number_external: cells::optional_number(row, 11)?,
        ip_src: cells::optional_text(row, 12)?,
        ip_dst: cells::optional_text(row, 13)?,
        sipcallid_src: cells::optional_text(row, 14)?,
        sipcallid_dst: cells::optional_text(row, 15)?,
        sipcause: row.get(16)?,
        codec_src: cells::optional_text(row, 17)?,
        codec_dst: cells::optional_text(row, 18)?,
        disconnect_originator: cells::text(row, 19)?,
        identity: cells::optional_number(row, 20)?,
    })
}

/// Keeps records: its statements stay ready for all of a group.
pub(super) struct Appender<'conn> {
    conn: &'conn Connection,
    call: CachedStatement<'conn>,
    leg: CachedStatement<'conn>,
}

impl<'conn> Appender<'conn> {
    /// The statements of a connection.
    pub(super) fn new(conn: &'conn Connection) -> rusqlite::Result<Self> {
        let insert = |table: &str, columns: &str| {
            let values = vec!["?"; columns.split(',').count()].join(", ");
            let sql = format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({values})");
            conn.prepare_cached(&sql)
        };
        Ok(Self { conn, call: insert("calls", CALL_COLUMNS)?, leg: insert("legs", LEG_COLUMNS)? })
    }

    /// Keeps a call's records, and queues the delivery of the call's where it has a callback. A record that is there
    /// already stays as it is, and is not queued again.
    pub(super) fn append(&mut self, delivery: &CallDelivery) -> rusqlite::Result<()> {
        for leg in &delivery.legs {
            self.append_leg(leg)?;
        }
        let Some(call) = &delivery.call else { return Ok(()) };
        let is_new = self.append_call(call)?;
        if let Some(url) = delivery.callback.as_deref().filter(|_| is_new) {
            let partner = objects::partner_sid(self.conn)?.unwrap_or(Sid::from_u128(0));
            let body = cells::to_json(&call.to_object(partner))?;
            self.conn
                .prepare_cached(
                    "INSERT INTO deliveries (url, body, dr_sid, created, attempts, due) \
                     VALUES (?1, ?2, ?3, ?4, 0, ?4)",
                )?
                .execute(params![url, body, SidCell(call.dr_sid), TimeCell(call.date_insert)])?;
        }
        Ok(())
    }

    fn append_call(&mut self, call: &CallRow) -> rusqlite::Result<bool> {
        let mut cells = Cells { statement: &mut self.call, bound: 0 };
        cells.sid(call.dr_sid)?;
        cells.sid(call.endpoint_sid)?;
        cells.any(&*call.event_type)?;
        cells.sid(call.reference_sid)?;
        cells.json(&call.attributes)?;
        cells.any(call.dtmf.as_deref())?;
        cells.any(&*call.direction)?;
        cells.number(call.number_src)?;
        cells.number(call.number_redirect)?;
        cells.number(call.number_dst)?;
        cells.any(TimeCell(call.date_start))?;
        cells.any(call.date_talk.map(TimeCell))?;
        cells.any(TimeCell(call.date_stop))?;
        cells.any(TimeCell(call.date_insert))?;
        cells.any(call.sip_cause)?;
        cells.any(&*call.disconnect_originator)?;
        cells.json(&call.media_src)?;
        cells.json(&call.media_dst)?;
        Ok(self.call.raw_execute()? > 0)
    }

    fn append_leg(&mut self, leg: &LegRow) -> rusqlite::Result<()> {
        let mut cells = Cells { statement: &mut self.leg, bound: 0 };
        cells.sid(leg.dr_sid)?;
        cells.sid(leg.call_sid)?;
        cells.any(&*leg.direction)?;
        cells.any(TimeCell(leg.date_start))?;
        cells.any(leg.date_talk.map(TimeCell))?;
        cells.any(TimeCell(leg.date_stop))?;
        cells.any(TimeCell(leg.date_insert))?;
        cells.sid(leg.endpoint_sid_src)?;
        cells.sid(leg.endpoint_sid_dst)?;
        cells.number(leg.number_src)?;
        cells.number(leg.number_dst)?;
        cells.number(leg.number_external)?;
        cells.any(leg.ip_src.as_deref())?;
        cells.any(leg.ip_dst.as_deref())?;
        cells.any(leg.sipcallid_src.as_deref())?;
        cells.any(leg.sipcallid_dst.as_deref())?;
        cells.any(leg.sipcause)?;
        cells.any(leg.codec_src.as_deref())?;
        cells.any(leg.codec_dst.as_deref())?;
        cells.any(&*leg.disconnect_originator)?;
        cells.number(leg.identity)?;
        self.leg.raw_execute().map(drop)
    }
}

/// The parameters of a row, one after the other, without a detour through memory of their own.
struct Cells<'s, 'conn> {
    statement: &'s mut Statement<'conn>,
    bound: usize,
}

impl Cells<'_, '_> {
    fn any(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.bound += 1;
        self.statement.raw_bind_parameter(self.bound, value)
    }

    fn sid(&mut self, sid: impl Into<Option<Sid>>) -> rusqlite::Result<()> {
        let bytes = sid.into().map(|sid| sid.as_u128().to_be_bytes());
        self.any(bytes.as_ref().map(<[u8; 16]>::as_slice))
    }

    fn number(&mut self, number: impl Into<Option<Number>>) -> rusqlite::Result<()> {
        let digits = number.into().map(Number::digits);
        let text = digits.as_ref().map(|digits| ValueRef::Text(digits.as_ref()));
        self.any(text.map(ToSqlOutput::Borrowed))
    }

    fn json(&mut self, value: &impl Serialize) -> rusqlite::Result<()> {
        self.any(cells::to_json(value)?)
    }
}

/// Notes what became of an attempt.
pub(super) fn attempted(
    conn: &Connection,
    id: u64,
    outcome: &DeliveryOutcome,
) -> rusqlite::Result<()> {
    let id = signed(id);
    match outcome {
        DeliveryOutcome::Delivered => {
            conn.prepare_cached("DELETE FROM deliveries WHERE id = ?1")?.execute(params![id])?
        }
        DeliveryOutcome::RetryAt(due, cause) => conn
            .prepare_cached(
                "UPDATE deliveries SET attempts = attempts + 1, due = ?2, last_error = ?3 \
                 WHERE id = ?1",
            )?
            .execute(params![id, TimeCell(*due), cause])?,
        DeliveryOutcome::Dead(cause) => conn
            .prepare_cached(
                "UPDATE deliveries SET attempts = attempts + 1, due = NULL, last_error = ?2 \
                 WHERE id = ?1",
            )?
            .execute(params![id, cause])?,
    };
    Ok(())
}

/// Removes records stored before a time.
pub(super) fn purge(
    conn: &Connection,
    before: UnixMillis,
    limit: usize,
) -> rusqlite::Result<usize> {
    let limit = signed(limit as u64);
    let calls = conn
        .prepare_cached(
            "DELETE FROM calls WHERE id IN \
             (SELECT id FROM calls WHERE date_insert < ?1 ORDER BY date_insert LIMIT ?2)",
        )?
        .execute(params![TimeCell(before), limit])?;
    let legs = conn
        .prepare_cached(
            "DELETE FROM legs WHERE id IN \
             (SELECT id FROM legs WHERE date_insert < ?1 ORDER BY date_insert LIMIT ?2)",
        )?
        .execute(params![TimeCell(before), limit])?;
    // A dead letter is a record's last trace at the operator: it goes with the record.
    conn.prepare_cached(
        "DELETE FROM deliveries WHERE id IN \
         (SELECT id FROM deliveries WHERE due IS NULL AND created < ?1 LIMIT ?2)",
    )?
    .execute(params![TimeCell(before), limit])?;
    Ok(calls + legs)
}

/// One Mediator record.
pub(super) fn call(conn: &Connection, dr_sid: Sid) -> rusqlite::Result<Option<CallRow>> {
    conn.prepare_cached(&format!("SELECT {CALL_COLUMNS} FROM calls WHERE dr_sid = ?1"))?
        .query_row(params![SidCell(dr_sid)], read_call)
        .optional()
}

/// One leg record.
pub(super) fn leg(conn: &Connection, dr_sid: Sid) -> rusqlite::Result<Option<LegRow>> {
    conn.prepare_cached(&format!("SELECT {LEG_COLUMNS} FROM legs WHERE dr_sid = ?1"))?
        .query_row(params![SidCell(dr_sid)], read_leg)
        .optional()
}

/// Deliveries that are due, the longest due first.
pub(super) fn due(
    conn: &Connection,
    now: UnixMillis,
    limit: usize,
) -> rusqlite::Result<Vec<Delivery>> {
    conn.prepare_cached(&format!(
        "SELECT {DELIVERY_COLUMNS} FROM deliveries WHERE due <= ?1 ORDER BY due, id LIMIT ?2"
    ))?
    .query_map(params![TimeCell(now), signed(limit as u64)], read_delivery)?
    .collect()
}

/// When the next delivery is due.
pub(super) fn next_due(conn: &Connection) -> rusqlite::Result<Option<UnixMillis>> {
    conn.prepare_cached("SELECT min(due) FROM deliveries WHERE due IS NOT NULL")?
        .query_row([], |row| cells::optional_time(row, 0))
}

/// A page of dead letters, the oldest first, and how many there are.
pub(super) fn dead_letters(
    conn: &Connection,
    offset: u64,
    limit: u32,
) -> rusqlite::Result<(Vec<Delivery>, u64)> {
    let total = conn
        .prepare_cached("SELECT count(*) FROM deliveries WHERE due IS NULL")?
        .query_row([], |row| cells::count(row, 0))?;
    let letters = conn
        .prepare_cached(&format!(
            "SELECT {DELIVERY_COLUMNS} FROM deliveries WHERE due IS NULL \
             ORDER BY id LIMIT ?1 OFFSET ?2"
        ))?
        .query_map(params![limit, signed(offset)], read_delivery)?
        .collect::<rusqlite::Result<_>>()?;
    Ok((letters, total))
}

fn read_delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: cells::count(row, 0)?,
        url: cells::text(row, 1)?,
        body: cells::text(row, 2)?,
        dr_sid: cells::sid(row, 3)?,
        created: cells::time(row, 4)?,
        attempts: row.get(5)?,
        due: cells::optional_time(row, 6)?,
        last_error: cells::optional_text(row, 7)?,
    })
}
