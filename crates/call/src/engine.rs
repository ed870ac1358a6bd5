//! The engine: one shard's calls as a value (messages, commands and `now` in; messages, events and the next
//! deadline out). Single-threaded; what shards share is behind [`Ports`](crate::io::Ports).

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::Bytes;
use hashbrown::{HashMap, HashSet};
use mediator_model::{Flow, Instant, Sid};
use mediator_sip::dialog::Side as Speaker;
use mediator_sip::dialog::{Carrier, Sdp};
use mediator_sip::message::{
    Message, Method, Request, Response, check_request, check_response, reason_phrase, response_to,
};
use mediator_sip::transaction::{ClientKey, Output as LayerOutput, Received, ServerKey};
use mediator_sip::{Fault, HeaderName};
use slotmap::SlotMap;

use crate::call::{Call, CallKey};
use crate::cdr::Originator;
use crate::context::{ALLOW, ClientUse, Core, Resolving, TimerKey};
use crate::counters::Counters;
use crate::dial::read_tag;
use crate::incoming::{refuse_busy, unsupported};
use crate::ingress::Proof;
use crate::io::{EngineSetup, Event, Input, Output};
use crate::leg::Side;
use crate::probe::Probes;
use crate::relay::refuse_method;
use crate::request::EarlyDialog;
use crate::verdict::Failure;

/// Wheel entries taken at a time, so that outputs do not pile up.
const MAX_EXPIRED_AT_ONCE: usize = 1024;

/// One shard's calls.
pub struct Engine {
    pub(crate) core: Core,
    pub(crate) calls: SlotMap<CallKey, Option<Box<Call>>>,
    /// Callers' INVITEs that wait for a final response: for their CANCEL.
    pub(crate) invites: HashMap<ServerKey, CallKey>,
    pub(crate) sids: HashMap<Sid, CallKey>,
    pub(crate) probes: Probes,
    /// The call that acts; still there after a panic, see [`Engine::abandon`].
    pub(crate) acting: Option<CallKey>,
    /// Calls that met a panic and are being ended.
    pub(crate) defective: HashSet<CallKey>,
}

impl Engine {
    /// An engine without calls.
    pub fn new(setup: EngineSetup) -> Self {
        let mut engine = Self {
            core: Core::new(setup),
            calls: SlotMap::with_key(),
            invites: HashMap::new(),
            sids: HashMap::new(),
            probes: Probes::default(),
            acting: None,
            defective: HashSet::new(),
        };
        engine.plan_probes();
        engine
    }

    /// Takes in what happened at `now`, which never goes back.
    pub fn handle(&mut self, now: Instant, input: Input) {
        self.core.now = now;
        match input {
            Input::Message { flow, bytes } => self.message(flow, bytes),
            Input::SendFailed { client } => self.core.layer.transport_failed(now, client),
            Input::ConnectionClosed(connection) => {
                self.core.layer.connection_closed(now, connection);
                self.core.ports.locations.connection_closed(connection);
            }
            Input::Resolved { id, candidates } => {
                if let Some(waiting) = self.core.resolving.remove(&id) {
                    self.resolved(waiting, &candidates);
                }
            }
            Input::ClaimStored { call, outcome } => {
                self.with_sid(call, |call, core| call.claim_stored(core, outcome));
            }
            Input::Media(event) => {
                self.with_sid(event.call(), |call, core| call.media_event(core, &event));
            }
            Input::Dial(dialout) => self.dial_out(dialout),
            Input::Directory(directory) => {
                let before = core::mem::replace(&mut self.core.directory, directory);
                self.core.forget_registrations(&before);
                self.plan_probes();
            }
            Input::Settings(settings) => self.core.settings = settings,
            Input::Epoch(epoch) => self.core.set_epoch(epoch),
            Input::Drain => self.core.draining = true,
            Input::HangUpAll => self.hang_up_all(),
            Input::HangUp(call) => {
                self.with_sid(call, |call, core| call.hang_up(core, Originator::System, None));
            }
        }
        self.run_layer();
    }

