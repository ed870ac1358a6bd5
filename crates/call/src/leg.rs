//! A leg: our end of one dialog, with its offer/answer state, session timer and way to the peer.
//!
//! UAC and UAS are roles of a transaction, not of a leg: leg A is where the call came from, leg B where it went.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use mediator_media::Side;
use mediator_model::{Flow, Instant, Sid};
use mediator_sip::dialog::{
    Dialog, Negotiated, OfferAnswer, Retransmit2xx, SessionTimer, SessionTimerSettings, TimerOffer,
};
use mediator_sip::message::{Headers, Method};
use mediator_sip::sdp::{Allowed, Crossing, same_content};
use mediator_sip::transaction::ServerKey;

use crate::context::{Core, Hop};
use crate::media::{Role, Uncrossed, Way, written};
use crate::request::{Ack, Body, LoginOf, Met, Queued};

/// ACKs that a leg remembers; re-INVITEs that follow each other faster than that lose the oldest.
const MAX_SENT_ACKS: usize = 8;

/// The SDP that we send on a leg: our own o= line, whose version grows with each change (RFC 3264 §8).
#[derive(Clone, Debug)]
pub(crate) struct LocalSdp {
    session_id: u64,
    version: u64,
    last: Option<Arc<[u8]>>,
    /// What an offer that is under way would replace, and what stands where it is refused.
    replaced: Option<Arc<[u8]>>,
    /// What the last description favours.
    codec: Option<&'static str>,
}

impl LocalSdp {
    /// None sent yet; `session_id` is random, so that it says nothing.
    pub(crate) const fn new(session_id: u64) -> Self {
        // 62 bits: some peers read o= into signed 64-bit integers.
        Self { session_id: session_id >> 2, version: 1, last: None, replaced: None, codec: None }
    }

    /// Writes the other side's SDP anew for this leg (contract §2, allow-list).
    pub(crate) fn cross(
        &mut self,
        theirs: &[u8],
        role: Role<'_>,
        way: Way,
    ) -> Result<Arc<[u8]>, Uncrossed> {
        written(theirs, (role, way), |allowed| self.write(allowed, way))
    }

    fn write(&mut self, allowed: &Allowed<'_>, way: Way) -> Arc<[u8]> {
        let crossing = Crossing {
            session_id: self.session_id,
            session_version: self.version,
            our_address: way.origin,
        };
        self.codec = allowed.codec();
        let written: Arc<[u8]> = Arc::from(&*allowed.write(&crossing));
        let Some(last) = &self.last else {
            self.last = Some(written.clone());
            return written;
        };
        if same_content(last, &written) {
            return last.clone();
        }
        self.version += 1;
        let crossing = Crossing { session_version: self.version, ..crossing };
        let written: Arc<[u8]> = Arc::from(&*allowed.write(&crossing));
        self.last = Some(written.clone());
        written
    }

    /// As [`cross`](Self::cross), for an offer: until it is accepted the session is as it was.
    pub(crate) fn offer(&mut self, theirs: &[u8], way: Way) -> Result<Arc<[u8]>, Uncrossed> {
        let before = self.last.clone();
        let written = self.cross(theirs, Role::Offer, way)?;
        self.replaced = before;
        Ok(written)
    }

    /// The offer that was under way is accepted.
    pub(crate) fn settle(&mut self) {
        self.replaced = None;
    }

    /// The offer that was under way is refused: the session stays as it was (RFC 3264 §8). Its version is used up.
    pub(crate) fn roll_back(&mut self) {
        if let Some(before) = self.replaced.take() {
            self.last = Some(before);
        }
    }

    /// What the description that crossed last favours: of an answer, the codec that was agreed on.
    pub(crate) const fn codec(&self) -> Option<&'static str> {
        self.codec
    }

    /// What was sent last, and not refused.
    pub(crate) const fn last(&self) -> Option<&Arc<[u8]>> {
        self.last.as_ref()
    }
}

/// A 2xx to an INVITE that waits for its ACK.
#[derive(Debug)]
pub(crate) struct Unacknowledged {
    pub(crate) server: ServerKey,
    pub(crate) retransmit: Retransmit2xx,
}

