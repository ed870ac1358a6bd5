//! Claims on their way to the store: the table has decided, the caller's 200 waits until it is durable.

use std::sync::Arc;

use mediator_call::io::{CallSid, ClaimOutcome, Input};
use mediator_model::Change;
use mediator_net::{Clock, Post};
use mediator_store::{Op, Refused, Store, Write};
use tracing::{error, warn};

/// The way to the store, and back into one shard.
pub(super) struct Claims {
    store: Arc<dyn Store>,
    clock: Clock,
    orders: Post<Input>,
}

impl Claims {
    pub(super) fn new(store: Arc<dyn Store>, clock: Clock, orders: Post<Input>) -> Self {
        Self { store, clock, orders }
    }

    /// Makes a claim durable; the shard hears [`Input::ClaimStored`] when it is, or cannot be.
    pub(super) fn store(&self, call: CallSid, change: &Change) {
        let Change::BindingClaimed { binding_sid, origination_did } = *change else {
            error!(%call, "a claim that is none");
            let outcome = ClaimOutcome::Failed;
            return self.orders.post_always(Input::ClaimStored { call, outcome });
        };
        let op = Op::Claim { binding_sid, caller: origination_did };
        let mut caller =
            Waiting { orders: self.orders.clone(), call, outcome: ClaimOutcome::Failed };
        let done = move |outcome: Result<_, Refused>| {
            if let Err(refused) = &outcome {
                warn!(%call, binding = %binding_sid, reason = reason(refused), "claim not stored");
            }
            caller.outcome =
                outcome.map_or_else(|refused| became(&refused), |_| ClaimOutcome::Durable);
            drop(caller);
        };
        self.store.submit(Write::one(self.clock.unix_now(), op), Box::new(done));
    }
}

/// A caller who waits for his claim. He hears of it however this ends: a store whose thread died drops what it was asked.
struct Waiting {
    orders: Post<Input>,
    call: CallSid,
    outcome: ClaimOutcome,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Self { call, outcome, .. } = *self;
        self.orders.post_always(Input::ClaimStored { call, outcome });
    }
}

/// Whether there is no such claim to be had, or none could be kept.
const fn became(refused: &Refused) -> ClaimOutcome {
    match refused {
        Refused::Gone { .. } | Refused::Taken { .. } | Refused::Claimed => ClaimOutcome::Lost,
        Refused::Exists
        | Refused::Stale { .. }
        | Refused::InUse { .. }
        | Refused::Remembered
        | Refused::Overloaded
        | Refused::Failed(_) => ClaimOutcome::Failed,
    }
}

/// Why, without the numbers that a refusal may name.
const fn reason(refused: &Refused) -> &'static str {
    match refused {
        Refused::Exists | Refused::Stale { .. } | Refused::InUse { .. } | Refused::Remembered => {
            "the store refused it"
        }
        Refused::Gone { .. } => "the binding is gone",
        Refused::Taken { .. } => "the caller has a binding of its own by now",
        Refused::Claimed => "another caller was first",
        Refused::Overloaded => "too many writes wait",
        Refused::Failed(_) => "the store cannot write",
    }
}
