//! Filters and orders as SQL. Every value is a parameter; the text is made of pieces that stand in this crate.

use std::str::FromStr;

use mediator_model::{Sid, UnixMillis};
use rusqlite::types::Value as Cell;
use serde_json::Value;

use super::cells::{signed, to_json};
use super::fields::{Field, Fields};
use super::times;
use crate::query::{Comparison, Filter, Literal, Operator, OrderKey};
use crate::traits::ReadError;

/// A statement and its parameters; `?1` is the time of the question.
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) params: Vec<Cell>,
}

impl Sql {
    /// An empty statement.
    pub(super) fn new(now: UnixMillis) -> Self {
        Self { text: String::new(), params: vec![Cell::Integer(signed(now.0))] }
    }

    /// Adds text.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a parameter.
    pub(super) fn bind(&mut self, cell: Cell) -> &mut Self {
        self.params.push(cell);
        self.text.push('?');
        self.text.push_str(&self.params.len().to_string());
        self
    }
}

/// What the fields of a question mean.
pub(super) struct Scope {
    /// The table's.
    pub(super) fields: &'static Fields,
    /// Whose list it is.
    pub(super) account: Option<Sid>,
    /// The operator.
    pub(super) partner: Option<Sid>,
}

impl Scope {
    /// Adds a filter as a condition that is never NULL where it holds.
    pub(super) fn condition(&self, sql: &mut Sql, filter: &Filter) -> Result<(), ReadError> {
        match filter {
            Filter::All(parts) => self.joined(sql, parts, " AND ", "1"),
            Filter::Any(parts) => self.joined(sql, parts, " OR ", "0"),
            Filter::Compare(comparison) => self.comparison(sql, comparison),
        }
    }

    fn joined(
        &self,
        sql: &mut Sql,
        parts: &[Filter],
        word: &str,
        empty: &str,
    ) -> Result<(), ReadError> {
        if parts.is_empty() {
            sql.push(empty);
        }
        for (at, part) in parts.iter().enumerate() {
            sql.push(if at == 0 { "(" } else { word });
            self.condition(sql, part)?;
        }
        if !parts.is_empty() {
            sql.push(")");
        }
        Ok(())
    }

    fn comparison(&self, sql: &mut Sql, comparison: &Comparison) -> Result<(), ReadError> {
        let unknown = || ReadError::UnknownField(comparison.path.join(".").into());
        let (field, rest) = self.fields.find(&comparison.path).ok_or_else(unknown)?;
        match field {
            Field::Text(column) => text(sql, column, comparison),
            Field::Integer(column) | Field::Real(column) => number(sql, column, comparison)?,
            Field::SecondsUntil(column) => {
                number(sql, &format!("max(0, ({column} - ?1 + 999) / 1000)"), comparison)?;
            }
            Field::Time(column) => time(sql, column, comparison)?,
            Field::Sid(column) => sid(sql, column, comparison),
            Field::Doc(_) if rest.is_empty() => fixed(sql, comparison, &empty_object()),
            Field::Doc(column) => inside(sql, column, comparison, rest)?,
            Field::Did(expression) => {
                sql.push("(redirect_did IN (SELECT number FROM did_formats WHERE ");
                text(sql, expression, comparison);
                sql.push(")");
                if comparison.matches_leaf(&Value::Null) {
                    sql.push(" OR redirect_did NOT IN (SELECT number FROM did_formats)");
                }
                sql.push(")");
            }
            Field::DidObject => {
                sql.push("(CASE WHEN redirect_did IN (SELECT number FROM did_formats) THEN ");
                fixed(sql, comparison, &empty_object());
                sql.push(" ELSE ");
                fixed(sql, comparison, &Value::Null);
                sql.push(" END)");
            }
            Field::Account => fixed(sql, comparison, &sid_value(self.account)),
            Field::Partner => fixed(sql, comparison, &sid_value(self.partner)),
            Field::Fixed(value) => fixed(sql, comparison, &Value::String(value.to_owned())),
            Field::Never => fixed(sql, comparison, &Value::Null),
        }
        Ok(())
    }

