//! Reads the fields of a body into checked values, and gathers what is wrong with them: one answer names every bad field.
//!
//! Numbers may come as text ("1800") where a whole number is meant, and booleans as "true" and "false"; fields that
//! nobody asks for are ignored.

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use mediator_model::{Number, Sid};
use mediator_store::record::Object;
use serde_json::Value;

use crate::fault::{Fault, FieldError};

/// Whether a field is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Presence<T> {
    /// It is not, or it cannot be taken (which was noted).
    Absent,
    /// It is null.
    Null,
    /// It has this value.
    Given(T),
}

impl<T> Presence<T> {
    /// The value; null and absent are both `None`.
    pub(crate) fn given(self) -> Option<T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// For a field of an update: absent keeps what there is, null and a value replace it.
    pub(crate) fn or_keep(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Absent => current,
            Self::Null => None,
            Self::Given(value) => Some(value),
        }
    }

    /// The value, or this where it is absent or null.
    pub(crate) fn unwrap_or(self, default: T) -> T {
        self.given().unwrap_or(default)
    }

    /// Whether the field is not there.
    pub(crate) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// The shortest E.164 number that is taken, in digits.
const MIN_DIGITS: usize = 7;

/// A body's fields, and what is wrong with them so far.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    object: &'a Object,
    /// Put before names in messages: `addresses.0.`.
    prefix: Box<str>,
    faults: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// The fields of a body.
    pub(crate) fn new(object: &'a Object) -> Self {
        Self::nested(object, "")
    }

    /// The fields of a nested object; `prefix` is put before names in messages, as `addresses.0.`.
    pub(crate) fn nested(object: &'a Object, prefix: &str) -> Self {
        Self { object, prefix: prefix.into(), faults: Vec::new() }
    }

    /// Whether the field is there, null or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// Whether the field is an empty text.
    pub(crate) fn is_blank(&self, name: &str) -> bool {
        matches!(self.object.get(name), Some(Value::String(text)) if text.trim().is_empty())
    }

    /// A field's name as messages have it, with the names of what it is nested in.
    pub(crate) fn full_name(&self, name: &str) -> Box<str> {
        format!("{}{name}", self.prefix).into()
    }

    /// A value of any type.
    pub(crate) fn any(&mut self, name: &str) -> Presence<&'a Value> {
        self.typed(name, Ok)
    }

    /// A text without control characters, of at most `max_bytes`.
    pub(crate) fn text(&mut self, name: &str, max_bytes: usize) -> Presence<Box<str>> {
        self.typed(name, |value| {
            let Value::String(text) = value else { return Err("expected a text".into()) };
            if text.len() > max_bytes {
                return Err(format!("expected at most {max_bytes} bytes"));
            }
            if text.chars().any(char::is_control) {
                return Err("expected no control characters".to_owned());
            }
            Ok(text.as_str().into())
        })
    }

    /// A text that is one of a list.
    pub(crate) fn word(
        &mut self,
        name: &str,
        words: &'static [&'static str],
    ) -> Presence<&'static str> {
        self.typed(name, |value| {
            let found = value.as_str().and_then(|text| words.iter().find(|word| **word == text));
            found.copied().ok_or_else(|| format!("expected one of: {}", words.join(", ")))
        })
    }

    /// An E.164 number, in any of the forms in which people write them: 7 to 15 digits, not beginning with 0. It is a
    /// text: a JSON number would lose a leading "+" or 0 that says what was meant.
    pub(crate) fn number(&mut self, name: &str) -> Presence<Number> {
        self.typed(name, |value| {
            let Value::String(text) = value else {
                return Err("expected a phone number as text".to_owned());
            };
            e164(text).map_err(str::to_owned)
        })
    }

    /// A whole number within a range; text of digits will do.
    pub(crate) fn integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Presence<i64> {
        self.typed(name, |value| {
            let number = whole(value).ok_or_else(|| "expected a whole number".to_owned())?;
            if !range.contains(&number) {
                return Err(format!("expected {} to {}", range.start(), range.end()));
            }
            Ok(number)
        })
    }

    /// A number of seconds, or -1 for none: -1 or 1 to `max`. `Given(None)` is -1.
    pub(crate) fn ttl(&mut self, name: &str, max: u32) -> Presence<Option<u32>> {
        self.typed(name, |value| {
            let number = whole(value).ok_or_else(|| "expected a whole number".to_owned())?;
            match u32::try_from(number) {
                Ok(seconds) if (1..=max).contains(&seconds) => Ok(Some(seconds)),
                _ if number == -1 => Ok(None),
                _ => Err(format!("expected -1 or 1 to {max}")),
            }
        })
    }

    /// True or false; as text will do.
    pub(crate) fn boolean(&mut self, name: &str) -> Presence<bool> {
        self.typed(name, |value| match value {
            Value::Bool(value) => Ok(*value),
            Value::String(text) if text == "true" => Ok(true),
            Value::String(text) if text == "false" => Ok(false),
            _ => Err("expected true or false".to_owned()),
        })
    }

    /// A nested object.
    pub(crate) fn object(&mut self, name: &str) -> Presence<&'a Object> {
        self.typed(name, |value| value.as_object().ok_or_else(|| "expected an object".to_owned()))
    }

    /// A list of at most `max_items`.
    pub(crate) fn list(&mut self, name: &str, max_items: usize) -> Presence<&'a [Value]> {
        self.typed(name, |value| {
            let list = value.as_array().ok_or_else(|| "expected a list".to_owned())?;
            if list.len() > max_items {
                return Err(format!("expected at most {max_items} items"));
            }
            Ok(list.as_slice())
        })
    }

    /// A sid.
    pub(crate) fn sid(&mut self, name: &str) -> Presence<Sid> {
        self.typed(name, |value| {
            let sid = value.as_str().and_then(|text| text.parse().ok());
            sid.ok_or_else(|| "expected a UUID".to_owned())
        })
    }

    /// A value that must be there and must not be null.
    pub(crate) fn required<T>(&mut self, name: &str, value: Presence<T>) -> Option<T> {
        match value {
            Presence::Given(value) => Some(value),
            Presence::Null => {
                self.fault(name, "must not be null");
                None
            }
            Presence::Absent => {
                self.missing(name);
                None
            }
        }
    }

    /// A value that may be absent, but not null.
    pub(crate) fn not_null<T>(&mut self, name: &str, value: Presence<T>) -> Option<T> {
        match value {
            Presence::Given(value) => Some(value),
            Presence::Absent => None,
            Presence::Null => {
                self.fault(name, "must not be null");
                None
            }
        }
    }

    /// For PUT: notes each of these fields that is not there. Null counts as there.
    pub(crate) fn require_all(&mut self, names: &[&str]) {
        for name in names {
            if !self.has(name) {
                self.missing(name);
            }
        }
    }

    /// Notes something wrong with a field, unless something was noted for it already.
    pub(crate) fn fault(&mut self, name: &str, detail: impl Into<Box<str>>) {
        let field = format!("{}{name}", self.prefix);
        if self.faults.iter().all(|known| *known.field != *field) {
            self.faults.push(FieldError { field: field.into(), detail: detail.into() });
        }
    }

    /// Takes over what was found wrong in a nested object.
    pub(crate) fn absorb(&mut self, nested: Fields<'_>) {
        self.faults.extend(nested.faults);
    }

    /// Nothing, or everything that is wrong.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        if self.faults.is_empty() { Ok(()) } else { Err(Fault::Invalid(self.faults)) }
    }

    fn missing(&mut self, name: &str) {
        self.fault(name, "is required");
    }

    fn typed<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Result<T, String>,
    ) -> Presence<T> {
        match self.object.get(name) {
            None => Presence::Absent,
            Some(Value::Null) => Presence::Null,
            Some(value) => match read(value) {
                Ok(value) => Presence::Given(value),
                Err(detail) => {
                    self.fault(name, detail);
                    Presence::Absent
                }
            },
        }
    }
}

/// An E.164 number as people write it: 7 to 15 digits, not beginning with 0 (ITU-T E.164 §6).
pub(crate) fn e164(text: &str) -> Result<Number, &'static str> {
    const EXPECTED: &str =
        "expected a phone number of 7 to 15 digits that begins with its country code";
    let number = Number::from_user(text).map_err(|_| EXPECTED)?;
    let begins_with_zero = number.digits().as_ref().first() == Some(&b'0');
    if number.len() < MIN_DIGITS || begins_with_zero { Err(EXPECTED) } else { Ok(number) }
}

/// A decimal that is a whole number, as JSON Schema has it: 1800.0. Beyond 2^53 it is not known which one.
fn without_fraction(decimal: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (decimal.fract() == 0.0 && decimal.abs() < EXACT).then_some(decimal as i64)
}

/// A whole number, also as text and as a decimal without a fraction.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| without_fraction(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
