//! Requests of peers inside their dialogs: answered here, or passed to the other leg (contract §2, "In the call").
//!
//! Nothing of a request crosses but its meaning: SDP written anew, DTMF written anew.

use alloc::boxed::Box;

use mediator_model::Flow;
use mediator_sip::HeaderName;
use mediator_sip::dialog::Side as Speaker;
use mediator_sip::dialog::{
    Carrier, Meaning, OfferAnswer, OfferIn, Refusal, Sdp, pending_retry_after,
};
use mediator_sip::message::{Method, Request};
use mediator_sip::sdp::SessionDescription;
use mediator_sip::transaction::ServerKey;

use crate::branch::Branch;
use crate::call::Call;
use crate::caller::is_supported;
use crate::cdr::Originator;
use crate::context::{ALLOW, Core};
use crate::dtmf::InfoBody;
use crate::leg::{LocalSdp, Side, timer_settings};
use crate::media::{Way, way};
use crate::request::{Body, EarlyDialog, Intent, MAX_FORWARDS, Outbound, Relayed};
use crate::sdp::sdp_of;

/// What a leg offers to talk to, early or confirmed.
pub(crate) struct Talker<'a> {
    pub(crate) offer_answer: &'a mut OfferAnswer,
    pub(crate) sdp: &'a mut LocalSdp,
    pub(crate) allows_update: bool,
    pub(crate) confirmed: bool,
    pub(crate) is_known: bool,
    /// Where its messages go.
    pub(crate) flow: Flow,
    pub(crate) way: Option<Way>,
}

