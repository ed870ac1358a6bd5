//! `/partners`: the operator, one, with where call records are posted.

mod body;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use mediator_store::Record;
use mediator_store::record::PartnerRecord;
use serde_json::{Value, json};

use super::change::{self, Plan};
use super::reading::Extent;
use super::request::{Item, Listing};
use super::{lists, schema};
use crate::args::Args;
use crate::body::JsonObject;
use crate::catalog::{Catalog, Held};
use crate::fault::{Fault, Flavour};
use crate::patch::Nested;
use crate::select::{FieldNames, Select};
use crate::state::AppState;
use crate::times;

/// What can be filtered, ordered and selected by.
const FIELDS: FieldNames =
    &["attributes", "callbacks", "callbacks_secret", "date_created", "name", "partner_sid"];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/partners", get(list))
        .route("/partners/{partner_sid}", get(read).patch(patch).put(put))
}

/// The object of the API.
fn show(record: &PartnerRecord) -> Value {
    let secret = record.callbacks_secret.as_ref().map(mediator_model::Secret::expose);
    json!({
        "attributes": record.attributes,
        "callbacks": record.callbacks,
        "callbacks_secret": secret,
        "date_created": times::written(record.date_created),
        "name": record.name,
        "partner_sid": record.sid.to_string(),
    })
}

/// The partner that every token belongs to.
pub(super) fn whoami(state: &AppState, args: &Args) -> Result<Response, Fault> {
    let select = Select::from_args(args, FIELDS)?;
    let partner = state.backend.catalog.partner().ok_or(Fault::NoSuchSid)?;
    Ok(Flavour::Core.ok(select.apply(show(&partner.record))))
}

fn find(catalog: &Catalog, item: &Item) -> Option<Held<PartnerRecord>> {
    catalog.partner().filter(|held| held.record.sid == item.sid)
}

/// Lists the one partner.
#[utoipa::path(get, path = "/partners", tag = "partners", params(schema::ListArgs),
    responses((status = 200, body = schema::List<schema::Partner>)))]
pub(super) async fn list(listing: Listing) -> Result<Response, Fault> {
    let all: Vec<_> = listing.state.backend.catalog.partner().into_iter().collect();
    lists::page(&listing, all, |held| show(&held.record), FIELDS).await
}

/// Shows the partner.
#[utoipa::path(get, path = "/partners/{partner_sid}", tag = "partners",
    params(("partner_sid" = String, Path), schema::FieldArgs),
    responses((status = 200, body = schema::Partner)))]
pub(super) async fn read(item: Item) -> Result<Response, Fault> {
    let found = find(&item.state.backend.catalog, &item);
    lists::one(&item, found, |record| show(record), FIELDS)
}

/// Changes what is given; `callbacks_secret` null makes a new one.
#[utoipa::path(patch, path = "/partners/{partner_sid}", tag = "partners",
    params(("partner_sid" = String, Path), schema::PatchArgs),
    request_body = schema::PartnerBody, responses((status = 200, body = schema::Partner)))]
pub(super) async fn patch(item: Item, json: JsonObject) -> Result<Response, Fault> {
    let nested = Nested::from_args(&item.args)?;
    update(&item, &json, (nested, Extent::Part)).await
}

/// Replaces what can be set of the partner; the key of callbacks stays where it is not given.
#[utoipa::path(put, path = "/partners/{partner_sid}", tag = "partners",
    params(("partner_sid" = String, Path), schema::MatchHeader),
    request_body = schema::PartnerBody, responses((status = 200, body = schema::Partner)))]
pub(super) async fn put(item: Item, json: JsonObject) -> Result<Response, Fault> {
    update(&item, &json, (Nested::Replace, Extent::Whole)).await
}

async fn update(
    item: &Item,
    json: &JsonObject,
    (nested, extent): (Nested, Extent),
) -> Result<Response, Fault> {
    let select = Select::from_args(&item.args, FIELDS)?;
    let change = |current: &PartnerRecord| {
        let record = body::update(&json.object, current, nested, extent)?;
        Ok(Plan::of(Record::Partner(Arc::new(record))))
    };
    let (revision, record) = change::update(item, |catalog| find(catalog, item), change).await?;
    let Record::Partner(record) = record else { return Err(Fault::Internal) };
    Ok(Flavour::Core.written(revision, select.apply(show(&record))))
}
