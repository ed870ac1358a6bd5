//! Answers to requests of ours inside dialogs, and what they mean for the call.

use alloc::boxed::Box;

use mediator_sip::HeaderName;
use mediator_sip::dialog::Side as Speaker;
use mediator_sip::dialog::{Carrier, Meaning, Retransmit2xx, Sdp, TooSmallRetry};
use mediator_sip::message::{Method, Request, Response, reason_phrase, response_to};
use mediator_sip::transaction::ClientKey;

use crate::branch::Wanted;
use crate::call::Call;
use crate::caller::retransmit_times;
use crate::cdr::Originator;
use crate::context::{ALLOW, Core};
use crate::leg::{Side, Unacknowledged};
use crate::media::Role;
use crate::relay::offer_in;
use crate::request::{Body, Intent, Met, Outgoing, Relayed, write_session_expires};
use crate::sdp::sdp_of;

impl Call {
    /// A response to a request of ours in a dialog.
    pub(crate) fn response(
        &mut self,
        cx: &mut Core,
        side: Side,
        client: ClientKey,
        response: &Response,
    ) {
        let Some(at) = self.outgoing.iter().position(|sent| sent.client == client) else {
            return self.repeated_2xx(cx, side, response);
        };
        if response.status() < 200 {
            if let Some(sent) = self.outgoing.get_mut(at)
                && matches!(sent.wanted, Wanted::Cancel(_))
            {
                sent.cancel(cx);
            }
            return;
        }
        let sent = self.outgoing.swap_remove(at);
        if response.status() < 300 {
            self.succeeded(cx, sent, response);
        } else {
            self.refused_in_dialog(cx, sent, response);
        }
    }

    /// A re-INVITE's 2xx came again: its ACK was lost.
    fn repeated_2xx(&mut self, cx: &mut Core, side: Side, response: &Response) {
        let Ok(cseq) = response.cseq() else { return };
        if cseq.method != Method::Invite || !(200..300).contains(&response.status()) {
            return;
        }
        let Some(leg) = self.leg(side) else { return };
        leg.acknowledge_again(cx, cseq.number);
    }

    /// A 2xx to a re-INVITE that has failed: the session stays as it was, but its sender waits for the ACK.
    pub(crate) fn late_2xx_in_dialog(&mut self, cx: &mut Core, side: Side, response: &Response) {
        let Ok(cseq) = response.cseq() else { return };
        let Some(leg) = self.leg_mut(side) else { return };
        if !leg.acknowledge_again(cx, cseq.number) {
            leg.acknowledge(cx, cseq.number, None);
        }
    }

    // ---- 2xx

    fn succeeded(&mut self, cx: &mut Core, sent: Outgoing, response: &Response) {
        let side = sent.side;
        let is_invite = sent.request.method == Method::Invite;
        let refreshes = is_invite || sent.request.method == Method::Update;
        let sdp = sdp_of(response);
        let meaning = self.note_2xx(cx, &sent, response, sdp.is_some());
        if refreshes && let Some(leg) = self.leg_mut(side) {
            leg.learn_abilities(response);
            if leg.dialog.refresh_target(response) == Ok(true)
                && let Some(name) = leg.aim(cx)
            {
                self.resolve_leg(cx, side, name);
            }
        }
        if is_invite {
            // The dialog of a BYE that has crossed still wants its ACK.
            if meaning == Meaning::Offer && matches!(sent.intent, Intent::Relay(_)) {
                if let Some(leg) = self.leg_mut(side) {
                    leg.owed_ack = Some(sent.cseq);
                }
                self.keep_late_offer(sdp.as_deref());
            } else {
                self.send_ack(cx, side, sent.cseq, None);
            }
        }
        match sent.intent {
            Intent::Bye | Intent::Settled => {}
            Intent::Refresh | Intent::Align(_) => {
                // It may have moved its media, or chosen anew among what we had agreed on.
                if let (Meaning::Answer, Some(sdp)) = (meaning, &sdp) {
                    self.agreed(cx, side, sdp);
                }
            }
            Intent::Relay(relayed) => self.relay_succeeded(cx, &relayed, meaning, sdp.as_deref()),
        }
    }

