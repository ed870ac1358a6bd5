//! An endpoint's body, checked: which fields it has, and which belong to which type.

use argon2::PasswordHash;
use mediator_model::{Secret, Sid, UnixMillis};
use mediator_store::record::{EndpointRecord, EndpointType, Object};
use serde_json::Value;

use super::address;
use crate::core::fresh;
use crate::core::reading::{self, Extent, NO_NAME};
use crate::fault::Fault;
use crate::fields::{Fields, Presence};
use crate::patch::Nested;

/// The vendor's types that do not exist here yet.
const UNBUILT_TYPES: &[&str] =
    &["conference", "conference_playback", "conference_v2", "flexml", "voicemail"];

/// How a password begins that is kept as a hash (PHC string format).
pub(super) const HASHED: &str = "$argon2";

/// The fields that PUT wants, those that are always shown and can be set in every type. Ours, which a client that was
/// written for the vendor does not know, keep their values where they are not there.
pub(in crate::core) const PUT_FIELDS: &[&str] = &[
    "name",
    "type",
    "addresses",
    "attributes",
    "capacity",
    "out_sip_username",
    "properties",
    "transformations",
];

/// A checked body: the endpoint, and the way out that it names, which is still to be looked up.
#[derive(Debug)]
pub(super) struct EndpointBody {
    pub(super) record: EndpointRecord,
    /// A trunk group or an endpoint.
    pub(super) outbound: Presence<Sid>,
    /// Whether a trunk group of the same name shall be made alongside.
    pub(super) provision_trunk_group: bool,
}

/// A new endpoint's body.
pub(super) fn create(body: &Object, now: UnixMillis) -> Result<EndpointBody, Fault> {
    let mut fields = Fields::new(body);
    let kind = read_type(&mut fields);
    let Some(kind) = fields.required("type", kind) else {
        // What else is wrong is worth knowing, though it depends on the type.
        let guess = blank(EndpointType::ThirdParty, now)?;
        read(&mut fields, &guess, Nested::Merge);
        fields.finish()?;
        return Err(Fault::invalid("type", "is required"));
    };
    let mut read = read(&mut fields, &blank(kind, now)?, Nested::Merge);
    fields.finish()?;
    if kind == EndpointType::Mediator {
        let record = &mut read.record;
        record.login = Some(record.login.take().map_or_else(fresh::login, Ok)?);
        record.password = Some(record.password.take().map_or_else(fresh::password, Ok)?);
    }
    Ok(read)
}

/// A body laid over the endpoint that there is.
pub(super) fn update(
    body: &Object,
    current: &EndpointRecord,
    nested: Nested,
    extent: Extent,
) -> Result<EndpointBody, Fault> {
    let mut fields = Fields::new(body);
    if extent == Extent::Whole {
        fields.require_all(PUT_FIELDS);
    }
    let kind = read_type(&mut fields);
    if fields.not_null("type", kind).is_some_and(|kind| kind != current.kind) {
        fields.fault("type", "cannot be changed: make another endpoint");
    }
    let read = read(&mut fields, current, nested);
    fields.finish()?;
    Ok(read)
}

fn blank(kind: EndpointType, now: UnixMillis) -> Result<EndpointRecord, Fault> {
    Ok(EndpointRecord {
        sid: fresh::sid()?,
        name: NO_NAME.into(),
        kind,
        addresses: Vec::new(),
        attributes: Object::new(),
        auth_required: true,
        capacity: 0,
        cps_limit: None,
        out_sip_username: None,
        out_sip_password: None,
        sip_username: None,
        sip_password: None,
        login: None,
        password: None,
        outbound: None,
        number_plus: false,
        transformations: Vec::new(),
        date_created: now,
    })
}

fn read_type(fields: &mut Fields<'_>) -> Presence<EndpointType> {
    match fields.text("type", reading::MAX_TEXT_BYTES) {
        Presence::Absent => Presence::Absent,
        Presence::Null => Presence::Null,
        Presence::Given(text) => match &*text {
            "mediator" => Presence::Given(EndpointType::Mediator),
            "third_party" => Presence::Given(EndpointType::ThirdParty),
            "system_gateway" => Presence::Given(EndpointType::SystemGateway),
            other => {
                let is_known = UNBUILT_TYPES.contains(&other) || other.starts_with("peering_");
                let reason = if is_known { "this type is not built yet: " } else { "" };
                let expected = "expected one of: mediator, third_party, system_gateway";
                fields.fault("type", format!("{reason}{expected}"));
                Presence::Absent
            }
        },
    }
}

