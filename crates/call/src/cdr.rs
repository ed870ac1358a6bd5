//! Call records: what a call was, built while it runs (contract §5, Mediator CDR).

use alloc::boxed::Box;
use alloc::sync::Arc;

use mediator_model::{Binding, Number, Sid, UnixMillis};

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
    /// The endpoint that ran the flow: the mediator endpoint of a binding, else the one that was called.
    pub endpoint: Option<Sid>,
    /// The endpoint that the call came from.
    pub endpoint_src: Sid,
    /// The endpoint that leg B went to last.
    pub endpoint_dst: Option<Sid>,
    /// The caller's number.
    pub number_src: Option<Number>,
    /// The number dialled.
    pub number_redirect: Number,
    /// The number that leg B was asked for.
    pub number_dst: Option<Number>,
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
    pub call_id_src: Box<str>,
    /// Call-ID of the leg B that was tried last.
    pub call_id_dst: Option<Box<str>>,
}