/// The ACK that was sent for a 2xx, repeated for each repeated 2xx: what it is written of once more, which takes a
/// quarter of its bytes.
#[derive(Debug)]
struct SentAck {
    cseq: u32,
    branch: Box<str>,
    body: Option<Body>,
    met: Option<Box<(u32, Met)>>,
    /// After this time no repetition can come (64*T1).
    until: Instant,
}

impl SentAck {
    fn parts(&self) -> Ack<'_> {
        let met = self.met.as_ref().map(|met| &met.1);
        Ack { cseq: self.cseq, branch: &self.branch, body: self.body.as_ref(), met }
    }
}

/// What a leg has for seconds, while a call lasts for minutes.
#[derive(Debug, Default)]
struct Passing {
    /// Requests that wait until the target is resolved.
    queue: Vec<Queued>,
    /// One for each 2xx that may come again: a re-INVITE may follow before the ACK of the last one has arrived.
    sent_acks: Vec<SentAck>,
}

/// Our end of one dialog.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not depend on each other, no states"
)]
pub(crate) struct Leg {
    pub(crate) dialog: Dialog,
    /// Where requests of ours go.
    pub(crate) flow: Flow,
    /// Requests go back over the flow that the peer's came on, whatever its Contact says (NAT).
    pub(crate) by_flow: bool,
    /// The target is a name and the resolver has not answered: requests wait in `queue`.
    pub(crate) resolving: bool,
    /// It gets BYE once its 2xx is acknowledged (RFC 3261 §15: not before).
    pub(crate) bye_after_ack: bool,
    pub(crate) endpoint: Sid,
    pub(crate) offer_answer: OfferAnswer,
    pub(crate) sdp: LocalSdp,
    pub(crate) session: SessionTimer,
    /// A session timer agreed in a transaction that is not over yet.
    pub(crate) agreed: Option<Negotiated>,
    pub(crate) allows_update: bool,
    /// The peer knows of the dialog: until a request of its shows so, our response that made it may be lost, and
    /// a request of ours would get 481.
    pub(crate) is_known: bool,
    pub(crate) unacknowledged: Option<Box<Unacknowledged>>,
    /// `None` most of the time.
    passing: Option<Box<Passing>>,
    /// Whose credentials meet the peer's challenges.
    pub(crate) login: LoginOf,
    /// The CSeq number of an INVITE of ours and its credentials, for the ACK of its 2xx.
    pub(crate) met: Option<Box<(u32, Met)>>,
    /// The CSeq number of an INVITE of ours whose 2xx made an offer: its ACK waits for the other side's answer.
    pub(crate) owed_ack: Option<u32>,
}

impl Leg {
    pub(crate) const fn new(dialog: Dialog, flow: Flow, endpoint: Sid, sdp: LocalSdp) -> Self {
        Self {
            dialog,
            flow,
            by_flow: false,
            resolving: false,
            bye_after_ack: false,
            endpoint,
            offer_answer: OfferAnswer::new(),
            sdp,
            session: SessionTimer::new(),
            agreed: None,
            allows_update: false,
            is_known: false,
            unacknowledged: None,
            passing: None,
            login: LoginOf::Endpoint,
            met: None,
            owed_ack: None,
        }
    }

    /// Notes what the peer says that it understands.
    pub(crate) fn learn_abilities(&mut self, message: &Headers) {
        if let Some(allows) = message.allows(Method::Update) {
            self.allows_update = allows;
        }
    }

    /// Where the next request goes, after the remote target or the route set has changed. Returns the name to
    /// resolve first, where there is one.
    pub(crate) fn aim(&mut self, cx: &Core) -> Option<Hop> {
        if self.by_flow {
            return None;
        }
        match cx.hop_to(self.dialog.next_hop()) {
            Hop::Flow(flow) => {
                self.aim_at(flow);
                None
            }
            // Nothing better is known than where the peer's messages come from.
            Hop::Unreachable => None,
            name @ Hop::Name { .. } => {
                self.resolving = true;
                Some(name)
            }
        }
    }

