//! The Core API's objects as the OpenAPI document describes them. Nothing is built from these: objects are rendered from
//! records, and a test holds the two together.
//!
//! [`Bodies`] makes the bodies of requests out of them: `EndpointBody` for POST, `EndpointPart` for PATCH,
//! `EndpointWhole` for PUT.

#![allow(dead_code, reason = "described, never built")]

use serde_json::{Value, json};
use utoipa::openapi::schema::{Object, Schema};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{IntoParams, Modify, ToSchema};

use super::{dids, endpoints, trunk_groups, trunks};

/// Which page of a list, and what of it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListArgs {
    /// How many to leave out; 0 where it is not said.
    offset: Option<u64>,
    /// How many at most, 10 where it is not said; more than 1000 are cut to 1000.
    limit: Option<u32>,
    /// A field and `asc` or `desc`; several with commas.
    order: Option<String>,
    /// A condition, as `name like "A%" and capacity gt 10`.
    filter: Option<String>,
    /// Fields to show, with commas.
    include_fields: Option<String>,
    /// Fields not to show, with commas.
    exclude_fields: Option<String>,
}

/// Which page of call records.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RecordArgs {
    /// Only records older than the one with this `dr_sid`.
    before: Option<String>,
}

/// What is shown of an object.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FieldArgs {
    /// Fields to show, with commas.
    include_fields: Option<String>,
    /// Fields not to show, with commas.
    exclude_fields: Option<String>,
}

/// How nested objects are patched.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PatchArgs {
    /// `merge` (key by key, null takes a key away), or `replace`.
    nested_objects: Option<String>,
}

/// Only this version.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct MatchHeader {
    /// An `ETag`: 412 where the object has another one by now.
    #[param(rename = "If-Match")]
    if_match: Option<String>,
}

/// Once only.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct KeyHeader {
    /// Up to 255 characters; the same key gets the same answer for 24 h, and nothing is done twice.
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Option<String>,
}

/// A page of a list.
#[derive(ToSchema)]
pub(super) struct List<T: ToSchema> {
    /// How many are on this page.
    count: u64,
    /// Whether more come after it.
    has_more: bool,
    items: Vec<T>,
    limit: u32,
    offset: u64,
    pagination: Pagination,
    /// How many there are on all pages; null where they are not counted (call records).
    total: Option<u64>,
}

/// The neighbours of a page.
#[derive(ToSchema)]
pub(super) struct Pagination {
    next: Option<String>,
    previous: Option<String>,
}

/// What an endpoint is.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum EndpointType {
    Mediator,
    ThirdParty,
    SystemGateway,
}

/// Which way calls may use an address.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Direction {
    Any,
    Inbound,
    Outbound,
}

/// How calls are sent to an address.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Transport {
    Udp,
    Tcp,
}

/// How numbers are written towards an endpoint.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum NumberFormat {
    Digits,
    Plus,
}

/// What happens when every trunk is dead.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum LastResort {
    First,
    Reject502,
    Reject503,
}

/// What becomes of a 3xx.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum AllowForward {
    Disabled,
    Direct,
    DirectUri,
    Protected,
    Reroute,
}

/// Kept, without effect yet.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum AsnMode {
    Disable,
    Read,
    Write,
    ReadWrite,
}

/// A place that an endpoint lives at.
#[derive(ToSchema)]
pub(super) struct Address {
    /// `any` (default), `inbound` or `outbound`.
    direction: Option<Direction>,
    /// The same as `port`.
    #[schema(minimum = 1, maximum = 65535)]
    dst_port: Option<u16>,
    /// An IP address, a block (calls that come in) or a host name.
    ip: String,
    /// There are no locations here.
    location_sid: Option<String>,
    /// Default 5060; null has a host name's port looked up in DNS.
    #[schema(minimum = 1, maximum = 65535)]
    port: Option<u16>,
    /// Lower first. Default 0.
    #[schema(maximum = 65535)]
    priority: Option<u16>,
    /// For a challenge from here; the endpoint's `out_sip_username` where it is null.
    sip_username: Option<String>,
    /// Its password.
    #[schema(write_only)]
    sip_password: Option<String>,
    /// Not built yet: false.
    srtp: Option<bool>,
    /// `udp` (default) or `tcp`; null has a host name's transport looked up in DNS.
    transport: Option<Transport>,
}

