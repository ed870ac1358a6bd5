//! A trunk as it is shown.

use mediator_model::Sid;
use mediator_store::record::TrunkRecord;
use serde_json::Value;

use super::body::extra_defaults;
use crate::select::FieldNames;

/// What can be filtered, ordered and selected by.
pub(super) const FIELDS: FieldNames = &[
    "acls",
    "allow_forward",
    "allow_transfer",
    "asn_mode",
    "call_type",
    "codec",
    "endpoint_sid",
    "in_capacity",
    "in_identity_format",
    "in_identity_mode",
    "in_rfc_4694_mode",
    "location_sid",
    "name",
    "out_capacity",
    "out_identity_mode",
    "out_rfc_4694_mode",
    "partner_sid",
    "priority",
    "relay_sip_headers",
    "transformations",
    "trunk_group_sid",
    "trunk_sid",
    "weight",
];

/// The object of the API.
pub(in crate::core) fn show(record: &TrunkRecord, partner_sid: Sid) -> Value {
    let mut shown = extra_defaults();
    shown.extend(record.extra.clone());
    let own: [(&str, Value); 10] = [
        ("allow_forward", Value::from(&*record.allow_forward)),
        ("endpoint_sid", record.endpoint_sid.to_string().into()),
        ("in_capacity", record.in_capacity.into()),
        ("name", Value::from(&*record.name)),
        ("out_capacity", record.out_capacity.into()),
        ("partner_sid", partner_sid.to_string().into()),
        ("priority", record.priority.into()),
        ("trunk_group_sid", record.trunk_group_sid.to_string().into()),
        ("trunk_sid", record.sid.to_string().into()),
        ("weight", record.weight.into()),
    ];
    shown.extend(own.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(shown)
}