    /// A request of the peer came this way. A phone that has moved to another port or network is found nowhere else;
    /// of others a new connection is taken, as theirs may be the only one that can be made (RFC 5923).
    pub(crate) fn follow(&mut self, flow: Flow) {
        if self.by_flow {
            self.flow = flow;
        } else if flow.connection.is_some()
            && flow.transport == self.flow.transport
            && flow.remote.ip() == self.flow.remote.ip()
        {
            self.flow.connection = flow.connection;
        }
    }

    /// Aims at an address. A stream's connection is kept while it lives: peers need not listen (RFC 5923, RFC 5626).
    pub(crate) fn aim_at(&mut self, flow: Flow) {
        let connection =
            if flow.transport == self.flow.transport { self.flow.connection } else { None };
        let listener =
            if flow.transport == self.flow.transport { self.flow.listener } else { flow.listener };
        self.flow = Flow { connection, listener, ..flow };
    }

    /// ACKs a 2xx of the peer, with the credentials of its INVITE (RFC 3261 §13.2.2.4).
    pub(crate) fn acknowledge(&mut self, cx: &mut Core, cseq: u32, body: Option<Body>) {
        let met = self.met.take_if(|met| met.0 == cseq);
        let branch = cx.dice.branch().into();
        let until = cx.now + cx.settings.timers.patience();
        let ack = SentAck { cseq, branch, body, met, until };
        cx.acknowledge(&self.dialog, self.flow, ack.parts());
        self.keep_ack(ack);
    }

    /// Sends the ACK of a 2xx that has come again; `false`: there was none.
    pub(crate) fn acknowledge_again(&self, cx: &mut Core, cseq: u32) -> bool {
        let mut acks = self.passing.iter().flat_map(|passing| &passing.sent_acks);
        let Some(ack) = acks.find(|ack| ack.cseq == cseq) else { return false };
        cx.acknowledge(&self.dialog, self.flow, ack.parts());
        true
    }

    /// Keeps an ACK for the copies of its 2xx.
    fn keep_ack(&mut self, ack: SentAck) {
        let acks = &mut self.passing.get_or_insert_default().sent_acks;
        acks.retain(|known| known.cseq != ack.cseq);
        if acks.len() == MAX_SENT_ACKS {
            acks.remove(0);
        }
        acks.reserve_exact(1);
        acks.push(ack);
    }

    /// Forgets ACKs whose 2xx cannot come again.
    pub(crate) fn forget_acks(&mut self, now: Instant) {
        let Some(passing) = &mut self.passing else { return };
        passing.sent_acks.retain(|ack| ack.until > now);
        if passing.sent_acks.is_empty() && passing.queue.is_empty() {
            self.passing = None;
        }
    }

    /// Keeps a request until the target is resolved.
    pub(crate) fn wait(&mut self, request: Queued) {
        self.passing.get_or_insert_default().queue.push(request);
    }

    /// The requests that wait, which wait no longer.
    pub(crate) fn take_queue(&mut self) -> Vec<Queued> {
        self.passing.as_mut().map(|passing| core::mem::take(&mut passing.queue)).unwrap_or_default()
    }

    /// Whether a response of ours waits for its ACK, or a request of ours for its way.
    pub(crate) fn waits(&self) -> bool {
        self.unacknowledged.is_some()
            || self.passing.as_ref().is_some_and(|passing| !passing.queue.is_empty())
    }

    /// The earliest of this leg's deadlines.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let unacknowledged = self.unacknowledged.as_ref().map(|u| u.retransmit.next_deadline());
        let acks = self.passing.iter().flat_map(|passing| &passing.sent_acks);
        let forget = acks.map(|ack| ack.until).min();
        [unacknowledged, forget, self.session.next_deadline()].into_iter().flatten().min()
    }

    /// What our next INVITE or UPDATE says about the session timer.
    pub(crate) fn timer_offer(&self, cx: &Core) -> TimerOffer {
        self.session.offer(&timer_settings(cx))
    }
}

/// The operator's session timer in RFC 4028's units.
pub(crate) fn timer_settings(cx: &Core) -> SessionTimerSettings {
    let seconds = |span: core::time::Duration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
    SessionTimerSettings {
        session_expires: seconds(cx.settings.session_expires),
        min_se: seconds(cx.settings.min_se),
    }
}