/// A thing that calls come from or go to.
#[derive(ToSchema)]
pub(super) struct Endpoint {
    /// At most 64.
    addresses: Vec<Address>,
    /// Free.
    #[schema(value_type = Object)]
    attributes: Value,
    /// Whether a request that no address matches may authenticate by digest. Default true.
    auth_required: bool,
    /// Calls at once that it takes part in; 0 (default) is unlimited.
    #[schema(maximum = 1000000)]
    capacity: u32,
    /// Calls a second; null (default) or 0 is unlimited.
    #[schema(maximum = 1000000)]
    cps_limit: Option<u32>,
    #[schema(read_only, format = "uuid")]
    endpoint_sid: String,
    /// Default "N/A".
    name: String,
    /// How numbers are written towards it: `digits` (default) or `plus`.
    number_format: NumberFormat,
    /// The answer to a far side's challenge.
    out_sip_username: Option<String>,
    /// Its password.
    #[schema(write_only)]
    out_sip_password: Option<String>,
    /// Of a mediator: the trunk group for numbers that are no DIDs here; an endpoint may be named, for the trunk group
    /// that leads to it.
    #[schema(format = "uuid")]
    outbound: Option<String>,
    #[schema(read_only, format = "uuid")]
    partner_sid: String,
    properties: Properties,
    /// At creation: a trunk group of the same name with one trunk to it is made alongside.
    #[schema(write_only)]
    provision_trunk_group: Option<bool>,
    /// What a `third_party` endpoint registers with.
    sip_username: Option<String>,
    /// Its password.
    #[schema(write_only)]
    sip_password: Option<String>,
    /// Number rewrites.
    #[schema(value_type = Vec<Object>)]
    transformations: Value,
    /// The trunk group whose first trunk leads to it.
    #[schema(read_only, format = "uuid")]
    trunk_group_sid: Option<String>,
    /// `mediator`, `third_party` or `system_gateway`.
    r#type: EndpointType,
    #[schema(read_only)]
    voip_token: Option<String>,
}

/// What only a mediator endpoint has; empty in other types.
#[derive(ToSchema)]
pub(super) struct Properties {
    /// The endpoint's own sid.
    #[schema(read_only, format = "uuid")]
    account_sid: Option<String>,
    /// Where its Mediator API is.
    #[schema(read_only)]
    api_url: Option<String>,
    #[schema(read_only)]
    container_sid: Option<String>,
    /// Made where it is not given.
    login: Option<String>,
    /// Made where it is not given; null where only a hash of it is kept.
    password: Option<String>,
}

/// An ordered set of trunks, and the rules for leaving one for the next.
#[derive(ToSchema)]
pub(super) struct TrunkGroup {
    acls: Vec<Value>,
    external_handlers: Vec<Value>,
    /// SIP codes that move on to the next trunk and count towards dead. Default `408;`.
    #[schema(example = "408;503;")]
    hard_failure_codes: String,
    /// Seconds for which a trunk is dead. Default 120.
    #[schema(minimum = 1, maximum = 86400)]
    hard_failure_cooldown: u32,
    /// Seconds within which hard failures count. Default 60.
    #[schema(minimum = 1, maximum = 3600)]
    hard_failure_interval: u32,
    /// All dead: `first` (default), `reject502` or `reject503`.
    hard_failure_last_resort: LastResort,
    /// Hard failures that make a trunk dead. Default 3.
    #[schema(minimum = 1, maximum = 1000)]
    hard_failure_threshold: u32,
    /// Default "N/A".
    name: String,
    /// Seconds between OPTIONS to each trunk; null (default): none.
    #[schema(minimum = 1, maximum = 3600)]
    options_interval: Option<u32>,
    #[schema(read_only, format = "uuid")]
    partner_sid: String,
    routing_data: Value,
    /// `failover`.
    routing_type: String,
    sip_options_locations: Vec<Value>,
    /// Failed OPTIONS in a row that make a trunk dead. Default 3.
    #[schema(minimum = 1, maximum = 1000)]
    sip_options_threshold: u32,
    /// SIP codes that move on to the next trunk. Default `408;`.
    #[schema(example = "408;503;")]
    soft_failure_codes: String,
    #[schema(value_type = Vec<Object>)]
    transformations: Value,
    #[schema(read_only, format = "uuid")]
    trunk_group_sid: String,
    /// With `with_trunks=true`.
    trunks: Option<Vec<Trunk>>,
}

