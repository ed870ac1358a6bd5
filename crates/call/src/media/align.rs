//! Leg A is offered what leg B takes, where what we have told leg A ourselves does not suit it.
//!
//! One re-INVITE of ours. Where it crosses one of the peer's, or may not be sent yet, it is tried again as RFC 3261 §14.1
//! says, unless the two sides have agreed with each other in the meantime: then there is nothing left to tell.

use alloc::boxed::Box;

use mediator_media::Side;
use mediator_model::Instant;
use mediator_sip::dialog::Side as Speaker;
use mediator_sip::dialog::{Carrier, OfferIn, Sdp, glare_backoff};
use mediator_sip::message::Method;

use crate::call::Call;
use crate::context::Core;
use crate::request::{Body, Intent, Outbound};

/// How often it is tried. Without it side A hears side B as far as it can be heard, so it is not asked for ever.
const MAX_TRIES: u8 = 10;

/// What side A is to be offered.
#[derive(Debug)]
pub(crate) struct Realign {
    /// What side B has said.
    said: Box<[u8]>,
    /// When it is offered again; `None`: as soon as side A has acknowledged what we have told it.
    again: Option<Instant>,
    /// How often it was sent.
    tries: u8,
}

impl Realign {
    /// When it is offered again.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.again
    }
}

impl Call {
    /// Side B does not take what side A favours: side A is offered what it takes, as soon as it has acknowledged what we
    /// have told it.
    pub(crate) fn realign_later(&mut self, answer: &[u8]) {
        if let Some(media) = &mut self.media {
            media.realign = Some(Box::new(Realign { said: answer.into(), again: None, tries: 0 }));
        }
    }

    /// The two sides have agreed with each other: there is nothing left to tell side A.
    pub(crate) fn agreed_across(&mut self) {
        if let Some(media) = &mut self.media {
            media.realign = None;
        }
    }

    /// When side A is offered again what side B takes.
    pub(crate) fn realign_deadline(&self) -> Option<Instant> {
        self.media.as_ref()?.realign.as_ref().filter(|_| self.is_talking())?.deadline()
    }

    /// Offers side A what side B takes, where that is due. Where it will not, it is heard as far as it can be.
    pub(crate) fn realign(&mut self, cx: &mut Core) {
        let now = cx.now;
        let is_talking = self.is_talking();
        let Self { media: Some(media), a: Some(leg), .. } = self else { return };
        let has_acknowledged = leg.unacknowledged.is_none();
        let is_due = |wanted: &mut Box<Realign>| {
            is_talking && wanted.again.map_or(has_acknowledged, |again| again <= now)
        };
        let Some(mut wanted) = media.realign.take_if(is_due) else { return };
        if !has_acknowledged || leg.offer_answer.may_offer(OfferIn::Invite).is_err() {
            return self.realign_again(cx, wanted);
        }
        let timer = Some(leg.timer_offer(cx));
        let Some(talker) = self.talker(cx, Side::A) else { return };
        let Some(Ok(sdp)) = talker.way.map(|way| talker.sdp.offer(&wanted.said, way)) else {
            return;
        };
        talker.offer_answer.handle(Speaker::Local, Carrier::InviteRequest, Sdp::Present);
        let body = Some(Body::sdp(sdp));
        let request = Outbound { body, timer, ..Outbound::new(Method::Invite) };
        wanted.tries += 1;
        self.request(cx, Side::A, request, Intent::Align(wanted));
    }

    /// Side A is busy with an offer of its own, or ours has crossed one (RFC 3261 §14.1).
    pub(crate) fn realign_again(&mut self, cx: &mut Core, mut wanted: Box<Realign>) {
        if !self.is_talking() || wanted.tries >= MAX_TRIES {
            return;
        }
        let Some(leg) = self.leg(Side::A) else { return };
        let dice = cx.dice.next_u64() as u32;
        wanted.again = Some(cx.now + glare_backoff(leg.dialog.call_id_owner(), dice));
        if let Some(media) = &mut self.media {
            media.realign = Some(wanted);
        }
    }
}
