//! The picture that routing reads, made from the store's records.
//!
//! The store keeps references whole (nothing in use can be deleted), so nothing here should dangle; what does all the
//! same is left out and told, because the rest must go on taking calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use mediator_model::{
    Address, AddressHost, AllowForward, CodeList, Did, Direction, Directory, DirectoryError,
    Endpoint, EndpointIndex, EndpointKind, FailurePolicy, LastResort, Number, NumberFormat,
    Outbound, Secret, Sid, SipCredentials, Transport, Trunk, TrunkGroup, TrunkGroupIndex,
    UnixMillis,
};
use mediator_store::record::{
    AddressRecord, DidRecord, EndpointRecord, EndpointType, TrunkGroupRecord, TrunkRecord,
};
use mediator_store::{Kind, Record};
use tracing::error;

/// Objects of one kind in the order in which they were made.
#[derive(Clone, Debug)]
pub struct InOrder<T> {
    made: HashMap<Sid, UnixMillis>,
    all: BTreeMap<(UnixMillis, Sid), Arc<T>>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self { made: HashMap::new(), all: BTreeMap::new() }
    }
}

impl<T> InOrder<T> {
    /// Puts one, which was made at `made`, in the place of the one with its sid.
    pub fn put(&mut self, sid: Sid, made: UnixMillis, object: Arc<T>) {
        self.remove(sid);
        self.made.insert(sid, made);
        self.all.insert((made, sid), object);
    }

    /// Takes one out.
    pub fn remove(&mut self, sid: Sid) {
        if let Some(made) = self.made.remove(&sid) {
            self.all.remove(&(made, sid));
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.all.values()
    }
}

/// The records that a directory is made of.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Endpoints.
    pub endpoints: InOrder<EndpointRecord>,
    /// Trunk groups.
    pub trunk_groups: InOrder<TrunkGroupRecord>,
    /// Trunks, whatever their group.
    pub trunks: InOrder<TrunkRecord>,
    /// DIDs.
    pub dids: InOrder<DidRecord>,
}

impl Sources {
    /// Takes an object in; whether routing looks at its kind.
    pub fn put(&mut self, record: &Record) -> bool {
        match record {
            Record::Endpoint(one) => self.endpoints.put(one.sid, one.date_created, one.clone()),
            Record::TrunkGroup(one) => {
                self.trunk_groups.put(one.sid, one.date_created, one.clone());
            }
            Record::Trunk(one) => self.trunks.put(one.sid, one.date_created, one.clone()),
            Record::Did(one) => self.dids.put(one.sid, one.date_created, one.clone()),
            Record::Binding(_)
            | Record::Dialout(_)
            | Record::Token(_)
            | Record::Partner(_)
            | Record::Provisioned(_) => return false,
        }
        true
    }

    /// Takes an object out; whether routing looks at its kind.
    pub fn remove(&mut self, kind: Kind, sid: Sid) -> bool {
        match kind {
            Kind::Endpoint => self.endpoints.remove(sid),
            Kind::TrunkGroup => self.trunk_groups.remove(sid),
            Kind::Trunk => self.trunks.remove(sid),
            Kind::Did => self.dids.remove(sid),
            Kind::Binding | Kind::Dialout | Kind::Token | Kind::Partner | Kind::Provisioned => {
                return false;
            }
        }
        true
    }
}

/// Builds the directory.
pub fn build(sources: &Sources) -> Result<Directory, DirectoryError> {
    let places: HashMap<Sid, EndpointIndex> = (0_u32..)
        .zip(sources.endpoints.iter())
        .map(|(at, one)| (one.sid, EndpointIndex(at)))
        .collect();
    let group_places: HashMap<Sid, TrunkGroupIndex> = (0_u32..)
        .zip(sources.trunk_groups.iter())
        .map(|(at, one)| (one.sid, TrunkGroupIndex(at)))
        .collect();
    let mut groups: Vec<TrunkGroup> =
        sources.trunk_groups.iter().map(|record| trunk_group(record)).collect();
    for record in sources.trunks.iter() {
        let group = group_places.get(&record.trunk_group_sid);
        let group = group.and_then(|index| groups.get_mut(index.0 as usize));
        let endpoint = places.get(&record.endpoint_sid);
        if let (Some(group), Some(endpoint)) = (group, endpoint) {
            group.trunks.push(trunk(record, *endpoint));
        } else {
            error!(trunk = %record.sid, "a trunk refers to an object that is not there");
        }
    }
    let mut endpoints: Vec<Endpoint> = sources
        .endpoints
        .iter()
        .map(|record| endpoint(record, |sid| group_places.get(&sid).copied()))
        .collect();
    let mut dids = Vec::with_capacity(sources.dids.all.len());
    for record in sources.dids.iter() {
        let trunk_group = record.trunk_group_sid.and_then(|sid| group_places.get(&sid).copied());
        let group = trunk_group.and_then(|index| groups.get(index.0 as usize));
        if let Some(owner) = group.and_then(owner)
            && let Some(endpoint) = endpoints.get_mut(owner.0 as usize)
        {
            endpoint.dids.push(record.phonenumber);
        }
        dids.push(Did { sid: record.sid, number: record.phonenumber, trunk_group });
    }
    Directory::new(endpoints, groups, dids)
}

