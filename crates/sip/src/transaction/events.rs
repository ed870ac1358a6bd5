//! What the transaction layer tells the core, and the keys by which both name a transaction.

use super::arena::Key;
use crate::{Message, Request, Response};
use bytes::Bytes;
use mediator_model::Flow;

/// A server transaction. Stale once the transaction has ended; never matches another one then.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ServerKey(pub(super) Key);

/// A client transaction. Stale once the transaction has ended; never matches another one then.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClientKey(pub(super) Key);

impl ClientKey {
    /// The key as a word, for a driver that carries it along with what it sends.
    pub const fn to_bits(self) -> u64 {
        self.0.to_bits()
    }

    /// The key back from its word.
    pub const fn from_bits(bits: u64) -> Self {
        Self(Key::from_bits(bits))
    }
}

/// What a message turned out to be.
#[derive(Clone, Debug)]
pub enum Received<U> {
    /// A new transaction: the core must answer it with [`respond`](super::TransactionLayer::respond).
    Request {
        /// The transaction.
        server: ServerKey,
        /// The request; never ACK or CANCEL.
        request: Request,
    },
    /// A CANCEL, a new transaction of its own: the core answers it, and the INVITE with 487 where it has not been answered.
    Cancel {
        /// The CANCEL's transaction.
        server: ServerKey,
        /// The CANCEL.
        request: Request,
        /// The INVITE it means; `None`: answer 481 (§9.2).
        invite: Option<ServerKey>,
    },
    /// An ACK for a 2xx, or one that matches nothing: dialogs look at it.
    Ack {
        /// The ACK.
        request: Request,
    },
    /// A provisional response, the first final one, or any further 2xx to an INVITE until Timer M.
    Response {
        /// The transaction.
        client: ClientKey,
        /// As given to [`send_request`](super::TransactionLayer::send_request).
        user: U,
        /// The response.
        response: Response,
    },
    /// A 2xx to an INVITE that has had a failure, until Timer D: a proxy passes every 2xx (§16.7 step 5). It still wants
    /// its ACK, and a dialog that nobody wants its BYE.
    Late2xx {
        /// The transaction.
        client: ClientKey,
        /// As given to [`send_request`](super::TransactionLayer::send_request).
        user: U,
        /// The response.
        response: Response,
    },
    /// A response that no transaction waits for. Who answered it could be made to send to anybody: it is dropped.
    Stray(Response),
    /// A response with no Via or several: it was not meant for us and is dropped (§8.1.3.3).
    Foreign(Response),
    /// A repetition dealt with, or the ACK of a failure.
    Absorbed,
    /// Too many transactions are live: the core may answer 503 without one. Never an ACK.
    Overloaded {
        /// The request.
        request: Request,
    },
    /// The headers that name its transaction cannot be read: a request but ACK gets 400 without a
    /// transaction, an ACK or a response nothing.
    Unreadable(Message),
}

/// What the layer wants done, or tells.
#[derive(Clone, Debug)]
pub enum Output<U> {
    /// Send these bytes.
    Send {
        /// Where to.
        flow: Flow,
        /// The message.
        bytes: Bytes,
        /// Whom to name in [`transport_failed`](super::TransactionLayer::transport_failed) when it cannot be sent; `None` for responses.
        client: Option<ClientKey>,
    },
    /// No final response came in time (timers B and F; after CANCEL, §9.1): the core treats it as 408. The transaction is gone.
    TimedOut {
        /// The transaction.
        client: ClientKey,
        /// As given to [`send_request`](super::TransactionLayer::send_request).
        user: U,
    },
    /// The request could not be sent or its connection is lost: the core treats it as 503. The transaction is gone.
    TransportFailed {
        /// The transaction.
        client: ClientKey,
        /// As given to [`send_request`](super::TransactionLayer::send_request).
        user: U,
    },
    /// A failure response to INVITE was never acknowledged (Timer H). The transaction is gone.
    AckMissing {
        /// The transaction.
        server: ServerKey,
    },
    /// The core never answered a non-INVITE request and its sender has given up. The transaction is gone.
    Unanswered {
        /// The transaction.
        server: ServerKey,
    },
}
