//! The way into a shard from other threads: a bounded queue that is emptied by the batch.
//!
//! One lock for a batch on either side and one wake-up for as many events as come before the shard
//! looks. A mutex around a `VecDeque` that is swapped out whole is cheaper here than a channel:
//! `benches/socket_cost.rs` holds both against each other.
//!
//! Invariants: what one thread posts arrives in its order; the limit binds messages, while the few
//! events that carry state (a connection closed, a send failed) are never lost.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The default limit of an inbox: at 10,000 messages a second, less than half a second of waiting.
/// More would only add delay to what is late already.
pub const INBOX_LIMIT: usize = 4096;

struct Shared<T> {
    queue: Mutex<Queue<T>>,
    limit: usize,
    dropped: AtomicU64,
    waiting_for_space: AtomicUsize,
    space: Notify,
}

struct Queue<T> {
    items: VecDeque<T>,
    /// Set while the owner sleeps; taken by whoever posts first.
    sleeper: Option<Waker>,
}

/// The posting side. Clones post to the same inbox.
pub struct Post<T> {
    shared: Arc<Shared<T>>,
}

/// The owner's side.
pub struct Inbox<T> {
    shared: Arc<Shared<T>>,
    /// Swapped with the shared queue: what is here needs no lock any more.
    batch: VecDeque<T>,
}

/// Makes an inbox that refuses messages beyond `limit`.
pub fn inbox<T>(limit: usize) -> (Post<T>, Inbox<T>) {
    let shared = Arc::new(Shared {
        queue: Mutex::new(Queue { items: VecDeque::new(), sleeper: None }),
        limit,
        dropped: AtomicU64::new(0),
        waiting_for_space: AtomicUsize::new(0),
        space: Notify::new(),
    });
    (Post { shared: Arc::clone(&shared) }, Inbox { shared, batch: VecDeque::new() })
}

impl<T> Clone for Post<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Post<T> {
    /// Posts `item`, or drops and counts it when the inbox is full. For datagrams, whose senders
    /// repeat them.
    pub fn offer(&self, item: T) {
        if self.try_post(item).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Posts all of `batch` with one lock and one wake-up; what does not fit is dropped and counted.
    pub fn offer_all(&self, batch: &mut Vec<T>) {
        let sleeper = {
            let mut queue = self.shared.queue.lock();
            let space = self.shared.limit.saturating_sub(queue.items.len());
            let dropped = batch.len().saturating_sub(space);
            if dropped > 0 {
                self.shared.dropped.fetch_add(dropped as u64, Ordering::Relaxed);
                batch.truncate(space);
            }
            queue.items.extend(batch.drain(..));
            if queue.items.is_empty() { None } else { queue.sleeper.take() }
        };
        if let Some(waker) = sleeper {
            waker.wake();
        }
    }

    /// Posts `item`, or gives it back when the inbox is full.
    pub fn try_post(&self, item: T) -> Result<(), T> {
        let sleeper = {
            let mut queue = self.shared.queue.lock();
            if queue.items.len() >= self.shared.limit {
                return Err(item);
            }
            queue.items.push_back(item);
            queue.sleeper.take()
        };
        if let Some(waker) = sleeper {
            waker.wake();
        }
        Ok(())
    }

    /// Posts `item`, waiting while the inbox is full. For streams: the peer then waits as well.
    pub async fn post(&self, item: T) {
        let mut item = item;
        loop {
            // Made before the try, so that space that comes in between is not missed.
            let space = self.shared.space.notified();
            item = match self.try_post(item) {
                Ok(()) => return,
                Err(refused) => refused,
            };
            let _waiting = Waiting::new(&self.shared.waiting_for_space);
            // The owner may have emptied the inbox before it could see that somebody waits.
            item = match self.try_post(item) {
                Ok(()) => return,
                Err(refused) => refused,
            };
            space.await;
        }
    }

    /// Posts `item` beyond the limit. Only for events whose number something else bounds: one a
    /// connection, one a queued send.
    pub fn post_always(&self, item: T) {
        let sleeper = {
            let mut queue = self.shared.queue.lock();
            queue.items.push_back(item);
            queue.sleeper.take()
        };
        if let Some(waker) = sleeper {
            waker.wake();
        }
    }

    /// How many messages found the inbox full.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

/// Counts a waiting poster, also when its future is dropped half-way.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<T> Inbox<T> {
    /// Hands at most `limit` items to `handle`, oldest first, and says how many there were. Never
    /// waits.
    pub fn drain(&mut self, limit: usize, handle: &mut impl FnMut(T)) -> usize {
        let mut handled = 0;
        while handled < limit {
            if self.batch.is_empty() && !self.refill() {
                break;
            }
            let Some(item) = self.batch.pop_front() else { break };
            handle(item);
            handled += 1;
        }
        handled
    }

    /// Ready when [`drain`](Self::drain) would find something; else the task is woken then.
    pub fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.batch.is_empty() {
            return Poll::Ready(());
        }
        let mut queue = self.shared.queue.lock();
        if !queue.items.is_empty() {
            return Poll::Ready(());
        }
        match &mut queue.sleeper {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Waits until [`drain`](Self::drain) would find something.
    pub async fn ready(&mut self) {
        std::future::poll_fn(|context| self.poll_ready(context)).await;
    }

    /// Takes the shared queue whole. `false` when it is empty.
    fn refill(&mut self) -> bool {
        {
            let mut queue = self.shared.queue.lock();
            if queue.items.is_empty() {
                return false;
            }
            std::mem::swap(&mut queue.items, &mut self.batch);
        }
        if self.shared.waiting_for_space.load(Ordering::SeqCst) > 0 {
            self.shared.space.notify_waiters();
        }
        true
    }
}

#[cfg(test)]
mod tests;
