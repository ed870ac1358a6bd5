//! A new INVITE: from the first look at it to the first attempt (contract §1, §2; RFC 3261 §8.2, §13.3).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

use mediator_model::{
    AdmissionRefused, Binding, Change, Dialout, Endpoint, EndpointIndex, Instant, Number,
    TrunkIndex, TrunkWay,
};
use mediator_sip::dialog::Side as Speaker;
use mediator_sip::dialog::{Carrier, Dialog, Negotiated, Sdp};
use mediator_sip::message::{Method, Request, reason_phrase};
use mediator_sip::transaction::ServerKey;
use mediator_sip::uri::Scheme;
use mediator_sip::{HeaderName, MediaType};

use crate::began::{FlowOf, announce, new_record};
use crate::call::{Call, CallKey, CallerInvite};
use crate::cdr::CallRecord;
use crate::context::Core;
use crate::dial::{Caller100Rel, Dial, local_tag};
use crate::engine::Engine;
use crate::identity::{Caller, Identified, caller_of, number_of};
use crate::ingress::Proof;
use crate::io::{Event, Output, Ports};
use crate::leg::{Leg, LocalSdp, timer_settings};
use crate::limits::{Holds, admit_source, retry_after_seconds};
use crate::media::{CallMedia, needs_media};
use crate::prelude::Step;
use crate::relay::{checked_sdp, hops_left, refuse_interval};
use crate::route::{Accounts, Claiming, NoRoute, Routed, Router, Unrouted};
use crate::verdict::Verdict;

/// Extensions that an INVITE may require (RFC 3261 §8.2.2.3).
const SUPPORTED: [&str; 2] = ["100rel", "timer"];

/// Seconds of Retry-After while the process drains or is full.
const BUSY_RETRY_AFTER: u32 = 5;

/// An INVITE that has passed every check.
pub(crate) struct Accepted {
    pub(crate) server: ServerKey,
    pub(crate) request: Request,
    pub(crate) source: EndpointIndex,
    pub(crate) dialled: Number,
    pub(crate) who: Identified,
    offer: Option<Box<[u8]>>,
    agreed: Negotiated,
    holds: Holds,
    /// Its ports for media, once it is known to need them.
    media: Option<Box<CallMedia>>,
}

impl Engine {
    /// A request of INVITE outside a dialog.
    pub(crate) fn incoming_invite(&mut self, server: ServerKey, request: Request) {
        let full = self.calls.len() >= self.core.settings.max_calls;
        if self.core.draining || full {
            let reason = if full { "too many calls" } else { "draining" };
            return refuse_busy(&mut self.core, server, &request, BUSY_RETRY_AFTER, reason);
        }
        if let Some(accepted) = accept(&mut self.core, server, request) {
            self.route_call(accepted);
        }
    }

    fn route_call(&mut self, mut accepted: Accepted) {
        let core = &mut self.core;
        let start = Start::Dialled(accepted.dialled, accepted.who.caller);
        let no_way = match find_way(core, start, (&mut accepted.holds, &mut accepted.media)) {
            Ok(routed) => return self.start_call(accepted, routed),
            Err(no_way) => no_way,
        };
        accepted.give_back(&core.ports);
        if let NoWay::NoRoute(why, Some((binding, account))) = &no_way {
            let at = core.wall();
            let met = FlowOf::binding(binding.clone(), *account);
            let record = new_record(core, &accepted, met);
            let sip_cause = why.status();
            let record = CallRecord { date_stop: at, sip_cause, ..record };
            core.event(Event::CallUnrouted(Box::new(record)));
        }
        let Accepted { server, request, .. } = accepted;
        match no_way {
            NoWay::NoRoute(why, _) => refuse(core, server, &request, why.status(), reason(why)),
            NoWay::Limited(refused) => {
                let seconds = retry_after_seconds(refused);
                refuse_busy(core, server, &request, seconds, "account limit");
            }
            NoWay::NoMediaPort => {
                core.counters.media_exhausted.add_one();
                let reason = "no port for media is free";
                refuse_busy(core, server, &request, BUSY_RETRY_AFTER, reason);
            }
        }
    }

