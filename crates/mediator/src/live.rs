//! The calls that are up, as the API lists them: fed by the shards' events, read by requests.
//!
//! An entry is there from the moment a call is routed until nothing of it is left; while BYEs and CANCELs are under
//! way it is `ending`. As many as the engines may hold: `Settings::max_calls` a shard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use mediator_api::ports::{CallState, LiveCall, LiveLeg};
use mediator_call::io::{CallStarted, Event};
use mediator_call::{FlowKind, Side};
use mediator_model::{Sid, UnixMillis};
use mediator_store::record::MediaFigures;

#[cfg(test)]
mod tests;

/// The calls that are up.
#[derive(Debug, Default)]
pub struct LiveCalls {
    /// Boxed, for up to half of the map's places are vacant.
    calls: DashMap<Sid, Box<Up>>,
    /// The place of the next call in the order of beginning.
    next: AtomicU64,
}

/// One of them, small: there are as many as calls.
#[derive(Debug)]
struct Up {
    place: u64,
    started: CallStarted,
    state: CallState,
    /// Of leg A and leg B.
    leg_states: [CallState; 2],
    date_talk: Option<UnixMillis>,
    codec: Option<&'static str>,
    /// Endpoint and Call-ID.
    leg_b: Option<(Sid, Arc<str>)>,
}

impl Up {
    /// The call and both its legs have this state.
    fn are(&mut self, state: CallState) {
        self.state = state;
        self.leg_states = [state; 2];
    }

    /// Whom we call rings: stage one of a dialout, else leg B, which its caller hears unless it is answered already.
    fn rings(&mut self) {
        self.state = CallState::Ringing;
        let is_dialout = self.started.kind == FlowKind::Dialout;
        for (leg, waits) in self.leg_states.iter_mut().zip([true, !is_dialout]) {
            if waits && *leg == CallState::Routing {
                *leg = CallState::Ringing;
            }
        }
    }
}

impl LiveCalls {
    /// Takes in a call that has begun.
    pub fn begin(&self, call: Sid, started: CallStarted) {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let state = CallState::Routing;
        let up = Up {
            place,
            started,
            state,
            leg_states: [state; 2],
            date_talk: None,
            codec: None,
            leg_b: None,
        };
        self.calls.insert(call, Box::new(up));
    }

    /// Takes in what became of a call; events of other things change nothing.
    pub fn note(&self, event: &Event) {
        match event {
            Event::LegDialled { call, side, endpoint, call_id } => self.change(*call, |up| {
                let leg = match side {
                    Side::A => &mut up.started.caller,
                    Side::B => &mut up.leg_b,
                };
                *leg = Some((*endpoint, call_id.clone()));
            }),
            Event::CallRinging { call } => self.change(*call, Up::rings),
            Event::StageTwoRinging { call } => {
                self.change(*call, |up| up.leg_states = [CallState::Answered, CallState::Ringing]);
            }
            Event::LegAUp { call } => {
                self.change(*call, |up| up.leg_states = [CallState::Answered, CallState::Routing]);
            }
            Event::CallAnswered { call, setup: _, date_talk, codec } => self.change(*call, |up| {
                up.are(CallState::Answered);
                up.date_talk = Some(*date_talk);
                up.codec = *codec;
            }),
            Event::CodecAgreed { call, codec } => self.change(*call, |up| up.codec = *codec),
            Event::CallEnded(record) => {
                self.change(record.call, |up| up.are(CallState::Ending));
            }
            Event::CallGone { call } => {
                self.calls.remove(call);
            }
            Event::CallStarted { .. }
            | Event::CallUnrouted(_)
            | Event::Dialled { .. }
            | Event::Registration { .. }
            | Event::TrunkFailed { .. }
            | Event::TrunkHealth { .. }
            | Event::Refused { .. }
            | Event::SoundFailed { .. }
            | Event::Bug { .. } => {}
        }
    }

    /// All of them, in the order in which they began.
    pub fn all(&self) -> Vec<LiveCall> {
        let shown = self.calls.iter().map(|entry| (entry.place, shown(*entry.key(), &entry)));
        let mut calls: Vec<(u64, LiveCall)> = shown.collect();
        calls.sort_unstable_by_key(|(place, _)| *place);
        calls.into_iter().map(|(_, call)| call).collect()
    }

    /// One of them.
    pub fn one(&self, call: Sid) -> Option<LiveCall> {
        self.calls.get(&call).map(|entry| shown(call, &entry))
    }

    /// The dialout that runs a call; `None`: none does.
    pub fn dialout_of(&self, call: Sid) -> Option<Sid> {
        let up = self.calls.get(&call)?;
        let started = &up.started;
        if started.kind == FlowKind::Dialout { started.reference } else { None }
    }

    fn change(&self, call: Sid, change: impl FnOnce(&mut Up)) {
        if let Some(mut up) = self.calls.get_mut(&call) {
            change(&mut up);
        }
    }
}

fn shown(call_sid: Sid, up: &Up) -> LiveCall {
    let CallStarted {
        kind,
        reference,
        account,
        caller,
        number_src,
        number_redirect,
        number_dst,
        date_start,
    } = &up.started;
    let [state_a, state_b] = up.leg_states;
    let leg = |leg: Option<&(Sid, Arc<str>)>, state| LiveLeg {
        endpoint_sid: leg.map(|(endpoint, _)| *endpoint),
        state,
        sip_call_id: leg.map(|(_, call_id)| (**call_id).into()),
        codec: up.codec.map(Into::into),
        media: MediaFigures::default(),
    };
    LiveCall {
        call_sid,
        account_sid: *account,
        kind: kind.as_str(),
        state: up.state,
        reference_sid: *reference,
        number_src: *number_src,
        number_redirect: *number_redirect,
        number_dst: Some(*number_dst),
        date_start: *date_start,
        date_talk: up.date_talk,
        leg_a: leg(caller.as_ref(), state_a),
        leg_b: up.leg_b.as_ref().map(|known| leg(Some(known), state_b)),
    }
}
