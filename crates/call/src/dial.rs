//! Dialling: attempts in order, branches of one attempt together, failover, and the verdict that the caller gets.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

use mediator_model::{
    AddressHost, AdmissionRefused, Directory, Endpoint, EndpointIndex, Flow, Instant, ListenerId,
    Number, NumberFormat, Ringback, Sid, Transport, TrunkIndex,
};
use mediator_sip::dialog::Side as Speaker;
use mediator_sip::dialog::{Carrier, EarlyDialogs, NewDialog, OfferAnswer, Sdp, SessionTimer};
use mediator_sip::message::Method;
use mediator_sip::{HeaderName, Text};
use smallvec::SmallVec;

use crate::address::{
    USUAL_ADDRESS_BYTES, USUAL_HOST_BYTES, from_value, put_address, write_identity,
};
use crate::branch::{Branch, CancelReason, Destination, Phase, Wanted};
use crate::call::Call;
use crate::cdr::{DialledLeg, LegA};
use crate::context::{ALLOW, ClientUse, Core, Hop, Resolving};
use crate::io::Event;
use crate::leg::{LocalSdp, Side, timer_settings};
use crate::limits::{Holds, admit_destination, hold_way, retry_after_seconds};
use crate::media::{Role, way};
use crate::prelude::Step;
use crate::request::{Body, EarlyDialog, LoginOf, MAX_FORWARDS, Met, write_parts, write_timer};
use crate::route::{Attempt, Routed};
use crate::verdict::{Failure, Verdict};

/// Room for most tags, so that each takes one allocation.
const USUAL_TAG_BYTES: usize = 48;

/// Branches that one attempt may ring together.
pub(crate) const MAX_PARALLEL: usize = 10;

/// Everything that is needed until the caller has its final response.
#[derive(Debug)]
pub(crate) struct Dial {
    pub(crate) directory: Arc<Directory>,
    pub(crate) routed: Routed,
    /// The caller's SDP; `None`: the offer comes late.
    pub(crate) offer: Option<Box<[u8]>>,
    pub(crate) max_forwards: u8,
    /// What the attempt under way holds, however many places it rings, one after the other or together.
    pub(crate) attempt_holds: Holds,
    /// The caller understands 100rel, or insists on it.
    pub(crate) caller_100rel: Caller100Rel,
    pub(crate) ring_until: Instant,
    /// The caller's own limit to its ringing: Expires of its INVITE (RFC 3261 §13.3.1).
    pub(crate) expires_at: Option<Instant>,
    pub(crate) next_branch: u16,
    /// The early dialog that the caller hears of.
    pub(crate) speaking: Option<EarlyDialog>,
    /// Code and SDP of the last 1xx to the caller, so that repetitions stop here.
    pub(crate) last_provisional: Option<(u16, bool)>,
    /// When the caller is told once more that it is to be answered; `None`: it was told nothing.
    pub(crate) remind_at: Option<Instant>,
    /// SDP of the speaking dialog was shown to the caller.
    pub(crate) sdp_shown: bool,
    /// Claims that are not durable yet: the caller's 200 waits for them.
    pub(crate) claims_pending: usize,
    /// Leg B has answered and the caller's 200 waits: its SDP.
    pub(crate) answer: Option<PendingAnswer>,
    pub(crate) verdict: Verdict,
    /// No attempt is left, and the verdict waits for `claims_pending`.
    pub(crate) failed: bool,
    pub(crate) dialled: bool,
    /// Redirects followed.
    pub(crate) redirects: u8,
    /// What is done before leg B is dialled, or instead.
    pub(crate) step: Step,
    /// The last 1xx of leg B.
    pub(crate) rang: Option<u16>,
    /// When the call began.
    pub(crate) began: Instant,
}

impl Dial {
    /// The earlier of its deadlines.
    pub(crate) fn deadline(&self) -> Instant {
        [self.remind_at, self.expires_at].into_iter().flatten().fold(self.ring_until, Instant::min)
    }

