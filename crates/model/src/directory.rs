//! The directory: one immutable picture of endpoints, trunk groups and DIDs that routing reads.
//!
//! A change makes a new directory; calls in progress go on with what they have.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::{
    AddressHost, Cidr, Endpoint, EndpointIndex, EndpointKind, Number, Sid, Trunk, TrunkGroup,
    TrunkGroupIndex, TrunkIndex,
};

/// A number that we own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Did {
    /// Its id.
    pub sid: Sid,
    /// The number.
    pub number: Number,
    /// Where calls to it go; `None`: nowhere (404).
    pub trunk_group: Option<TrunkGroupIndex>,
}

/// What stands behind a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DidRoute {
    /// The number is no DID here.
    NotOurs,
    /// It is, but leads nowhere: no trunk group, or one without trunks.
    Nowhere,
    /// A mediator endpoint: its bindings decide.
    Mediator(EndpointIndex),
    /// Phones and PBXs, by the group's trunks.
    Trunks(TrunkGroupIndex),
}

/// Which endpoint an address belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SourceMatch {
    /// None.
    Unknown,
    /// Exactly one.
    One(EndpointIndex),
    /// Several share it; digest decides.
    Several(SmallVec<[EndpointIndex; 4]>),
}

/// Why objects make no directory.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Two DIDs with one number.
    #[error("the number {0} is given twice")]
    DuplicateDid(Number),
    /// An index that points nowhere.
    #[error("{0} refers to an object that is not there")]
    Dangling(Box<str>),
    /// Two endpoints with one sid.
    #[error("the endpoint {0} is given twice")]
    DuplicateEndpoint(Sid),
    /// Two endpoints with one SIP user name.
    #[error("the SIP user name {0} is given twice")]
    DuplicateUser(Box<str>),
}

/// Endpoints, trunk groups and DIDs with the indices that routing needs.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    endpoints: Vec<Endpoint>,
    trunk_groups: Vec<TrunkGroup>,
    dids: HashMap<Number, Did>,
    by_ip: HashMap<IpAddr, SmallVec<[(EndpointIndex, u16); 2]>>,
    blocks: Vec<(Cidr, EndpointIndex, u16)>,
    by_user: HashMap<Box<str>, EndpointIndex>,
    by_sid: HashMap<Sid, EndpointIndex>,
    by_endpoint: HashMap<EndpointIndex, Option<TrunkIndex>>,
}

impl Directory {
    /// Builds the indices; every index inside the objects must point into them.
    pub fn new(
        endpoints: Vec<Endpoint>,
        trunk_groups: Vec<TrunkGroup>,
        dids: Vec<Did>,
    ) -> Result<Self, DirectoryError> {
        let mut directory = Self { endpoints, trunk_groups, ..Self::default() };
        for did in dids {
            if did.trunk_group.is_some_and(|group| directory.trunk_group(group).is_none()) {
                return Err(DirectoryError::Dangling("a DID's trunk group".into()));
            }
            if directory.dids.insert(did.number, did).is_some() {
                return Err(DirectoryError::DuplicateDid(did.number));
            }
        }
        directory.check_trunks()?;
        directory.index_trunks();
        directory.index_endpoints()?;
        Ok(directory)
    }

    /// All endpoints, in order of their index.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// All trunk groups, in order of their index.
    pub fn trunk_groups(&self) -> &[TrunkGroup] {
        &self.trunk_groups
    }

    /// All DIDs, in no order.
    pub fn dids(&self) -> impl Iterator<Item = &Did> {
        self.dids.values()
    }

    /// The endpoint at an index of this directory.
    pub fn endpoint(&self, index: EndpointIndex) -> Option<&Endpoint> {
        self.endpoints.get(index.0 as usize)
    }

    /// The endpoint with this sid.
    pub fn endpoint_by_sid(&self, sid: Sid) -> Option<EndpointIndex> {
        self.by_sid.get(&sid).copied()
    }

    /// The endpoint that registers and authenticates with this user name.
    pub fn endpoint_by_user(&self, username: &str) -> Option<EndpointIndex> {
        self.by_user.get(username).copied()
    }

    /// The trunk group at an index of this directory.
    pub fn trunk_group(&self, index: TrunkGroupIndex) -> Option<&TrunkGroup> {
        self.trunk_groups.get(index.0 as usize)
    }

    /// The trunk at an index of this directory.
    pub fn trunk(&self, index: TrunkIndex) -> Option<&Trunk> {
        self.trunk_group(index.group)?.trunks.get(index.trunk as usize)
    }

    /// The trunk that leads to an endpoint, where exactly one does: its inbound limits apply to calls from there.
    pub fn trunk_of(&self, endpoint: EndpointIndex) -> Option<TrunkIndex> {
        self.by_endpoint.get(&endpoint).copied().flatten()
    }

    /// The DID with this number.
    pub fn did(&self, number: Number) -> Option<&Did> {
        self.dids.get(&number)
    }

