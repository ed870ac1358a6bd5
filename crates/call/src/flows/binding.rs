//! The binding flow (contract §2): which binding a caller meets, what it makes of the caller, and where it leads.

use alloc::sync::Arc;

use mediator_model::{
    Attributes, Binding, Change, Claim, EndpointIndex, EndpointKind, MatchRule, Number, Ringback,
    TrunkGroupIndex,
};
use smallvec::SmallVec;

use super::FlowKind;
use crate::identity::{Caller, present};
use crate::route::{Claiming, NoRoute, Routed, Router};

/// How often a lost race for a claim is looked up anew; each loss means that somebody else won.
const MAX_CLAIM_RACES: usize = 4;

impl Router<'_> {
    /// Passes one binding: the caller is shown as it says, and the target is its destination.
    pub(crate) fn pass_binding(
        &self,
        routed: &mut Routed,
        account: EndpointIndex,
        caller: Caller,
    ) -> Result<(), NoRoute> {
        let redirect_did = routed.target;
        let (binding, rule) = self.find_binding(redirect_did, caller, &mut routed.claims)?;
        routed.meets_claim |= rule == MatchRule::Claim;
        let attributes: Option<&Attributes> = binding.attributes.as_deref();
        routed.shown = present(caller, redirect_did, attributes);
        routed.target = binding.destination_did;
        routed.accounts.push(account);
        if let Some(attributes) = attributes {
            // Where this binding hides the caller, a name from before would show it beside the number.
            if attributes.cnam.is_some() || attributes.hide_origination_did {
                routed.cnam.clone_from(&attributes.cnam);
            }
            for header in &attributes.headers {
                routed.headers.retain(|known| !known.name.eq_ignore_ascii_case(&header.name));
                routed.headers.push(header.clone());
            }
        }
        if routed.binding.is_none() && routed.kind != FlowKind::Dialout {
            routed.kind = FlowKind::Binding;
            routed.ringback = attributes.map_or(Ringback::Ringing, |a| a.ringback);
            routed.binding = Some((binding, rule));
        }
        Ok(())
    }

    fn find_binding(
        &self,
        redirect_did: Number,
        caller: Caller,
        claims: &mut SmallVec<[Change; 1]>,
    ) -> Result<(Arc<Binding>, MatchRule), NoRoute> {
        for _ in 0..MAX_CLAIM_RACES {
            let found = self
                .ports
                .bindings
                .lookup(redirect_did, caller.number(), self.wall)
                .ok_or(NoRoute::NoBinding)?;
            if found.rule != MatchRule::Claim {
                return Ok((found.binding, found.rule));
            }
            let claimant = caller.claimant().ok_or(NoRoute::NoBinding)?;
            if self.claiming == Claiming::DryRun {
                return Ok((found.binding, found.rule));
            }
            match self.ports.bindings.claim(redirect_did, found.binding.sid, claimant, self.wall) {
                Claim::Won(binding) => {
                    claims.push(Change::BindingClaimed {
                        binding_sid: binding.sid,
                        origination_did: claimant,
                    });
                    return Ok((binding, MatchRule::Claim));
                }
                Claim::Lost => {}
            }
        }
        Err(NoRoute::NoBinding)
    }

    pub(crate) fn outbound(&self, account: EndpointIndex) -> Option<TrunkGroupIndex> {
        match self.directory.endpoint(account)?.kind {
            EndpointKind::Mediator { outbound } => outbound.map(|outbound| outbound.0),
            EndpointKind::ThirdParty { .. } | EndpointKind::SystemGateway => None,
        }
    }
}
