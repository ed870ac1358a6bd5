//! The same language over lists in memory, with the meaning that [`mediator_store::query::Operator`] gives it.
//!
//! Objects are what the API shows of them, so fields have the types that clients see: fields named `date_...` are times.
//! A path through a list stands for every element: it matches where one of them does, and `ne` and `notin` where none is
//! equal.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use mediator_store::ReadError;
use mediator_store::query::{Comparison, Filter, Literal, Operator, OrderKey, Page, Query};
use serde_json::{Number, Value};

use crate::fault::Fault;
use crate::page;
use crate::select::FieldNames;
use crate::times;

/// More objects than this are looked through on a thread of their own.
const QUICK: usize = 256;

/// A page of a list that is in memory: `records` in the order of creation, each rendered as the API shows it, in full.
///
/// `fields` are the names that a filter or an order may begin with.
pub(crate) async fn listed<T: Send + 'static>(
    records: Vec<T>,
    render: impl Fn(&T) -> Value + Send + 'static,
    query: &Query,
    fields: FieldNames,
) -> Result<Page<Value>, Fault> {
    let blame = |error| page::blame(query, error);
    if records.len() <= QUICK {
        return page_of(&records, render, query, fields).map_err(blame);
    }
    let asked = query.clone();
    let page = tokio::task::spawn_blocking(move || page_of(&records, render, &asked, fields));
    page.await.map_err(|_| Fault::Internal)?.map_err(blame)
}

pub(super) fn page_of<T>(
    records: &[T],
    render: impl Fn(&T) -> Value,
    query: &Query,
    fields: FieldNames,
) -> Result<Page<Value>, ReadError> {
    check_fields(&query.filter, &query.order, fields)?;
    let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
    let limit = query.limit as usize;
    let (total, items) = if is_everything(&query.filter) && query.order.is_empty() {
        // Nothing but the page itself is rendered.
        (records.len(), records.iter().skip(offset).take(limit).map(render).collect())
    } else {
        let mut found: Vec<Value> = Vec::new();
        for object in records.iter().map(render) {
            if matches(&query.filter, &object)? {
                found.push(object);
            }
        }
        sort(&mut found, &query.order);
        (found.len(), found.into_iter().skip(offset).take(limit).collect::<Vec<_>>())
    };
    let has_more = offset.saturating_add(items.len()) < total;
    Ok(Page { items, total: Some(total as u64), has_more })
}

fn is_everything(filter: &Filter) -> bool {
    matches!(filter, Filter::All(parts) if parts.is_empty())
}

/// The recursion of these is bounded by the parser's depth.
fn check_fields(filter: &Filter, order: &[OrderKey], fields: FieldNames) -> Result<(), ReadError> {
    for key in order {
        check_path(&key.path, fields)?;
    }
    check(filter, fields)
}

/// Whether a filter names only fields that there are.
pub(crate) fn check(filter: &Filter, fields: FieldNames) -> Result<(), ReadError> {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => {
            parts.iter().try_for_each(|part| check(part, fields))
        }
        Filter::Compare(comparison) => check_path(&comparison.path, fields),
    }
}

fn check_path(path: &[Box<str>], fields: FieldNames) -> Result<(), ReadError> {
    match path.first() {
        Some(name) if fields.contains(&&**name) => Ok(()),
        _ => Err(ReadError::UnknownField(path.join(".").into())),
    }
}

