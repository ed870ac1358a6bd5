//! The dialout flow (contract §3): stage one is called, asked to confirm, told something, and joined with stage two.
//!
//! Third-party call control with media of our own between (RFC 3725): stage one answers an offer of ours and gets its
//! ACK at once, so nothing times out while stage two rings; stage two is offered what stage one takes. Stage one is
//! leg A, which is not there until it answers; both are dialled as leg B of any call is, from the account's number on.
//!
//! Invariant: a dialout ends with one record, whatever becomes of it; until the two are joined [`Call::dialout`] is
//! there, from then on the call is like any other.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use bytes::Bytes;
use mediator_media::{Hear, Repeat, Sound, Tone};
use mediator_model::{Dialout, DidRoute, EndpointIndex, Instant, Ringback, UnixMillis};

use super::FlowKind;
use crate::branch::CancelReason;
use crate::call::Call;
use crate::cdr::{CallRecord, LegA, Originator};
use crate::context::Core;
use crate::dial::Dial;
use crate::engine::Engine;
use crate::incoming::{NoWay, Start, find_way, take_account};
use crate::io::{CallStarted, Event, Output};
use crate::leg::Side;
use crate::media::{CallMedia, OUR_OFFER, Purpose, codec_of, restricted, suits};
use crate::request::{Body, EarlyDialog};
use crate::verdict::Answer;

mod stage_one;

/// How long stage one hears why stage two did not answer.
const FAILURE_TONE: Duration = Duration::from_secs(3);
/// How much later the call ends where nobody says that the tone is over.
const FAILURE_GRACE: Duration = Duration::from_secs(2);

/// Stage one has answered and has not confirmed: as nobody who answers, but that its leg says 200.
const NOT_CONFIRMED: u16 = 480;
/// Stage one has hung up before the two were joined.
const HUNG_UP: u16 = 487;

/// A dialout until its two stages are joined.
#[derive(Debug)]
pub(crate) struct Staged {
    dialout: Arc<Dialout>,
    began: Instant,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// Stage one is dialled.
    One,
    /// Stage one has answered.
    Up(Up),
}

#[derive(Debug)]
struct Up {
    /// What stage one has said last: stage two is offered it.
    said: Box<[u8]>,
    /// The number of stage two's first branch.
    next_branch: u16,
    /// The call has lasted long enough.
    ends: Instant,
    doing: Doing,
}

#[derive(Debug)]
enum Doing {
    /// Stage one is asked to confirm, for the `asked`th time. `until`: the prompt is over, and the key is waited for.
    Confirming { asked: u32, until: Option<Instant> },
    /// Stage one hears the announcement.
    Announcing,
    /// Stage two is dialled.
    Two,
    /// Stage two has failed and stage one hears it.
    Failed { until: Instant, status: u16, originator: Originator },
}

impl Staged {
    fn up(&mut self) -> Option<&mut Up> {
        match &mut self.step {
            Step::One => None,
            Step::Up(up) => Some(up),
        }
    }

    /// The earliest of its deadlines.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let Step::Up(up) = &self.step else { return None };
        let step = match up.doing {
            Doing::Confirming { until, .. } => until,
            Doing::Failed { until, .. } => Some(until),
            Doing::Announcing | Doing::Two => None,
        };
        step.into_iter().chain([up.ends]).min()
    }

    /// Who ended it, and what the record says of it, where stage two has failed before.
    const fn failure(&self) -> Option<(Originator, u16)> {
        match &self.step {
            Step::Up(Up { doing: Doing::Failed { status, originator, .. }, .. }) => {
                Some((*originator, *status))
            }
            Step::Up(_) | Step::One => None,
        }
    }
}