impl Call {
    /// The side's dialog as far as offers go: the leg, or the dialled side's early dialog that the caller hears of.
    pub(crate) fn talker<'a>(&'a mut self, cx: &Core, side: Side) -> Option<Talker<'a>> {
        let end = self.our_end(side);
        if self.leg(side).is_none() && side == self.dialled_side() {
            let early = self.dial.as_ref()?.speaking?;
            let branch: &mut Branch = self.branches.iter_mut().find(|b| b.id == early.branch)?;
            let flow = branch.flow;
            let fork = branch.forks.iter_mut().find(|fork| fork.id == early.fork)?;
            return Some(Talker {
                offer_answer: &mut fork.offer_answer,
                sdp: &mut branch.sdp,
                allows_update: fork.allows_update,
                confirmed: false,
                is_known: true,
                way: way(cx, end, &flow),
                flow,
            });
        }
        let leg = self.leg_mut(side)?;
        let flow = leg.flow;
        Some(Talker {
            confirmed: leg.dialog.is_confirmed(),
            is_known: leg.is_known,
            offer_answer: &mut leg.offer_answer,
            sdp: &mut leg.sdp,
            allows_update: leg.allows_update,
            way: way(cx, end, &flow),
            flow,
        })
    }

    /// A request of a leg's peer, inside its dialog and in order.
    pub(crate) fn in_dialog(
        &mut self,
        cx: &mut Core,
        side: Side,
        server: ServerKey,
        request: Request,
    ) {
        if let Some(leg) = self.leg_mut(side) {
            leg.learn_abilities(&request);
            if let Some(flow) = cx.layer.server_source(server) {
                leg.follow(flow);
            }
        }
        if self.leg(side).is_none() && self.early_of(&request) != self.heard_fork() {
            return refuse_unheard(cx, server, &request);
        }
        let early_offer = request.method() == Method::Update && self.speaks_to(Side::A);
        let request = if side == Side::A && (self.is_answered_alone() || early_offer) {
            let Some(request) = self.stage_one_asks(cx, server, request) else { return };
            request
        } else {
            request
        };
        match request.method() {
            Method::Bye => self.peer_bye(cx, side, server, &request),
            _ if self.is_ending() => cx.refuse(server, &request, 481),
            Method::Invite => self.reinvite(cx, side, server, request),
            Method::Update => self.update(cx, side, server, request),
            Method::Info => self.info(cx, side, server, request),
            Method::Prack if side == Side::A => self.caller_prack(cx, server, request),
            // No 1xx of ours to leg B's peer is reliable.
            Method::Prack => cx.refuse(server, &request, 481),
            Method::Options => {
                cx.refuse_with(server, &request, 200, "OK", |writer| {
                    writer.header(HeaderName::Allow, ALLOW);
                    writer.header(HeaderName::Accept, "application/sdp");
                });
            }
            Method::Refer => cx.refuse(server, &request, 403),
            other => refuse_method(cx, server, &request, other),
        }
    }

    /// The early dialog that the caller hears of.
    fn heard_fork(&self) -> Option<EarlyDialog> {
        self.dial.as_ref().and_then(|dial| dial.speaking)
    }

    fn peer_bye(&mut self, cx: &mut Core, side: Side, server: ServerKey, request: &Request) {
        cx.refuse(server, request, 200);
        if self.is_ending() {
            return;
        }
        let originator = if side == Side::A { Originator::Source } else { Originator::Destination };
        self.refuse_relayed(cx);
        // We owe it no BYE; our 2xx still goes out until its ACK, as its sender may wait for it (RFC 5407 §3.1.4).
        if let Some(leg) = self.leg_mut(side) {
            leg.bye_after_ack = false;
        }
        if self.dialout.is_some() {
            return self.stage_hung_up(cx, side);
        }
        if self.invite.is_some() || side == Side::B && self.is_answered_alone() {
            if side == Side::A {
                // BYE in the early dialog: as CANCEL (RFC 3261 §15).
                return self.caller_cancelled(cx);
            }
            self.cancel_branches(cx, None, crate::branch::CancelReason::CallerGone);
            return self.fail_caller(cx, crate::verdict::Answer::plain(480), originator);
        }
        if side == Side::A && self.is_answered_alone() {
            return self.left_alone(cx);
        }
        self.bye(cx, side.other(), None);
        self.end(cx, originator, 200);
    }

    // ---- offers

    fn reinvite(&mut self, cx: &mut Core, side: Side, server: ServerKey, request: Request) {
        if !self.is_talking() {
            // Before the first INVITE is through: RFC 3261 §14.2.
            return refuse_offer(cx, server, &request, Refusal::Pending);
        }
        let Ok(sdp) = checked_sdp(cx, server, &request) else { return };
        let presence = if sdp.is_some() { Sdp::Present } else { Sdp::Absent };
        if let Some(leg) = self.leg_mut(side)
            && let Meaning::Refused(refusal) =
                leg.offer_answer.meaning(Speaker::Remote, Carrier::InviteRequest, presence)
        {
            return refuse_offer(cx, server, &request, refusal);
        }
        let Some(other) = self.leg_mut(side.other()) else {
            return cx.refuse(server, &request, 481);
        };
        if other.offer_answer.may_offer(OfferIn::Invite).is_err() {
            return refuse_offer(cx, server, &request, Refusal::Glare);
        }
        if !self.agree_timer(cx, side, server, &request) {
            return;
        }
        cx.refuse(server, &request, 100);
        let Some(body) = self.cross(cx, side.other(), sdp.as_deref()) else {
            return cx.refuse(server, &request, 488);
        };
        if let Some(leg) = self.leg_mut(side) {
            leg.offer_answer.handle(Speaker::Remote, Carrier::InviteRequest, presence);
        }
        self.relay(cx, side, Method::Invite, (server, request), body);
    }

    fn update(&mut self, cx: &mut Core, side: Side, server: ServerKey, request: Request) {
        let Ok(sdp) = checked_sdp(cx, server, &request) else { return };
        let presence = if sdp.is_some() { Sdp::Present } else { Sdp::Absent };
        let Some(talker) = self.talker(cx, side) else { return cx.refuse(server, &request, 481) };
        match talker.offer_answer.meaning(Speaker::Remote, Carrier::UpdateRequest, presence) {
            Meaning::Refused(refusal) => return refuse_offer(cx, server, &request, refusal),
            Meaning::Violation(_) => {
                return cx.refuse_with(server, &request, 400, "SDP out of turn", |_| {});
            }
            _ => {}
        }
        if !self.agree_timer(cx, side, server, &request) {
            return;
        }
        match sdp {
            None => self.answer_update(cx, side, server, &request),
            Some(sdp) => {
                if let Some(talker) = self.talker(cx, side) {
                    talker.offer_answer.handle(Speaker::Remote, Carrier::UpdateRequest, presence);
                }
                self.relay_offer(cx, side, (server, request), &sdp);
            }
        }
    }

    /// An UPDATE without SDP: a refresh of the session timer or of the target, answered here.
    fn answer_update(&mut self, cx: &mut Core, side: Side, server: ServerKey, request: &Request) {
        if let Some(talker) = self.talker(cx, side) {
            talker.offer_answer.handle(Speaker::Remote, Carrier::UpdateRequest, Sdp::Absent);
            talker.offer_answer.handle(Speaker::Local, Carrier::Update2xx, Sdp::Absent);
        }
        self.answer_relayed(cx, &Relayed { from: side, server, request: request.clone() }, None);
    }

    /// Passes an offer of a peer (in UPDATE or PRACK, already taken in) to the other leg, as UPDATE where
    /// its peer takes one, else as re-INVITE.
    pub(crate) fn relay_offer(
        &mut self,
        cx: &mut Core,
        side: Side,
        (server, request): (ServerKey, Request),
        sdp: &[u8],
    ) {
        if side == Side::B
            && let Some(body) = self.answer_behind_our_sdp(cx, (offer_in(request.method()), sdp))
        {
            return self.answer_relayed(cx, &Relayed { from: side, server, request }, Some(&body));
        }
        let method = self.talker(cx, side.other()).and_then(|other| {
            if !other.is_known {
                return Some((Method::Update, Err(Refusal::Pending)));
            }
            let (method, offer_in) = match (other.allows_update, other.confirmed) {
                (true, _) => (Method::Update, OfferIn::Update),
                (false, true) => (Method::Invite, OfferIn::Invite),
                (false, false) => return None,
            };
            Some((method, other.offer_answer.may_offer(offer_in)))
        });
        let status = match method {
            // Nobody is there who could take it before the call is answered.
            None => 488,
            Some((_, Err(_))) => 491,
            Some((method, Ok(()))) => match self.cross(cx, side.other(), Some(sdp)) {
                Some(body) => return self.relay(cx, side, method, (server, request), body),
                None => 488,
            },
        };
        if let Some(talker) = self.talker(cx, side) {
            talker.offer_answer.request_failed(Speaker::Remote, offer_in(request.method()));
        }
        cx.refuse(server, &request, status);
    }

    /// Sends the other leg's peer what a peer asks for; its answer goes back.
    fn relay(
        &mut self,
        cx: &mut Core,
        from: Side,
        method: Method,
        (server, request): (ServerKey, Request),
        body: Option<Body>,
    ) {
        let to = from.other();
        let presence = if body.is_some() { Sdp::Present } else { Sdp::Absent };
        let carrier =
            if method == Method::Invite { Carrier::InviteRequest } else { Carrier::UpdateRequest };
        if let Some(talker) = self.talker(cx, to) {
            talker.offer_answer.handle(Speaker::Local, carrier, presence);
        }
        let timer = self.leg(to).map(|leg| leg.timer_offer(cx));
        let max_forwards = hops_left(&request);
        let outbound = Outbound { max_forwards, body, timer, ..Outbound::new(method) };
        let relayed = Relayed { from, server, request };
        self.request(cx, to, outbound, Intent::Relay(Box::new(relayed)));
    }

    /// A peer's offer as the other side may see it: `Some(None)` where there is none, `None` where it cannot cross.
    #[allow(
        clippy::option_option,
        reason = "no SDP and SDP that cannot cross are different things"
    )]
    fn cross(&mut self, cx: &Core, to: Side, sdp: Option<&[u8]>) -> Option<Option<Body>> {
        let Some(sdp) = sdp else { return Some(None) };
        let talker = self.talker(cx, to)?;
        let way = talker.way?;
        talker.sdp.offer(sdp, way).ok().map(|sdp| Some(Body::sdp(sdp)))
    }

    /// Negotiates the session timer of a peer's request; `false`: it got 422.
    pub(crate) fn agree_timer(
        &mut self,
        cx: &mut Core,
        side: Side,
        server: ServerKey,
        request: &Request,
    ) -> bool {
        let settings = timer_settings(cx);
        let Some(leg) = self.leg_mut(side) else { return true };
        match leg.session.negotiate_uas(request, &settings) {
            Ok(agreed) => {
                // The session of an early dialog begins with the INVITE's 200: what that one agreed on stays.
                if leg.dialog.is_confirmed() {
                    leg.agreed = Some(agreed);
                }
                true
            }
            Err(too_small) => {
                refuse_interval(cx, server, request, too_small.min_se);
                false
            }
        }
    }

    // ---- INFO

    fn info(&mut self, cx: &mut Core, side: Side, server: ServerKey, request: Request) {
        let body = match InfoBody::read(&request) {
            Ok(Some(body)) => body,
            // An empty INFO asks whether the dialog is there.
            Ok(None) => return cx.refuse(server, &request, 200),
            Err(status) => return refuse_info(cx, server, &request, status),
        };
        let reachable = self.talker(cx, side.other()).is_some_and(|other| other.is_known);
        if !reachable {
            // Keys pressed before anybody is there have no effect.
            return cx.refuse(server, &request, 200);
        }
        let max_forwards = hops_left(&request);
        let outbound =
            Outbound { max_forwards, body: Some(body.write()), ..Outbound::new(Method::Info) };
        let relayed = Relayed { from: side, server, request };
        self.request(cx, side.other(), outbound, Intent::Relay(Box::new(relayed)));
    }

    /// CANCEL of a re-INVITE: passed on; the re-INVITE gets what the other side says in the end.
    pub(crate) fn reinvite_cancelled(&mut self, cx: &mut Core, invite: ServerKey) {
        let waiting = self.outgoing.iter_mut().find(
            |sent| matches!(&sent.intent, Intent::Relay(relayed) if relayed.server == invite),
        );
        if let Some(sent) = waiting {
            sent.cancel(cx);
        }
    }
}

