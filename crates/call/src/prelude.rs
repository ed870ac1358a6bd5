//! What a caller hears of ours until it is connected (contract §2: `announce`, `ringback`).
//!
//! We answer its offer ourselves, in a 183 or, where `media.answer_before_announce` or a late offer wants it, in the
//! 200; where it has made none, we make one. From then on its SDP is ours, and leg B is offered what we have agreed on.
//! A caller whose offer has nothing that we speak hears nothing of ours, and the call goes on without.
//!
//! Invariant: leg B is dialled once, when the announcement is over, or could not be played.

use alloc::boxed::Box;
use core::time::Duration;

use bytes::Bytes;
use mediator_media::{Hear, Repeat, Side, Sound, SoundFailure, SoundOutcome, Tone};
use mediator_model::{Number, Ringback};
use mediator_sip::dialog::Side as Speaker;
use mediator_sip::dialog::{Carrier, OfferIn, Sdp};

use crate::call::Call;
use crate::cdr::Originator;
use crate::context::Core;
use crate::dial::Caller100Rel;
use crate::io::Event;
use crate::media::{OUR_OFFER, Purpose, Role, Uncrossed, restricted, way};
use crate::request::{Body, EarlyDialog};
use crate::verdict::Answer;

/// How long a caller hears why its call has failed.
const FAREWELL: Duration = Duration::from_secs(3);
/// How much later the call ends where nobody says that the tone is over.
const FAREWELL_GRACE: Duration = Duration::from_secs(2);
/// How often a caller that is not answered is reminded.
pub(crate) const REMINDER: Duration = Duration::from_mins(1);
/// Longer than any announcement takes to be fetched and played.
const PRELUDE: Duration = Duration::from_mins(12);

/// How far a call has come that has no leg B.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Step {
    /// The caller is to be answered first, and claims of its are not durable.
    Claims,
    /// The caller has our offer and not answered it.
    Answer,
    /// The caller hears the announcement.
    Announcement,
    /// Leg B is dialled.
    #[default]
    Dialling,
    /// No leg B: the caller, which is answered, hears so.
    Farewell {
        /// What it would have been told.
        status: u16,
        originator: Originator,
    },
}

impl Call {
    /// Begins with what the caller is to hear, and goes on to leg B.
    pub(crate) fn begin(&mut self, cx: &mut Core) {
        let Some(dial) = &self.dial else { return };
        let speaks = matches!(dial.routed.ringback, Ringback::Silence | Ringback::HoldMusic)
            || self.announcement().is_some();
        if !speaks || self.media.is_none() {
            return self.dial_leg_b(cx);
        }
        self.speak(cx);
    }

    /// What the binding has played to the caller.
    fn announcement(&self) -> Option<Box<str>> {
        let (binding, _) = self.dial.as_ref()?.routed.binding.as_ref()?;
        binding.attributes.as_ref()?.announce.clone()
    }

    /// Where the called number's tones are looked up.
    fn called_number(&self) -> Option<Number> {
        self.dial.as_ref().map(|dial| dial.routed.target)
    }

    // ---- the caller's SDP is ours

    fn speak(&mut self, cx: &mut Core) {
        let announces = self.announcement().is_some();
        let Some(dial) = &mut self.dial else { return };
        let reliable = dial.caller_100rel != Caller100Rel::No;
        let late = dial.offer.is_none();
        if late && !reliable && !announces {
            // Nothing can be heard before the answer.
            return self.dial_leg_b(cx);
        }
        let answers = announces && (cx.settings.media.answer_before_announce || late && !reliable);
        if answers && dial.claims_pending > 0 {
            dial.step = Step::Claims;
            dial.ring_until = cx.now + PRELUDE;
            return;
        }
        let offer = dial.offer.clone();
        let role = if late { Role::Offer } else { Role::Ours };
        let Ok(body) = self.our_sdp(cx, offer.as_deref().unwrap_or(OUR_OFFER), role) else {
            self.unplayable(cx, SoundFailure::NoCodec);
            return self.dial_leg_b(cx);
        };
        if answers {
            self.send_200(cx, Some(&body));
            cx.event(Event::LegAUp { call: self.sid });
        } else {
            self.send_provisional(cx, 183, Some(&body), reliable);
        }
        if let Some(offer) = offer {
            return self.spoken_with_caller(cx, &offer);
        }
        if let Some(media) = &mut self.media {
            media.speak_to(Side::A);
        }
        self.go_to(cx, Step::Answer);
    }

    /// SDP of ours for the caller.
    fn our_sdp(&mut self, cx: &Core, theirs: &[u8], role: Role<'_>) -> Result<Body, Uncrossed> {
        let end = self.our_end(Side::A);
        let a = self.a.as_mut().ok_or(Uncrossed::NoAudio)?;
        let way = way(cx, end, &a.flow).ok_or(Uncrossed::NoAudio)?;
        a.sdp.cross(theirs, role, way).map(Body::sdp)
    }

    fn go_to(&mut self, cx: &Core, step: Step) {
        if let Some(dial) = &mut self.dial {
            dial.step = step;
            dial.ring_until = cx.now + PRELUDE;
        }
    }

