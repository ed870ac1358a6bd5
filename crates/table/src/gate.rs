//! The gate: limits of calls, trunk health, replays and abuse, which all shards count together.
//!
//! Two kinds of state. What is counted by sid is as large as the directory, and [`Gate::retain`] drops what left it.
//! What is counted by source address or nonce can be flooded, so it has a fixed size and forgets by a stated rule:
//! - wrong credentials and bans, challenges: [`MAX_SOURCES`] addresses each, in buckets of eight; a new address pushes
//!   out the one of its bucket that matters least (idle longest, or the ban that ends first). The hash is seeded, so
//!   nobody can aim at a bucket.
//! - nonces: [`MAX_NONCES`] at a time; none is forgotten while it could be replayed, and a new one is refused instead.
//!   Only right credentials get a nonce here, so strangers cannot fill it.
//!
//! IPv6 peers own whole networks: what the contract counts by address is counted by the leading
//! [`GateSettings::ipv6_prefix`] bits there.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mediator_model::{Admission, AdmissionRefused, Instant, Sid, TrunkWay};

use bans::Bans;
use challenges::Challenges;
use health::Health;
use limits::Limits;
use nonces::Nonces;

mod bans;
mod challenges;
mod health;
mod limits;
mod nonces;
mod rate;
mod sources;
#[cfg(test)]
mod tests;

pub use nonces::MAX_NONCES;
pub use sources::MAX_SOURCES;

/// When wrong credentials are answered with silence (`sip.ban`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BanSettings {
    /// So many wrong credentials; default 10, 0 never bans, counted up to [`BanSettings::MAX_FAILURES`].
    pub failures: u32,
    /// Within this time; default 60 s.
    pub window: Duration,
    /// Bring silence for this time; default 300 s.
    pub duration: Duration,
}

impl BanSettings {
    /// The most failures that are remembered of one address.
    pub const MAX_FAILURES: u32 = 100;
}

impl Default for BanSettings {
    fn default() -> Self {
        Self { failures: 10, window: Duration::from_mins(1), duration: Duration::from_mins(5) }
    }
}

/// What the operator may set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GateSettings {
    /// Silence for guessers.
    pub ban: BanSettings,
    /// Challenges that one address gets a second; default 10, 0 is unlimited.
    pub challenges_per_second: u32,
    /// How long a nonce is remembered after its first use: at least as long as it is good. Default 310 s, which is the
    /// 300 s of a nonce and a skew of the clocks.
    pub nonce_memory: Duration,
    /// How many leading bits of an IPv6 address are one address; default 64, at most 128.
    pub ipv6_prefix: u8,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            ban: BanSettings::default(),
            challenges_per_second: 10,
            nonce_memory: Duration::from_secs(310),
            ipv6_prefix: 64,
        }
    }
}

/// What the gate has done since the start, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GateCounters {
    /// Calls refused for want of capacity.
    pub refused_capacity: u64,
    /// Calls refused for their rate.
    pub refused_rate: u64,
    /// Bans begun.
    pub bans: u64,
    /// Challenges not sent.
    pub challenges_withheld: u64,
    /// Nonces refused because their count was used before or is too old to tell.
    pub replays: u64,
    /// Nonces refused because [`MAX_NONCES`] are remembered: the limit is too low for this many phones.
    pub nonces_full: u64,
    /// Addresses forgotten early because [`MAX_SOURCES`] are known: a flood.
    pub sources_pushed_out: u64,
}

/// The gate.
pub struct Gate {
    settings: GateSettings,
    limits: Limits,
    health: Health,
    nonces: Nonces,
    bans: Bans,
    challenges: Challenges,
    refused_capacity: AtomicU64,
    refused_rate: AtomicU64,
}

impl Gate {
    /// A gate that has seen nobody.
    pub fn new(settings: GateSettings) -> Self {
        Self {
            settings,
            limits: Limits::default(),
            health: Health::default(),
            nonces: Nonces::new(settings.nonce_memory),
            bans: Bans::new(settings.ban),
            challenges: Challenges::new(settings.challenges_per_second),
            refused_capacity: AtomicU64::new(0),
            refused_rate: AtomicU64::new(0),
        }
    }