impl Engine {
    /// Begins a dialout: it becomes a call, if only to end at once.
    pub(crate) fn dial_out(&mut self, dialout: Arc<Dialout>) {
        let is_full = self.calls.len() >= self.core.settings.max_calls;
        let core = &mut self.core;
        let record = new_record(core, &dialout);
        let (sid, began) = (record.call, core.now);
        announce(core, &record, &dialout);
        core.counters.calls_started.add_one();
        let key = self.calls.insert_with_key(|key| {
            let mut call = Call::new(key, Box::new(record));
            call.dialout = Some(Box::new(Staged { dialout, began, step: Step::One }));
            Some(Box::new(call))
        });
        self.sids.insert(sid, key);
        self.with_call(key, |call, cx| {
            if cx.draining || is_full {
                return call.end(cx, Originator::System, 503);
            }
            if let Err(status) = call.admit_dialout(cx) {
                return call.end(cx, Originator::System, status);
            }
            call.dial_stage(cx, OUR_OFFER.into());
        });
    }
}

impl Call {
    /// Takes what a dialout's account allows, and ports for its media.
    fn admit_dialout(&mut self, cx: &mut Core) -> Result<(), u16> {
        let account = self.account(cx).ok_or(404_u16)?;
        let directory = cx.directory.clone();
        let endpoint = directory.endpoint(account).ok_or(404_u16)?;
        take_account(cx, endpoint, &mut self.holds).map_err(|_| 503_u16)?;
        let Ok(media) = CallMedia::reserve(&*cx.ports.media, &cx.settings.media) else {
            cx.counters.media_exhausted.add_one();
            return Err(503);
        };
        media.open(cx, self.sid);
        self.media = Some(media);
        Ok(())
    }

    /// The mediator endpoint that owns the dialout and its number; `None`: not any more.
    fn account(&self, cx: &Core) -> Option<EndpointIndex> {
        let dialout = &self.dialout.as_ref()?.dialout;
        let DidRoute::Mediator(account) = cx.directory.route(dialout.redirect_did) else {
            return None;
        };
        let owner = cx.directory.endpoint(account)?;
        (owner.sid == dialout.account_sid).then_some(account)
    }

    /// Dials the stage that comes next, with this offer.
    fn dial_stage(&mut self, cx: &mut Core, offer: Box<[u8]>) {
        let Some(staged) = &self.dialout else { return };
        let dialout = staged.dialout.clone();
        let (target, other, next_branch) = match &staged.step {
            Step::One => (dialout.stage_one, dialout.stage_two, 0),
            Step::Up(up) => (dialout.stage_two, dialout.stage_one, up.next_branch),
        };
        let hides = dialout.attributes.hide_origination_did;
        let shown = if hides { dialout.redirect_did } else { other };
        let found = match self.account(cx) {
            None => Err(404),
            Some(account) => {
                let start = Start::Dialout { account, dialout: &dialout, target, shown };
                find_way(cx, start, (&mut self.holds, &mut self.media)).map_err(|no_way| {
                    match no_way {
                        NoWay::NoRoute(why, _) => why.status(),
                        NoWay::Limited(_) | NoWay::NoMediaPort => 503,
                    }
                })
            }
        };
        let routed = match found {
            Ok(routed) => routed,
            Err(status) => {
                return self.stage_failed(cx, Answer::plain(status), Originator::System);
            }
        };
        for claim in &routed.claims {
            cx.outputs.push_back(Output::StoreClaim { call: self.sid, change: claim.clone() });
        }
        self.dial = Some(Box::new(Dial::of_stage(cx, routed, offer, next_branch)));
        self.next_attempt(cx);
    }

