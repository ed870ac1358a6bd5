//! What the API asks of the process (`mediator_api::ports::Process`): its calls, its way of routing, its time.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use mediator_api::ports::{Explanation, LegMedia, LiveCall, Process};
use mediator_call::io::Input;
use mediator_media::Figures;
use mediator_model::{Number, Sid, UnixMillis};
use mediator_net::Clock;

use crate::dialouts::Dialouts;
use crate::explain::explanation;
use crate::records::media_figures;
use crate::shards::{Orders, SharedState};

/// The process, as far as the API needs it.
pub struct Running {
    /// The time.
    pub clock: Clock,
    /// Directory, bindings and registrations; its audience keeps the calls that are up.
    pub state: SharedState,
    /// The way to the shards.
    pub orders: Orders,
    /// Dialouts that wait.
    pub dialouts: Arc<Dialouts>,
    /// Wakes whoever delivers callbacks.
    pub wake_deliverer: Box<dyn Fn() + Send + Sync>,
}

impl Process for Running {
    fn now(&self) -> UnixMillis {
        self.clock.unix_now()
    }

    fn live_calls(&self) -> Vec<LiveCall> {
        self.state.audience.live.all()
    }

    fn live_call(&self, call_sid: Sid) -> Option<LiveCall> {
        self.state.audience.live.one(call_sid)
    }

    fn live_media(&self, calls: Vec<Sid>) -> BoxFuture<'_, HashMap<Sid, [LegMedia; 2]>> {
        let told = |leg: &Figures| LegMedia { codec: leg.codec, figures: media_figures(leg) };
        Box::pin(async move {
            let heard = self.state.media.figures(&calls).await;
            heard.into_iter().map(|(call, legs)| (call, legs.each_ref().map(told))).collect()
        })
    }

    fn hang_up(&self, call_sid: Sid) {
        // Which shard has it is not known here; the others do not know the call.
        self.orders.give(&Input::HangUp(call_sid));
    }

    fn explain(&self, from: Option<Number>, to: Number) -> Explanation {
        explanation(&self.state, &self.clock, from, to)
    }

    fn dialouts_changed(&self) {
        self.dialouts.look();
    }

    fn deliveries_changed(&self) {
        (self.wake_deliverer)();
    }
}
