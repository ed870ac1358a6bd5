//! Which shard a message belongs to, and the way there.
//!
//! The owner of a message is a hash of its Call-ID modulo the number of shards. The hash comes from
//! the caller, so that this crate need not read SIP.

use std::sync::Arc;

use mediator_model::ConnectionId;

use crate::event::NetEvent;
use crate::inbox::Post;

/// The hash that chooses the owner of a message (or of whatever stands in its place).
pub type Route = fn(&[u8]) -> u64;

/// The shards' inboxes, and the rule that picks one. Clones share them.
#[derive(Clone)]
pub struct Dispatch {
    posts: Arc<[Post<NetEvent>]>,
    route: Route,
}

impl Dispatch {
    /// Dispatches to `posts`, one a shard in their order.
    ///
    /// # Panics
    /// When there is no shard.
    pub fn new(posts: Vec<Post<NetEvent>>, route: Route) -> Self {
        assert!(!posts.is_empty(), "a server without shards");
        Self { posts: posts.into(), route }
    }

    /// How many shards there are.
    pub fn shards(&self) -> usize {
        self.posts.len()
    }

    /// The shard that owns a message; the hash is not taken where there is only one.
    pub fn owner(&self, bytes: &[u8]) -> usize {
        match self.posts.len() {
            1 => 0,
            shards => ((self.route)(bytes) % shards as u64) as usize,
        }
    }

    /// Tells every shard that a connection is gone.
    pub(crate) fn connection_closed(&self, connection: ConnectionId) {
        for post in self.posts.iter() {
            post.post_always(NetEvent::ConnectionClosed(connection));
        }
    }

    /// Tells one shard that what it sent is lost.
    pub(crate) fn send_failed(&self, shard: usize, event: NetEvent) {
        if let Some(post) = self.posts.get(shard) {
            post.post_always(event);
        }
    }

    /// The inbox of the shard that owns a message.
    pub(crate) fn owner_post(&self, bytes: &[u8]) -> &Post<NetEvent> {
        let shard = self.owner(bytes);
        self.posts.get(shard).expect("owner() is below the number of shards")
    }

    /// A sorter for shard `own`, which reads a socket for all.
    pub fn sorter(&self, own: usize) -> Sorter {
        let batches = self.posts.iter().map(|_| Vec::new()).collect();
        Sorter { dispatch: self.clone(), own, batches }
    }
}

/// Keeps what is ours and gathers what is others', so that each of them is woken once a batch.
pub struct Sorter {
    dispatch: Dispatch,
    own: usize,
    batches: Vec<Vec<NetEvent>>,
}

impl Sorter {
    /// Gives back an event that this shard handles itself; keeps one for another shard until
    /// [`flush`](Self::flush).
    pub fn sort(&mut self, event: NetEvent) -> Option<NetEvent> {
        let shard = match &event {
            NetEvent::Message { bytes, .. } => self.dispatch.owner(bytes),
            NetEvent::ConnectionClosed(_) | NetEvent::SendFailed { .. } => self.own,
        };
        if shard == self.own {
            return Some(event);
        }
        if let Some(batch) = self.batches.get_mut(shard) {
            batch.push(event);
        }
        None
    }

    /// Posts what was kept for others: one lock and at most one wake-up a shard.
    pub fn flush(&mut self) {
        for (post, batch) in self.dispatch.posts.iter().zip(&mut self.batches) {
            if !batch.is_empty() {
                post.offer_all(batch);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mediator_model::{Flow, ListenerId, Transport};

    use super::*;
    use crate::inbox::inbox;

    fn message(text: &'static str) -> NetEvent {
        let flow = Flow {
            transport: Transport::Udp,
            listener: ListenerId(0),
            remote: "127.0.0.2:5060".parse().unwrap(),
            connection: None,
        };
        NetEvent::Message { flow, bytes: Bytes::from_static(text.as_bytes()) }
    }

    fn last_byte(bytes: &[u8]) -> u64 {
        u64::from(*bytes.last().unwrap())
    }

    #[test]
    fn keeps_its_own_and_hands_over_the_rest_in_order() {
        let (first, mut first_inbox) = inbox(8);
        let (second, mut second_inbox) = inbox(8);
        let dispatch = Dispatch::new(vec![first, second], last_byte);
        let mut sorter = dispatch.sorter(0);
        let even = sorter.sort(message("call 0"));
        assert_eq!(even, Some(message("call 0")));
        assert_eq!(sorter.sort(message("a 1")), None);
        assert_eq!(sorter.sort(message("b 1")), None);
        assert_eq!(second_inbox.drain(8, &mut |_| panic!("before the flush")), 0);
        sorter.flush();
        let mut seen = Vec::new();
        second_inbox.drain(8, &mut |event| seen.push(event));
        assert_eq!(seen, [message("a 1"), message("b 1")]);
        assert_eq!(first_inbox.drain(8, &mut |_| {}), 0);
    }

    #[test]
    fn one_shard_needs_no_hash() {
        let (post, _inbox) = inbox(8);
        let dispatch = Dispatch::new(vec![post], |_| panic!("not asked"));
        assert_eq!(dispatch.owner(b"whatever"), 0);
    }
}
