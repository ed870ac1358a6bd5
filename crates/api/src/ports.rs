//! What the API asks of the process that it lives in: the calls that are up, where a call would go, and the time.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::record::MediaFigures;
use mediator_store::{Calls, Store};

use crate::catalog::Catalog;

/// Where a call is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallState {
    /// Its way is looked for, or leg B was asked and has not rung.
    Routing,
    /// Leg B rings.
    Ringing,
    /// The two are joined.
    Answered,
    /// BYEs and CANCELs are under way.
    Ending,
}

impl CallState {
    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Routing => "routing",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Ending => "ending",
        }
    }
}

/// One leg of a live call.
#[derive(Clone, PartialEq, Debug)]
pub struct LiveLeg {
    /// The endpoint on it; `None`: not chosen yet.
    pub endpoint_sid: Option<Sid>,
    /// Where it is.
    pub state: CallState,
    /// Its Call-ID.
    pub sip_call_id: Option<Box<str>>,
    /// The codec that was agreed on.
    pub codec: Option<Box<str>>,
    /// What was heard so far.
    pub media: MediaFigures,
}

/// What was heard on one leg of a live call so far.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LegMedia {
    /// The codec that it speaks.
    pub codec: Option<&'static str>,
    /// What was counted.
    pub figures: MediaFigures,
}

/// A call that is up.
#[derive(Clone, PartialEq, Debug)]
pub struct LiveCall {
    /// Its id.
    pub call_sid: Sid,
    /// The mediator endpoint whose flow runs it; `None`: none, the operator alone sees it.
    pub account_sid: Option<Sid>,
    /// `binding`, `dialout` or `inbound`.
    pub kind: &'static str,
    /// Where it is.
    pub state: CallState,
    /// The binding or dialout.
    pub reference_sid: Option<Sid>,
    /// The caller's number, or stage one's.
    pub number_src: Option<Number>,
    /// The number between them.
    pub number_redirect: Number,
    /// The number called, or stage two's.
    pub number_dst: Option<Number>,
    /// The beginning.
    pub date_start: UnixMillis,
    /// When the two were joined.
    pub date_talk: Option<UnixMillis>,
    /// Leg A, the caller's or stage one's.
    pub leg_a: LiveLeg,
    /// Leg B, where one was begun.
    pub leg_b: Option<LiveLeg>,
}

/// What a call from one number to another would meet.
#[derive(Clone, PartialEq, Debug)]
pub struct Explanation {
    /// The DID that was asked for; `None`: the number is none here.
    pub did: Option<Number>,
    /// The endpoint behind it.
    pub endpoint: Option<Sid>,
    /// The binding that decides.
    pub binding_sid: Option<Sid>,
    /// `exact`, `any`, `claim`, `none` or `unknown_did`.
    pub rule: &'static str,
    /// The number that leg B would see; `None`: anonymous, or no call.
    pub caller_id: Option<Box<str>>,
    /// The number that leg B would be asked for.
    pub destination_did: Option<Number>,
    /// What would be tried, in order: a trunk's name and an address.
    pub trunks: Vec<(Box<str>, Box<str>)>,
    /// What the caller would get instead of a call; `None`: it would be dialled.
    pub sip_code: Option<u16>,
}

/// The process, as far as the API needs it.
pub trait Process: Send + Sync {
    /// The wall clock.
    fn now(&self) -> UnixMillis;
    /// The calls that are up, in the order in which they began.
    fn live_calls(&self) -> Vec<LiveCall>;
    /// One of them.
    fn live_call(&self, call_sid: Sid) -> Option<LiveCall>;
    /// What was heard so far on the legs of these calls; left out are calls whose media do not pass here, and those of which
    /// nothing could be learned in time.
    fn live_media(&self, calls: Vec<Sid>) -> BoxFuture<'_, HashMap<Sid, [LegMedia; 2]>>;
    /// Ends a call with BYE or CANCEL on both legs; the call is gone a moment later.
    fn hang_up(&self, call_sid: Sid);
    /// Where a call from `from` (`None`: anonymous) to `to` would go. Places no call, claims nothing.
    fn explain(&self, from: Option<Number>, to: Number) -> Explanation;
    /// A dialout was made or changed, or is gone: whoever waits for its time looks again.
    fn dialouts_changed(&self);
    /// A callback may be due: whoever delivers looks again.
    fn deliveries_changed(&self);
}

/// All that handlers need; cheap to clone.
#[derive(Clone)]
pub struct Backend {
    /// Objects.
    pub store: Arc<dyn Store>,
    /// Call records and deliveries.
    pub calls: Arc<dyn Calls>,
    /// The small objects, in memory.
    pub catalog: Arc<Catalog>,
    /// The process.
    pub process: Arc<dyn Process>,
}
