//! The transaction layer: it owns every transaction of a shard, matches messages to them (RFC 3261
//! §17.1.3, §17.2.3) and runs their timers.

use super::{Counters, LayerSettings, Live};
use crate::{Message, Method, Request, Response};
use bytes::Bytes;
use core::marker::PhantomData;
use mediator_model::{ConnectionId, Flow, Instant};

/// A server transaction. Stale once the transaction has ended; never matches another one then.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ServerKey {
    index: u32,
    generation: u32,
}

/// A client transaction. Stale once the transaction has ended; never matches another one then.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClientKey {
    index: u32,
    generation: u32,
}

/// What a message turned out to be.
#[derive(Clone, Debug)]
pub enum Received<U> {
    /// A new transaction: the core must answer it with [`TransactionLayer::respond`].
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
        /// As given to [`TransactionLayer::send_request`].
        user: U,
        /// The response.
        response: Response,
    },
    /// A response that no transaction waits for. A 2xx to INVITE among them still wants ACK and BYE.
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
    /// The headers that name its transaction cannot be read: a request gets 400 without a transaction, a response nothing.
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
        /// Whom to name in [`TransactionLayer::transport_failed`] when it cannot be sent; `None` for responses.
        client: Option<ClientKey>,
    },
    /// No final response came in time (timers B and F; after CANCEL, §9.1): the core treats it as 408. The transaction is gone.
    TimedOut {
        /// The transaction.
        client: ClientKey,
        /// As given to [`TransactionLayer::send_request`].
        user: U,
    },
    /// The request could not be sent or its connection is lost: the core treats it as 503. The transaction is gone.
    TransportFailed {
        /// The transaction.
        client: ClientKey,
        /// As given to [`TransactionLayer::send_request`].
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

/// The transactions of one shard. `U` is what the core wants back with the events of a client transaction.
#[derive(Debug)]
pub struct TransactionLayer<U> {
    user: PhantomData<U>,
}

impl<U: Copy> TransactionLayer<U> {
    /// An empty layer.
    pub fn new(_settings: LayerSettings) -> Self {
        todo!()
    }

    /// Takes a message off the network. What is to be sent in return is in [`Self::poll_output`].
    pub fn receive(&mut self, _now: Instant, _message: Message, _flow: Flow) -> Received<U> {
        todo!()
    }

    /// Whether the request came here on another way already (§8.2.2.2): the core answers 482.
    ///
    /// Requests inside a dialog never count, and neither does a first copy that was refused: a proxy may try again.
    pub fn is_merged(&self, _server: ServerKey) -> bool {
        todo!()
    }

    /// Sends a response where the request came from; `status` is the one written in `bytes`.
    ///
    /// After a 2xx to INVITE the dialog repeats it by calling this again until the ACK (§13.3.1.4).
    /// Nothing happens when the transaction is gone or was already answered otherwise.
    pub fn respond(&mut self, _now: Instant, _server: ServerKey, _status: u16, _bytes: Bytes) {
        todo!()
    }

    /// Starts a client transaction and sends its request, which is anything but ACK.
    ///
    /// `branch` is the one in the request's only Via; no other live transaction of that method has it.
    pub fn send_request(
        &mut self,
        _now: Instant,
        _method: Method,
        _branch: &str,
        _bytes: Bytes,
        _flow: Flow,
        _user: U,
    ) -> ClientKey {
        todo!()
    }

    /// Cancels an INVITE that has had a provisional response: writes the CANCEL (§9.1), with a Reason where
    /// one is given, and starts its transaction. `None` when there is nothing to cancel yet or any more.
    ///
    /// The INVITE still ends with its final response, or as [`Output::TimedOut`] after 64*T1.
    pub fn cancel(
        &mut self,
        _now: Instant,
        _client: ClientKey,
        _reason: Option<&str>,
        _user: U,
    ) -> Option<ClientKey> {
        todo!()
    }

    /// Where a request came from; its responses go there.
    pub fn server_flow(&self, _server: ServerKey) -> Option<Flow> {
        todo!()
    }

    /// Where a request went, with the connection that its responses came on.
    pub fn client_flow(&self, _client: ClientKey) -> Option<Flow> {
        todo!()
    }

    /// Told by the driver: what `client` sent was not delivered.
    pub fn transport_failed(&mut self, _now: Instant, _client: ClientKey) {
        todo!()
    }

    /// Told by the driver: a stream connection is gone, and with it the requests that wait on it.
    pub fn connection_closed(&mut self, _now: Instant, _connection: ConnectionId) {
        todo!()
    }

    /// When [`Self::handle_deadline`] wants to be called; maybe early, never late.
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!()
    }

    /// Runs the timers that are due.
    pub fn handle_deadline(&mut self, _now: Instant) {
        todo!()
    }

    /// The next thing to do or to know, in order. Poll until `None` after each call that takes `now`.
    pub fn poll_output(&mut self) -> Option<Output<U>> {
        todo!()
    }

    /// Whether no transaction is live.
    pub fn is_empty(&self) -> bool {
        self.live().total() == 0
    }

    /// Live transactions of each kind.
    pub fn live(&self) -> Live {
        let _ = self.user;
        todo!()
    }

    /// What has happened since the layer was made.
    pub fn counters(&self) -> Counters {
        todo!()
    }
}
