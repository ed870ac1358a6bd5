//! Stage one from its answer until it is joined with stage two: the key that confirms, the announcement, and its
//! requests, which nobody but us is there to answer.

use mediator_media::{Hear, Repeat, Sound, SoundOutcome};
use mediator_model::Ringback;
use mediator_sip::dialog::Side as Speaker;
use mediator_sip::dialog::{Carrier, Meaning, Sdp};
use mediator_sip::message::{Method, Request};
use mediator_sip::transaction::ServerKey;

use super::{Doing, NOT_CONFIRMED, Step, Up};
use crate::call::Call;
use crate::cdr::Originator;
use crate::context::Core;
use crate::dtmf::InfoBody;
use crate::io::Event;
use crate::leg::Side;
use crate::media::{Purpose, Role};
use crate::relay::{checked_sdp, refuse_info, refuse_offer};
use crate::request::{Body, Relayed};
use crate::verdict::Answer;

impl Call {
    /// Stage one has answered: it is asked to confirm, told something, or stage two is dialled at once.
    pub(super) fn stage_one_is_up(&mut self, cx: &mut Core, said: &[u8], next_branch: u16) {
        let ends = cx.now + cx.settings.max_call_duration;
        let Some(staged) = &mut self.dialout else { return };
        let confirms = staged.dialout.attributes.confirmation.is_some();
        let doing =
            if confirms { Doing::Confirming { asked: 1, until: None } } else { Doing::Announcing };
        staged.step = Step::Up(Up { said: said.into(), next_branch, ends, doing });
        cx.event(Event::LegAUp { call: self.sid });
        if let Some(media) = &mut self.media {
            media.speak_to(Side::A);
        }
        if confirms {
            self.listen(cx, Side::A, true);
            self.ask_to_confirm(cx);
        } else {
            self.tell_stage_one(cx);
        }
    }

    fn ask_to_confirm(&mut self, cx: &mut Core) {
        let Some(staged) = &self.dialout else { return };
        let url = staged.dialout.attributes.confirmation.clone();
        let prompt = Sound::Confirmation(url.filter(|url| **url != *"default"));
        self.play(cx, (Side::A, Purpose::Dialout), (prompt, Repeat::Once));
    }

    /// The time for the key is over.
    pub(super) fn not_confirmed(&mut self, cx: &mut Core, asked: u32) {
        if asked >= cx.settings.dialout.confirmation_attempts {
            return self.end_dialout(cx, (Originator::System, NOT_CONFIRMED), None);
        }
        if let Some(up) = self.dialout.as_mut().and_then(|staged| staged.up()) {
            up.doing = Doing::Confirming { asked: asked + 1, until: None };
        }
        self.ask_to_confirm(cx);
    }

    /// Stage one has pressed a key. Only the one that confirms, while it is asked, means something.
    pub(crate) fn dialout_key(&mut self, cx: &mut Core, key: char) {
        let Some(up) = self.dialout.as_mut().and_then(|staged| staged.up()) else { return };
        if !matches!(up.doing, Doing::Confirming { .. })
            || key != cx.settings.dialout.confirmation_key
        {
            return;
        }
        self.listen(cx, Side::A, false);
        self.tell_stage_one(cx);
    }

    /// Plays the announcement, where there is one.
    fn tell_stage_one(&mut self, cx: &mut Core) {
        let Some(staged) = &mut self.dialout else { return };
        let announcement = staged.dialout.attributes.announce.clone();
        if let Some(up) = staged.up() {
            up.doing = Doing::Announcing;
        }
        match announcement {
            Some(url) => {
                let sound = (Sound::Announcement(url), Repeat::Once);
                self.play(cx, (Side::A, Purpose::Dialout), sound);
            }
            None => self.go_to_stage_two(cx),
        }
    }

    /// A sound that was played to stage one is over, or could not be played: that is told, and the call goes on.
    pub(crate) fn dialout_sound_ended(&mut self, cx: &mut Core, outcome: SoundOutcome) {
        let until = cx.now + cx.settings.dialout.confirmation_wait;
        let Some(up) = self.dialout.as_mut().and_then(|staged| staged.up()) else { return };
        let attribute = match &mut up.doing {
            Doing::Confirming { until: waits, .. } => {
                *waits = Some(until);
                "use_call_confirmation"
            }
            Doing::Announcing => "announce",
            Doing::Two => "ringback",
            Doing::Failed { .. } => return self.failure_heard(cx),
        };
        let announced = matches!(up.doing, Doing::Announcing);
        if let SoundOutcome::Failed(reason) = outcome {
            self.sound_failed(cx, attribute, reason);
        }
        if announced {
            self.go_to_stage_two(cx);
        }
    }