    /// What stands behind a number: a group whose first trunk by priority leads to a mediator endpoint runs its
    /// bindings.
    pub fn route(&self, number: Number) -> DidRoute {
        let Some(did) = self.did(number) else { return DidRoute::NotOurs };
        let Some(index) = did.trunk_group else { return DidRoute::Nowhere };
        let Some(first) = self.trunk_group(index).and_then(first_by_priority) else {
            return DidRoute::Nowhere;
        };
        match self.endpoint(first.endpoint).map(|endpoint| &endpoint.kind) {
            Some(EndpointKind::Mediator { .. }) => DidRoute::Mediator(first.endpoint),
            Some(EndpointKind::ThirdParty { .. } | EndpointKind::SystemGateway) => {
                DidRoute::Trunks(index)
            }
            None => DidRoute::Nowhere,
        }
    }

    /// Which endpoint a source address belongs to (contract §1): by IP, then, where several have it, by port.
    ///
    /// An IPv4-mapped address counts as IPv4. Addresses given by name are never a source: names are resolved call by
    /// call, and only towards the peer.
    pub fn identify(&self, ip: IpAddr, port: u16) -> SourceMatch {
        let ip = ip.to_canonical();
        let mut found: SmallVec<[(EndpointIndex, u16); 4]> = SmallVec::new();
        if let Some(exact) = self.by_ip.get(&ip) {
            found.extend(exact.iter().copied());
        }
        for (block, endpoint, block_port) in &self.blocks {
            if block.contains(ip) {
                found.push((*endpoint, *block_port));
            }
        }
        let by_ip = distinct_endpoints(found.iter().map(|(endpoint, _)| *endpoint));
        match by_ip.as_slice() {
            [] => SourceMatch::Unknown,
            [one] => SourceMatch::One(*one),
            _ => {
                let same_port = found.iter().filter(|(_, own)| *own == port);
                let by_port = distinct_endpoints(same_port.map(|(endpoint, _)| *endpoint));
                match by_port.as_slice() {
                    [one] => SourceMatch::One(*one),
                    _ => SourceMatch::Several(by_ip),
                }
            }
        }
    }

    fn check_trunks(&self) -> Result<(), DirectoryError> {
        for group in &self.trunk_groups {
            if group.trunks.iter().any(|trunk| self.endpoint(trunk.endpoint).is_none()) {
                return Err(DirectoryError::Dangling(group.name.clone()));
            }
        }
        for endpoint in &self.endpoints {
            if let EndpointKind::Mediator { outbound: Some(outbound) } = &endpoint.kind
                && self.trunk_group(outbound.0).is_none()
            {
                return Err(DirectoryError::Dangling(endpoint.name.clone()));
            }
        }
        Ok(())
    }

    fn index_trunks(&mut self) {
        for (group, place) in self.trunk_groups.iter().zip(0..) {
            for (trunk, at) in group.trunks.iter().zip(0..) {
                let this = TrunkIndex { group: TrunkGroupIndex(place), trunk: at };
                self.by_endpoint
                    .entry(trunk.endpoint)
                    .and_modify(|only| *only = None)
                    .or_insert(Some(this));
            }
        }
    }

    fn index_endpoints(&mut self) -> Result<(), DirectoryError> {
        for (at, endpoint) in self.endpoints.iter().enumerate() {
            let index = EndpointIndex(u32::try_from(at).unwrap_or(u32::MAX));
            if self.by_sid.insert(endpoint.sid, index).is_some() {
                return Err(DirectoryError::DuplicateEndpoint(endpoint.sid));
            }
            for address in endpoint.addresses.iter().filter(|a| a.direction.admits_inbound()) {
                let port = address.port_or_default();
                match &address.host {
                    AddressHost::Ip(ip) => {
                        self.by_ip.entry(ip.to_canonical()).or_default().push((index, port));
                    }
                    AddressHost::Block(block) => self.blocks.push((*block, index, port)),
                    AddressHost::Name(_) => {}
                }
            }
            if let EndpointKind::ThirdParty { credentials: Some(credentials) } = &endpoint.kind
                && self.by_user.insert(credentials.username.clone(), index).is_some()
            {
                return Err(DirectoryError::DuplicateUser(credentials.username.clone()));
            }
        }
        Ok(())
    }
}

/// The first made of the lowest priority value.
fn first_by_priority(group: &TrunkGroup) -> Option<&Trunk> {
    group.trunks.iter().min_by_key(|trunk| trunk.priority)
}

fn distinct_endpoints(all: impl Iterator<Item = EndpointIndex>) -> SmallVec<[EndpointIndex; 4]> {
    let mut distinct = SmallVec::new();
    for endpoint in all {
        if !distinct.contains(&endpoint) {
            distinct.push(endpoint);
        }
    }
    distinct
}

#[cfg(test)]
mod tests;
