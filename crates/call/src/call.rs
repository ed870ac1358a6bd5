//! A call: leg A, the branches that may become leg B, leg B, and what is left to do until both are gone.
//!
//! The call is one machine with three stages. Dialling: leg A waits for its final response. Talking: both
//! legs are confirmed. Ending: the record is written and only transactions are left to run out. Each
//! transition happens in one place: [`Call::join`] and [`Call::end`].
//!
//! Invariant: leg A gets exactly one final response; every 2xx of a branch gets ACK; every confirmed dialog
//! gets BYE or has sent one.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use mediator_model::{Instant, Sid, UnixMillis};
use mediator_sip::dialog::ReliableSender;
use mediator_sip::message::Request;
use mediator_sip::transaction::ServerKey;
use mediator_sip::wheel::TimerId;

use crate::branch::Branch;
use crate::cdr::{CallRecord, Originator};
use crate::context::Core;
use crate::dial::Dial;
use crate::flows::Staged;
use crate::io::Event;
use crate::leg::{Leg, Side};
use crate::limits::Holds;
use crate::media::CallMedia;
use crate::request::Outgoing;

#[cfg(test)]
mod tests;

slotmap::new_key_type! {
    /// A call of one engine.
    pub struct CallKey;
}

/// A call that is ending and still there after this time is ended by force, and counted as a defect: every
/// transaction is over long before (timers B, F, H, 64*T1 after CANCEL).
const REAP_AFTER: Duration = Duration::from_mins(3);

/// Where a call stands.
#[derive(Debug)]
pub(crate) enum Stage {
    /// Leg A has no final response; of a dialout, its stages are not joined.
    Dialling,
    /// Both legs are joined, until `ends` at the latest.
    Talking { ends: Instant },
    /// Over, but for transactions that run out.
    Ending { reap_at: Instant },
}

/// The caller's INVITE, until its final response.
#[derive(Debug)]
pub(crate) struct CallerInvite {
    pub(crate) server: ServerKey,
    pub(crate) request: Request,
    pub(crate) arrived: Instant,
}

/// A call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) key: CallKey,
    pub(crate) sid: Sid,
    pub(crate) stage: Stage,
    pub(crate) invite: Option<Box<CallerInvite>>,
    /// A dialout whose stages are not joined yet.
    pub(crate) dialout: Option<Box<Staged>>,
    /// `None`: a dialout's stage one has not answered.
    pub(crate) a: Option<Leg>,
    /// Our reliable 1xx to the caller (RFC 3262).
    pub(crate) reliable: Option<Box<ReliableSender>>,
    pub(crate) dial: Option<Box<Dial>>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) b: Option<Leg>,
    pub(crate) outgoing: Vec<Outgoing>,
    pub(crate) holds: Holds,
    /// Its media here; `None`: the two sides send to each other.
    pub(crate) media: Option<Box<CallMedia>>,
    /// Taken when the call ends.
    pub(crate) record: Option<Box<CallRecord>>,
    /// Its entry in the wheel, at the earliest of its deadlines.
    pub(crate) timer: Option<TimerId>,
}

impl Call {
    /// A call that nobody has made yet, and its record.
    pub(crate) fn new(key: CallKey, record: Box<CallRecord>) -> Self {
        Self {
            key,
            sid: record.call,
            stage: Stage::Dialling,
            invite: None,
            dialout: None,
            a: None,
            reliable: None,
            dial: None,
            branches: Vec::new(),
            b: None,
            outgoing: Vec::new(),
            holds: Holds::default(),
            media: None,
            record: Some(record),
            timer: None,
        }
    }

    /// A side's leg, where it has one.
    pub(crate) fn leg_mut(&mut self, side: Side) -> Option<&mut Leg> {
        match side {
            Side::A => self.a.as_mut(),
            Side::B => self.b.as_mut(),
        }
    }

    /// A side's leg, where it has one.
    pub(crate) fn leg(&self, side: Side) -> Option<&Leg> {
        match side {
            Side::A => self.a.as_ref(),
            Side::B => self.b.as_ref(),
        }
    }

    /// Whether both legs are joined.
    pub(crate) const fn is_talking(&self) -> bool {
        matches!(self.stage, Stage::Talking { .. })
    }