    /// Dials stage two, offering what stage one takes; stage one hears what its ringback says.
    fn go_to_stage_two(&mut self, cx: &mut Core) {
        let offer = self.stage_two_is_offered();
        let Some(staged) = &mut self.dialout else { return };
        let ringback = staged.dialout.attributes.ringback;
        let Some(up) = staged.up() else { return };
        up.doing = Doing::Two;
        match ringback {
            Ringback::HoldMusic => {
                let sound = (Sound::HoldMusic, Repeat::Forever);
                self.play(cx, (Side::A, Purpose::Dialout), sound);
            }
            Ringback::Ringing | Ringback::Silence | Ringback::Passthrough => {
                self.hear(cx, Side::A, Hear::Silence);
            }
        }
        match offer {
            Some(offer) => self.dial_stage(cx, offer),
            None => self.stage_failed(cx, Answer::plain(488), Originator::System),
        }
    }

    // ---- requests of stage one

    /// A request of stage one, which waits for stage two; `Some` gives it back where it is like any other.
    pub(crate) fn stage_one_asks(
        &mut self,
        cx: &mut Core,
        server: ServerKey,
        request: Request,
    ) -> Option<Request> {
        match request.method() {
            Method::Invite | Method::Update => self.answer_stage_one(cx, server, request),
            Method::Info => self.stage_one_info(cx, server, &request),
            _ => return Some(request),
        }
        None
    }

    /// An offer of stage one is answered by us: hold, other codecs, another address, a refresh.
    fn answer_stage_one(&mut self, cx: &mut Core, server: ServerKey, request: Request) {
        let Ok(sdp) = checked_sdp(cx, server, &request) else { return };
        let method = request.method();
        let presence = if sdp.is_some() { Sdp::Present } else { Sdp::Absent };
        let (asks, answers) = match method {
            Method::Invite => (Carrier::InviteRequest, Carrier::Final2xx),
            _ => (Carrier::UpdateRequest, Carrier::Update2xx),
        };
        let Some(leg) = self.leg_mut(Side::A) else { return cx.refuse(server, &request, 481) };
        match leg.offer_answer.meaning(Speaker::Remote, asks, presence) {
            Meaning::Refused(refusal) => return refuse_offer(cx, server, &request, refusal),
            Meaning::Violation(_) => return cx.refuse(server, &request, 400),
            _ => {}
        }
        if !self.agree_timer(cx, Side::A, server, &request) {
            return;
        }
        let body = match (&sdp, method) {
            (Some(sdp), _) => match self.our_answer(cx, sdp) {
                Some(body) => Some(body),
                None => return cx.refuse(server, &request, 488),
            },
            // A late offer is ours to make: the session as it is.
            (None, Method::Invite) => {
                self.a.as_ref().and_then(|a| a.sdp.last().cloned()).map(Body::sdp)
            }
            (None, _) => None,
        };
        let ours = if body.is_some() { Sdp::Present } else { Sdp::Absent };
        if let Some(leg) = self.leg_mut(Side::A) {
            leg.offer_answer.handle(Speaker::Remote, asks, presence);
            leg.offer_answer.handle(Speaker::Local, answers, ours);
        }
        if let Some(sdp) = &sdp {
            self.answered_us(cx, Side::A, sdp);
        }
        let relayed = Relayed { from: Side::A, server, request };
        self.answer_relayed(cx, &relayed, body.as_ref());
    }

    /// Our own answer to an offer of stage one; `None`: it has nothing that we speak.
    fn our_answer(&mut self, cx: &Core, sdp: &[u8]) -> Option<Body> {
        let talker = self.talker(cx, Side::A)?;
        let way = talker.way?;
        talker.sdp.cross(sdp, Role::Ours, way).ok().map(Body::sdp)
    }

    /// A side has agreed on something else, with us and not with the other side.
    pub(crate) fn answered_us(&mut self, cx: &mut Core, side: Side, sdp: &[u8]) {
        if let Some(up) = self.dialout.as_mut().and_then(|staged| staged.up()) {
            up.said = sdp.into();
        }
        if side == Side::A {
            self.agreed_anew(sdp);
        }
        self.agreed(cx, side, sdp);
    }

    /// A key in INFO counts as one in RTP; nobody is there yet to pass it to.
    fn stage_one_info(&mut self, cx: &mut Core, server: ServerKey, request: &Request) {
        match InfoBody::read(request) {
            Ok(body) => {
                cx.refuse(server, request, 200);
                if let Some(body) = body {
                    self.dialout_key(cx, body.key());
                }
            }
            Err(status) => refuse_info(cx, server, request, status),
        }
    }
}
