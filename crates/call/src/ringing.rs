//! Responses to leg B's INVITEs: ringing, early media, the answer, failures.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;
use mediator_model::Flow;
use mediator_sip::dialog::Side as Speaker;
use mediator_sip::dialog::{
    Carrier, DialogChange, ForkId, Meaning, ReliableReceiver, ReliableVerdict, Sdp, TooSmallRetry,
};
use mediator_sip::message::{Method, Response};
use mediator_sip::transaction::ClientKey;

use crate::branch::{Branch, CancelReason, Destination, Fork, Phase, Wanted};
use crate::call::Call;
use crate::cdr::Originator;
use crate::context::{ClientUse, Core, TimerKey};
use crate::dial::{PendingAnswer, endpoint_of};
use crate::io::Event;
use crate::leg::{Leg, Side};
use crate::request::{Body, EarlyDialog, Outbound};
use crate::sdp::sdp_of;
use crate::verdict::{Answer, Failure, caller_status};

impl Call {
    /// A response to a branch's INVITE.
    pub(crate) fn invite_response(
        &mut self,
        cx: &mut Core,
        id: u16,
        client: ClientKey,
        response: &Response,
    ) {
        let Some(at) = self.branches.iter().position(|branch| branch.id == id) else {
            return self.late_2xx(cx, client, response);
        };
        let Some(branch) = self.branches.get_mut(at) else { return };
        if let Phase::Calling { client, .. } = branch.phase
            && response.status() < 200
        {
            branch.phase = Phase::Proceeding { client };
        }
        if let Some(flow) = cx.layer.client_flow(client) {
            branch.flow = flow;
        }
        match (response.status(), branch.wanted) {
            (..200, Wanted::Cancel(reason)) => self.cancel_branch(cx, id, reason),
            (..200, Wanted::Cancelled) => {}
            (..200, Wanted::Yes) => self.provisional(cx, id, response),
            (200..300, Wanted::Yes) => self.answered(cx, id, response),
            (200..300, _) => self.refuse_answer(cx, id, response),
            (_, Wanted::Yes) => self.refused(cx, id, response),
            (_, _) => self.branches.retain(|branch| branch.id != id),
        }
    }

    /// A branch's transaction ended without a final response.
    pub(crate) fn invite_failed(&mut self, cx: &mut Core, id: u16, failure: Failure) {
        let Some(at) = self.branches.iter().position(|branch| branch.id == id) else { return };
        let branch = self.branches.swap_remove(at);
        self.note_dialled(&branch.call_id, failure.code());
        if branch.is_wanted() {
            let place = branch.destination.clone();
            self.after_failure(cx, &place, branch.more_flows, failure);
        }
    }

    // ---- provisional responses

    fn provisional(&mut self, cx: &mut Core, id: u16, response: &Response) {
        let Some(branch) = self.branches.iter_mut().find(|branch| branch.id == id) else { return };
        if response.status() == 100 {
            return;
        }
        let fork = match branch.dialogs.handle_response(response) {
            DialogChange::NewEarly(fork) => {
                branch.forks.push(Fork {
                    id: fork,
                    offer_answer: branch.offer_answer,
                    reliable: ReliableReceiver::new(),
                    owed_prack: None,
                    allows_update: response.allows(Method::Update) == Some(true),
                    said: None,
                });
                Some(fork)
            }
            DialogChange::Known(fork) => Some(fork),
            // Without a To tag there is no dialog, but it rings all the same.
            DialogChange::None => None,
            DialogChange::TooMany
            | DialogChange::Confirmed(_)
            | DialogChange::AnotherConfirmed(_)
            | DialogChange::Repeated2xx(_)
            | DialogChange::Unusable2xx(_) => return,
        };
        let Some(fork) = fork else {
            return self.tell_caller(cx, response.status(), None, None);
        };
        self.early(cx, EarlyDialog { branch: id, fork }, response);
    }

