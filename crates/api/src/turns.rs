//! Turns: changes of one object that come at the same time are made one after the other.
//!
//! A change is read, laid over and written with the revision that was read; one that finds another in between begins
//! anew. Without turns several clients that change one object at once would be in each other's way until one of them has
//! lost so often that it is told 503. What changes an object elsewhere (a first caller's claim, a dialling) takes no turn
//! and is still found by its revision.

use std::hash::{BuildHasher as _, RandomState};

use mediator_model::Sid;
use tokio::sync::{Mutex, MutexGuard};

/// Objects of one lane wait for each other, though they need not: many lanes make that rare.
const LANES: usize = 64;

/// Who may change which object.
#[derive(Debug)]
pub(crate) struct Turns {
    lanes: [Mutex<()>; LANES],
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self { lanes: [const { Mutex::const_new(()) }; LANES], hasher: RandomState::new() }
    }
}

impl Turns {
    /// Waits for those who came before; the turn is over when what is given back is dropped.
    pub(crate) async fn take(&self, object: Sid) -> Option<MutexGuard<'_, ()>> {
        let lane = self.hasher.hash_one(object) as usize % LANES;
        match self.lanes.get(lane) {
            Some(lane) => Some(lane.lock().await),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn one_changes_an_object_at_a_time_in_the_order_of_coming() {
        let turns = Arc::new(Turns::default());
        let object = Sid::from_random(7);
        let done = Arc::new(AtomicUsize::new(0));
        let first = turns.take(object).await;
        let others: Vec<_> = (0..20)
            .map(|place| {
                let (turns, done) = (turns.clone(), done.clone());
                tokio::spawn(async move {
                    let _turn = turns.take(object).await;
                    let before = done.load(Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    done.store(before + 1, Ordering::SeqCst);
                    assert_eq!(before, place);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        assert_eq!(done.load(Ordering::SeqCst), 0, "the first one's turn is not over");
        drop(first);
        for other in others {
            other.await.unwrap();
        }
        assert_eq!(done.load(Ordering::SeqCst), 20);
    }
}