    /// Drops what is kept of endpoints and trunks that `is_known` denies and that no call holds: after a reload.
    pub fn retain(&self, is_known: impl Fn(Sid) -> bool) {
        self.limits.retain(&is_known);
        self.health.retain(&is_known);
    }

    /// How many calls an endpoint takes part in.
    pub fn calls_of(&self, endpoint: Sid) -> u32 {
        self.limits.calls_of(endpoint)
    }

    /// What happened so far.
    pub fn counters(&self) -> GateCounters {
        GateCounters {
            refused_capacity: self.refused_capacity.load(Ordering::Relaxed),
            refused_rate: self.refused_rate.load(Ordering::Relaxed),
            bans: self.bans.begun(),
            challenges_withheld: self.challenges.withheld(),
            replays: self.nonces.replays(),
            nonces_full: self.nonces.full(),
            sources_pushed_out: self.bans.pushed_out() + self.challenges.pushed_out(),
        }
    }

    fn counted<T>(&self, outcome: Result<T, AdmissionRefused>) -> Result<T, AdmissionRefused> {
        match &outcome {
            Ok(_) => {}
            Err(AdmissionRefused::Capacity) => count(&self.refused_capacity),
            Err(AdmissionRefused::Rate { .. }) => count(&self.refused_rate),
        }
        outcome
    }

    /// What counts as one address.
    fn address(&self, source: SocketAddr) -> u128 {
        match source.ip().to_canonical() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped().into(),
            IpAddr::V6(ip) => network(ip, self.settings.ipv6_prefix),
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new(GateSettings::default())
    }
}

impl Admission for Gate {
    fn admit_call(&self, endpoint: Sid, capacity: u32) -> Result<(), AdmissionRefused> {
        self.counted(self.limits.admit_call(endpoint, capacity))
    }

    fn release_call(&self, endpoint: Sid) {
        self.limits.release_call(endpoint);
    }

    fn admit_start(
        &self,
        endpoint: Sid,
        cps_limit: u32,
        now: Instant,
    ) -> Result<(), AdmissionRefused> {
        self.counted(self.limits.admit_start(endpoint, cps_limit, now))
    }

    fn admit_trunk(
        &self,
        trunk: Sid,
        way: TrunkWay,
        capacity: Option<u32>,
    ) -> Result<(), AdmissionRefused> {
        self.counted(self.limits.admit_trunk(trunk, way, capacity))
    }

    fn release_trunk(&self, trunk: Sid, way: TrunkWay) {
        self.limits.release_trunk(trunk, way);
    }

    fn is_dead(&self, trunk: Sid, now: Instant) -> bool {
        self.health.is_dead(trunk, now)
    }

    fn hard_failure(
        &self,
        trunk: Sid,
        threshold: u32,
        interval: Duration,
        cooldown: Duration,
        now: Instant,
    ) {
        self.health.hard_failure(trunk, threshold, (interval, cooldown), now);
    }

    fn probe_result(&self, trunk: Sid, answered: bool, threshold: u32, _now: Instant) {
        if answered {
            self.health.probe_answered(trunk);
        } else {
            self.health.probe_failed(trunk, threshold);
        }
    }

    fn nonce_fresh(&self, nonce: u64, nonce_count: u32, now: Instant) -> bool {
        self.nonces.take(nonce, nonce_count, now)
    }

    fn wrong_credentials(&self, source: SocketAddr, now: Instant) {
        self.bans.wrong_credentials(self.address(source), now);
    }

    fn is_banned(&self, source: SocketAddr, now: Instant) -> bool {
        self.bans.is_banned(self.address(source), now)
    }

    fn admit_challenge(&self, source: SocketAddr, now: Instant) -> bool {
        self.challenges.admit(self.address(source), now)
    }
}

fn network(ip: Ipv6Addr, prefix: u8) -> u128 {
    let host_bits = 128_u32.saturating_sub(prefix.into());
    u128::from(ip) & u128::MAX.checked_shl(host_bits).unwrap_or(0)
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
