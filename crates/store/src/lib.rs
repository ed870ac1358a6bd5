//! What outlives the process: the objects of the APIs, call records, and deliveries still to be made.
//!
//! [`Store`] is the one door. It is shaped for several nodes: a write names what it expects to find, every change gets
//! a [`Revision`], and a [`Follower`] sees all changes in that order, so that what it keeps in memory (the binding table,
//! the directory) is what the store holds. Who was away resumes by [`Store::changes_after`].
//!
//! Invariants, of every implementation:
//! - a write takes effect whole or not at all; it is durable before its [`Done`] is called with success;
//! - revisions grow by one a write that changed something; the follower hears of revision n before n + 1, and before
//!   the writer of n is answered;
//! - after a failure (disk full, say) nothing of the write remains, in the store or at the follower.
//!
//! It deliberately knows nothing of HTTP, of routing, or of what an object means for a call.

pub mod query;
pub mod record;
pub mod sqlite;
mod traits;
pub mod write;

pub use record::{Kind, Object, Record, Versioned};
pub use sqlite::{Location, Opened, SqliteStore};
pub use traits::{
    CallDelivery, Calls, Delivery, DeliveryOutcome, FeedError, Follower, OpenError, ReadError,
    Remembered, Store,
};
pub use write::{Change, Committed, Done, Op, Refused, Remember, Revision, Write};
