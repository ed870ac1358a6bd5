//! `/bindings`: where calls to the account's numbers go.

mod bodies;
mod change;
mod create;
mod draft;
pub(super) mod export;
pub(super) mod import;
mod lines;
mod shape;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use mediator_model::{Sid, UnixMillis};
use mediator_store::query::{Page, Query};
use mediator_store::record::{BindingRecord, Kind, Record, Versioned};
use mediator_store::write::Op;
use mediator_store::{Refused, Store, Write};

use self::change::Change;
use self::create::{Maker, Outcome};
use self::draft::{Draft, Wishes};
use super::ATTEMPTS;
use super::ownership::own_did;
use crate::answer::deleted;
use crate::args::Args;
use crate::auth::Account;
use crate::body::JsonObject;
use crate::etag::Preconditions;
use crate::fault::{Fault, Flavour};
use crate::idempotency::Idempotency;
use crate::page::PageArgs;
use crate::patch::Nested;
use crate::path::PathSid;
use crate::select::Select;
use crate::state::AppState;
use crate::store_calls;

pub(crate) use self::create::Desk;
#[cfg(test)]
pub(super) use self::import::MAX_IMPORTS;

const API: Flavour = Flavour::Mediator;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/bindings", get(list).post(create))
        .route("/bindings/import", post(import::import))
        .route("/bindings/export", get(export::export))
        .route("/bindings/{binding_sid}", get(read).patch(patch).put(put).delete(delete))
}

/// The account's bindings.
#[utoipa::path(
    get, path = "/bindings", tag = "Bindings",
    params(
        ("offset" = Option<u64>, Query, description = "How many to leave out"),
        ("limit" = Option<u32>, Query, description = "How many at most: 10 unless said, cut to 1000"),
        ("order" = Option<String>, Query, description = "`name desc`, several with commas; by creation unless said"),
        ("filter" = Option<String>, Query, description = "`name like \"A%\" and maximum_ttl gt 300`"),
        ("include_fields" = Option<String>, Query, description = "The fields to show, with commas"),
        ("exclude_fields" = Option<String>, Query, description = "The fields not to show, with commas"),
    ),
    responses((status = 200, description = "`{\"body\": {\"items\": [...], ...}, \"status\": 200}`", body = shape::Shape<'static>)),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    Account(account): Account,
    page: PageArgs,
) -> Result<Response, Fault> {
    let select = Select::from_args(&page.args, shape::FIELDS)?;
    let sid = account.sid;
    let read = move |store: &dyn Store, query: &Query| store.bindings(sid, query);
    let found = store_calls::read_page(&state.backend, &page, read).await?;
    let catalog = &state.backend.catalog;
    let show = |held: Versioned<BindingRecord>| select.apply(shape::show(&held.record, catalog));
    let shown = Page {
        items: found.items.into_iter().map(show).collect(),
        total: found.total,
        has_more: found.has_more,
    };
    Ok(API.ok(page.envelope(shown)))
}

/// Makes a binding. Only `destination_did` is required.
#[utoipa::path(
    post, path = "/bindings", tag = "Bindings",
    params(
        ("reuse" = Option<bool>, Query, description = "Whether a binding with the same parameters will do; also in the body"),
        ("fallback_country" = Option<String>, Query, description = "Choose a number of this country (ISO 3166-1, two or three letters); also in the body"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat, for a day"),
    ),
    request_body(content = bodies::BindingBody, description = "What is left out has its default"),
    responses(
        (status = 200, description = "The binding, in `body`", body = shape::Shape<'static>),
        (status = 400, description = "A field cannot be taken; all are named"),
        (status = 409, description = "No number is free, it is not the account's, or it has a binding for this caller"),
    ),
)]
pub(super) async fn create(
    State(state): State<AppState>,
    Account(account): Account,
    args: Args,
    idempotency: Idempotency,
    body: JsonObject,
) -> Result<Response, Fault> {
    let backend = &state.backend;
    if let Some(replayed) = idempotency.replay(backend, account.sid, &body.bytes).await? {
        return Ok(replayed);
    }
    let draft = Draft::read(&body.object, Wishes::from_args(&args)?)?;
    let remember = |record: &BindingRecord, now: UnixMillis| {
        let answer = API.envelope(shape::show(record, &backend.catalog));
        idempotency.remember(account.sid, &body.bytes, &answer, now)
    };
    let outcome = maker(&state, account.sid).bring(&draft, &remember).await;
    match outcome {
        Ok(Outcome::Made(held) | Outcome::Found(held)) => Ok(written(&state, &held)),
        Ok(Outcome::Remembered) => {
            let replayed = idempotency.replay(backend, account.sid, &body.bytes).await?;
            replayed.ok_or(Fault::Overloaded)
        }
        // What is in the way may be what the same request made a moment ago.
        Err(fault) => {
            let replayed = idempotency.replay(backend, account.sid, &body.bytes).await?;
            replayed.ok_or(fault)
        }
    }
}

/// One binding.
#[utoipa::path(
    get, path = "/bindings/{binding_sid}", tag = "Bindings",
    params(
        ("binding_sid" = String, Path, format = "uuid"),
        ("include_fields" = Option<String>, Query, description = "The fields to show, with commas"),
        ("exclude_fields" = Option<String>, Query, description = "The fields not to show, with commas"),
    ),
    responses(
        (status = 200, description = "The binding, in `body`", body = shape::Shape<'static>),
        (status = 404, description = "The account has no such binding"),
    ),
)]
pub(super) async fn read(
    State(state): State<AppState>,
    Account(account): Account,
    PathSid(sid): PathSid,
    args: Args,
    preconditions: Preconditions,
) -> Result<Response, Fault> {
    let select = Select::from_args(&args, shape::FIELDS)?;
    let held = find(&state, account.sid, sid, state.now()).await?;
    let shown = select.apply(shape::show(&held.record, &state.backend.catalog));
    Ok(API.object(held.revision, &preconditions, shown))
}