    /// Adds `ORDER BY`: null comes first, numbers before texts; what is equal goes by `last`.
    pub(super) fn order(
        &self,
        sql: &mut Sql,
        keys: &[OrderKey],
        last: &str,
    ) -> Result<(), ReadError> {
        sql.push(" ORDER BY ");
        for key in keys {
            let unknown = || ReadError::UnknownField(key.path.join(".").into());
            let (field, rest) = self.fields.find(&key.path).ok_or_else(unknown)?;
            match field {
                Field::Text(column)
                | Field::Integer(column)
                | Field::Real(column)
                | Field::Time(column)
                | Field::Sid(column) => {
                    sql.push(column);
                }
                Field::SecondsUntil(column) => {
                    sql.push(&format!("max(0, ({column} - ?1 + 999) / 1000)"));
                }
                Field::Doc(column) if !rest.is_empty() => {
                    sql.push("doc_value(").push(column).push(", ");
                    sql.bind(Cell::Text(to_json(&rest)?)).push(")");
                }
                Field::Did(expression) => {
                    sql.push("(SELECT ").push(expression);
                    sql.push(" FROM did_formats WHERE number = redirect_did)");
                }
                // The same in every row.
                Field::Doc(_)
                | Field::DidObject
                | Field::Account
                | Field::Partner
                | Field::Fixed(_)
                | Field::Never => continue,
            }
            sql.push(if key.descending { " DESC, " } else { ", " });
        }
        sql.push(last);
        Ok(())
    }
}

fn empty_object() -> Value {
    Value::Object(serde_json::Map::new())
}

fn sid_value(sid: Option<Sid>) -> Value {
    sid.map_or(Value::Null, |sid| Value::String(sid.to_string()))
}

/// A field that is the same in every row is looked at once, here.
fn fixed(sql: &mut Sql, comparison: &Comparison, value: &Value) {
    sql.push(if comparison.matches_leaf(value) { "1" } else { "0" });
}

fn inside(
    sql: &mut Sql,
    column: &str,
    comparison: &Comparison,
    rest: &[Box<str>],
) -> Result<(), ReadError> {
    let inner = Comparison {
        path: rest.to_vec(),
        operator: comparison.operator,
        values: comparison.values.clone(),
    };
    sql.push("doc_matches(").push(column).push(", ");
    sql.bind(Cell::Text(to_json(&inner)?)).push(")");
    Ok(())
}

fn text(sql: &mut Sql, column: &str, comparison: &Comparison) {
    match comparison.operator {
        Operator::Like => like(sql, column, comparison),
        Operator::Ilike => pattern(sql, "matches_ilike", column, comparison),
        operator => {
            let cells = comparison.values.iter().map(|literal| literal.text().map(Cell::Text));
            compare(sql, column, operator, cells.collect());
        }
    }
}

/// A pattern's beginning, before the first `%`, is a range of an index; what is behind it is looked at row by row.
fn like(sql: &mut Sql, column: &str, comparison: &Comparison) {
    let Some(text) = comparison.values.first().and_then(Literal::text) else {
        sql.push("0");
        return;
    };
    let Some((start, rest)) = text.split_once('%') else {
        sql.push(column).push(" = ").bind(Cell::Text(text));
        return;
    };
    sql.push("(").push(column).push(" >= ").bind(Cell::Text(start.to_owned()));
    if let Some(end) = after_all_with(start) {
        sql.push(" AND ").push(column).push(" < ").bind(Cell::Text(end));
    }
    if !rest.bytes().all(|byte| byte == b'%') {
        sql.push(" AND ");
        pattern(sql, "matches_like", column, comparison);
    }
    sql.push(")");
}

