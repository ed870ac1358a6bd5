//! A trunk's body, checked. Fields of the vendor's that have no effect here yet are checked, kept and shown.

use mediator_model::{Sid, UnixMillis};
use mediator_store::record::{Object, TrunkRecord};
use serde_json::{Value, json};

use crate::core::fresh;
use crate::core::reading::{self, Extent, NO_NAME};
use crate::fault::Fault;
use crate::fields::{Fields, Presence};

/// The fields that PUT wants.
pub(in crate::core) const PUT_FIELDS: &[&str] = &[
    "name",
    "endpoint_sid",
    "priority",
    "weight",
    "in_capacity",
    "out_capacity",
    "allow_forward",
    "allow_transfer",
    "asn_mode",
    "call_type",
    "codec",
    "in_identity_format",
    "in_identity_mode",
    "out_identity_mode",
    "in_rfc_4694_mode",
    "out_rfc_4694_mode",
    "relay_sip_headers",
    "transformations",
    "acls",
    "location_sid",
];

/// The vendor's codecs of a trunk.
const CODECS: &[&str] = &[
    "alaw", "g722", "g723", "g729", "gsm", "opus8", "opus12", "opus16", "opus24", "opus48", "ulaw",
];

/// What the vendor's fields are where nobody says.
pub(super) fn extra_defaults() -> Object {
    let defaults = json!({
        "acls": [],
        "allow_transfer": false,
        "asn_mode": "disable",
        "call_type": "regular",
        "codec": null,
        "in_identity_format": "passthrough",
        "in_identity_mode": "passthrough",
        "in_rfc_4694_mode": "cut_all",
        "location_sid": null,
        "out_identity_mode": "passthrough",
        "out_rfc_4694_mode": "cut_all",
        "relay_sip_headers": [],
        "transformations": [],
    });
    match defaults {
        Value::Object(defaults) => defaults,
        _ => Object::new(),
    }
}

/// A checked body; that its endpoint exists is still to be looked up.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::core) struct TrunkBody {
    pub(in crate::core) record: TrunkRecord,
    /// The field that names the endpoint, for messages.
    pub(in crate::core) endpoint_field: Box<str>,
}

/// The trunk that is made alongside an endpoint.
pub(in crate::core) fn only(
    name: &str,
    endpoint_sid: Sid,
    trunk_group_sid: Sid,
    now: UnixMillis,
) -> Result<TrunkRecord, Fault> {
    Ok(TrunkRecord { name: name.into(), endpoint_sid, ..blank(trunk_group_sid, now)? })
}

fn blank(trunk_group_sid: Sid, now: UnixMillis) -> Result<TrunkRecord, Fault> {
    Ok(TrunkRecord {
        sid: fresh::sid()?,
        trunk_group_sid,
        name: NO_NAME.into(),
        endpoint_sid: Sid::from_u128(0),
        priority: 0,
        weight: 0,
        in_capacity: 0,
        out_capacity: 0,
        allow_forward: "disabled".into(),
        extra: extra_defaults(),
        date_created: now,
    })
}

/// A new trunk of a group; `None` where it names no endpoint, which was noted.
pub(in crate::core) fn read_new(
    fields: &mut Fields<'_>,
    trunk_group_sid: Sid,
    now: UnixMillis,
) -> Result<Option<TrunkBody>, Fault> {
    let blank = blank(trunk_group_sid, now)?;
    let endpoint_sid = fields.sid("endpoint_sid");
    let endpoint_sid = fields.required("endpoint_sid", endpoint_sid);
    let record = read(fields, &blank);
    let endpoint_field = fields.full_name("endpoint_sid");
    Ok(endpoint_sid.map(|endpoint_sid| TrunkBody {
        record: TrunkRecord { endpoint_sid, ..record },
        endpoint_field,
    }))
}

/// A body laid over the trunk that there is.
pub(super) fn update(
    body: &Object,
    current: &TrunkRecord,
    extent: Extent,
) -> Result<TrunkBody, Fault> {
    let mut fields = Fields::new(body);
    if extent == Extent::Whole {
        fields.require_all(PUT_FIELDS);
    }
    let endpoint_sid = fields.sid("endpoint_sid");
    let endpoint_sid =
        reading::keep(&mut fields, "endpoint_sid", endpoint_sid, current.endpoint_sid);
    let record = TrunkRecord { endpoint_sid, ..read(&mut fields, current) };
    fields.finish()?;
    Ok(TrunkBody { record, endpoint_field: "endpoint_sid".into() })
}

