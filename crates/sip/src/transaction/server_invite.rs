//! INVITE server transaction: RFC 3261 §17.2.1, amended by RFC 6026 §7.1.
//!
//! Invariants: after a 2xx only the dialog repeats it and repeated INVITEs are absorbed; a failure is
//! repeated until its ACK or Timer H; nothing leaves a terminated transaction.
//!
//! Not here: the 100 that §17.2.1 wants within 200 ms, which the core sends at once, and any limit on how
//! long a call may ring, which is the core's.

#[cfg(test)]
mod tests;

use super::timing::{Backoff, Class, Due, Kept, Timing, first};
use bytes::Bytes;
use mediator_model::Instant;

/// One INVITE that we answer.
#[derive(Debug)]
pub(super) struct ServerInvite {
    state: State,
}

#[derive(Debug)]
enum State {
    Proceeding {
        last: Option<Kept>,
    },
    Accepted {
        /// Timer L.
        until: Instant,
    },
    Completed {
        reply: Kept,
        /// Timer G.
        resend: Option<Backoff>,
        /// Timer H.
        give_up: Instant,
    },
    Confirmed {
        /// Timer I.
        until: Instant,
    },
    Terminated,
}

/// Whose an ACK is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AckFate {
    /// It acknowledges a failure, or repeats such an ACK.
    Absorbed,
    /// It acknowledges a 2xx (of a peer that repeats the INVITE's branch).
    Dialog,
}

impl ServerInvite {
    pub(super) const fn new() -> Self {
        Self { state: State::Proceeding { last: None } }
    }

    /// Takes the core's response; gives it back when it is to be sent.
    pub(super) fn respond(
        &mut self,
        now: Instant,
        status: u16,
        bytes: Bytes,
        timing: Timing<'_>,
    ) -> Option<Bytes> {
        match (&mut self.state, Class::of(status)) {
            (State::Proceeding { last }, Class::Provisional) => *last = Some(bytes[..].into()),
            (State::Proceeding { .. }, Class::Success) => {
                self.state = State::Accepted { until: now + timing.patience() };
            }
            (State::Proceeding { .. }, Class::Failure) => {
                self.state = State::Completed {
                    reply: bytes[..].into(),
                    resend: timing.backoff(now),
                    give_up: now + timing.patience(),
                };
            }
            // RFC 6026 §7.1: the dialog's repetitions pass.
            (State::Accepted { .. }, Class::Success) => {}
            (State::Accepted { .. }, Class::Provisional | Class::Failure)
            | (State::Completed { .. } | State::Confirmed { .. } | State::Terminated, _) => {
                return None;
            }
        }
        Some(bytes)
    }

    /// The INVITE came again: what answers it.
    pub(super) fn repeated(&self) -> Option<Bytes> {
        match &self.state {
            State::Proceeding { last } => last.as_deref().map(Bytes::copy_from_slice),
            State::Completed { reply, .. } => Some(Bytes::copy_from_slice(reply)),
            State::Accepted { .. } | State::Confirmed { .. } | State::Terminated => None,
        }
    }

    /// An ACK with the INVITE's branch came.
    pub(super) fn acknowledged(&mut self, now: Instant, timing: Timing<'_>) -> AckFate {
        match self.state {
            State::Accepted { .. } => AckFate::Dialog,
            State::Completed { .. } => {
                let span = timing.i();
                self.state = if span.is_zero() {
                    State::Terminated
                } else {
                    State::Confirmed { until: now + span }
                };
                AckFate::Absorbed
            }
            // Before a final response an ACK acknowledges nothing.
            State::Proceeding { .. } | State::Confirmed { .. } | State::Terminated => {
                AckFate::Absorbed
            }
        }
    }

    /// The failure that waits for its ACK.
    pub(super) fn unacknowledged(&self) -> Option<&[u8]> {
        match &self.state {
            State::Completed { reply, .. } => Some(reply),
            State::Proceeding { .. }
            | State::Accepted { .. }
            | State::Confirmed { .. }
            | State::Terminated => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Accepted { until } | State::Confirmed { until } => Some(*until),
            State::Completed { resend, give_up, .. } => Some(first(resend.as_ref(), *give_up)),
            State::Proceeding { .. } | State::Terminated => None,
        }
    }

    pub(super) fn handle_deadline(&mut self, now: Instant, timing: Timing<'_>) -> Due {
        match &mut self.state {
            State::Completed { give_up, .. } if now >= *give_up => {
                self.state = State::Terminated;
                Due::GaveUp
            }
            State::Completed { reply, resend: Some(backoff), .. } if now >= backoff.at() => {
                backoff.double(now, timing.t2());
                Due::Resend(Bytes::copy_from_slice(reply))
            }
            State::Accepted { until } | State::Confirmed { until } if now >= *until => {
                self.state = State::Terminated;
                Due::Nothing
            }
            State::Proceeding { .. }
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Confirmed { .. }
            | State::Terminated => Due::Nothing,
        }
    }

    pub(super) const fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }
}