    fn start_call(&mut self, accepted: Accepted, routed: Routed) {
        let core = &mut self.core;
        core.refuse(accepted.server, &accepted.request, 100);
        let server = accepted.server;
        let mut fault = None;
        let key = self.calls.insert_with_key(|key| match new_call(core, key, accepted, routed) {
            Ok(call) => Some(call),
            Err(unmade) => {
                fault = Some(unmade);
                None
            }
        });
        if let Some(mut unmade) = fault {
            self.calls.remove(key);
            unmade.holds.release(&self.core.ports);
            if let Some(media) = unmade.media {
                media.release(&*self.core.ports.media);
            }
            let phrase = "No dialog can be made of this";
            return self.core.refuse_with(unmade.server, &unmade.request, 400, phrase, |_| {});
        }
        self.invites.insert(server, key);
        if let Some(sid) = self.call(key).map(|call| call.sid) {
            self.sids.insert(sid, key);
        }
        self.core.counters.calls_started.add_one();
        self.with_call(key, Call::begin);
    }
}

/// Where a way begins.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    /// At a number that a caller has dialled.
    Dialled(Number, Caller),
    /// At a dialout of an account that calls a stage's number, and shows another.
    Dialout { account: EndpointIndex, dialout: &'a Dialout, target: Number, shown: Number },
}

impl Start<'_> {
    fn route(self, router: &Router<'_>, core: &mut Core) -> Result<Routed, Unrouted> {
        match self {
            Self::Dialled(dialled, caller) => router.route(dialled, caller, &mut core.dice),
            Self::Dialout { account, dialout, target, shown } => {
                router.route_stage((account, dialout), (target, shown), &mut core.dice)
            }
        }
    }

    /// Accounts that the call has taken already.
    fn taken(self) -> Accounts {
        match self {
            Self::Dialled(..) => Accounts::new(),
            Self::Dialout { account, .. } => [account].into_iter().collect(),
        }
    }
}

/// Why an INVITE becomes no call.
pub(crate) enum NoWay {
    /// With the binding that it met before, and whose that is.
    NoRoute(NoRoute, Option<(Arc<Binding>, EndpointIndex)>),
    Limited(AdmissionRefused),
    NoMediaPort,
}

impl Accepted {
    /// It becomes no call: what it holds is free again.
    fn give_back(&mut self, ports: &Ports) {
        self.holds.release(ports);
        if let Some(media) = self.media.take() {
            media.release(&*ports.media);
        }
    }
}

/// Reserves ports where the way needs media of ours; those that it does not need after all are given back.
fn reserve_media(
    core: &Core,
    routed: &Routed,
    media: &mut Option<Box<CallMedia>>,
) -> Result<(), NoWay> {
    let ports = &*core.ports.media;
    match (needs_media(&core.settings.media, routed), media.take()) {
        (true, None) => {
            let reserved = CallMedia::reserve(ports, &core.settings.media);
            *media = Some(reserved.map_err(|_| NoWay::NoMediaPort)?);
        }
        (true, reserved) => *media = reserved,
        (false, Some(unneeded)) => unneeded.release(ports),
        (false, None) => {}
    }
    Ok(())
}

/// Routes a call and takes what its accounts allow: before a binding is claimed, so that who is refused for a limit
/// claims nothing. Where the way needs media of ours, ports are reserved for it.
pub(crate) fn find_way(
    core: &mut Core,
    start: Start<'_>,
    (holds, media): (&mut Holds, &mut Option<Box<CallMedia>>),
) -> Result<Routed, NoWay> {
    let (directory, ports) = (core.directory.clone(), core.ports.clone());
    let mut router = Router {
        directory: &directory,
        ports: &ports,
        now: core.now,
        wall: core.wall(),
        claiming: Claiming::DryRun,
    };
    let mut way = start.route(&router, core);
    let mut taken = start.taken();
    let claims = match &way {
        Ok(routed) => {
            take_accounts(core, (&taken, &routed.accounts), holds).map_err(NoWay::Limited)?;
            taken.extend(routed.accounts.iter().copied());
            routed.meets_claim
        }
        Err(unrouted) => unrouted.meets_claim,
    };
    if let Ok(routed) = &way {
        reserve_media(core, routed, media)?;
    }
    if claims {
        router.claiming = Claiming::Claim;
        way = start.route(&router, core);
    }
    let routed = way.map_err(|unrouted| {
        store_claims(core, &unrouted.claims);
        NoWay::NoRoute(unrouted.why, unrouted.met)
    })?;
    // Where somebody else was quicker to claim, the way may lead by other accounts.
    if let Err(refused) = take_accounts(core, (&taken, &routed.accounts), holds) {
        store_claims(core, &routed.claims);
        return Err(NoWay::Limited(refused));
    }
    if let Err(exhausted) = reserve_media(core, &routed, media) {
        store_claims(core, &routed.claims);
        return Err(exhausted);
    }
    Ok(routed)
}