    /// Takes a 2xx in: the offer/answer state and the session timer of its leg.
    fn note_2xx(
        &mut self,
        cx: &Core,
        sent: &Outgoing,
        response: &Response,
        has_sdp: bool,
    ) -> Meaning {
        let carrier = match sent.request.method {
            Method::Invite => Carrier::Final2xx,
            Method::Update => Carrier::Update2xx,
            _ => return Meaning::Nothing,
        };
        let now = cx.now;
        if let (Some(leg), Some(timer)) = (self.leg_mut(sent.side), &sent.request.timer) {
            let agreed = leg.session.negotiate_uac(response, timer);
            leg.session.start(now, agreed);
        }
        let sdp = if has_sdp { Sdp::Present } else { Sdp::Absent };
        self.talker(cx, sent.side).map_or(Meaning::Nothing, |talker| {
            if sent.request.body.is_some() {
                talker.sdp.settle();
            }
            talker.offer_answer.handle(Speaker::Remote, carrier, sdp)
        })
    }

    fn relay_succeeded(
        &mut self,
        cx: &mut Core,
        relayed: &Relayed,
        meaning: Meaning,
        sdp: Option<&[u8]>,
    ) {
        if relayed.request.method() == Method::Info {
            return cx.refuse(relayed.server, &relayed.request, 200);
        }
        if matches!(meaning, Meaning::Violation(_)) {
            // Accepted without the SDP that it owes: there is no session that the peer could be told of.
            self.relay_failed(cx, relayed, 488, None);
            return;
        }
        // Without an offer in the request, the SDP is the peer's offer.
        let offer = sdp_of(&relayed.request);
        let way = self.talker(cx, relayed.from).and_then(|talker| talker.way);
        let body = match (sdp, way) {
            (Some(sdp), Some(way)) => {
                let role = Role::to(offer.as_deref());
                let crossed =
                    self.talker(cx, relayed.from).map(|talker| talker.sdp.cross(sdp, role, way));
                match crossed {
                    Some(Ok(sdp)) => Some(Body::sdp(sdp)),
                    _ => return self.answer_lost(cx, relayed),
                }
            }
            _ => None,
        };
        if let (Some(answer), Some(_), Some(offer)) = (sdp, &body, &offer) {
            self.agreed(cx, relayed.from.other(), answer);
            self.agreed(cx, relayed.from, offer);
            self.agreed_across();
        }
        let carrier = match relayed.request.method() {
            Method::Invite => Carrier::Final2xx,
            Method::Prack => Carrier::Prack2xx,
            _ => Carrier::Update2xx,
        };
        let presence = if body.is_some() { Sdp::Present } else { Sdp::Absent };
        let mut answers = false;
        if let Some(talker) = self.talker(cx, relayed.from) {
            let said = talker.offer_answer.handle(Speaker::Local, carrier, presence);
            answers = said == Meaning::Answer;
        }
        if answers {
            self.note_codec(cx, relayed.from);
        }
        self.answer_relayed(cx, relayed, body.as_ref());
    }

    /// A peer has accepted with SDP that cannot cross: the two sides are in different sessions, and there is none to
    /// go back to.
    fn answer_lost(&mut self, cx: &mut Core, relayed: &Relayed) {
        self.relay_failed(cx, relayed, 488, None);
        if self.is_talking() {
            let reason = "SIP;cause=488;text=\"SDP cannot be used\"";
            self.hang_up(cx, Originator::System, Some(reason));
        }
    }

