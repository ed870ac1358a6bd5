//! The end of a poller's wait: a timer beside the sockets, set when the next deadline is another one.
//!
//! A time-out given to epoll is set and taken back by each wait, which is once for most packets; this one is set once for
//! each deadline.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use mediator_model::Instant;
use rustix::event::Timespec;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use crate::Clock;

/// Rings once, never later than asked for, maybe earlier.
#[derive(Debug)]
pub(super) struct Alarm {
    timer: OwnedFd,
    /// When it rings next; `None`: not at all.
    rings_at: Option<Instant>,
}

impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        Ok(Self { timer, rings_at: None })
    }

    /// Rings at `due` at the latest; `false`: that is now or over, and it was not set. A wait too long for the kernel to
    /// count never ends by itself. The clock is read only where the alarm is to be set anew.
    pub(super) fn set(&mut self, due: Instant, clock: Clock) -> io::Result<bool> {
        if self.rings_at.is_some_and(|rings_at| rings_at <= due) {
            return Ok(true);
        }
        let wait = due.saturating_since(clock.now());
        if wait.is_zero() {
            return Ok(false);
        }
        let Ok(it_value) = Timespec::try_from(wait) else { return Ok(true) };
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once = Itimerspec { it_interval, it_value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        self.rings_at = Some(due);
        Ok(true)
    }

    /// Takes note of its ringing.
    pub(super) fn settle(&mut self) {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.timer, &mut count);
        self.rings_at = None;
    }

    pub(super) fn timer(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}