    /// A 1xx in an early dialog.
    fn early(&mut self, cx: &mut Core, early: EarlyDialog, response: &Response) {
        let Some(branch) = self.branches.iter_mut().find(|b| b.id == early.branch) else { return };
        let Some(fork) = branch.fork_mut(early.fork) else { return };
        if let Some(allows) = response.allows(Method::Update) {
            fork.allows_update = allows;
        }
        let (carrier, prack) = match fork.reliable.handle_response(response) {
            ReliableVerdict::Unreliable => (Carrier::UnreliableProvisional, None),
            ReliableVerdict::Acknowledge { rseq, cseq } => {
                (Carrier::ReliableProvisional, Some((rseq, cseq)))
            }
            ReliableVerdict::Duplicate | ReliableVerdict::Gap | ReliableVerdict::Faulty => return,
        };
        let sdp = sdp_of(response);
        let presence = if sdp.is_some() { Sdp::Present } else { Sdp::Absent };
        let meaning = fork.offer_answer.handle(Speaker::Remote, carrier, presence);
        let useful = matches!(meaning, Meaning::Answer | Meaning::Preview | Meaning::Offer);
        if useful {
            fork.said.clone_from(&sdp);
        }
        match (meaning, prack) {
            (Meaning::Offer, Some(owed)) => fork.owed_prack = Some(owed),
            (_, Some(acknowledged)) => self.send_prack(cx, early, acknowledged, None),
            (_, None) => {}
        }
        let sdp = if useful { sdp } else { None };
        let answer = sdp.clone().filter(|_| meaning != Meaning::Offer);
        self.tell_caller(cx, response.status(), Some((early, prack.is_some())), sdp);
        if let Some(answer) = answer
            && self.dial.as_ref().is_some_and(|dial| dial.speaking == Some(early))
        {
            let side = self.dialled_side();
            self.agreed(cx, side, &answer);
        }
    }

    /// Acknowledges a reliable 1xx (RFC 3262 §4).
    pub(crate) fn send_prack(
        &mut self,
        cx: &mut Core,
        early: EarlyDialog,
        (rseq, cseq): (u32, u32),
        body: Option<Body>,
    ) {
        let Some(branch) = self.branches.iter_mut().find(|b| b.id == early.branch) else { return };
        let (from, by_flow) = (branch.flow, branch.destination.by_flow);
        if let Some(fork) = branch.fork_mut(early.fork) {
            let sdp = if body.is_some() { Sdp::Present } else { Sdp::Absent };
            fork.offer_answer.handle(Speaker::Local, Carrier::PrackRequest, sdp);
        }
        let Some(dialog) = branch.dialogs.dialog_mut(early.fork) else { return };
        let flow = aim_stray(cx, dialog.next_hop(), from, by_flow);
        let rack = alloc::format!("{rseq} {cseq} INVITE");
        let prack = Outbound {
            body,
            extra: Some((mediator_sip::HeaderName::RAck, rack.into_boxed_str())),
            ..Outbound::new(Method::Prack)
        };
        let user = ClientUse::Prack { call: self.key, branch: early.branch };
        cx.request_in_dialog(dialog, flow, &prack, None, user);
    }

    // ---- the answer

    /// The first 2xx: this branch is leg B, or of a dialout that has none yet leg A.
    fn answered(&mut self, cx: &mut Core, id: u16, response: &Response) {
        let Some(branch) = self.branches.iter_mut().find(|branch| branch.id == id) else { return };
        let change = branch.dialogs.handle_response(response);
        let DialogChange::Confirmed(fork) = change else {
            // A 2xx whose Contact or routes cannot be read: it is ended as far as it can be reached.
            if let Some(at) = self.branches.iter().position(|branch| branch.id == id) {
                let mut branch = self.branches.swap_remove(at);
                end_dialog(cx, &mut branch, change, response);
            }
            let failure = Failure::Final { status: 502, retry_after: None, cause: None };
            return self.after_plain_failure(cx, failure);
        };
        self.cancel_branches(cx, Some(id), CancelReason::AnsweredElsewhere);
        let Some(at) = self.branches.iter().position(|branch| branch.id == id) else { return };
        let mut branch = self.branches.swap_remove(at);
        if let Some(dial) = &mut self.dial {
            self.holds.absorb(&mut dial.attempt_holds);
            let numbers = (dial.routed.shown.number(), dial.routed.target);
            self.is_dialled_leg(cx, &branch, numbers);
        }
        self.note_dialled(&branch.call_id, 200);
        let said = branch.fork_mut(fork).and_then(|fork| fork.said.take());
        let side = self.dialled_side();
        let Some(leg) = dialled_leg(cx, branch, fork, response) else { return };
        match side {
            Side::A => self.a = Some(leg),
            Side::B => self.b = Some(leg),
        }
        self.take_answer(cx, (side, id, fork), said, response);
    }