    /// Runs what is due at `now`.
    pub fn handle_deadline(&mut self, now: Instant) {
        self.core.now = now;
        self.core.layer.handle_deadline(now);
        self.run_layer();
        for _ in 0..MAX_EXPIRED_AT_ONCE {
            let Some(key) = self.core.wheel.expire(now) else { break };
            match key {
                TimerKey::Call(key) => self.call_due(key),
                TimerKey::Probe(probe) => self.probe_due(probe),
                TimerKey::Cooldown(trunk) => self.core.cooldown_over(trunk),
            }
        }
        self.run_layer();
    }

    /// When [`Self::handle_deadline`] wants to be called; maybe early, never late.
    pub fn next_deadline(&self) -> Option<Instant> {
        let wheel = self.core.wheel.next_deadline();
        [self.core.layer.next_deadline(), wheel].into_iter().flatten().min()
    }

    /// The next thing to carry out, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.core.outputs.pop_front()
    }

    /// What is counted for metrics.
    pub fn counters(&self) -> Arc<Counters> {
        self.core.counters.clone()
    }

    /// Calls that are not gone yet, those included that only wait for transactions to end.
    pub fn live_calls(&self) -> usize {
        self.calls.len()
    }

    /// Transactions that are not over yet.
    pub fn live_transactions(&self) -> usize {
        self.core.layer.live().total()
    }

    // ---- messages

    fn message(&mut self, flow: Flow, bytes: Bytes) {
        let is_banned = self.core.is_banned(&flow);
        let message = match Message::parse(bytes) {
            Ok(message) if is_banned && !self.goes_on(&message) => {
                return self.core.counters.silenced.add_one();
            }
            Ok(message) => message,
            Err(_) if is_banned => return self.core.counters.silenced.add_one(),
            Err(error) => {
                if let Some(broken) = error.answerable() {
                    self.core.counters.malformed.add_one();
                    let tag = self.core.stray_tag();
                    let bytes = broken.answer(flow.remote, &tag);
                    self.core.send(flow, bytes);
                } else {
                    self.core.counters.garbage.add_one();
                }
                return;
            }
        };
        match &message {
            Message::Request(request) => {
                self.core.counters.requests_in.add_one();
                if let Err(fault) = check_request(request) {
                    return self.refuse_malformed(flow, request, fault);
                }
            }
            Message::Response(response) => {
                self.core.counters.responses_in.add_one();
                if check_response(response).is_err() {
                    self.core.counters.malformed.add_one();
                    return;
                }
            }
        }
        let received = self.core.layer.receive(self.core.now, message, flow);
        self.received(received, flow);
    }

    /// Whether a message belongs to what was begun before its source was banned: calls go on, and the ACK of the last
    /// refusal is let in, lest the refusal is repeated for half a minute.
    fn goes_on(&self, message: &Message) -> bool {
        match message {
            Message::Request(request) => {
                request.method() == Method::Ack || self.find_dialog(request).is_some()
            }
            Message::Response(_) => true,
        }
    }

    fn refuse_malformed(&mut self, flow: Flow, request: &Request, fault: Fault) {
        self.core.counters.malformed.add_one();
        // An answer without a Via is no SIP: nobody could match it (RFC 3261 §8.2.6.2).
        if request.method() == Method::Ack || request.first(HeaderName::Via).is_none() {
            return;
        }
        let tag = self.core.stray_tag();
        let mut writer = response_to(request, flow.remote, fault.status, fault.phrase, Some(&tag));
        if matches!(fault.status, 405 | 501) {
            writer.header(HeaderName::Allow, ALLOW);
        }
        let bytes = writer.finish(None);
        self.core.send(flow, bytes);
    }

    fn received(&mut self, received: Received<ClientUse>, flow: Flow) {
        match received {
            Received::Request { server, request } => self.request(server, request),
            Received::Cancel { server, request, invite } => self.cancel(server, &request, invite),
            Received::Ack { request } => self.ack(&request),
            Received::Response { client, user, response } => self.response(client, user, &response),
            Received::Late2xx { client, user, response } => self.late_2xx(client, user, &response),
            Received::Stray(_) | Received::Foreign(_) => {
                self.core.counters.stray_responses.add_one();
            }
            Received::Absorbed => {}
            Received::Overloaded { request } => {
                let phrase = reason_phrase(503);
                let tag = self.core.stray_tag();
                let mut writer = response_to(&request, flow.remote, 503, phrase, Some(&tag));
                writer.header(HeaderName::RetryAfter, "5");
                let bytes = writer.finish(None);
                self.core.send(flow, bytes);
            }
            Received::Unreadable(message) => {
                if let Message::Request(request) = message {
                    let fault = Fault { status: 400, phrase: "Malformed Via" };
                    self.refuse_malformed(flow, &request, fault);
                }
            }
        }
    }

    fn request(&mut self, server: ServerKey, request: Request) {
        if request.to_tag().ok().flatten().is_some() {
            return self.request_in_dialog(server, request);
        }
        match request.method() {
            Method::Invite => self.incoming_invite(server, request),
            Method::Register => self.core.register(server, &request),
            Method::Options => self.options(server, &request),
            // Inside dialogs only (RFC 3261 §15.1.2, RFC 3262 §3, RFC 3311 §5.2, RFC 6086 §4.2.2).
            Method::Bye | Method::Prack | Method::Update | Method::Info => {
                self.core.refuse_stray(server, &request);
            }
            other => {
                if self.core.identify(server, &request, Proof::AddressOrDigest).is_some() {
                    refuse_method(&mut self.core, server, &request, other);
                }
            }
        }
    }

    fn options(&mut self, server: ServerKey, request: &Request) {
        if self.core.identify(server, request, Proof::AddressOrDigest).is_none()
            || unsupported(&mut self.core, server, request)
        {
            return;
        }
        if self.core.draining {
            return refuse_busy(&mut self.core, server, request, 5, "draining");
        }
        self.core.refuse_with(server, request, 200, "OK", |writer| {
            writer.header(HeaderName::Allow, ALLOW);
            writer.header(HeaderName::Accept, "application/sdp");
            writer.header(HeaderName::Supported, "100rel, timer");
        });
    }

    fn request_in_dialog(&mut self, server: ServerKey, request: Request) {
        let Some((key, side)) = self.find_dialog(&request) else {
            return self.core.refuse_stray(server, &request);
        };
        if unsupported(&mut self.core, server, &request) {
            return;
        }
        let mut refused = None;
        let mut request = Some(request);
        self.with_call(key, |call, core| {
            let Some(request) = request.take() else { return };
            match call.take_in(side, &request) {
                Ok(()) => call.in_dialog(core, side, server, request),
                Err(fault) => refused = Some((fault, request)),
            }
        });
        if let Some((fault, request)) = refused {
            self.core.refuse_with(server, &request, fault.status(), fault.phrase(), |_| {});
        }
    }

    /// The call and side whose dialog a request names (RFC 3261 §12.2.2).
    fn find_dialog(&self, request: &Request) -> Option<(CallKey, Side)> {
        let key = read_tag(request.to_tag().ok().flatten()?)?;
        Some((key, self.call(key)?.side_of(request)?))
    }

    fn ack(&mut self, request: &Request) {
        if let Some((key, side)) = self.find_dialog(request) {
            self.with_call(key, |call, core| call.acked(core, side, request));
        }
    }

    fn cancel(&mut self, server: ServerKey, request: &Request, invite: Option<ServerKey>) {
        let Some(invite) = invite else { return self.core.refuse_stray(server, request) };
        self.core.refuse(server, request, 200);
        if let Some(key) = self.invites.get(&invite).copied() {
            return self.with_call(key, Call::caller_cancelled);
        }
        if let Some((key, _)) = self.find_dialog(request) {
            self.with_call(key, |call, core| call.reinvite_cancelled(core, invite));
        }
    }

    fn response(&mut self, client: ClientKey, user: ClientUse, response: &Response) {
        match user {
            ClientUse::Invite { call, .. } if self.call(call).is_none() => {
                if (200..300).contains(&response.status()) {
                    self.core.refuse_stray_2xx(client, response);
                }
            }
            ClientUse::Invite { call, branch } => {
                self.with_call(call, |call, core| {
                    call.invite_response(core, branch, client, response);
                });
            }
            ClientUse::InDialog { call, side } => {
                self.with_call(call, |call, core| call.response(core, side, client, response));
            }
            ClientUse::Prack { call, branch } => {
                self.with_call(call, |call, _| call.prack_answered(branch, response));
            }
            ClientUse::Orphan => {}
            ClientUse::Probe(probe) => self.probe_answered(probe, response.status()),
        }
    }

    /// A 2xx that comes when its INVITE has failed: its dialog is ended, or acknowledged where it is a leg's.
    fn late_2xx(&mut self, client: ClientKey, user: ClientUse, response: &Response) {
        match user {
            ClientUse::Invite { call, .. } if self.call(call).is_some() => {
                self.with_call(call, |call, core| call.late_2xx(core, client, response));
            }
            ClientUse::Invite { .. } => self.core.refuse_stray_2xx(client, response),
            ClientUse::InDialog { call, side } => {
                self.with_call(call, |call, core| call.late_2xx_in_dialog(core, side, response));
            }
            ClientUse::Prack { .. } | ClientUse::Orphan | ClientUse::Probe(_) => {}
        }
    }

    // ---- what the transaction layer tells

    pub(crate) fn run_layer(&mut self) {
        while let Some(output) = self.core.layer.poll_output() {
            match output {
                LayerOutput::Send { flow, bytes, client } => {
                    self.core.outputs.push_back(Output::Send { flow, bytes, client });
                }
                LayerOutput::TimedOut { client, user } => {
                    self.lost(client, user, Failure::Timeout);
                }
                LayerOutput::TransportFailed { client, user } => {
                    self.lost(client, user, Failure::Unreachable);
                }
                // The peer of a failed request is gone; nothing is owed (RFC 3261 §17.2.1, Timer H).
                LayerOutput::AckMissing { .. } | LayerOutput::Unanswered { .. } => {}
            }
        }
        let counters = self.core.layer.counters();
        let again = counters.requests_resent + counters.responses_resent + counters.acks_resent;
        self.core.counters.retransmissions.set(again);
        self.core.counters.transactions_live.set(self.core.layer.live().total() as u64);
        self.core.counters.calls_held.set(self.calls.len() as u64);
    }

    fn lost(&mut self, client: ClientKey, user: ClientUse, failure: Failure) {
        match user {
            ClientUse::Invite { call, branch } => {
                self.with_call(call, |call, core| call.invite_failed(core, branch, failure));
            }
            ClientUse::InDialog { call, .. } => {
                let status = failure.code();
                self.with_call(call, |call, core| call.request_lost(core, client, status));
            }
            ClientUse::Prack { .. } | ClientUse::Orphan => {}
            ClientUse::Probe(probe) => self.probe_answered(probe, failure.code()),
        }
    }

    fn resolved(
        &mut self,
        waiting: Resolving,
        candidates: &[(mediator_model::Transport, core::net::SocketAddr)],
    ) {
        let flows: smallvec::SmallVec<[Flow; 4]> = candidates
            .iter()
            .filter_map(|&(transport, remote)| self.core.flow_to(transport, remote))
            .collect();
        match waiting {
            Resolving::Branch { call, branch } => {
                self.with_call(call, |call, core| call.branch_resolved(core, branch, &flows));
            }
            Resolving::Leg { call, side } => {
                let first = flows.first().copied();
                self.with_call(call, |call, core| call.leg_resolved(core, side, first));
            }
            Resolving::Probe(probe) => self.probe_resolved(probe, flows.first().copied()),
        }
    }

    // ---- calls

    pub(crate) fn call(&self, key: CallKey) -> Option<&Call> {
        self.calls.get(key)?.as_deref()
    }

    /// Lets a call act, then arms its timer, or lets go of it where nothing is left to do.
    pub(crate) fn with_call(&mut self, key: CallKey, act: impl FnOnce(&mut Call, &mut Core)) {
        let Some(Some(call)) = self.calls.get_mut(key) else { return };
        let invite = call.invite.as_ref().map(|invite| invite.server);
        self.acting = Some(key);
        act(call, &mut self.core);
        self.acting = None;
        if call.invite.is_none()
            && let Some(server) = invite
        {
            self.invites.remove(&server);
        }
        if call.is_gone() {
            let sid = call.sid;
            self.core.wheel.arm(&mut call.timer, None, TimerKey::Call(key));
            self.calls.remove(key);
            self.sids.remove(&sid);
            self.defective.remove(&key);
            self.core.event(Event::CallGone { call: sid });
            return;
        }
        let due = call.next_deadline();
        self.core.wheel.arm(&mut call.timer, due, TimerKey::Call(key));
    }

    fn with_sid(&mut self, sid: Sid, act: impl FnOnce(&mut Call, &mut Core)) {
        if let Some(key) = self.sids.get(&sid).copied() {
            self.with_call(key, act);
        }
    }

    fn call_due(&mut self, key: CallKey) {
        self.with_call(key, Call::handle_deadline);
    }

    fn hang_up_all(&mut self) {
        let keys: alloc::vec::Vec<CallKey> = self.calls.keys().collect();
        for key in keys {
            self.with_call(key, |call, core| call.hang_up(core, Originator::System, None));
        }
    }
}

