//! Calls to a `third_party` endpoint's number, on-net or from a carrier: to where its phones are registered, else
//! to its addresses (contract §1).

use alloc::collections::VecDeque;

use mediator_model::{AddressHost, Endpoint, EndpointKind, Trunk, TrunkIndex};
use smallvec::SmallVec;

use crate::route::{Attempt, Router};

impl Router<'_> {
    /// Adds what one trunk offers; whether it is a phone that is not registered.
    pub(crate) fn push_attempts(
        &self,
        attempts: &mut VecDeque<Attempt>,
        place: TrunkIndex,
        trunk: &Trunk,
    ) -> bool {
        let Some(endpoint) = self.directory.endpoint(trunk.endpoint) else { return false };
        let registers = matches!(endpoint.kind, EndpointKind::ThirdParty { credentials: Some(_) });
        if registers {
            let contacts = self.ports.locations.contacts(endpoint.sid, self.now);
            if !contacts.is_empty() {
                attempts.push_back(Attempt::Phone {
                    trunk: place,
                    endpoint: trunk.endpoint,
                    contacts,
                });
                return false;
            }
        }
        let before = attempts.len();
        for address in outbound_addresses(endpoint) {
            attempts.push_back(Attempt::Address {
                trunk: place,
                endpoint: trunk.endpoint,
                address,
            });
        }
        registers && attempts.len() == before
    }
}

/// The addresses that calls can be sent to, lowest priority first.
fn outbound_addresses(endpoint: &Endpoint) -> SmallVec<[usize; 2]> {
    let mut usable: SmallVec<[(u16, usize); 2]> = endpoint
        .addresses
        .iter()
        .enumerate()
        .filter(|(_, address)| {
            address.direction.admits_outbound() && !matches!(address.host, AddressHost::Block(_))
        })
        .map(|(at, address)| (address.priority, at))
        .collect();
    usable.sort_unstable();
    usable.into_iter().map(|(_, at)| at).collect()
}