/// An INFO whose body is no key press.
pub(crate) fn refuse_info(cx: &mut Core, server: ServerKey, request: &Request, status: u16) {
    let phrase = mediator_sip::message::reason_phrase(status);
    cx.refuse_with(server, request, status, phrase, |writer| {
        writer.header(HeaderName::Accept, "application/dtmf-relay, application/dtmf");
    });
}

/// A request in an early dialog that the caller does not hear of: it is there, but there is nobody to pass it to.
fn refuse_unheard(cx: &mut Core, server: ServerKey, request: &Request) {
    match request.method() {
        Method::Info | Method::Options => cx.refuse(server, request, 200),
        Method::Invite | Method::Update => refuse_offer(cx, server, request, Refusal::Pending),
        _ => cx.refuse(server, request, 481),
    }
}

/// 491, or 500 with Retry-After, for an offer that has no place now (RFC 3261 §14.2, RFC 3311 §5.2).
pub(crate) fn refuse_offer(cx: &mut Core, server: ServerKey, request: &Request, refusal: Refusal) {
    let seconds = pending_retry_after(cx.dice.next_u64() as u32);
    let phrase = mediator_sip::message::reason_phrase(refusal.status());
    cx.refuse_with(server, request, refusal.status(), phrase, |writer| {
        if refusal == Refusal::Pending {
            writer.header_fmt(HeaderName::RetryAfter, format_args!("{seconds}"));
        }
    });
}

