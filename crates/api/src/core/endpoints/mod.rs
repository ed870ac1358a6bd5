//! `/endpoints`: mediators, phones and carriers.

mod address;
mod body;
mod object;
mod outbound;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use mediator_store::record::EndpointRecord;
use mediator_store::{Kind, Record};

use self::body::EndpointBody;
pub(super) use self::body::PUT_FIELDS;
use self::object::{FIELDS, show};
use super::change::{self, Plan};
use super::reading::Extent;
use super::request::{Creation, Item, Listing};
use super::{lists, schema, trunk_groups};
use crate::body::JsonObject;
use crate::catalog::{Catalog, Held};
use crate::fault::{Fault, Flavour};
use crate::patch::Nested;
use crate::select::Select;
use crate::state::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/endpoints", get(list).post(create))
        .route("/endpoints/{endpoint_sid}", get(read).patch(patch).put(put).delete(remove))
}

/// Lists endpoints.
#[utoipa::path(get, path = "/endpoints", tag = "endpoints", params(schema::ListArgs),
    responses((status = 200, body = schema::List<schema::Endpoint>)))]
pub(super) async fn list(listing: Listing) -> Result<Response, Fault> {
    let frame = listing.frame.clone();
    let catalog = Arc::clone(&listing.state.backend.catalog);
    let all = catalog.endpoints();
    let show = move |held: &Held<EndpointRecord>| {
        show(&held.record, catalog.group_leading_to(held.record.sid), &frame)
    };
    lists::page(&listing, all, show, FIELDS).await
}

/// Shows one endpoint.
#[utoipa::path(get, path = "/endpoints/{endpoint_sid}", tag = "endpoints",
    params(("endpoint_sid" = String, Path), schema::FieldArgs),
    responses((status = 200, body = schema::Endpoint)))]
pub(super) async fn read(item: Item) -> Result<Response, Fault> {
    let catalog = &item.state.backend.catalog;
    let show = |record: &Arc<EndpointRecord>| {
        show(record, catalog.group_leading_to(record.sid), &item.frame)
    };
    lists::one(&item, catalog.endpoint(item.sid), show, FIELDS)
}

/// Makes an endpoint; `provision_trunk_group`, here or in the body, makes a trunk group of the same name with one trunk
/// to it alongside.
#[utoipa::path(post, path = "/endpoints", tag = "endpoints",
    params(("provision_trunk_group" = Option<bool>, Query), schema::KeyHeader),
    request_body(content = ref("#/components/schemas/core.EndpointBody")), responses((status = 200, body = schema::Endpoint)))]
pub(super) async fn create(creation: Creation, json: JsonObject) -> Result<Response, Fault> {
    if let Some(kept) = change::replayed(&creation, &json).await? {
        return Ok(kept);
    }
    let select = Select::from_args(&creation.args, FIELDS)?;
    let asked = creation.args.boolean("provision_trunk_group")?;
    let now = creation.state.now();
    let body = body::create(&json.object, now)?;
    let provision = asked.unwrap_or(body.provision_trunk_group);
    let (mut plan, record) = planned(&creation.state, body)?;
    let mut own_group = None;
    if provision {
        let (group, trunk) = trunk_groups::beside(&record.name, record.sid, now)?;
        own_group = Some(group.sid);
        plan.after = vec![Record::TrunkGroup(Arc::new(group)), Record::Trunk(Arc::new(trunk))];
    }
    let answer = select.apply(show(&record, own_group, &creation.frame));
    change::create(&creation, &json, plan, answer).await
}

/// Changes what is given.
#[utoipa::path(patch, path = "/endpoints/{endpoint_sid}", tag = "endpoints",
    params(("endpoint_sid" = String, Path), schema::PatchArgs),
    request_body(content = ref("#/components/schemas/core.EndpointPart")), responses((status = 200, body = schema::Endpoint)))]
pub(super) async fn patch(item: Item, json: JsonObject) -> Result<Response, Fault> {
    let nested = Nested::from_args(&item.args)?;
    update(&item, &json, (nested, Extent::Part)).await
}

/// Replaces the endpoint; SIP passwords, which are never shown, stay where they are not given.
#[utoipa::path(put, path = "/endpoints/{endpoint_sid}", tag = "endpoints",
    params(("endpoint_sid" = String, Path), schema::MatchHeader),
    request_body(content = ref("#/components/schemas/core.EndpointWhole")), responses((status = 200, body = schema::Endpoint)))]
pub(super) async fn put(item: Item, json: JsonObject) -> Result<Response, Fault> {
    update(&item, &json, (Nested::Replace, Extent::Whole)).await
}

async fn update(
    item: &Item,
    json: &JsonObject,
    (nested, extent): (Nested, Extent),
) -> Result<Response, Fault> {
    let select = Select::from_args(&item.args, FIELDS)?;
    let find = |catalog: &Catalog| catalog.endpoint(item.sid);
    let change = |current: &EndpointRecord| {
        let body = body::update(&json.object, current, nested, extent)?;
        planned(&item.state, body).map(|(plan, _)| plan)
    };
    let (revision, record) = change::update(item, find, change).await?;
    let Record::Endpoint(record) = record else { return Err(Fault::Internal) };
    let trunk_group = item.state.backend.catalog.group_leading_to(record.sid);
    let shown = show(&record, trunk_group, &item.frame);
    Ok(Flavour::Core.written(revision, select.apply(shown)))
}

/// Deletes an endpoint that no trunk, binding or dialout uses.
#[utoipa::path(delete, path = "/endpoints/{endpoint_sid}", tag = "endpoints",
    params(("endpoint_sid" = String, Path), schema::MatchHeader), responses((status = 204)))]
pub(super) async fn remove(item: Item) -> Result<Response, Fault> {
    let find = |catalog: &Catalog| catalog.endpoint(item.sid);
    change::delete(&item, Kind::Endpoint, find).await
}

/// What to write for a checked body, and the endpoint with its way out looked up.
fn planned(state: &AppState, body: EndpointBody) -> Result<(Plan, Arc<EndpointRecord>), Fault> {
    let EndpointBody { mut record, outbound, provision_trunk_group: _ } = body;
    let way = outbound::resolve(&state.backend.catalog, &outbound, state.now())?;
    record.outbound = way.chosen(record.outbound);
    let record = Arc::new(record);
    let mut plan = Plan::of(Record::Endpoint(Arc::clone(&record)));
    way.write_into(&mut plan);
    Ok((plan, record))
}
