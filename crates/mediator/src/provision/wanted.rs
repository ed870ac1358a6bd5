//! The file's objects as records of the store, and their fingerprints.
//!
//! Fields that only the API has (attributes of an endpoint, say) are those of the record that is there already.

use std::time::Duration;

use mediator_api::NumberInfo;
use mediator_model::{
    Address, AddressHost, AllowForward, Direction, Endpoint, EndpointKind, LastResort, Number,
    NumberFormat, Secret, Sid, SipCredentials, UnixMillis,
};
use mediator_store::Object;
use mediator_store::record::{
    AddressRecord, BindingRecord, DidRecord, EndpointRecord, EndpointType, TrunkGroupRecord,
    TrunkRecord,
};

use super::fingerprint::Fingerprint;
use crate::config::{BindingSpec, EndpointSpec, TrunkGroupSpec, TrunkSpec};

/// The name of an object that has none.
const UNNAMED: &str = "N/A";

/// An endpoint; `outbound` is the trunk group that its `outbound` names.
pub(super) fn endpoint(
    spec: &EndpointSpec,
    sid: Sid,
    outbound: Option<Sid>,
    before: Option<&EndpointRecord>,
) -> EndpointRecord {
    let Endpoint { name, kind, addresses, auth_required, capacity, cps_limit, .. } = &spec.endpoint;
    let out = spec.endpoint.out_credentials.as_ref();
    let own = match kind {
        EndpointKind::ThirdParty { credentials } => credentials.as_ref(),
        EndpointKind::Mediator { .. } | EndpointKind::SystemGateway => None,
    };
    EndpointRecord {
        sid,
        name: name.clone(),
        kind: endpoint_type(kind),
        addresses: addresses.iter().map(address).collect(),
        attributes: before.map(|record| record.attributes.clone()).unwrap_or_default(),
        auth_required: *auth_required,
        capacity: *capacity,
        cps_limit: (*cps_limit > 0).then_some(*cps_limit),
        out_sip_username: out.map(|pair| pair.username.clone()),
        out_sip_password: out.map(|pair| pair.password.clone()),
        sip_username: own.map(|pair| pair.username.clone()),
        sip_password: own.map(|pair| pair.password.clone()),
        login: spec.account.as_ref().map(|account| account.login.clone()),
        password: spec.account.as_ref().map(|account| account.password.clone()),
        outbound,
        number_plus: spec.endpoint.number_format == NumberFormat::Plus,
        transformations: before.map(|record| record.transformations.clone()).unwrap_or_default(),
        date_created: before.map_or(UnixMillis(0), |record| record.date_created),
    }
}

pub(super) const fn endpoint_type(kind: &EndpointKind) -> EndpointType {
    match kind {
        EndpointKind::Mediator { .. } => EndpointType::Mediator,
        EndpointKind::ThirdParty { .. } => EndpointType::ThirdParty,
        EndpointKind::SystemGateway => EndpointType::SystemGateway,
    }
}

fn address(address: &Address) -> AddressRecord {
    let direction = match address.direction {
        Direction::Any => "any",
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    };
    AddressRecord {
        direction: direction.into(),
        ip: match &address.host {
            AddressHost::Ip(ip) => ip.to_string().into(),
            AddressHost::Block(block) => block.to_string().into(),
            AddressHost::Name(name) => name.clone(),
        },
        port: address.port,
        transport: address.transport.map(|transport| transport.uri_token().into()),
        priority: address.priority,
        sip_username: address.credentials.as_ref().map(|pair| pair.username.clone()),
        sip_password: address.credentials.as_ref().map(|pair| pair.password.clone()),
    }
}

