//! What a config file provisions: endpoints, trunk groups, DIDs and bindings, by name, and the directory made of them.

use hashbrown::{HashMap, HashSet};
use mediator_model::{
    Did, Directory, DirectoryError, Endpoint, EndpointIndex, EndpointKind, FailurePolicy, Outbound,
    Trunk, TrunkGroup, TrunkGroupIndex,
};

use super::binding::BindingSpec;
use super::endpoint::EndpointSpec;
use super::sids;
use super::trunk_group::{TrunkGroupSpec, TrunkSpec};

/// The objects of one file, checked: every name leads somewhere.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Objects {
    /// In the order of the file.
    pub endpoints: Vec<EndpointSpec>,
    /// In the order of the file, without those provisioned beside an endpoint.
    pub trunk_groups: Vec<TrunkGroupSpec>,
    /// In the order of the file.
    pub bindings: Vec<BindingSpec>,
}

/// Why a file that is good by itself cannot follow the one that runs.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Conflict {
    /// A name changed sides.
    #[error(
        "\"{0}\" was an endpoint and would be a trunk group, or the other way round: choose another name, or restart"
    )]
    NameChangedSides(Box<str>),
    /// A login of an endpoint that the file no longer has, and that stays.
    #[error(
        "the login of \"{0}\" belongs to an endpoint that is no longer in the file, but stays until a restart"
    )]
    LoginTaken(Box<str>),
    /// The directory refuses the union.
    #[error("together with the objects that stay until a restart: {0}")]
    Directory(#[from] DirectoryError),
}

impl Objects {
    /// The picture that routing reads. An endpoint with DIDs, and one that `outbound` names, gets a trunk group of its own name.
    pub fn directory(&self) -> Result<Directory, DirectoryError> {
        let places: HashMap<&str, EndpointIndex> = (0_u32..)
            .zip(&self.endpoints)
            .map(|(at, spec)| (&*spec.endpoint.name, EndpointIndex(at)))
            .collect();
        let groups = self.all_groups();
        let group_places: HashMap<&str, TrunkGroupIndex> =
            (0_u32..).zip(&groups).map(|(at, group)| (&*group.name, TrunkGroupIndex(at))).collect();
        let endpoints = self.endpoints.iter().map(|spec| resolve(spec, &group_places)).collect();
        let dids = self.endpoints.iter().flat_map(|spec| {
            let trunk_group = group_places.get(&*spec.endpoint.name).copied();
            let numbers = spec.endpoint.dids.iter();
            numbers.map(move |number| Did { sid: sids::did(*number), number: *number, trunk_group })
        });
        let dids = dids.collect();
        let groups = groups.iter().map(|group| built(group, &places)).collect::<Result<_, _>>()?;
        Directory::new(endpoints, groups, dids)
    }

    /// The groups of the file, then those beside endpoints, in the endpoints' order.
    fn all_groups(&self) -> Vec<TrunkGroupSpec> {
        let outbound: HashSet<&str> =
            self.endpoints.iter().filter_map(|spec| spec.outbound.as_deref()).collect();
        let beside = self
            .endpoints
            .iter()
            .map(|spec| &spec.endpoint)
            .filter(|endpoint| !endpoint.dids.is_empty() || outbound.contains(&*endpoint.name));
        let beside = beside.map(|endpoint| TrunkGroupSpec {
            sid: sids::trunk_group(&endpoint.name),
            name: endpoint.name.clone(),
            trunks: vec![TrunkSpec::only(&endpoint.name)],
            failure: FailurePolicy::default(),
        });
        self.trunk_groups.iter().cloned().chain(beside).collect()
    }

    /// The objects that run after a reload: those of the new file, and those of `running` that it no longer has,
    /// because provisioning never deletes. A DID that the new file gives to another endpoint moves there.
    pub fn reloaded_over(mut self, running: &Self) -> Result<Self, Conflict> {
        let dids: HashSet<_> =
            self.endpoints.iter().flat_map(|spec| spec.endpoint.dids.iter().copied()).collect();
        let endpoints: HashSet<Box<str>> =
            self.endpoints.iter().map(|spec| spec.endpoint.name.clone()).collect();
        let groups: HashSet<Box<str>> =
            self.trunk_groups.iter().map(|group| group.name.clone()).collect();
        let keys: HashSet<_> = self.bindings.iter().map(|binding| binding.key).collect();
        for spec in &running.endpoints {
            if groups.contains(&spec.endpoint.name) {
                return Err(Conflict::NameChangedSides(spec.endpoint.name.clone()));
            }
            if !endpoints.contains(&spec.endpoint.name) {
                let mut kept = spec.clone();
                kept.endpoint.dids.retain(|did| !dids.contains(did));
                self.endpoints.push(kept);
            }
        }
        for group in &running.trunk_groups {
            if endpoints.contains(&group.name) {
                return Err(Conflict::NameChangedSides(group.name.clone()));
            }
            if !groups.contains(&group.name) {
                self.trunk_groups.push(group.clone());
            }
        }
        let kept = running.bindings.iter().filter(|binding| !keys.contains(&binding.key));
        self.bindings.extend(kept.cloned());
        self.check_logins()?;
        self.directory()?;
        Ok(self)
    }

    fn check_logins(&self) -> Result<(), Conflict> {
        let mut logins = HashMap::new();
        for spec in &self.endpoints {
            let Some(account) = &spec.account else { continue };
            if let Some(first) = logins.insert(&account.login, &spec.endpoint.name) {
                return Err(Conflict::LoginTaken(first.clone()));
            }
        }
        Ok(())
    }

    /// The bindings that a reload must put: those that `running` has otherwise or not at all. The others are left
    /// alone, so that a claim, or an end that came, is not undone.
    pub fn changed_bindings<'a>(
        &'a self,
        running: &'a Self,
    ) -> impl Iterator<Item = &'a BindingSpec> {
        let before: HashMap<_, _> =
            running.bindings.iter().map(|binding| (binding.key, binding)).collect();
        self.bindings.iter().filter(move |binding| before.get(&binding.key) != Some(binding))
    }
}

fn resolve(spec: &EndpointSpec, groups: &HashMap<&str, TrunkGroupIndex>) -> Endpoint {
    let mut endpoint = spec.endpoint.clone();
    if let EndpointKind::Mediator { outbound } = &mut endpoint.kind {
        *outbound =
            spec.outbound.as_deref().and_then(|name| groups.get(name)).copied().map(Outbound);
    }
    endpoint
}

fn built(
    group: &TrunkGroupSpec,
    places: &HashMap<&str, EndpointIndex>,
) -> Result<TrunkGroup, DirectoryError> {
    let trunks = group.trunks.iter().map(|trunk| {
        let endpoint = places.get(&*trunk.endpoint).copied();
        Ok(Trunk {
            sid: trunk.sid,
            name: trunk.name.clone(),
            endpoint: endpoint.ok_or_else(|| DirectoryError::Dangling(trunk.endpoint.clone()))?,
            priority: trunk.priority,
            weight: trunk.weight,
            in_capacity: trunk.in_capacity,
            out_capacity: trunk.out_capacity,
            allow_forward: trunk.allow_forward,
        })
    });
    Ok(TrunkGroup {
        sid: group.sid,
        name: group.name.clone(),
        trunks: trunks.collect::<Result<_, _>>()?,
        failure: group.failure.clone(),
    })
}
