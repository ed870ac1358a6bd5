//! `/oauth`: bearer tokens of the operator (RFC 6749 §4.3 and §6, RFC 7009). Only hashes of them are kept.

mod grant;
mod object;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use mediator_model::UnixMillis;
use mediator_store::record::TokenRecord;
use mediator_store::write::Op;
use mediator_store::{Kind, Record, Refused, Write};

use self::object::{FIELDS, show};
use super::change::{self, Plan};
use super::reading::{self, Extent};
use super::request::{Frame, Item, Listing};
use super::{lists, partners, schema};
use crate::answer;
use crate::args::Args;
use crate::auth::{Operator, Peer, token_hash};
use crate::body::{self, JsonObject};
use crate::catalog::{Catalog, Held};
use crate::fault::{Fault, Flavour};
use crate::fields::Fields;
use crate::select::Select;
use crate::state::AppState;
use crate::store_calls;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/oauth/token", post(token))
        .route("/oauth/tokens", get(list))
        .route("/oauth/tokens/{token_sid}", get(read).patch(patch).put(put))
        .route("/oauth/revoke", post(revoke))
        .route("/oauth/whoami", get(whoami))
}

/// The fields of a form.
async fn form(request: Request) -> Result<Args, Fault> {
    if !is_form(request.headers()) {
        return Err(Fault::UnsupportedMediaType);
    }
    let bytes = body::read_bytes(request).await?;
    let text = std::str::from_utf8(&bytes);
    text.map(Args::read).map_err(|_| Fault::bad_request("the form holds text that is not UTF-8"))
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Makes a token for the operator's user name and password, or in place of one whose refresh token is shown.
#[utoipa::path(post, path = "/oauth/token", tag = "OAuth", security(()),
    request_body(content = schema::TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = schema::NewToken)))]
pub(super) async fn token(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Fault> {
    let (mut parts, body) = request.into_parts();
    let peer = Peer::from_request_parts(&mut parts, &state).await.unwrap_or(Peer(None));
    let frame = Frame::of(&mut parts, &state).await;
    let form = form(Request::from_parts(parts, body)).await?;
    let made = grant::token(&state, peer, &form).await?;
    let shown = object::show_new(&made.record, &made.texts, made.expires_in, frame.partner_sid);
    // RFC 6749 §5.1: nobody on the way keeps it.
    Ok(([(CACHE_CONTROL, "no-store")], answer::json(&shown)).into_response())
}

/// Whether either of its two texts is still good for anything.
fn is_active(token: &TokenRecord, now: UnixMillis) -> bool {
    token.access_expires > now || token.refresh_expires.is_some_and(|end| end > now)
}

fn active(catalog: &Catalog, item: &Item) -> Option<Held<TokenRecord>> {
    let now = item.state.now();
    catalog.token(item.sid).filter(|held| is_active(&held.record, now))
}

/// Lists active tokens.
#[utoipa::path(get, path = "/oauth/tokens", tag = "OAuth", params(schema::ListArgs),
    responses((status = 200, body = schema::List<schema::Token>)))]
pub(super) async fn list(listing: Listing) -> Result<Response, Fault> {
    let now = listing.state.now();
    let mut all = listing.state.backend.catalog.tokens();
    all.retain(|held| is_active(&held.record, now));
    let partner_sid = listing.frame.partner_sid;
    let show = move |held: &Held<TokenRecord>| show(&held.record, partner_sid);
    lists::page(&listing, all, show, FIELDS).await
}

/// Shows one token, without what opens doors.
#[utoipa::path(get, path = "/oauth/tokens/{token_sid}", tag = "OAuth",
    params(("token_sid" = String, Path), schema::FieldArgs),
    responses((status = 200, body = schema::Token)))]
pub(super) async fn read(item: Item) -> Result<Response, Fault> {
    let found = active(&item.state.backend.catalog, &item);
    lists::one(&item, found, |record| show(record, item.frame.partner_sid), FIELDS)
}

/// Changes a token's name.
#[utoipa::path(patch, path = "/oauth/tokens/{token_sid}", tag = "OAuth",
    params(("token_sid" = String, Path), schema::MatchHeader),
    request_body = schema::TokenBody, responses((status = 200, body = schema::Token)))]
pub(super) async fn patch(item: Item, json: JsonObject) -> Result<Response, Fault> {
    update(&item, &json, Extent::Part).await
}

/// Replaces what can be set of a token: its name.
#[utoipa::path(put, path = "/oauth/tokens/{token_sid}", tag = "OAuth",
    params(("token_sid" = String, Path), schema::MatchHeader),
    request_body = schema::TokenBody, responses((status = 200, body = schema::Token)))]
pub(super) async fn put(item: Item, json: JsonObject) -> Result<Response, Fault> {
    update(&item, &json, Extent::Whole).await
}

async fn update(item: &Item, json: &JsonObject, extent: Extent) -> Result<Response, Fault> {
    let select = Select::from_args(&item.args, FIELDS)?;
    let find = |catalog: &Catalog| active(catalog, item);
    let change = |current: &TokenRecord| {
        let mut fields = Fields::new(&json.object);
        if extent == Extent::Whole {
            fields.require_all(&["name"]);
        }
        let name = reading::name(&mut fields, &current.name);
        fields.finish()?;
        Ok(Plan::of(Record::Token(Arc::new(TokenRecord { name, ..current.clone() }))))
    };
    let (revision, record) = change::update(item, find, change).await?;
    let Record::Token(record) = record else { return Err(Fault::Internal) };
    Ok(Flavour::Core.written(revision, select.apply(show(&record, item.frame.partner_sid))))
}

/// Makes a token, by its access or its refresh text, good for nothing. What is no token is good for nothing already
/// (RFC 7009 §2.2). `token` is required (§2.1): an empty form shuts nobody out.
#[utoipa::path(post, path = "/oauth/revoke", tag = "OAuth",
    request_body(content = schema::RevokeForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204)))]
pub(super) async fn revoke(
    _: Operator,
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, Fault> {
    let form = form(request).await?;
    let hash = token_hash(grant::required(&form, "token")?);
    let catalog = &state.backend.catalog;
    let found = catalog.token_by_hash(&hash).or_else(|| catalog.token_by_refresh_hash(&hash));
    let Some(found) = found else { return Ok(answer::deleted()) };
    let op = Op::Delete { kind: Kind::Token, sid: found.record.sid, expect: None };
    match store_calls::try_write(&state.backend, Write::one(state.now(), op)).await {
        Ok(_) | Err(Refused::Gone { .. }) => Ok(answer::deleted()),
        Err(refused) => Err(refused.into()),
    }
}

/// Shows the partner that the token belongs to.
#[utoipa::path(get, path = "/oauth/whoami", tag = "OAuth", params(schema::FieldArgs),
    responses((status = 200, body = schema::Partner)))]
pub(super) async fn whoami(
    _: Operator,
    State(state): State<AppState>,
    mut parts: Parts,
) -> Result<Response, Fault> {
    let args = Args::from_request_parts(&mut parts, &state).await?;
    partners::whoami(&state, &args)
}