/// What the file says of an endpoint, its DIDs excepted: they are objects of their own.
pub(super) fn endpoint_fingerprint(spec: &EndpointSpec, key: &Secret) -> [u8; 32] {
    let record = endpoint(spec, spec.endpoint.sid, None, None);
    let addresses = &spec.endpoint.addresses;
    let mut print = Fingerprint::keyed(key)
        .field("type", format!("{:?}", record.kind))
        .optional("outbound", spec.outbound.as_deref())
        .optional("login", record.login.as_deref())
        .optional("password", exposed(record.password.as_ref()))
        .optional("sip_username", record.sip_username.as_deref())
        .optional("sip_password", exposed(record.sip_password.as_ref()))
        .optional("out_sip_username", record.out_sip_username.as_deref())
        .optional("out_sip_password", exposed(record.out_sip_password.as_ref()))
        .number("auth_required", i64::from(record.auth_required), 1)
        .number("capacity", i64::from(record.capacity), 0)
        .number("cps_limit", i64::from(record.cps_limit.unwrap_or(0)), 0)
        .number("number_plus", i64::from(record.number_plus), 0);
    for (record, address) in record.addresses.iter().zip(addresses) {
        print = print
            .field("address", &*record.ip)
            .field("direction", &*record.direction)
            .number("port", record.port.map_or(0, i64::from), 0)
            .optional("transport", record.transport.as_deref())
            .number("priority", i64::from(record.priority), 0);
        print = credentials(print, address.credentials.as_ref());
    }
    print.finish()
}

fn credentials(print: Fingerprint, pair: Option<&SipCredentials>) -> Fingerprint {
    print
        .optional("username", pair.map(|pair| &*pair.username))
        .optional("password", pair.map(|pair| pair.password.expose()))
}

fn exposed(secret: Option<&Secret>) -> Option<&str> {
    secret.map(Secret::expose)
}

/// A trunk group, without its trunks.
pub(super) fn trunk_group(
    spec: &TrunkGroupSpec,
    sid: Sid,
    before: Option<&TrunkGroupRecord>,
) -> TrunkGroupRecord {
    let failure = &spec.failure;
    TrunkGroupRecord {
        sid,
        name: spec.name.clone(),
        routing_type: "failover".into(),
        routing_data: before.and_then(|record| record.routing_data.clone()),
        hard_failure_codes: failure.hard_codes.to_string().into(),
        hard_failure_threshold: failure.hard_threshold,
        hard_failure_interval: whole_seconds(failure.hard_interval),
        hard_failure_cooldown: whole_seconds(failure.hard_cooldown),
        hard_failure_last_resort: match failure.last_resort {
            LastResort::First => "first",
            LastResort::Reject502 => "reject502",
            LastResort::Reject503 => "reject503",
        }
        .into(),
        soft_failure_codes: failure.soft_codes.to_string().into(),
        sip_options_threshold: failure.options_threshold,
        options_interval: failure.options_interval.map(whole_seconds),
        lists: before.map(|record| record.lists.clone()).unwrap_or_default(),
        date_created: before.map_or(UnixMillis(0), |record| record.date_created),
    }
}

