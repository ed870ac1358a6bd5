//! Changes of the operator's objects: read, lay the body over, write with the revision that was read.

use std::sync::Arc;

use axum::response::Response;
use mediator_store::write::{Op, Refused, Revision, Write};
use mediator_store::{Kind, Record, Versioned};
use serde_json::Value;

use super::refusal::{self, Reference};
use super::request::{Creation, Item};
use crate::answer;
use crate::body::JsonObject;
use crate::catalog::Catalog;
use crate::fault::{Fault, Flavour};
use crate::state::AppState;
use crate::store_calls;

/// How often a change is tried again where others write the same object at the same time.
const ATTEMPTS: usize = 8;

/// What a change writes.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The object as it shall be.
    pub(super) record: Record,
    /// Objects that are made in the same write, before it: it names them.
    pub(super) before: Vec<Record>,
    /// Objects that are made in the same write, after it: they name it.
    pub(super) after: Vec<Record>,
    /// Objects that must be there.
    pub(super) references: Vec<Reference>,
}

impl Plan {
    /// A change of one object that names no other.
    pub(super) fn of(record: Record) -> Self {
        Self { record, before: Vec::new(), after: Vec::new(), references: Vec::new() }
    }

    fn write(&self, op: Op, state: &AppState) -> Write {
        let before = self.before.iter().cloned().map(Op::Create);
        let after = self.after.iter().cloned().map(Op::Create);
        let ops = before.chain([op]).chain(after).collect();
        Write {
            now: state.now(),
            ops,
            requires: self.references.iter().map(|named| (named.kind, named.sid)).collect(),
            remember: None,
        }
    }
}

/// The answer that an earlier request with the same Idempotency-Key got.
pub(super) async fn replayed(
    creation: &Creation,
    json: &JsonObject,
) -> Result<Option<Response>, Fault> {
    let owner = creation.frame.partner_sid;
    creation.idempotency.replay(&creation.state.backend, owner, &json.bytes).await
}

/// Makes an object; `answer` is what the client gets, now and when it repeats its request.
pub(super) async fn create(
    creation: &Creation,
    json: &JsonObject,
    plan: Plan,
    answer: Value,
) -> Result<Response, Fault> {
    let state = &creation.state;
    let mut write = plan.write(Op::Create(plan.record.clone()), state);
    let owner = creation.frame.partner_sid;
    write.remember = creation.idempotency.remember(owner, &json.bytes, &answer, write.now);
    match store_calls::try_write(&state.backend, write).await {
        Ok(committed) => Ok(Flavour::Core.written(committed.revision, answer)),
        // The same key came at the same time, and was first.
        Err(Refused::Remembered) => replayed(creation, json).await?.ok_or(Fault::Overloaded),
        Err(refused) => Err(refusal::fault(&state.backend.catalog, refused, &plan.references)),
    }
}

/// Changes an object; where another write came between, and the client named no version, once more from what is there
/// then.
pub(super) async fn update<T>(
    item: &Item,
    find: impl Fn(&Catalog) -> Option<Versioned<Arc<T>>>,
    change: impl Fn(&T) -> Result<Plan, Fault>,
) -> Result<(Revision, Record), Fault> {
    let catalog = &item.state.backend.catalog;
    let _turn = item.state.turns.take(item.sid).await;
    for _ in 0..ATTEMPTS {
        let current = find(catalog).ok_or(Fault::NoSuchSid)?;
        item.preconditions.check(current.revision)?;
        let plan = change(&current.record)?;
        let op = Op::Update { record: plan.record.clone(), expect: current.revision };
        let write = plan.write(op, &item.state);
        match store_calls::try_write(&item.state.backend, write).await {
            Ok(committed) => return Ok((committed.revision, plan.record)),
            Err(Refused::Stale { .. }) if !item.preconditions.insist() => {}
            Err(refused) => return Err(refusal::fault(catalog, refused, &plan.references)),
        }
    }
    Err(Fault::Overloaded)
}

/// Deletes an object that nothing uses; the trunks of a trunk group go with it.
pub(super) async fn delete<T>(
    item: &Item,
    kind: Kind,
    find: impl Fn(&Catalog) -> Option<Versioned<Arc<T>>>,
) -> Result<Response, Fault> {
    let catalog = &item.state.backend.catalog;
    let current = find(catalog).ok_or(Fault::NoSuchSid)?;
    item.preconditions.check(current.revision)?;
    // The store says no, too; here the words are better.
    if let Some(user) = catalog.user_of(kind, item.sid) {
        return Err(refusal::in_use(catalog, &user));
    }
    let expect = item.preconditions.insist().then_some(current.revision);
    let write = Write::one(item.state.now(), Op::Delete { kind, sid: item.sid, expect });
    match store_calls::try_write(&item.state.backend, write).await {
        Ok(_) => Ok(answer::deleted()),
        Err(refused) => Err(refusal::fault(catalog, refused, &[])),
    }
}
