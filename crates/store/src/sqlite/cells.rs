//! Values of the model as cells of SQL.

use mediator_model::{Number, Sid, UnixMillis};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Value, ValueRef};
use rusqlite::{Row, ToSql};

use crate::record::{Object, Ttl};

/// A sid: 16 bytes.
#[derive(Clone, Copy)]
pub(super) struct SidCell(pub(super) Sid);

impl ToSql for SidCell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Blob(self.0.as_u128().to_be_bytes().to_vec())))
    }
}

impl FromSql for SidCell {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes: [u8; 16] = FromSql::column_result(value)?;
        Ok(Self(Sid::from_u128(u128::from_be_bytes(bytes))))
    }
}

/// A number: its digits as text.
#[derive(Clone, Copy)]
pub(super) struct NumberCell(pub(super) Number);

impl ToSql for NumberCell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Text(self.0.to_string())))
    }
}

impl FromSql for NumberCell {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Number::from_digits(value.as_str()?)
            .map(Self)
            .map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

/// A time: milliseconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct TimeCell(pub(super) UnixMillis);

impl ToSql for TimeCell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Integer(signed(self.0.0))))
    }
}

impl FromSql for TimeCell {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(UnixMillis(unsigned(value.as_i64()?))))
    }
}

/// A TTL: seconds, or -1.
#[derive(Clone, Copy)]
pub(super) struct TtlCell(pub(super) Ttl);

impl ToSql for TtlCell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Integer(self.0.map_or(-1, i64::from))))
    }
}

impl FromSql for TtlCell {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            -1 => Ok(Self(None)),
            seconds => u32::try_from(seconds)
                .map(|seconds| Self(Some(seconds)))
                .map_err(|_| FromSqlError::OutOfRange(seconds)),
        }
    }
}

/// A JSON object: its text.
pub(super) struct ObjectCell(pub(super) Object);

impl FromSql for ObjectCell {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            // What most rows hold is not worth a parser.
            "{}" => Ok(Self(Object::new())),
            text => from_json(text).map(Self),
        }
    }
}

/// Reads a cell's JSON.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> FromSqlResult<T> {
    serde_json::from_str(text).map_err(|error| FromSqlError::Other(Box::new(error)))
}

/// A value as JSON text; what is stored here always has one.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// A count for SQL's signed integers; what is beyond them is their greatest.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count back; less than nothing is nothing.
pub(super) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// A sid from a row.
pub(super) fn sid(row: &Row<'_>, column: usize) -> rusqlite::Result<Sid> {
    row.get::<_, SidCell>(column).map(|cell| cell.0)
}

/// A sid or NULL from a row.
pub(super) fn optional_sid(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Sid>> {
    Ok(row.get::<_, Option<SidCell>>(column)?.map(|cell| cell.0))
}

/// A number from a row.
pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<Number> {
    row.get::<_, NumberCell>(column).map(|cell| cell.0)
}

/// A number or NULL from a row.
pub(super) fn optional_number(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Number>> {
    Ok(row.get::<_, Option<NumberCell>>(column)?.map(|cell| cell.0))
}

/// A time from a row.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<UnixMillis> {
    row.get::<_, TimeCell>(column).map(|cell| cell.0)
}

/// A time or NULL from a row.
pub(super) fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<UnixMillis>> {
    Ok(row.get::<_, Option<TimeCell>>(column)?.map(|cell| cell.0))
}

/// A count from a row.
pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(unsigned)
}

/// A text or NULL from a row.
pub(super) fn optional_text(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Box<str>>> {
    row.get(column)
}

/// A text from a row.
pub(super) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Box<str>> {
    row.get(column)
}

/// A JSON object from a row.
pub(super) fn object(row: &Row<'_>, column: usize) -> rusqlite::Result<Object> {
    row.get::<_, ObjectCell>(column).map(|cell| cell.0)
}
