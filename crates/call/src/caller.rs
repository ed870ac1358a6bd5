//! What leg A hears until its final response: 1xx (reliable where it must be), 200, or a failure.

use alloc::boxed::Box;

use core::time::Duration;

use bytes::Bytes;
use mediator_model::Ringback;
use mediator_sip::HeaderName;
use mediator_sip::dialog::Side as Speaker;
use mediator_sip::dialog::{
    Carrier, Dialog, Meaning, OfferAnswer, ReliableEvent, ReliableSender, Retransmit2xx,
    RetransmitTimes, Sdp,
};
use mediator_sip::message::{Method, Request, Writer, reason_phrase, response_to};
use mediator_sip::transaction::ServerKey;

use crate::branch::CancelReason;
use crate::call::Call;
use crate::cdr::Originator;
use crate::context::{ALLOW, Core};
use crate::dial::{Caller100Rel, PendingAnswer, local_tag};
use crate::io::{ClaimOutcome, Event};
use crate::leg::{Side, Unacknowledged};
use crate::media::{Role, Uncrossed, codec_of, suits, way};
use crate::prelude::{REMINDER, Step};
use crate::request::{Body, EarlyDialog, write_session_expires};
use crate::sdp::sdp_of;
use crate::verdict::Answer;

/// Base times of retransmissions of this engine.
pub(crate) fn retransmit_times(cx: &Core) -> RetransmitTimes {
    RetransmitTimes { t1: cx.settings.timers.t1, t2: cx.settings.timers.t2 }
}

impl Call {
    // ---- provisional

    /// Passes a 1xx of leg B on, as the binding's ringback says (contract §2).
    ///
    /// `early` names the dialog that it came in and whether it came reliably.
    pub(crate) fn tell_caller(
        &mut self,
        cx: &mut Core,
        status: u16,
        early: Option<(EarlyDialog, bool)>,
        sdp: Option<Bytes>,
    ) {
        if self.dialout.is_some() {
            return self.stage_rings(cx, status, early.map(|(early, _)| early), sdp.as_ref());
        }
        if self.speaks_to(Side::A) {
            if status != 199 {
                self.ring_caller(cx, status, early.map(|(early, _)| early), sdp.as_ref());
            }
            return;
        }
        let Some(dial) = &self.dial else { return };
        let silent = dial.routed.ringback == Ringback::Silence;
        let (status, sdp) = match status {
            // RFC 6228: a fork has ended; of no use to the caller.
            199 => return,
            _ if silent => (183, None),
            // That it is diverted or queued there says who is behind the number.
            181 | 182 if dial.routed.ringback != Ringback::Passthrough => (180, sdp),
            _ => (status, sdp),
        };
        if let Some((early, _)) = early
            && (sdp.is_some() || dial.speaking.is_none())
        {
            self.hear_from(cx, Some(early));
        }
        let insists = self.dial.as_ref().is_some_and(|d| d.caller_100rel == Caller100Rel::Required);
        let supports = self.dial.as_ref().is_some_and(|d| d.caller_100rel != Caller100Rel::No);
        let came_reliably = early.is_some_and(|(_, reliable)| reliable);
        let reliably = insists || (supports && came_reliably && sdp.is_some());
        let body = sdp.and_then(|sdp| self.sdp_for_caller(cx, &sdp, reliably));
        self.send_provisional(cx, status, body.as_ref(), reliably);
        if let Some(dial) = &mut self.dial
            && dial.rang.replace(status).is_none()
        {
            cx.event(Event::CallRinging { call: self.sid });
        }
    }