    /// A 1xx of the stage that is dialled: stage one is to hear that stage two rings.
    pub(crate) fn stage_rings(
        &mut self,
        cx: &mut Core,
        status: u16,
        early: Option<EarlyDialog>,
        sdp: Option<&Bytes>,
    ) {
        let is_two = self.a.is_some();
        let call = self.sid;
        let Some(dial) = &mut self.dial else { return };
        // RFC 6228: a fork has ended.
        if status == 199 {
            return;
        }
        let before = dial.rang.replace(status);
        let is_first = before.is_none();
        // It may have stopped what stage one heard of it: whether it has, the next packets show.
        let falls_back = status == 180 && before != Some(180);
        let ringback = dial.routed.ringback;
        // Another one rings after the one that was heard has failed.
        let is_anew = early.is_some() && dial.speaking.is_none();
        if early.is_some() && (sdp.is_some() || is_anew) {
            self.hear_from(cx, early);
        }
        if is_first {
            let rings =
                if is_two { Event::StageTwoRinging { call } } else { Event::CallRinging { call } };
            cx.event(rings);
        }
        if !is_two {
            return;
        }
        match (ringback, sdp.is_some()) {
            (Ringback::Passthrough, true) => self.hear(cx, Side::A, Hear::Peer),
            (Ringback::Passthrough | Ringback::Ringing, _) if is_first || is_anew || falls_back => {
                let Some(staged) = &self.dialout else { return };
                let number = staged.dialout.stage_two;
                let sound = (Sound::Tone { tone: Tone::Ringing, number }, Repeat::Forever);
                self.play_until_peer(cx, (Side::A, Purpose::Ringback), sound);
            }
            (
                Ringback::Passthrough | Ringback::Ringing | Ringback::Silence | Ringback::HoldMusic,
                _,
            ) => {}
        }
    }

    /// The stage that is dialled has answered, and what was claimed on its way is stored.
    pub(crate) fn stage_answered(&mut self, cx: &mut Core, sdp: Option<Body>) {
        let is_one = self.dialout.as_ref().is_some_and(|it| matches!(it.step, Step::One));
        let side = if is_one { Side::A } else { Side::B };
        let said = sdp.map(|sdp| sdp.bytes).unwrap_or_default();
        let offer = self.dial.as_ref().and_then(|dial| dial.offer.as_deref()).unwrap_or_default();
        if self.our_end(side).is_none_or(|end| suits(&said, offer, end).is_err()) {
            self.bye(cx, side, None);
            return self.stage_failed(cx, Answer::plain(488), Originator::System);
        }
        if let Some(record) = &mut self.record {
            record.codec = codec_of(&said);
        }
        let next_branch = self.dial.take().map_or(0, |dial| dial.next_branch);
        match side {
            Side::A => self.stage_one_is_up(cx, &said, next_branch),
            Side::B => self.join_stages(cx, &said),
        }
    }

    /// The two are joined: from here on it is a call like any other.
    fn join_stages(&mut self, cx: &mut Core, said: &[u8]) {
        let takes_one = self.stage_two_is_offered().zip(self.our_end(Side::A));
        let takes_one = takes_one.and_then(|(offer, end)| suits(said, &offer, end).ok());
        let Some(staged) = self.dialout.take() else { return };
        self.join(cx, cx.now.saturating_since(staged.began));
        // It favours another codec, or has changed its mind since stage two was called (RFC 3725 §4.1).
        if takes_one != Some(true) {
            self.realign_later(said);
        }
        self.realign(cx);
    }

    /// What stage one takes of what we have agreed on with it, as stage two is offered it; `None`: nothing.
    fn stage_two_is_offered(&self) -> Option<Box<[u8]>> {
        let Step::Up(up) = &self.dialout.as_ref()?.step else { return None };
        restricted(&up.said, self.a.as_ref()?.sdp.last()?).ok()
    }

    /// The stage that is dialled does not answer. Stage one hears it of stage two.
    pub(crate) fn stage_failed(&mut self, cx: &mut Core, answer: Answer, originator: Originator) {
        if let Some(mut dial) = self.dial.take() {
            dial.attempt_holds.release(&cx.ports);
        }
        let Some(staged) = &mut self.dialout else { return };
        if staged.failure().is_some() {
            return;
        }
        let Some(up) = staged.up() else {
            // Stage one is the record's source.
            let is_its = originator == Originator::Destination;
            let originator = if is_its { Originator::Source } else { originator };
            self.bye(cx, Side::A, None);
            return self.end(cx, originator, answer.status);
        };
        let (until, status) = (cx.now + FAILURE_TONE + FAILURE_GRACE, answer.status);
        up.doing = Doing::Failed { until, status, originator };
        let tone = if matches!(status, 486 | 600) { Tone::Busy } else { Tone::Reorder };
        let sound =
            (Sound::Tone { tone, number: staged.dialout.stage_two }, Repeat::For(FAILURE_TONE));
        self.play(cx, (Side::A, Purpose::Dialout), sound);
    }

