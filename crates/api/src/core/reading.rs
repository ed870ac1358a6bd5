//! Fields that several objects have: names, credentials in pairs, free lists.

use std::ops::RangeInclusive;

use mediator_model::Secret;
use mediator_store::record::Object;
use serde_json::Value;

use crate::fields::{Fields, Presence};
use crate::patch::{self, Nested};

/// The longest name, user name or password, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 256;
/// The most entries of a list that is kept as it came.
const MAX_LIST_ITEMS: usize = 256;
/// What an object is called where nobody says.
pub(super) const NO_NAME: &str = "N/A";
/// The most calls at once, or a second, that can be set.
pub(super) const MAX_CALLS: i64 = 1_000_000;

/// How much a body must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extent {
    /// PATCH: what is absent stays.
    Part,
    /// PUT: every field that is always shown and can be set.
    Whole,
}

/// `name`: absent keeps what there is, null is "N/A".
pub(super) fn name(fields: &mut Fields<'_>, current: &str) -> Box<str> {
    match fields.text("name", MAX_TEXT_BYTES) {
        Presence::Absent => current.into(),
        Presence::Null => NO_NAME.into(),
        Presence::Given(name) => {
            if name.trim().is_empty() {
                fields.fault("name", "must not be empty");
            }
            name
        }
    }
}

/// A value that may be absent (then it stays as it is), but not null.
pub(super) fn keep<T>(fields: &mut Fields<'_>, name: &str, value: Presence<T>, current: T) -> T {
    fields.not_null(name, value).unwrap_or(current)
}

/// A whole number that may be absent, but not null.
pub(super) fn whole<T>(
    fields: &mut Fields<'_>,
    name: &str,
    range: RangeInclusive<T>,
    current: T,
) -> T
where
    T: Copy + Into<i64> + TryFrom<i64>,
{
    let range = (*range.start()).into()..=(*range.end()).into();
    let value = fields.integer(name, range);
    // What is within the range of two `T`s is a `T`.
    fields.not_null(name, value).and_then(|value| T::try_from(value).ok()).unwrap_or(current)
}

/// A text that is not blank.
pub(super) fn not_blank(fields: &mut Fields<'_>, name: &str) -> Presence<Box<str>> {
    match fields.text(name, MAX_TEXT_BYTES) {
        Presence::Given(text) if text.trim().is_empty() => {
            fields.fault(name, "must not be empty");
            Presence::Absent
        }
        found => found,
    }
}

/// A user name and its password.
pub(super) type Pair = (Box<str>, Secret);

/// A user name and a password, both or none. The password is never shown, so a body that comes back with the same user
/// name and no password keeps it.
pub(super) fn pair(
    fields: &mut Fields<'_>,
    [user_key, password_key]: [&'static str; 2],
    current: Option<Pair>,
) -> Option<Pair> {
    let username = not_blank(fields, user_key);
    let password = not_blank(fields, password_key);
    match (username, password, current) {
        (Presence::Absent, Presence::Absent, current) => current,
        (Presence::Null, Presence::Absent | Presence::Null, _)
        | (Presence::Absent, Presence::Null, None) => None,
        (Presence::Given(username), Presence::Given(password), _)
        | (Presence::Absent, Presence::Given(password), Some((username, _))) => {
            Some((username, Secret::new(password)))
        }
        (Presence::Given(username), Presence::Absent, Some((known, password)))
            if username == known =>
        {
            Some((known, password))
        }
        (Presence::Given(_), Presence::Absent | Presence::Null, current) => {
            fields.fault(password_key, format!("is required beside {user_key}"));
            current
        }
        (Presence::Absent | Presence::Null, Presence::Given(_), current) => {
            fields.fault(user_key, format!("is required beside {password_key}"));
            current
        }
        (Presence::Absent, Presence::Null, current @ Some(_)) => {
            fields.fault(password_key, format!("must not be null without {user_key}"));
            current
        }
    }
}

/// The parts of a stored pair, where it is complete.
pub(super) fn stored_pair(username: Option<&str>, password: Option<&Secret>) -> Option<Pair> {
    Some((username?.into(), password?.clone()))
}

/// A nested object of free content, merged or replaced.
pub(super) fn free_object(
    fields: &mut Fields<'_>,
    name: &str,
    current: &Object,
    nested: Nested,
) -> Object {
    let given = fields.object(name);
    let Some(given) = fields.not_null(name, given) else { return current.clone() };
    match nested {
        Nested::Merge => patch::merge_nested(current, given),
        Nested::Replace => patch::merge_nested(&Object::new(), given),
    }
}

/// A list whose entries are kept as they came.
pub(super) fn free_list(fields: &mut Fields<'_>, name: &str, current: &[Value]) -> Vec<Value> {
    let given = fields.list(name, MAX_LIST_ITEMS);
    fields.not_null(name, given).unwrap_or(current).to_vec()
}

/// Number rewrites: objects whose known parts are of the right type; what else they hold is kept.
pub(super) fn transformations(fields: &mut Fields<'_>, current: &[Value]) -> Vec<Value> {
    const NAME: &str = "transformations";
    let listed = free_list(fields, NAME, current);
    for (at, entry) in listed.iter().enumerate() {
        let Value::Object(entry) = entry else {
            fields.fault(&format!("{NAME}.{at}"), "expected an object");
            continue;
        };
        let mut rule = Fields::nested(entry, &format!("{NAME}.{at}."));
        for key in ["attribute", "rule", "replacement", "direction"] {
            rule.text(key, 1024);
        }
        fields.absorb(rule);
    }
    listed
}