    /// Answers a peer's re-INVITE, UPDATE or PRACK with 200.
    pub(crate) fn answer_relayed(&mut self, cx: &mut Core, relayed: &Relayed, body: Option<&Body>) {
        let Relayed { from, server, request } = relayed;
        let Some(flow) = cx.layer.server_flow(*server) else { return };
        let method = request.method();
        let now = cx.now;
        let mut writer = response_to(request, flow.remote, 200, reason_phrase(200), None);
        if method != Method::Prack {
            cx.write_contact(&mut writer, &flow);
            writer.header(HeaderName::Allow, ALLOW);
            writer.header(HeaderName::Supported, "timer");
            if let Some(leg) = self.leg_mut(*from)
                && leg.dialog.is_confirmed()
                && let Some(agreed) = leg.agreed.take()
            {
                write_session_expires(&mut writer, agreed.session_expires());
                if agreed.requires_timer() {
                    writer.header(HeaderName::Require, "timer");
                }
                leg.session.start(now, agreed);
            }
        }
        let bytes = writer.finish(Body::parts(body));
        cx.layer.respond(now, *server, 200, bytes.clone());
        if method == Method::Invite
            && let Some(leg) = self.leg_mut(*from)
        {
            let cseq = request.cseq().map_or(0, |cseq| cseq.number);
            let retransmit = Retransmit2xx::new(now, cseq, bytes, retransmit_times(cx));
            leg.unacknowledged = Some(Box::new(Unacknowledged { server: *server, retransmit }));
        }
        if method != Method::Prack {
            self.refresh_target(cx, *from, request);
        }
        self.try_answer_caller(cx);
    }

    /// A peer's request moves the target of its dialog (RFC 3261 §12.2.2), also of one that is early.
    fn refresh_target(&mut self, cx: &mut Core, side: Side, request: &Request) {
        if let Some(leg) = self.leg_mut(side) {
            if leg.dialog.refresh_target(request) == Ok(true)
                && let Some(name) = leg.aim(cx)
            {
                self.resolve_leg(cx, side, name);
            }
        } else if let Some(early) = self.dial.as_ref().and_then(|dial| dial.speaking)
            && let Some(branch) = self.branches.iter_mut().find(|b| b.id == early.branch)
            && let Some(dialog) = branch.dialogs.dialog_mut(early.fork)
        {
            // A Contact that cannot be used leaves the target as it was.
            let _ = dialog.refresh_target(request);
        }
    }

    // ---- failures

    fn refused_in_dialog(&mut self, cx: &mut Core, sent: Outgoing, response: &Response) {
        let status = response.status();
        self.note_failed(cx, &sent);
        if matches!(status, 401 | 407)
            && !sent.authenticated
            && self.authenticate(cx, &sent, response)
        {
            return self.retry(cx, sent, response);
        }
        if status == 422 && sent.request.timer.is_some() && self.raise_interval(sent.side, response)
        {
            return self.retry(cx, sent, response);
        }
        if matches!(sent.intent, Intent::Refresh) && self.refresh_refused(cx, &sent, response) {
            return;
        }
        let retry_after = response.retry_after().ok().flatten();
        self.failed_in_dialog(cx, sent, status, retry_after);
    }

    /// A peer that refuses a refresh for good is there all the same: the session goes on, watched by us alone. One
    /// that takes no UPDATE is asked by re-INVITE. `false`: it is to be tried again, or the dialog is gone.
    fn refresh_refused(&mut self, cx: &mut Core, sent: &Outgoing, response: &Response) -> bool {
        let now = cx.now;
        let (Some(leg), Some(timer)) = (self.leg_mut(sent.side), &sent.request.timer) else {
            return false;
        };
        match response.status() {
            405 | 501 if sent.request.method == Method::Update && leg.sdp.last().is_some() => {
                leg.allows_update = false;
                self.refresh(cx, sent.side);
            }
            408 | 481 | 491 | 500 | 503 => return false,
            _ => {
                let agreed = leg.session.negotiate_uac(response, timer);
                leg.session.start(now, agreed);
            }
        }
        true
    }

    /// A request of ours in a dialog got no final response: 408, or 503 where it could not be sent.
    pub(crate) fn request_lost(&mut self, cx: &mut Core, client: ClientKey, status: u16) {
        let Some(at) = self.outgoing.iter().position(|sent| sent.client == client) else { return };
        let sent = self.outgoing.swap_remove(at);
        self.note_failed(cx, &sent);
        self.failed_in_dialog(cx, sent, status, None);
    }

    fn note_failed(&mut self, cx: &Core, sent: &Outgoing) {
        if matches!(sent.request.method, Method::Invite | Method::Update)
            && let Some(talker) = self.talker(cx, sent.side)
        {
            talker.offer_answer.request_failed(Speaker::Local, offer_in(sent.request.method));
        }
    }

