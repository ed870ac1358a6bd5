//! A trunk group as it is shown.

use mediator_model::Sid;
use mediator_store::record::TrunkGroupRecord;
use serde_json::{Value, json};

use super::body::LISTS;
use crate::select::FieldNames;

/// What can be filtered, ordered and selected by.
pub(super) const FIELDS: FieldNames = &[
    "acls",
    "external_handlers",
    "hard_failure_codes",
    "hard_failure_cooldown",
    "hard_failure_interval",
    "hard_failure_last_resort",
    "hard_failure_threshold",
    "name",
    "options_interval",
    "partner_sid",
    "routing_data",
    "routing_type",
    "sip_options_locations",
    "sip_options_threshold",
    "soft_failure_codes",
    "transformations",
    "trunk_group_sid",
    "trunks",
];

/// The object of the API.
pub(super) fn show(record: &TrunkGroupRecord, partner_sid: Sid) -> Value {
    let mut shown = json!({
        "hard_failure_codes": record.hard_failure_codes,
        "hard_failure_cooldown": record.hard_failure_cooldown,
        "hard_failure_interval": record.hard_failure_interval,
        "hard_failure_last_resort": record.hard_failure_last_resort,
        "hard_failure_threshold": record.hard_failure_threshold,
        "name": record.name,
        "options_interval": record.options_interval,
        "partner_sid": partner_sid.to_string(),
        "routing_data": record.routing_data,
        "routing_type": record.routing_type,
        "sip_options_threshold": record.sip_options_threshold,
        "soft_failure_codes": record.soft_failure_codes,
        "trunk_group_sid": record.sid.to_string(),
    });
    if let Value::Object(shown) = &mut shown {
        for name in LISTS {
            let list = record.lists.get(name).cloned();
            shown.insert(name.to_owned(), list.unwrap_or_else(|| Value::Array(Vec::new())));
        }
    }
    shown
}