    /// Whether it is over, but for transactions.
    pub(crate) const fn is_ending(&self) -> bool {
        matches!(self.stage, Stage::Ending { .. })
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_gone(&self) -> bool {
        let is_done = |leg: &Leg| !leg.waits();
        self.is_ending()
            && self.media.is_none()
            && self.branches.is_empty()
            && self.outgoing.is_empty()
            && Side::BOTH.iter().all(|side| self.leg(*side).is_none_or(is_done))
    }

    /// Both sides are connected: the caller has its 200.
    pub(crate) fn join(&mut self, cx: &mut Core, setup: Duration) {
        self.stage = Stage::Talking { ends: cx.now + cx.settings.max_call_duration };
        let talk = cx.wall();
        // The answer to a late offer comes with the ACK.
        let answered = self.b.as_ref().is_none_or(|b| b.owed_ack.is_none());
        let mut codec = None;
        if let Some(record) = &mut self.record {
            record.date_talk = Some(talk);
            record.sip_cause = 200;
            if answered {
                record.codec = record.codec.or(self.a.as_ref().and_then(|a| a.sdp.codec()));
            }
            codec = record.codec;
        }
        // A held call keeps nothing that only dialling needed.
        self.branches.shrink_to_fit();
        self.outgoing.shrink_to_fit();
        self.join_media(cx);
        cx.counters.calls_answered.add_one();
        cx.event(Event::CallAnswered { call: self.sid, setup, date_talk: talk, codec });
    }

    /// An answer has crossed, towards `side`: what it favours is the codec.
    pub(crate) fn note_codec(&mut self, cx: &mut Core, side: Side) {
        let Some(codec) = self.leg(side).map(|leg| leg.sdp.codec()) else { return };
        let talking = self.is_talking();
        let Some(record) = &mut self.record else { return };
        if record.codec != codec {
            record.codec = codec;
            if talking {
                cx.event(Event::CodecAgreed { call: self.sid, codec });
            }
        }
    }

    /// What became of an INVITE of ours, where the record still tells of that one.
    pub(crate) fn note_dialled(&mut self, call_id: &Arc<str>, sip_cause: u16) {
        let legs = self.record.iter_mut().flat_map(|record| record.dialled_mut());
        for leg in legs.filter(|leg| Arc::ptr_eq(&leg.call_id, call_id)) {
            leg.sip_cause = sip_cause;
        }
    }

    /// The side that is dialled: of a dialout stage one until it has answered, else leg B.
    pub(crate) const fn dialled_side(&self) -> Side {
        if self.a.is_none() { Side::A } else { Side::B }
    }

    /// The call is over: writes its record and gives back what it held. Only the first time counts.
    pub(crate) fn end(&mut self, cx: &mut Core, originator: Originator, final_code: u16) {
        if self.is_ending() {
            return;
        }
        self.stage = Stage::Ending { reap_at: cx.now + REAP_AFTER };
        if let Some(mut dial) = self.dial.take() {
            dial.attempt_holds.release(&cx.ports);
        }
        self.reliable = None;
        self.dialout = None;
        for leg in self.a.iter_mut().chain(&mut self.b) {
            leg.session.stop();
        }
        self.holds.release(&cx.ports);
        cx.counters.calls_ended.add_one();
        let stop: UnixMillis = cx.wall();
        if let Some(mut record) = self.record.take() {
            record.date_stop = stop;
            record.disconnect_originator = originator;
            if record.date_talk.is_none() {
                record.sip_cause = final_code;
            }
            for leg in record.dialled_mut().filter(|leg| leg.sip_cause == 0) {
                // It is being cancelled.
                leg.sip_cause = 487;
            }
            self.tell_record(cx, record);
        }
    }

    /// The earliest deadline of everything in it.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let stage = match self.stage {
            Stage::Dialling => self.dial.as_ref().map(|dial| dial.deadline()),
            Stage::Talking { ends } => Some(ends),
            Stage::Ending { reap_at } => Some(reap_at),
        };
        let branches = self.branches.iter().filter_map(Branch::deadline).min();
        let reliable = self.reliable.as_ref().and_then(|reliable| reliable.next_deadline());
        let b = self.b.as_ref().and_then(Leg::next_deadline);
        let outgoing = self.outgoing.iter().filter_map(Outgoing::deadline).min();
        let a = self.a.as_ref().and_then(Leg::next_deadline);
        let dialout = self.dialout.as_ref().and_then(|dialout| dialout.deadline());
        let realign = self.realign_deadline();
        [stage, branches, reliable, outgoing, dialout, a, b, realign].into_iter().flatten().min()
    }

    /// Runs everything that is due.
    pub(crate) fn handle_deadline(&mut self, cx: &mut Core) {
        self.run_branch_deadlines(cx);
        self.run_reliable_deadline(cx);
        self.run_outgoing_deadlines(cx);
        self.run_leg_deadlines(cx, Side::A);
        self.run_leg_deadlines(cx, Side::B);
        self.run_dialout_deadline(cx);
        self.realign(cx);
        let now = cx.now;
        match self.stage {
            Stage::Dialling => {
                if self.dial.as_ref().is_some_and(|dial| dial.ring_until <= now) {
                    self.give_up_ringing(cx);
                }
                self.run_expiry(cx);
                self.remind_caller(cx);
            }
            Stage::Talking { ends } if ends <= now => {
                self.hang_up(cx, Originator::System, Some("SIP;cause=487;text=\"Call too long\""));
            }
            Stage::Ending { reap_at } if reap_at <= now => self.reap(cx),
            Stage::Talking { .. } | Stage::Ending { .. } => {}
        }
    }

    /// Forgets what should have ended by itself. Seen in a simulation, this fails the test.
    fn reap(&mut self, cx: &mut Core) {
        cx.counters.calls_reaped.add_one();
        cx.event(Event::Bug { call: Some(self.sid), what: "an ended call did not go away" });
        self.forget_media(cx);
        self.branches.clear();
        self.outgoing.clear();
        for leg in self.a.iter_mut().chain(&mut self.b) {
            leg.unacknowledged = None;
            leg.take_queue();
        }
    }
}
