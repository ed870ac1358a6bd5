//! One shard: readiness, then drain, run the engine, send; sleep until the next deadline.
//!
//! A panic in the engine is caught for each message: it is logged as a defect and the shard goes on.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use mediator_call::Engine;
use mediator_call::io::{Input, Output, Query};
use mediator_model::Instant;
use mediator_net::{
    Clock, Inbox, NetEvent, Post, Resolver, Sender, Sorter, UdpListener, UdpReader,
};
use mediator_sip::transaction::ClientKey;
use tokio::time::{Sleep, sleep_until};
use tracing::error;

use super::claims::Claims;
use super::telling::Teller;
use crate::media::MediaOrders;
use crate::metrics::{MessageDirection, ShardMetrics};

/// Datagrams or messages taken before the other sources get a turn.
const BATCH: usize = 64;

/// `SendFailed` that nobody waits for.
const NOBODY: u64 = u64::MAX;

/// What one shard is made of.
pub(super) struct ShardParts {
    pub(super) at: usize,
    pub(super) engine: Engine,
    pub(super) net: Inbox<NetEvent>,
    pub(super) orders: Inbox<Input>,
    /// The way into `orders`, for what tasks find out.
    pub(super) own_orders: Post<Input>,
    pub(super) claims: Claims,
    pub(super) media: MediaOrders,
    pub(super) sorter: Sorter,
    pub(super) udp: Vec<Arc<UdpListener>>,
    pub(super) sender: Sender,
    pub(super) resolver: Arc<Resolver>,
    pub(super) teller: Teller,
    pub(super) metrics: Arc<ShardMetrics>,
    pub(super) clock: Clock,
}

/// A shard at work.
pub(super) struct Shard {
    parts: ShardParts,
    readers: Vec<UdpReader>,
    /// Kept for its capacity.
    events: Vec<NetEvent>,
}

impl Shard {
    /// Runs until the process ends.
    pub(super) async fn run(parts: ShardParts) {
        let readers = match parts.udp.iter().map(UdpListener::reader).collect() {
            Ok(readers) => readers,
            Err(cause) => return error!(%cause, "a UDP socket cannot be read"),
        };
        let mut shard = Self { parts, readers, events: Vec::new() };
        let mut sleep = pin!(sleep_until(tokio::time::Instant::now()));
        loop {
            let busy = shard.work();
            if busy {
                // Tasks of connections and of the resolver live on this thread too.
                tokio::task::yield_now().await;
                continue;
            }
            if let Some(deadline) = shard.parts.engine.next_deadline() {
                let wake_at = shard.parts.clock.wake_at(deadline);
                if sleep.deadline() != wake_at {
                    sleep.as_mut().reset(wake_at);
                }
                poll_fn(|context| shard.poll_woken(context, Some(sleep.as_mut()))).await;
            } else {
                poll_fn(|context| shard.poll_woken(context, None)).await;
            }
        }
    }

    /// Takes what is there, up to one batch of each source; whether there may be more.
    ///
    /// Orders are taken after messages and carried out before them: what the store's writer was told of before somebody
    /// sent a message (a new endpoint, say) is known when the message is looked at.
    fn work(&mut self) -> bool {
        let now = self.parts.clock.now();
        let mut events = std::mem::take(&mut self.events);
        let more = self.read_sockets(&mut events) | self.read_inbox(&mut events);
        self.read_orders(now);
        for event in events.drain(..) {
            self.net_event(now, event);
        }
        self.events = events;
        if self.parts.engine.next_deadline().is_some_and(|due| due <= now) {
            self.guarded(|shard| shard.parts.engine.handle_deadline(now));
            self.carry_out(now);
        }
        more
    }

    fn read_sockets(&mut self, events: &mut Vec<NetEvent>) -> bool {
        let mut more = false;
        for reader in &mut self.readers {
            let drained =
                reader.drain(BATCH, &mut |event| events.extend(self.parts.sorter.sort(event)));
            more |= !drained.empty;
        }
        self.parts.sorter.flush();
        more
    }

    fn read_inbox(&mut self, events: &mut Vec<NetEvent>) -> bool {
        self.parts.net.drain(BATCH, &mut |event| events.push(event)) == BATCH
    }

    /// Carries out every order that is there: there are few, and none may stay behind a message.
    fn read_orders(&mut self, now: Instant) {
        let mut taken = Vec::new();
        self.parts.orders.drain(super::ORDERS_LIMIT, &mut |order| taken.push(order));
        for order in taken {
            self.handle(now, order);
        }
    }

    fn net_event(&mut self, now: Instant, event: NetEvent) {
        match event {
            NetEvent::Message { flow, bytes } => {
                self.parts.metrics.message(MessageDirection::In, flow.transport, &bytes);
                self.handle(now, Input::Message { flow, bytes });
            }
            NetEvent::ConnectionClosed(connection) => {
                self.handle(now, Input::ConnectionClosed(connection));
            }
            NetEvent::SendFailed { tag: NOBODY, .. } => {}
            NetEvent::SendFailed { tag, .. } => {
                self.handle(now, Input::SendFailed { client: ClientKey::from_bits(tag) });
            }
        }
    }

    fn handle(&mut self, now: Instant, input: Input) {
        self.guarded(|shard| shard.parts.engine.handle(now, input));
        self.carry_out(now);
    }

    /// A defect in the engine costs the call that met it, never the process.
    fn guarded(&mut self, act: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| act(self))).is_err() {
            error!(shard = self.parts.at, "the engine panicked on one message; the shard goes on");
            // The end of a broken call may panic too: then it is taken out by force.
            let end = |shard: &mut Self| shard.parts.engine.abandon(shard.parts.clock.now());
            for _ in 0..2 {
                if catch_unwind(AssertUnwindSafe(|| end(self))).is_ok() {
                    break;
                }
            }
        }
    }

    fn carry_out(&mut self, now: Instant) {
        while let Some(output) = self.parts.engine.poll_output() {
            match output {
                Output::Send { flow, bytes, client } => {
                    self.parts.metrics.message(MessageDirection::Out, flow.transport, &bytes);
                    let tag = client.map_or(NOBODY, ClientKey::to_bits);
                    let sent = self.parts.sender.send(&flow, &bytes, tag);
                    if let (Err(cause), Some(client)) = (sent, client) {
                        tracing::debug!(%cause, "not sent");
                        self.guarded(|shard| {
                            shard.parts.engine.handle(now, Input::SendFailed { client });
                        });
                    }
                }
                Output::Resolve(query) => self.resolve(query),
                Output::Media(order) => self.parts.media.give(order),
                Output::StoreClaim { call, change } => self.parts.claims.store(call, &change),
                Output::Event(event) => self.parts.teller.tell(event),
            }
        }
    }

    fn resolve(&self, query: Query) {
        let orders = self.parts.own_orders.clone();
        tokio::spawn(super::names::answer(self.parts.resolver.clone(), query, orders));
    }

    fn poll_woken(
        &mut self,
        context: &mut Context<'_>,
        sleep: Option<std::pin::Pin<&mut Sleep>>,
    ) -> Poll<()> {
        let mut woken = self.parts.net.poll_ready(context).is_ready();
        woken |= self.parts.orders.poll_ready(context).is_ready();
        for reader in &self.readers {
            woken |= reader.poll_readable(context).is_ready();
        }
        if let Some(sleep) = sleep {
            woken |= sleep.poll(context).is_ready();
        }
        if woken { Poll::Ready(()) } else { Poll::Pending }
    }
}
