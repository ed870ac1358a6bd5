//! Writes: what is asked of a store, and what became of it.

use std::sync::Arc;

use mediator_model::{Number, Sid, UnixMillis};

use crate::record::{Kind, Record};

/// Counts writes that changed something: 1 is the first one, 0 is the empty store.
pub type Revision = u64;

/// One write: all of its operations, or none.
#[derive(Clone, Debug)]
pub struct Write {
    /// The wall clock: what is past its end at this time counts as gone.
    pub now: UnixMillis,
    /// What to do, in order. At most [`Write::MAX_OPS`].
    pub ops: Vec<Op>,
    /// Objects that must exist when the write takes effect, whatever their revision.
    pub requires: Vec<(Kind, Sid)>,
    /// An answer to keep with the write, for a client that repeats its request (Idempotency-Key).
    pub remember: Option<Remember>,
}

impl Write {
    /// The most operations of one write.
    pub const MAX_OPS: usize = 10_000;

    /// A write of one operation.
    pub fn one(now: UnixMillis, op: Op) -> Self {
        Self { now, ops: vec![op], requires: Vec::new(), remember: None }
    }
}

/// One operation of a write.
#[derive(Clone, Debug)]
pub enum Op {
    /// Makes an object; its sid and its unique keys must be free. A binding or dialout past its end that holds a key
    /// makes way, as a change of its own.
    Create(Record),
    /// Replaces an object, if it still has the revision that the writer read.
    Update {
        /// The object as it shall be; its sid says which.
        record: Record,
        /// The revision that it must have.
        expect: Revision,
    },
    /// Removes an object.
    Delete {
        /// What it is.
        kind: Kind,
        /// Which.
        sid: Sid,
        /// The revision that it must have; `None`: any.
        expect: Option<Revision>,
    },
    /// Gives a binding that waits for its first caller to this one. Refused where it waits no more, unless this
    /// caller has it already.
    Claim {
        /// The binding.
        binding_sid: Sid,
        /// Who called.
        caller: Number,
    },
    /// Removes the bindings that are past their end, the earliest first, at most this many. Never refused.
    Expire {
        /// The most to remove.
        limit: usize,
    },
}

/// An answer kept for an Idempotency-Key; the key is unique for an owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remember {
    /// Whose key it is: an account, or the operator's partner sid.
    pub owner: Sid,
    /// The key, at most 255 bytes.
    pub key: Box<str>,
    /// A hash of the request, so that another request with the same key is seen.
    pub fingerprint: [u8; 32],
    /// The HTTP status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub body: Box<[u8]>,
    /// Until when it is kept.
    pub until: UnixMillis,
}

/// What a write changed, in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Committed {
    /// The revision that it got; every object that it put has it now. A write that changed nothing (an `Expire` with
    /// nothing due) has the store's newest.
    pub revision: Revision,
    /// The changes; claims are puts of the claimed binding.
    pub changes: Arc<[Change]>,
}

/// One change, as followers see it.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// An object was made or replaced.
    Put(Record),
    /// An object is gone.
    Removed {
        /// What it was.
        kind: Kind,
        /// Which.
        sid: Sid,
    },
}

/// Why a write changed nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// There is an object with this sid.
    #[error("there is one with this sid already")]
    Exists,
    /// The object to update, delete or claim, or one of [`Write::requires`], is not there.
    #[error("there is no such {kind} {sid}")]
    Gone {
        /// What is missing.
        kind: Kind,
        /// Which.
        sid: Sid,
    },
    /// The object has another revision than expected.
    #[error("it was changed meanwhile")]
    Stale {
        /// The revision that it has.
        current: Revision,
    },
    /// Another object holds the unique key.
    #[error("{holder} has the same {key}")]
    Taken {
        /// The key, by the names of its fields.
        key: &'static str,
        /// Who holds it.
        holder: Sid,
    },
    /// It cannot be deleted while others refer to it.
    #[error("{kind} {sid} uses it")]
    InUse {
        /// What uses it.
        kind: Kind,
        /// Which.
        sid: Sid,
    },
    /// The binding waits for no caller (any more).
    #[error("the binding has its caller already")]
    Claimed,
    /// The owner used this Idempotency-Key before.
    #[error("this key was used before")]
    Remembered,
    /// Too many operations, or too many writes waiting.
    #[error("too much at once")]
    Overloaded,
    /// The disk is full, or failed; the text names the remedy and no path's content. Nothing was changed.
    #[error("the store cannot write: {0}")]
    Failed(Arc<str>),
}

/// Hears what became of a write, once, on the store's thread: it must not wait.
pub type Done = Box<dyn FnOnce(Result<Committed, Refused>) + Send>;
