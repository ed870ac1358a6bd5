//! An endpoint as it is shown.

use mediator_model::Sid;
use mediator_store::record::{AddressRecord, EndpointRecord, EndpointType};
use serde_json::{Value, json};

use super::body::shown_password;
use crate::core::request::Frame;
use crate::select::FieldNames;

/// What can be filtered, ordered and selected by.
pub(super) const FIELDS: FieldNames = &[
    "addresses",
    "attributes",
    "auth_required",
    "capacity",
    "cps_limit",
    "endpoint_sid",
    "name",
    "number_format",
    "out_sip_username",
    "outbound",
    "partner_sid",
    "properties",
    "sip_username",
    "transformations",
    "trunk_group_sid",
    "type",
    "voip_token",
];

/// The object of the API; SIP passwords are never in it. `trunk_group` is the one that leads to it.
pub(super) fn show(record: &EndpointRecord, trunk_group: Option<Sid>, frame: &Frame) -> Value {
    json!({
        "addresses": record.addresses.iter().map(address).collect::<Vec<_>>(),
        "attributes": record.attributes,
        "auth_required": record.auth_required,
        "capacity": record.capacity,
        "cps_limit": record.cps_limit,
        "endpoint_sid": record.sid.to_string(),
        "name": record.name,
        "number_format": if record.number_plus { "plus" } else { "digits" },
        "out_sip_username": record.out_sip_username,
        "outbound": record.outbound.map(|sid| sid.to_string()),
        "partner_sid": frame.partner_sid.to_string(),
        "properties": properties(record, frame),
        "sip_username": record.sip_username,
        "transformations": record.transformations,
        "trunk_group_sid": trunk_group.map(|sid| sid.to_string()),
        "type": type_name(record.kind),
        "voip_token": null,
    })
}

pub(super) const fn type_name(kind: EndpointType) -> &'static str {
    match kind {
        EndpointType::Mediator => "mediator",
        EndpointType::ThirdParty => "third_party",
        EndpointType::SystemGateway => "system_gateway",
    }
}

fn properties(record: &EndpointRecord, frame: &Frame) -> Value {
    match record.kind {
        EndpointType::Mediator => json!({
            "account_sid": record.sid.to_string(),
            "api_url": format!("{}/mediator/v1", frame.origin),
            "container_sid": null,
            "login": record.login,
            "password": shown_password(record),
        }),
        EndpointType::ThirdParty | EndpointType::SystemGateway => json!({}),
    }
}

fn address(address: &AddressRecord) -> Value {
    let AddressRecord { direction, ip, port, transport, priority, sip_username, sip_password: _ } =
        address;
    json!({
        "direction": direction,
        "dst_port": port,
        "ip": ip,
        "location_sid": null,
        "port": port,
        "priority": priority,
        "sip_username": sip_username,
        "srtp": false,
        "transport": transport,
    })
}
