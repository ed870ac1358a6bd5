//! Doubling retransmission timers that give up after 64*T1: RFC 3261 §13.3.1.4, RFC 3262 §3.

use core::time::Duration;

/// The base times of retransmissions (RFC 3261 §17.1.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetransmitTimes {
    /// The first interval. Default 500 ms.
    pub t1: Duration,
    /// The longest interval, where there is one. Default 4 s.
    pub t2: Duration,
}

impl Default for RetransmitTimes {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4) }
    }
}
