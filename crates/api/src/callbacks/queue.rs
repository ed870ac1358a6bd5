//! Which delivery is next: what was found due, by host, so that one that hangs holds up nobody else's. Pure.
//!
//! Invariants: at most [`MAX_RUNNING`] run at once, and [`MAX_PER_HOST`] for one host; an attempt that ended is not begun
//! again because the store's reader has not seen yet what became of it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use mediator_store::Delivery;
use tokio::time::Instant;

/// The most attempts at once.
pub(super) const MAX_RUNNING: usize = 32;
/// The most attempts at once for one host.
pub(super) const MAX_PER_HOST: usize = 4;
/// The most deliveries that wait here; the others wait in the store.
pub(super) const MAX_WAITING: usize = 1024;
/// How long the outcome of an attempt is remembered here: much longer than a store takes to write it.
const REMEMBERED: Duration = Duration::from_mins(1);

/// Deliveries that were found due.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lanes: HashMap<Box<str>, Lane>,
    /// Hosts with deliveries that wait, the next one first.
    turns: VecDeque<Box<str>>,
    seen: HashMap<u64, Seen>,
    waiting: usize,
    running: usize,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Delivery>,
    running: usize,
}

/// A delivery that waits or runs here, or did a moment ago.
#[derive(Debug)]
struct Seen {
    /// The attempts that it had when it was found.
    attempts: u32,
    /// When its attempt ended.
    ended: Option<Instant>,
}

impl Queue {
    /// How many wait here.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many run.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// Takes a delivery in, unless it is here already, or what was read of it is older than its last attempt.
    pub(super) fn admit(&mut self, delivery: Delivery, host: &str) {
        let known = self.seen.get(&delivery.id).map(|seen| seen.attempts);
        if known.is_some_and(|attempts| attempts >= delivery.attempts)
            || self.waiting >= MAX_WAITING
        {
            return;
        }
        self.seen.insert(delivery.id, Seen { attempts: delivery.attempts, ended: None });
        let lane = self.lanes.entry(host.into()).or_default();
        if lane.waiting.is_empty() {
            self.turns.push_back(host.into());
        }
        lane.waiting.push_back(delivery);
        self.waiting += 1;
    }

    /// The next delivery to be tried and its host, where there is room for one; hosts take turns.
    pub(super) fn take(&mut self) -> Option<(Box<str>, Delivery)> {
        if self.running >= MAX_RUNNING {
            return None;
        }
        for _ in 0..self.turns.len() {
            let host = self.turns.pop_front()?;
            let Some(lane) = self.lanes.get_mut(&host) else { continue };
            if lane.running >= MAX_PER_HOST {
                self.turns.push_back(host);
                continue;
            }
            let Some(delivery) = lane.waiting.pop_front() else { continue };
            lane.running += 1;
            self.running += 1;
            self.waiting -= 1;
            if !lane.waiting.is_empty() {
                self.turns.push_back(host.clone());
            }
            return Some((host, delivery));
        }
        None
    }

    /// Notes that an attempt ended.
    pub(super) fn ended(&mut self, host: &str, id: u64, now: Instant) {
        self.running = self.running.saturating_sub(1);
        if let Some(seen) = self.seen.get_mut(&id) {
            seen.ended = Some(now);
        }
        if let Some(lane) = self.lanes.get_mut(host) {
            lane.running = lane.running.saturating_sub(1);
            if lane.running == 0 && lane.waiting.is_empty() {
                self.lanes.remove(host);
            }
        }
    }

    /// Forgets attempts that ended long ago.
    pub(super) fn forget(&mut self, now: Instant) {
        self.seen.retain(|_, seen| {
            seen.ended.is_none_or(|ended| now.saturating_duration_since(ended) < REMEMBERED)
        });
    }
}

#[cfg(test)]
mod tests {
    use mediator_model::{Sid, UnixMillis};

    use super::*;

    fn delivery(id: u64, attempts: u32) -> Delivery {
        Delivery {
            id,
            url: "http://x/".into(),
            body: "{}".into(),
            dr_sid: Sid::from_random(1),
            created: UnixMillis(0),
            attempts,
            due: Some(UnixMillis(0)),
            last_error: None,
        }
    }

    fn taken(queue: &mut Queue) -> Vec<(String, u64)> {
        std::iter::from_fn(|| queue.take())
            .map(|(host, delivery)| (host.into(), delivery.id))
            .collect()
    }

    #[test]
    fn hosts_take_turns_and_have_four_each() {
        let mut queue = Queue::default();
        for id in 0..10 {
            queue.admit(delivery(id, 0), "a");
        }
        for id in 10..12 {
            queue.admit(delivery(id, 0), "b");
        }
        let order = taken(&mut queue);
        let expected = [("a", 0), ("b", 10), ("a", 1), ("b", 11), ("a", 2), ("a", 3)];
        assert_eq!(order, expected.map(|(host, id)| (host.to_owned(), id)));
        assert_eq!((queue.running(), queue.waiting()), (6, 6));
        queue.ended("a", 1, Instant::now());
        assert_eq!(taken(&mut queue), [("a".to_owned(), 4)]);
    }

    #[test]
    fn has_no_more_than_32_running() {
        let mut queue = Queue::default();
        for id in 0..100 {
            queue.admit(delivery(id, 0), &format!("host{}", id % 50));
        }
        assert_eq!(taken(&mut queue).len(), MAX_RUNNING);
    }

    #[test]
    fn takes_no_more_in_than_its_limit() {
        let mut queue = Queue::default();
        for id in 0..MAX_WAITING as u64 + 10 {
            queue.admit(delivery(id, 0), "a");
        }
        assert_eq!(queue.waiting(), MAX_WAITING);
    }

    #[test]
    fn what_was_just_tried_is_not_tried_again_from_an_old_reading() {
        let mut queue = Queue::default();
        let now = Instant::now();
        queue.admit(delivery(7, 2), "a");
        queue.admit(delivery(7, 2), "a");
        assert_eq!(taken(&mut queue).len(), 1);
        queue.ended("a", 7, now);
        queue.admit(delivery(7, 2), "a");
        assert_eq!(queue.waiting(), 0);
        // The store has it with one attempt more: it is due again.
        queue.admit(delivery(7, 3), "a");
        assert_eq!(taken(&mut queue).len(), 1);
    }

    #[test]
    fn nothing_is_kept_of_what_ended_long_ago() {
        let mut queue = Queue::default();
        let now = Instant::now();
        queue.admit(delivery(1, 0), "a");
        queue.admit(delivery(2, 0), "b");
        assert_eq!(taken(&mut queue).len(), 2);
        queue.ended("a", 1, now);
        queue.forget(now + REMEMBERED);
        assert_eq!(queue.seen.keys().copied().collect::<Vec<_>>(), [2]);
        queue.ended("b", 2, now);
        queue.forget(now + REMEMBERED);
        assert!(queue.seen.is_empty() && queue.lanes.is_empty() && queue.turns.is_empty());
    }
}
