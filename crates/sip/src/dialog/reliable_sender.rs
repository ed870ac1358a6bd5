//! Reliable provisional responses, the UAS's side: RFC 3262 §3.
//!
//! Invariant: at most one response is unacknowledged; the next one leaves when its PRACK has come.

#[cfg(test)]
mod tests;

use super::backoff::{Backoff, Tick};
use super::{RetransmitTimes, Sdp};
use crate::{Method, Request};
use alloc::collections::VecDeque;
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
    /// `RAck` is missing or cannot be read: 400.
    #[error("RAck missing or malformed")]
    NoRAck,
    /// `RAck` names no response that waits for a PRACK: 481 (RFC 3262 §3).
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

    /// The reason phrase of the answer.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::NoRAck => "Missing or malformed RAck",
            Self::NoMatch => "RAck matches no provisional response",
        }
    }
}

/// What a PRACK did. The core answers it with a 2xx.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acknowledged {
    /// The `RSeq` of the response that arrived.
    pub rseq: u32,
    /// Whether that response had SDP.
    pub sdp: Sdp,
    /// The response that waited: send it now, its retransmissions have begun.
    pub next: Option<Bytes>,
    /// Whether `next` has SDP; it is shown to [`super::OfferAnswer`] when it leaves, not when it is queued.
    pub next_sdp: Sdp,
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
    invite_cseq: u32,
    next_rseq: u32,
    times: RetransmitTimes,
    unacknowledged: Option<Unacknowledged>,
    waiting: VecDeque<Provisional>,
}

/// A response that was or will be sent.
#[derive(Clone, Debug)]
struct Provisional {
    rseq: u32,
    sdp: Sdp,
    bytes: Bytes,
}

/// The response that was sent and whose PRACK has not come.
#[derive(Clone, Debug)]
struct Unacknowledged {
    response: Provisional,
    /// `None`: it is not sent again, but its PRACK still matches.
    backoff: Option<Backoff>,
}

impl ReliableSender {
    /// For the responses to the INVITE with that `CSeq` number. `dice` is any random number: the first
    /// `RSeq` is made of it, between 1 and 2^31-1.
    pub fn new(invite_cseq: u32, dice: u32, times: RetransmitTimes) -> Self {
        Self {
            invite_cseq,
            next_rseq: 1 + dice % 0x7FFF_FFFF,
            times,
            unacknowledged: None,
            waiting: VecDeque::new(),
        }
    }

    /// The `RSeq` that the next response must carry.
    pub fn next_rseq(&self) -> u32 {
        self.next_rseq
    }

    /// Takes a response that carries [`next_rseq`](Self::next_rseq) and `Require: 100rel`. `Some`: send it
    /// now; `None`: it waits for the PRACK of the one before (RFC 3262 §3).
    pub fn send(
        &mut self,
        now: Instant,
        response: Bytes,
        sdp: Sdp,
    ) -> Result<Option<Bytes>, QueueFull> {
        if self.waiting.len() >= MAX_QUEUED_PROVISIONALS {
            return Err(QueueFull);
        }
        let response = Provisional { rseq: self.next_rseq, sdp, bytes: response };
        self.next_rseq = self.next_rseq.saturating_add(1);
        if self.unacknowledged.is_some() {
            self.waiting.push_back(response);
            return Ok(None);
        }
        Ok(Some(self.start(now, response)))
    }

    /// Takes in a PRACK of this dialog.
    pub fn handle_prack(
        &mut self,
        now: Instant,
        prack: &Request,
    ) -> Result<Acknowledged, PrackFault> {
        let Ok(Some(rack)) = prack.rack() else { return Err(PrackFault::NoRAck) };
        let arrived = self
            .unacknowledged
            .take_if(|sent| {
                sent.response.rseq == rack.rseq
                    && self.invite_cseq == rack.cseq.number
                    && rack.cseq.method == Method::Invite
            })
            .ok_or(PrackFault::NoMatch)?
            .response;
        let next = self.waiting.pop_front();
        Ok(Acknowledged {
            rseq: arrived.rseq,
            sdp: arrived.sdp,
            next_sdp: next.as_ref().map_or(Sdp::Absent, |next| next.sdp),
            next: next.map(|next| self.start(now, next)),
        })
    }

    /// Whether a 2xx to the INVITE must wait: a response with SDP was sent and is not acknowledged (RFC 3262
    /// §3).
    pub fn holds_2xx(&self) -> bool {
        self.unacknowledged.as_ref().is_some_and(|sent| sent.response.sdp == Sdp::Present)
    }

    /// Whether every response was acknowledged.
    pub fn is_idle(&self) -> bool {
        self.unacknowledged.is_none()
    }

    /// A final response was sent: nothing is retransmitted or sent any more, what waited is dropped; a PRACK
    /// under way still matches (RFC 3262 §3).
    pub fn finish(&mut self) {
        self.waiting = VecDeque::new();
        if let Some(sent) = &mut self.unacknowledged {
            sent.backoff = None;
            sent.response.bytes = Bytes::new();
        }
    }

    /// When to call [`handle_deadline`](Self::handle_deadline).
    pub fn next_deadline(&self) -> Option<Instant> {
        self.unacknowledged.as_ref()?.backoff.map(|backoff| backoff.next_deadline())
    }

    /// Says what is due at `now`.
    pub fn handle_deadline(&mut self, now: Instant) -> ReliableEvent {
        let Some(Unacknowledged { response, backoff: Some(backoff) }) = &mut self.unacknowledged
        else {
            return ReliableEvent::None;
        };
        match backoff.handle_deadline(now) {
            Tick::Wait => ReliableEvent::None,
            Tick::Again => ReliableEvent::Resend(response.bytes.clone()),
            Tick::GiveUp => {
                self.finish();
                ReliableEvent::GaveUp
            }
        }
    }

    fn start(&mut self, now: Instant, response: Provisional) -> Bytes {
        let bytes = response.bytes.clone();
        // Without T2's cap: a proxy holds the state of a provisional response for minutes (RFC 3262 §3).
        let backoff = Some(Backoff::uncapped(now, self.times));
        self.unacknowledged = Some(Unacknowledged { response, backoff });
        bytes
    }
}