    /// Stage one has heard why stage two does not answer.
    fn failure_heard(&mut self, cx: &mut Core) {
        let Some(end) = self.dialout.as_ref().and_then(|staged| staged.failure()) else { return };
        let reason = alloc::format!("SIP;cause={}", end.1);
        self.end_dialout(cx, end, Some(&reason));
    }

    /// Ends a dialout that is not joined, whatever it is doing.
    pub(crate) fn end_dialout(
        &mut self,
        cx: &mut Core,
        end: (Originator, u16),
        reason: Option<&str>,
    ) {
        self.bye(cx, Side::A, reason);
        self.forget_stages(cx, end);
    }

    /// Ends what there is of stage two, and the call. Where stage two has failed, that is what the record says.
    fn forget_stages(&mut self, cx: &mut Core, end: (Originator, u16)) {
        let Some(staged) = &self.dialout else { return };
        let failure = staged.failure();
        if failure.is_none() {
            self.drop_leg_b(cx);
        }
        let (originator, status) = failure.unwrap_or(end);
        self.end(cx, originator, status);
    }

    /// Stage one or stage two has sent BYE before the two were joined.
    pub(crate) fn stage_hung_up(&mut self, cx: &mut Core, side: Side) {
        match side {
            Side::A => self.forget_stages(cx, (Originator::Source, HUNG_UP)),
            // It has answered, and claims on its way are not stored yet; or it ends an early dialog.
            Side::B => {
                self.cancel_branches(cx, None, CancelReason::CallerGone);
                self.stage_failed(cx, Answer::plain(480), Originator::Destination);
            }
        }
    }

    /// Runs what is due of a dialout that is not joined.
    pub(crate) fn run_dialout_deadline(&mut self, cx: &mut Core) {
        let now = cx.now;
        let Some(up) = self.dialout.as_mut().and_then(|staged| staged.up()) else { return };
        if up.ends <= now {
            let reason = "SIP;cause=487;text=\"Call too long\"";
            return self.end_dialout(cx, (Originator::System, 480), Some(reason));
        }
        match up.doing {
            Doing::Confirming { asked, until: Some(until) } if until <= now => {
                self.not_confirmed(cx, asked);
            }
            Doing::Failed { until, .. } if until <= now => self.failure_heard(cx),
            Doing::Confirming { .. } | Doing::Announcing | Doing::Two | Doing::Failed { .. } => {}
        }
    }
}

/// The record of a dialout that begins; its end is not filled in.
fn new_record(core: &mut Core, dialout: &Arc<Dialout>) -> CallRecord {
    CallRecord {
        call: core.dice.sid(),
        kind: FlowKind::Dialout,
        binding: None,
        dialout: Some(dialout.clone()),
        endpoint: Some(dialout.account_sid),
        number_src: Some(dialout.stage_one),
        number_redirect: dialout.redirect_did,
        number_dst: dialout.stage_two,
        date_start: core.wall(),
        date_talk: None,
        date_stop: UnixMillis(0),
        sip_cause: 0,
        disconnect_originator: Originator::System,
        leg_a: LegA::Dialled(None),
        codec: None,
        figures: None,
        leg_b: None,
    }
}

fn announce(core: &mut Core, record: &CallRecord, dialout: &Dialout) {
    core.event(Event::CallStarted {
        call: record.call,
        started: Box::new(CallStarted {
            kind: record.kind,
            reference: Some(dialout.sid),
            account: Some(dialout.account_sid),
            caller: None,
            number_src: record.number_src,
            number_redirect: record.number_redirect,
            number_dst: record.number_dst,
            date_start: record.date_start,
        }),
    });
}