/// One way to an endpoint.
#[derive(ToSchema)]
pub(super) struct Trunk {
    acls: Vec<Value>,
    /// What becomes of a 3xx: `disabled` (default), `direct`, `direct_uri`, `protected` or `reroute`.
    allow_forward: AllowForward,
    /// Kept, without effect yet.
    allow_transfer: bool,
    /// Kept, without effect yet.
    asn_mode: AsnMode,
    /// Kept, without effect yet.
    call_type: String,
    /// Kept, without effect yet.
    codec: Option<String>,
    /// Where it leads.
    #[schema(format = "uuid")]
    endpoint_sid: String,
    /// Calls at once from it: 0 (default) unlimited, -1 none.
    #[schema(minimum = -1, maximum = 1000000)]
    in_capacity: i32,
    /// Kept, without effect yet.
    in_identity_format: String,
    /// Kept, without effect yet.
    in_identity_mode: String,
    /// Kept, without effect yet.
    in_rfc_4694_mode: String,
    location_sid: Option<String>,
    /// Default "N/A".
    name: String,
    /// Calls at once to it: 0 (default) unlimited, -1 none.
    #[schema(minimum = -1, maximum = 1000000)]
    out_capacity: i32,
    /// Kept, without effect yet.
    out_identity_mode: String,
    /// Kept, without effect yet.
    out_rfc_4694_mode: String,
    #[schema(read_only, format = "uuid")]
    partner_sid: String,
    /// Lower first. Default 0.
    #[schema(maximum = 65535)]
    priority: u16,
    /// Kept, without effect yet.
    relay_sip_headers: Vec<String>,
    #[schema(value_type = Vec<Object>)]
    transformations: Value,
    #[schema(read_only, format = "uuid")]
    trunk_group_sid: String,
    #[schema(read_only, format = "uuid")]
    trunk_sid: String,
    /// Share of calls within a priority. Default 0.
    #[schema(maximum = 65535)]
    weight: u16,
}

/// A number that the operator owns.
#[derive(ToSchema)]
pub(super) struct Did {
    /// Free.
    #[schema(value_type = Object)]
    attributes: Value,
    /// ISO 3166-1 alpha-3.
    #[schema(read_only)]
    country_code: Option<String>,
    #[schema(read_only, format = "uuid")]
    did_sid: String,
    #[schema(read_only)]
    in_country_format: String,
    #[schema(read_only)]
    international_format: String,
    /// Default "N/A".
    name: String,
    #[schema(read_only, format = "uuid")]
    partner_sid: String,
    /// E.164 without "+"; cannot be changed.
    phonenumber: String,
    /// `assigned`.
    #[schema(read_only)]
    status: String,
    string_key_1: Option<String>,
    string_key_2: Option<String>,
    #[schema(value_type = Vec<Object>)]
    transformations: Value,
    /// Where calls to it go; null: nowhere.
    #[schema(format = "uuid")]
    trunk_group_sid: Option<String>,
}

/// What was heard on one leg; null where the media did not pass here.
#[derive(ToSchema)]
pub(super) struct Media {
    /// Packets received.
    packets: Option<u64>,
    /// Packets that did not come.
    lost: Option<u64>,
    /// Interarrival jitter in milliseconds.
    jitter_ms: Option<f64>,
    /// Estimated mean opinion score, 1 to 4.5.
    mos: Option<f64>,
}

