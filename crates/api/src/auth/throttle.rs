//! Guessing is slow: an address that failed ten times in a minute waits for one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use foldhash::fast::RandomState;
use mediator_model::UnixMillis;
use parking_lot::Mutex;

use super::Peer;
use crate::fault::Fault;

/// Failures that are one too many.
const MAX_FAILURES: u32 = 10;
/// Within this time, and for this time.
const WINDOW: Duration = Duration::from_secs(60);
/// How many addresses are watched.
const MAX_PEERS: usize = 16 * 1024;

/// Failed logins by address.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    failures: Mutex<HashMap<Peer, Failures, RandomState>>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    /// Of the first one that counts, or of the one that was too many.
    since: UnixMillis,
}

impl Failures {
    fn is_over(&self, now: UnixMillis) -> bool {
        now.saturating_since(self.since) >= WINDOW
    }
}

impl Throttle {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn admit(&self, peer: Peer, now: UnixMillis) -> Result<(), Fault> {
        let failures = self.failures.lock().get(&network(peer)).copied();
        match failures {
            Some(failures) if failures.count >= MAX_FAILURES && !failures.is_over(now) => {
                let left = WINDOW.saturating_sub(now.saturating_since(failures.since));
                let retry_after =
                    u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
                Err(Fault::TooManyRequests { retry_after: retry_after.max(1) })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn failed(&self, peer: Peer, now: UnixMillis) {
        let mut all = self.failures.lock();
        if all.len() >= MAX_PEERS {
            all.retain(|_, failures| !failures.is_over(now));
        }
        if all.len() >= MAX_PEERS {
            // Somebody has many addresses: whom to forget makes no difference.
            let forgotten = all.keys().next().copied();
            forgotten.map(|peer| all.remove(&peer));
        }
        let failures = all.entry(network(peer)).or_insert(Failures { count: 0, since: now });
        if failures.is_over(now) {
            *failures = Failures { count: 0, since: now };
        }
        failures.count += 1;
        if failures.count == MAX_FAILURES {
            failures.since = now;
        }
    }

    /// How many addresses are watched.
    #[cfg(test)]
    pub(super) fn watched(&self) -> usize {
        self.failures.lock().len()
    }

    pub(super) fn forget(&self, peer: Peer) {
        self.failures.lock().remove(&network(peer));
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
