//! A hierarchical timer wheel: O(1) to arm, move and cancel; one entry an armed timer.
//!
//! Time is cut into ticks of 2^20 ns. Eight levels of 64 slots cover the whole clock: a slot of level 0 is
//! one tick wide, one of level `n` 64^n ticks. A timer waits in the level of the highest digit (base 64) in
//! which its tick differs from the present one, and moves down when that digit is reached: at most seven
//! times, for 32 s twice. Occupied slots are found by bit masks, so a long sleep costs no more than the
//! timers that it has passed.
//!
//! Invariants: a timer never fires before its deadline; on every level all occupied slots lie ahead of the
//! present tick (on level 0: not behind it); memory is that of the most timers ever armed at once, since a
//! cancelled one leaves nothing behind.
//!
//! Not here: what a timer means. An owner holds `Option<TimerId>` and calls [`Wheel::arm`] with its next
//! deadline after each step.

#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use mediator_model::Instant;

/// A tick is 2^20 ns, 1.05 ms.
const TICK_BITS: u32 = 20;
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
/// 48 bits of ticks; a clock of 64-bit nanoseconds has 45.
const LEVELS: usize = 8;

/// No entry.
const NIL: u32 = u32::MAX;
/// The list of an entry that holds no timer.
const FREE: u16 = u16::MAX;

/// A timer in a wheel; stale after it fired or was cancelled, and never matches another one then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerId {
    index: u32,
    generation: u32,
}

/// Timers, each with a key that says whose it is. Resolution 1.05 ms; never early.
///
/// ```
/// use mediator_model::Instant;
/// use mediator_sip::wheel::Wheel;
///
/// let mut wheel = Wheel::new();
/// let mut timer = None;
/// wheel.arm(&mut timer, Some(Instant::from_millis(500)), "A");
/// assert_eq!(wheel.expire(Instant::from_millis(499)), None);
/// assert_eq!(wheel.expire(Instant::from_millis(502)), Some("A"));
/// assert!(wheel.is_empty());
/// ```
#[derive(Debug)]
pub struct Wheel<K> {
    /// The present tick: every timer of an earlier one has been given out.
    elapsed: u64,
    levels: [Level; LEVELS],
    entries: Vec<Entry<K>>,
    free: u32,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    /// Bit `n` is set while slot `n` has a timer.
    occupied: u64,
    heads: [u32; SLOTS],
}

#[derive(Debug)]
struct Entry<K> {
    tick: u64,
    key: K,
    generation: u32,
    previous: u32,
    next: u32,
    /// Level times 64 plus slot, or [`FREE`].
    list: u16,
}

impl<K: Copy> Default for Wheel<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Copy> Wheel<K> {
    /// A wheel without timers.
    pub const fn new() -> Self {
        Self {
            elapsed: 0,
            levels: [Level { occupied: 0, heads: [NIL; SLOTS] }; LEVELS],
            entries: Vec::new(),
            free: NIL,
            len: 0,
        }
    }

    /// Makes `timer` fire at `deadline`, moves it there, or (`None`) cancels it.
    ///
    /// Meant to be called after each step of a machine with the machine's next deadline: it costs next to
    /// nothing when nothing changes. A timer that has fired is armed afresh.
    pub fn arm(&mut self, timer: &mut Option<TimerId>, deadline: Option<Instant>, key: K) {
        let live = timer.filter(|id| self.is_live(*id));
        match (live, deadline) {
            (Some(id), Some(deadline)) => self.move_to(id, deadline, key),
            (None, Some(deadline)) => *timer = Some(self.insert(deadline, key)),
            (Some(id), None) => {
                self.release(id.index);
                *timer = None;
            }
            (None, None) => *timer = None,
        }
    }

    /// Adds a timer.
    pub fn insert(&mut self, deadline: Instant, key: K) -> TimerId {
        let tick = tick_after(deadline);
        let id = self.reserve(tick, key);
        self.link(id.index, tick);
        self.len += 1;
        id
    }

    /// Removes a timer; `None` when it has fired or was removed before.
    pub fn cancel(&mut self, timer: TimerId) -> Option<K> {
        if self.is_live(timer) { self.release(timer.index) } else { None }
    }

    /// Takes out one timer that is due; call it until `None`. Earlier ticks come first, those of one tick in
    /// no particular order.
    pub fn expire(&mut self, now: Instant) -> Option<K> {
        let now = now.as_nanos() >> TICK_BITS;
        // Each turn gives out a timer or moves one slot's timers at least one level down.
        while let Some((level, slot, start)) = self.first_occupied() {
            if start > now {
                break;
            }
            self.elapsed = start;
            let head = self.levels.get(level).and_then(|level| level.heads.get(slot)).copied()?;
            if level == 0 {
                return self.release(head);
            }
            self.spill(level, slot, head);
        }
        self.elapsed = self.elapsed.max(now);
        None
    }