fn read(fields: &mut Fields<'_>, current: &EndpointRecord, nested: Nested) -> EndpointBody {
    let mut record = current.clone();
    record.name = reading::name(fields, &current.name);
    record.addresses = address::read(fields, &current.addresses);
    record.attributes = reading::free_object(fields, "attributes", &current.attributes, nested);
    let auth_required = fields.boolean("auth_required");
    record.auth_required =
        reading::keep(fields, "auth_required", auth_required, current.auth_required);
    record.capacity = calls(fields, "capacity").unwrap_or(current.capacity);
    record.cps_limit = read_cps_limit(fields, current.cps_limit);
    read_credentials(fields, &mut record);
    read_properties(fields, &mut record);
    let format = fields.word("number_format", &["digits", "plus"]);
    record.number_plus = fields
        .not_null("number_format", format)
        .map_or(current.number_plus, |format| format == "plus");
    record.transformations = reading::transformations(fields, &current.transformations);
    let outbound = fields.sid("outbound");
    let provision = fields.boolean("provision_trunk_group").unwrap_or(false);
    check_type(fields, &record, &outbound);
    EndpointBody { record, outbound, provision_trunk_group: provision }
}

fn calls(fields: &mut Fields<'_>, name: &str) -> Option<u32> {
    let given = fields.integer(name, 0..=reading::MAX_CALLS);
    fields.not_null(name, given).and_then(|calls| u32::try_from(calls).ok())
}

fn read_cps_limit(fields: &mut Fields<'_>, current: Option<u32>) -> Option<u32> {
    match fields.integer("cps_limit", 0..=reading::MAX_CALLS) {
        Presence::Absent => current,
        Presence::Null => None,
        Presence::Given(limit) => u32::try_from(limit).ok(),
    }
}

fn read_credentials(fields: &mut Fields<'_>, record: &mut EndpointRecord) {
    let out =
        reading::stored_pair(record.out_sip_username.as_deref(), record.out_sip_password.as_ref());
    let out = reading::pair(fields, ["out_sip_username", "out_sip_password"], out);
    (record.out_sip_username, record.out_sip_password) = out.unzip();
    let own = reading::stored_pair(record.sip_username.as_deref(), record.sip_password.as_ref());
    let own = reading::pair(fields, ["sip_username", "sip_password"], own);
    (record.sip_username, record.sip_password) = own.unzip();
}

/// `properties.login` and `properties.password`; the others are ours to say. Null keeps what there is, because null is
/// what is shown of a password that is kept as a hash.
fn read_properties(fields: &mut Fields<'_>, record: &mut EndpointRecord) {
    let given = fields.object("properties");
    let Some(given) = fields.not_null("properties", given) else { return };
    let mut properties = Fields::nested(given, "properties.");
    if let Presence::Given(login) = reading::not_blank(&mut properties, "login") {
        if login.contains(':') {
            properties.fault("login", "must not hold a colon, which HTTP Basic cannot carry");
        }
        record.login = Some(login);
    }
    if let Presence::Given(password) = reading::not_blank(&mut properties, "password") {
        if password.starts_with(HASHED) && PasswordHash::new(&password).is_err() {
            properties.fault("password", "begins as an argon2 hash and is none");
        }
        record.password = Some(Secret::new(password));
    }
    fields.absorb(properties);
}

/// Fields that only one type has: elsewhere they would be kept and never used.
fn check_type(fields: &mut Fields<'_>, record: &EndpointRecord, outbound: &Presence<Sid>) {
    let is_mediator = record.kind == EndpointType::Mediator;
    let only_mediator = "only type mediator has this";
    let set: [(&str, bool, &str); 6] = [
        ("addresses", is_mediator && !record.addresses.is_empty(), "type mediator has none"),
        (
            "out_sip_username",
            is_mediator && record.out_sip_username.is_some(),
            "type mediator has none",
        ),
        (
            "sip_username",
            record.kind != EndpointType::ThirdParty && record.sip_username.is_some(),
            "only type third_party has this",
        ),
        ("properties.login", !is_mediator && record.login.is_some(), only_mediator),
        ("properties.password", !is_mediator && record.password.is_some(), only_mediator),
        ("outbound", !is_mediator && matches!(outbound, Presence::Given(_)), only_mediator),
    ];
    for (field, is_foreign, reason) in set {
        if is_foreign {
            fields.fault(field, reason);
        }
    }
}

/// What is shown of a password: a hash is not.
pub(super) fn shown_password(record: &EndpointRecord) -> Value {
    match &record.password {
        Some(password) if !password.expose().starts_with(HASHED) => password.expose().into(),
        Some(_) | None => Value::Null,
    }
}