    /// ACKs a dialled leg's 2xx, or owes the ACK where the 2xx makes an offer, and passes the answer to the caller: its own,
    /// or what its dialog has `said` in a 1xx.
    fn take_answer(
        &mut self,
        cx: &mut Core,
        (side, branch, fork): (Side, u16, ForkId),
        said: Option<Bytes>,
        response: &Response,
    ) {
        let cseq = response.cseq().map_or(1, |cseq| cseq.number);
        let Some(leg) = self.leg_mut(side) else { return };
        let sdp = sdp_of(response);
        let presence = if sdp.is_some() { Sdp::Present } else { Sdp::Absent };
        let meaning = leg.offer_answer.handle(Speaker::Remote, Carrier::Final2xx, presence);
        let aim = leg.aim(cx);
        if let Some(name) = aim {
            self.resolve_leg(cx, side, name);
        }
        let body = match meaning {
            Meaning::Offer => {
                if let Some(leg) = self.leg_mut(side) {
                    leg.owed_ack = Some(cseq);
                }
                self.keep_late_offer(sdp.as_deref());
                sdp
            }
            Meaning::Answer => {
                self.send_ack(cx, side, cseq, None);
                sdp
            }
            Meaning::Nothing | Meaning::Repeat | Meaning::PreviewStands | Meaning::Preview => {
                self.send_ack(cx, side, cseq, None);
                said
            }
            Meaning::Refused(_) | Meaning::Violation(_) => {
                // A 2xx that owes SDP and has none: no session can come of it.
                self.send_ack(cx, side, cseq, None);
                self.bye(cx, side, None);
                return self.fail_caller(cx, Answer::plain(503), Originator::System);
            }
        };
        let dialog = EarlyDialog { branch, fork };
        self.hear_from(cx, Some(dialog));
        self.is_heard_in(side, dialog);
        if meaning != Meaning::Offer
            && self.dial.as_ref().is_some_and(|dial| dial.offer.is_some())
            && let Some(answer) = &body
        {
            self.agreed(cx, side, answer);
        }
        if let Some(dial) = &mut self.dial {
            let sdp = body.map(|sdp| Body::sdp(Arc::from(&*sdp)));
            dial.answer = Some(sdp.map_or(PendingAnswer::Bare, PendingAnswer::Sdp));
        }
        self.try_answer_caller(cx);
    }

    /// A 2xx that nobody wants: its CANCEL came too late (RFC 3261 §9.1, §15).
    fn refuse_answer(&mut self, cx: &mut Core, id: u16, response: &Response) {
        let Some(at) = self.branches.iter().position(|branch| branch.id == id) else { return };
        let mut branch = self.branches.swap_remove(at);
        let change = branch.dialogs.handle_response(response);
        end_dialog(cx, &mut branch, change, response);
    }

    /// A 2xx of a branch that is settled: leg B repeats itself, or another fork has answered too, or after a failure.
    pub(crate) fn late_2xx(&mut self, cx: &mut Core, client: ClientKey, response: &Response) {
        if !(200..300).contains(&response.status()) {
            return;
        }
        let cseq = response.cseq().map_or(1, |cseq| cseq.number);
        let tag = response.to().ok().and_then(|to| to.tag().map(Vec::from));
        let is_of = |leg: &&Leg| {
            response.call_id().is_ok_and(|id| id == leg.dialog.call_id())
                && tag.as_deref() == leg.dialog.remote_tag()
        };
        let Some(leg) = Side::BOTH.iter().filter_map(|side| self.leg(*side)).find(is_of) else {
            return cx.refuse_stray_2xx(client, response);
        };
        leg.acknowledge_again(cx, cseq);
    }

    // ---- failures

