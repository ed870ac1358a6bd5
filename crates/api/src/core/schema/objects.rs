//! Endpoints, trunk groups, trunks and DIDs.

use serde_json::Value;
use utoipa::ToSchema;

/// What an endpoint is.
#[derive(ToSchema)]
#[schema(as = core::EndpointType, rename_all = "snake_case")]
pub(in crate::core) enum EndpointType {
    Mediator,
    ThirdParty,
    SystemGateway,
}

/// Which way calls may use an address.
#[derive(ToSchema)]
#[schema(as = core::Direction, rename_all = "snake_case")]
pub(in crate::core) enum Direction {
    Any,
    Inbound,
    Outbound,
}

/// How calls are sent to an address.
#[derive(ToSchema)]
#[schema(as = core::Transport, rename_all = "snake_case")]
pub(in crate::core) enum Transport {
    Udp,
    Tcp,
}

/// How numbers are written towards an endpoint.
#[derive(ToSchema)]
#[schema(as = core::NumberFormat, rename_all = "snake_case")]
pub(in crate::core) enum NumberFormat {
    Digits,
    Plus,
}

/// What happens when every trunk is dead.
#[derive(ToSchema)]
#[schema(as = core::LastResort, rename_all = "snake_case")]
pub(in crate::core) enum LastResort {
    First,
    Reject502,
    Reject503,
}

/// What becomes of a 3xx.
#[derive(ToSchema)]
#[schema(as = core::AllowForward, rename_all = "snake_case")]
pub(in crate::core) enum AllowForward {
    Disabled,
    Direct,
    DirectUri,
    Protected,
    Reroute,
}

/// Kept, without effect yet.
#[derive(ToSchema)]
#[schema(as = core::AsnMode, rename_all = "snake_case")]
pub(in crate::core) enum AsnMode {
    Disable,
    Read,
    Write,
    ReadWrite,
}

/// A place that an endpoint lives at.
#[derive(ToSchema)]
#[schema(as = core::Address)]
pub(in crate::core) struct Address {
    /// `any` (default), `inbound` or `outbound`.
    direction: Option<Direction>,
    /// The same as `port`.
    #[schema(minimum = 1, maximum = 65_535)]
    dst_port: Option<u16>,
    /// An IP address, a block (calls that come in) or a host name.
    ip: String,
    /// There are no locations here.
    location_sid: Option<String>,
    /// Default 5060; null has a host name's port looked up in DNS.
    #[schema(minimum = 1, maximum = 65_535)]
    port: Option<u16>,
    /// Lower first. Default 0.
    #[schema(maximum = 65_535)]
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
#[schema(as = core::Endpoint)]
pub(in crate::core) struct Endpoint {
    /// At most 64.
    addresses: Vec<Address>,
    /// Free.
    #[schema(value_type = Object)]
    attributes: Value,
    /// Whether a request that no address matches may authenticate by digest. Default true.
    auth_required: bool,
    /// Calls at once that it takes part in; 0 (default) is unlimited.
    #[schema(maximum = 1_000_000)]
    capacity: u32,
    /// Calls a second; null (default) or 0 is unlimited.
    #[schema(maximum = 1_000_000)]
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
#[schema(as = core::Properties)]
pub(in crate::core) struct Properties {
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
#[schema(as = core::TrunkGroup)]
pub(in crate::core) struct TrunkGroup {
    acls: Vec<Value>,
    external_handlers: Vec<Value>,
    /// SIP codes that move on to the next trunk and count towards dead. Default `408;`.
    #[schema(example = "408;503;")]
    hard_failure_codes: String,
    /// Seconds for which a trunk is dead. Default 120.
    #[schema(minimum = 1, maximum = 86_400)]
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
#[schema(as = core::Trunk)]
pub(in crate::core) struct Trunk {
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
    #[schema(minimum = -1, maximum = 1_000_000)]
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
    #[schema(minimum = -1, maximum = 1_000_000)]
    out_capacity: i32,
    /// Kept, without effect yet.
    out_identity_mode: String,
    /// Kept, without effect yet.
    out_rfc_4694_mode: String,
    #[schema(read_only, format = "uuid")]
    partner_sid: String,
    /// Lower first. Default 0.
    #[schema(maximum = 65_535)]
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
    #[schema(maximum = 65_535)]
    weight: u16,
}

/// A number that the operator owns.
#[derive(ToSchema)]
#[schema(as = core::Did)]
pub(in crate::core) struct Did {
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