/// Changes what the body names.
#[utoipa::path(
    patch, path = "/bindings/{binding_sid}", tag = "Bindings",
    params(
        ("binding_sid" = String, Path, format = "uuid"),
        ("nested_objects" = Option<String>, Query, description = "`replace`: attributes are replaced, not merged"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the binding must have"),
    ),
    request_body(content = bodies::BindingPatch, description = "Null clears origination_did, dtmf and name"),
    responses(
        (status = 200, description = "The binding, in `body`", body = shape::Shape<'static>),
        (status = 412, description = "It was changed since"),
    ),
)]
pub(super) async fn patch(
    State(state): State<AppState>,
    Account(account): Account,
    PathSid(sid): PathSid,
    args: Args,
    preconditions: Preconditions,
    body: JsonObject,
) -> Result<Response, Fault> {
    let nested = Nested::from_args(&args)?;
    let target = Target { account: account.sid, sid, preconditions };
    change(&state, &target, || Change::from_patch(&body.object, nested)).await
}

/// Replaces all that can be set; a field that is missing is an error.
#[utoipa::path(
    put, path = "/bindings/{binding_sid}", tag = "Bindings",
    params(
        ("binding_sid" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the binding must have"),
    ),
    request_body(content = bodies::BindingPut, description = "Fields that cannot be set are ignored"),
    responses(
        (status = 200, description = "The binding, in `body`", body = shape::Shape<'static>),
        (status = 412, description = "It was changed since"),
    ),
)]
pub(super) async fn put(
    State(state): State<AppState>,
    Account(account): Account,
    PathSid(sid): PathSid,
    preconditions: Preconditions,
    body: JsonObject,
) -> Result<Response, Fault> {
    let target = Target { account: account.sid, sid, preconditions };
    change(&state, &target, || Change::from_put(&body.object)).await
}

/// Deletes a binding. Calls that go by it stay up.
#[utoipa::path(
    delete, path = "/bindings/{binding_sid}", tag = "Bindings",
    params(
        ("binding_sid" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the binding must have"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "The account has no such binding"),
    ),
)]
pub(super) async fn delete(
    State(state): State<AppState>,
    Account(account): Account,
    PathSid(sid): PathSid,
    preconditions: Preconditions,
) -> Result<Response, Fault> {
    let now = state.now();
    let held = find(&state, account.sid, sid, now).await?;
    preconditions.check(held.revision)?;
    let expect = preconditions.insist().then_some(held.revision);
    let op = Op::Delete { kind: Kind::Binding, sid, expect };
    store_calls::write(&state.backend, Write::one(now, op)).await?;
    Ok(deleted())
}

/// What a write is about, and which version of it the client means.
struct Target {
    account: Sid,
    sid: Sid,
    preconditions: Preconditions,
}

/// Reads, changes and writes, again where another write came between and the client did not insist on a version.
async fn change(
    state: &AppState,
    target: &Target,
    read: impl FnOnce() -> Result<Change, Fault>,
) -> Result<Response, Fault> {
    // Whether there is such a binding comes first: a stranger's body is nobody's business.
    find(state, target.account, target.sid, state.now()).await?;
    let change = read()?;
    let _turn = state.turns.take(target.sid).await;
    for _ in 0..ATTEMPTS {
        let now = state.now();
        let held = find(state, target.account, target.sid, now).await?;
        target.preconditions.check(held.revision)?;
        let record = change.apply(&held.record, now)?;
        let requires = match change.redirect_did {
            None => Vec::new(),
            Some(number) => {
                vec![(Kind::Did, own_did(&state.backend.catalog, target.account, number)?)]
            }
        };
        if record == held.record {
            return Ok(written(state, &held));
        }
        let op =
            Op::Update { record: Record::Binding(Arc::new(record.clone())), expect: held.revision };
        let write = Write { now, ops: vec![op], requires, remember: None };
        match store_calls::try_write(&state.backend, write).await {
            Ok(committed) => {
                return Ok(written(state, &Versioned { revision: committed.revision, record }));
            }
            Err(Refused::Stale { .. }) if !target.preconditions.insist() => {}
            Err(refused) => return Err(create::refusal(refused)),
        }
    }
    Err(Fault::Overloaded)
}

/// The account's binding; another's is not there.
async fn find(
    state: &AppState,
    account: Sid,
    sid: Sid,
    now: UnixMillis,
) -> Result<Versioned<BindingRecord>, Fault> {
    let found =
        store_calls::read(&state.backend, move |store| store.object(Kind::Binding, sid, now));
    match found.await? {
        Some(Versioned { revision, record: Record::Binding(record) })
            if record.account_sid == account =>
        {
            Ok(Versioned { revision, record: Arc::unwrap_or_clone(record) })
        }
        _ => Err(Fault::NoSuchSid),
    }
}

fn maker(state: &AppState, account: Sid) -> Maker {
    Maker { backend: state.backend.clone(), desk: Arc::clone(&state.desk), account }
}

fn written(state: &AppState, held: &Versioned<BindingRecord>) -> Response {
    API.written(held.revision, shape::show(&held.record, &state.backend.catalog))
}
