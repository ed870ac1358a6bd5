//! Checks across objects: names that must exist, and what must not be given twice.

use hashbrown::HashMap;
use mediator_model::{BindingKey, EndpointKind, Number};

use super::binding::ReadBinding;
use super::endpoint::ReadEndpoint;
use super::fault::Findings;
use super::trunk_group::ReadTrunkGroup;

/// What a name of the file stands for. Endpoints and trunk groups share one set of names, because `outbound` takes either.
#[derive(Clone, Copy)]
enum Named {
    Mediator,
    PhoneOrCarrier,
    /// An endpoint whose type could not be read: what refers to it is not blamed.
    UntypedEndpoint,
    TrunkGroup,
}

/// Everything that refers to each other.
pub(super) struct Everything<'a> {
    pub(super) endpoints: &'a [ReadEndpoint],
    pub(super) trunk_groups: &'a [ReadTrunkGroup],
    pub(super) bindings: &'a [ReadBinding],
    pub(super) findings: &'a Findings,
}

impl Everything<'_> {
    /// Notes every reference that leads nowhere and everything that is given twice.
    pub(super) fn check(&self) {
        let names = self.names();
        self.check_users();
        self.check_outbound(&names);
        self.check_trunks(&names);
        let owners = self.owners_of_dids();
        self.check_bindings(&names, &owners);
    }

    fn fault(&self, offset: usize, key: &str, reason: String) {
        self.findings.fault(offset, key.to_owned(), reason);
    }

    fn names(&self) -> HashMap<&str, Named> {
        let mut names = HashMap::new();
        for read in self.endpoints {
            let named = match &read.spec.endpoint.kind {
                _ if !read.is_typed => Named::UntypedEndpoint,
                EndpointKind::Mediator { .. } => Named::Mediator,
                EndpointKind::ThirdParty { .. } | EndpointKind::SystemGateway => {
                    Named::PhoneOrCarrier
                }
            };
            let name: &str = &read.spec.endpoint.name;
            if names.insert(name, named).is_some() {
                let reason = format!("\"{name}\" is given twice: names are unique");
                self.fault(read.offset, "endpoint.name", reason);
            }
        }
        for read in self.trunk_groups {
            let name: &str = &read.spec.name;
            if names.contains_key(name) {
                let reason =
                    format!("\"{name}\" is taken: endpoints and trunk groups share their names");
                self.fault(read.offset, "trunk_group.name", reason);
            } else {
                names.insert(name, Named::TrunkGroup);
            }
        }
        names
    }

    fn check_users(&self) {
        let (mut users, mut logins) = (HashMap::new(), HashMap::new());
        for read in self.endpoints {
            let name = &read.spec.endpoint.name;
            if let EndpointKind::ThirdParty { credentials: Some(credentials) } =
                &read.spec.endpoint.kind
                && let Some(first) = users.insert(&credentials.username, name)
            {
                let reason =
                    format!("endpoint \"{first}\" has this user name already: choose another");
                self.fault(read.user_offset, "endpoint.sip_username", reason);
            }
            if let Some(account) = &read.spec.account
                && let Some(first) = logins.insert(&account.login, name)
            {
                let reason = format!("endpoint \"{first}\" has this login already: choose another");
                self.fault(read.login_offset, "endpoint.login", reason);
            }
        }
    }

    fn check_outbound(&self, names: &HashMap<&str, Named>) {
        for read in self.endpoints {
            let Some(outbound) = &read.spec.outbound else { continue };
            let reason = match names.get(&**outbound) {
                Some(Named::PhoneOrCarrier | Named::TrunkGroup | Named::UntypedEndpoint) => {
                    continue;
                }
                Some(Named::Mediator) => {
                    format!("\"{outbound}\" is a mediator endpoint: name a carrier or trunk group")
                }
                None => format!("\"{outbound}\" is no endpoint or trunk group of this file"),
            };
            self.fault(read.outbound_offset, "endpoint.outbound", reason);
        }
    }

    fn check_trunks(&self, names: &HashMap<&str, Named>) {
        for read in self.trunk_groups {
            for (trunk, offset) in read.spec.trunks.iter().zip(&read.trunk_offsets) {
                let endpoint = &trunk.endpoint;
                let reason = match names.get(&**endpoint) {
                    Some(Named::PhoneOrCarrier | Named::UntypedEndpoint) => continue,
                    Some(Named::Mediator) => {
                        format!("\"{endpoint}\" is a mediator endpoint: give it dids instead")
                    }
                    Some(Named::TrunkGroup) => {
                        format!("\"{endpoint}\" is a trunk group: name an endpoint")
                    }
                    None => format!("\"{endpoint}\" is no endpoint of this file"),
                };
                self.fault(*offset, "trunk_group.trunks.endpoint", reason);
            }
        }
    }

    fn owners_of_dids(&self) -> HashMap<Number, &str> {
        let mut owners = HashMap::new();
        for read in self.endpoints {
            for did in &read.dids {
                if let Some(first) = owners.insert(did.value, &*read.spec.endpoint.name) {
                    let reason =
                        format!("given twice: endpoint \"{first}\" has this number already");
                    self.fault(did.offset, "endpoint.dids", reason);
                }
            }
        }
        owners
    }

    fn check_bindings(&self, names: &HashMap<&str, Named>, owners: &HashMap<Number, &str>) {
        let mut keys: HashMap<BindingKey, ()> = HashMap::with_capacity(self.bindings.len());
        for read in self.bindings {
            let endpoint: &str = &read.endpoint;
            let redirect = read.spec.key.redirect_did;
            match names.get(endpoint) {
                Some(Named::Mediator) if owners.get(&redirect) != Some(&endpoint) => {
                    let reason = format!("no DID of endpoint \"{endpoint}\": add it to its dids");
                    self.fault(read.redirect_offset, "binding.redirect_did", reason);
                }
                Some(Named::Mediator | Named::UntypedEndpoint) => {}
                Some(Named::PhoneOrCarrier | Named::TrunkGroup) => {
                    let reason = format!("\"{endpoint}\" is no endpoint of type \"mediator\"");
                    self.fault(read.endpoint_offset, "binding.endpoint", reason);
                }
                None => {
                    let reason = format!("\"{endpoint}\" is no endpoint of this file");
                    self.fault(read.endpoint_offset, "binding.endpoint", reason);
                }
            }
            if keys.insert(read.spec.key, ()).is_some() {
                let reason = match read.spec.key.origination_did {
                    Some(_) => "a second one of this redirect_did for this caller",
                    None => "a second one of this redirect_did for any caller",
                };
                self.fault(read.offset, "binding", reason.to_owned());
            }
        }
    }
}