/// The API knows whole seconds only: what is between them waits a little longer.
fn whole_seconds(span: Duration) -> u32 {
    let seconds = span.as_secs() + u64::from(span.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// What the file says of a group, its trunks excepted.
pub(super) fn trunk_group_fingerprint(spec: &TrunkGroupSpec, key: &Secret) -> [u8; 32] {
    let record = trunk_group(spec, spec.sid, None);
    Fingerprint::keyed(key)
        .field("hard_codes", &*record.hard_failure_codes)
        .field("soft_codes", &*record.soft_failure_codes)
        .number("threshold", i64::from(record.hard_failure_threshold), 3)
        .number("interval", i64::from(record.hard_failure_interval), 60)
        .number("cooldown", i64::from(record.hard_failure_cooldown), 120)
        .field("last_resort", &*record.hard_failure_last_resort)
        .number("options_threshold", i64::from(record.sip_options_threshold), 3)
        .number("options_interval", record.options_interval.map_or(0, i64::from), 0)
        .finish()
}

/// A trunk of the group `group` to the endpoint `endpoint`.
pub(super) fn trunk(
    spec: &TrunkSpec,
    (sid, group, endpoint): (Sid, Sid, Sid),
    before: Option<&TrunkRecord>,
) -> TrunkRecord {
    TrunkRecord {
        sid,
        trunk_group_sid: group,
        name: spec.name.clone(),
        endpoint_sid: endpoint,
        priority: spec.priority,
        weight: spec.weight,
        in_capacity: capacity(spec.in_capacity),
        out_capacity: capacity(spec.out_capacity),
        allow_forward: match spec.allow_forward {
            AllowForward::Disabled => "disabled",
            AllowForward::Direct => "direct",
            AllowForward::DirectUri => "direct_uri",
            AllowForward::Protected => "protected",
            AllowForward::Reroute => "reroute",
        }
        .into(),
        extra: before.map(|record| record.extra.clone()).unwrap_or_default(),
        date_created: before.map_or(UnixMillis(0), |record| record.date_created),
    }
}

/// The API's way to write it: 0 is unlimited, -1 none.
fn capacity(calls: Option<u32>) -> i32 {
    match calls {
        None => 0,
        Some(0) => -1,
        Some(calls) => i32::try_from(calls).unwrap_or(i32::MAX),
    }
}

/// What the file says of a trunk.
pub(super) fn trunk_fingerprint(spec: &TrunkSpec, key: &Secret) -> [u8; 32] {
    let record = trunk(spec, (spec.sid, spec.sid, spec.sid), None);
    Fingerprint::keyed(key)
        .field("name", &*record.name)
        .field("endpoint", &*spec.endpoint)
        .number("priority", i64::from(record.priority), 0)
        .number("weight", i64::from(record.weight), 0)
        .number("in", i64::from(record.in_capacity), 0)
        .number("out", i64::from(record.out_capacity), 0)
        .field("forward", &*record.allow_forward)
        .finish()
}

/// A DID of the group `group`.
pub(super) fn did(number: Number, (sid, group): (Sid, Sid), date_created: UnixMillis) -> DidRecord {
    let NumberInfo { country_code, in_country_format, international_format, .. } =
        NumberInfo::of(number);
    DidRecord {
        sid,
        phonenumber: number,
        trunk_group_sid: Some(group),
        name: UNNAMED.into(),
        country_code: country_code.map(Into::into),
        in_country_format,
        international_format,
        attributes: Object::new(),
        string_key_1: None,
        string_key_2: None,
        transformations: Vec::new(),
        date_created,
    }
}

/// A binding of the account `account`. A claim stays with whoever has it, and the age is kept; a binding that still waits
/// for its first caller, or waits again, does so from `now`.
pub(super) fn binding(
    spec: &BindingSpec,
    (sid, account): (Sid, Sid),
    before: Option<&BindingRecord>,
    now: UnixMillis,
) -> BindingRecord {
    let claimed = before.and_then(|record| record.origination_did);
    let origination_did = spec.key.origination_did.or(claimed);
    let wait = spec.wait_origination_did_ttl.filter(|_| origination_did.is_none());
    BindingRecord {
        sid,
        account_sid: account,
        name: spec.name.clone().unwrap_or_else(|| UNNAMED.into()),
        redirect_did: spec.key.redirect_did,
        origination_did,
        destination_did: spec.destination_did,
        dtmf: spec.dtmf.clone(),
        attributes: spec.attributes.clone(),
        maximum_ttl: spec.maximum_ttl,
        wait_origination_did_ttl: spec.wait_origination_did_ttl,
        date_created: before.map_or(now, |record| record.date_created),
        claim_until: wait.map(|seconds| now + Duration::from_secs(seconds.into())),
    }
}

/// What the file says of a binding: one in a million of them changes unseen once in 2^44 changes.
pub(super) fn binding_fingerprint(spec: &BindingSpec, key: &Secret) -> u64 {
    let ttl = |seconds: Option<u32>| seconds.map_or(-1, i64::from);
    let mut print = Fingerprint::keyed(key)
        .sid("account", spec.account_sid)
        .optional("name", spec.name.as_deref())
        .field("destination", spec.destination_did.as_u64().to_be_bytes())
        .number("maximum_ttl", ttl(spec.maximum_ttl), 3600)
        .number("wait", ttl(spec.wait_origination_did_ttl), 300)
        .optional("dtmf", spec.dtmf.as_deref());
    if let Some(attributes) = written(&spec.attributes) {
        print = print.field("attributes", attributes);
    }
    let print = print.finish();
    print.iter().take(8).fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
}

fn written(attributes: &Object) -> Option<Vec<u8>> {
    if attributes.is_empty() { None } else { serde_json::to_vec(attributes).ok() }
}