/// Whether a filter lets an object through.
pub(crate) fn matches(filter: &Filter, object: &Value) -> Result<bool, ReadError> {
    match filter {
        Filter::All(parts) => {
            for part in parts {
                if !matches(part, object)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Filter::Any(parts) => {
            for part in parts {
                if matches(part, object)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Filter::Compare(comparison) => compares(comparison, object),
    }
}

fn compares(comparison: &Comparison, object: &Value) -> Result<bool, ReadError> {
    let (positive, is_negated) = match comparison.operator {
        Operator::Ne => (Operator::Eq, true),
        Operator::NotIn => (Operator::In, true),
        operator => (operator, false),
    };
    let mut found = Vec::new();
    values_at(object, &comparison.path, &mut found);
    if found.is_empty() {
        found.push(&Value::Null);
    }
    for value in found {
        for literal in &comparison.values {
            if compares_one(positive, value, literal, &comparison.path)? {
                return Ok(!is_negated);
            }
        }
    }
    Ok(is_negated)
}

/// All values that a path leads to, through lists too. Depth is the object's or the path's, whichever ends first.
fn values_at<'a>(value: &'a Value, path: &[Box<str>], found: &mut Vec<&'a Value>) {
    match (value, path) {
        (Value::Array(values), _) => {
            for value in values {
                values_at(value, path, found);
            }
        }
        (value, []) => found.push(value),
        (Value::Object(object), [name, rest @ ..]) => {
            if let Some(value) = object.get(&**name) {
                values_at(value, rest, found);
            }
        }
        (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), [_, ..]) => {}
    }
}

fn compares_one(
    operator: Operator,
    value: &Value,
    literal: &Literal,
    path: &[Box<str>],
) -> Result<bool, ReadError> {
    let is_equality = matches!(operator, Operator::Eq | Operator::In);
    match (value, literal) {
        (Value::Null, Literal::Null) => return Ok(is_equality),
        (Value::Null, _) | (_, Literal::Null) => return Ok(false),
        _ => {}
    }
    if matches!(operator, Operator::Like | Operator::Ilike) {
        let fold = operator == Operator::Ilike;
        return Ok(is_like(&text_of(value), &text_of_literal(literal), fold));
    }
    let Some(order) = ordering(value, literal, path)? else { return Ok(false) };
    Ok(match operator {
        Operator::Eq | Operator::In => order.is_eq(),
        Operator::Gt => order.is_gt(),
        Operator::Ge => order.is_ge(),
        Operator::Lt => order.is_lt(),
        Operator::Le => order.is_le(),
        // Turned into their positives, or answered, above.
        Operator::Ne | Operator::NotIn | Operator::Like | Operator::Ilike => false,
    })
}

/// How a value stands to a literal, by the value's type; `None`: they cannot be compared, in a place where any type may
/// stand.
fn ordering(
    value: &Value,
    literal: &Literal,
    path: &[Box<str>],
) -> Result<Option<Ordering>, ReadError> {
    let (order, expected) = match value {
        Value::Number(number) => {
            (number_of(literal).and_then(|other| compare_numbers(number, &other)), "a number")
        }
        Value::Bool(value) => (boolean_of(literal).map(|other| value.cmp(&other)), "true or false"),
        Value::String(text) => match time_of(text, path) {
            Some(time) => (
                times::read(&text_of_literal(literal)).map(|other| time.cmp(&other)),
                "a time as 2026-01-31T12:00:00Z",
            ),
            None => (Some(text.as_str().cmp(&text_of_literal(literal))), "a text"),
        },
        Value::Null => (None, "null"),
        Value::Array(_) | Value::Object(_) => {
            (Some(text_of(value).as_ref().cmp(&text_of_literal(literal))), "a text")
        }
    };
    let is_fixed = path.len() == 1;
    if order.is_none() && is_fixed {
        return Err(ReadError::BadValue { field: path.join(".").into(), reason: expected });
    }
    Ok(order)
}

/// A field that holds a time says so by its name.
fn time_of(text: &str, path: &[Box<str>]) -> Option<mediator_model::UnixMillis> {
    let is_time = path.len() == 1 && path.first().is_some_and(|name| name.starts_with("date_"));
    if is_time { times::read(text) } else { None }
}

fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn text_of_literal(literal: &Literal) -> Cow<'_, str> {
    match literal {
        Literal::Null => Cow::Borrowed("null"),
        Literal::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Literal::Integer(value) => Cow::Owned(value.to_string()),
        Literal::Decimal(value) => Cow::Owned(value.to_string()),
        Literal::Text(text) => Cow::Borrowed(text),
    }
}

fn number_of(literal: &Literal) -> Option<Number> {
    match literal {
        Literal::Integer(value) => Some((*value).into()),
        Literal::Decimal(value) => Number::from_f64(*value),
        Literal::Text(text) => {
            let text = text.trim();
            let whole = text.parse::<i64>().ok().map(Number::from);
            whole.or_else(|| text.parse().ok().and_then(Number::from_f64))
        }
        Literal::Null | Literal::Bool(_) => None,
    }
}

fn boolean_of(literal: &Literal) -> Option<bool> {
    match literal {
        Literal::Bool(value) => Some(*value),
        Literal::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Literal::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Literal::Text(_) | Literal::Null | Literal::Integer(_) | Literal::Decimal(_) => None,
    }
}

fn compare_numbers(one: &Number, other: &Number) -> Option<Ordering> {
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

/// Whether a text is what a pattern says: `%` is any text, everything else is itself.
fn is_like(text: &str, pattern: &str, fold: bool) -> bool {
    if fold {
        return is_like(&text.to_lowercase(), &pattern.to_lowercase(), false);
    }
    let mut parts = pattern.split('%');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Sorts by keys; what is equal stays in order. Null comes first, then booleans, numbers, texts and the rest.
pub(crate) fn sort(objects: &mut [Value], order: &[OrderKey]) {
    if order.is_empty() {
        return;
    }
    objects.sort_by(|one, other| {
        let by_key = |key: &OrderKey| {
            let order = compare_values(first_at(one, &key.path), first_at(other, &key.path));
            if key.descending { order.reverse() } else { order }
        };
        order.iter().map(by_key).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
}

fn first_at<'a>(object: &'a Value, path: &[Box<str>]) -> &'a Value {
    let mut found = Vec::new();
    values_at(object, path, &mut found);
    found.first().copied().unwrap_or(&Value::Null)
}

fn compare_values(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => {
            compare_numbers(one, other).unwrap_or(Ordering::Equal)
        }
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => match rank(one).cmp(&rank(other)) {
            Ordering::Equal => text_of(one).cmp(&text_of(other)),
            different => different,
        },
    }
}

const fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    }
}
