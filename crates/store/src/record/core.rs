//! The Core API's objects.

use mediator_model::{Number, Secret, Sid, UnixMillis};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Object;

/// What an endpoint is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointType {
    /// Runs bindings and dialouts.
    Mediator,
    /// A SIP phone, PBX or application.
    ThirdParty,
    /// A carrier.
    SystemGateway,
}

/// One place that an endpoint lives at; fields as the API has them, already checked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AddressRecord {
    /// `any`, `inbound` or `outbound`.
    pub direction: Box<str>,
    /// An IP address, a block of them, or a host name.
    pub ip: Box<str>,
    /// Default 5060; `None` only for a name that SRV shall find.
    pub port: Option<u16>,
    /// `udp` or `tcp`; `None` only for a name that NAPTR shall find.
    pub transport: Option<Box<str>>,
    /// Lower first.
    pub priority: u16,
    /// For a challenge from here.
    pub sip_username: Option<Box<str>>,
    /// Its password.
    #[serde(skip)]
    pub sip_password: Option<Secret>,
}

/// An endpoint.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EndpointRecord {
    /// Its id.
    pub sid: Sid,
    /// For people. Default "N/A".
    pub name: Box<str>,
    /// What it is.
    pub kind: EndpointType,
    /// Where it lives.
    pub addresses: Vec<AddressRecord>,
    /// Free.
    pub attributes: Object,
    /// Whether a request that no address matches may authenticate by digest.
    pub auth_required: bool,
    /// Calls at once; 0 unlimited.
    pub capacity: u32,
    /// Calls a second; `None` unlimited.
    pub cps_limit: Option<u32>,
    /// The answer to a far side's challenge.
    pub out_sip_username: Option<Box<str>>,
    /// Its password.
    #[serde(skip)]
    pub out_sip_password: Option<Secret>,
    /// What a `third_party` endpoint registers with.
    pub sip_username: Option<Box<str>>,
    /// Its password.
    #[serde(skip)]
    pub sip_password: Option<Secret>,
    /// A mediator endpoint's login for the Mediator API.
    pub login: Option<Box<str>>,
    /// Its password.
    #[serde(skip)]
    pub password: Option<Secret>,
    /// The trunk group for numbers that are no DIDs here.
    pub outbound: Option<Sid>,
    /// Whether numbers are written with "+" towards it.
    pub number_plus: bool,
    /// Number rewrites, as the API has them.
    pub transformations: Vec<Value>,
    /// When it was made.
    pub date_created: UnixMillis,
}

/// A trunk group; its trunks are objects of their own.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TrunkGroupRecord {
    /// Its id.
    pub sid: Sid,
    /// For people. Default "N/A".
    pub name: Box<str>,
    /// `failover`.
    pub routing_type: Box<str>,
    /// Of the routing type.
    pub routing_data: Option<Value>,
    /// Codes that move on and count towards dead, as `408;503;`.
    pub hard_failure_codes: Box<str>,
    /// Hard failures that make a trunk dead.
    pub hard_failure_threshold: u32,
    /// Within these seconds.
    pub hard_failure_interval: u32,
    /// For these seconds.
    pub hard_failure_cooldown: u32,
    /// `first`, `reject502` or `reject503`.
    pub hard_failure_last_resort: Box<str>,
    /// Codes that move on.
    pub soft_failure_codes: Box<str>,
    /// Failed OPTIONS in a row that make a trunk dead.
    pub sip_options_threshold: u32,
    /// Seconds between OPTIONS; `None`: none are sent.
    pub options_interval: Option<u32>,
    /// Free lists of the vendor's: `sip_options_locations`, acls, transformations, `external_handlers`.
    pub lists: Object,
    /// When it was made.
    pub date_created: UnixMillis,
}

/// A trunk.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TrunkRecord {
    /// Its id.
    pub sid: Sid,
    /// The group that it belongs to.
    pub trunk_group_sid: Sid,
    /// For people.
    pub name: Box<str>,
    /// The endpoint that it leads to.
    pub endpoint_sid: Sid,
    /// Lower first.
    pub priority: u16,
    /// Share within a priority.
    pub weight: u16,
    /// Calls at once from it: 0 unlimited, -1 none.
    pub in_capacity: i32,
    /// Calls at once to it: 0 unlimited, -1 none.
    pub out_capacity: i32,
    /// `disabled`, `direct`, `direct_uri`, `protected` or `reroute`.
    pub allow_forward: Box<str>,
    /// Fields of the vendor's that are kept and shown, and have no effect yet.
    pub extra: Object,
    /// When it was made.
    pub date_created: UnixMillis,
}

/// A number that the operator owns.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DidRecord {
    /// Its id.
    pub sid: Sid,
    /// The number.
    pub phonenumber: Number,
    /// Where calls to it go; `None`: nowhere.
    pub trunk_group_sid: Option<Sid>,
    /// For people. Default "N/A".
    pub name: Box<str>,
    /// ISO 3166-1 alpha-3; `None` where the number belongs to no country.
    pub country_code: Option<Box<str>>,
    /// National format.
    pub in_country_format: Box<str>,
    /// International format.
    pub international_format: Box<str>,
    /// Free.
    pub attributes: Object,
    /// For the operator's own systems.
    pub string_key_1: Option<Box<str>>,
    /// For the operator's own systems.
    pub string_key_2: Option<Box<str>>,
    /// Number rewrites, as the API has them.
    pub transformations: Vec<Value>,
    /// When it was made.
    pub date_created: UnixMillis,
}

/// A token of the Core API; only hashes of what clients hold are kept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Its id.
    pub sid: Sid,
    /// For people.
    pub name: Box<str>,
    /// SHA-256 of the access token.
    pub access_hash: [u8; 32],
    /// SHA-256 of the refresh token.
    pub refresh_hash: Option<[u8; 32]>,
    /// When it was made.
    pub date_created: UnixMillis,
    /// Until when the access token opens doors.
    pub access_expires: UnixMillis,
    /// Until when the refresh token makes a new one.
    pub refresh_expires: Option<UnixMillis>,
    /// What it opens.
    pub scopes: Vec<Box<str>>,
}

/// The operator: one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PartnerRecord {
    /// Its id.
    pub sid: Sid,
    /// For people.
    pub name: Box<str>,
    /// Callback URLs by type: `app_mediator`.
    pub callbacks: Object,
    /// Signs callbacks.
    #[serde(skip)]
    pub callbacks_secret: Option<Secret>,
    /// Free.
    pub attributes: Object,
    /// When it was made.
    pub date_created: UnixMillis,
}

/// What a config file provisioned last under a key: an object is written again only where the file changed, so that
/// what the API changed meanwhile stays.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProvisionedRecord {
    /// Its id.
    pub sid: Sid,
    /// What it is and by which name, as `endpoint:masking`.
    pub key: Box<str>,
    /// SHA-256 of what the file said.
    pub hash: [u8; 32],
    /// Where one record stands for many objects of the file: what it said of each, as whoever provisions writes it.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub members: Box<str>,
}
