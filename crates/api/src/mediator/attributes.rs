//! Attributes of bindings and dialouts in bodies: those that calls act on are checked, all others are kept as they came.

#[cfg(test)]
mod tests;

use mediator_model::{AttributeError, Attributes};
use mediator_store::record::Object;
use serde_json::Value;

use crate::fault::{Fault, FieldError};
use crate::fields::{Fields, Presence};
use crate::patch::{Nested, merge_nested};

/// The most bytes of all attributes of an object, written as JSON.
pub(super) const MAX_BYTES: usize = 16 * 1024;

const FIELD: &str = "attributes";
const HEADER_PREFIX: &str = "sip_header_";
const CONFIRMATION: &str = "use_call_confirmation";

/// What calls act on, and which JSON says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// true, false, "true" or "false".
    Boolean,
    /// A text.
    Text,
    /// A text, or a boolean that means the text of the same letters.
    TextOrBoolean,
    /// Somebody's own: any JSON.
    Custom,
}

fn kind(key: &str) -> Kind {
    match key {
        "hide_origination_did" | "fix_anonymous_cid" => Kind::Boolean,
        "announce" | "cnam" => Kind::Text,
        "ringback" | CONFIRMATION => Kind::TextOrBoolean,
        _ if key.starts_with(HEADER_PREFIX) => Kind::Text,
        _ => Kind::Custom,
    }
}

/// The attributes of a body, checked; what is wrong is noted. `Null` is what the body says, and the field's own affair.
pub(super) fn read(fields: &mut Fields<'_>) -> Presence<Object> {
    match fields.object(FIELD) {
        Presence::Absent => Presence::Absent,
        Presence::Null => Presence::Null,
        Presence::Given(object) => {
            for error in check(object) {
                fields.fault(&error.field, error.detail);
            }
            Presence::Given(object.clone())
        }
    }
}

/// Everything that is wrong with attributes. A null is no mistake: it means that there is none.
pub(super) fn check(attributes: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut known = Attributes::default();
    for (key, value) in attributes.iter().filter(|(_, value)| !value.is_null()) {
        if let Err(detail) = check_one(&mut known, key, value) {
            errors.push(FieldError { field: format!("{FIELD}.{key}").into(), detail });
        }
    }
    if written_bytes(attributes) > MAX_BYTES {
        let detail = format!("expected at most {MAX_BYTES} bytes of JSON");
        errors.push(FieldError { field: FIELD.into(), detail: detail.into() });
    }
    errors
}

/// Attributes as they are kept: a null for one that calls act on means that there is none, so it is left out.
pub(super) fn kept(mut attributes: Object) -> Object {
    attributes.retain(|key, value| !value.is_null() || kind(key) == Kind::Custom);
    attributes
}

/// Attributes after a change: the whole is checked, for the parts were checked each by itself.
pub(super) fn changed(old: &Object, new: Option<&Object>, nested: Nested) -> Result<Object, Fault> {
    let Some(new) = new else { return Ok(old.clone()) };
    let changed = match nested {
        Nested::Merge => merge_nested(old, new),
        Nested::Replace => kept(new.clone()),
    };
    let errors = check(&changed);
    if errors.is_empty() { Ok(changed) } else { Err(Fault::Invalid(errors)) }
}

fn check_one(known: &mut Attributes, key: &str, value: &Value) -> Result<(), Box<str>> {
    let text: Box<str> = match (kind(key), value) {
        (Kind::Custom, _) => return Ok(()),
        (_, Value::String(text)) => text.as_str().into(),
        (Kind::Boolean | Kind::TextOrBoolean, Value::Bool(value)) => value.to_string().into(),
        (Kind::Boolean, _) => return Err("expected true or false".into()),
        (Kind::Text | Kind::TextOrBoolean, _) => return Err("expected a text".into()),
    };
    if key == CONFIRMATION && text.chars().any(char::is_control) {
        return Err("expected no control characters".into());
    }
    known.set(key, &text).map_err(|error| detail(&error).into())
}

fn detail(error: &AttributeError) -> &'static str {
    match error {
        AttributeError::NotBoolean(_) => "expected true or false",
        AttributeError::HeaderName(_) => "expected a header name of \"X-\" and a token",
        AttributeError::ControlCharacter(_) => "expected no control characters",
        AttributeError::Ringback => "expected \"false\", \"moh\" or \"passthrough\"",
        AttributeError::TooLarge(_) => {
            "expected at most 256 bytes of name, 1024 of value, and 32 headers"
        }
    }
}

/// Bytes of an object written as JSON, without keeping what is written.
fn written_bytes(object: &Object) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail, and neither can a map with text for keys.
    let _ = serde_json::to_writer(&mut count, object);
    count.0
}
