//! Call records: what a call was, built while it runs (contract §5, Mediator CDR).

use alloc::boxed::Box;
use alloc::sync::Arc;

use mediator_media::Figures;
use mediator_model::{Binding, Dialout, Flow, Number, Sid, UnixMillis};

use crate::FlowKind;

/// Who ended a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Originator {
    /// The caller (`SRC`).
    Source,
    /// The called side (`DST`).
    Destination,
    /// Mediator itself (`SYSTEM`).
    System,
}

impl Originator {
    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "SRC",
            Self::Destination => "DST",
            Self::System => "SYSTEM",
        }
    }
}

/// One call, told afterwards.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// The call; also the record's id, `dr_sid`.
    pub call: Sid,
    /// The flow that ran it.
    pub kind: FlowKind,
    /// The first binding, whose attributes and dtmf the record shows.
    pub binding: Option<Arc<Binding>>,
    /// The dialout, of a call that we began.
    pub dialout: Option<Arc<Dialout>>,
    /// The endpoint that ran the flow: the mediator endpoint of a binding, else the one that was called.
    pub endpoint: Option<Sid>,
    /// The caller's number, of a dialout stage one's; `None` where the caller has none, or hides it.
    pub number_src: Option<Number>,
    /// The number dialled; of a dialout the one that both sides are called from.
    pub number_redirect: Number,
    /// The number behind the first binding; without one, the number dialled; of a dialout stage two's. What further
    /// bindings lead to is in [`DialledLeg::number_dst`].
    pub number_dst: Number,
    /// The caller's INVITE; of a dialout, when its time had come.
    pub date_start: UnixMillis,
    /// The answer, of a dialout stage two's; `None`: never.
    pub date_talk: Option<UnixMillis>,
    /// The end.
    pub date_stop: UnixMillis,
    /// The final code of leg A: 200 where it was answered. Of a dialout 200 where the two were joined, else why not:
    /// the final code of the stage that failed; 487 where stage one hung up; 480 where it did not confirm.
    pub sip_cause: u16,
    /// Who ended it.
    pub disconnect_originator: Originator,
    /// Leg A.
    pub leg_a: LegA,
    /// The codec that both sides agreed on last, by its registered name; `None`: none.
    pub codec: Option<&'static str>,
    /// What was counted of leg A's media and leg B's; `None`: it did not pass here.
    pub figures: Option<Box<[Figures; 2]>>,
    /// Leg B: the one that answered, else the one that was tried last; `None`: nothing was dialled.
    pub leg_b: Option<DialledLeg>,
}

impl CallRecord {
    /// The legs that we dialled.
    pub(crate) fn dialled_mut(&mut self) -> impl Iterator<Item = &mut DialledLeg> {
        let stage_one = match &mut self.leg_a {
            LegA::Incoming { .. } => None,
            LegA::Dialled(leg) => leg.as_deref_mut(),
        };
        stage_one.into_iter().chain(&mut self.leg_b)
    }
}

/// Leg A.
#[derive(Clone, Debug)]
pub enum LegA {
    /// It called us.
    Incoming {
        /// The endpoint that it came from.
        endpoint: Sid,
        /// Its Call-ID.
        call_id: Arc<str>,
        /// The way that its INVITE came.
        flow: Flow,
        /// The number that the source asserted (RFC 3325); `None` where it hides it.
        identity: Option<Number>,
    },
    /// We called it: stage one of a dialout, the one that answered, else the one that was tried last; `None`: nothing
    /// was dialled.
    Dialled(Option<Box<DialledLeg>>),
}

/// A leg that we dialled, from its INVITE on.
#[derive(Clone, Debug)]
pub struct DialledLeg {
    /// The endpoint that it went to.
    pub endpoint: Sid,
    /// Its Call-ID.
    pub call_id: Arc<str>,
    /// The way that the INVITE went.
    pub flow: Flow,
    /// The INVITE.
    pub date_start: UnixMillis,
    /// The caller as it was shown; `None`: anonymous.
    pub number_src: Option<Number>,
    /// The number that was asked for.
    pub number_dst: Number,
    /// Its final code: 408 and 503 where it gave none in time or could not be reached; 0 while it has none.
    pub sip_cause: u16,
}
