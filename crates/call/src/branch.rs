//! A branch: one INVITE of leg B, from its sending to its final response (RFC 3261 §13.2, §16.7 for several at once).
//!
//! A branch that is not wanted any more lives on until its transaction ends: a 200 that crosses its CANCEL
//! gets ACK and BYE.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;

use bytes::Bytes;
use mediator_model::{EndpointIndex, Flow, Instant, Sid, TrunkIndex};
use mediator_sip::dialog::{
    EarlyDialogs, ForkId, OfferAnswer, ReliableReceiver, SessionTimer, TimerOffer,
};
use mediator_sip::transaction::ClientKey;
use smallvec::SmallVec;

use crate::leg::LocalSdp;
use crate::request::{Body, LoginOf, Met};

/// How far a branch has come.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Its address is asked for; nothing was sent. At `until` the trunk has had its time.
    Resolving { until: Instant },
    /// The INVITE is out; nothing has come back. At `until` the trunk has had its time.
    Calling { client: ClientKey, until: Instant },
    /// A 1xx has come.
    Proceeding { client: ClientKey },
}

/// Whether a branch is still wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    /// It may win.
    Yes,
    /// CANCEL goes out as soon as a 1xx has come (RFC 3261 §9.1).
    Cancel(CancelReason),
    /// CANCEL is out.
    Cancelled,
}

/// Why a branch is cancelled, as its phone may show it (RFC 3326).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CancelReason {
    /// The caller has given up, or nobody answered in time.
    CallerGone,
    /// Another phone has answered: no missed call.
    AnsweredElsewhere,
}

impl CancelReason {
    pub(crate) const fn value(self) -> Option<&'static str> {
        match self {
            Self::CallerGone => None,
            Self::AnsweredElsewhere => Some("SIP;cause=200;text=\"Call completed elsewhere\""),
        }
    }
}

/// One early dialog of a branch.
#[derive(Debug)]
pub(crate) struct Fork {
    pub(crate) id: ForkId,
    pub(crate) offer_answer: OfferAnswer,
    pub(crate) reliable: ReliableReceiver,
    /// RSeq and CSeq of a reliable 1xx that made an offer: its PRACK waits for the caller's answer.
    pub(crate) owed_prack: Option<(u32, u32)>,
    pub(crate) allows_update: bool,
    /// The SDP that counts until its 2xx, which need not repeat it (RFC 3262 §5): the caller may not have seen it.
    pub(crate) said: Option<Bytes>,
}

/// Where a branch goes.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) trunk: TrunkIndex,
    pub(crate) trunk_sid: Sid,
    pub(crate) endpoint: EndpointIndex,
    pub(crate) endpoint_sid: Sid,
    /// The Request-URI.
    pub(crate) uri: Box<[u8]>,
    /// The value of To.
    pub(crate) to: Box<[u8]>,
    /// A registered phone: requests go back over its flow.
    pub(crate) by_flow: bool,
    /// Whose credentials meet its challenges.
    pub(crate) login: LoginOf,
}

/// One INVITE of leg B.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) id: u16,
    pub(crate) call_id: Arc<str>,
    pub(crate) phase: Phase,
    pub(crate) wanted: Wanted,
    pub(crate) destination: Destination,
    /// Further addresses of the same name, in order (RFC 3263 §4.3).
    pub(crate) more_flows: VecDeque<Flow>,
    pub(crate) flow: Flow,
    pub(crate) dialogs: EarlyDialogs,
    pub(crate) offer_answer: OfferAnswer,
    pub(crate) forks: SmallVec<[Fork; 1]>,
    pub(crate) sdp: LocalSdp,
    pub(crate) body: Option<Body>,
    pub(crate) session: SessionTimer,
    pub(crate) timer: TimerOffer,
    /// The challenges that its INVITE has met.
    pub(crate) met: Met,
}

impl Branch {
    pub(crate) const fn client(&self) -> Option<ClientKey> {
        match self.phase {
            Phase::Resolving { .. } => None,
            Phase::Calling { client, .. } | Phase::Proceeding { client } => Some(client),
        }
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted == Wanted::Yes
    }

    /// The deadline of the trunk's first sign of life.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Calling { until, .. } | Phase::Resolving { until } if self.is_wanted() => {
                Some(until)
            }
            Phase::Calling { .. } | Phase::Resolving { .. } | Phase::Proceeding { .. } => None,
        }
    }

    pub(crate) fn fork_mut(&mut self, id: ForkId) -> Option<&mut Fork> {
        self.forks.iter_mut().find(|fork| fork.id == id)
    }
}