/// Stores claims of a caller who gets no call: the first one has called all the same, and table and store must agree.
fn store_claims(core: &mut Core, claims: &[Change]) {
    for change in claims {
        // Nobody waits: the sid is no call's.
        let call = core.dice.sid();
        core.outputs.push_back(Output::StoreClaim { call, change: change.clone() });
    }
}

/// Whether a dialog can be made of an INVITE (RFC 3261 §12.1.1); seen before anything is claimed for it.
fn names_a_dialog(request: &Request) -> bool {
    matches!(request.contact(), Ok(Some(_))) && request.record_routes().all(|route| route.is_ok())
}

/// Checks an INVITE in the order of RFC 3261 §8.2; where it is refused, it has been answered.
fn accept(core: &mut Core, server: ServerKey, request: Request) -> Option<Accepted> {
    if core.layer.is_merged(server) {
        refuse(core, server, &request, 482, "merged request");
        return None;
    }
    let source = core.identify(server, &request, Proof::AddressOrDigest)?;
    if unsupported(core, server, &request) {
        return None;
    }
    if request.max_forwards().ok().flatten() == Some(0) {
        refuse(core, server, &request, 483, "Max-Forwards is used up");
        return None;
    }
    if refuses_sdp(&request) {
        refuse(core, server, &request, 406, "the caller does not accept SDP");
        return None;
    }
    let offer = checked_sdp(core, server, &request).ok()?;
    let dialled = dialled_number(core, server, &request)?;
    // After the number: what asks for nobody here is told so, RFC 2543's INVITE without Contact included.
    if !names_a_dialog(&request) {
        core.refuse_with(
            server,
            &request,
            400,
            "Missing or malformed Contact or Record-Route",
            |_| {},
        );
        return None;
    }
    let settings = timer_settings(core);
    let session = mediator_sip::dialog::SessionTimer::new();
    let agreed = match session.negotiate_uas(&request, &settings) {
        Ok(agreed) => agreed,
        Err(too_small) => {
            refuse_interval(core, server, &request, too_small.min_se);
            return None;
        }
    };
    let directory = core.directory.clone();
    let endpoint = directory.endpoint(source)?;
    let mut holds = Holds::default();
    if let Err(refused) = take_source(core, endpoint, source, &mut holds) {
        holds.release(&core.ports);
        let seconds = retry_after_seconds(refused);
        refuse_busy(core, server, &request, seconds, "endpoint limit");
        return None;
    }
    let who = caller_of(&request, endpoint);
    let offer = offer.map(|sdp| Box::from(&*sdp));
    Some(Accepted { server, request, source, dialled, who, offer, agreed, holds, media: None })
}

/// 420 with what we do not understand (RFC 3261 §8.2.2.3); `true`: it was sent.
pub(crate) fn unsupported(core: &mut Core, server: ServerKey, request: &Request) -> bool {
    let known = |tag: &[u8]| SUPPORTED.iter().any(|ours| tag.eq_ignore_ascii_case(ours.as_bytes()));
    let unknown: String = request
        .values(HeaderName::Require)
        .filter(|tag| !known(tag))
        .map(String::from_utf8_lossy)
        .collect::<alloc::vec::Vec<_>>()
        .join(", ");
    if unknown.is_empty() {
        return false;
    }
    core.refuse_with(server, request, 420, "Bad Extension", |writer| {
        writer.header(HeaderName::Unsupported, unknown.as_bytes());
    });
    true
}

