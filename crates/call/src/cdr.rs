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
    /// The endpoint that the call came from.
    pub endpoint_src: Sid,
    /// The caller's number; `None` where it has none, or hides it.
    pub number_src: Option<Number>,
    /// The number dialled.
    pub number_redirect: Number,
    /// The number behind the first binding; without one, the number dialled. What further bindings lead to is in
    /// [`LegB::number_dst`].
    pub number_dst: Number,
    /// The caller's INVITE.
    pub date_start: UnixMillis,
    /// The answer; `None`: never.
    pub date_talk: Option<UnixMillis>,
    /// The end.
    pub date_stop: UnixMillis,
    /// The final code of leg A: 200 where it was answered.
    pub sip_cause: u16,
    /// Who ended it.
    pub disconnect_originator: Originator,
    /// Call-ID of leg A.
    pub call_id_src: Arc<str>,
    /// The way that the caller's INVITE came.
    pub flow_src: Flow,
    /// The number that the source asserted (RFC 3325); `None` where it hides it.
    pub identity: Option<Number>,
    /// The codec that both sides agreed on last, by its registered name; `None`: none.
    pub codec: Option<&'static str>,
    /// What was counted of leg A's media and leg B's; `None`: it did not pass here.
    pub figures: Option<Box<[Figures; 2]>>,
    /// Leg B: the one that answered, else the one that was tried last; `None`: nothing was dialled.
    pub leg_b: Option<LegB>,
}

/// Leg B, from its INVITE on.
#[derive(Clone, Debug)]
pub struct LegB {
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
