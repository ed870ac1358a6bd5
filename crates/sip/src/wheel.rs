//! A hierarchical timer wheel: O(1) to arm, move and cancel; one entry an armed timer.

use core::marker::PhantomData;
use mediator_model::Instant;

/// A live entry of a wheel; stale after it fired or was cancelled, and never matches another one then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerId {
    index: u32,
    generation: u32,
}

/// Timers, each with a key that says whose it is. Resolution 1.05 ms; never early.
#[derive(Debug)]
pub struct Wheel<K> {
    keys: PhantomData<K>,
}

impl<K: Copy> Default for Wheel<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Copy> Wheel<K> {
    /// A wheel without timers.
    pub fn new() -> Self {
        todo!()
    }

    /// Makes `timer` fire at `deadline`, moves it there, or (`None`) cancels it: call it after each step of a
    /// machine with the machine's next deadline. Costs nothing when nothing changes.
    ///
    /// After [`Self::expire`] gave out its key, the owner's `timer` is stale and is armed afresh here.
    pub fn arm(&mut self, _timer: &mut Option<TimerId>, _deadline: Option<Instant>, _key: K) {
        todo!()
    }

    /// Adds a timer.
    pub fn insert(&mut self, _deadline: Instant, _key: K) -> TimerId {
        todo!()
    }

    /// Removes a timer; `None` when it has fired or was removed before.
    pub fn cancel(&mut self, _timer: TimerId) -> Option<K> {
        todo!()
    }

    /// Takes out one timer that is due; call it until `None`. Earlier ticks come first.
    pub fn expire(&mut self, _now: Instant) -> Option<K> {
        todo!()
    }

    /// No timer is due before this instant; it may pass without one.
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!()
    }

    /// How many timers are armed.
    pub fn len(&self) -> usize {
        let _ = self.keys;
        todo!()
    }

    /// Whether no timer is armed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
