//! What becomes of a packet: lost, repeated, late. From a seed, so that it becomes the same again.
//!
//! The network is unfair but not hopeless: of identical packets at most [`MOST_LOST`] get lost, so that whatever is
//! retransmitted as its RFC asks arrives in the end.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::time::Duration;

use crate::Dice;

/// Copies of one packet that may be lost.
const MOST_LOST: u8 = 3;

/// A network between all parties.
#[derive(Debug)]
pub struct Network {
    dice: Dice,
    loss_percent: u64,
    duplicate_percent: u64,
    delay: (u64, u64),
    lost: HashMap<u64, u8>,
}

impl Network {
    /// A network that delivers everything once, in order, after 5 ms.
    pub fn new(seed: u64) -> Self {
        let lost = HashMap::new();
        Self { dice: Dice::new(seed), loss_percent: 0, duplicate_percent: 0, delay: (5, 6), lost }
    }

    /// Loses so many packets in a hundred.
    pub fn loss(&mut self, percent: u64) -> &mut Self {
        self.loss_percent = percent;
        self
    }

    /// Delivers so many packets in a hundred twice.
    pub fn duplicates(&mut self, percent: u64) -> &mut Self {
        self.duplicate_percent = percent;
        self
    }

    /// Delivers after `low..high` ms: packets overtake each other.
    pub fn delay(&mut self, low: u64, high: u64) -> &mut Self {
        self.delay = (low, high);
        self
    }

    /// When the copies of a packet arrive.
    pub(crate) fn packet(&mut self, way: (SocketAddr, SocketAddr), bytes: &[u8]) -> Vec<Duration> {
        let mut times = Vec::new();
        if !(self.dice.percent(self.loss_percent) && self.may_lose(way, bytes)) {
            times.push(self.time());
        }
        if !times.is_empty() && self.dice.percent(self.duplicate_percent) {
            times.push(self.time());
        }
        times
    }

    /// When a piece of a stream arrives, but for its order.
    pub(crate) fn time(&mut self) -> Duration {
        self.dice.millis(self.delay.0, self.delay.1)
    }

    fn may_lose(&mut self, way: (SocketAddr, SocketAddr), bytes: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        (way, bytes).hash(&mut hasher);
        let lost = self.lost.entry(hasher.finish()).or_default();
        *lost = lost.saturating_add(1);
        *lost <= MOST_LOST
    }
}
