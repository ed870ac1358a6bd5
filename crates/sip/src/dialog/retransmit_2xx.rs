//! The 2xx of an INVITE until its ACK comes: RFC 3261 §13.3.1.4.

#[cfg(test)]
mod tests;

use super::RetransmitTimes;
use super::backoff::{Backoff, Tick};
use bytes::Bytes;
use mediator_model::Instant;

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retransmission {
    /// Nothing yet.
    None,
    /// Send [`Retransmit2xx::bytes`] again.
    Resend,
    /// No ACK in 64*T1: the dialog is confirmed, but the session ends with BYE (RFC 3261 §13.3.1.4). To be
    /// dropped.
    GaveUp,
}

/// A 2xx that was sent once and waits for its ACK. Also on reliable transports, as hops behind them may
/// lose it.
#[derive(Clone, Debug)]
pub struct Retransmit2xx {
    invite_cseq: u32,
    bytes: Bytes,
    backoff: Backoff,
}

impl Retransmit2xx {
    /// A 2xx sent at `now` to the INVITE with that `CSeq` number.
    pub fn new(now: Instant, invite_cseq: u32, bytes: Bytes, times: RetransmitTimes) -> Self {
        Self { invite_cseq, bytes, backoff: Backoff::capped(now, times) }
    }

    /// The 2xx.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether an ACK with that `CSeq` number is the one that is waited for; then drop this.
    pub fn is_acknowledged_by(&self, ack_cseq: u32) -> bool {
        self.invite_cseq == ack_cseq
    }

    /// When to call [`handle_deadline`](Self::handle_deadline).
    pub fn next_deadline(&self) -> Instant {
        self.backoff.next_deadline()
    }

    /// Says what is due at `now`.
    pub fn handle_deadline(&mut self, now: Instant) -> Retransmission {
        match self.backoff.handle_deadline(now) {
            Tick::Wait => Retransmission::None,
            Tick::Again => Retransmission::Resend,
            Tick::GiveUp => Retransmission::GaveUp,
        }
    }
}
