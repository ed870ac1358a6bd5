//! What goes into an engine and what comes out of it: the whole contract with its driver.
//!
//! The driver hands over [`Input`]s and the time, and carries out [`Output`]s in order. Nothing here
//! waits: a name to resolve or a claim to store goes out as an output and its result comes back as an input.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use bytes::Bytes;
use mediator_media::{Event as MediaEvent, Order, SoundFailure};
use mediator_model::{
    Admission, Bindings, Change, ConnectionId, Dialout, Directory, Flow, ListenerId, Locations,
    MediaPorts, Number, Sid, Transport, UnixMillis,
};
use mediator_sip::digest::{Algorithm, NonceKey};
use mediator_sip::transaction::{ClientKey, TimerSettings};

use crate::cdr::CallRecord;

/// One listening socket as messages name it.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its id in flows.
    pub id: ListenerId,
    /// What it speaks.
    pub transport: Transport,
    /// The address that Via and Contact carry: the advertised one, else the socket's own.
    pub advertised: SocketAddr,
    /// The address that it is bound to; wildcards allowed.
    pub bound: SocketAddr,
}

/// What the operator has set for every call.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The listening sockets; the first one of a transport and address family is used for new flows.
    pub listeners: Vec<Listener>,
    /// The realm of challenges.
    pub realm: Box<str>,
    /// What challenges offer, most wanted first. Default MD5 alone: clients that know nothing else are common,
    /// and some of them give up at a challenge with two algorithms instead of taking theirs.
    pub digest: Vec<Algorithm>,
    /// Signs nonces; the same in every shard.
    pub nonce_key: NonceKey,
    /// Unanswered calls end after this time. Default 120 s.
    pub ring_timeout: Duration,
    /// A trunk without any response is left after this time. Default 5 s.
    pub trunk_timeout: Duration,
    /// Calls end this long after they were answered. Default 4 h.
    pub max_call_duration: Duration,
    /// The session interval that we ask for (RFC 4028). Default 1800 s.
    pub session_expires: Duration,
    /// The shortest session interval that we accept. Default 90 s.
    pub min_se: Duration,
    /// Base timers of RFC 3261 §17.
    pub timers: TimerSettings,
    /// Calls at once in one shard; more get 503.
    pub max_calls: usize,
    /// Who carries media, and how.
    pub media: MediaSettings,
    /// How dialouts are confirmed.
    pub dialout: DialoutSettings,
}

/// Who carries the media of calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MediaMode {
    /// We do: each side sees our address alone.
    Relay,
    /// The two sides send to each other, where nothing of a call needs media of ours.
    Direct,
}

/// `[media]`, as far as calls need it.
#[derive(Clone, Debug)]
pub struct MediaSettings {
    /// Who carries media. Default relay.
    pub mode: MediaMode,
    /// Our address in SDP.
    pub address: IpAddr,
    /// Both legs end after this time without RTP. Default 60 s.
    pub timeout: Duration,
    /// Whether a caller is answered before an announcement, instead of hearing it as early media. Default no.
    pub answer_before_announce: bool,
}

/// `[dialout]`, as far as calls need it.
#[derive(Clone, Copy, Debug)]
pub struct DialoutSettings {
    /// The key that confirms. Default `1`.
    pub confirmation_key: char,
    /// How often it is asked for. Default 3.
    pub confirmation_attempts: u32,
    /// How long each time, from the end of the prompt. Default 5 s.
    pub confirmation_wait: Duration,
}

impl Default for DialoutSettings {
    fn default() -> Self {
        Self {
            confirmation_key: '1',
            confirmation_attempts: 3,
            confirmation_wait: Duration::from_secs(5),
        }
    }
}

impl Settings {
    /// Settings with the contract's defaults for the given sockets; media is received at the first one's address.
    pub fn new(listeners: Vec<Listener>, nonce_key: NonceKey) -> Self {
        let media_address = listeners
            .first()
            .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |listener| listener.advertised.ip());
        Self {
            listeners,
            realm: "mediator".into(),
            digest: alloc::vec![Algorithm::Md5],
            nonce_key,
            ring_timeout: Duration::from_mins(2),
            trunk_timeout: Duration::from_secs(5),
            max_call_duration: Duration::from_hours(4),
            session_expires: Duration::from_mins(30),
            min_se: Duration::from_secs(90),
            timers: TimerSettings::default(),
            max_calls: 200_000,
            media: MediaSettings {
                mode: MediaMode::Relay,
                address: media_address,
                timeout: Duration::from_mins(1),
                answer_before_announce: false,
            },
            dialout: DialoutSettings::default(),
        }
    }
}