    /// The caller hears of this dialog from now on. Where it has seen another dialog's SDP, it gets a new To
    /// tag, as from a fork of its own: answers of two dialogs must not meet in one (RFC 3261 §13.2.1).
    pub(crate) fn hear_from(&mut self, cx: &mut Core, early: Option<EarlyDialog>) {
        let Some(dial) = &mut self.dial else { return };
        // A caller whose SDP is ours hears of one dialog, whoever rings behind us.
        let is_ours = self.media.as_ref().is_some_and(|media| media.speaks_to(Side::A));
        let changed = dial.speaking != early && !is_ours;
        if changed
            && dial.sdp_shown
            && let (Some(invite), Some(a)) = (&self.invite, &mut self.a)
        {
            let tag = local_tag(self.key, None, cx.dice.next_u64());
            if let Ok(dialog) = Dialog::from_request(&invite.request, tag.as_bytes()) {
                a.dialog = dialog;
                a.is_known = false;
                // What waits for PRACK in the old dialog is of no use any more.
                self.reliable = None;
            }
            let mut fresh = OfferAnswer::new();
            let offered = if dial.offer.is_some() { Sdp::Present } else { Sdp::Absent };
            fresh.handle(Speaker::Remote, Carrier::InviteRequest, offered);
            a.offer_answer = fresh;
            dial.sdp_shown = false;
            dial.last_provisional = None;
        }
        dial.speaking = early;
    }

    /// Leg B's SDP as the caller may see it in a 1xx now; `None` where it must see none.
    fn sdp_for_caller(&mut self, cx: &mut Core, sdp: &[u8], reliably: bool) -> Option<Body> {
        let carrier =
            if reliably { Carrier::ReliableProvisional } else { Carrier::UnreliableProvisional };
        let end = self.our_end(Side::A);
        let a = self.a.as_mut()?;
        let meaning = a.offer_answer.meaning(Speaker::Local, carrier, Sdp::Present);
        if !matches!(meaning, Meaning::Offer | Meaning::Answer | Meaning::Preview) {
            return None;
        }
        let way = way(cx, end, &a.flow)?;
        let offer = self.dial.as_ref().and_then(|dial| dial.offer.as_deref());
        let body = a.sdp.cross(sdp, Role::to(offer), way).ok().map(Body::sdp)?;
        self.agreed_with_caller(cx);
        Some(body)
    }

    /// The caller has our answer to the offer of its INVITE.
    fn agreed_with_caller(&mut self, cx: &mut Core) {
        if self.media.is_some()
            && let Some(offer) = self.dial.as_ref().and_then(|dial| dial.offer.clone())
        {
            self.agreed(cx, Side::A, &offer);
        }
    }

    pub(crate) fn send_provisional(
        &mut self,
        cx: &mut Core,
        status: u16,
        body: Option<&Body>,
        reliably: bool,
    ) {
        let Some(dial) = &mut self.dial else { return };
        let this = (status, body.is_some());
        if dial.last_provisional == Some(this) && body.is_none() {
            return;
        }
        dial.last_provisional = Some(this);
        dial.remind_at = Some(cx.now + REMINDER);
        dial.sdp_shown |= body.is_some();
        let Some(invite) = &self.invite else { return };
        let server = invite.server;
        if reliably {
            self.send_reliable(cx, status, body);
        } else if let Some(bytes) = self.write_to_caller(cx, status, body, |_| {}) {
            let sdp = presence(body);
            if let Some(a) = &mut self.a {
                a.offer_answer.handle(Speaker::Local, Carrier::UnreliableProvisional, sdp);
            }
            cx.layer.respond(cx.now, server, status, bytes);
        }
    }

