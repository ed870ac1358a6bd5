//! SQL functions of ours: patterns whose cost is bounded, and comparisons inside JSON whose keys may be anything.
//!
//! Their second argument is the same for every row; SQLite keeps what is made of it.

use mediator_model::{Sid, UnixMillis};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, Error};

use crate::query::{Case, Comparison, Pattern, value_at};
use crate::record::{Object, rfc3339};

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Adds the functions to a connection.
pub(super) fn register(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("matches_like", 2, flags, |ctx| matches_pattern(ctx, Case::Told))?;
    conn.create_scalar_function("matches_ilike", 2, flags, |ctx| {
        matches_pattern(ctx, Case::NotTold)
    })?;
    conn.create_scalar_function("doc_matches", 2, flags, doc_matches)?;
    conn.create_scalar_function("doc_value", 2, flags, doc_value)?;
    conn.create_scalar_function("sid_text", 1, flags, sid_text)?;
    conn.create_scalar_function("time_text", 1, flags, time_text)
}

fn matches_pattern(ctx: &Context<'_>, case: Case) -> rusqlite::Result<bool> {
    let pattern = ctx.get_or_create_aux(1, |text| -> Result<_, Fault> {
        Ok(Pattern::new(text.as_str()?, case))
    })?;
    match ctx.get_raw(0) {
        ValueRef::Null => Ok(false),
        value => Ok(pattern.matches(value.as_str()?)),
    }
}

/// Whether a JSON object matches a comparison.
fn doc_matches(ctx: &Context<'_>) -> rusqlite::Result<bool> {
    let comparison = ctx.get_or_create_aux(1, |text| -> Result<Comparison, Fault> {
        Ok(serde_json::from_str(text.as_str()?)?)
    })?;
    Ok(comparison.matches(&object(ctx.get_raw(0))?))
}

/// What a JSON object holds at a path, for an order: texts, numbers, and null for all else.
fn doc_value(ctx: &Context<'_>) -> rusqlite::Result<Cell> {
    let path = ctx.get_or_create_aux(1, |text| -> Result<Vec<Box<str>>, Fault> {
        Ok(serde_json::from_str(text.as_str()?)?)
    })?;
    let object = object(ctx.get_raw(0))?;
    Ok(match value_at(&object, &path) {
        Some(serde_json::Value::Bool(value)) => Cell::Text(value.to_string()),
        Some(serde_json::Value::String(text)) => Cell::Text(text.clone()),
        Some(serde_json::Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Cell::Integer(whole),
            (None, Some(decimal)) => Cell::Real(decimal),
            (None, None) => Cell::Null,
        },
        _ => Cell::Null,
    })
}

fn object(cell: ValueRef<'_>) -> rusqlite::Result<Object> {
    match cell.as_str()? {
        "{}" => Ok(Object::new()),
        text => {
            serde_json::from_str(text).map_err(|error| Error::UserFunctionError(Box::new(error)))
        }
    }
}

fn sid_text(ctx: &Context<'_>) -> rusqlite::Result<Option<String>> {
    let bytes: Option<[u8; 16]> = ctx.get(0)?;
    Ok(bytes.map(|bytes| Sid::from_u128(u128::from_be_bytes(bytes)).to_string()))
}

fn time_text(ctx: &Context<'_>) -> rusqlite::Result<Option<String>> {
    let millis: Option<i64> = ctx.get(0)?;
    Ok(millis.map(|millis| rfc3339(UnixMillis(super::cells::unsigned(millis)))))
}
