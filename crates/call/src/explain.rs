//! A dry run of routing: what a call would meet, for people who ask why one did not get through (contract §4).
//!
//! It reads what a real call reads and decides by the same code ([`Router`]), so it says what would happen at this
//! moment; but it claims nothing and takes nothing of a limit. Limits that happen to be used up are not looked at;
//! a trunk that is closed to calls for good is.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

use mediator_model::{Address, AddressHost, Binding, DidRoute, MatchRule, Number, Sid};

use crate::dial::MAX_PARALLEL;
use crate::dice::Dice;
use crate::identity::Caller;
use crate::route::{Attempt, Claiming, NoRoute, Routed, Router};

#[cfg(test)]
mod tests;

/// What decides at the number that was dialled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// A binding of this caller.
    Exact,
    /// A binding of any caller.
    Any,
    /// A binding that waits for its first caller: this one would get it, or has no number to get it with.
    Claim,
    /// No binding: there is none for this caller, or the number leads to no mediator endpoint.
    NoBinding,
    /// The number is none here.
    UnknownDid,
}

impl Rule {
    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Any => "any",
            Self::Claim => "claim",
            Self::NoBinding => "none",
            Self::UnknownDid => "unknown_did",
        }
    }
}

/// One place that would be tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The trunk's name.
    pub trunk: Box<str>,
    /// `ip:port` of an address or of a registered contact; a name with its port, where it has one.
    pub address: Box<str>,
}

/// What a call would meet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// The number dialled, where it is a DID here.
    pub did: Option<Number>,
    /// The endpoint behind it: of several, that of the trunk that is tried first by priority.
    pub endpoint: Option<Sid>,
    /// What decides there.
    pub rule: Rule,
    /// The binding that decides.
    pub binding: Option<Arc<Binding>>,
    /// The caller as leg B would see it; `None`: anonymous, or no call.
    pub caller_id: Option<Number>,
    /// The number that leg B would be asked for, behind all bindings; also where it cannot be dialled. `None`: nothing
    /// leads on.
    pub destination: Option<Number>,
    /// Where it would be tried, in order; one draw of the trunks' weights.
    pub attempts: Vec<Place>,
    /// What the caller would get instead of a call: 404, 480, 482, 483, 502, 503.
    pub refused: Option<u16>,
}

/// Says what a call from `from` (`None`: anonymous) to `dialled` would meet. The seed is that of the dice for the
/// weights of trunks. Whatever the router may, nothing is claimed.
pub fn explain(
    router: &Router<'_>,
    from: Option<Number>,
    dialled: Number,
    seed: [u8; 32],
) -> Explained {
    let caller = from.map_or(Caller::Anonymous, Caller::Open);
    let router = Router { claiming: Claiming::DryRun, ..*router };
    let mut routed = Routed::begin(dialled, caller);
    let found = router.follow(&mut routed, (caller, None), &mut Dice::new(seed));
    let attempts = router.places(&routed);
    let refused = match found {
        Err(why) => Some(why.status()),
        // There are trunks, but all of them are closed.
        Ok(()) if attempts.is_empty() => Some(NoRoute::NoTrunk.status()),
        Ok(()) => None,
    };
    let route = router.directory.route(dialled);
    let leads_on = routed.binding.is_some() || matches!(route, DidRoute::Trunks(_));
    let (rule, binding) = router.deciding(&routed, route, caller);
    Explained {
        did: router.directory.did(dialled).map(|did| did.number),
        endpoint: router.endpoint_behind(route),
        rule,
        binding,
        caller_id: routed.shown.number().filter(|_| refused.is_none()),
        destination: leads_on.then_some(routed.target),
        attempts,
        refused,
    }
}

impl Router<'_> {
    fn deciding(
        &self,
        routed: &Routed,
        route: DidRoute,
        caller: Caller,
    ) -> (Rule, Option<Arc<Binding>>) {
        if let Some((binding, rule)) = &routed.binding {
            return (rule_of(*rule), Some(binding.clone()));
        }
        match route {
            DidRoute::NotOurs => (Rule::UnknownDid, None),
            DidRoute::Nowhere | DidRoute::Trunks(_) => (Rule::NoBinding, None),
            // One that waits for a caller with a number is there all the same.
            DidRoute::Mediator(_) => {
                let found = self.ports.bindings.lookup(routed.target, caller.number(), self.wall);
                found.map_or((Rule::NoBinding, None), |found| {
                    (rule_of(found.rule), Some(found.binding))
                })
            }
        }
    }

    fn endpoint_behind(&self, route: DidRoute) -> Option<Sid> {
        let index = match route {
            DidRoute::Mediator(account) => account,
            DidRoute::Trunks(group) => {
                let trunks = &self.directory.trunk_group(group)?.trunks;
                trunks.iter().min_by_key(|trunk| trunk.priority)?.endpoint
            }
            DidRoute::NotOurs | DidRoute::Nowhere => return None,
        };
        self.directory.endpoint(index).map(|endpoint| endpoint.sid)
    }

    /// The places of a way, in the order in which a call tries them.
    fn places(&self, routed: &Routed) -> Vec<Place> {
        let mut places = Vec::new();
        for attempt in &routed.attempts {
            let Some(trunk) = self.directory.trunk(attempt.trunk()) else { continue };
            if trunk.out_capacity == Some(0) {
                continue;
            }
            let place = |address: String| Place {
                trunk: trunk.name.clone(),
                address: address.into_boxed_str(),
            };
            match attempt {
                Attempt::Address { endpoint, address, .. } => {
                    let at = self.directory.endpoint(*endpoint);
                    let at = at.and_then(|endpoint| endpoint.addresses.get(*address));
                    places.extend(at.and_then(written).map(place));
                }
                Attempt::Phone { contacts, .. } => {
                    let ringing = contacts.iter().take(MAX_PARALLEL);
                    places.extend(ringing.map(|one| place(one.flow.remote.to_string())));
                }
            }
        }
        places
    }
}

const fn rule_of(rule: MatchRule) -> Rule {
    match rule {
        MatchRule::Exact => Rule::Exact,
        MatchRule::Any => Rule::Any,
        MatchRule::Claim => Rule::Claim,
    }
}

fn written(address: &Address) -> Option<String> {
    match (&address.host, address.port) {
        (AddressHost::Ip(ip), _) => {
            Some(SocketAddr::new(*ip, address.port_or_default()).to_string())
        }
        (AddressHost::Name(name), Some(port)) => Some(format!("{name}:{port}")),
        (AddressHost::Name(name), None) => Some(name.to_string()),
        (AddressHost::Block(_), _) => None,
    }
}
