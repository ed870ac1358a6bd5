//! Datagrams that found the kernel's send buffer full.
//!
//! Invariant: they leave in the order in which they came; whoever sends while some wait queues
//! behind them.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The most that waits: more is better dropped, as the network would, than sent late.
pub(super) const BACKLOG_DATAGRAMS: usize = 4096;

/// The queue is full; the datagram is dropped and counted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

#[derive(Default)]
pub(super) struct Backlog {
    queue: Mutex<VecDeque<(Box<[u8]>, SocketAddr)>>,
    /// Whether the queue holds anything: senders look here before they lock.
    waiting: AtomicBool,
    filled: Notify,
    deferred: AtomicU64,
    dropped: AtomicU64,
}

impl Backlog {
    pub(super) fn is_empty(&self) -> bool {
        !self.waiting.load(Ordering::Acquire)
    }

    pub(super) fn deferred(&self) -> u64 {
        self.deferred.load(Ordering::Relaxed)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(super) fn push(&self, bytes: &[u8], remote: SocketAddr) -> Result<(), Full> {
        let mut queue = self.queue.lock();
        if queue.len() >= BACKLOG_DATAGRAMS {
            drop(queue);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return Err(Full);
        }
        queue.push_back((bytes.into(), remote));
        self.waiting.store(true, Ordering::Release);
        drop(queue);
        self.deferred.fetch_add(1, Ordering::Relaxed);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits until something was queued.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Sends what waits until the queue is empty (`true`) or the kernel's buffer is full again
    /// (`false`). A datagram that the kernel refuses for another reason is counted as dropped.
    pub(super) fn flush(
        &self,
        send: &mut impl FnMut(&[u8], SocketAddr) -> io::Result<usize>,
    ) -> bool {
        let mut queue = self.queue.lock();
        while let Some((bytes, remote)) = queue.front() {
            match send(bytes, *remote) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => {
                    self.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            queue.pop_front();
        }
        self.waiting.store(false, Ordering::Release);
        true
    }
}
