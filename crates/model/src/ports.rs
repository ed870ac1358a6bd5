//! What the call engine asks of the state that all shards share. Implemented by the crate `table`.
//!
//! Every call is cheap and never waits: reads are lock-free or hold a shard's lock for nanoseconds.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use crate::{Binding, ConnectionId, Flow, Instant, Number, Sid, UnixMillis};

/// Which rule found a binding (contract: exact wins over any).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MatchRule {
    /// (redirect, caller).
    Exact,
    /// (redirect, any).
    Any,
    /// (redirect, any), waiting for its first caller: [`Bindings::claim`] decides.
    Claim,
}

/// A binding found, and by which rule.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The binding.
    pub binding: Arc<Binding>,
    /// How it was found.
    pub rule: MatchRule,
}

/// The end of a race for a binding.
#[derive(Clone, Debug)]
pub enum Claim {
    /// This caller has it; the binding is keyed by the caller from here on.
    Won(Arc<Binding>),
    /// Somebody else was first, or the binding is gone: look up once more.
    Lost,
}

/// The binding table.
pub trait Bindings: Send + Sync {
    /// Exact, then any. `caller` is `None` for a caller without a number. Never returns one past its end.
    fn lookup(
        &self,
        redirect_did: Number,
        caller: Option<Number>,
        now: UnixMillis,
    ) -> Option<Lookup>;

    /// Claims `binding_sid` at `redirect_did` for `caller`: exactly one of any number of simultaneous callers wins.
    fn claim(
        &self,
        redirect_did: Number,
        binding_sid: Sid,
        caller: Number,
        now: UnixMillis,
    ) -> Claim;
}

/// A registrar's binding of an address of record to a contact (RFC 3261 §10), never to be mixed with [`Binding`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactBinding {
    /// The Contact's URI as registered.
    pub uri: Box<str>,
    /// The way that the REGISTER came: calls go back over it (NAT).
    pub flow: Flow,
    /// RFC 3261 §10.3: the Call-ID of the REGISTER.
    pub call_id: Box<str>,
    /// RFC 3261 §10.3: its CSeq.
    pub cseq: u32,
    /// Preference, thousandths of the Contact's q parameter (0-1000).
    pub q_thousandths: u16,
    /// When it lapses.
    pub expires: Instant,
}

/// One contact of a REGISTER.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ContactUpdate {
    /// Adds or refreshes.
    Put(ContactBinding),
    /// Expires 0.
    Remove {
        /// The Contact's URI.
        uri: Box<str>,
        /// The REGISTER's Call-ID.
        call_id: Box<str>,
        /// Its CSeq.
        cseq: u32,
    },
    /// `Contact: *`.
    RemoveAll {
        /// The REGISTER's Call-ID.
        call_id: Box<str>,
        /// Its CSeq.
        cseq: u32,
    },
}

/// Why a registration is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ContactError {
    /// RFC 3261 §10.3 step 6: an older or repeated CSeq of the same Call-ID; nothing was changed.
    #[error("CSeq is not higher than that of the registration")]
    OutOfOrder,
    /// More contacts than one endpoint may hold.
    #[error("too many contacts")]
    TooMany,
}

/// The registrar's location service, keyed by endpoint sid (a reload keeps registrations).
pub trait Locations: Send + Sync {
    /// Applies all updates of one REGISTER or none, and returns what is registered then.
    fn update(
        &self,
        endpoint: Sid,
        updates: Vec<ContactUpdate>,
        now: Instant,
    ) -> Result<Vec<ContactBinding>, ContactError>;

    /// The live contacts of an endpoint, best q first.
    fn contacts(&self, endpoint: Sid, now: Instant) -> Vec<ContactBinding>;

    /// Whose live registration came this way (contract §1): over this connection, or from this address over UDP.
    fn registered_at(&self, source: &Flow, now: Instant) -> Option<Sid>;

    /// Forgets the contacts that were registered over a connection that is gone: no call can reach them.
    fn connection_closed(&self, connection: ConnectionId);