/// The record of a call that a mediator endpoint ran.
#[derive(ToSchema)]
pub(super) struct MediatorCall {
    /// The binding's or dialout's.
    #[schema(value_type = Object)]
    attributes: Value,
    #[schema(format = "date-time")]
    date_insert: String,
    #[schema(format = "date-time")]
    date_start: String,
    #[schema(format = "date-time")]
    date_stop: String,
    /// When the two were joined; null: never.
    #[schema(format = "date-time")]
    date_talk: Option<String>,
    /// `inbound` for bindings, `outbound` for dialouts.
    direction: String,
    /// `SRC`, `DST` or `SYSTEM`.
    disconnect_originator: String,
    #[schema(format = "uuid")]
    dr_sid: String,
    dtmf: Option<String>,
    /// Seconds from start to stop, as text: "15" or "4.25".
    duration: String,
    #[schema(format = "uuid")]
    endpoint_sid: String,
    endpoint_type: String,
    /// `binding` or `dialout`.
    event_type: String,
    media_dst: Media,
    media_src: Media,
    /// The number called, or stage two's.
    number_dst: Option<String>,
    number_redirect: String,
    /// The caller's number, or stage one's; null where it was anonymous.
    number_src: Option<String>,
    #[schema(format = "uuid")]
    partner_sid: String,
    /// The binding or dialout.
    #[schema(format = "uuid")]
    reference_sid: Option<String>,
    /// The final SIP code.
    sip_cause: u16,
    r#type: String,
    version: u32,
}

/// The record of one leg.
#[derive(ToSchema)]
pub(super) struct Leg {
    /// The call that it belongs to.
    #[schema(format = "uuid")]
    call_sid: String,
    codec_dst: Option<String>,
    codec_src: Option<String>,
    #[schema(format = "date-time")]
    date_insert: String,
    #[schema(format = "date-time")]
    date_start: String,
    #[schema(format = "date-time")]
    date_stop: String,
    #[schema(format = "date-time")]
    date_talk: Option<String>,
    /// `inbound`: from an endpoint to us; `outbound`: from us to an endpoint.
    direction: String,
    /// `SRC`, `DST` or `SYSTEM`.
    disconnect_originator: String,
    diversion_dst: Option<String>,
    diversion_src: Option<String>,
    #[schema(format = "uuid")]
    dr_sid: String,
    /// Seconds from start to stop, as text.
    duration: String,
    #[schema(format = "uuid")]
    endpoint_sid_dst: Option<String>,
    #[schema(format = "uuid")]
    endpoint_sid_src: Option<String>,
    /// The number that the source asserted (RFC 3325).
    identity: Option<String>,
    ip_dst: Option<String>,
    ip_src: Option<String>,
    number_dst: Option<String>,
    number_external: Option<String>,
    number_src: Option<String>,
    #[schema(format = "uuid")]
    partner_sid: String,
    sipcallid_dst: Option<String>,
    sipcallid_src: Option<String>,
    /// The final SIP code, as text.
    sipcause: String,
}

/// What a token is asked for with.
#[derive(ToSchema)]
pub(super) struct TokenForm {
    /// `password` or `refresh_token`.
    grant_type: String,
    /// For `password`.
    username: Option<String>,
    /// For `password`.
    #[schema(format = Password)]
    password: Option<String>,
    /// For `refresh_token`.
    refresh_token: Option<String>,
    /// Seconds, 1 to 3,153,600,000; a day where it is not said.
    #[schema(minimum = 1)]
    access_token_expires_in: Option<u64>,
    /// Not looked at.
    client_id: Option<String>,
    /// Not looked at.
    client_secret: Option<String>,
}

/// What is revoked.
#[derive(ToSchema)]
pub(super) struct RevokeForm {
    /// An access or refresh token; the one that asks where it is not said.
    token: Option<String>,
}