/// Max-Forwards of what is passed on: one lower (contract §2).
pub(crate) fn hops_left(request: &Request) -> u8 {
    request.max_forwards().ok().flatten().unwrap_or(MAX_FORWARDS).saturating_sub(1)
}

/// Which request an offer came in, for the rollback of its failure.
pub(crate) const fn offer_in(method: Method) -> OfferIn {
    match method {
        Method::Invite => OfferIn::Invite,
        Method::Prack => OfferIn::Prack,
        _ => OfferIn::Update,
    }
}

/// 405 with Allow, 501 for a method that nobody here has heard of (RFC 3261 §8.2.1, §21.5.2).
pub(crate) fn refuse_method(cx: &mut Core, server: ServerKey, request: &Request, method: Method) {
    let status = match method {
        Method::Other => 501,
        _ if is_supported(method) => 481,
        _ => 405,
    };
    cx.refuse_with(
        server,
        request,
        status,
        mediator_sip::message::reason_phrase(status),
        |writer| {
            writer.header(HeaderName::Allow, ALLOW);
        },
    );
}

/// 422 with Min-SE (RFC 4028 §9).
pub(crate) fn refuse_interval(cx: &mut Core, server: ServerKey, request: &Request, min_se: u32) {
    cx.refuse_with(server, request, 422, "Session Interval Too Small", |writer| {
        writer.header_fmt(HeaderName::MinSe, format_args!("{min_se}"));
    });
}

/// The SDP of a request, checked; where it is of another type or cannot be read, the request has been answered.
pub(crate) fn checked_sdp(
    cx: &mut Core,
    server: ServerKey,
    request: &Request,
) -> Result<Option<bytes::Bytes>, ()> {
    if request.body().is_empty() {
        return Ok(None);
    }
    let encoded = request
        .first(HeaderName::ContentEncoding)
        .is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity"));
    let sdp = sdp_of(request);
    if sdp.is_none() && is_optional(request) {
        return Ok(None);
    }
    let Some(sdp) = sdp.filter(|_| !encoded) else {
        cx.refuse_with(server, request, 415, "Unsupported Media Type", |writer| {
            writer.header(HeaderName::Accept, "application/sdp");
            if encoded {
                writer.header(HeaderName::AcceptEncoding, "identity");
            }
        });
        return Err(());
    };
    if SessionDescription::parse(&sdp).is_err() {
        cx.refuse_with(server, request, 400, "Malformed SDP", |_| {});
        return Err(());
    }
    Ok(Some(sdp))
}

/// Whether a body that is not understood may be passed over (RFC 3261 §8.2.3, §20.11).
fn is_optional(request: &Request) -> bool {
    let disposition = request.first(HeaderName::ContentDisposition);
    disposition.is_some_and(|value| {
        let mut params = value.split(|byte| *byte == b';').skip(1).map(<[u8]>::trim_ascii);
        params.any(|param| {
            let mut sides = param.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
            sides.next().is_some_and(|name| name.eq_ignore_ascii_case(b"handling"))
                && sides.next().is_some_and(|value| value.eq_ignore_ascii_case(b"optional"))
        })
    })
}
