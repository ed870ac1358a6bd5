//! How values compare, in one place: patterns, and fields whose type nobody fixed (attributes).
//!
//! - null and what is not there: see [`Operator`];
//! - true and false compare as the texts `true` and `false`;
//! - a number compares with numbers, and with texts that are one; with any other text it is unequal;
//! - a text compares with the literal's text;
//! - a list stands for its elements: it matches where one of them does; an empty one is null;
//! - an object equals nothing.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Comparison, Literal, Operator};

impl Comparison {
    /// Whether a JSON object matches: [`Comparison::path`] is followed from it, through lists to each of their elements.
    pub fn matches(&self, object: &serde_json::Map<String, Value>) -> bool {
        let Some((first, rest)) = self.path.split_first() else { return false };
        reach(object.get(&**first).unwrap_or(&Value::Null), rest, &|leaf| self.matches_leaf(leaf))
    }

    /// Whether one value, that is no list, matches; the path is not looked at.
    pub(crate) fn matches_leaf(&self, value: &Value) -> bool {
        let is_equal = |literal: &Literal| match literal {
            Literal::Null => value.is_null(),
            literal => order(value, literal) == Some(Ordering::Equal),
        };
        let first = self.values.first().unwrap_or(&Literal::Null);
        match self.operator {
            Operator::Eq => is_equal(first),
            Operator::Ne => !is_equal(first),
            Operator::In => self.values.iter().any(is_equal),
            Operator::NotIn => !self.values.iter().any(is_equal),
            Operator::Gt => order(value, first).is_some_and(Ordering::is_gt),
            Operator::Ge => order(value, first).is_some_and(Ordering::is_ge),
            Operator::Lt => order(value, first).is_some_and(Ordering::is_lt),
            Operator::Le => order(value, first).is_some_and(Ordering::is_le),
            Operator::Like => self.matches_pattern(value, Case::Told),
            Operator::Ilike => self.matches_pattern(value, Case::NotTold),
        }
    }

    fn matches_pattern(&self, value: &Value, case: Case) -> bool {
        let pattern = self.values.first().and_then(Literal::text);
        match (scalar_text(value), pattern) {
            (Some(text), Some(pattern)) => Pattern::new(&pattern, case).matches(&text),
            _ => false,
        }
    }
}

/// Follows a path; lists on the way, and at its end, are gone through.
fn reach(value: &Value, path: &[Box<str>], test: &dyn Fn(&Value) -> bool) -> bool {
    match (value, path.split_first()) {
        (Value::Array(items), _) if items.is_empty() => test(&Value::Null),
        (Value::Array(items), _) => items.iter().any(|item| reach(item, path, test)),
        (value, None) => test(value),
        (Value::Object(fields), Some((name, rest))) => {
            reach(fields.get(&**name).unwrap_or(&Value::Null), rest, test)
        }
        (_, Some(_)) => test(&Value::Null),
    }
}

/// The value that a path leads to, for an order; a list or an object has none.
pub(crate) fn value_at<'a>(
    object: &'a serde_json::Map<String, Value>,
    path: &[Box<str>],
) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(object.get(&**first)?, |value, name| value.as_object()?.get(&**name))
}

/// How a value compares with a literal; `None`: not at all.
fn order(value: &Value, literal: &Literal) -> Option<Ordering> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::Number(number) => number.as_f64()?.partial_cmp(&literal.number()?),
        Value::Bool(_) | Value::String(_) => Some(scalar_text(value)?.cmp(&literal.text()?)),
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
    }
}

impl Literal {
    /// As text; null has none.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Bool(value) => Some(value.to_string()),
            Self::Integer(value) => Some(value.to_string()),
            Self::Decimal(value) => Some(value.to_string()),
            Self::Text(text) => Some(text.to_string()),
        }
    }

    /// As a number, where it is one or a text that reads as one.
    #[expect(clippy::cast_precision_loss, reason = "JSON's own numbers have no more")]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Null | Self::Bool(_) => None,
            Self::Integer(value) => Some(*value as f64),
            Self::Decimal(value) => Some(*value),
            // Rust reads "inf" and "nan" as numbers; nobody else does.
            Self::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        }
    }
}

/// Whether a pattern tells upper from lower case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    /// `like`.
    Told,
    /// `ilike`.
    NotTold,
}

/// A pattern in which `%` is any text and every other character itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    pieces: Vec<String>,
    case: Case,
}

impl Pattern {
    /// Reads a pattern.
    pub fn new(text: &str, case: Case) -> Self {
        let folded = fold(text, case);
        Self { pieces: folded.split('%').map(str::to_owned).collect(), case }
    }

    /// Whether a text matches; time grows with the text's length times the pattern's, never more.
    pub fn matches(&self, text: &str) -> bool {
        let text = fold(text, self.case);
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return *first == *text };
        let Some(mut left) = text.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            let Some(at) = left.find(piece.as_str()) else { return false };
            left = left.get(at + piece.len()..).unwrap_or_default();
        }
        left.ends_with(last.as_str())
    }
}

fn fold(text: &str, case: Case) -> std::borrow::Cow<'_, str> {
    match case {
        Case::Told => text.into(),
        Case::NotTold => text.to_lowercase().into(),
    }
}
