//! `/callbacks/dead_letters`: call records that nobody took for a day, and another try for one of them.

use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, post};
use mediator_model::UnixMillis;
use mediator_store::query::{Filter, Page, Query};
use mediator_store::{Calls, Delivery, DeliveryOutcome, ReadError};
use serde_json::{Value, json};

use super::request::Listing;
use super::schema;
use crate::auth::Operator;
use crate::fault::{Fault, Flavour};
use crate::filter;
use crate::select::{FieldNames, Select};
use crate::state::AppState;
use crate::{store_calls, times};

/// What can be filtered, ordered and selected by.
const FIELDS: FieldNames =
    &["attempts", "body", "date_created", "date_due", "dr_sid", "id", "last_error", "url"];
/// The most dead letters that a filter or an order looks through, the oldest first.
const MAX_SEARCHED: u64 = 100_000;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/callbacks/dead_letters", get(list))
        .route("/callbacks/dead_letters/{id}/retry", post(retry))
}

/// The object of the API; `body` is what is posted.
fn show(letter: &Delivery) -> Value {
    let Delivery { id, url, body, dr_sid, created, attempts, due, last_error } = letter;
    let body = serde_json::from_str(body).unwrap_or_else(|_| Value::from(&**body));
    json!({
        "attempts": attempts,
        "body": body,
        "date_created": times::written(*created),
        "date_due": times::written_or_null(*due),
        "dr_sid": dr_sid.to_string(),
        "id": id,
        "last_error": last_error,
        "url": url,
    })
}

/// Lists dead letters, the oldest first.
#[utoipa::path(get, path = "/callbacks/dead_letters", tag = "callbacks", params(schema::ListArgs),
    responses((status = 200, body = schema::List<schema::DeadLetter>)))]
pub(super) async fn list(listing: Listing) -> Result<Response, Fault> {
    let select = Select::from_args(&listing.page.args, FIELDS)?;
    let query = &listing.page.query;
    let backend = &listing.state.backend;
    let is_plain = query.order.is_empty() && query.filter == Filter::All(Vec::new());
    let page = if is_plain {
        let (offset, limit) = (query.offset, query.limit);
        let read = move |calls: &dyn Calls| calls.dead_letters(offset, limit);
        let Page { items, total, has_more } = store_calls::read_calls(backend, read).await?;
        Page { items: items.iter().map(show).collect(), total, has_more }
    } else {
        let all = store_calls::read_calls(backend, all).await?;
        filter::listed(all, show, query, FIELDS).await?
    };
    let items = page.items.into_iter().map(|item| select.apply(item)).collect();
    Ok(Flavour::Core.ok(listing.page.envelope(Page { items, ..page })))
}

fn all(calls: &dyn Calls) -> Result<Vec<Delivery>, ReadError> {
    let mut all = Vec::new();
    loop {
        let page = calls.dead_letters(all.len() as u64, Query::MAX_LIMIT)?;
        all.extend(page.items);
        if !page.has_more || all.len() as u64 >= MAX_SEARCHED {
            return Ok(all);
        }
    }
}

/// A delivery's number in a path.
pub(super) struct PathId(u64);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| Fault::NoSuchSid)?;
        let id = params.iter().find_map(|(_, text)| text.parse().ok());
        id.map(Self).ok_or(Fault::NoSuchSid)
    }
}

/// Posts a dead letter once more, now; when that fails too and its day is over, it is a dead letter again.
#[utoipa::path(post, path = "/callbacks/dead_letters/{id}/retry", tag = "callbacks",
    params(("id" = u64, Path)), responses((status = 200, body = schema::DeadLetter)))]
pub(super) async fn retry(
    _: Operator,
    State(state): State<AppState>,
    PathId(id): PathId,
) -> Result<Response, Fault> {
    let now = state.now();
    let found = store_calls::read_calls(&state.backend, move |calls| requeue(calls, id, now));
    let letter = found.await?.ok_or(Fault::NoSuchSid)?;
    state.backend.process.deliveries_changed();
    Ok(Flavour::Core.ok(show(&letter)))
}

fn requeue(calls: &dyn Calls, id: u64, now: UnixMillis) -> Result<Option<Delivery>, ReadError> {
    let Some(mut letter) = find(calls, id)? else { return Ok(None) };
    let cause = letter.last_error.clone().unwrap_or_default();
    calls.attempted(id, DeliveryOutcome::RetryAt(now, cause));
    letter.due = Some(now);
    Ok(Some(letter))
}

/// Dead letters are listed by their numbers, so a number is found by halves.
fn find(calls: &dyn Calls, id: u64) -> Result<Option<Delivery>, ReadError> {
    let total = calls.dead_letters(0, 1)?.total.unwrap_or(0);
    let (mut low, mut high) = (0, total);
    while low < high {
        let middle = low + (high - low) / 2;
        let Some(letter) = calls.dead_letters(middle, 1)?.items.pop() else {
            // Letters went meanwhile.
            high = middle;
            continue;
        };
        match letter.id.cmp(&id) {
            std::cmp::Ordering::Equal => return Ok(Some(letter)),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(None)
}