/// Everything but the endpoint.
fn read(fields: &mut Fields<'_>, current: &TrunkRecord) -> TrunkRecord {
    let forward =
        fields.word("allow_forward", &["disabled", "direct", "direct_uri", "protected", "reroute"]);
    let forward = fields.not_null("allow_forward", forward);
    TrunkRecord {
        name: reading::name(fields, &current.name),
        priority: reading::whole(fields, "priority", 0..=u16::MAX, current.priority),
        weight: reading::whole(fields, "weight", 0..=u16::MAX, current.weight),
        in_capacity: capacity(fields, "in_capacity", current.in_capacity),
        out_capacity: capacity(fields, "out_capacity", current.out_capacity),
        allow_forward: forward.map_or_else(|| current.allow_forward.clone(), Into::into),
        extra: read_extra(fields, &current.extra),
        ..current.clone()
    }
}

/// 0 is unlimited, -1 none.
fn capacity(fields: &mut Fields<'_>, name: &str, current: i32) -> i32 {
    const MOST: i32 = 1_000_000;
    reading::whole(fields, name, -1..=MOST, current)
}

fn read_extra(fields: &mut Fields<'_>, current: &Object) -> Object {
    let mut extra = extra_defaults();
    extra.extend(current.clone());
    for name in ["call_type", "in_identity_format", "in_identity_mode", "out_identity_mode"] {
        put(&mut extra, name, read_word(fields, name));
    }
    for name in ["in_rfc_4694_mode", "out_rfc_4694_mode"] {
        put(&mut extra, name, read_word(fields, name));
    }
    let asn_mode = fields.word("asn_mode", &["disable", "read", "write", "read_write"]);
    put(&mut extra, "asn_mode", fields.not_null("asn_mode", asn_mode));
    put(&mut extra, "allow_transfer", read_allow_transfer(fields));
    put_nullable(&mut extra, "codec", fields.word("codec", CODECS));
    let location = fields.sid("location_sid");
    put_nullable(&mut extra, "location_sid", map(location, |sid| sid.to_string()));
    for name in ["acls", "relay_sip_headers"] {
        let list = reading::free_list(fields, name, list_of(&extra, name));
        extra.insert(name.to_owned(), Value::Array(list));
    }
    check_header_names(fields, list_of(&extra, "relay_sip_headers"));
    let rules = reading::transformations(fields, list_of(&extra, "transformations"));
    extra.insert("transformations".to_owned(), Value::Array(rules));
    extra
}

/// A word of a list that the vendor's reference does not tell in full.
fn read_word(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    let text = fields.text(name, 64);
    let text = fields.not_null(name, text)?;
    let is_word = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_word {
        fields.fault(name, "expected a word of a-z, 0-9 and _");
    }
    Some(text.into())
}

/// A boolean, or the word that newer clients write.
fn read_allow_transfer(fields: &mut Fields<'_>) -> Option<bool> {
    if fields.any("allow_transfer") == Presence::Given(&Value::String("disabled".to_owned())) {
        return Some(false);
    }
    let given = fields.boolean("allow_transfer");
    fields.not_null("allow_transfer", given)
}

fn check_header_names(fields: &mut Fields<'_>, names: &[Value]) {
    let is_text = |name: &Value| name.as_str().is_some_and(|name| !name.is_empty());
    if let Some(at) = names.iter().position(|name| !is_text(name)) {
        fields.fault(&format!("relay_sip_headers.{at}"), "expected a header's name");
    }
}

fn list_of<'a>(extra: &'a Object, name: &str) -> &'a [Value] {
    extra.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn map<T, U>(presence: Presence<T>, change: impl FnOnce(T) -> U) -> Presence<U> {
    match presence {
        Presence::Absent => Presence::Absent,
        Presence::Null => Presence::Null,
        Presence::Given(value) => Presence::Given(change(value)),
    }
}

fn put(extra: &mut Object, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        extra.insert(name.to_owned(), value.into());
    }
}

fn put_nullable(extra: &mut Object, name: &str, value: Presence<impl Into<Value>>) {
    match value {
        Presence::Absent => {}
        Presence::Null => drop(extra.insert(name.to_owned(), Value::Null)),
        Presence::Given(value) => drop(extra.insert(name.to_owned(), value.into())),
    }
}
