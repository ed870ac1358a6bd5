//! Wakes a poller from other threads: an eventfd beside the sockets.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{EventfdFlags, eventfd};

/// Ends the wait of the poller that it belongs to; from any thread, any number of copies.
///
/// Whoever hands something over does so first and wakes then; the poller tells of the waking
/// ([`RtpPoller::wait`](super::RtpPoller::wait)) and whoever drives it looks after that.
#[derive(Clone, Debug)]
pub struct RtpWaker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    event: OwnedFd,
    /// A waking that the poller has not seen yet: another one needs no system call.
    pending: AtomicBool,
}

impl RtpWaker {
    pub(super) fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(Inner { event, pending: AtomicBool::new(false) })))
    }

    /// Wakes the poller, now or when it next wants to wait.
    pub fn wake(&self) {
        if !self.0.pending.swap(true, Ordering::AcqRel) {
            // Fails only where the counter is full, and then the poller is awake anyway.
            let _ = rustix::io::write(&self.0.event, &1_u64.to_ne_bytes());
        }
    }

    /// Takes note of the waking. What was handed over before a waking that this call swallows is seen by whoever looks
    /// after it: first the counter is emptied, then further wakings are let through.
    pub(super) fn settle(&self) {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.0.event, &mut count);
        self.0.pending.swap(false, Ordering::AcqRel);
    }

    pub(super) fn event(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }
}