    /// A caller that hears something of ours, or that leg B rings, is told once a minute that it is still to be answered
    /// (RFC 3261 §13.3.1.1: proxies give up on it after three).
    pub(crate) fn remind_caller(&mut self, cx: &mut Core) {
        let speaks = self.speaks_to(Side::A);
        let Some(dial) = &mut self.dial else { return };
        if dial.remind_at.take_if(|at| *at <= cx.now).is_none() || self.invite.is_none() {
            return;
        }
        let Some((status, _)) = dial.last_provisional.take() else { return };
        let reliably = match dial.caller_100rel {
            Caller100Rel::Required => true,
            Caller100Rel::Supported => speaks,
            Caller100Rel::No => false,
        };
        let sdp = self.a.as_ref().and_then(|a| a.sdp.last().cloned());
        // What came reliably has arrived; that of leg B is its own to repeat.
        let body = sdp.filter(|_| speaks && !reliably).map(Body::sdp);
        self.send_provisional(cx, status, body.as_ref(), reliably);
    }

    /// The caller's answer to our offer has come: in PRACK, or in ACK. `false`: it was no answer to one of ours.
    pub(crate) fn our_offer_answered(&mut self, cx: &mut Core, sdp: Option<&[u8]>) -> bool {
        if self.dial.as_ref().is_none_or(|dial| dial.step != Step::Answer) {
            return false;
        }
        if let Some(sdp) = sdp {
            self.spoken_with_caller(cx, sdp);
        } else {
            let reason = "SIP;cause=488;text=\"No answer to the offer\"";
            self.hang_up(cx, Originator::System, Some(reason));
        }
        true
    }

    /// The caller and we have agreed: it hears the announcement, or what it hears until leg B answers.
    fn spoken_with_caller(&mut self, cx: &mut Core, theirs: &[u8]) {
        let ours = self.a.as_ref().and_then(|a| a.sdp.last().cloned());
        if let Some(media) = &mut self.media {
            media.speak_to(Side::A);
        }
        self.agreed(cx, Side::A, theirs);
        let offer = ours.map(|ours| restricted(theirs, &ours));
        let Some(Ok(offer)) = offer else {
            let reason = "SIP;cause=488;text=\"SDP cannot be used\"";
            return self.hang_up(cx, Originator::System, Some(reason));
        };
        if let Some(dial) = &mut self.dial {
            dial.offer = Some(offer);
        }
        if let Some(url) = self.announcement() {
            self.go_to(cx, Step::Announcement);
            let sound = (Sound::Announcement(url), Repeat::Once);
            self.play(cx, (Side::A, Purpose::Announcement), sound);
        } else {
            self.hear_ringback(cx);
            self.dial_leg_b(cx);
        }
    }

    /// The announcement is over; where it could not be played, that is told and the call goes on.
    pub(crate) fn announcement_over(&mut self, cx: &mut Core, outcome: SoundOutcome) {
        if let SoundOutcome::Failed(reason) = outcome {
            self.unplayable(cx, reason);
        }
        if self.dial.as_ref().is_none_or(|dial| dial.step != Step::Announcement) {
            return;
        }
        if let Some(dial) = &mut self.dial {
            // The delay from the caller's INVITE is not of our making.
            dial.dialled = true;
        }
        self.hear_ringback(cx);
        self.dial_leg_b(cx);
    }

    /// A sound that a binding asks for was not heard.
    fn unplayable(&self, cx: &mut Core, reason: SoundFailure) {
        let attribute = if self.announcement().is_some() { "announce" } else { "ringback" };
        self.sound_failed(cx, attribute, reason);
    }

    /// Tells of a sound that was asked for and could not be played.
    pub(crate) fn sound_failed(
        &self,
        cx: &mut Core,
        attribute: &'static str,
        reason: SoundFailure,
    ) {
        let reference = self.record.as_ref().and_then(|record| {
            let dialout = record.dialout.as_ref().map(|dialout| dialout.sid);
            record.binding.as_ref().map(|binding| binding.sid).or(dialout)
        });
        cx.counters.sounds_failed.add_one();
        cx.event(Event::SoundFailed { call: self.sid, reference, attribute, reason });
    }

    // ---- leg B is dialled

    fn dial_leg_b(&mut self, cx: &mut Core) {
        if let Some(dial) = &mut self.dial {
            dial.step = Step::Dialling;
            dial.ring_until = cx.now + cx.settings.ring_timeout;
        }
        self.next_attempt(cx);
    }

    /// What the caller hears from now on, until leg B rings.
    fn hear_ringback(&mut self, cx: &mut Core) {
        match self.dial.as_ref().map(|dial| dial.routed.ringback) {
            Some(Ringback::HoldMusic) => {
                let music = (Sound::HoldMusic, Repeat::Forever);
                self.play(cx, (Side::A, Purpose::Ringback), music);
            }
            Some(Ringback::Ringing | Ringback::Silence | Ringback::Passthrough) | None => {
                self.hear(cx, Side::A, Hear::Silence);
            }
        }
    }

