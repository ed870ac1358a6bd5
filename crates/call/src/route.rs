//! Where a call goes: number -> DID -> endpoint -> bindings -> an ordered list of attempts (contract §1, §2).
//!
//! Pure but for two things it is handed: the claim of a binding that waits for its first caller, and
//! dice for weights. With [`Claiming::DryRun`] it claims nothing, for `explain`.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use mediator_model::{
    Binding, Change, ContactBinding, Dialout, DidRoute, Directory, EndpointIndex, ExtraHeader,
    Instant, LastResort, MatchRule, Number, Ringback, Trunk, TrunkGroupIndex, TrunkIndex,
    UnixMillis,
};
use smallvec::SmallVec;

use crate::FlowKind;
use crate::dice::Dice;
use crate::identity::{Caller, Shown, present_plain};
use crate::io::Ports;

/// Bindings that one call may pass (contract §1): a sixth is 483.
pub const MAX_BINDINGS: usize = 5;

/// Whether routing may claim a binding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claiming {
    /// A real call.
    Claim,
    /// `explain`: nothing is claimed.
    DryRun,
}

/// One place to try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// An address of a trunk's endpoint.
    Address {
        /// The trunk.
        trunk: TrunkIndex,
        /// Its endpoint.
        endpoint: EndpointIndex,
        /// The place in [`Endpoint::addresses`].
        address: usize,
    },
    /// A registered phone: its contacts ring together.
    Phone {
        /// The trunk.
        trunk: TrunkIndex,
        /// The phone's endpoint.
        endpoint: EndpointIndex,
        /// Where it is registered, best first.
        contacts: Vec<ContactBinding>,
    },
}

impl Attempt {
    /// The trunk that leads there.
    pub const fn trunk(&self) -> TrunkIndex {
        match self {
            Self::Address { trunk, .. } | Self::Phone { trunk, .. } => *trunk,
        }
    }

    /// The endpoint that is called.
    pub const fn endpoint(&self) -> EndpointIndex {
        match self {
            Self::Address { endpoint, .. } | Self::Phone { endpoint, .. } => *endpoint,
        }
    }
}

/// The mediator endpoints on a way.
pub(crate) type Accounts = SmallVec<[EndpointIndex; 1]>;

/// A way found.
#[derive(Clone, Debug)]
pub struct Routed {
    /// The flow that runs the call.
    pub kind: FlowKind,
    /// The first binding and how it was found; records refer to it.
    pub binding: Option<(Arc<Binding>, MatchRule)>,
    /// The mediator endpoints whose bindings were passed, first one first.
    pub accounts: Accounts,
    /// The number that leg B is asked for.
    pub target: Number,
    /// What leg B sees as the caller.
    pub shown: Shown,
    /// Display name towards leg B; the last binding that has one decides.
    pub cnam: Option<Box<str>>,
    /// Headers for leg B's INVITE; the last binding that names one decides.
    pub headers: Vec<ExtraHeader>,
    /// What the caller hears while leg B is dialled; the first binding decides, as it is the caller's.
    pub ringback: Ringback,
    /// Where to try, in order; never empty.
    pub attempts: VecDeque<Attempt>,
    /// A binding on the way waits for this caller, claimed by now or in a dry run.
    pub meets_claim: bool,
    /// Claims won on the way, to be stored before the caller hears an answer.
    pub claims: SmallVec<[Change; 1]>,
}

impl Routed {
    /// Before the first binding: the caller as presented, the number as dialled.
    pub(crate) fn begin(dialled: Number, caller: Caller) -> Self {
        Self {
            kind: FlowKind::Inbound,
            binding: None,
            accounts: SmallVec::new(),
            target: dialled,
            shown: present_plain(caller),
            cnam: None,
            headers: Vec::new(),
            ringback: Ringback::Ringing,
            attempts: VecDeque::new(),
            meets_claim: false,
            claims: SmallVec::new(),
        }
    }
}

/// Why there is no way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoRoute {
    /// The number is no DID here, or leads nowhere.
    #[error("unknown number")]
    UnknownDid,
    /// No binding for this caller.
    #[error("no binding for this caller")]
    NoBinding,
    /// The same DID a second time.
    #[error("bindings lead in a circle")]
    Loop,
    /// A sixth binding.
    #[error("more than 5 bindings deep")]
    TooDeep,
    /// The mediator endpoint has no outbound trunk group, or the group has no usable trunk.
    #[error("no trunk for this number")]
    NoTrunk,
    /// The phone behind the number is not registered.
    #[error("phone is not registered")]
    NotRegistered,
    /// Every trunk is dead and the group says 502.
    #[error("all trunks are dead")]
    AllDead502,
    /// Every trunk is dead and the group says 503.
    #[error("all trunks are dead")]
    AllDead503,
}

