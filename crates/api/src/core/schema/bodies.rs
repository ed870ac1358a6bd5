//! The bodies of requests, made out of the objects: `EndpointBody` for POST, `EndpointPart` for PATCH, `EndpointWhole` for
//! PUT, and so on.

use serde_json::{Value, json};
use utoipa::Modify;
use utoipa::openapi::schema::{Object, Schema};
use utoipa::openapi::{OpenApi, RefOr};

use crate::core::{dids, endpoints, trunk_groups, trunks};

/// Makes the bodies of requests out of the objects, and lets answers leave fields out, as `include_fields` has them do.
pub(in crate::core) struct Bodies;

/// A body's kind: which object, what POST and PUT want of it, and an example.
type Body = (&'static str, &'static [&'static str], &'static [&'static str], Value);

impl Modify for Bodies {
    fn modify(&self, document: &mut OpenApi) {
        let Some(components) = &mut document.components else { return };
        for (name, for_post, for_put, example) in bodies() {
            let Some(RefOr::T(Schema::Object(shown))) = components.schemas.get(&full(name)) else {
                debug_assert!(false, "{name} is described");
                continue;
            };
            let mut body = shown.clone();
            body.properties.retain(|_, property| !is_read_only(property));
            body.example = Some(example);
            let (part, whole) = (requiring(&body, &[]), requiring(&body, for_put));
            components.schemas.insert(full(&format!("{name}Body")), requiring(&body, for_post));
            components.schemas.insert(full(&format!("{name}Part")), part);
            components.schemas.insert(full(&format!("{name}Whole")), whole);
        }
        for name in ANSWERS {
            if let Some(RefOr::T(Schema::Object(shown))) = components.schemas.get_mut(&full(name)) {
                shown.required.clear();
            }
        }
    }
}

/// Objects whose fields can be chosen.
const ANSWERS: &[&str] = &[
    "Address",
    "DeadLetter",
    "Did",
    "Endpoint",
    "Leg",
    "Media",
    "Partner",
    "Properties",
    "Token",
    "Trunk",
    "TrunkGroup",
];

/// The Mediator API has types of the same names.
fn full(name: &str) -> String {
    format!("core.{name}")
}

fn requiring(body: &Object, names: &[&str]) -> RefOr<Schema> {
    let mut body = body.clone();
    body.required = names.iter().map(|name| (*name).to_owned()).collect();
    RefOr::T(Schema::Object(body))
}

fn is_read_only(property: &RefOr<Schema>) -> bool {
    matches!(property, RefOr::T(Schema::Object(object)) if object.read_only == Some(true))
}

fn bodies() -> [Body; 4] {
    let endpoint = json!({
        "name": "desk", "type": "third_party", "addresses": [{ "ip": "192.0.2.7" }],
        "attributes": {}, "capacity": 10, "out_sip_username": null, "properties": {},
        "transformations": [],
    });
    let trunk_group = json!({
        "name": "carriers", "routing_type": "failover", "routing_data": null,
        "hard_failure_codes": "408;503;", "hard_failure_threshold": 3,
        "hard_failure_interval": 60, "hard_failure_cooldown": 120,
        "hard_failure_last_resort": "first", "soft_failure_codes": "408;500;",
        "sip_options_threshold": 3, "acls": [], "external_handlers": [],
        "sip_options_locations": [], "transformations": [],
    });
    let trunk = json!({
        "name": "first", "endpoint_sid": "9943812f-bac0-45b2-a1bb-01674b7183bf", "priority": 0,
        "weight": 0, "in_capacity": 0, "out_capacity": 0, "allow_forward": "disabled",
        "allow_transfer": false, "asn_mode": "disable", "call_type": "regular", "codec": null,
        "in_identity_format": "passthrough", "in_identity_mode": "passthrough",
        "out_identity_mode": "passthrough", "in_rfc_4694_mode": "cut_all",
        "out_rfc_4694_mode": "cut_all", "relay_sip_headers": [], "transformations": [],
        "acls": [], "location_sid": null,
    });
    let did = json!({
        "phonenumber": "12092551151", "name": "N/A", "attributes": {}, "string_key_1": null,
        "string_key_2": null, "transformations": [], "trunk_group_sid": null,
    });
    [
        ("Endpoint", &["type"], endpoints::PUT_FIELDS, endpoint),
        ("TrunkGroup", &[], trunk_groups::PUT_FIELDS, trunk_group),
        ("Trunk", &["endpoint_sid"], trunks::PUT_FIELDS, trunk),
        ("Did", &["phonenumber"], dids::PUT_FIELDS, did),
    ]
}