/// Whose numbers the DIDs of a group are: the endpoint of its first trunk by priority, as for calls to them.
fn owner(group: &TrunkGroup) -> Option<EndpointIndex> {
    group.trunks.iter().min_by_key(|trunk| trunk.priority).map(|trunk| trunk.endpoint)
}

fn endpoint(record: &EndpointRecord, place: impl Fn(Sid) -> Option<TrunkGroupIndex>) -> Endpoint {
    let kind = match record.kind {
        EndpointType::Mediator => {
            EndpointKind::Mediator { outbound: record.outbound.and_then(place).map(Outbound) }
        }
        EndpointType::ThirdParty => EndpointKind::ThirdParty {
            credentials: credentials(record.sip_username.as_deref(), record.sip_password.as_ref()),
        },
        EndpointType::SystemGateway => EndpointKind::SystemGateway,
    };
    Endpoint {
        sid: record.sid,
        name: record.name.clone(),
        kind,
        addresses: record.addresses.iter().filter_map(address).collect(),
        auth_required: record.auth_required,
        capacity: record.capacity,
        cps_limit: record.cps_limit.unwrap_or(0),
        out_credentials: credentials(
            record.out_sip_username.as_deref(),
            record.out_sip_password.as_ref(),
        ),
        number_format: if record.number_plus { NumberFormat::Plus } else { NumberFormat::Digits },
        dids: Vec::<Number>::new(),
    }
}

fn credentials(username: Option<&str>, password: Option<&Secret>) -> Option<SipCredentials> {
    Some(SipCredentials { username: username?.into(), password: password?.clone() })
}

fn address(record: &AddressRecord) -> Option<Address> {
    let host = host(&record.ip)?;
    let direction = match (&host, &*record.direction) {
        (AddressHost::Block(_), _) | (_, "inbound") => Direction::Inbound,
        (_, "outbound") => Direction::Outbound,
        _ => Direction::Any,
    };
    Some(Address {
        direction,
        host,
        port: record.port,
        transport: record.transport.as_deref().and_then(Transport::from_token),
        priority: record.priority,
        credentials: credentials(record.sip_username.as_deref(), record.sip_password.as_ref()),
    })
}

fn host(text: &str) -> Option<AddressHost> {
    if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse() {
        return Some(AddressHost::Ip(ip));
    }
    if text.contains('/') {
        return text.parse().map(AddressHost::Block).ok();
    }
    Some(AddressHost::Name(text.trim_end_matches('.').into()))
}

fn trunk_group(record: &TrunkGroupRecord) -> TrunkGroup {
    let default = FailurePolicy::default();
    let seconds = |count: u32| Duration::from_secs(count.into());
    TrunkGroup {
        sid: record.sid,
        name: record.name.clone(),
        trunks: Vec::new(),
        failure: FailurePolicy {
            hard_codes: CodeList::parse(&record.hard_failure_codes).unwrap_or(default.hard_codes),
            soft_codes: CodeList::parse(&record.soft_failure_codes).unwrap_or(default.soft_codes),
            hard_threshold: record.hard_failure_threshold,
            hard_interval: seconds(record.hard_failure_interval),
            hard_cooldown: seconds(record.hard_failure_cooldown),
            last_resort: match &*record.hard_failure_last_resort {
                "reject502" => LastResort::Reject502,
                "reject503" => LastResort::Reject503,
                _ => LastResort::First,
            },
            options_threshold: record.sip_options_threshold,
            options_interval: record.options_interval.map(seconds),
        },
    }
}

fn trunk(record: &TrunkRecord, endpoint: EndpointIndex) -> Trunk {
    Trunk {
        sid: record.sid,
        name: record.name.clone(),
        endpoint,
        priority: record.priority,
        weight: record.weight,
        in_capacity: capacity(record.in_capacity),
        out_capacity: capacity(record.out_capacity),
        allow_forward: match &*record.allow_forward {
            "direct" => AllowForward::Direct,
            "direct_uri" => AllowForward::DirectUri,
            "protected" => AllowForward::Protected,
            "reroute" => AllowForward::Reroute,
            _ => AllowForward::Disabled,
        },
    }
}

/// The API's way to write it: 0 is unlimited, -1 none.
fn capacity(calls: i32) -> Option<u32> {
    match calls {
        0 => None,
        calls => Some(u32::try_from(calls).unwrap_or(0)),
    }
}