/// A bearer token, without what opens doors.
#[derive(ToSchema)]
pub(super) struct Token {
    #[schema(format = "date-time")]
    date_created: String,
    #[schema(format = "date-time")]
    date_expiration_access_token: String,
    #[schema(format = "date-time")]
    date_expiration_refresh_token: Option<String>,
    name: String,
    #[schema(format = "uuid")]
    partner_sid: String,
    scopes: Vec<String>,
    #[schema(format = "uuid")]
    token_sid: String,
    token_type: String,
}

/// A bearer token that was made just now.
#[derive(ToSchema)]
pub(super) struct NewToken {
    access_token: String,
    refresh_token: String,
    /// Seconds.
    expires_in: u64,
    #[schema(format = "date-time")]
    date_created: String,
    #[schema(format = "date-time")]
    date_expiration_access_token: String,
    #[schema(format = "date-time")]
    date_expiration_refresh_token: Option<String>,
    name: String,
    #[schema(format = "uuid")]
    partner_sid: String,
    scopes: Vec<String>,
    #[schema(format = "uuid")]
    token_sid: String,
    token_type: String,
}

/// What can be set of a token.
#[derive(ToSchema)]
pub(super) struct TokenBody {
    name: String,
}

/// The operator.
#[derive(ToSchema)]
pub(super) struct Partner {
    /// Free.
    #[schema(value_type = Object)]
    attributes: Value,
    callbacks: Callbacks,
    /// Signs callbacks.
    callbacks_secret: Option<String>,
    #[schema(format = "date-time")]
    date_created: String,
    name: String,
    #[schema(format = "uuid")]
    partner_sid: String,
}

/// What can be set of the operator.
#[derive(ToSchema)]
pub(super) struct PartnerBody {
    /// Free.
    #[schema(value_type = Object)]
    attributes: Value,
    callbacks: Callbacks,
    /// At least 16 bytes; null makes a new one.
    #[schema(min_length = 16, max_length = 256)]
    callbacks_secret: Option<String>,
    name: String,
}

/// Where records are posted.
#[derive(ToSchema)]
pub(super) struct Callbacks {
    /// An http or https URL for Mediator call records.
    #[schema(format = "uri")]
    app_mediator: Option<String>,
}

/// A call record that nobody took.
#[derive(ToSchema)]
pub(super) struct DeadLetter {
    /// Attempts so far.
    attempts: u32,
    /// What is posted.
    #[schema(value_type = Object)]
    body: Value,
    #[schema(format = "date-time")]
    date_created: String,
    /// When it is tried again; null: it is not.
    #[schema(format = "date-time")]
    date_due: Option<String>,
    #[schema(format = "uuid")]
    dr_sid: String,
    id: u64,
    /// What went wrong last.
    last_error: Option<String>,
    url: String,
}

/// Makes the bodies of requests out of the objects, and lets answers leave fields out, as `include_fields` has them do.
pub(super) struct Bodies;

/// A body's kind: which object, what POST and PUT want of it, and an example.
type Body = (&'static str, &'static [&'static str], &'static [&'static str], Value);

impl Modify for Bodies {
    fn modify(&self, document: &mut OpenApi) {
        let Some(components) = &mut document.components else { return };
        for (name, for_post, for_put, example) in bodies() {
            let Some(RefOr::T(Schema::Object(shown))) = components.schemas.get(name) else {
                debug_assert!(false, "{name} is described");
                continue;
            };
            let mut body = shown.clone();
            body.properties.retain(|_, property| !is_read_only(property));
            body.example = Some(example);
            let (part, whole) = (requiring(&body, &[]), requiring(&body, for_put));
            components.schemas.insert(format!("{name}Body"), requiring(&body, for_post));
            components.schemas.insert(format!("{name}Part"), part);
            components.schemas.insert(format!("{name}Whole"), whole);
        }
        for name in ANSWERS {
            if let Some(RefOr::T(Schema::Object(shown))) = components.schemas.get_mut(*name) {
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
    "MediatorCall",
    "Partner",
    "Properties",
    "Token",
    "Trunk",
    "TrunkGroup",
];

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
