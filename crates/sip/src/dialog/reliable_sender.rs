//! Reliable provisional responses, the UAS's side: RFC 3262 §3.
//!
//! Invariant: at most one response is unacknowledged; the next one leaves when its PRACK has come.

use super::{RetransmitTimes, Sdp};
use crate::Request;
use bytes::Bytes;
use mediator_model::Instant;

/// The most responses that wait for the PRACK of the one before.
pub const MAX_QUEUED_PROVISIONALS: usize = 4;

/// More than [`MAX_QUEUED_PROVISIONALS`] wait already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many provisional responses wait for their PRACK")]
pub struct QueueFull;

/// A PRACK that cannot be accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PrackFault {
    /// RAck is missing or cannot be read: 400.
    #[error("RAck missing or malformed")]
    NoRAck,
    /// RAck names no response that waits for a PRACK: 481 (RFC 3262 §3).
    #[error("RAck matches no provisional response")]
    NoMatch,
}

impl PrackFault {
    /// The status of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::NoRAck => 400,
            Self::NoMatch => 481,
        }
    }
}

/// What a PRACK did. The core answers it with a 2xx.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acknowledged {
    /// The RSeq of the response that arrived.
    pub rseq: u32,
    /// Whether that response had SDP.
    pub sdp: Sdp,
    /// The response that waited: send it now, its retransmissions have begun.
    pub next: Option<Bytes>,
}

/// What is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReliableEvent {
    /// Nothing yet.
    None,
    /// Send these bytes again.
    Resend(Bytes),
    /// No PRACK in 64*T1: answer the INVITE with a 5xx (RFC 3262 §3). Nothing is retransmitted from here on.
    GaveUp,
}

/// The reliable provisional responses to one INVITE.
#[derive(Clone, Debug)]
pub struct ReliableSender {
    next_rseq: u32,
}

impl ReliableSender {
    /// For the responses to the INVITE with that CSeq number. `dice` is any random number: the first RSeq
    /// is made of it, between 1 and 2^31-1.
    pub fn new(_invite_cseq: u32, _dice: u32, _times: RetransmitTimes) -> Self {
        todo!()
    }

    /// The RSeq that the next response must carry.
    pub fn next_rseq(&self) -> u32 {
        self.next_rseq
    }

    /// Takes a response that carries [`next_rseq`](Self::next_rseq) and `Require: 100rel`. `Some`: send it
    /// now; `None`: it waits for the PRACK of the one before.
    pub fn send(
        &mut self,
        _now: Instant,
        _response: Bytes,
        _sdp: Sdp,
    ) -> Result<Option<Bytes>, QueueFull> {
        todo!()
    }

    /// Takes in a PRACK of this dialog.
    pub fn handle_prack(
        &mut self,
        _now: Instant,
        _prack: &Request,
    ) -> Result<Acknowledged, PrackFault> {
        todo!()
    }

    /// Whether a 2xx to the INVITE must wait: a response with SDP is not acknowledged (RFC 3262 §3).
    pub fn holds_2xx(&self) -> bool {
        todo!()
    }

    /// Whether every response was acknowledged.
    pub fn is_idle(&self) -> bool {
        todo!()
    }

    /// A final response was sent: nothing is retransmitted or sent any more; a PRACK under way still
    /// matches.
    pub fn finish(&mut self) {
        todo!()
    }

    /// When to call [`handle_deadline`](Self::handle_deadline).
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!()
    }

    /// Says what is due at `now`.
    pub fn handle_deadline(&mut self, _now: Instant) -> ReliableEvent {
        todo!()
    }
}
