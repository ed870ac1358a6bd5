//! INVITE client transaction: RFC 3261 §17.1.1, amended by RFC 6026 §7.2.
//!
//! Invariants: a failure is acknowledged here, each copy of it, until Timer D; every 2xx goes up until
//! Timer M, since forks may answer with several; the request is forgotten with the first final response.
//!
//! Not here: the ACK of a 2xx (the dialog's), and how long a callee may ring after its first provisional
//! response (the core's), unless the call was cancelled: then 64*T1 (§9.1).

#[cfg(test)]
mod tests;

use super::derived::{ack_for_failure, cancel_for};
use super::timing::{Backoff, Class, Due, Kept, Timing, first};
use crate::{Message, Request, Response};
use bytes::Bytes;
use mediator_model::Instant;

/// One INVITE that we sent.
#[derive(Debug)]
pub(super) struct ClientInvite {
    state: State,
}

#[derive(Debug)]
enum State {
    Calling {
        request: Kept,
        /// Timer A.
        resend: Option<Backoff>,
        /// Timer B.
        give_up: Instant,
    },
    Proceeding {
        request: Kept,
        /// §9.1: when a cancelled INVITE is over without a final response.
        give_up: Option<Instant>,
    },
    Completed {
        ack: Kept,
        /// Timer D.
        until: Instant,
    },
    Accepted {
        /// Timer M.
        until: Instant,
    },
    Terminated,
}

/// Whose a response is.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// The core's.
    Pass,
    /// The core's, and this ACK is sent.
    Acknowledge(Bytes),
    /// A repetition, for which this ACK is sent again.
    AcknowledgeAgain(Bytes),
    /// A repetition, or late.
    Absorb,
    /// A 2xx after a failure: a proxy passes every 2xx (§16.7 step 5), but this transaction has ended for the core.
    Late2xx,
}

impl ClientInvite {
    pub(super) fn new(now: Instant, request: &[u8], timing: Timing<'_>) -> Self {
        Self {
            state: State::Calling {
                request: request.into(),
                resend: timing.backoff(now),
                give_up: now + timing.patience(),
            },
        }
    }

    /// Takes a response.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        response: &Response,
        timing: Timing<'_>,
    ) -> Fate {
        let fate;
        let state = core::mem::replace(&mut self.state, State::Terminated);
        (self.state, fate) = match (state, Class::of(response.status())) {
            (State::Calling { request, .. }, Class::Provisional) => {
                (State::Proceeding { request, give_up: None }, Fate::Pass)
            }
            (state @ State::Proceeding { .. }, Class::Provisional)
            | (state @ State::Accepted { .. }, Class::Success) => (state, Fate::Pass),
            (State::Calling { .. } | State::Proceeding { .. }, Class::Success) => {
                (State::Accepted { until: now + timing.patience() }, Fate::Pass)
            }
            (
                State::Calling { request, .. } | State::Proceeding { request, .. },
                Class::Failure,
            ) => complete(now, request, response, timing),
            (State::Completed { ack, until }, Class::Failure) => {
                let again = Fate::AcknowledgeAgain(Bytes::copy_from_slice(&ack));
                (State::Completed { ack, until }, again)
            }
            (state @ State::Completed { .. }, Class::Success) => (state, Fate::Late2xx),
            (state @ State::Accepted { .. }, Class::Provisional | Class::Failure)
            | (state @ State::Completed { .. }, Class::Provisional)
            | (state @ State::Terminated, _) => (state, Fate::Absorb),
        };
        fate
    }

    /// The CANCEL for this INVITE; `None` before its first provisional response (§9.1) and after a final one.
    pub(super) fn cancel(&self, reason: Option<&str>) -> Option<Bytes> {
        match &self.state {
            State::Proceeding { request, .. } => {
                read(Bytes::copy_from_slice(request)).map(|request| cancel_for(&request, reason))
            }
            State::Calling { .. }
            | State::Completed { .. }
            | State::Accepted { .. }
            | State::Terminated => None,
        }
    }

    /// A CANCEL was sent: the INVITE is over in 64*T1, also without a final response (§9.1).
    pub(super) fn cancelled(&mut self, now: Instant, timing: Timing<'_>) {
        match &mut self.state {
            State::Proceeding { give_up, .. } => {
                give_up.get_or_insert(now + timing.patience());
            }
            State::Calling { .. }
            | State::Completed { .. }
            | State::Accepted { .. }
            | State::Terminated => {}
        }
    }

    /// What was sent cannot be delivered. Whether the core must hear of it; the transaction is over then.
    pub(super) fn transport_failed(&mut self) -> bool {
        match self.state {
            State::Calling { .. } | State::Proceeding { .. } => {
                self.state = State::Terminated;
                true
            }
            State::Completed { .. } | State::Accepted { .. } | State::Terminated => false,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Calling { resend, give_up, .. } => Some(first(resend.as_ref(), *give_up)),
            State::Proceeding { give_up, .. } => *give_up,
            State::Completed { until, .. } | State::Accepted { until } => Some(*until),
            State::Terminated => None,
        }
    }

    pub(super) fn handle_deadline(&mut self, now: Instant) -> Due {
        match &mut self.state {
            State::Calling { give_up, .. } | State::Proceeding { give_up: Some(give_up), .. }
                if now >= *give_up =>
            {
                self.state = State::Terminated;
                Due::GaveUp
            }
            State::Calling { request, resend: Some(backoff), .. } if now >= backoff.at() => {
                // §17.1.1.2: Timer A doubles without an upper limit.
                backoff.double(now, core::time::Duration::MAX);
                Due::Resend(Bytes::copy_from_slice(request))
            }
            State::Completed { until, .. } | State::Accepted { until } if now >= *until => {
                self.state = State::Terminated;
                Due::Nothing
            }
            State::Calling { .. }
            | State::Proceeding { .. }
            | State::Completed { .. }
            | State::Accepted { .. }
            | State::Terminated => Due::Nothing,
        }
    }

    pub(super) const fn is_terminated(&self) -> bool {
        matches!(self.state, State::Terminated)
    }
}

/// The first failure: it is acknowledged, and its copies will be as long as Timer D runs.
fn complete(now: Instant, request: Kept, response: &Response, timing: Timing<'_>) -> (State, Fate) {
    let Some(ack) = read(request.into()).and_then(|request| ack_for_failure(&request, response))
    else {
        return (State::Terminated, Fate::Pass);
    };
    let span = timing.d();
    if span.is_zero() {
        return (State::Terminated, Fate::Acknowledge(ack));
    }
    (State::Completed { ack: ack[..].into(), until: now + span }, Fate::Acknowledge(ack))
}

/// Reads the INVITE that we wrote ourselves.
fn read(bytes: Bytes) -> Option<Request> {
    match Message::parse(bytes) {
        Ok(Message::Request(request)) => Some(request),
        Ok(Message::Response(_)) | Err(_) => {
            debug_assert!(false, "we sent an INVITE that we cannot read");
            None
        }
    }
}