/// The shared state that an engine reads.
#[derive(Clone)]
pub struct Ports {
    /// The binding table.
    pub bindings: Arc<dyn Bindings>,
    /// The registrar's location service.
    pub locations: Arc<dyn Locations>,
    /// Limits, health, replay and abuse counters.
    pub admission: Arc<dyn Admission>,
    /// Our ports for media.
    pub media: Arc<dyn MediaPorts>,
}

/// How an engine begins.
pub struct EngineSetup {
    /// This shard's number, below `shards`.
    pub shard: usize,
    /// How many shards share the Call-IDs.
    pub shards: usize,
    /// What the operator has set.
    pub settings: Arc<Settings>,
    /// Endpoints, trunk groups, DIDs.
    pub directory: Arc<Directory>,
    /// The shared state.
    pub ports: Ports,
    /// Dice for tags, branches, Call-IDs and weights: from the operating system, or a test's seed.
    pub seed: [u8; 32],
    /// The wall clock at [`mediator_model::Instant::ZERO`].
    pub epoch: UnixMillis,
}

/// A name that the driver resolves (RFC 3263).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// Ties the answer to the question.
    pub id: QueryId,
    /// The host name.
    pub host: Box<str>,
    /// The port, where one was named: then no SRV.
    pub port: Option<u16>,
    /// The transport, where one was named: then no NAPTR.
    pub transport: Option<Transport>,
    /// Whether only TLS will do.
    pub sips: bool,
}

/// Ties a resolver's answer to its question; never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct QueryId(pub u64);

/// A call as the API and the driver name it.
pub type CallSid = Sid;

/// What became of a claim that was to be stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClaimOutcome {
    /// It is durable: the caller may hear an answer.
    Durable,
    /// The binding is another's by now, or gone: the caller has none, and hears 480.
    Lost,
    /// The store could not keep it: 503.
    Failed,
}

/// What the driver hands over.
#[derive(Clone, Debug)]
pub enum Input {
    /// A datagram, or a message framed from a stream.
    Message {
        /// Where it came from.
        flow: Flow,
        /// All of it.
        bytes: Bytes,
    },
    /// A request that was sent could not be delivered (connection refused or closed, ICMP).
    SendFailed {
        /// As given in [`Output::Send`].
        client: ClientKey,
    },
    /// A stream connection is gone.
    ConnectionClosed(ConnectionId),
    /// A name was resolved: candidates in order of preference, empty when there are none.
    Resolved {
        /// The question's id.
        id: QueryId,
        /// Where to try, best first.
        candidates: Vec<(Transport, SocketAddr)>,
    },
    /// The outcome of [`Output::StoreClaim`].
    ClaimStored {
        /// The call that waits.
        call: CallSid,
        /// What became of it.
        outcome: ClaimOutcome,
    },
    /// What became of the media of a call; [`MediaEvent::TrackNeeded`] is none of the engine's business.
    Media(MediaEvent),
    /// A dialout's time has come: it is dialled now. It ends with [`Event::CallEnded`], whatever becomes of it.
    Dial(Arc<Dialout>),
    /// From here on calls are routed by this directory.
    Directory(Arc<Directory>),
    /// From here on calls are made by these settings.
    Settings(Arc<Settings>),
    /// The wall clock at the epoch, corrected.
    Epoch(UnixMillis),
    /// New calls get 503 from here on.
    Drain,
    /// Every call ends with BYE now.
    HangUpAll,
    /// One call ends with BYE or CANCEL now.
    HangUp(CallSid),
}

/// What the driver carries out.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send these bytes.
    Send {
        /// Where to.
        flow: Flow,
        /// The message.
        bytes: Bytes,
        /// Whom to name in [`Input::SendFailed`]; `None`: nobody waits.
        client: Option<ClientKey>,
    },
    /// Resolve a name and answer with [`Input::Resolved`].
    Resolve(Query),
    /// Make a first caller's claim durable and answer with [`Input::ClaimStored`].
    StoreClaim {
        /// The call that waits.
        call: CallSid,
        /// What to store.
        change: Change,
    },
    /// Do this with a call's media; what comes of it is told with [`Input::Media`].
    Media(Order),
    /// Something happened that an operator, the API or the records want to know.
    Event(Event),
}

