//! The transaction layer: it owns every transaction of a shard, matches messages to them (RFC 3261
//! §17.1.3, §17.2.3) and runs their timers.
//!
//! Invariants: a live transaction has at most one timer in the wheel, at its machine's next deadline; an
//! ended one is in no table; a repetition makes no state.

#[cfg(test)]
mod tests;

use super::arena::Key;
use super::client_invite::{self, ClientInvite};
use super::client_non_invite::{self, ClientNonInvite};
use super::clients::{ClientMachine, Clients};
use super::matching::SecretHash;
use super::routing::flow_of;
use super::server_invite::{AckFate, ServerInvite};
use super::server_non_invite::ServerNonInvite;
use super::servers::{Server, ServerMachine, Servers};
use super::timing::{Class, Due, Timing};
use super::{ClientKey, Counters, LayerSettings, Live, Output, Received, ServerKey};
use crate::wheel::Wheel;
use crate::{HeaderName, Message, Method, Request, Response};
use alloc::collections::VecDeque;
use bytes::Bytes;
use mediator_model::{ConnectionId, Flow, Instant};

/// The most timers that one [`TransactionLayer::handle_deadline`] runs, so that the outputs of one step stay
/// few also after a long sleep; the next deadline is in the past then.
const MAX_TIMERS_A_STEP: usize = 1024;

/// The transactions of one shard. `U` is what the core wants back with the events of a client transaction.
#[derive(Debug)]
pub struct TransactionLayer<U> {
    settings: LayerSettings,
    servers: Servers,
    clients: Clients<U>,
    wheel: Wheel<Owner>,
    outputs: VecDeque<Output<U>>,
    counters: Counters,
}

/// Whose timer it is, by place: it is cancelled before the place is given to another one.
#[derive(Clone, Copy, Debug)]
enum Owner {
    Server(u32),
    Client(u32),
}

