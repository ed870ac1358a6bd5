//! When sessions want to be woken: a heap for what comes in seconds, a wheel for what is sent every few milliseconds.
//!
//! The wheel is the grid that all players of a relay tick on together, so that a thousand of them cost one wake-up. Neither
//! forgets: an entry that is no longer wanted stays until its time and is passed over then, which is for the session to
//! see. The heap holds at most a strictly falling run of times of each session.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use mediator_model::Instant;

use crate::{SessionKey, Side};

#[cfg(test)]
mod tests;

/// What sounds are sent on: an instant of the grid is a whole number of these, 5 ms.
const GRID_NANOS: u64 = 5_000_000;
/// Slots of the wheel: what is due later than 315 ms is looked at again then.
const SLOTS: u64 = 64;

/// A leg that has something to send on the grid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ticker {
    pub(crate) session: SessionKey,
    pub(crate) side: Side,
}

/// All that a relay waits for.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    far: BinaryHeap<Reverse<(Instant, SessionKey)>>,
    grid: Grid,
}

impl Timers {
    /// Wakes a session at a time or somewhat later.
    pub(crate) fn arm(&mut self, at: Instant, session: SessionKey) {
        self.far.push(Reverse((at, session)));
    }

    /// Wakes a leg at the first instant of the grid that is not before `due`, or earlier where that is far. Returns that
    /// instant's number.
    pub(crate) fn tick_at(&mut self, now: Instant, due: Instant, ticker: Ticker) -> u64 {
        self.grid.add(now, due, ticker)
    }

    /// The number of the first instant of the grid that is not before `due`.
    pub(crate) const fn tick_of(due: Instant) -> u64 {
        due.as_nanos().div_ceil(GRID_NANOS)
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> Option<Instant> {
        let far = self.far.peek().map(|Reverse((at, _))| *at);
        match (far, self.grid.next()) {
            (Some(far), Some(grid)) => Some(far.min(grid)),
            (far, grid) => far.or(grid),
        }
    }

    /// A session whose time has come, and the time that it had asked for.
    pub(crate) fn pop_far(&mut self, now: Instant) -> Option<(Instant, SessionKey)> {
        let Reverse((at, session)) = *self.far.peek()?;
        if at > now {
            return None;
        }
        self.far.pop();
        Some((at, session))
    }

    /// Moves the legs of the next instant of the grid that has come into `tickers`, and returns the instant's number.
    pub(crate) fn pop_grid(&mut self, now: Instant, tickers: &mut Vec<Ticker>) -> Option<u64> {
        self.grid.pop(now, tickers)
    }
}

#[derive(Debug)]
struct Grid {
    slots: [Vec<Ticker>; SLOTS as usize],
    /// The slots that hold something, one bit each.
    occupied: u64,
    /// The last instant that is over; entries are of the instants behind it, fewer than [`SLOTS`] of them.
    done: u64,
}

impl Default for Grid {
    fn default() -> Self {
        Self { slots: core::array::from_fn(|_| Vec::new()), occupied: 0, done: 0 }
    }
}

impl Grid {
    fn add(&mut self, now: Instant, due: Instant, ticker: Ticker) -> u64 {
        if self.occupied == 0 {
            self.done = self.done.max((now.as_nanos() / GRID_NANOS).saturating_sub(1));
        }
        let wanted = Timers::tick_of(due);
        let tick = wanted.clamp(self.done.saturating_add(1), self.done.saturating_add(SLOTS - 1));
        let slot = tick % SLOTS;
        if let Some(slot) = self.slots.get_mut(slot as usize) {
            slot.push(ticker);
        }
        self.occupied |= 1 << slot;
        tick
    }

    fn next_tick(&self) -> Option<u64> {
        if self.occupied == 0 {
            return None;
        }
        let first = self.done.saturating_add(1);
        let turned = self.occupied.rotate_right((first % SLOTS) as u32);
        Some(first.saturating_add(u64::from(turned.trailing_zeros())))
    }

    fn next(&self) -> Option<Instant> {
        self.next_tick().map(|tick| Instant::from_nanos(tick.saturating_mul(GRID_NANOS)))
    }

    fn pop(&mut self, now: Instant, tickers: &mut Vec<Ticker>) -> Option<u64> {
        let tick = self.next_tick().filter(|tick| *tick <= now.as_nanos() / GRID_NANOS)?;
        let slot = tick % SLOTS;
        tickers.clear();
        if let Some(slot) = self.slots.get_mut(slot as usize) {
            core::mem::swap(slot, tickers);
        }
        self.occupied &= !(1 << slot);
        self.done = tick;
        Some(tick)
    }
}
