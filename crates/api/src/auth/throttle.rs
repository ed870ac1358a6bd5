//! Guessing is slow: an address that failed ten times in a minute waits for one.
//!
//! A good login takes back the failures with the same login and no others: who has one account cannot buy guesses at
//! another's with it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use foldhash::fast::RandomState;
use mediator_model::UnixMillis;
use parking_lot::Mutex;

use super::Peer;
use crate::fault::Fault;

/// Failures that are one too many.
const MAX_FAILURES: usize = 10;
/// Within this time, and for this time.
const WINDOW: Duration = Duration::from_mins(1);
/// How many addresses are watched.
const MAX_PEERS: usize = 16 * 1024;
/// How long credentials that were good are known, from the last time on.
const KNOWN: Duration = Duration::from_hours(1);
/// How many are.
const MAX_KNOWN: usize = 4096;

/// Failed logins by address.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    failures: Mutex<HashMap<Peer, Failures, RandomState>>,
    /// Proofs of good credentials, and when they were shown last.
    known: Mutex<HashMap<[u8; 32], UnixMillis, RandomState>>,
}

#[derive(Clone, Debug)]
struct Failures {
    /// With which login each was.
    logins: Vec<u64>,
    /// Of the first one that counts, or of the one that was too many.
    since: UnixMillis,
}

impl Failures {
    const fn is_full(&self) -> bool {
        self.logins.len() >= MAX_FAILURES
    }

    fn is_over(&self, now: UnixMillis) -> bool {
        now.saturating_since(self.since) >= WINDOW
    }
}

impl Throttle {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn admit(&self, peer: Peer, now: UnixMillis) -> Result<(), Fault> {
        let all = self.failures.lock();
        match all.get(&network(peer)) {
            Some(failures) if failures.is_full() && !failures.is_over(now) => {
                let left = WINDOW.saturating_sub(now.saturating_since(failures.since));
                let retry_after =
                    u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
                Err(Fault::TooManyRequests { retry_after: retry_after.max(1) })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn failed(&self, peer: Peer, login: u64, now: UnixMillis) {
        let mut all = self.failures.lock();
        if all.len() >= MAX_PEERS {
            all.retain(|_, failures| !failures.is_over(now));
        }
        if all.len() >= MAX_PEERS {
            // Somebody has many addresses: whom to forget makes no difference.
            let forgotten = all.keys().next().copied();
            forgotten.map(|peer| all.remove(&peer));
        }
        let blank = || Failures { logins: Vec::new(), since: now };
        let failures = all.entry(network(peer)).or_insert_with(blank);
        if failures.is_over(now) {
            *failures = blank();
        }
        // One that is full has an end already.
        if !failures.is_full() {
            failures.logins.push(login);
            if failures.is_full() {
                failures.since = now;
            }
        }
    }

    /// How many addresses are watched.
    #[cfg(test)]
    pub(super) fn watched(&self) -> usize {
        self.failures.lock().len()
    }

    /// Takes back the failures with a login.
    pub(super) fn forget(&self, peer: Peer, login: u64) {
        let mut all = self.failures.lock();
        if let Some(failures) = all.get_mut(&network(peer)) {
            failures.logins.retain(|failed| *failed != login);
            if failures.logins.is_empty() {
                all.remove(&network(peer));
            }
        }
    }

    /// Whether credentials were good lately.
    pub(super) fn knows(&self, proof: &[u8; 32], now: UnixMillis) -> bool {
        self.known.lock().get(proof).is_some_and(|at| now.saturating_since(*at) < KNOWN)
    }

    /// Notes that credentials are good.
    pub(super) fn learn(&self, proof: [u8; 32], now: UnixMillis) {
        let mut known = self.known.lock();
        if known.len() >= MAX_KNOWN && !known.contains_key(&proof) {
            known.retain(|_, at| now.saturating_since(*at) < KNOWN);
            if known.len() >= MAX_KNOWN {
                // Whom to forget makes no difference but to who is shut out by others at that time.
                let forgotten = known.keys().next().copied();
                forgotten.map(|proof| known.remove(&proof));
            }
        }
        known.insert(proof, now);
    }

    /// Notes that they are not, or not any more.
    pub(super) fn unlearn(&self, proof: &[u8; 32]) {
        self.known.lock().remove(proof);
    }
}

/// An IPv6 customer has 64 bits of addresses (RFC 6177): they count as one.
fn network(peer: Peer) -> Peer {
    match peer.0 {
        Some(IpAddr::V6(ip)) => {
            let prefix = u128::from(ip) & !u128::from(u64::MAX);
            Peer(Some(IpAddr::V6(Ipv6Addr::from(prefix))))
        }
        Some(IpAddr::V4(_)) | None => peer,
    }
}
