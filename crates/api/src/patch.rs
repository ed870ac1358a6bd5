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

/// `patch` laid over `current`, a whole object of the API or one nested object of it.
///
/// Top-level fields of the patch win, null too: what null means there is the field's own affair. Objects in it are
/// merged key by key at every depth, and a null in them takes the key away; lists are replaced.
pub(crate) fn merge(current: &Object, patch: &Object, nested: Nested) -> Object {
    let mut merged = current.clone();
    for (name, value) in patch {
        let value = match (merged.get(name), value, nested) {
            (Some(Value::Object(old)), Value::Object(new), Nested::Merge) => {
                Value::Object(merge_nested(old, new))
            }
            (_, Value::Object(new), _) => Value::Object(merge_nested(&Object::new(), new)),
            (_, other, _) => other.clone(),
        };
        merged.insert(name.clone(), value);
    }
    merged
}

/// `new` laid over `old`, one nested object: a null takes its key away.
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