/// Why and how much of what; for logs, records and the live call list.
#[derive(Clone, Debug)]
pub enum Event {
    /// A call was admitted and is being routed.
    CallStarted {
        /// The call.
        call: CallSid,
        /// Whether a binding or a plain number carries it, and from whom.
        started: Box<CallStarted>,
    },
    /// The first ringing response.
    CallRinging {
        /// The call.
        call: CallSid,
    },
    /// Stage two of a dialout rings; what else rings is told by [`Event::CallRinging`].
    StageTwoRinging {
        /// The call.
        call: CallSid,
    },
    /// Leg A is up before the two are joined: stage one has answered, or the caller is answered to hear an announcement.
    LegAUp {
        /// The call.
        call: CallSid,
    },
    /// A leg that we dial is this one from here on: its INVITE has left, or it has won against others that rang with it.
    LegDialled {
        /// The call.
        call: CallSid,
        /// Which leg: B, or of a dialout A, too.
        side: crate::Side,
        /// The endpoint that it goes to.
        endpoint: Sid,
        /// Its Call-ID.
        call_id: Arc<str>,
    },
    /// Both sides are joined.
    CallAnswered {
        /// The call.
        call: CallSid,
        /// From the caller's INVITE to the answer.
        setup: Duration,
        /// When.
        date_talk: UnixMillis,
        /// The codec that was agreed on; `None`: none yet.
        codec: Option<&'static str>,
    },
    /// The two sides of an answered call have agreed on another codec, or on their first one.
    CodecAgreed {
        /// The call.
        call: CallSid,
        /// Its registered name.
        codec: Option<&'static str>,
    },
    /// It is over; the record says how. BYEs and CANCELs may still be under way.
    CallEnded(Box<CallRecord>),
    /// A call met a binding that leads nowhere now, and was refused before it was one: for its record alone.
    CallUnrouted(Box<CallRecord>),
    /// Nothing of an ended call is left.
    CallGone {
        /// The call.
        call: CallSid,
    },
    /// The first INVITE of leg B left this long after the caller's INVITE came.
    Dialled {
        /// Post-dial delay added by us.
        delay: Duration,
    },
    /// A phone registered, refreshed or left.
    Registration {
        /// The endpoint.
        endpoint: Sid,
        /// How many contacts it had.
        before: usize,
        /// How many contacts it has now.
        contacts: usize,
        /// Where it is now.
        source: SocketAddr,
    },
    /// A trunk could not take a call, which goes on to the next one where there is one.
    TrunkFailed {
        /// The call.
        call: CallSid,
        /// The trunk.
        trunk: Sid,
        /// What it said; 408 where it said nothing in time, 503 where it could not be reached.
        code: u16,
    },
    /// A trunk was found dead, or is alive again: an OPTIONS was answered, or its cooldown is over.
    TrunkHealth {
        /// The trunk.
        trunk: Sid,
        /// Whether calls go to it.
        alive: bool,
    },
    /// A request was refused before it became a call.
    Refused {
        /// The code it got; 0: silence.
        status: u16,
        /// Why, for people.
        reason: &'static str,
        /// From where; below INFO.
        source: IpAddr,
    },
    /// A sound that a binding or a dialout asks for could not be played; the call goes on without.
    SoundFailed {
        /// The call.
        call: CallSid,
        /// The binding or the dialout.
        reference: Option<Sid>,
        /// The attribute that asks for it.
        attribute: &'static str,
        /// Why.
        reason: SoundFailure,
    },
    /// A defect of ours ended one call.
    Bug {
        /// The call, where one is concerned.
        call: Option<CallSid>,
        /// What was found impossible.
        what: &'static str,
    },
}

/// How a call began, for the live call list.
#[derive(Clone, Debug)]
pub struct CallStarted {
    /// The flow that runs it.
    pub kind: crate::FlowKind,
    /// The binding or dialout that the flow is about.
    pub reference: Option<Sid>,
    /// The mediator endpoint whose binding or dialout it is.
    pub account: Option<Sid>,
    /// The endpoint and the Call-ID of a call that came in; leg A of a dialout is told of as
    /// [`Event::LegDialled`].
    pub caller: Option<(Sid, Arc<str>)>,
    /// The caller's number, of a dialout stage one's; `None` where the caller has none, or hides it.
    pub number_src: Option<Number>,
    /// The number dialled.
    pub number_redirect: Number,
    /// The number behind the first binding; without one, the number dialled; of a dialout stage two's.
    pub number_dst: Number,
    /// The caller's INVITE; of a dialout, when its time had come.
    pub date_start: UnixMillis,
}
