//! What a call would meet, as the API tells it: the engine's dry run over the state that shards share.

use mediator_api::ports::Explanation;
use mediator_call::explain;
use mediator_call::route::{Claiming, Router};
use mediator_model::{Directory, Number};
use mediator_net::Clock;

use crate::shards::SharedState;

/// The dice for trunks of one priority: always the same throw, so that asking twice gives one answer. A call throws
/// its own.
const SEED: [u8; 32] = [0; 32];

/// Where a call from `from` (`None`: anonymous) to `to` would go now. Claims nothing.
pub fn explanation(
    state: &SharedState,
    clock: &Clock,
    from: Option<Number>,
    to: Number,
) -> Explanation {
    let directory: &Directory = &state.directory.load();
    let ports = state.ports();
    let router = Router {
        directory,
        ports: &ports,
        now: clock.now(),
        wall: clock.unix_now(),
        claiming: Claiming::DryRun,
    };
    let explained = explain(&router, from, to, SEED);
    let places = explained.attempts.into_iter().map(|place| (place.trunk, place.address));
    Explanation {
        did: explained.did,
        endpoint: explained.endpoint,
        binding_sid: explained.binding.map(|binding| binding.sid),
        rule: explained.rule.as_str(),
        caller_id: explained.caller_id.map(|number| number.to_string().into()),
        destination_did: explained.destination,
        trunks: places.collect(),
        sip_code: explained.refused,
    }
}
