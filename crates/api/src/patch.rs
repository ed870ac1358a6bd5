//! PATCH: what a client sends, laid over what there is.

#[cfg(test)]
mod tests;

use mediator_store::record::Object;
use serde_json::Value;

use crate::args::Args;
use crate::fault::Fault;

/// What PATCH does with nested objects (`?nested_objects=`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Nested {
    /// Key by key; null takes a key away. The default.
    Merge,
    /// The whole object is replaced.
    Replace,
}

impl Nested {
    /// As the query says.
    pub(crate) fn from_args(args: &Args) -> Result<Self, Fault> {
        match args.text("nested_objects") {
            None | Some("merge") => Ok(Self::Merge),
            Some("replace") => Ok(Self::Replace),
            Some(_) => Err(Fault::bad_argument("nested_objects", "expected merge or replace")),
        }
    }
}

/// `new` laid over `old`, one nested object, key by key at every depth: a null takes its key away, a list is replaced.
///
/// What null means at the top of a body is each field's own affair: that is for its reader.
pub(crate) fn merge_nested(old: &Object, new: &Object) -> Object {
    let mut merged = old.clone();
    for (key, value) in new {
        let value = match (merged.remove(key), value) {
            (_, Value::Null) => continue,
            (Some(Value::Object(below)), Value::Object(value)) => {
                Value::Object(merge_nested(&below, value))
            }
            (_, Value::Object(value)) => Value::Object(merge_nested(&Object::new(), value)),
            (_, other) => other.clone(),
        };
        merged.insert(key.clone(), value);
    }
    merged
}