    /// A dialout's stage, with branches numbered from `next_branch` on, as none of its call has the number of another.
    pub(crate) fn of_stage(cx: &Core, routed: Routed, offer: Box<[u8]>, next_branch: u16) -> Self {
        Self {
            directory: cx.directory.clone(),
            claims_pending: routed.claims.len(),
            routed,
            offer: Some(offer),
            max_forwards: MAX_FORWARDS,
            attempt_holds: Holds::default(),
            caller_100rel: Caller100Rel::Supported,
            ring_until: cx.now + cx.settings.ring_timeout,
            expires_at: None,
            next_branch,
            speaking: None,
            last_provisional: None,
            remind_at: None,
            sdp_shown: false,
            answer: None,
            verdict: Verdict::default(),
            failed: false,
            dialled: false,
            redirects: 0,
            step: Step::default(),
            rang: None,
            began: cx.now,
        }
    }
}

/// Leg B's answer, while the caller's 200 waits.
#[derive(Debug)]
pub(crate) enum PendingAnswer {
    /// With this SDP.
    Sdp(Body),
    /// Its SDP came before, or there was none.
    Bare,
}

/// What the caller says of 100rel (RFC 3262 §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Caller100Rel {
    /// Not supported.
    No,
    /// Supported: used where SDP must arrive.
    Supported,
    /// Required for every 1xx.
    Required,
}

/// Why no INVITE left.
enum NotSent {
    Unreachable,
    BadSdp,
}

impl Call {
    /// Goes on to the next attempt that can be made; without any, the caller gets the verdict.
    pub(crate) fn next_attempt(&mut self, cx: &mut Core) {
        while let Some(attempt) =
            self.dial.as_mut().and_then(|dial| dial.routed.attempts.pop_front())
        {
            self.begin_attempt(cx, &attempt);
            if self.branches.iter().any(Branch::is_wanted) || self.dial.is_none() {
                return;
            }
        }
        self.fail_by_verdict(cx);
    }

    fn begin_attempt(&mut self, cx: &mut Core, attempt: &Attempt) {
        let Some(dial) = &mut self.dial else { return };
        dial.attempt_holds.release(&cx.ports);
        let directory = dial.directory.clone();
        let Some(owner) = directory.endpoint(attempt.endpoint()) else { return };
        match reserve(cx, &directory, attempt.trunk(), owner) {
            Ok(holds) => dial.attempt_holds = holds,
            Err(refused) => {
                return self.note_failure(Failure::Limited(retry_after_seconds(refused)));
            }
        }
        match attempt {
            Attempt::Address { trunk, endpoint, address } => {
                self.try_address(cx, (*trunk, *endpoint, *address));
            }
            Attempt::Phone { trunk, endpoint, contacts } => {
                for contact in contacts.iter().take(MAX_PARALLEL) {
                    let uri: Box<[u8]> = contact.uri.as_bytes().into();
                    let form = owner.number_format;
                    let Some(to) = self.phone_to(cx, &contact.flow, form) else { continue };
                    let Some(place) =
                        self.destination((*trunk, *endpoint), (uri, to), LoginOf::Endpoint)
                    else {
                        continue;
                    };
                    self.ring(cx, place, contact.flow, VecDeque::new());
                }
            }
        }
    }