/// Whether Accept leaves no room for the SDP of our answer (RFC 3261 §20.1, RFC 4475 §3.3.15).
fn refuses_sdp(request: &Request) -> bool {
    let mut accepted = request.values(HeaderName::Accept).peekable();
    // Without the header SDP is what everybody accepts.
    accepted.peek().is_some()
        && !accepted.filter_map(MediaType::parse).any(|range| {
            range.is("application", "sdp") || range.is("application", "*") || range.is("*", "*")
        })
}

/// The number that the Request-URI asks for.
fn dialled_number(core: &mut Core, server: ServerKey, request: &Request) -> Option<Number> {
    let uri = request.uri_parsed().ok();
    let status = match uri.as_ref().map(|uri| uri.scheme) {
        // Without TLS there is no secure way to or from here (RFC 3261 §19.1, §26.2.2).
        None | Some(Scheme::Sips | Scheme::Other) => 416,
        Some(Scheme::Sip | Scheme::Tel) => 404,
    };
    let number = uri.as_ref().filter(|_| status == 404).and_then(number_of);
    if number.is_none() {
        refuse(core, server, request, status, "no number in the Request-URI");
    }
    number
}

fn take_source(
    core: &Core,
    endpoint: &Endpoint,
    source: EndpointIndex,
    holds: &mut Holds,
) -> Result<(), AdmissionRefused> {
    holds.take_endpoint(&core.ports, endpoint)?;
    // The inbound capacity of the trunk that leads to this endpoint, where it is in just one group.
    if let Some(trunk) = trunk_of(core, source).and_then(|at| core.directory.trunk(at)) {
        holds.take_trunk(&core.ports, trunk, TrunkWay::In)?;
    }
    admit_source(&core.ports, endpoint, core.now)
}

fn trunk_of(core: &Core, endpoint: EndpointIndex) -> Option<TrunkIndex> {
    core.directory.trunk_of(endpoint)
}

/// Takes each account that the way passes and that is not `taken`, once, however many of its bindings; or says which
/// limit is used up.
fn take_accounts(
    core: &Core,
    (taken, accounts): (&[EndpointIndex], &[EndpointIndex]),
    holds: &mut Holds,
) -> Result<(), AdmissionRefused> {
    for (at, account) in accounts.iter().enumerate() {
        let first_time = accounts.iter().position(|known| known == account) == Some(at);
        if first_time
            && !taken.contains(account)
            && let Some(endpoint) = core.directory.endpoint(*account)
        {
            take_account(core, endpoint, holds)?;
        }
    }
    Ok(())
}

/// A mediator endpoint takes part in the calls that its bindings and dialouts carry, and starts them.
pub(crate) fn take_account(
    core: &Core,
    account: &Endpoint,
    holds: &mut Holds,
) -> Result<(), AdmissionRefused> {
    holds.take_endpoint(&core.ports, account)?;
    admit_source(&core.ports, account, core.now)
}

/// What could not become a call.
struct Unmade {
    server: ServerKey,
    request: Request,
    holds: Holds,
    media: Option<Box<CallMedia>>,
}

