//! The Core API's objects as the OpenAPI document describes them. Nothing is built from these: objects are rendered from
//! records, and a test holds the two together.

#![allow(dead_code, reason = "described, never built")]

use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

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

/// A place that an endpoint lives at.
#[derive(ToSchema)]
pub(super) struct Address {
    /// `any` (default), `inbound` or `outbound`.
    direction: Option<String>,
    /// The same as `port`.
    dst_port: Option<u16>,
    /// An IP address, a block (calls that come in) or a host name.
    ip: String,
    /// There are no locations here.
    location_sid: Option<String>,
    /// Default 5060; null has a host name's port looked up in DNS.
    port: Option<u16>,
    /// Lower first. Default 0.
    priority: Option<u16>,
    /// For a challenge from here; the endpoint's `out_sip_username` where it is null.
    sip_username: Option<String>,
    /// Its password.
    #[schema(write_only)]
    sip_password: Option<String>,
    /// Not built yet: false.
    srtp: Option<bool>,
    /// `udp` (default) or `tcp`; null has a host name's transport looked up in DNS.
    transport: Option<String>,
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
    capacity: u32,
    /// Calls a second; null (default) or 0 is unlimited.
    cps_limit: Option<u32>,
    #[schema(read_only)]
    endpoint_sid: String,
    /// Default "N/A".
    name: String,
    /// How numbers are written towards it: `digits` (default) or `plus`.
    number_format: String,
    /// The answer to a far side's challenge.
    out_sip_username: Option<String>,
    /// Its password.
    #[schema(write_only)]
    out_sip_password: Option<String>,
    /// Of a mediator: the trunk group for numbers that are no DIDs here; an endpoint may be named, for the trunk group
    /// that leads to it.
    outbound: Option<String>,
    #[schema(read_only)]
    partner_sid: String,
    properties: Properties,
    /// What a `third_party` endpoint registers with.
    sip_username: Option<String>,
    /// Its password.
    #[schema(write_only)]
    sip_password: Option<String>,
    /// Number rewrites.
    #[schema(value_type = Vec<Object>)]
    transformations: Value,
    /// `mediator`, `third_party` or `system_gateway`.
    r#type: String,
    #[schema(read_only)]
    voip_token: Option<String>,
}

/// What only a mediator endpoint has; empty in other types.
#[derive(ToSchema)]
pub(super) struct Properties {
    /// The endpoint's own sid.
    #[schema(read_only)]
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
    hard_failure_codes: String,
    /// Seconds for which a trunk is dead. Default 120.
    hard_failure_cooldown: u32,
    /// Seconds within which hard failures count. Default 60.
    hard_failure_interval: u32,
    /// All dead: `first` (default), `reject502` or `reject503`.
    hard_failure_last_resort: String,
    /// Hard failures that make a trunk dead. Default 3.
    hard_failure_threshold: u32,
    /// Default "N/A".
    name: String,
    /// Seconds between OPTIONS to each trunk; null (default): none.
    options_interval: Option<u32>,
    #[schema(read_only)]
    partner_sid: String,
    routing_data: Value,
    /// `failover`.
    routing_type: String,
    sip_options_locations: Vec<Value>,
    /// Failed OPTIONS in a row that make a trunk dead. Default 3.
    sip_options_threshold: u32,
    /// SIP codes that move on to the next trunk. Default `408;`.
    soft_failure_codes: String,
    #[schema(value_type = Vec<Object>)]
    transformations: Value,
    #[schema(read_only)]
    trunk_group_sid: String,
    /// With `with_trunks=true`.
    trunks: Option<Vec<Trunk>>,
}

/// One way to an endpoint.
#[derive(ToSchema)]
pub(super) struct Trunk {
    acls: Vec<Value>,
    /// What becomes of a 3xx: `disabled` (default), `direct`, `direct_uri`, `protected` or `reroute`.
    allow_forward: String,
    /// Kept, without effect yet.
    allow_transfer: bool,
    /// Kept, without effect yet.
    asn_mode: String,
    /// Kept, without effect yet.
    call_type: String,
    /// Kept, without effect yet.
    codec: Option<String>,
    /// Where it leads.
    endpoint_sid: String,
    /// Calls at once from it: 0 (default) unlimited, -1 none.
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
    out_capacity: i32,
    /// Kept, without effect yet.
    out_identity_mode: String,
    /// Kept, without effect yet.
    out_rfc_4694_mode: String,
    #[schema(read_only)]
    partner_sid: String,
    /// Lower first. Default 0.
    priority: u16,
    /// Kept, without effect yet.
    relay_sip_headers: Vec<String>,
    #[schema(value_type = Vec<Object>)]
    transformations: Value,
    #[schema(read_only)]
    trunk_group_sid: String,
    #[schema(read_only)]
    trunk_sid: String,
    /// Share of calls within a priority. Default 0.
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
    #[schema(read_only)]
    did_sid: String,
    #[schema(read_only)]
    in_country_format: String,
    #[schema(read_only)]
    international_format: String,
    /// Default "N/A".
    name: String,
    #[schema(read_only)]
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
    date_insert: String,
    date_start: String,
    date_stop: String,
    /// When the two were joined; null: never.
    date_talk: Option<String>,
    /// `inbound` for bindings, `outbound` for dialouts.
    direction: String,
    /// `SRC`, `DST` or `SYSTEM`.
    disconnect_originator: String,
    dr_sid: String,
    dtmf: Option<String>,
    /// Seconds from start to stop, as text: "15" or "4.25".
    duration: String,
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
    partner_sid: String,
    /// The binding or dialout.
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
    call_sid: String,
    codec_dst: Option<String>,
    codec_src: Option<String>,
    date_insert: String,
    date_start: String,
    date_stop: String,
    date_talk: Option<String>,
    /// `inbound`: from an endpoint to us; `outbound`: from us to an endpoint.
    direction: String,
    /// `SRC`, `DST` or `SYSTEM`.
    disconnect_originator: String,
    diversion_dst: Option<String>,
    diversion_src: Option<String>,
    dr_sid: String,
    /// Seconds from start to stop, as text.
    duration: String,
    endpoint_sid_dst: Option<String>,
    endpoint_sid_src: Option<String>,
    /// The number that the source asserted (RFC 3325).
    identity: Option<String>,
    ip_dst: Option<String>,
    ip_src: Option<String>,
    number_dst: Option<String>,
    number_external: Option<String>,
    number_src: Option<String>,
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
    date_created: String,
    date_expiration_access_token: String,
    date_expiration_refresh_token: Option<String>,
    name: String,
    partner_sid: String,
    scopes: Vec<String>,
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
    date_created: String,
    date_expiration_access_token: String,
    date_expiration_refresh_token: Option<String>,
    name: String,
    partner_sid: String,
    scopes: Vec<String>,
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
    date_created: String,
    name: String,
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
    date_created: String,
    /// When it is tried again; null: it is not.
    date_due: Option<String>,
    dr_sid: String,
    id: u64,
    /// What went wrong last.
    last_error: Option<String>,
    url: String,
}