    fn try_address(
        &mut self,
        cx: &mut Core,
        (trunk, endpoint, at): (TrunkIndex, EndpointIndex, usize),
    ) {
        let Some(dial) = &self.dial else { return };
        let directory = dial.directory.clone();
        let target = dial.routed.target;
        let Some(owner) = directory.endpoint(endpoint) else { return };
        let Some(address) = owner.addresses.get(at) else { return };
        let mut host = Text::with_capacity(USUAL_HOST_BYTES);
        let hop = match &address.host {
            AddressHost::Ip(ip) => {
                let transport = address.transport.unwrap_or(Transport::Udp);
                let remote = SocketAddr::new(*ip, address.port.unwrap_or(transport.default_port()));
                host.host_port(remote);
                cx.flow_to(transport, remote).map_or(Hop::Unreachable, Hop::Flow)
            }
            AddressHost::Name(name) => {
                host.put(&**name);
                if let Some(port) = address.port {
                    host.put(":").number(port);
                }
                let (port, transport) = (address.port, address.transport);
                Hop::Name { host: name.clone(), port, transport, sips: false }
            }
            AddressHost::Block(_) => return,
        };
        let mut to = Text::with_capacity(USUAL_ADDRESS_BYTES);
        put_address(&mut to, (target, owner.number_format), host.as_bytes());
        let mut uri = Text::with_capacity(USUAL_ADDRESS_BYTES);
        uri.put(to.as_bytes().get(1..to.as_bytes().len() - 1).unwrap_or_default());
        if let Some(transport) = address.transport.filter(|it| *it != Transport::Udp) {
            uri.put(";transport=").put(transport.uri_token());
        }
        let (uri, to) = (uri.into_boxed(), to.into_boxed());
        // Behind so many addresses no other one's credentials count.
        let login = u16::try_from(at).map_or(LoginOf::Endpoint, LoginOf::Address);
        let Some(place) = self.destination((trunk, endpoint), (uri, to), login) else {
            return;
        };
        match hop {
            Hop::Flow(flow) => self.ring(cx, place, flow, VecDeque::new()),
            name @ Hop::Name { .. } => self.resolve_first(cx, place, name),
            Hop::Unreachable => self.note_failure(Failure::Unreachable),
        }
    }

    fn destination(
        &self,
        (trunk, endpoint): (TrunkIndex, EndpointIndex),
        (uri, to): (Box<[u8]>, Box<[u8]>),
        login: LoginOf,
    ) -> Option<Destination> {
        let directory = &self.dial.as_ref()?.directory;
        Some(Destination {
            trunk,
            trunk_sid: directory.trunk(trunk)?.sid,
            endpoint,
            endpoint_sid: directory.endpoint(endpoint)?.sid,
            uri,
            to,
            by_flow: login == LoginOf::Endpoint,
            login,
        })
    }

    /// To of a registered phone: the number that was called, at our address.
    fn phone_to(&self, cx: &Core, flow: &Flow, form: NumberFormat) -> Option<Box<[u8]>> {
        let target = self.dial.as_ref()?.routed.target;
        let mut host = Text::with_capacity(USUAL_HOST_BYTES);
        host.host(cx.listener(flow)?.advertised.ip());
        let mut to = Text::with_capacity(USUAL_ADDRESS_BYTES);
        put_address(&mut to, (target, form), host.as_bytes());
        Some(to.into_boxed())
    }

    pub(crate) fn resolve_first(&mut self, cx: &mut Core, place: Destination, name: Hop) {
        // Until the name is resolved the branch has no flow; this one is never sent on.
        let Some(branch) = self.new_branch(cx, place, placeholder()) else { return };
        let waiting = Resolving::Branch { call: self.key, branch: branch.id };
        if cx.resolve(name, waiting) {
            self.keep_branch(branch);
        } else {
            self.note_failure(Failure::Unreachable);
        }
    }

    /// The resolver's answer for a branch.
    pub(crate) fn branch_resolved(&mut self, cx: &mut Core, id: u16, flows: &[Flow]) {
        let Some(at) = self.branches.iter().position(|branch| branch.id == id) else { return };
        let branch = self.branches.swap_remove(at);
        if !branch.is_wanted() {
            return;
        }
        let mut flows: VecDeque<Flow> = flows.iter().copied().collect();
        if let Some(flow) = flows.pop_front() {
            self.ring(cx, branch.destination, flow, flows);
        } else {
            self.note_failure(Failure::Unreachable);
            self.trunk_failed(cx, &branch.destination, Failure::Unreachable);
        }
        self.go_on(cx);
    }

