//! `include_fields` and `exclude_fields`: which fields of an object an answer shows.
//!
//! Both are lists with commas; names may be dotted (`attributes.ringback`), also through lists of objects
//! (`addresses.ip`). What is included is narrowed by what is excluded. `includeFields` and `excludeFields` are read too.

#[cfg(test)]
mod tests;

use mediator_store::record::Object;
use serde_json::Value;

use crate::args::Args;
use crate::fault::Fault;

/// The most names in one list.
const MAX_NAMES: usize = 256;

/// The names of an object's fields, as the API has them.
pub(crate) type FieldNames = &'static [&'static str];

/// Which fields an answer shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Select {
    /// Empty: all.
    include: Vec<Vec<Box<str>>>,
    exclude: Vec<Vec<Box<str>>>,
}

impl Select {
    /// As the query says. A field to include that objects of this kind never have is refused; to exclude one is no
    /// mistake, for it is not shown.
    pub(crate) fn from_args(args: &Args, fields: FieldNames) -> Result<Self, Fault> {
        let include = names(args, ["include_fields", "includeFields"])?;
        let exclude = names(args, ["exclude_fields", "excludeFields"])?;
        for path in &include {
            if path.first().is_none_or(|name| !fields.contains(&&**name)) {
                let detail = format!("there is no field {}", path.join("."));
                return Err(Fault::bad_argument("include_fields", detail));
            }
        }
        Ok(Self { include, exclude })
    }

    /// The object with what was asked for.
    pub(crate) fn apply(&self, object: Value) -> Value {
        let mut shown = if self.include.is_empty() {
            object
        } else {
            let paths: Vec<&[Box<str>]> = self.include.iter().map(Vec::as_slice).collect();
            included(object, &paths)
        };
        for path in &self.exclude {
            exclude(&mut shown, path);
        }
        shown
    }
}

fn names(args: &Args, spellings: [&str; 2]) -> Result<Vec<Vec<Box<str>>>, Fault> {
    let [name, _] = spellings;
    let Some(text) = spellings.iter().find_map(|spelling| args.text(spelling)) else {
        return Ok(Vec::new());
    };
    let listed: Vec<Vec<Box<str>>> = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .take(MAX_NAMES + 1)
        .map(|name| name.split('.').map(Into::into).collect())
        .collect();
    if listed.len() > MAX_NAMES {
        return Err(Fault::bad_argument(name, format!("more than {MAX_NAMES} names")));
    }
    Ok(listed)
}

/// Depth is bounded by the object's.
fn included(value: Value, paths: &[&[Box<str>]]) -> Value {
    if paths.iter().any(|path| path.is_empty()) {
        return value;
    }
    match value {
        Value::Object(object) => {
            let mut shown = Object::new();
            for (name, value) in object {
                let below: Vec<&[Box<str>]> = paths
                    .iter()
                    .filter_map(|path| path.split_first())
                    .filter(|(first, _)| ***first == *name)
                    .map(|(_, rest)| rest)
                    .collect();
                if !below.is_empty() {
                    shown.insert(name, included(value, &below));
                }
            }
            Value::Object(shown)
        }
        Value::Array(values) => {
            Value::Array(values.into_iter().map(|value| included(value, paths)).collect())
        }
        // A dotted name through something that has no fields shows it as it is.
        plain => plain,
    }
}

fn exclude(value: &mut Value, path: &[Box<str>]) {
    match value {
        Value::Object(object) => match path {
            [] => {}
            [name] => drop(object.remove(&**name)),
            [name, rest @ ..] => {
                if let Some(below) = object.get_mut(&**name) {
                    exclude(below, rest);
                }
            }
        },
        Value::Array(values) => values.iter_mut().for_each(|value| exclude(value, path)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
