//! The doors: [`Store`] for objects, [`Calls`] for call records and deliveries, [`Follower`] for who keeps up.

use mediator_model::{BindingKey, Sid, UnixMillis};

use crate::query::{CallQuery, Page, Query};
use crate::record::{BindingRecord, CallRow, DialoutRecord, Kind, LegRow, Record, Versioned};
use crate::write::{Change, Committed, Done, Remember, Revision, Write};

/// Sees every change, in order, before its writer is answered. Called on the store's thread: it must be quick, and must
/// not write to the store.
pub trait Follower: Send + Sync {
    /// A write took effect.
    fn committed(&self, committed: &Committed);
    /// The writes that were told so far are those of one group, which is told to its end: their writers are answered next.
    /// What is dear to work out is worked out here, once for all of them.
    fn settled(&self) {}
    /// A claim was refused, or could not be made durable: `binding` is what the store holds of it (`None`: nothing), so that a
    /// table that had decided otherwise is put right.
    fn claim_failed(&self, binding_sid: Sid, binding: Option<Versioned<BindingRecord>>);
}

/// Durable objects.
///
/// Reads see every write whose [`Done`] was called. They may take milliseconds: callers on latency-bound threads hand
/// them to a thread of their own.
pub trait Store: Send + Sync {
    /// Asks for a write. `done` is called exactly once.
    fn submit(&self, write: Write, done: Done);

    /// The newest revision.
    fn revision(&self) -> Revision;