fn new_call(
    core: &mut Core,
    key: CallKey,
    accepted: Accepted,
    routed: Routed,
) -> Result<Box<Call>, Box<Unmade>> {
    let record = new_record(core, &accepted, FlowOf::routed(&routed));
    let Accepted { server, request, source, dialled: _, who: _, offer, agreed, holds, mut media } =
        accepted;
    let tag = local_tag(key, None, core.dice.next_u64());
    let (Some(flow), Ok(dialog)) =
        (core.layer.server_flow(server), Dialog::from_request(&request, tag.as_bytes()))
    else {
        return Err(Box::new(Unmade { server, request, holds, media }));
    };
    let directory = core.directory.clone();
    let endpoint = directory.endpoint(source);
    let source_sid = endpoint.map_or_else(|| core.dice.sid(), |endpoint| endpoint.sid);
    let mut a = Leg::new(dialog, flow, source_sid, LocalSdp::new(core.dice.next_u64()));
    a.by_flow = endpoint.is_some_and(is_phone) && request.first(HeaderName::RecordRoute).is_none();
    if a.by_flow
        && let Some(source) = core.layer.server_source(server)
    {
        a.flow = source;
    }
    a.learn_abilities(&request);
    a.agreed = Some(agreed);
    let presence = if offer.is_some() { Sdp::Present } else { Sdp::Absent };
    a.offer_answer.handle(Speaker::Remote, Carrier::InviteRequest, presence);
    announce(core, &record, &routed);
    if let Some(media) = &mut media {
        if routed.binding.as_ref().is_some_and(|(binding, _)| binding.dtmf.is_some()) {
            media.dial_later();
        }
        media.open(core, record.call);
    }
    let dial = Dial {
        claims_pending: routed.claims.len(),
        max_forwards: hops_left(&request),
        caller_100rel: caller_100rel(&request),
        ring_until: core.now + core.settings.ring_timeout,
        expires_at: invitation_ends(core, &request),
        directory,
        routed,
        offer,
        attempt_holds: Holds::default(),
        next_branch: 0,
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
        began: core.now,
    };
    let mut call = Box::new(Call {
        invite: Some(Box::new(CallerInvite { server, request, arrived: core.now })),
        a: Some(a),
        dial: Some(Box::new(dial)),
        holds,
        media,
        ..Call::new(key, Box::new(record))
    });
    if let Some(name) = call.a.as_mut().and_then(|a| a.aim(core)) {
        call.resolve_leg(core, crate::leg::Side::A, name);
    }
    Ok(call)
}

/// When the caller itself takes its invitation back; 0 is no time to ring in, and is passed over.
fn invitation_ends(core: &Core, request: &Request) -> Option<Instant> {
    let seconds = request.expires().ok().flatten().filter(|seconds| *seconds > 0)?;
    Some(core.now + Duration::from_secs(seconds.into()))
}

/// A softphone behind whatever NAT: requests go back over its flow.
const fn is_phone(endpoint: &Endpoint) -> bool {
    matches!(endpoint.kind, mediator_model::EndpointKind::ThirdParty { credentials: Some(_) })
}

fn caller_100rel(request: &Request) -> Caller100Rel {
    if request.has_option(HeaderName::Require, "100rel") {
        Caller100Rel::Required
    } else if request.has_option(HeaderName::Supported, "100rel") {
        Caller100Rel::Supported
    } else {
        Caller100Rel::No
    }
}

fn refuse(
    core: &mut Core,
    server: ServerKey,
    request: &Request,
    status: u16,
    reason: &'static str,
) {
    if let Some(flow) = core.layer.server_flow(server) {
        core.event(Event::Refused { status, reason, source: flow.remote.ip() });
    }
    debug_assert_eq!(request.method(), Method::Invite);
    core.refuse(server, request, status);
}

/// 503 with Retry-After.
pub(crate) fn refuse_busy(
    core: &mut Core,
    server: ServerKey,
    request: &Request,
    seconds: u32,
    reason: &'static str,
) {
    if let Some(flow) = core.layer.server_flow(server) {
        core.event(Event::Refused { status: 503, reason, source: flow.remote.ip() });
    }
    core.refuse_with(server, request, 503, reason_phrase(503), |writer| {
        writer.header_fmt(HeaderName::RetryAfter, format_args!("{seconds}"));
    });
}

/// Why there is no way, for the log.
const fn reason(why: NoRoute) -> &'static str {
    match why {
        NoRoute::UnknownDid => "unknown number",
        NoRoute::NoBinding => "no binding for this caller",
        NoRoute::Loop => "bindings lead in a circle",
        NoRoute::TooDeep => "more than 5 bindings deep",
        NoRoute::NoTrunk => "no trunk for this number",
        NoRoute::NotRegistered => "phone is not registered",
        NoRoute::AllDead502 | NoRoute::AllDead503 => "all trunks are dead",
    }
}
