//! `/phonenumber/dids`: the numbers that the operator owns.

mod body;
mod object;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use mediator_store::record::DidRecord;
use mediator_store::{Kind, Record};

pub(super) use self::body::PUT_FIELDS;
use self::object::{FIELDS, show};
use super::change::{self, Plan};
use super::reading::Extent;
use super::refusal::Reference;
use super::request::{Creation, Item, Listing};
use super::{lists, schema};
use crate::body::JsonObject;
use crate::catalog::{Catalog, Held};
use crate::fault::{Fault, Flavour};
use crate::patch::Nested;
use crate::select::Select;
use crate::state::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/phonenumber/dids", get(list).post(create))
        .route("/phonenumber/dids/{did_sid}", get(read).patch(patch).put(put).delete(remove))
}

/// Lists DIDs.
#[utoipa::path(get, path = "/phonenumber/dids", tag = "DIDs", params(schema::ListArgs),
    responses((status = 200, body = schema::List<schema::Did>)))]
pub(super) async fn list(listing: Listing) -> Result<Response, Fault> {
    let partner_sid = listing.frame.partner_sid;
    let all = listing.state.backend.catalog.dids();
    let show = move |held: &Held<DidRecord>| show(&held.record, partner_sid);
    lists::page(&listing, all, show, FIELDS).await
}

/// Shows one DID.
#[utoipa::path(get, path = "/phonenumber/dids/{did_sid}", tag = "DIDs",
    params(("did_sid" = String, Path), schema::FieldArgs),
    responses((status = 200, body = schema::Did)))]
pub(super) async fn read(item: Item) -> Result<Response, Fault> {
    let found = item.state.backend.catalog.did(item.sid);
    lists::one(&item, found, |record| show(record, item.frame.partner_sid), FIELDS)
}

/// Adds a number that the operator owns: no numbers are rented here.
#[utoipa::path(post, path = "/phonenumber/dids", tag = "DIDs", params(schema::KeyHeader),
    request_body(content = ref("#/components/schemas/core.DidBody")), responses((status = 200, body = schema::Did)))]
pub(super) async fn create(creation: Creation, json: JsonObject) -> Result<Response, Fault> {
    if let Some(kept) = change::replayed(&creation, &json).await? {
        return Ok(kept);
    }
    let select = Select::from_args(&creation.args, FIELDS)?;
    let record = body::create(&json.object, creation.state.now())?;
    let answer = select.apply(show(&record, creation.frame.partner_sid));
    let plan = planned(&creation.state.backend.catalog, record)?;
    change::create(&creation, &json, plan, answer).await
}

/// Changes what is given.
#[utoipa::path(patch, path = "/phonenumber/dids/{did_sid}", tag = "DIDs",
    params(("did_sid" = String, Path), schema::PatchArgs),
    request_body(content = ref("#/components/schemas/core.DidPart")), responses((status = 200, body = schema::Did)))]
pub(super) async fn patch(item: Item, json: JsonObject) -> Result<Response, Fault> {
    let nested = Nested::from_args(&item.args)?;
    update(&item, &json, (nested, Extent::Part)).await
}

/// Replaces what can be set of a DID.
#[utoipa::path(put, path = "/phonenumber/dids/{did_sid}", tag = "DIDs",
    params(("did_sid" = String, Path), schema::MatchHeader),
    request_body(content = ref("#/components/schemas/core.DidWhole")), responses((status = 200, body = schema::Did)))]
pub(super) async fn put(item: Item, json: JsonObject) -> Result<Response, Fault> {
    update(&item, &json, (Nested::Replace, Extent::Whole)).await
}

async fn update(
    item: &Item,
    json: &JsonObject,
    (nested, extent): (Nested, Extent),
) -> Result<Response, Fault> {
    let select = Select::from_args(&item.args, FIELDS)?;
    let find = |catalog: &Catalog| catalog.did(item.sid);
    let change = |current: &DidRecord| {
        let record = body::update(&json.object, current, nested, extent)?;
        planned(&item.state.backend.catalog, record)
    };
    let (revision, record) = change::update(item, find, change).await?;
    let Record::Did(record) = record else { return Err(Fault::Internal) };
    Ok(Flavour::Core.written(revision, select.apply(show(&record, item.frame.partner_sid))))
}

/// Gives up a number that no binding or dialout uses.
#[utoipa::path(delete, path = "/phonenumber/dids/{did_sid}", tag = "DIDs",
    params(("did_sid" = String, Path), schema::MatchHeader), responses((status = 204)))]
pub(super) async fn remove(item: Item) -> Result<Response, Fault> {
    let find = |catalog: &Catalog| catalog.did(item.sid);
    change::delete(&item, Kind::Did, find).await
}

fn planned(catalog: &Catalog, record: DidRecord) -> Result<Plan, Fault> {
    const FIELD: &str = "trunk_group_sid";
    let mut references = Vec::new();
    if let Some(sid) = record.trunk_group_sid {
        catalog.trunk_group(sid).ok_or(Fault::UnknownReference { field: FIELD.into() })?;
        references.push(Reference { field: FIELD.into(), kind: Kind::TrunkGroup, sid });
    }
    Ok(Plan { references, ..Plan::of(Record::Did(Arc::new(record))) })
}
