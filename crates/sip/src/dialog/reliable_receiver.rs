//! Reliable provisional responses, the UAC's side: RFC 3262 §4.

#[cfg(test)]
mod tests;

use crate::{HeaderName, Response};

/// What to do with a provisional response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReliableVerdict {
    /// It is not reliable: use it.
    Unreliable,
    /// Use it and send PRACK with `RAck: <rseq> <cseq> INVITE`.
    Acknowledge {
        /// The response's `RSeq`.
        rseq: u32,
        /// The number of the response's `CSeq`.
        cseq: u32,
    },
    /// A retransmission: its PRACK is under way. Drop it.
    Duplicate,
    /// One before it has not arrived: drop it, it will come again.
    Gap,
    /// It asks for reliability but its `RSeq` or `CSeq` cannot be read: drop it.
    Faulty,
}

/// The order of reliable provisional responses in one early dialog. Each INVITE has its own numbers; a
/// re-INVITE's responses start anew by themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReliableReceiver {
    last: Option<Accepted>,
}

/// The last response that was accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Accepted {
    cseq: u32,
    rseq: u32,
}

impl ReliableReceiver {
    /// Before any response.
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// Takes in a response to the INVITE from 101 to 199.
    pub fn handle_response(&mut self, response: &Response) -> ReliableVerdict {
        // A 100 is hop by hop and never reliable (RFC 3262 §4).
        if !(101..200).contains(&response.status())
            || !response.has_option(HeaderName::Require, "100rel")
        {
            return ReliableVerdict::Unreliable;
        }
        let (Ok(Some(rseq)), Ok(cseq)) = (response.rseq(), response.cseq()) else {
            return ReliableVerdict::Faulty;
        };
        let cseq = cseq.number;
        match self.last {
            // RSeq starts anywhere from 1 up (RFC 3262 §3).
            _ if rseq == 0 => return ReliableVerdict::Faulty,
            Some(last) if last.cseq == cseq && rseq <= last.rseq => {
                return ReliableVerdict::Duplicate;
            }
            Some(last) if last.cseq == cseq && rseq - last.rseq > 1 => return ReliableVerdict::Gap,
            Some(_) | None => {}
        }
        self.last = Some(Accepted { cseq, rseq });
        ReliableVerdict::Acknowledge { rseq, cseq }
    }
}
