//! Reliable provisional responses, the UAC's side: RFC 3262 §4.

use crate::Response;

/// What to do with a provisional response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReliableVerdict {
    /// It is not reliable: use it.
    Unreliable,
    /// Use it and send PRACK with `RAck: <rseq> <cseq> INVITE`.
    Acknowledge {
        /// The response's RSeq.
        rseq: u32,
        /// The number of the response's CSeq.
        cseq: u32,
    },
    /// A retransmission: its PRACK is under way. Drop it.
    Duplicate,
    /// One before it has not arrived: drop it, it will come again.
    Gap,
    /// It asks for reliability but its RSeq or CSeq cannot be read: drop it.
    Faulty,
}

/// The order of reliable provisional responses in one early dialog.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReliableReceiver {
    /// CSeq number and RSeq of the last one accepted.
    last: Option<(u32, u32)>,
}

impl ReliableReceiver {
    /// Before any response.
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// Takes in a response to the INVITE from 101 to 199.
    pub fn handle_response(&mut self, _response: &Response) -> ReliableVerdict {
        let _ = self.last;
        todo!()
    }
}
