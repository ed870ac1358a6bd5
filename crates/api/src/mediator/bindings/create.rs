//! Makes bindings: finds one to reuse, chooses the number, and writes until it is there or cannot be.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use foldhash::HashSet;
use foldhash::fast::RandomState;
use mediator_model::{BindingKey, Number, Sid, UnixMillis};
use mediator_store::query::{Comparison, Filter, Literal, Operator, Query};
use mediator_store::record::{BindingRecord, Kind, Record, Versioned};
use mediator_store::write::{Op, Remember};
use mediator_store::{ReadError, Refused, Store, Write};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::draft::{Birth, Draft};
use super::import::MAX_IMPORTS;
use crate::catalog::Catalog;
use crate::fault::Fault;
use crate::mediator::ownership::{cannot_find_redirect_did, gone_meanwhile, own_did};
use crate::mediator::{ATTEMPTS, fresh_sid};
use crate::ports::Backend;
use crate::store_calls;

/// How long a number that others are being given is waited for.
const PAUSE: Duration = Duration::from_millis(2);
/// How often.
const PAUSES: usize = 250;
/// Requests with `reuse` for the same destination go one after the other; this many destinations at once.
const TURNS: usize = 64;

/// What requests that make bindings at the same time share.
pub(crate) struct Desk {
    /// Keys that the server chose and that are being written: nobody else is given them meanwhile.
    chosen: Mutex<HashSet<BindingKey>>,
    turns: [tokio::sync::Mutex<()>; TURNS],
    imports: Arc<Semaphore>,
    hasher: RandomState,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            chosen: Mutex::default(),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
            imports: Arc::new(Semaphore::new(MAX_IMPORTS)),
            hasher: RandomState::default(),
        }
    }
}

impl Desk {
    /// Whether the key was free to be chosen, and is the caller's from now on.
    fn choose(&self, key: BindingKey) -> bool {
        self.chosen.lock().insert(key)
    }

    /// A place among the imports that run; `None`: there are as many as may be.
    pub(super) fn import_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.imports).try_acquire_owned().ok()
    }

    fn release(&self, key: &BindingKey) {
        self.chosen.lock().remove(key);
    }

    /// The lock of those who may reuse each other's binding.
    fn turn(&self, account: Sid, draft: &Draft) -> Option<&tokio::sync::Mutex<()>> {
        let hash = self.hasher.hash_one((account, draft.destination_did));
        self.turns.get(hash as usize % TURNS)
    }
}

/// A key that is this request's until the end of it.
pub(super) struct Chosen {
    desk: Arc<Desk>,
    key: BindingKey,
}

impl Chosen {
    /// The key, unless another request has it.
    pub(super) fn take(desk: &Arc<Desk>, key: BindingKey) -> Option<Self> {
        desk.choose(key).then(|| Self { desk: Arc::clone(desk), key })
    }
}

impl Drop for Chosen {
    fn drop(&mut self) {
        self.desk.release(&self.key);
    }
}

/// What a draft came to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was made.
    Made(Versioned<BindingRecord>),
    /// There was one like it.
    Found(Versioned<BindingRecord>),
    /// The Idempotency-Key was used in the meantime: its answer is to be found.
    Remembered,
}

/// Who asks for bindings.
#[derive(Clone)]
pub(super) struct Maker {
    pub(super) backend: Backend,
    pub(super) desk: Arc<Desk>,
    pub(super) account: Sid,
}

/// What to keep for an Idempotency-Key, given the binding that will be answered.
pub(super) type RememberAs<'a> =
    &'a (dyn Fn(&BindingRecord, UnixMillis) -> Option<Remember> + Sync);

impl Maker {
    /// Makes the binding, or finds one like it where that will do.
    pub(super) async fn bring(
        &self,
        draft: &Draft,
        remember: RememberAs<'_>,
    ) -> Result<Outcome, Fault> {
        if !draft.reuse {
            return self.make(draft, remember).await;
        }
        let turn = self.desk.turn(self.account, draft).ok_or(Fault::Internal)?.lock().await;
        let outcome = self.find_or_make(draft, remember).await;
        drop(turn);
        outcome
    }

    async fn find_or_make(
        &self,
        draft: &Draft,
        remember: RememberAs<'_>,
    ) -> Result<Outcome, Fault> {
        let now = self.backend.process.now();
        let catalog = Arc::clone(&self.backend.catalog);
        let (account, like) = (self.account, draft.clone());
        let found = store_calls::read(&self.backend, move |store| {
            find_like(store, &catalog, account, &like, now)
        });
        let Some(found) = found.await? else { return self.make(draft, remember).await };
        // Nothing is written but the answer, for who repeats the request.
        if let Some(kept) = remember(&found.record, now) {
            let write = Write { now, ops: Vec::new(), requires: Vec::new(), remember: Some(kept) };
            match store_calls::try_write(&self.backend, write).await {
                Ok(_) => {}
                Err(Refused::Remembered) => return Ok(Outcome::Remembered),
                Err(refused) => return Err(refused.into()),
            }
        }
        Ok(Outcome::Found(found))
    }