    /// Forgets all contacts of an endpoint that must register anew.
    fn forget(&self, endpoint: Sid);
}

/// Why a call is not admitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdmissionRefused {
    /// `capacity`, `in_capacity` or `out_capacity` is used up.
    Capacity,
    /// `cps_limit` is used up; try again after this time.
    Rate {
        /// When the next call would be admitted.
        retry_after: Duration,
    },
}

/// Which way a call uses a trunk: each has a limit of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TrunkWay {
    /// From the far side to us: `in_capacity`.
    In,
    /// From us to the far side: `out_capacity`.
    Out,
}

/// Limits, trunk health, replay and abuse counters: what shards must agree on.
pub trait Admission: Send + Sync {
    /// Takes one of `capacity` calls at once of the endpoint (0 is unlimited). Paired with [`Admission::release_call`].
    fn admit_call(&self, endpoint: Sid, capacity: u32) -> Result<(), AdmissionRefused>;
    /// Gives the call back.
    fn release_call(&self, endpoint: Sid);
    /// Takes one call start of `cps_limit` a second (0 is unlimited).
    fn admit_start(
        &self,
        endpoint: Sid,
        cps_limit: u32,
        now: Instant,
    ) -> Result<(), AdmissionRefused>;
    /// Takes one of a trunk's `capacity` calls at once in one direction (`None` is unlimited). Paired with
    /// [`Admission::release_trunk`].
    fn admit_trunk(
        &self,
        trunk: Sid,
        way: TrunkWay,
        capacity: Option<u32>,
    ) -> Result<(), AdmissionRefused>;
    /// Gives the call back.
    fn release_trunk(&self, trunk: Sid, way: TrunkWay);

    /// Whether a trunk is dead now.
    fn is_dead(&self, trunk: Sid, now: Instant) -> bool;
    /// Counts a hard failure; dead from `threshold` of them within `interval`, for `cooldown`.
    fn hard_failure(
        &self,
        trunk: Sid,
        threshold: u32,
        interval: Duration,
        cooldown: Duration,
        now: Instant,
    );
    /// An OPTIONS was answered (`true`: alive at once) or failed (dead from `threshold` in a row until one is answered).
    fn probe_result(&self, trunk: Sid, answered: bool, threshold: u32, now: Instant);

    /// Whether `nonce_count` of `nonce` was not used before (RFC 7616 §3.4, replays); bounded memory.
    fn nonce_fresh(&self, nonce: u64, nonce_count: u32, now: Instant) -> bool;
    /// Counts wrong credentials of an address that is no endpoint's; the ban starts at the threshold of its settings.
    fn wrong_credentials(&self, source: SocketAddr, now: Instant);
    /// Whether requests of this address get silence.
    fn is_banned(&self, source: SocketAddr, now: Instant) -> bool;
    /// Takes one of the challenges that one address gets a second; `false`: say nothing.
    fn admit_challenge(&self, source: SocketAddr, now: Instant) -> bool;
}

/// A pair of our UDP ports for the media of one leg: RTP on the even one, RTCP on the next (RFC 3550 §11).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MediaPort(u16);

impl MediaPort {
    /// The pair that begins with an even port below 65535; `None` for an odd one, and for 0.
    pub const fn new(rtp: u16) -> Option<Self> {
        if rtp == 0 || !rtp.is_multiple_of(2) { None } else { Some(Self(rtp)) }
    }

    /// The port of RTP.
    pub const fn rtp(self) -> u16 {
        self.0
    }

    /// The port of RTCP.
    pub const fn rtcp(self) -> u16 {
        self.0 | 1
    }
}

/// No pair of ports of `media.port_range` is free.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no port of media.port_range is free")]
pub struct NoMediaPort;

/// The ports for media. A pair is reserved when a call begins; the session that is opened with it gives it back.
pub trait MediaPorts: Send + Sync {
    /// Takes a pair that nobody has, bound and ready.
    fn reserve(&self) -> Result<MediaPort, NoMediaPort>;
    /// Gives back a pair with which no session was opened.
    fn release(&self, port: MediaPort);
}