impl NoRoute {
    /// The code that the caller gets.
    pub const fn status(self) -> u16 {
        match self {
            Self::UnknownDid => 404,
            Self::NoBinding | Self::NotRegistered => 480,
            Self::Loop => 482,
            Self::TooDeep => 483,
            Self::AllDead502 => 502,
            Self::NoTrunk | Self::AllDead503 => 503,
        }
    }
}

/// No way, but bindings may have been claimed before that was seen.
pub(crate) struct Unrouted {
    pub(crate) why: NoRoute,
    /// As of a way that was found.
    pub(crate) meets_claim: bool,
    /// Claims won on the way, to be stored all the same.
    pub(crate) claims: SmallVec<[Change; 1]>,
    /// The first binding, and whose it is: the call has a record all the same.
    pub(crate) met: Option<(Arc<Binding>, EndpointIndex)>,
}

/// What routing reads.
pub struct Router<'a> {
    /// Endpoints, trunk groups, DIDs.
    pub directory: &'a Directory,
    /// Bindings, registrations, health.
    pub ports: &'a Ports,
    /// For deadlines of registrations and cooldowns.
    pub now: Instant,
    /// For the bindings' times.
    pub wall: UnixMillis,
    /// Whether a binding may be claimed.
    pub claiming: Claiming,
}