impl<U: Copy> TransactionLayer<U> {
    /// An empty layer.
    pub fn new(settings: LayerSettings) -> Self {
        let hash = SecretHash::new(settings.hash_seed);
        Self {
            settings,
            servers: Servers::new(hash.clone()),
            clients: Clients::new(hash),
            wheel: Wheel::new(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Takes a message off the network. What is to be sent in return is in [`Self::poll_output`].
    pub fn receive(&mut self, now: Instant, message: Message, flow: Flow) -> Received<U> {
        match message {
            Message::Request(request) => match request.method() {
                Method::Ack => self.receive_ack(now, request),
                Method::Invite
                | Method::Bye
                | Method::Cancel
                | Method::Options
                | Method::Register
                | Method::Prack
                | Method::Update
                | Method::Info
                | Method::Refer
                | Method::Subscribe
                | Method::Notify
                | Method::Message
                | Method::Publish
                | Method::Other => self.receive_request(now, request, flow),
            },
            Message::Response(response) => self.receive_response(now, response, flow),
        }
    }

    /// Whether the request came here on another way already (§8.2.2.2): the core answers 482.
    ///
    /// Requests inside a dialog never count, and neither do copies of one that was refused: a proxy may try again.
    pub fn is_merged(&self, server: ServerKey) -> bool {
        self.servers.is_merged(server.0)
    }

    /// Sends a response where the request came from; `status` is the one written in `bytes`.
    ///
    /// After a 2xx to INVITE the dialog repeats it by calling this again until the ACK (§13.3.1.4).
    /// Nothing happens when the transaction is gone or was already answered otherwise.
    pub fn respond(&mut self, now: Instant, server: ServerKey, status: u16, bytes: Bytes) {
        let Some(transaction) = self.servers.get_mut(server.0) else { return };
        let flow = transaction.flow;
        let timing = Timing::new(&self.settings.timers, flow.transport);
        let Some(bytes) = transaction.respond(now, status, bytes, timing) else { return };
        self.outputs.push_back(Output::Send { flow, bytes, client: None });
        if Class::of(status) == Class::Failure {
            self.servers.forget_origin(server.0);
        }
        self.settle_server(server.0);
    }

    /// Ends a server transaction without an answer: its peer gets silence, and a repetition is a new request.
    pub fn forget_server(&mut self, server: ServerKey) {
        if let Some(mut gone) = self.servers.remove(server.0) {
            self.wheel.arm(&mut gone.timer, None, Owner::Server(server.0.index()));
        }
    }

    /// Starts a client transaction and sends its request, which is anything but ACK.
    ///
    /// `branch` is the one in the request's only Via; no other live transaction of that method has it.
    pub fn send_request(
        &mut self,
        now: Instant,
        method: Method,
        branch: &str,
        bytes: Bytes,
        flow: Flow,
        user: U,
    ) -> ClientKey {
        self.start(now, method, branch.as_bytes(), bytes, (flow, user))
    }

    /// Cancels an INVITE that has had a provisional response: writes the CANCEL (§9.1), with a Reason where
    /// one is given, and starts its transaction. `None` when there is nothing to cancel yet or any more.
    ///
    /// The INVITE still ends with its final response, or as [`Output::TimedOut`] after 64*T1.
    pub fn cancel(
        &mut self,
        now: Instant,
        client: ClientKey,
        reason: Option<&str>,
        user: U,
    ) -> Option<ClientKey> {
        let invite = self.clients.get(client.0)?;
        let flow = invite.flow;
        let ClientMachine::Invite(machine) = &invite.machine else { return None };
        let bytes = machine.cancel(reason)?;
        let branch = invite.branch().clone();
        Some(self.start(now, Method::Cancel, &branch, bytes, (flow, user)))
    }

    /// Where the responses to a request go.
    pub fn server_flow(&self, server: ServerKey) -> Option<Flow> {
        self.servers.get(server.0).map(|transaction| transaction.flow)
    }

    /// The way that a request came: who sent it is told by this, since the flow of the responses has the port that
    /// the sender wrote into its Via.
    pub fn server_source(&self, server: ServerKey) -> Option<Flow> {
        self.servers.get(server.0).map(Server::source)
    }

    /// Where a request went, with the connection that its last response came on.
    pub fn client_flow(&self, client: ClientKey) -> Option<Flow> {
        self.clients.get(client.0).map(|transaction| transaction.flow)
    }

    /// Told by the driver: what `client` sent was not delivered.
    pub fn transport_failed(&mut self, _now: Instant, client: ClientKey) {
        self.fail(client.0);
    }

    /// Told by the driver: a stream connection is gone, and with it the requests that wait on it.
    pub fn connection_closed(&mut self, _now: Instant, connection: ConnectionId) {
        for key in self.clients.on_connection(connection) {
            self.fail(key);
        }
    }

    /// When [`Self::handle_deadline`] wants to be called; maybe early, never late.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.wheel.next_deadline()
    }

    /// Runs the timers that are due.
    pub fn handle_deadline(&mut self, now: Instant) {
        for _ in 0..MAX_TIMERS_A_STEP {
            match self.wheel.expire(now) {
                Some(Owner::Server(index)) => self.handle_server_deadline(now, index),
                Some(Owner::Client(index)) => self.handle_client_deadline(now, index),
                None => return,
            }
        }
    }

    /// The next thing to do or to know, in order. Poll until `None` after each call that takes `now`.
    pub fn poll_output(&mut self) -> Option<Output<U>> {
        self.outputs.pop_front()
    }

    /// Whether no transaction is live.
    pub fn is_empty(&self) -> bool {
        self.live().total() == 0
    }

    /// Live transactions of each kind.
    pub const fn live(&self) -> Live {
        let (server_invite, server_non_invite) = self.servers.live();
        let (client_invite, client_non_invite) = self.clients.live();
        Live { server_invite, server_non_invite, client_invite, client_non_invite }
    }

    /// What has happened since the layer was made.
    pub const fn counters(&self) -> Counters {
        self.counters
    }
}

// Server transactions.
impl<U: Copy> TransactionLayer<U> {
    fn receive_request(&mut self, now: Instant, request: Request, flow: Flow) -> Received<U> {
        let Ok(via) = request.via() else {
            return Received::Unreadable(Message::Request(request));
        };
        match self.servers.find(request.method_token(), &request, &via) {
            Ok(Some(key)) => {
                self.repeat(key, flow, flow_of(&via, flow));
                Received::Absorbed
            }
            Ok(None) if self.refuses(&request) => {
                self.counters.overloaded += 1;
                Received::Overloaded { request }
            }
            Ok(None) => {
                let route = (flow_of(&via, flow), flow.remote.port());
                let server = self.begin(now, &request, route);
                if request.method() != Method::Cancel {
                    return Received::Request { server, request };
                }
                // §9.2: the CANCEL means the transaction that the INVITE of the same name has.
                let invite = self.servers.find("INVITE", &request, &via).ok().flatten();
                Received::Cancel { server, request, invite: invite.map(ServerKey) }
            }
            Err(_) => Received::Unreadable(Message::Request(request)),
        }
    }

    /// The request makes a transaction, whose responses take this flow; with the port that it came from.
    fn begin(&mut self, now: Instant, request: &Request, route: (Flow, u16)) -> ServerKey {
        let (flow, _) = route;
        let timing = Timing::new(&self.settings.timers, flow.transport);
        let machine = if request.method() == Method::Invite {
            ServerMachine::Invite(ServerInvite::new())
        } else {
            ServerMachine::NonInvite(ServerNonInvite::new(now, timing))
        };
        let key = self.servers.insert(machine, request, route);
        self.settle_server(key);
        ServerKey(key)
    }

    /// The request came again: its transaction may have an answer for it.
    ///
    /// What went to another address or over another transport is sent where the copy wants it: one who has lost its
    /// port to a NAT, or tries again over TCP, would else wait in vain. What follows still goes where it did.
    fn repeat(&mut self, key: Key, source: Flow, wanted: Flow) {
        self.counters.requests_repeated += 1;
        let Some(transaction) = self.servers.get_mut(key) else { return };
        if source.connection.is_some() && source.transport == transaction.flow.transport {
            // The peer lost its connection and repeats itself over a new one.
            transaction.flow.connection = source.connection;
            transaction.source_port = source.remote.port();
        }
        if let Some(bytes) = transaction.repeated() {
            self.counters.responses_resent += 1;
            self.outputs.push_back(Output::Send { flow: wanted, bytes, client: None });
        }
    }

    fn receive_ack(&mut self, now: Instant, ack: Request) -> Received<U> {
        let found = ack.via().and_then(|via| self.servers.find_acknowledged(&ack, &via));
        let Ok(key) = found else { return Received::Unreadable(Message::Request(ack)) };
        let Some(transaction) = key.and_then(|key| self.servers.get_mut(key)) else {
            return Received::Ack { request: ack };
        };
        let timing = Timing::new(&self.settings.timers, transaction.flow.transport);
        let fate = match &mut transaction.machine {
            ServerMachine::Invite(machine) => machine.acknowledged(now, timing),
            ServerMachine::NonInvite(_) => AckFate::Dialog,
        };
        if let Some(key) = key {
            self.settle_server(key);
        }
        match fate {
            AckFate::Absorbed => Received::Absorbed,
            AckFate::Dialog => Received::Ack { request: ack },
        }
    }

    /// Whether there is no room for what the request begins.
    fn refuses(&self, request: &Request) -> bool {
        let limit = self.settings.max_transactions;
        let live = self.servers.len() + self.clients.len();
        if live < limit {
            return false;
        }
        let ends_something =
            request.method() == Method::Cancel || request.to_tag().is_ok_and(|tag| tag.is_some());
        !ends_something || live >= limit.saturating_add(limit / 4)
    }

    fn handle_server_deadline(&mut self, now: Instant, index: u32) {
        let Some(key) = self.servers.key_at(index) else { return };
        let Some(transaction) = self.servers.get_mut(key) else { return };
        let flow = transaction.flow;
        let timing = Timing::new(&self.settings.timers, flow.transport);
        let server = ServerKey(key);
        match (transaction.handle_deadline(now, timing), &transaction.machine) {
            (Due::Nothing, _) => {}
            (Due::Resend(bytes), _) => {
                self.counters.responses_resent += 1;
                self.outputs.push_back(Output::Send { flow, bytes, client: None });
            }
            (Due::GaveUp, ServerMachine::Invite(_)) => {
                self.counters.acks_missing += 1;
                self.outputs.push_back(Output::AckMissing { server });
            }
            (Due::GaveUp, ServerMachine::NonInvite(_)) => {
                self.counters.unanswered += 1;
                self.outputs.push_back(Output::Unanswered { server });
            }
        }
        self.settle_server(key);
    }

    /// After a step: removes an ended transaction, else sets its timer.
    fn settle_server(&mut self, key: Key) {
        let Some(transaction) = self.servers.get_mut(key) else { return };
        let deadline = transaction.deadline();
        self.wheel.arm(&mut transaction.timer, deadline, Owner::Server(key.index()));
        if transaction.is_terminated() {
            self.servers.remove(key);
        }
    }
}

// Client transactions.
impl<U: Copy> TransactionLayer<U> {
    fn start(
        &mut self,
        now: Instant,
        method: Method,
        branch: &[u8],
        bytes: Bytes,
        route: (Flow, U),
    ) -> ClientKey {
        let (flow, _) = route;
        let timing = Timing::new(&self.settings.timers, flow.transport);
        let machine = if method == Method::Invite {
            ClientMachine::Invite(ClientInvite::new(now, &bytes, timing))
        } else {
            ClientMachine::NonInvite(ClientNonInvite::new(now, &bytes, timing))
        };
        if method == Method::Cancel {
            self.mark_cancelled(now, branch);
        }
        let key = self.clients.insert(machine, method, branch, route);
        self.settle_client(key);
        self.send(key, flow, bytes);
        ClientKey(key)
    }

    fn receive_response(&mut self, now: Instant, response: Response, flow: Flow) -> Received<U> {
        // §8.1.3.3: our requests have one Via, and so have their responses.
        let mut lines = response.lines(HeaderName::Via);
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return Received::Foreign(response);
        };
        let (Ok(via), Ok(cseq)) = (response.via(), response.cseq()) else {
            return Received::Unreadable(Message::Response(response));
        };
        if via.raw().len() != line.len() {
            return Received::Foreign(response);
        }
        let key = via.branch().and_then(|branch| self.clients.find(branch, cseq.method));
        let Some(key) = key else { return Received::Stray(response) };
        let Some(transaction) = self.clients.get_mut(key) else {
            return Received::Stray(response);
        };
        let (user, transport) = (transaction.user, transaction.flow.transport);
        let timing = Timing::new(&self.settings.timers, transport);
        let fate = match &mut transaction.machine {
            ClientMachine::Invite(machine) => machine.receive(now, &response, timing),
            ClientMachine::NonInvite(machine) => {
                match machine.receive(now, response.status(), timing) {
                    client_non_invite::Fate::Pass => client_invite::Fate::Pass,
                    client_non_invite::Fate::Absorb => client_invite::Fate::Absorb,
                }
            }
        };
        if flow.transport == transport {
            self.clients.follow(key, flow.connection);
        }
        let client = ClientKey(key);
        let received = match fate {
            client_invite::Fate::Pass => Received::Response { client, user, response },
            client_invite::Fate::Acknowledge(ack) => {
                self.acknowledge(key, ack);
                Received::Response { client, user, response }
            }
            client_invite::Fate::AcknowledgeAgain(ack) => {
                self.counters.acks_resent += 1;
                self.counters.responses_repeated += 1;
                self.acknowledge(key, ack);
                Received::Absorbed
            }
            client_invite::Fate::Absorb => {
                self.counters.responses_repeated += 1;
                Received::Absorbed
            }
            client_invite::Fate::Late2xx => Received::Late2xx { client, user, response },
        };
        self.settle_client(key);
        received
    }

    /// An ACK that cannot be sent is nobody's news: the failure has been passed on already.
    fn acknowledge(&mut self, key: Key, ack: Bytes) {
        if let Some(transaction) = self.clients.get(key) {
            let flow = transaction.flow;
            self.outputs.push_back(Output::Send { flow, bytes: ack, client: None });
        }
    }

    fn handle_client_deadline(&mut self, now: Instant, index: u32) {
        let Some(key) = self.clients.key_at(index) else { return };
        let Some(transaction) = self.clients.get_mut(key) else { return };
        let (flow, user) = (transaction.flow, transaction.user);
        let timing = Timing::new(&self.settings.timers, flow.transport);
        match transaction.handle_deadline(now, timing) {
            Due::Nothing => {}
            Due::Resend(bytes) => {
                self.counters.requests_resent += 1;
                self.send(key, flow, bytes);
            }
            Due::GaveUp => {
                self.counters.timed_out += 1;
                self.outputs.push_back(Output::TimedOut { client: ClientKey(key), user });
            }
        }
        self.settle_client(key);
    }

    /// §9.1: the INVITE with this branch will not wait for ever.
    fn mark_cancelled(&mut self, now: Instant, branch: &[u8]) {
        let Some(key) = self.clients.find(branch, Method::Invite) else { return };
        let Some(transaction) = self.clients.get_mut(key) else { return };
        let timing = Timing::new(&self.settings.timers, transaction.flow.transport);
        match &mut transaction.machine {
            ClientMachine::Invite(machine) => machine.cancelled(now, timing),
            ClientMachine::NonInvite(_) => {}
        }
        self.settle_client(key);
    }

    fn fail(&mut self, key: Key) {
        let Some(transaction) = self.clients.get_mut(key) else { return };
        let user = transaction.user;
        if transaction.transport_failed() {
            self.outputs.push_back(Output::TransportFailed { client: ClientKey(key), user });
        }
        self.settle_client(key);
    }

    fn send(&mut self, key: Key, flow: Flow, bytes: Bytes) {
        self.outputs.push_back(Output::Send { flow, bytes, client: Some(ClientKey(key)) });
    }

    /// After a step: removes an ended transaction, else sets its timer.
    fn settle_client(&mut self, key: Key) {
        let Some(transaction) = self.clients.get_mut(key) else { return };
        let deadline = transaction.deadline();
        self.wheel.arm(&mut transaction.timer, deadline, Owner::Client(key.index()));
        if transaction.is_terminated() {
            self.clients.remove(key);
        }
    }
}
