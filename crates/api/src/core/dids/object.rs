//! A DID as it is shown.

use mediator_model::Sid;
use mediator_store::record::DidRecord;
use serde_json::{Value, json};

use crate::select::FieldNames;

/// What can be filtered, ordered and selected by.
pub(super) const FIELDS: FieldNames = &[
    "attributes",
    "country_code",
    "did_sid",
    "in_country_format",
    "international_format",
    "name",
    "partner_sid",
    "phonenumber",
    "status",
    "string_key_1",
    "string_key_2",
    "transformations",
    "trunk_group_sid",
];

/// The object of the API.
pub(super) fn show(record: &DidRecord, partner_sid: Sid) -> Value {
    json!({
        "attributes": record.attributes,
        "country_code": record.country_code,
        "did_sid": record.sid.to_string(),
        "in_country_format": record.in_country_format,
        "international_format": record.international_format,
        "name": record.name,
        "partner_sid": partner_sid.to_string(),
        "phonenumber": record.phonenumber.to_string(),
        // Every number here is the operator's own.
        "status": "assigned",
        "string_key_1": record.string_key_1,
        "string_key_2": record.string_key_2,
        "transformations": record.transformations,
        "trunk_group_sid": record.trunk_group_sid.map(|sid| sid.to_string()),
    })
}