    /// Sends a reliable 1xx, or lets it wait for the PRACK of the one before: SDP counts when it leaves.
    fn send_reliable(&mut self, cx: &mut Core, status: u16, body: Option<&Body>) {
        let Some(invite) = &self.invite else { return };
        let (server, cseq) = (invite.server, invite.request.cseq().map_or(1, |cseq| cseq.number));
        let dice = cx.dice.next_u64() as u32;
        let times = retransmit_times(cx);
        let sender =
            self.reliable.get_or_insert_with(|| Box::new(ReliableSender::new(cseq, dice, times)));
        let rseq = sender.next_rseq();
        let bytes = self.write_to_caller(cx, status, body, |writer| {
            writer.header(HeaderName::Require, "100rel");
            writer.header_fmt(HeaderName::RSeq, format_args!("{rseq}"));
        });
        let (Some(bytes), Some(sender), Some(a)) = (bytes, &mut self.reliable, &mut self.a) else {
            return;
        };
        // A full queue: the caller hears enough as it is.
        if let Ok(Some(bytes)) = sender.send(cx.now, bytes, presence(body)) {
            let carrier = Carrier::ReliableProvisional;
            a.offer_answer.handle(Speaker::Local, carrier, presence(body));
            cx.layer.respond(cx.now, server, status, bytes);
        }
    }

    /// Writes a response to the caller's INVITE that makes or keeps a dialog (RFC 3261 §12.1.1).
    fn write_to_caller(
        &self,
        cx: &Core,
        status: u16,
        body: Option<&Body>,
        more: impl FnOnce(&mut Writer),
    ) -> Option<Bytes> {
        let invite = self.invite.as_ref()?;
        let flow = cx.layer.server_flow(invite.server)?;
        let tag = core::str::from_utf8(self.a.as_ref()?.dialog.local_tag()).ok()?;
        let mut writer =
            response_to(&invite.request, flow.remote, status, reason_phrase(status), Some(tag));
        if status < 300 {
            for route in invite.request.lines(HeaderName::RecordRoute) {
                writer.header(HeaderName::RecordRoute, route);
            }
            cx.write_contact(&mut writer, &flow);
            writer.header(HeaderName::Allow, ALLOW);
        }
        more(&mut writer);
        Some(writer.finish(Body::parts(body)))
    }

    pub(crate) fn run_reliable_deadline(&mut self, cx: &mut Core) {
        let Some(sender) = &mut self.reliable else { return };
        if sender.next_deadline().is_none_or(|due| due > cx.now) {
            return;
        }
        match sender.handle_deadline(cx.now) {
            ReliableEvent::None => {}
            ReliableEvent::Resend(bytes) => {
                if let Some(invite) = &self.invite {
                    cx.layer.respond(cx.now, invite.server, 183, bytes);
                }
            }
            ReliableEvent::GaveUp => {
                self.reliable = None;
                if self.invite.is_some() {
                    self.drop_leg_b(cx);
                    self.fail_caller(cx, Answer::plain(504), Originator::System);
                }
            }
        }
    }

    /// A PRACK of the caller.
    pub(crate) fn caller_prack(&mut self, cx: &mut Core, server: ServerKey, request: Request) {
        let (Some(sender), Some(a)) = (&mut self.reliable, &mut self.a) else {
            return cx.refuse(server, &request, 481);
        };
        let acknowledged = match sender.handle_prack(cx.now, &request) {
            Ok(acknowledged) => acknowledged,
            Err(fault) => {
                return cx.refuse_with(server, &request, fault.status(), fault.phrase(), |_| {});
            }
        };
        let sdp = sdp_of(&request);
        let presence = if sdp.is_some() { Sdp::Present } else { Sdp::Absent };
        match (a.offer_answer.handle(Speaker::Remote, Carrier::PrackRequest, presence), sdp) {
            (Meaning::Offer, Some(sdp)) => self.relay_offer(cx, Side::A, (server, request), &sdp),
            (Meaning::Answer, Some(sdp)) => {
                self.answer_prack(cx, server, &request);
                self.answer_early_offer(cx, &sdp);
            }
            (Meaning::Refused(refusal), _) => cx.refuse(server, &request, refusal.status()),
            (Meaning::Violation(_), None) => {
                // It owes the answer to an offer: nothing else will bring one (RFC 3262 §5).
                self.answer_prack(cx, server, &request);
                self.our_offer_answered(cx, None);
            }
            _ => self.answer_prack(cx, server, &request),
        }
        if let (Some(bytes), Some(invite), Some(a)) = (acknowledged.next, &self.invite, &mut self.a)
        {
            let (carrier, sdp) = (Carrier::ReliableProvisional, acknowledged.next_sdp);
            a.offer_answer.handle(Speaker::Local, carrier, sdp);
            cx.layer.respond(cx.now, invite.server, 183, bytes);
        }
        if self.reliable.as_ref().is_some_and(|sender| sender.is_idle()) && self.invite.is_none() {
            self.reliable = None;
        }
        self.try_answer_caller(cx);
    }