    fn failed_in_dialog(
        &mut self,
        cx: &mut Core,
        sent: Outgoing,
        status: u16,
        retry_after: Option<u32>,
    ) {
        if matches!(sent.request.method, Method::Invite | Method::Update)
            && sent.request.body.is_some()
            && let Some(talker) = self.talker(cx, sent.side)
        {
            talker.sdp.roll_back();
        }
        // RFC 3261 §12.2.1.2: the dialog is gone, or its peer is.
        let dialog_gone = matches!(status, 408 | 481) && !self.is_ending();
        match sent.intent {
            Intent::Bye | Intent::Settled => return,
            Intent::Refresh if !dialog_gone => self.refresh_later(cx, sent.side, status),
            Intent::Align(wanted) if status == 491 => self.realign_again(cx, wanted),
            Intent::Refresh | Intent::Align(_) => {}
            Intent::Relay(relayed) => self.relay_failed(cx, &relayed, status, retry_after),
        }
        if dialog_gone && (self.is_talking() || self.is_answered_alone()) {
            let originator =
                if sent.side == Side::A { Originator::Source } else { Originator::Destination };
            self.hang_up(cx, originator, None);
        }
    }

    /// Tells a peer that what it asked for failed at the other side; the session stays as it was.
    fn relay_failed(
        &mut self,
        cx: &mut Core,
        relayed: &Relayed,
        status: u16,
        retry_after: Option<u32>,
    ) {
        let method = relayed.request.method();
        if method != Method::Info
            && let Some(talker) = self.talker(cx, relayed.from)
        {
            talker.offer_answer.request_failed(Speaker::Remote, offer_in(method));
        }
        let status = match status {
            300..=399 | 401 | 407 | 420..=422 => 488,
            other => other,
        };
        cx.refuse_with(relayed.server, &relayed.request, status, reason_phrase(status), |writer| {
            if let Some(seconds) = retry_after {
                writer.header_fmt(HeaderName::RetryAfter, format_args!("{seconds}"));
            }
        });
    }

    // ---- trying again

    fn authenticate(&self, cx: &Core, sent: &Outgoing, response: &Response) -> bool {
        let Some(leg) = self.leg(sent.side) else { return false };
        let directory = &cx.directory;
        let index = directory.endpoint_by_sid(leg.endpoint);
        let endpoint = index.and_then(|index| directory.endpoint(index));
        let _ = response;
        endpoint.is_some_and(|endpoint| {
            endpoint.out_credentials.is_some()
                || endpoint.addresses.iter().any(|address| address.credentials.is_some())
        })
    }

    fn raise_interval(&mut self, side: Side, response: &Response) -> bool {
        self.leg_mut(side)
            .is_some_and(|leg| leg.session.handle_too_small(response) == TooSmallRetry::Again)
    }

    /// Sends a request again: with credentials, or with the interval that a 422 has taught.
    fn retry(&mut self, cx: &mut Core, mut sent: Outgoing, response: &Response) {
        let Some(leg) = self.leg(sent.side) else { return };
        let login = (leg.endpoint, leg.login);
        let uri: Box<[u8]> = leg.dialog.remote_target().into();
        if sent.request.timer.is_some() {
            sent.request.timer = Some(leg.timer_offer(cx));
        }
        let credentials = if matches!(response.status(), 401 | 407) {
            let mut met = Met::default();
            if !cx.meet_challenge(response, login, (sent.request.method, &uri), &mut met) {
                return self.failed_in_dialog(cx, sent, response.status(), None);
            }
            Some(met)
        } else {
            None
        };
        let carrier = match sent.request.method {
            Method::Invite => Some(Carrier::InviteRequest),
            Method::Update => Some(Carrier::UpdateRequest),
            _ => None,
        };
        let presence = if sent.request.body.is_some() { Sdp::Present } else { Sdp::Absent };
        if let (Some(carrier), Some(talker)) = (carrier, self.talker(cx, sent.side)) {
            talker.offer_answer.handle(Speaker::Local, carrier, presence);
        }
        self.request_again(cx, sent, credentials);
    }
}