impl Router<'_> {
    /// Finds the way of a call from `caller` to `dialled`.
    pub(crate) fn route(
        &self,
        dialled: Number,
        caller: Caller,
        dice: &mut Dice,
    ) -> Result<Routed, Unrouted> {
        let mut routed = Routed::begin(dialled, caller);
        match self.follow(&mut routed, (caller, None), dice) {
            Ok(()) => Ok(routed),
            Err(why) => {
                let met = routed.binding.map(|(binding, _)| binding);
                let met = met.zip(routed.accounts.first().copied());
                let (meets_claim, claims) = (routed.meets_claim, routed.claims);
                Err(Unrouted { why, meets_claim, claims, met })
            }
        }
    }

    /// Finds the way of a stage of an account's dialout, which shows `shown`.
    pub(crate) fn route_stage(
        &self,
        (account, dialout): (EndpointIndex, &Dialout),
        (target, shown): (Number, Number),
        dice: &mut Dice,
    ) -> Result<Routed, Unrouted> {
        let (caller, attributes) = (Caller::Open(shown), &dialout.attributes);
        let mut routed = Routed {
            kind: FlowKind::Dialout,
            accounts: [account].into_iter().collect(),
            cnam: attributes.cnam.clone(),
            headers: attributes.headers.clone(),
            ringback: attributes.ringback,
            ..Routed::begin(target, caller)
        };
        match self.follow(&mut routed, (caller, Some(dialout.redirect_did)), dice) {
            Ok(()) => Ok(routed),
            Err(why) => {
                let (meets_claim, claims) = (routed.meets_claim, routed.claims);
                Err(Unrouted { why, meets_claim, claims, met: None })
            }
        }
    }

    /// Follows bindings from [`Routed::target`] on, until attempts are found; where it fails, `routed` is as far as it
    /// came. `left` is the number whose flow the call has left, where that was no binding's.
    pub(crate) fn follow(
        &self,
        routed: &mut Routed,
        (caller, left): (Caller, Option<Number>),
        dice: &mut Dice,
    ) -> Result<(), NoRoute> {
        let mut passed: SmallVec<[Number; MAX_BINDINGS]> = SmallVec::new();
        let mut seen_as = caller;
        loop {
            match self.directory.route(routed.target) {
                DidRoute::Mediator(account) => {
                    if passed.contains(&routed.target) || left == Some(routed.target) {
                        return Err(NoRoute::Loop);
                    }
                    if passed.len() == MAX_BINDINGS {
                        return Err(NoRoute::TooDeep);
                    }
                    passed.push(routed.target);
                    self.pass_binding(routed, account, seen_as)?;
                    seen_as = seen_as.after(routed.shown);
                }
                DidRoute::Trunks(group) => {
                    routed.attempts = self.attempts(group, dice)?;
                    return Ok(());
                }
                DidRoute::Nowhere => return Err(NoRoute::UnknownDid),
                DidRoute::NotOurs => {
                    let account = routed.accounts.last().ok_or(NoRoute::UnknownDid)?;
                    let group = self.outbound(*account).ok_or(NoRoute::NoTrunk)?;
                    routed.attempts = self.attempts(group, dice)?;
                    return Ok(());
                }
            }
        }
    }

    /// The attempts for a number that a redirect names: a phone here, or the way out of the last account.
    pub(crate) fn forward(
        &self,
        number: Number,
        accounts: &[EndpointIndex],
        dice: &mut Dice,
    ) -> Result<VecDeque<Attempt>, NoRoute> {
        match self.directory.route(number) {
            DidRoute::Trunks(group) => self.attempts(group, dice),
            // A binding again would be a new call, with a caller of its own.
            DidRoute::Mediator(_) | DidRoute::Nowhere => Err(NoRoute::NoBinding),
            DidRoute::NotOurs => {
                let account = accounts.last().ok_or(NoRoute::NoTrunk)?;
                self.attempts(self.outbound(*account).ok_or(NoRoute::NoTrunk)?, dice)
            }
        }
    }

    /// The attempts that a trunk group offers now, dead trunks left out.
    fn attempts(
        &self,
        index: TrunkGroupIndex,
        dice: &mut Dice,
    ) -> Result<VecDeque<Attempt>, NoRoute> {
        let group = self.directory.trunk_group(index).ok_or(NoRoute::NoTrunk)?;
        let ordered = order_trunks(&group.trunks, dice);
        let alive = |at: &usize| {
            group.trunks.get(*at).is_some_and(|t| !self.ports.admission.is_dead(t.sid, self.now))
        };
        let mut chosen: Vec<usize> = ordered.iter().copied().filter(alive).collect();
        if chosen.is_empty() {
            match group.failure.last_resort {
                LastResort::First => chosen.extend(ordered.first()),
                LastResort::Reject502 => return Err(NoRoute::AllDead502),
                LastResort::Reject503 => return Err(NoRoute::AllDead503),
            }
        }
        let mut attempts = VecDeque::new();
        let mut unregistered = false;
        for at in chosen {
            let Some(trunk) = group.trunks.get(at) else { continue };
            let place = TrunkIndex { group: index, trunk: at as u32 };
            unregistered |= self.push_attempts(&mut attempts, place, trunk);
        }
        match (attempts.is_empty(), unregistered) {
            (false, _) => Ok(attempts),
            (true, true) => Err(NoRoute::NotRegistered),
            (true, false) => Err(NoRoute::NoTrunk),
        }
    }
}

/// Trunks by priority, within one priority drawn by weight without replacement (as RFC 2782 does for SRV).
fn order_trunks(trunks: &[Trunk], dice: &mut Dice) -> SmallVec<[usize; 4]> {
    let mut rest: SmallVec<[usize; 4]> = (0..trunks.len()).collect();
    let mut ordered = SmallVec::new();
    let priority = |at: usize| trunks.get(at).map_or(u16::MAX, |t| t.priority);
    while let Some(lowest) = rest.iter().map(|&at| priority(at)).min() {
        let (mut level, higher): (SmallVec<[usize; 4]>, SmallVec<[usize; 4]>) =
            rest.iter().copied().partition(|&at| priority(at) == lowest);
        rest = higher;
        while !level.is_empty() {
            let picked = pick(&level, trunks, dice);
            ordered.push(level.remove(picked));
        }
    }
    ordered
}

fn pick(level: &[usize], trunks: &[Trunk], dice: &mut Dice) -> usize {
    let weight = |at: &usize| trunks.get(*at).map_or(0, |t| u64::from(t.weight));
    if level.len() == 1 {
        return 0;
    }
    let total: u64 = level.iter().map(weight).sum();
    if total == 0 {
        return dice.below(level.len() as u64) as usize;
    }
    let mut throw = dice.below(total);
    for (place, at) in level.iter().enumerate() {
        if throw < weight(at) {
            return place;
        }
        throw -= weight(at);
    }
    0
}

#[cfg(test)]
mod tests;