    fn answer_prack(&mut self, cx: &mut Core, server: ServerKey, request: &Request) {
        if let Some(a) = &mut self.a {
            a.offer_answer.handle(Speaker::Local, Carrier::Prack2xx, Sdp::Absent);
        }
        cx.refuse(server, request, 200);
    }

    /// The caller's answer to an offer that leg B made in a reliable 1xx: it goes into the PRACK.
    fn answer_early_offer(&mut self, cx: &mut Core, sdp: &[u8]) {
        if self.our_offer_answered(cx, Some(sdp)) {
            return;
        }
        let end = self.our_end(Side::B);
        let Some(early) = self.dial.as_ref().and_then(|dial| dial.speaking) else { return };
        let Some(branch) = self.branches.iter_mut().find(|b| b.id == early.branch) else { return };
        let Some(way) = way(cx, end, &branch.flow) else { return };
        let offer = branch.fork_mut(early.fork).and_then(|fork| fork.said.clone());
        let body = branch.sdp.cross(sdp, Role::to(offer.as_deref()), way).ok().map(Body::sdp);
        if let Some(record) = &mut self.record {
            record.codec = branch.sdp.codec();
        }
        let owed = branch.fork_mut(early.fork).and_then(|fork| fork.owed_prack.take());
        if let (Some(_), Some(offer)) = (&body, offer) {
            self.agreed(cx, Side::A, sdp);
            self.agreed(cx, Side::B, &offer);
        }
        if let Some(owed) = owed {
            self.send_prack(cx, early, owed, body);
        }
    }

    // ---- final

    /// Sends the caller's 200 once leg B has answered, claims are stored and reliable SDP has arrived.
    pub(crate) fn try_answer_caller(&mut self, cx: &mut Core) {
        let holds = self.reliable.as_ref().is_some_and(|sender| sender.holds_2xx());
        let Some(dial) = &mut self.dial else { return };
        if dial.claims_pending > 0 || holds {
            return;
        }
        let Some(answer) = dial.answer.take() else { return };
        let sdp = match answer {
            PendingAnswer::Sdp(body) => Some(body),
            PendingAnswer::Bare => None,
        };
        self.answer_caller(cx, sdp);
    }

    fn answer_caller(&mut self, cx: &mut Core, theirs: Option<Body>) {
        if self.dialout.is_some() {
            return self.stage_answered(cx, theirs);
        }
        let Ok(theirs) = self.behind_our_sdp(theirs) else {
            self.bye(cx, Side::B, None);
            return self.fail_caller(cx, Answer::plain(488), Originator::System);
        };
        if self.invite.is_some() {
            let Ok(body) = self.final_sdp(cx, theirs) else {
                self.bye(cx, Side::B, None);
                return self.fail_caller(cx, Answer::plain(488), Originator::System);
            };
            self.send_200(cx, body.as_ref());
            if self.invite.is_some() {
                return;
            }
        }
        let Some(dial) = self.dial.take() else { return };
        let setup: Duration = cx.now.saturating_since(dial.began);
        self.join(cx, setup);
        self.realign(cx);
    }

