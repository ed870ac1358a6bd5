//! A DID's body, checked.

use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::record::{DidRecord, Object};
use serde_json::Value;

use crate::core::fresh;
use crate::core::reading::{self, Extent, NO_NAME};
use crate::fault::Fault;
use crate::fields::Fields;
use crate::numbers::NumberInfo;
use crate::patch::Nested;

/// The fields that PUT wants.
pub(in crate::core) const PUT_FIELDS: &[&str] =
    &["attributes", "name", "string_key_1", "string_key_2", "transformations", "trunk_group_sid"];

/// What can be set of a DID.
struct Settable {
    trunk_group_sid: Option<Sid>,
    name: Box<str>,
    attributes: Object,
    string_key_1: Option<Box<str>>,
    string_key_2: Option<Box<str>>,
    transformations: Vec<Value>,
}

/// A number that the operator adds; that its trunk group exists is still to be looked up.
pub(super) fn create(body: &Object, now: UnixMillis) -> Result<DidRecord, Fault> {
    let mut fields = Fields::new(body);
    let number = fields.number("phonenumber");
    let number = fields.required("phonenumber", number);
    let blank = Settable {
        trunk_group_sid: None,
        name: NO_NAME.into(),
        attributes: Object::new(),
        string_key_1: None,
        string_key_2: None,
        transformations: Vec::new(),
    };
    let set = read(&mut fields, blank, Nested::Merge);
    fields.finish()?;
    match number {
        Some(number) => Ok(record(fresh::sid()?, number, set, now)),
        // It was noted as missing: numbers are the operator's own, none are rented here.
        None => Err(Fault::invalid("phonenumber", "is required")),
    }
}

/// A body laid over the DID that there is.
pub(super) fn update(
    body: &Object,
    current: &DidRecord,
    nested: Nested,
    extent: Extent,
) -> Result<DidRecord, Fault> {
    let mut fields = Fields::new(body);
    if extent == Extent::Whole {
        fields.require_all(PUT_FIELDS);
    }
    let number = fields.number("phonenumber");
    if fields.not_null("phonenumber", number).is_some_and(|number| number != current.phonenumber) {
        fields.fault("phonenumber", "cannot be changed: delete this DID and make another");
    }
    let known = Settable {
        trunk_group_sid: current.trunk_group_sid,
        name: current.name.clone(),
        attributes: current.attributes.clone(),
        string_key_1: current.string_key_1.clone(),
        string_key_2: current.string_key_2.clone(),
        transformations: current.transformations.clone(),
    };
    let set = read(&mut fields, known, nested);
    fields.finish()?;
    Ok(record(current.sid, current.phonenumber, set, current.date_created))
}

fn read(fields: &mut Fields<'_>, current: Settable, nested: Nested) -> Settable {
    let key = |fields: &mut Fields<'_>, name: &str, current: Option<Box<str>>| {
        fields.text(name, reading::MAX_TEXT_BYTES).or_keep(current)
    };
    Settable {
        trunk_group_sid: fields.sid("trunk_group_sid").or_keep(current.trunk_group_sid),
        name: reading::name(fields, &current.name),
        attributes: reading::free_object(fields, "attributes", &current.attributes, nested),
        string_key_1: key(fields, "string_key_1", current.string_key_1),
        string_key_2: key(fields, "string_key_2", current.string_key_2),
        transformations: reading::transformations(fields, &current.transformations),
    }
}

fn record(sid: Sid, phonenumber: Number, set: Settable, date_created: UnixMillis) -> DidRecord {
    let NumberInfo { country_code, in_country_format, international_format, e164_format: _ } =
        NumberInfo::of(phonenumber);
    DidRecord {
        sid,
        phonenumber,
        trunk_group_sid: set.trunk_group_sid,
        name: set.name,
        country_code: country_code.map(Into::into),
        in_country_format,
        international_format,
        attributes: set.attributes,
        string_key_1: set.string_key_1,
        string_key_2: set.string_key_2,
        transformations: set.transformations,
        date_created,
    }
}