    /// Sends an INVITE to one place.
    pub(crate) fn ring(
        &mut self,
        cx: &mut Core,
        place: Destination,
        flow: Flow,
        more_flows: VecDeque<Flow>,
    ) {
        let Some(mut branch) = self.new_branch(cx, place, flow) else { return };
        branch.more_flows = more_flows;
        match self.send_invite(cx, &mut branch) {
            Ok(()) => self.keep_branch(branch),
            Err(error) => self.note_failure(match error {
                NotSent::Unreachable => Failure::Unreachable,
                NotSent::BadSdp => Failure::Final { status: 488, retry_after: None, cause: None },
            }),
        }
    }

    /// Keeps a branch; mostly it is the only one, and a branch is large.
    fn keep_branch(&mut self, branch: Branch) {
        self.branches.reserve_exact(1);
        self.branches.push(branch);
    }

    fn new_branch(&mut self, cx: &mut Core, place: Destination, flow: Flow) -> Option<Branch> {
        let dial = self.dial.as_mut()?;
        let id = dial.next_branch;
        dial.next_branch = dial.next_branch.wrapping_add(1);
        let call_id = cx.dice.call_id(cx.shard, cx.shards);
        let tag = local_tag(self.key, Some(id), cx.dice.next_u64());
        let endpoint = dial.directory.endpoint(place.endpoint)?;
        let local = from_value(cx, &flow, dial.routed.shown, dial.routed.cnam.as_deref(), endpoint);
        let session = SessionTimer::new();
        let timer = session.offer(&timer_settings(cx));
        let dialogs = EarlyDialogs::new(&NewDialog {
            call_id: call_id.as_bytes(),
            local: local.as_bytes(),
            local_tag: tag.as_bytes(),
            remote: &place.to,
            target: &place.uri,
            routes: &[],
            cseq: 1,
        });
        Some(Branch {
            id,
            call_id: call_id.into(),
            phase: Phase::Resolving { until: cx.now + cx.settings.trunk_timeout },
            wanted: Wanted::Yes,
            destination: place,
            more_flows: VecDeque::new(),
            flow,
            dialogs,
            offer_answer: OfferAnswer::new(),
            forks: SmallVec::new(),
            sdp: LocalSdp::new(cx.dice.next_u64()),
            body: None,
            session,
            timer,
            met: Met::default(),
        })
    }