    /// Of leg B's SDP nothing reaches a caller whose SDP is ours; an error where the two have nothing in common.
    fn behind_our_sdp(&mut self, theirs: Option<Body>) -> Result<Option<Body>, Uncrossed> {
        if !self.speaks_to(Side::A) {
            return Ok(theirs);
        }
        let offer = self.dial.as_ref().and_then(|dial| dial.offer.as_deref());
        let (Some(answer), Some(offer), Some(end)) = (&theirs, offer, self.our_end(Side::A)) else {
            return Ok(None);
        };
        if !suits(&answer.bytes, offer, end)? {
            self.realign_later(&answer.bytes);
        }
        if let Some(codec) = codec_of(&answer.bytes)
            && let Some(record) = &mut self.record
        {
            record.codec = Some(codec);
        }
        Ok(None)
    }

    /// The caller's 200: it is connected, with leg B or with us.
    pub(crate) fn send_200(&mut self, cx: &mut Core, body: Option<&Body>) {
        let Some(invite) = &self.invite else { return };
        let server = invite.server;
        let cseq = invite.request.cseq().map_or(1, |cseq| cseq.number);
        let sdp = if body.is_some() { Sdp::Present } else { Sdp::Absent };
        let Some(a) = &mut self.a else { return };
        a.offer_answer.handle(Speaker::Local, Carrier::Final2xx, sdp);
        let agreed = a.agreed.take();
        let bytes = self.write_to_caller(cx, 200, body, |writer| {
            writer.header(HeaderName::Supported, "timer");
            if let Some(agreed) = &agreed {
                write_session_expires(writer, agreed.session_expires());
                if agreed.requires_timer() {
                    writer.header(HeaderName::Require, "timer");
                }
            }
        });
        let Some(bytes) = bytes else { return };
        cx.layer.respond(cx.now, server, 200, bytes.clone());
        let Some(a) = &mut self.a else { return };
        a.dialog.confirm();
        if let Some(agreed) = agreed {
            a.session.start(cx.now, agreed);
        }
        let retransmit = Retransmit2xx::new(cx.now, cseq, bytes, retransmit_times(cx));
        a.unacknowledged = Some(Box::new(Unacknowledged { server, retransmit }));
        if let Some(sender) = &mut self.reliable {
            sender.finish();
            if sender.is_idle() {
                self.reliable = None;
            }
        }
        self.invite = None;
    }

    /// The SDP of the caller's 200: leg B's answer or late offer, or what was shown before.
    fn final_sdp(&mut self, cx: &mut Core, theirs: Option<Body>) -> Result<Option<Body>, ()> {
        let end = self.our_end(Side::A);
        let a = self.a.as_mut().ok_or(())?;
        let meaning = a.offer_answer.meaning(Speaker::Local, Carrier::Final2xx, Sdp::Present);
        if !matches!(meaning, Meaning::Answer | Meaning::Offer) {
            return Ok(None);
        }
        let way = way(cx, end, &a.flow).ok_or(())?;
        match theirs {
            Some(body) => {
                let offer = self.dial.as_ref().and_then(|dial| dial.offer.as_deref());
                let sdp = a.sdp.cross(&body.bytes, Role::to(offer), way).map_err(|_| ())?;
                self.agreed_with_caller(cx);
                Ok(Some(Body::sdp(sdp)))
            }
            // An answer that came reliably, or as a preview, ahead of the 2xx.
            None => match a.sdp.last().cloned() {
                Some(sdp) => Ok(Some(Body::sdp(sdp))),
                None => Err(()),
            },
        }
    }

    /// Nobody answered in time (contract §2).
    pub(crate) fn give_up_ringing(&mut self, cx: &mut Core) {
        if self.dial.as_ref().is_some_and(|dial| matches!(dial.step, Step::Farewell { .. })) {
            return self.farewell_over(cx);
        }
        self.drop_leg_b(cx);
        let answer = Answer { status: 480, retry_after: None, cause: Some(19) };
        self.fail_caller(cx, answer, Originator::System);
    }

