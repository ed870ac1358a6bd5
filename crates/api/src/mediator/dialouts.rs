//! `/dialouts`: calls that the server places, now or later.

mod bodies;
mod draft;
pub(super) mod record;
mod shape;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::query::{Page, Query};
use mediator_store::record::{DialoutRecord, Kind, Record, Versioned};
use mediator_store::write::Op;
use mediator_store::{Refused, Store, Write};

use self::draft::{Change, Draft};
use super::ownership::{cannot_find_redirect_did, gone_meanwhile, own_did};
use super::{ATTEMPTS, fresh_sid};
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

const API: Flavour = Flavour::Mediator;
/// How many of the account's numbers are tried for a dialout that names none.
const NUMBERS_TRIED: usize = 64;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/dialouts", get(list).post(create))
        .route("/dialouts/{dialout_sid}/record", get(record::record))
        .route("/dialouts/{dialout_sid}", get(read).patch(patch).put(put).delete(delete))
}

/// The account's dialouts that still wait for their time.
#[utoipa::path(
    get, path = "/dialouts", tag = "Dialouts",
    params(
        ("offset" = Option<u64>, Query, description = "How many to leave out"),
        ("limit" = Option<u32>, Query, description = "How many at most: 10 unless said, cut to 1000"),
        ("order" = Option<String>, Query, description = "`delay desc`, several with commas; by creation unless said"),
        ("filter" = Option<String>, Query, description = "`delay lt 300`"),
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
    let read = move |store: &dyn Store, query: &Query| store.dialouts(sid, query);
    let found = store_calls::read_page(&state.backend, &page, read).await?;
    let now = page.query.now;
    let show = |held: Versioned<DialoutRecord>| select.apply(shape::show(&held.record, now));
    let shown = Page {
        items: found.items.into_iter().map(show).collect(),
        total: found.total,
        has_more: found.has_more,
    };
    Ok(API.ok(page.envelope(shown)))
}