    /// Leg B rings, and the caller's SDP is ours: it hears so, rather than being told.
    pub(crate) fn ring_caller(
        &mut self,
        cx: &mut Core,
        status: u16,
        early: Option<EarlyDialog>,
        sdp: Option<&Bytes>,
    ) {
        let Some(dial) = &mut self.dial else { return };
        let before = dial.rang.replace(status);
        let is_first = before.is_none();
        // It may have stopped what the caller heard of it: whether it has, the next packets show.
        let falls_back = status == 180 && before != Some(180);
        let ringback = dial.routed.ringback;
        // Another one rings after the one that was heard has failed.
        let is_anew = early.is_some() && dial.speaking.is_none();
        if early.is_some() && (sdp.is_some() || is_anew) {
            self.hear_from(cx, early);
        }
        if is_first {
            cx.event(Event::CallRinging { call: self.sid });
        }
        match ringback {
            Ringback::Ringing if is_first || is_anew || falls_back => {
                let Some(number) = self.called_number() else { return };
                let tone = (Sound::Tone { tone: Tone::Ringing, number }, Repeat::Forever);
                self.play_until_peer(cx, (Side::A, Purpose::Ringback), tone);
            }
            Ringback::Passthrough if sdp.is_some() => self.hear(cx, Side::A, Hear::Peer),
            Ringback::Passthrough => {
                let insists = self.dial.as_ref().map(|dial| dial.caller_100rel);
                self.send_provisional(cx, status, None, insists == Some(Caller100Rel::Required));
            }
            Ringback::Ringing | Ringback::Silence | Ringback::HoldMusic => {}
        }
    }

    /// An early offer of leg B, answered by us with what the caller takes, as the caller's SDP is ours; `None`: the
    /// caller is to be asked, or the two have nothing in common.
    pub(crate) fn answer_behind_our_sdp(
        &mut self,
        cx: &mut Core,
        (offered_in, sdp): (OfferIn, &[u8]),
    ) -> Option<Body> {
        if !self.speaks_to(Side::A) {
            return None;
        }
        let takes = self.dial.as_ref()?.offer.clone()?;
        let talker = self.talker(cx, Side::B)?;
        let body = talker.sdp.cross(&takes, Role::AnswerTo(sdp), talker.way?).ok()?;
        let carrier = match offered_in {
            OfferIn::Invite => Carrier::Final2xx,
            OfferIn::Update => Carrier::Update2xx,
            OfferIn::Prack => Carrier::Prack2xx,
        };
        talker.offer_answer.handle(Speaker::Local, carrier, Sdp::Present);
        self.agreed(cx, Side::B, sdp);
        Some(Body::sdp(body))
    }

    /// The caller, who waits for leg B, has agreed with us on something else: leg B is offered that.
    pub(crate) fn agreed_anew(&mut self, theirs: &[u8]) {
        let Some(ours) = self.a.as_ref().and_then(|a| a.sdp.last().cloned()) else { return };
        if self.speaks_to(Side::A)
            && let Some(dial) = &mut self.dial
            && let Ok(offer) = restricted(theirs, &ours)
        {
            dial.offer = Some(offer);
        }
    }

    // ---- leg B does not answer

    /// Whether the caller is answered, or has answered us, and no leg B is there yet.
    pub(crate) fn is_answered_alone(&self) -> bool {
        (self.dial.is_some() || self.dialout.is_some())
            && self.invite.is_none()
            && self.a.as_ref().is_some_and(|a| a.dialog.is_confirmed())
    }

    /// A caller that is answered hears that there is no leg B, and is hung up on.
    pub(crate) fn bid_farewell(&mut self, cx: &mut Core, answer: Answer, originator: Originator) {
        let Some(dial) = &mut self.dial else { return };
        if matches!(dial.step, Step::Farewell { .. }) {
            return;
        }
        dial.attempt_holds.release(&cx.ports);
        dial.step = Step::Farewell { status: answer.status, originator };
        dial.ring_until = cx.now + FAREWELL + FAREWELL_GRACE;
        let number = dial.routed.target;
        let tone = if matches!(answer.status, 486 | 600) { Tone::Busy } else { Tone::Reorder };
        let sound = (Sound::Tone { tone, number }, Repeat::For(FAREWELL));
        self.play(cx, (Side::A, Purpose::Farewell), sound);
    }

    /// The tone is over, or nobody says so in time.
    pub(crate) fn farewell_over(&mut self, cx: &mut Core) {
        if let Some(Step::Farewell { status, originator }) = self.dial.as_ref().map(|d| d.step) {
            let reason = alloc::format!("SIP;cause={status}");
            self.bye(cx, Side::A, Some(&reason));
            self.end(cx, originator, status);
        }
    }

    /// A caller that is answered has hung up before leg B was there.
    pub(crate) fn left_alone(&mut self, cx: &mut Core) {
        if let Some(Step::Farewell { status, originator }) = self.dial.as_ref().map(|d| d.step) {
            return self.end(cx, originator, status);
        }
        self.drop_leg_b(cx);
        self.end(cx, Originator::Source, 487);
    }
}