    /// A final response that is no 2xx.
    fn refused(&mut self, cx: &mut Core, id: u16, response: &Response) {
        if let Some(dial) = &mut self.dial {
            dial.verdict.heard = true;
        }
        match response.status() {
            401 | 407 if self.meet_invite_challenge(cx, id, response) => return,
            422 if self.lengthen_session(cx, id, response) => return,
            300..=399 if self.redirect(cx, id, response) => return,
            _ => {}
        }
        let failure = Failure::Final {
            status: response.status(),
            retry_after: response.retry_after().ok().flatten(),
            cause: response
                .reasons()
                .find(|reason| reason.protocol.eq_ignore_ascii_case("Q.850"))
                .and_then(|reason| reason.cause),
        };
        self.invite_failed(cx, id, failure);
    }

    fn meet_invite_challenge(&mut self, cx: &mut Core, id: u16, response: &Response) -> bool {
        let Some(branch) = self.branches.iter_mut().find(|branch| branch.id == id) else {
            return false;
        };
        let place = &branch.destination;
        let login = (place.endpoint_sid, place.login);
        let asked = (Method::Invite, &*place.uri);
        let met = cx.meet_challenge(response, login, asked, &mut branch.met);
        if met {
            self.resend_invite(cx, id);
        }
        met
    }

    fn lengthen_session(&mut self, cx: &mut Core, id: u16, response: &Response) -> bool {
        let Some(branch) = self.branches.iter_mut().find(|branch| branch.id == id) else {
            return false;
        };
        if branch.session.handle_too_small(response) == TooSmallRetry::GiveUp {
            return false;
        }
        branch.met.accepted();
        self.resend_invite(cx, id);
        true
    }

    /// Notes a failure before anything was sent.
    pub(crate) fn note_failure(&mut self, failure: Failure) {
        if let Some(dial) = &mut self.dial {
            match failure {
                Failure::Final { status, retry_after, cause } => {
                    dial.verdict.answered(Answer {
                        status: caller_status(status),
                        retry_after,
                        cause,
                    });
                }
                moved => dial.verdict.moved_on(moved),
            }
        }
    }

    /// Decides what a failed branch means for the call.
    pub(crate) fn after_failure(
        &mut self,
        cx: &mut Core,
        place: &Destination,
        mut more: VecDeque<Flow>,
        failure: Failure,
    ) {
        self.forget_dialogs();
        let Some(dial) = &mut self.dial else { return };
        let Some(group) = dial.directory.trunk_group(place.trunk.group) else { return };
        let moves_on = failure.moves_on(&group.failure);
        if moves_on {
            dial.verdict.moved_on(failure);
            if let Some(flow) = more.pop_front() {
                self.ring(cx, place.clone(), flow, more);
                return self.go_on(cx);
            }
            self.trunk_failed(cx, place, failure);
        } else if let Failure::Final { status, retry_after, cause } = failure {
            dial.verdict.answered(Answer { status: caller_status(status), retry_after, cause });
            if status >= 600 {
                // RFC 3261 §16.7 step 5: nobody else is to ring.
                self.cancel_branches(cx, None, CancelReason::CallerGone);
            }
        }
        self.go_on(cx);
    }

    /// The caller hears of no dialog whose branch is gone: the next one that speaks takes its place.
    pub(crate) fn forget_dialogs(&mut self) {
        if let Some(dial) = &mut self.dial {
            let branches = &self.branches;
            dial.speaking =
                dial.speaking.filter(|early| branches.iter().any(|b| b.id == early.branch));
        }
    }

    fn after_plain_failure(&mut self, cx: &mut Core, failure: Failure) {
        self.forget_dialogs();
        if let Some(dial) = &mut self.dial {
            dial.verdict.heard = true;
            dial.verdict.moved_on(failure);
        }
        self.go_on(cx);
    }

    /// Goes on after a failure: waits for what still rings, answers the caller, or tries the next place.
    pub(crate) fn go_on(&mut self, cx: &mut Core) {
        if self.branches.iter().any(Branch::is_wanted) {
            return;
        }
        if self.dial.as_ref().is_some_and(|dial| dial.verdict.has_answer()) {
            return self.fail_by_verdict(cx);
        }
        self.next_attempt(cx);
    }