    /// The caller's invitation has expired before it got a final response: as if it had cancelled (RFC 3261 §13.3.1).
    pub(crate) fn run_expiry(&mut self, cx: &mut Core) {
        let Some(dial) = &mut self.dial else { return };
        if dial.expires_at.take_if(|at| *at <= cx.now).is_some() {
            self.caller_cancelled(cx);
        }
    }

    /// No attempt is left. A caller whose claim is not durable yet waits for it, as for a 200.
    pub(crate) fn fail_by_verdict(&mut self, cx: &mut Core) {
        let Some(dial) = &mut self.dial else { return };
        dial.failed = true;
        if dial.claims_pending > 0 {
            return;
        }
        let answer = dial.verdict.answer();
        let originator =
            if dial.verdict.heard { Originator::Destination } else { Originator::System };
        self.fail_caller(cx, answer, originator);
    }

    /// Cancels what rings and ends what has answered.
    pub(crate) fn drop_leg_b(&mut self, cx: &mut Core) {
        self.cancel_branches(cx, None, CancelReason::CallerGone);
        self.bye(cx, Side::B, None);
    }

    /// The caller's final response is a failure.
    pub(crate) fn fail_caller(&mut self, cx: &mut Core, answer: Answer, originator: Originator) {
        if self.dialout.is_some() {
            return self.stage_failed(cx, answer, originator);
        }
        if let Some(invite) = &self.invite {
            let server = invite.server;
            let bytes = self.write_to_caller(cx, answer.status, None, |writer| {
                if let Some(seconds) = answer.retry_after {
                    writer.header_fmt(HeaderName::RetryAfter, format_args!("{seconds}"));
                }
                if let Some(cause) = answer.cause {
                    writer.header_fmt(HeaderName::Reason, format_args!("Q.850;cause={cause}"));
                }
            });
            if let Some(bytes) = bytes {
                cx.layer.respond(cx.now, server, answer.status, bytes);
            }
            self.invite = None;
        } else if self.is_answered_alone() {
            return self.bid_farewell(cx, answer, originator);
        }
        self.end(cx, originator, answer.status);
    }

    /// The caller's CANCEL (RFC 3261 §9.2). The CANCEL itself has been answered.
    pub(crate) fn caller_cancelled(&mut self, cx: &mut Core) {
        if self.invite.is_some() {
            self.drop_leg_b(cx);
            self.fail_caller(cx, Answer::plain(487), Originator::Source);
        }
    }

    /// A claim on the way here is stored, or is not.
    pub(crate) fn claim_stored(&mut self, cx: &mut Core, outcome: ClaimOutcome) {
        match outcome {
            ClaimOutcome::Durable => self.claim_is_durable(cx),
            ClaimOutcome::Lost => self.fail_unclaimed(cx, 480),
            ClaimOutcome::Failed => self.fail_unclaimed(cx, 503),
        }
    }

    fn claim_is_durable(&mut self, cx: &mut Core) {
        if let Some(dial) = &mut self.dial {
            dial.claims_pending = dial.claims_pending.saturating_sub(1);
            if dial.claims_pending == 0 && dial.step == Step::Claims {
                return self.begin(cx);
            }
        }
        if self.dial.as_ref().is_some_and(|dial| dial.failed) {
            return self.fail_by_verdict(cx);
        }
        self.try_answer_caller(cx);
    }

    fn fail_unclaimed(&mut self, cx: &mut Core, status: u16) {
        if self.dial.is_some() {
            self.drop_leg_b(cx);
            self.fail_caller(cx, Answer::plain(status), Originator::System);
        }
    }
}

const fn presence(body: Option<&Body>) -> Sdp {
    if body.is_some() { Sdp::Present } else { Sdp::Absent }
}

/// A message's method as logs and answers name it.
pub(crate) const fn is_supported(method: Method) -> bool {
    matches!(
        method,
        Method::Invite
            | Method::Ack
            | Method::Cancel
            | Method::Bye
            | Method::Options
            | Method::Info
            | Method::Prack
            | Method::Update
    )
}
