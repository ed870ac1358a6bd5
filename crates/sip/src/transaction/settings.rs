//! What may be set, and what is counted.

use core::time::Duration;

/// The base timers of RFC 3261 §17 (table 4); the others follow from them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerSettings {
    /// The round trip time assumed, 100 ms to 10 s; timers B, F, H, J, L and M are 64 times as long. Default 500 ms.
    pub t1: Duration,
    /// The longest interval between retransmissions of a non-INVITE request or of a response to INVITE. Default 4 s.
    pub t2: Duration,
    /// How long a message may stay in the network: timers I and K. Default 5 s.
    pub t4: Duration,
    /// How long a client answers repeated failures of an INVITE over UDP, at least 32 s. Default 32 s.
    pub timer_d: Duration,
}

impl Default for TimerSettings {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            timer_d: Duration::from_secs(32),
        }
    }
}

impl TimerSettings {
    /// 64*T1: how long a transaction is tried or remembered.
    pub fn patience(&self) -> Duration {
        self.t1.saturating_mul(64)
    }
}

/// How a transaction layer is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LayerSettings {
    /// Base timers.
    pub timers: TimerSettings,
    /// Live transactions beyond which requests that begin something are refused
    /// ([`Received::Overloaded`](super::Received::Overloaded)); requests inside a dialog and CANCEL are
    /// refused beyond five quarters of it, so that calls can end. Default 524,288.
    pub max_transactions: usize,
    /// Secret of the hash tables, so that peers cannot choose branches that collide; drawn by the driver. Default 0.
    pub hash_seed: u64,
}

impl Default for LayerSettings {
    fn default() -> Self {
        Self { timers: TimerSettings::default(), max_transactions: 524_288, hash_seed: 0 }
    }
}

/// Live transactions of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Live {
    /// INVITE transactions that we answer.
    pub server_invite: usize,
    /// Other transactions that we answer.
    pub server_non_invite: usize,
    /// INVITE transactions that we began.
    pub client_invite: usize,
    /// Other transactions that we began.
    pub client_non_invite: usize,
}

impl Live {
    /// All of them.
    pub fn total(&self) -> usize {
        let Self { server_invite, server_non_invite, client_invite, client_non_invite } = *self;
        server_invite + server_non_invite + client_invite + client_non_invite
    }
}

/// What has happened since the layer was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Requests sent again by timers A and E.
    pub requests_resent: u64,
    /// Responses sent again, by Timer G or because the request came again.
    pub responses_resent: u64,
    /// ACKs sent again because a failure response came again.
    pub acks_resent: u64,
    /// Requests received again.
    pub requests_repeated: u64,
    /// Final responses received again and absorbed.
    pub responses_repeated: u64,
    /// Client transactions ended by timers B and F.
    pub timed_out: u64,
    /// Failure responses to INVITE that were never acknowledged (Timer H).
    pub acks_missing: u64,
    /// Non-INVITE requests that the core never answered.
    pub unanswered: u64,
    /// Requests refused because too many transactions are live.
    pub overloaded: u64,
}
