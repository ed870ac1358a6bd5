//! Non-INVITE client transaction: RFC 3261 §17.1.2.
//!
//! Invariants: the core hears of one end and no more: the first final response, or that there was none
//! (Timer F); the request is forgotten with the first final response.

#[cfg(test)]
mod tests;

use super::timing::{Backoff, Class, Due, Kept, Timing, first};
use bytes::Bytes;
use mediator_model::Instant;

/// One request other than INVITE and ACK that we sent.
#[derive(Debug)]
pub(super) struct ClientNonInvite {
    state: State,
}

#[derive(Debug)]
enum State {
    Trying(Waiting),
    Proceeding(Waiting),
    Completed {
        /// Timer K.
        until: Instant,
    },
    Terminated,
}

#[derive(Debug)]
struct Waiting {
    request: Kept,
    /// Timer E.
    resend: Option<Backoff>,
    /// Timer F.
    give_up: Instant,
}

/// Whose a response is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// The core's.
    Pass,
    /// A repetition.
    Absorb,
}

impl ClientNonInvite {
    pub(super) fn new(now: Instant, request: &[u8], timing: Timing<'_>) -> Self {
        Self {
            state: State::Trying(Waiting {
                request: request.into(),
                resend: timing.backoff(now),
                give_up: now + timing.patience(),
            }),
        }
    }

    /// Takes a response.
    pub(super) fn receive(&mut self, now: Instant, status: u16, timing: Timing<'_>) -> Fate {
        let fate;
        let state = core::mem::replace(&mut self.state, State::Terminated);
        (self.state, fate) = match (state, Class::of(status)) {
            (State::Trying(mut waiting), Class::Provisional) => {
                // §17.1.2.2: from here on the interval is T2.
                if let Some(backoff) = &mut waiting.resend {
                    backoff.settle(timing.t2());
                }
                (State::Proceeding(waiting), Fate::Pass)
            }
            (State::Proceeding(waiting), Class::Provisional) => {
                (State::Proceeding(waiting), Fate::Pass)
            }
            (State::Trying(_) | State::Proceeding(_), Class::Success | Class::Failure) => {
                let span = timing.k();
                let state = if span.is_zero() {
                    State::Terminated
                } else {
                    State::Completed { until: now + span }
                };
                (state, Fate::Pass)
            }
            (state @ (State::Completed { .. } | State::Terminated), _) => (state, Fate::Absorb),
        };
        fate
    }

    /// What was sent cannot be delivered. Whether the core must hear of it; the transaction is over then.
    pub(super) fn transport_failed(&mut self) -> bool {
        match self.state {
            State::Trying(_) | State::Proceeding(_) => {
                self.state = State::Terminated;
                true
            }
            State::Completed { .. } | State::Terminated => false,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Trying(waiting) | State::Proceeding(waiting) => {
                Some(first(waiting.resend.as_ref(), waiting.give_up))
            }
            State::Completed { until } => Some(*until),
            State::Terminated => None,
        }
    }

    pub(super) fn handle_deadline(&mut self, now: Instant, timing: Timing<'_>) -> Due {
        match &mut self.state {
            State::Trying(waiting) | State::Proceeding(waiting) if now >= waiting.give_up => {
                self.state = State::Terminated;
                Due::GaveUp
            }
            State::Trying(waiting) | State::Proceeding(waiting) => match &mut waiting.resend {
                Some(backoff) if now >= backoff.at() => {
                    backoff.double(now, timing.t2());
                    Due::Resend(Bytes::copy_from_slice(&waiting.request))
                }
                Some(_) | None => Due::Nothing,
            },
            State::Completed { until } if now >= *until => {
                self.state = State::Terminated;
                Due::Nothing
            }
            State::Completed { .. } | State::Terminated => Due::Nothing,
        }
    }

    pub(super) const fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }
}