    /// Writes and sends a branch's INVITE; again, with the next CSeq, where it is already out.
    fn send_invite(&mut self, cx: &mut Core, branch: &mut Branch) -> Result<(), NotSent> {
        let end = self.our_end(self.dialled_side());
        let dial = self.dial.as_mut().ok_or(NotSent::Unreachable)?;
        let way = way(cx, end, &branch.flow).ok_or(NotSent::Unreachable)?;
        if let (Some(offer), None) = (&dial.offer, &branch.body) {
            let sdp = branch.sdp.cross(offer, Role::Offer, way).map_err(|_| NotSent::BadSdp)?;
            branch.body = Some(Body::sdp(sdp));
        }
        let first = branch.client().is_none();
        let via = cx.dice.branch();
        let uri = branch.destination.uri.clone();
        let mut writer = cx.begin_request("INVITE", &uri, &branch.flow, &via, dial.max_forwards);
        let parts =
            if first { branch.dialogs.invite_parts() } else { branch.dialogs.retry_parts() };
        write_parts(&mut writer, &parts, Method::Invite);
        cx.write_contact(&mut writer, &branch.flow);
        let endpoint = dial.directory.endpoint(branch.destination.endpoint);
        write_identity(cx, &mut writer, branch, dial, endpoint);
        writer.header(HeaderName::Allow, ALLOW);
        // An offer of leg B in a reliable 1xx has to reach the caller, who hears nothing before the answer where
        // the binding is silent.
        let unheard = dial.offer.is_none() && dial.routed.ringback == Ringback::Silence;
        let reliable = dial.caller_100rel != Caller100Rel::No && !unheard;
        let supported = if reliable { "timer, 100rel" } else { "timer" };
        writer.header(HeaderName::Supported, supported);
        write_timer(&mut writer, &branch.timer);
        for extra in &dial.routed.headers {
            writer.other(&extra.name, extra.value.as_bytes());
        }
        for credentials in branch.met.headers() {
            writer.header(credentials.name, &credentials.value);
        }
        let bytes = writer.finish(Body::parts(branch.body.as_ref()));
        if first {
            let sdp = if branch.body.is_some() { Sdp::Present } else { Sdp::Absent };
            branch.offer_answer.handle(Speaker::Local, Carrier::InviteRequest, sdp);
        }
        let user = ClientUse::Invite { call: self.key, branch: branch.id };
        let client = cx.start_client(Method::Invite, &via, bytes, branch.flow, user);
        branch.phase = Phase::Calling { client, until: cx.now + cx.settings.trunk_timeout };
        if !dial.dialled {
            dial.dialled = true;
            if let Some(invite) = &self.invite {
                cx.event(Event::Dialled { delay: cx.now.saturating_since(invite.arrived) });
            }
        }
        let numbers = (dial.routed.shown.number(), dial.routed.target);
        if first {
            self.is_dialled_leg(cx, branch, numbers);
        }
        Ok(())
    }

    /// The record tells of this branch from here on.
    pub(crate) fn is_dialled_leg(
        &mut self,
        cx: &mut Core,
        branch: &Branch,
        (number_src, number_dst): (Option<Number>, Number),
    ) {
        let side = self.dialled_side();
        let Some(record) = &mut self.record else { return };
        let known = match (side, &record.leg_a) {
            (Side::A, LegA::Dialled(stage_one)) => stage_one.as_deref(),
            (Side::A, LegA::Incoming { .. }) | (Side::B, _) => record.leg_b.as_ref(),
        };
        if known.is_some_and(|known| Arc::ptr_eq(&known.call_id, &branch.call_id)) {
            return;
        }
        let (endpoint, call_id) = (branch.destination.endpoint_sid, branch.call_id.clone());
        let leg = DialledLeg {
            endpoint,
            call_id: call_id.clone(),
            flow: branch.flow,
            date_start: cx.wall(),
            number_src,
            number_dst,
            sip_cause: 0,
        };
        match (side, &mut record.leg_a) {
            (Side::A, LegA::Dialled(stage_one)) => *stage_one = Some(Box::new(leg)),
            (Side::A, LegA::Incoming { .. }) | (Side::B, _) => record.leg_b = Some(leg),
        }
        cx.event(Event::LegDialled { call: self.sid, side, endpoint, call_id });
    }

    /// Sends a branch's INVITE once more: with credentials, or with a longer session interval.
    pub(crate) fn resend_invite(&mut self, cx: &mut Core, id: u16) {
        let Some(at) = self.branches.iter().position(|branch| branch.id == id) else { return };
        let mut branch = self.branches.swap_remove(at);
        // Its dialogs have ended with the INVITE before.
        branch.forks.clear();
        self.forget_dialogs();
        branch.timer = branch.session.offer(&timer_settings(cx));
        if let Ok(()) = self.send_invite(cx, &mut branch) {
            self.keep_branch(branch);
        } else {
            self.note_failure(Failure::Unreachable);
            self.go_on(cx);
        }
    }