    /// Tells that a trunk is left for the next one, and counts what its group calls hard towards its death: once
    /// in a call, for a trunk is not deader for having several addresses or phones.
    pub(crate) fn trunk_failed(&self, cx: &mut Core, place: &Destination, failure: Failure) {
        let Some(dial) = &self.dial else { return };
        let still_rings =
            |branch: &Branch| branch.is_wanted() && branch.destination.trunk_sid == place.trunk_sid;
        let goes_on = dial.routed.attempts.front().is_some_and(|next| next.trunk() == place.trunk);
        if goes_on || self.branches.iter().any(still_rings) {
            return;
        }
        let Some(group) = dial.directory.trunk_group(place.trunk.group) else { return };
        let (policy, trunk, code) = (&group.failure, place.trunk_sid, failure.code());
        cx.event(Event::TrunkFailed { call: self.sid, trunk, code });
        if !policy.hard_codes.contains(code) {
            return;
        }
        let health = cx.ports.admission.clone();
        let was_dead = health.is_dead(trunk, cx.now);
        let (threshold, cooldown) = (policy.hard_threshold, policy.hard_cooldown);
        health.hard_failure(trunk, threshold, policy.hard_interval, cooldown, cx.now);
        if !was_dead && health.is_dead(trunk, cx.now) {
            let number = cx.timed.number(trunk);
            cx.wheel.insert(cx.now + cooldown, TimerKey::Cooldown(number));
            cx.event(Event::TrunkHealth { trunk, alive: false });
        }
    }
}

/// The leg that the branch which has won becomes.
fn dialled_leg(
    cx: &mut Core,
    mut branch: Branch,
    fork: ForkId,
    response: &Response,
) -> Option<Leg> {
    let offer_answer = branch.fork_mut(fork).map(|fork| fork.offer_answer);
    let allows_update = branch.fork_mut(fork).is_some_and(|fork| fork.allows_update);
    let endpoint = endpoint_of(&branch);
    let by_flow = branch.destination.by_flow;
    let dialog = branch.dialogs.into_confirmed()?;
    let mut leg = Leg::new(dialog, branch.flow, endpoint, branch.sdp);
    leg.by_flow = by_flow;
    leg.login = branch.destination.login;
    if branch.met.headers().next().is_some() {
        let cseq = response.cseq().map_or(1, |cseq| cseq.number);
        leg.met = Some(Box::new((cseq, branch.met)));
    }
    leg.is_known = true;
    leg.offer_answer = offer_answer.unwrap_or(branch.offer_answer);
    leg.allows_update = allows_update;
    leg.learn_abilities(response);
    leg.session = branch.session;
    let agreed = leg.session.negotiate_uac(response, &branch.timer);
    leg.session.start(cx.now, agreed);
    Some(leg)
}

/// ACK and BYE for a 2xx of a branch that is not to win.
fn end_dialog(cx: &mut Core, branch: &mut Branch, change: DialogChange, response: &Response) {
    let (DialogChange::Confirmed(fork)
    | DialogChange::AnotherConfirmed(fork)
    | DialogChange::Unusable2xx(fork)) = change
    else {
        return;
    };
    let cseq = response.cseq().map_or(1, |cseq| cseq.number);
    let (from, by_flow) = (branch.flow, branch.destination.by_flow);
    if let Some(dialog) = branch.dialogs.dialog_mut(fork) {
        let flow = aim_stray(cx, dialog.next_hop(), from, by_flow);
        cx.acknowledge_and_bye(dialog, flow, cseq, Some(&branch.met));
    }
}

/// Where requests in a dialog that is no leg go: its route set or target where that is an address (RFC 3261
/// §12.2.1.1), else where its responses come from.
pub(crate) fn aim_stray(cx: &Core, next_hop: &[u8], from: Flow, by_flow: bool) -> Flow {
    match cx.hop_to(next_hop) {
        crate::context::Hop::Flow(flow) if !by_flow && flow.transport == from.transport => {
            Flow { connection: from.connection, ..flow }
        }
        _ => from,
    }
}