impl Call {
    /// The side whose dialog a request names: a leg's, or an early one of the side that is dialled.
    fn side_of(&self, request: &Request) -> Option<Side> {
        let is_of =
            |side: &Side| self.leg(*side).is_some_and(|leg| leg.dialog.is_target_of(request));
        let early = || {
            let side = self.dialled_side();
            (self.leg(side).is_none() && self.early_of(request).is_some()).then_some(side)
        };
        Side::BOTH.into_iter().find(is_of).or_else(early)
    }

    /// The early dialog of the dialled side that a request names, heard by the caller or not.
    pub(crate) fn early_of(&self, request: &Request) -> Option<EarlyDialog> {
        self.branches.iter().find_map(|branch| {
            let (fork, _) =
                branch.dialogs.iter().find(|(_, dialog)| dialog.is_target_of(request))?;
            Some(EarlyDialog { branch: branch.id, fork })
        })
    }

    /// Takes a request into its dialog: CSeq in order (RFC 3261 §12.2.2).
    pub(crate) fn take_in(
        &mut self,
        side: Side,
        request: &Request,
    ) -> Result<(), mediator_sip::dialog::DialogFault> {
        if let Some(leg) = self.leg_mut(side) {
            leg.is_known = true;
            return leg.dialog.handle_request(request);
        }
        let Some(early) = self.early_of(request) else { return Ok(()) };
        self.branches
            .iter_mut()
            .find(|branch| branch.id == early.branch)
            .and_then(|branch| branch.dialogs.dialog_mut(early.fork))
            .map_or(Ok(()), |dialog| dialog.handle_request(request))
    }

    /// The answer to our PRACK.
    pub(crate) fn prack_answered(&mut self, branch: u16, response: &Response) {
        if !(200..300).contains(&response.status()) {
            return;
        }
        let speaking = self.dial.as_ref().and_then(|dial| dial.speaking);
        if let Some(early) = speaking.filter(|early| early.branch == branch)
            && let Some(branch) = self.branches.iter_mut().find(|b| b.id == branch)
            && let Some(fork) = branch.fork_mut(early.fork)
        {
            fork.offer_answer.handle(Speaker::Remote, Carrier::Prack2xx, Sdp::Absent);
        }
    }
}
