//! Both legs once they are confirmed: ACK, BYE, refreshes, and requests that wait for a name.

use alloc::boxed::Box;

use mediator_model::Flow;
use mediator_sip::dialog::Side as Speaker;
use mediator_sip::dialog::{Carrier, Meaning, Retransmission, Sdp, TimerEvent};
use mediator_sip::message::{Method, Request};

use crate::branch::Wanted;
use crate::call::Call;
use crate::cdr::Originator;
use crate::context::{ClientUse, Core, Hop, Resolving};
use crate::leg::Side;
use crate::media::{Role, way};
use crate::request::{Body, Intent, Met, Outbound, Outgoing, Queued};
use crate::ringing::aim_stray;
use crate::sdp::sdp_of;

/// When a refresh that failed for another reason than a glare is tried again.
const REFRESH_RETRY: core::time::Duration = core::time::Duration::from_secs(10);

impl Call {
    // ---- sending

    /// Sends a request in a leg's dialog, or keeps it until the leg's target is resolved.
    pub(crate) fn request(&mut self, cx: &mut Core, side: Side, request: Outbound, intent: Intent) {
        self.request_with(cx, side, (request, None), intent);
    }

    fn request_with(
        &mut self,
        cx: &mut Core,
        side: Side,
        (request, met): (Outbound, Option<Met>),
        intent: Intent,
    ) {
        let user = ClientUse::InDialog { call: self.key, side };
        let authenticated = met.is_some();
        let sent = if let Some(leg) = self.leg_mut(side) {
            if leg.resolving {
                leg.wait(Queued::Request(request, intent));
                return;
            }
            let flow = leg.flow;
            cx.request_in_dialog(&mut leg.dialog, flow, &request, met.as_ref(), user)
        } else {
            // A dialled leg before its answer: the early dialog that the caller hears of.
            let Some(early) = self.dial.as_ref().and_then(|dial| dial.speaking) else { return };
            let Some(branch) = self.branches.iter_mut().find(|b| b.id == early.branch) else {
                return;
            };
            let (from, by_flow) = (branch.flow, branch.destination.by_flow);
            let Some(dialog) = branch.dialogs.dialog_mut(early.fork) else { return };
            let flow = aim_stray(cx, dialog.next_hop(), from, by_flow);
            cx.request_in_dialog(dialog, flow, &request, met.as_ref(), user)
        };
        let (client, cseq) = sent;
        if let (Method::Invite, Some(met), Some(leg)) = (request.method, met, self.leg_mut(side)) {
            leg.met = Some(Box::new((cseq, met)));
        }
        let (until, wanted) = (cx.now + cx.settings.ring_timeout, Wanted::Yes);
        let outgoing =
            Outgoing { client, side, request, cseq, authenticated, intent, until, wanted };
        self.outgoing.push(outgoing);
    }

    /// Sends a request once more with credentials; `false`: we have none.
    pub(crate) fn request_again(&mut self, cx: &mut Core, outgoing: Outgoing, met: Option<Met>) {
        let Outgoing { side, request, intent, .. } = outgoing;
        self.request_with(cx, side, (request, met), intent);
    }

    /// ACKs a 2xx of a leg's peer.
    pub(crate) fn send_ack(&mut self, cx: &mut Core, side: Side, cseq: u32, body: Option<Body>) {
        let Some(leg) = self.leg_mut(side) else { return };
        leg.owed_ack = None;
        let sdp = if body.is_some() { Sdp::Present } else { Sdp::Absent };
        leg.offer_answer.handle(Speaker::Local, Carrier::Ack, sdp);
        if leg.resolving {
            leg.wait(Queued::Ack { cseq, body });
            return;
        }
        leg.acknowledge(cx, cseq, body);
    }

    /// Asks for a leg's address; its requests wait.
    pub(crate) fn resolve_leg(&mut self, cx: &mut Core, side: Side, name: Hop) {
        if !cx.resolve(name, Resolving::Leg { call: self.key, side }) {
            self.leg_resolved(cx, side, None);
        }
    }

    /// The resolver's answer for a leg; without one its requests go where its messages come from.
    pub(crate) fn leg_resolved(&mut self, cx: &mut Core, side: Side, flow: Option<Flow>) {
        let Some(leg) = self.leg_mut(side) else { return };
        leg.resolving = false;
        if let Some(flow) = flow {
            leg.aim_at(flow);
        }
        for queued in leg.take_queue() {
            match queued {
                Queued::Ack { cseq, body } => {
                    let Some(leg) = self.leg_mut(side) else { return };
                    leg.acknowledge(cx, cseq, body);
                }
                Queued::Request(request, intent) => self.request(cx, side, request, intent),
            }
        }
    }

