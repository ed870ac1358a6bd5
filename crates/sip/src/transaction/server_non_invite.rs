//! Non-INVITE server transaction: RFC 3261 §17.2.2, RFC 4320.
//!
//! Invariants: the first final response stands and answers every repetition until Timer J; a request that
//! the core does not answer within 64*T1 is given up, since its sender has given up too (Timer F): that
//! bound is ours, the RFC has none.

#[cfg(test)]
mod tests;

use super::timing::{Class, Due, Kept, Timing};
use bytes::Bytes;
use mediator_model::Instant;

/// One request other than INVITE and ACK that we answer.
#[derive(Debug)]
pub(super) struct ServerNonInvite {
    state: State,
}

#[derive(Debug)]
enum State {
    Trying {
        give_up: Instant,
    },
    Proceeding {
        last: Kept,
        give_up: Instant,
    },
    Completed {
        reply: Kept,
        /// Timer J.
        until: Instant,
    },
    Terminated,
}

impl ServerNonInvite {
    pub(super) fn new(now: Instant, timing: Timing<'_>) -> Self {
        Self { state: State::Trying { give_up: now + timing.patience() } }
    }

    /// Takes the core's response; gives it back when it is to be sent.
    pub(super) fn respond(
        &mut self,
        now: Instant,
        status: u16,
        bytes: Bytes,
        timing: Timing<'_>,
    ) -> Option<Bytes> {
        self.state = match (&self.state, Class::of(status)) {
            (State::Trying { give_up } | State::Proceeding { give_up, .. }, Class::Provisional) => {
                State::Proceeding { last: bytes[..].into(), give_up: *give_up }
            }
            (State::Trying { .. } | State::Proceeding { .. }, Class::Success | Class::Failure) => {
                let span = timing.j();
                if span.is_zero() {
                    State::Terminated
                } else {
                    State::Completed { reply: bytes[..].into(), until: now + span }
                }
            }
            (State::Completed { .. } | State::Terminated, _) => return None,
        };
        Some(bytes)
    }

    /// The request came again: what answers it.
    pub(super) fn repeated(&self) -> Option<Bytes> {
        match &self.state {
            State::Proceeding { last: reply, .. } | State::Completed { reply, .. } => {
                Some(Bytes::copy_from_slice(reply))
            }
            State::Trying { .. } | State::Terminated => None,
        }
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Trying { give_up: until }
            | State::Proceeding { give_up: until, .. }
            | State::Completed { until, .. } => Some(*until),
            State::Terminated => None,
        }
    }

    pub(super) fn handle_deadline(&mut self, now: Instant) -> Due {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Due::Nothing;
        }
        match core::mem::replace(&mut self.state, State::Terminated) {
            State::Trying { .. } | State::Proceeding { .. } => Due::GaveUp,
            State::Completed { .. } | State::Terminated => Due::Nothing,
        }
    }

    pub(super) const fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }
}