/// The least text that is greater than every text with this beginning; `None`: there is none.
pub(super) fn after_all_with(start: &str) -> Option<String> {
    let mut text = start.to_owned();
    while let Some(last) = text.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

fn pattern(sql: &mut Sql, function: &str, expression: &str, comparison: &Comparison) {
    match comparison.values.first().and_then(Literal::text) {
        None => {
            sql.push("0");
        }
        Some(text) => {
            sql.push(function).push("(").push(expression).push(", ");
            sql.bind(Cell::Text(text)).push(")");
        }
    }
}

fn number(sql: &mut Sql, column: &str, comparison: &Comparison) -> Result<(), ReadError> {
    let expression = format!("CAST({column} AS TEXT)");
    match comparison.operator {
        Operator::Like => pattern(sql, "matches_like", &expression, comparison),
        Operator::Ilike => pattern(sql, "matches_ilike", &expression, comparison),
        operator => compare(sql, column, operator, typed(comparison, "a number", number_cell)?),
    }
    Ok(())
}

fn number_cell(literal: &Literal) -> Option<Cell> {
    match literal {
        Literal::Integer(value) => Some(Cell::Integer(*value)),
        Literal::Text(text) if i64::from_str(text).is_ok() => {
            i64::from_str(text).ok().map(Cell::Integer)
        }
        literal => literal.number().map(Cell::Real),
    }
}

fn time(sql: &mut Sql, column: &str, comparison: &Comparison) -> Result<(), ReadError> {
    let expression = format!("time_text({column})");
    match comparison.operator {
        Operator::Like => pattern(sql, "matches_like", &expression, comparison),
        Operator::Ilike => pattern(sql, "matches_ilike", &expression, comparison),
        operator => {
            let expected = "a time such as 2026-03-01T12:00:00.000Z";
            compare(sql, column, operator, typed(comparison, expected, time_cell)?);
        }
    }
    Ok(())
}

fn time_cell(literal: &Literal) -> Option<Cell> {
    match literal {
        Literal::Text(text) => times::read(text).map(Cell::Integer),
        Literal::Null | Literal::Bool(_) | Literal::Integer(_) | Literal::Decimal(_) => None,
    }
}

/// The literals as cells, null as `None`; the first that is of another type is refused.
fn typed(
    comparison: &Comparison,
    expected: &'static str,
    cell: impl Fn(&Literal) -> Option<Cell>,
) -> Result<Vec<Option<Cell>>, ReadError> {
    let one = |literal: &Literal| match (literal, cell(literal)) {
        (Literal::Null, _) => Ok(None),
        (_, Some(cell)) => Ok(Some(cell)),
        (_, None) => {
            Err(ReadError::BadValue { field: comparison.path.join(".").into(), reason: expected })
        }
    };
    comparison.values.iter().map(one).collect()
}

fn sid(sql: &mut Sql, column: &str, comparison: &Comparison) {
    let expression = format!("sid_text({column})");
    match comparison.operator {
        Operator::Like => pattern(sql, "matches_like", &expression, comparison),
        Operator::Ilike => pattern(sql, "matches_ilike", &expression, comparison),
        operator @ (Operator::Eq | Operator::Ne | Operator::In | Operator::NotIn) => {
            let cells = comparison.values.iter().map(|literal| literal.text().map(sid_cell));
            compare(sql, column, operator, cells.collect());
        }
        operator @ (Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le) => {
            let cells = comparison.values.iter().map(|literal| literal.text().map(Cell::Text));
            compare(sql, &expression, operator, cells.collect());
        }
    }
}

/// A text that is not written as sids are is a text still: it equals none of them.
fn sid_cell(text: String) -> Cell {
    match Sid::from_str(&text) {
        Ok(sid) if sid.to_string() == text => Cell::Blob(sid.as_u128().to_be_bytes().to_vec()),
        _ => Cell::Text(text),
    }
}

/// A comparison of a nullable column with cells of its own type; `None` is null.
fn compare(sql: &mut Sql, column: &str, operator: Operator, cells: Vec<Option<Cell>>) {
    let has_null = cells.iter().any(Option::is_none);
    match operator {
        Operator::In => {
            sql.push("(");
            list(sql, column, " IN (", cells);
            sql.push(if has_null { " OR " } else { "" });
            if has_null {
                sql.push(column).push(" IS NULL");
            }
            sql.push(")");
        }
        Operator::NotIn => {
            sql.push("(").push(column);
            sql.push(if has_null { " IS NOT NULL AND " } else { " IS NULL OR " });
            list(sql, column, " NOT IN (", cells);
            sql.push(")");
        }
        operator => match (word(operator), cells.into_iter().next().flatten()) {
            (Word::Equal, None) => drop(sql.push(column).push(" IS NULL")),
            (Word::Unequal, None) => drop(sql.push(column).push(" IS NOT NULL")),
            (Word::Order(_), None) => drop(sql.push("0")),
            (Word::Equal, Some(cell)) => drop(sql.push(column).push(" = ").bind(cell)),
            // Not `<>`: null is unequal to every value.
            (Word::Unequal, Some(cell)) => drop(sql.push(column).push(" IS NOT ").bind(cell)),
            (Word::Order(word), Some(cell)) => drop(sql.push(column).push(word).bind(cell)),
        },
    }
}

enum Word {
    Equal,
    Unequal,
    Order(&'static str),
}

/// Lists and patterns were dealt with before; as orders they would hold nowhere.
fn word(operator: Operator) -> Word {
    match operator {
        Operator::Eq | Operator::In => Word::Equal,
        Operator::Ne | Operator::NotIn => Word::Unequal,
        Operator::Gt => Word::Order(" > "),
        Operator::Ge => Word::Order(" >= "),
        Operator::Lt => Word::Order(" < "),
        Operator::Le => Word::Order(" <= "),
        Operator::Like | Operator::Ilike => Word::Order(" = "),
    }
}

fn list(sql: &mut Sql, column: &str, word: &str, cells: Vec<Option<Cell>>) {
    sql.push(column).push(word);
    for (at, cell) in cells.into_iter().flatten().enumerate() {
        sql.push(if at == 0 { "" } else { ", " }).bind(cell);
    }
    sql.push(")");
}