    /// No timer is due before this instant; none may be due at it either, where a long timer moves down a level.
    pub fn next_deadline(&self) -> Option<Instant> {
        let (_, _, start) = self.first_occupied()?;
        Some(Instant::from_nanos(start.saturating_mul(1 << TICK_BITS)))
    }

    /// How many timers are armed.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no timer is armed.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn is_live(&self, timer: TimerId) -> bool {
        self.entries
            .get(timer.index as usize)
            .is_some_and(|entry| entry.generation == timer.generation && entry.list != FREE)
    }

    fn move_to(&mut self, timer: TimerId, deadline: Instant, key: K) {
        let tick = tick_after(deadline);
        let Some(entry) = self.entries.get_mut(timer.index as usize) else { return };
        entry.key = key;
        if entry.tick == tick {
            return;
        }
        entry.tick = tick;
        self.unlink(timer.index);
        self.link(timer.index, tick);
    }

    /// The occupied slot that is reached first, and the tick at which it begins.
    fn first_occupied(&self) -> Option<(usize, usize, u64)> {
        let (number, level) =
            self.levels.iter().enumerate().find(|(_, level)| level.occupied != 0)?;
        let slot = level.occupied.trailing_zeros();
        let shift = SLOT_BITS * number as u32;
        let above = self.elapsed >> (shift + SLOT_BITS) << (shift + SLOT_BITS);
        Some((number, slot as usize, above | (u64::from(slot) << shift)))
    }

    /// Moves the timers of a slot that has been reached to lower levels.
    fn spill(&mut self, level: usize, slot: usize, head: u32) {
        if let Some(level) = self.levels.get_mut(level) {
            level.occupied &= !(1 << slot);
            if let Some(head) = level.heads.get_mut(slot) {
                *head = NIL;
            }
        }
        let mut index = head;
        while let Some(entry) = self.entries.get(index as usize) {
            let (next, tick) = (entry.next, entry.tick);
            self.link(index, tick);
            index = next;
        }
    }

    /// Takes an entry from the free list, or makes one.
    fn reserve(&mut self, tick: u64, key: K) -> TimerId {
        let index = self.free;
        if let Some(entry) = self.entries.get_mut(index as usize) {
            self.free = entry.next;
            entry.tick = tick;
            entry.key = key;
            return TimerId { index, generation: entry.generation };
        }
        let index = self.entries.len() as u32;
        assert!(index < NIL, "4 billion timers do not fit into memory");
        self.entries.push(Entry { tick, key, generation: 0, previous: NIL, next: NIL, list: FREE });
        TimerId { index, generation: 0 }
    }

    /// Unlinks an entry and gives it back to the free list.
    fn release(&mut self, index: u32) -> Option<K> {
        self.unlink(index);
        let entry = self.entries.get_mut(index as usize)?;
        entry.generation = entry.generation.wrapping_add(1);
        entry.list = FREE;
        entry.next = self.free;
        self.free = index;
        self.len -= 1;
        Some(entry.key)
    }

    /// Puts an entry into the slot that `tick` belongs to now; the present one where it has passed.
    fn link(&mut self, index: u32, tick: u64) {
        let tick = tick.max(self.elapsed);
        let distance = tick ^ self.elapsed;
        let number = (distance | 1).ilog2() / SLOT_BITS;
        let slot = (tick >> (SLOT_BITS * number)) as usize % SLOTS;
        let Some(level) = self.levels.get_mut(number as usize) else { return };
        let Some(head) = level.heads.get_mut(slot) else { return };
        let next = core::mem::replace(head, index);
        level.occupied |= 1 << slot;
        if let Some(entry) = self.entries.get_mut(index as usize) {
            entry.previous = NIL;
            entry.next = next;
            entry.list = (number as usize * SLOTS + slot) as u16;
        }
        if let Some(entry) = self.entries.get_mut(next as usize) {
            entry.previous = index;
        }
    }

    /// Takes an entry out of its slot; it belongs to none then.
    fn unlink(&mut self, index: u32) {
        let Some(entry) = self.entries.get(index as usize) else { return };
        let (previous, next, list) = (entry.previous, entry.next, usize::from(entry.list));
        if let Some(entry) = self.entries.get_mut(next as usize) {
            entry.previous = previous;
        }
        if let Some(entry) = self.entries.get_mut(previous as usize) {
            entry.next = next;
            return;
        }
        let Some(level) = self.levels.get_mut(list / SLOTS) else { return };
        if let Some(head) = level.heads.get_mut(list % SLOTS) {
            *head = next;
        }
        if next == NIL {
            level.occupied &= !(1 << (list % SLOTS));
        }
    }
}

/// The first tick that begins at or after the deadline.
const fn tick_after(deadline: Instant) -> u64 {
    deadline.as_nanos().div_ceil(1 << TICK_BITS)
}