    /// Makes the binding.
    pub(super) async fn make(
        &self,
        draft: &Draft,
        remember: RememberAs<'_>,
    ) -> Result<Outcome, Fault> {
        for _ in 0..ATTEMPTS {
            let now = self.backend.process.now();
            let chosen = match draft.redirect_did {
                Some(_) => None,
                None => Some(self.choose(draft).await?),
            };
            let redirect_did = match (&chosen, draft.redirect_did) {
                (Some(chosen), _) => chosen.key.redirect_did,
                (None, Some(number)) => number,
                (None, None) => return Err(Fault::Internal),
            };
            let did = own_did(&self.backend.catalog, self.account, redirect_did)?;
            let birth = Birth { sid: fresh_sid()?, account_sid: self.account, now };
            let record = draft.to_record(birth, redirect_did);
            let write = Write {
                now,
                remember: remember(&record, now),
                requires: vec![(Kind::Endpoint, self.account), (Kind::Did, did)],
                ops: vec![Op::Create(Record::Binding(Arc::new(record.clone())))],
            };
            match store_calls::try_write(&self.backend, write).await {
                Ok(committed) => {
                    return Ok(Outcome::Made(Versioned { revision: committed.revision, record }));
                }
                Err(Refused::Remembered) => return Ok(Outcome::Remembered),
                // Another node, or a request that named the number, was faster: there may be another number.
                Err(Refused::Taken { .. } | Refused::Gone { kind: Kind::Did, .. })
                    if chosen.is_some() => {}
                Err(refused) => return Err(refusal(refused)),
            }
        }
        Err(cannot_find_redirect_did())
    }

    /// The account's number with the fewest bindings that has none for this caller yet.
    async fn choose(&self, draft: &Draft) -> Result<Chosen, Fault> {
        for _ in 0..PAUSES {
            let now = self.backend.process.now();
            let (catalog, desk) = (Arc::clone(&self.backend.catalog), Arc::clone(&self.desk));
            let (account, country, origination) =
                (self.account, draft.country, draft.origination_did);
            let choice = store_calls::read(&self.backend, move |store| {
                choose(store, &catalog, desk, (account, country, origination), now)
            });
            match choice.await? {
                Choice::Free(chosen) => return Ok(chosen),
                Choice::None => return Err(cannot_find_redirect_did()),
                // Those who are writing them may fail.
                Choice::OnlyChosenOnes => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(Fault::Overloaded)
    }
}

enum Choice {
    Free(Chosen),
    OnlyChosenOnes,
    None,
}

fn choose(
    store: &dyn Store,
    catalog: &Catalog,
    desk: Arc<Desk>,
    (account, country, origination_did): (Sid, Option<&'static str>, Option<Number>),
    now: UnixMillis,
) -> Result<Choice, ReadError> {
    let mut failed = None;
    let mut passed_over = false;
    let number = catalog.least_bound(account, country, &mut |redirect_did| {
        let key = BindingKey { redirect_did, origination_did };
        if !desk.choose(key) {
            passed_over = true;
            return true;
        }
        match store.binding_at(key, now) {
            Ok(None) => return false,
            Ok(Some(_)) => {}
            // There is no use in asking on.
            Err(error) => failed = Some(error),
        }
        desk.release(&key);
        failed.is_none()
    });
    match (failed, number) {
        (Some(error), _) => Err(error),
        (None, Some(redirect_did)) => {
            let key = BindingKey { redirect_did, origination_did };
            Ok(Choice::Free(Chosen { desk, key }))
        }
        (None, None) if passed_over => Ok(Choice::OnlyChosenOnes),
        (None, None) => Ok(Choice::None),
    }
}

/// A live binding of the account that is what the draft would make, the oldest of several.
pub(super) fn find_like(
    store: &dyn Store,
    catalog: &Catalog,
    account: Sid,
    draft: &Draft,
    now: UnixMillis,
) -> Result<Option<Versioned<BindingRecord>>, ReadError> {
    let fits = |found: &Versioned<BindingRecord>| {
        found.record.account_sid == account && draft.fits(&found.record, catalog)
    };
    if let Some(redirect_did) = draft.redirect_did {
        let key = BindingKey { redirect_did, origination_did: draft.origination_did };
        return Ok(store.binding_at(key, now)?.filter(fits));
    }
    let mut query = Query {
        filter: Filter::All(vec![
            equal("destination_did", Literal::Text(draft.destination_did.to_string().into())),
            equal(
                "origination_did",
                draft
                    .origination_did
                    .map_or(Literal::Null, |number| Literal::Text(number.to_string().into())),
            ),
        ]),
        order: Vec::new(),
        offset: 0,
        limit: Query::MAX_LIMIT,
        now,
    };
    loop {
        let page = store.bindings(account, &query)?;
        query.offset += page.items.len() as u64;
        let may_continue = page.has_more && !page.items.is_empty();
        if let Some(found) = page.items.into_iter().find(&fits) {
            return Ok(Some(found));
        }
        if !may_continue {
            return Ok(None);
        }
    }
}

fn equal(field: &str, value: Literal) -> Filter {
    Filter::Compare(Comparison {
        path: vec![field.into()],
        operator: Operator::Eq,
        values: vec![value],
    })
}

/// A write of a binding that was refused, as an answer.
pub(super) fn refusal(refused: Refused) -> Fault {
    if let Some(fault) = gone_meanwhile(&refused) {
        return fault;
    }
    match refused {
        Refused::Taken { .. } => Fault::conflict(
            "There is a binding with this redirect_did and origination_did already",
            "redirect_did",
        ),
        other => other.into(),
    }
}