    // ---- ending

    /// Sends BYE on a leg that is confirmed; on one whose 2xx is not acknowledged yet, after its ACK (RFC 3261 §15).
    pub(crate) fn bye(&mut self, cx: &mut Core, side: Side, reason: Option<&str>) {
        let Some(leg) = self.leg_mut(side) else { return };
        if !leg.dialog.is_confirmed() {
            return;
        }
        let owed = leg.owed_ack.take();
        let waits = leg.unacknowledged.is_some();
        if let Some(cseq) = owed {
            self.send_ack(cx, side, cseq, None);
        }
        if self.bye_sent(side) {
            return;
        }
        if waits {
            if let Some(leg) = self.leg_mut(side) {
                leg.bye_after_ack = true;
            }
            return;
        }
        self.request(cx, side, Outbound::bye(reason), Intent::Bye);
    }

    fn bye_sent(&self, side: Side) -> bool {
        self.outgoing.iter().any(|sent| sent.side == side && matches!(sent.intent, Intent::Bye))
    }

    /// Ends the call from our side, in whatever stage it is.
    pub(crate) fn hang_up(&mut self, cx: &mut Core, originator: Originator, reason: Option<&str>) {
        if self.is_ending() {
            return;
        }
        self.refuse_relayed(cx);
        if self.dialout.is_some() {
            return self.end_dialout(cx, (originator, 480), reason);
        }
        if self.invite.is_some() {
            self.drop_leg_b(cx);
            return self.fail_caller(cx, crate::verdict::Answer::plain(480), originator);
        }
        if self.dial.is_some() {
            self.drop_leg_b(cx);
        }
        self.bye(cx, Side::A, reason);
        self.bye(cx, Side::B, reason);
        let status = if self.dial.is_some() { 480 } else { 200 };
        self.end(cx, originator, status);
    }

    /// Requests of peers that wait for the other side get 487 when the call ends (RFC 3261 §15.1.2), and re-INVITEs
    /// of ours are cancelled.
    pub(crate) fn refuse_relayed(&mut self, cx: &mut Core) {
        for outgoing in &mut self.outgoing {
            outgoing.cancel(cx);
            if let Intent::Relay(relayed) = &outgoing.intent {
                cx.refuse(relayed.server, &relayed.request, 487);
                outgoing.intent = Intent::Settled;
            }
        }
    }

    // ---- receiving

    /// An ACK on a leg: the 2xx has arrived, and with it maybe the answer to a late offer.
    pub(crate) fn acked(&mut self, cx: &mut Core, side: Side, request: &Request) {
        let Ok(cseq) = request.cseq().map(|cseq| cseq.number) else { return };
        let Some(leg) = self.leg_mut(side) else { return };
        let waited = leg
            .unacknowledged
            .as_ref()
            .is_some_and(|waiting| waiting.retransmit.is_acknowledged_by(cseq));
        if !waited {
            return;
        }
        leg.is_known = true;
        leg.unacknowledged = None;
        let sdp = sdp_of(request);
        let presence = if sdp.is_some() { Sdp::Present } else { Sdp::Absent };
        let meaning = leg.offer_answer.handle(Speaker::Remote, Carrier::Ack, presence);
        if side == Side::A && self.our_offer_answered(cx, sdp.as_deref()) {
            return self.bye_if_due(cx, side);
        }
        let is_to_us = self.leg(side.other()).is_none_or(|other| other.owed_ack.is_none());
        if let (Meaning::Answer, true, Some(sdp)) = (meaning, is_to_us, &sdp) {
            self.answered_us(cx, side, sdp);
        }
        self.pass_ack(cx, side.other(), sdp.as_deref());
        if side == Side::A {
            self.realign(cx);
        }
        self.bye_if_due(cx, side);
    }

    /// Passes the answer to a late offer on: the other side's 2xx has waited for it.
    fn pass_ack(&mut self, cx: &mut Core, side: Side, sdp: Option<&[u8]>) {
        let end = self.our_end(side);
        let Some(cseq) = self.leg(side).and_then(|leg| leg.owed_ack) else { return };
        let offer = self.take_late_offer();
        let Some(leg) = self.leg_mut(side) else { return };
        let way = way(cx, end, &leg.flow);
        let body = match (sdp, way) {
            (Some(sdp), Some(way)) => {
                leg.sdp.cross(sdp, Role::to(offer.as_deref()), way).ok().map(Body::sdp)
            }
            _ => None,
        };
        let answered = body.is_some();
        if let (true, Some(sdp), Some(offer)) = (answered, sdp, offer) {
            self.agreed(cx, side.other(), sdp);
            self.agreed(cx, side, &offer);
            self.agreed_across();
        }
        self.send_ack(cx, side, cseq, body);
        if answered {
            self.note_codec(cx, side);
        } else {
            // No answer to the offer, so no session.
            self.hang_up(
                cx,
                Originator::System,
                Some("SIP;cause=488;text=\"No answer to the offer\""),
            );
        }
    }