/// Makes a dialout. Both stages are required; without a delay it is dialled at once.
#[utoipa::path(
    post, path = "/dialouts", tag = "Dialouts",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat, for a day")),
    request_body(content = bodies::DialoutBody, description = "What is left out has its default"),
    responses(
        (status = 200, description = "The dialout, in `body`", body = shape::Shape<'static>),
        (status = 400, description = "A field cannot be taken; all are named"),
        (status = 409, description = "The number is not the account's, or there is a dialout with the same three numbers"),
    ),
)]
pub(super) async fn create(
    State(state): State<AppState>,
    Account(account): Account,
    idempotency: Idempotency,
    body: JsonObject,
) -> Result<Response, Fault> {
    let backend = &state.backend;
    if let Some(replayed) = idempotency.replay(backend, account.sid, &body.bytes).await? {
        return Ok(replayed);
    }
    let draft = Draft::read(&body.object)?;
    match make(&state, account.sid, &draft, (&idempotency, &body.bytes)).await {
        Ok(Some(made)) => Ok(made),
        Ok(None) => {
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

/// One dialout, until its two parties are joined or the call has failed.
#[utoipa::path(
    get, path = "/dialouts/{dialout_sid}", tag = "Dialouts",
    params(
        ("dialout_sid" = String, Path, format = "uuid"),
        ("include_fields" = Option<String>, Query, description = "The fields to show, with commas"),
        ("exclude_fields" = Option<String>, Query, description = "The fields not to show, with commas"),
    ),
    responses(
        (status = 200, description = "The dialout, in `body`", body = shape::Shape<'static>),
        (status = 404, description = "The account has no such dialout"),
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
    let now = state.now();
    let held = find(&state, account.sid, sid, now).await?;
    // The tag is the dialout's, not that of the seconds that are left.
    let shown = select.apply(shape::show(&held.record, now));
    Ok(API.object(held.revision, &preconditions, shown))
}

/// Changes what the body names; a delay counts from now.
#[utoipa::path(
    patch, path = "/dialouts/{dialout_sid}", tag = "Dialouts",
    params(
        ("dialout_sid" = String, Path, format = "uuid"),
        ("nested_objects" = Option<String>, Query, description = "`replace`: attributes are replaced, not merged"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the dialout must have"),
    ),
    request_body(content = bodies::DialoutPatch, description = "What is left out stays"),
    responses(
        (status = 200, description = "The dialout, in `body`", body = shape::Shape<'static>),
        (status = 409, description = "It is being dialled"),
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
    put, path = "/dialouts/{dialout_sid}", tag = "Dialouts",
    params(
        ("dialout_sid" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the dialout must have"),
    ),
    request_body(content = bodies::DialoutPut, description = "Fields that cannot be set are ignored"),
    responses(
        (status = 200, description = "The dialout, in `body`", body = shape::Shape<'static>),
        (status = 409, description = "It is being dialled"),
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

/// Deletes a dialout before its time: no call is placed.
#[utoipa::path(
    delete, path = "/dialouts/{dialout_sid}", tag = "Dialouts",
    params(
        ("dialout_sid" = String, Path, format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the dialout must have"),
    ),
    responses(
        (status = 204, description = "It is gone, and was not dialled"),
        (status = 404, description = "The account has no such dialout"),
        (status = 409, description = "It is being dialled"),
    ),
)]
pub(super) async fn delete(
    State(state): State<AppState>,
    Account(account): Account,
    PathSid(sid): PathSid,
    preconditions: Preconditions,
) -> Result<Response, Fault> {
    let _turn = state.turns.take(sid).await;
    for _ in 0..ATTEMPTS {
        let now = state.now();
        let held = find(&state, account.sid, sid, now).await?;
        preconditions.check(held.revision)?;
        waits(&held.record)?;
        // With the version that was seen to wait: one that is handed over for dialling meanwhile has another.
        let op = Op::Delete { kind: Kind::Dialout, sid, expect: Some(held.revision) };
        match store_calls::try_write(&state.backend, Write::one(now, op)).await {
            Ok(_) => {
                state.backend.process.dialouts_changed();
                return Ok(deleted());
            }
            Err(Refused::Stale { .. }) if !preconditions.insist() => {}
            Err(refused) => return Err(refused.into()),
        }
    }
    Err(Fault::Overloaded)
}

/// Makes the dialout, with another number where the server chose one that will not do; `None`: the key was used meanwhile.
async fn make(
    state: &AppState,
    account: Sid,
    draft: &Draft,
    (idempotency, bytes): (&Idempotency, &[u8]),
) -> Result<Option<Response>, Fault> {
    let backend = &state.backend;
    let mut taken: Vec<Number> = Vec::new();
    while taken.len() < NUMBERS_TRIED {
        let redirect_did = match draft.redirect_did {
            Some(number) => number,
            None => backend
                .catalog
                .least_bound(account, None, &mut |number| taken.contains(&number))
                .ok_or_else(cannot_find_redirect_did)?,
        };
        let did = own_did(&backend.catalog, account, redirect_did)?;
        let now = state.now();
        let record = draft.to_record(fresh_sid()?, account, redirect_did, now);
        let answer = API.envelope(shape::show(&record, now));
        let write = Write {
            now,
            remember: idempotency.remember(account, bytes, &answer, now),
            requires: vec![(Kind::Endpoint, account), (Kind::Did, did)],
            ops: vec![Op::Create(Record::Dialout(Arc::new(record.clone())))],
        };
        match store_calls::try_write(backend, write).await {
            Ok(committed) => {
                backend.process.dialouts_changed();
                return Ok(Some(API.written(committed.revision, shape::show(&record, now))));
            }
            Err(Refused::Remembered) => return Ok(None),
            Err(Refused::Taken { .. } | Refused::Gone { kind: Kind::Did, .. })
                if draft.redirect_did.is_none() =>
            {
                taken.push(redirect_did);
            }
            Err(refused) => return Err(refusal(refused)),
        }
    }
    Err(cannot_find_redirect_did())
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
    find(state, target.account, target.sid, state.now()).await?;
    let change = read()?;
    let _turn = state.turns.take(target.sid).await;
    for _ in 0..ATTEMPTS {
        let now = state.now();
        let held = find(state, target.account, target.sid, now).await?;
        target.preconditions.check(held.revision)?;
        waits(&held.record)?;
        let record = change.apply(&held.record, now)?;
        let requires = match change.redirect_did {
            None => Vec::new(),
            Some(number) => {
                vec![(Kind::Did, own_did(&state.backend.catalog, target.account, number)?)]
            }
        };
        if record == held.record {
            return Ok(API.written(held.revision, shape::show(&record, now)));
        }
        let op =
            Op::Update { record: Record::Dialout(Arc::new(record.clone())), expect: held.revision };
        let write = Write { now, ops: vec![op], requires, remember: None };
        match store_calls::try_write(&state.backend, write).await {
            Ok(committed) => {
                state.backend.process.dialouts_changed();
                return Ok(API.written(committed.revision, shape::show(&record, now)));
            }
            Err(Refused::Stale { .. }) if !target.preconditions.insist() => {}
            Err(refused) => return Err(refusal(refused)),
        }
    }
    Err(Fault::Overloaded)
}

/// Once it is being dialled it can no longer be changed.
fn waits(record: &DialoutRecord) -> Result<(), Fault> {
    if !record.dialling {
        return Ok(());
    }
    Err(Fault::Conflict {
        message: "The dialout is being dialled: it can no longer be changed or deleted".into(),
        field: None,
    })
}

/// The account's dialout; another's is not there.
async fn find(
    state: &AppState,
    account: Sid,
    sid: Sid,
    now: UnixMillis,
) -> Result<Versioned<DialoutRecord>, Fault> {
    let found =
        store_calls::read(&state.backend, move |store| store.object(Kind::Dialout, sid, now));
    match found.await? {
        Some(Versioned { revision, record: Record::Dialout(record) })
            if record.account_sid == account =>
        {
            Ok(Versioned { revision, record: Arc::unwrap_or_clone(record) })
        }
        _ => Err(Fault::NoSuchSid),
    }
}

/// A write of a dialout that was refused, as an answer.
fn refusal(refused: Refused) -> Fault {
    if let Some(fault) = gone_meanwhile(&refused) {
        return fault;
    }
    match refused {
        Refused::Taken { .. } => Fault::conflict(
            "There is a dialout with these stages and this redirect_did already",
            "redirect_did",
        ),
        other => other.into(),
    }
}
