//! What is told of a caller's call that begins: its record, and the event for the live call list.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use mediator_model::{Binding, EndpointIndex, Number, UnixMillis};

use crate::FlowKind;
use crate::cdr::{CallRecord, LegA, Originator};
use crate::context::Core;
use crate::dial::placeholder;
use crate::incoming::Accepted;
use crate::io::{CallStarted, Event, Output};
use crate::route::Routed;

/// What a record says of a call's flow.
pub(crate) struct FlowOf {
    kind: FlowKind,
    binding: Option<Arc<Binding>>,
    /// The mediator endpoint of the first binding; without one, the endpoint that is called.
    endpoint: Option<EndpointIndex>,
    number_dst: Number,
}

impl FlowOf {
    pub(crate) fn binding(binding: Arc<Binding>, account: EndpointIndex) -> Self {
        let number_dst = binding.destination_did;
        let (kind, endpoint) = (FlowKind::Binding, Some(account));
        Self { kind, binding: Some(binding), endpoint, number_dst }
    }

    pub(crate) fn routed(routed: &Routed) -> Self {
        if let (Some((binding, _)), Some(account)) = (&routed.binding, routed.accounts.first()) {
            return Self::binding(binding.clone(), *account);
        }
        let endpoint = routed.attempts.front().map(crate::route::Attempt::endpoint);
        Self { kind: routed.kind, binding: None, endpoint, number_dst: routed.target }
    }
}

/// The record of a call that begins; its end is not filled in.
pub(crate) fn new_record(core: &mut Core, accepted: &Accepted, flow: FlowOf) -> CallRecord {
    let Accepted { server, request, source, dialled, who, .. } = accepted;
    let directory = core.directory.clone();
    let sid = |index| directory.endpoint(index).map(|endpoint| endpoint.sid);
    CallRecord {
        call: core.dice.sid(),
        kind: flow.kind,
        binding: flow.binding,
        dialout: None,
        endpoint: flow.endpoint.and_then(sid),
        number_src: who.caller.told(),
        number_redirect: *dialled,
        number_dst: flow.number_dst,
        date_start: core.wall(),
        date_talk: None,
        date_stop: UnixMillis(0),
        sip_cause: 0,
        disconnect_originator: Originator::System,
        leg_a: LegA::Incoming {
            endpoint: sid(*source).unwrap_or_else(|| core.dice.sid()),
            call_id: String::from_utf8_lossy(request.call_id().unwrap_or_default()).into(),
            // A transaction that has lost its source is answered to nobody.
            flow: core.layer.server_source(*server).unwrap_or_else(placeholder),
            identity: who.asserted,
        },
        codec: None,
        figures: None,
        leg_b: None,
    }
}

/// Tells the driver of the call and its claims.
pub(crate) fn announce(core: &mut Core, record: &CallRecord, routed: &Routed) {
    let call = record.call;
    let binding = routed.binding.as_ref().map(|(binding, _)| binding);
    core.event(Event::CallStarted {
        call,
        started: Box::new(CallStarted {
            kind: record.kind,
            reference: binding.map(|binding| binding.sid),
            account: binding.and(record.endpoint),
            caller: match &record.leg_a {
                LegA::Incoming { endpoint, call_id, .. } => Some((*endpoint, call_id.clone())),
                LegA::Dialled(_) => None,
            },
            number_src: record.number_src,
            number_redirect: record.number_redirect,
            number_dst: record.number_dst,
            date_start: record.date_start,
        }),
    });
    for claim in &routed.claims {
        core.outputs.push_back(Output::StoreClaim { call, change: claim.clone() });
    }
}
