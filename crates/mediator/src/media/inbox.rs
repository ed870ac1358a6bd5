//! The way into a media thread from other threads: a queue that is emptied whole.
//!
//! Whoever posts wakes the thread; the thread looks only when it was woken, so that no packet costs it a lock. What is
//! posted is bounded by what causes it: a few orders a call, one track a sound, one question of figures a request.

use std::sync::Arc;

use mediator_call::io::Input;
use mediator_media::{Figures, Order, Side, SoundFailure, Track};
use mediator_model::Sid;
use mediator_net::{Post, RtpWaker};
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// What a media thread is told.
pub(super) enum Command {
    /// An engine's order.
    Order {
        /// What.
        order: Order,
        /// The shard that asks, where it is told what comes of it.
        shard: Post<Input>,
    },
    /// A track that was asked for, or why there is none.
    Track(TrackFound),
    /// Asks what was counted so far.
    Figures(FiguresAsked),
}

/// What became of a sound that was to be found.
pub(super) struct TrackFound {
    /// The call.
    pub(super) call: Sid,
    /// Who hears it.
    pub(super) side: Side,
    /// The play's.
    pub(super) token: u32,
    /// What was found.
    pub(super) track: Result<Arc<Track>, SoundFailure>,
}

/// A question of figures.
pub(super) struct FiguresAsked {
    /// The calls that are still to be looked at.
    pub(super) calls: Vec<Sid>,
    /// What was found so far.
    pub(super) found: Vec<(Sid, [Figures; 2])>,
    /// Who asks.
    pub(super) answer: oneshot::Sender<Vec<(Sid, [Figures; 2])>>,
}

/// The posting side; cheap to clone.
#[derive(Clone)]
pub(super) struct MediaPost {
    queue: Arc<Mutex<Vec<Command>>>,
    waker: RtpWaker,
}

impl MediaPost {
    /// A queue whose owner `waker` wakes.
    pub(super) fn new(waker: RtpWaker) -> Self {
        Self { queue: Arc::default(), waker }
    }

    /// Hands something over.
    pub(super) fn post(&self, command: Command) {
        self.queue.lock().push(command);
        self.waker.wake();
    }

    /// Swaps what has come for an empty `taken`: for the owner alone.
    pub(super) fn take(&self, taken: &mut Vec<Command>) {
        std::mem::swap(&mut *self.queue.lock(), taken);
    }
}