    fn bye_if_due(&mut self, cx: &mut Core, side: Side) {
        let Some(leg) = self.leg_mut(side) else { return };
        if core::mem::take(&mut leg.bye_after_ack) {
            self.request(cx, side, Outbound::bye(None), Intent::Bye);
        }
    }

    // ---- time

    /// Cancels re-INVITEs that were answered by nothing but 1xx for as long as a call may ring.
    pub(crate) fn run_outgoing_deadlines(&mut self, cx: &mut Core) {
        let now = cx.now;
        for sent in &mut self.outgoing {
            if sent.deadline().is_some_and(|until| until <= now) {
                sent.cancel(cx);
            }
        }
    }

    pub(crate) fn run_leg_deadlines(&mut self, cx: &mut Core, side: Side) {
        self.run_2xx_deadline(cx, side);
        let now = cx.now;
        let Some(leg) = self.leg_mut(side) else { return };
        leg.forget_acks(now);
        if leg.session.next_deadline().is_none_or(|due| due > now) {
            return;
        }
        match leg.session.handle_deadline(now) {
            TimerEvent::None => {}
            TimerEvent::Refresh => self.refresh(cx, side),
            TimerEvent::Expired => {
                self.hang_up(
                    cx,
                    Originator::System,
                    Some("SIP;cause=408;text=\"Session timer expired\""),
                );
            }
        }
    }

    fn run_2xx_deadline(&mut self, cx: &mut Core, side: Side) {
        let now = cx.now;
        let Some(leg) = self.leg_mut(side) else { return };
        let Some(waiting) = &mut leg.unacknowledged else { return };
        if waiting.retransmit.next_deadline() > now {
            return;
        }
        match waiting.retransmit.handle_deadline(now) {
            Retransmission::None => {}
            Retransmission::Resend => {
                let (server, bytes) = (waiting.server, waiting.retransmit.bytes().clone());
                cx.layer.respond(now, server, 200, bytes);
            }
            Retransmission::GaveUp => {
                leg.unacknowledged = None;
                // An ACK that never came: the session ends (RFC 3261 §13.3.1.4).
                self.bye_if_due(cx, side);
                self.hang_up(cx, Originator::System, Some("SIP;cause=408;text=\"ACK missing\""));
            }
        }
    }

    /// Refreshes a leg's session (RFC 4028 §7.2): UPDATE where the peer takes it, else a re-INVITE that changes nothing.
    pub(crate) fn refresh(&mut self, cx: &mut Core, side: Side) {
        let now = cx.now;
        let Some(leg) = self.leg_mut(side) else { return };
        let timer = Some(leg.timer_offer(cx));
        let (method, sdp) = match (leg.allows_update, leg.sdp.last()) {
            (false, Some(sdp)) => (Method::Invite, Some(sdp.clone())),
            (true, _) | (false, None) => (Method::Update, None),
        };
        let (carrier, presence) = match sdp {
            Some(_) => (Carrier::InviteRequest, Sdp::Present),
            None => (Carrier::UpdateRequest, Sdp::Absent),
        };
        // One at a time, of UPDATE too (RFC 3311 §5.1).
        if let Meaning::Refused(_) = leg.offer_answer.handle(Speaker::Local, carrier, presence) {
            return leg.session.refresh_failed(now, REFRESH_RETRY);
        }
        let request = Outbound { body: sdp.map(Body::sdp), timer, ..Outbound::new(method) };
        self.request(cx, side, request, Intent::Refresh);
    }

    /// What a leg's session does after a refresh that failed without ending it.
    pub(crate) fn refresh_later(&mut self, cx: &mut Core, side: Side, status: u16) {
        let dice = cx.dice.next_u64() as u32;
        let now = cx.now;
        let Some(leg) = self.leg_mut(side) else { return };
        let wait = if status == 491 {
            mediator_sip::dialog::glare_backoff(leg.dialog.call_id_owner(), dice)
        } else {
            REFRESH_RETRY
        };
        leg.session.refresh_failed(now, wait);
    }
}
