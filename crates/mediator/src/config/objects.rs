//! What a config file provisions: endpoints, trunk groups, DIDs and bindings, by name.

use hashbrown::HashSet;
use mediator_model::FailurePolicy;

use super::binding::BindingSpec;
use super::endpoint::EndpointSpec;
use super::sids;
use super::trunk_group::{TrunkGroupSpec, TrunkSpec};

/// The objects of one file, checked: every name leads somewhere.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Objects {
    /// In the order of the file.
    pub endpoints: Vec<EndpointSpec>,
    /// In the order of the file, without those provisioned beside an endpoint.
    pub trunk_groups: Vec<TrunkGroupSpec>,
    /// In the order of the file.
    pub bindings: Vec<BindingSpec>,
}

impl Objects {
    /// The groups of the file, then those beside endpoints, in the endpoints' order: an endpoint with DIDs, and one
    /// that `outbound` names, gets a trunk group of its own name.
    pub fn all_trunk_groups(&self) -> Vec<TrunkGroupSpec> {
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
}