    /// Does not want a branch any more.
    pub(crate) fn cancel_branch(&mut self, cx: &mut Core, id: u16, reason: CancelReason) {
        let Some(branch) = self.branches.iter_mut().find(|branch| branch.id == id) else { return };
        match branch.client() {
            None => self.branches.retain(|branch| branch.id != id),
            Some(client) => {
                let sent = cx.layer.cancel(cx.now, client, reason.value(), ClientUse::Orphan);
                branch.wanted =
                    if sent.is_some() { Wanted::Cancelled } else { Wanted::Cancel(reason) };
            }
        }
    }

    /// Does not want any branch but one.
    pub(crate) fn cancel_branches(
        &mut self,
        cx: &mut Core,
        but: Option<u16>,
        reason: CancelReason,
    ) {
        let wanted = |branch: &&Branch| branch.is_wanted() && Some(branch.id) != but;
        let ids: Vec<u16> = self.branches.iter().filter(wanted).map(|branch| branch.id).collect();
        for id in ids {
            self.cancel_branch(cx, id, reason);
        }
    }

    /// Trunks that gave no sign of life in time.
    pub(crate) fn run_branch_deadlines(&mut self, cx: &mut Core) {
        let now = cx.now;
        let late = |branch: &&Branch| branch.deadline().is_some_and(|until| until <= now);
        let ids: Vec<u16> = self.branches.iter().filter(late).map(|branch| branch.id).collect();
        for id in ids {
            self.abandon_branch(cx, id);
        }
    }

    /// Leaves a branch that may still answer, for the next attempt.
    fn abandon_branch(&mut self, cx: &mut Core, id: u16) {
        let Some(branch) = self.branches.iter_mut().find(|branch| branch.id == id) else { return };
        let place = branch.destination.clone();
        let more = core::mem::take(&mut branch.more_flows);
        // A name that is not resolved in time was asked nothing.
        let asked = branch.client().is_some();
        let failure = if asked { Failure::Timeout } else { Failure::Unreachable };
        let call_id = branch.call_id.clone();
        self.note_dialled(&call_id, failure.code());
        self.cancel_branch(cx, id, CancelReason::CallerGone);
        self.after_failure(cx, &place, more, failure);
    }
}

/// A flow that nothing is sent on.
pub(crate) fn placeholder() -> Flow {
    let remote = (core::net::Ipv4Addr::UNSPECIFIED, 0).into();
    Flow { transport: Transport::Udp, listener: ListenerId(0), remote, connection: None }
}

/// Takes what a call to this endpoint costs, or says which limit is used up.
fn reserve(
    cx: &Core,
    directory: &Directory,
    trunk: TrunkIndex,
    endpoint: &Endpoint,
) -> Result<Holds, AdmissionRefused> {
    let mut holds = hold_way(&cx.ports, directory.trunk(trunk), endpoint)?;
    admit_destination(&cx.ports, endpoint, cx.now).inspect_err(|_| holds.release(&cx.ports))?;
    Ok(holds)
}

/// Our tag in a dialog: the call's key and, of a leg that we dial, the branch, then 64 unguessable bits.
pub(crate) fn local_tag(key: crate::call::CallKey, branch: Option<u16>, random: u64) -> String {
    let mut tag = Text::with_capacity(USUAL_TAG_BYTES);
    tag.short_hex(slotmap::Key::data(&key).as_ffi());
    match branch {
        None => tag.put("-a-"),
        Some(branch) => tag.put("-").short_hex(branch.into()).put("-"),
    };
    tag.hex(random);
    tag.into_string()
}

/// Reads which call's tag it is; whether it is right, and of which side, is for the dialogs to compare.
pub(crate) fn read_tag(tag: &[u8]) -> Option<crate::call::CallKey> {
    let key = core::str::from_utf8(tag).ok()?.split('-').next()?;
    Some(slotmap::KeyData::from_ffi(u64::from_str_radix(key, 16).ok()?).into())
}

/// The endpoint's sid, for credentials.
pub(crate) fn endpoint_of(branch: &Branch) -> Sid {
    branch.destination.endpoint_sid
}