    /// The changes after a revision, oldest first, at most `limit` of them. An object that changed several times may
    /// appear once, with its newest revision; an object that is gone appears as removed.
    fn changes_after(
        &self,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<(Revision, Change)>, FeedError>;

    /// Hands over every object there is, and the revision of which this is the picture. Bindings past their end at `now`
    /// are left out.
    fn snapshot(
        &self,
        now: UnixMillis,
        each: &mut dyn FnMut(Versioned<Record>),
    ) -> Result<Revision, ReadError>;

    /// One object; a binding past its end at `now` is not there.
    fn object(
        &self,
        kind: Kind,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Versioned<Record>>, ReadError>;

    /// The binding with these numbers.
    fn binding_at(
        &self,
        key: BindingKey,
        now: UnixMillis,
    ) -> Result<Option<Versioned<BindingRecord>>, ReadError>;

    /// A page of an account's bindings.
    fn bindings(
        &self,
        account: Sid,
        query: &Query,
    ) -> Result<Page<Versioned<BindingRecord>>, ReadError>;

    /// A page of an account's dialouts that still wait.
    fn dialouts(
        &self,
        account: Sid,
        query: &Query,
    ) -> Result<Page<Versioned<DialoutRecord>>, ReadError>;

    /// All bindings of an account in the order of creation, a batch at a time: `each` says whether to go on.
    fn each_binding(
        &self,
        account: Sid,
        now: UnixMillis,
        each: &mut dyn FnMut(&BindingRecord) -> bool,
    ) -> Result<(), ReadError>;

    /// What is kept for an Idempotency-Key and not past its end.
    fn remembered(
        &self,
        owner: Sid,
        key: &str,
        now: UnixMillis,
    ) -> Result<Option<Remembered>, ReadError>;

    /// Waits until everything submitted so far is durable or refused. For the end of the process.
    fn flush(&self);
}

/// A kept answer.
pub type Remembered = Remember;

/// A call's records, and where they are posted.
#[derive(Clone, PartialEq, Debug)]
pub struct CallDelivery {
    /// The Mediator record; `None` for calls that no flow of a mediator endpoint ran.
    pub call: Option<CallRow>,
    /// One record a leg.
    pub legs: Vec<LegRow>,
    /// The callback's URL, where one is set: the call's record is queued for it, durably, in the same write.
    pub callback: Option<Box<str>>,
}

/// A record on its way to a callback.
#[derive(Clone, PartialEq, Debug)]
pub struct Delivery {
    /// Its number; grows.
    pub id: u64,
    /// Where to.
    pub url: Box<str>,
    /// The body, as it is signed and posted.
    pub body: Box<str>,
    /// The record's id.
    pub dr_sid: Sid,
    /// When the record was made: 24 h later it is given up.
    pub created: UnixMillis,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next attempt is due; `None`: given up, a dead letter.
    pub due: Option<UnixMillis>,
    /// What went wrong last, for people: a status or a cause.
    pub last_error: Option<Box<str>>,
}

/// What became of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeliveryOutcome {
    /// Taken: the delivery is gone.
    Delivered,
    /// To be tried again at this time.
    RetryAt(UnixMillis, Box<str>),
    /// Given up.
    Dead(Box<str>),
}

/// Call records and deliveries. Who appends does not wait: appends gather, and are durable within a tenth of a second
/// ([`Store::flush`] waits for them). Reads see every append before them.
pub trait Calls: Send + Sync {
    /// Keeps a call's records.
    fn append(&self, delivery: CallDelivery);
    /// A page of Mediator records, newest first unless ordered otherwise; `total` is not counted.
    fn calls(&self, query: &CallQuery) -> Result<Page<CallRow>, ReadError>;
    /// A page of leg records, likewise.
    fn legs(&self, query: &CallQuery) -> Result<Page<LegRow>, ReadError>;
    /// One Mediator record.
    fn call(&self, dr_sid: Sid) -> Result<Option<CallRow>, ReadError>;
    /// One leg record.
    fn leg(&self, dr_sid: Sid) -> Result<Option<LegRow>, ReadError>;
    /// Removes records stored before a time, at most `limit` of each kind; how many went.
    fn purge(&self, before: UnixMillis, limit: usize) -> Result<usize, ReadError>;
    /// Deliveries that are due, the longest due first.
    fn due(&self, now: UnixMillis, limit: usize) -> Result<Vec<Delivery>, ReadError>;
    /// When the next delivery is due.
    fn next_due(&self) -> Result<Option<UnixMillis>, ReadError>;
    /// Notes what became of an attempt.
    fn attempted(&self, id: u64, outcome: DeliveryOutcome);
    /// Dead letters, the oldest first.
    fn dead_letters(&self, offset: u64, limit: u32) -> Result<Page<Delivery>, ReadError>;
}

/// Why a store cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReadError {
    /// A filter or an order names a field that there is not.
    #[error("there is no field {0}")]
    UnknownField(Box<str>),
    /// A filter's value cannot be compared with the field.
    #[error("{field} cannot be compared with this value: {reason}")]
    BadValue {
        /// The field.
        field: Box<str>,
        /// What it takes.
        reason: &'static str,
    },
    /// The disk failed, or the file is damaged.
    #[error("the store cannot be read: {0}")]
    Failed(Box<str>),
}

/// Why the feed cannot be resumed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FeedError {
    /// Changes that old are no longer listed: begin with a snapshot.
    #[error("changes before revision {oldest} are no longer kept: read a snapshot")]
    Compacted {
        /// The oldest revision to resume from.
        oldest: Revision,
    },
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] ReadError),
}

/// Why a store cannot be opened. Nothing was written: what is on the disk is as it was.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory or a file cannot be made, read or written.
    #[error("{path}: {cause}")]
    Unusable {
        /// Which.
        path: Box<str>,
        /// Why, with the remedy.
        cause: Box<str>,
    },
    /// Another process has it open.
    #[error(
        "{path}: another process uses this store: end it, or set store.url to a folder of its own"
    )]
    Locked {
        /// Which.
        path: Box<str>,
    },
    /// It was written by a newer version.
    #[error(
        "{path}: has format {found}, this version reads up to {known}: start the newer version, or restore a backup"
    )]
    Newer {
        /// Which.
        path: Box<str>,
        /// Its format.
        found: u32,
        /// The newest format that is known here.
        known: u32,
    },
    /// It is damaged, or no store at all.
    #[error("{path}: {cause}: restore a backup, or set store.url to an empty folder")]
    Corrupt {
        /// Which.
        path: Box<str>,
        /// What was found.
        cause: Box<str>,
    },
}
