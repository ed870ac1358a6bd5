//! `/trunk_groups/{trunk_group_sid}/trunks`: single ways to endpoints.

mod body;
mod object;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use mediator_model::Sid;
use mediator_store::record::TrunkRecord;
use mediator_store::{Kind, Record};

pub(super) use self::body::PUT_FIELDS;
pub(super) use self::body::{TrunkBody, only, read_new};
use self::object::FIELDS;
pub(super) use self::object::show;
use super::change::{self, Plan};
use super::reading::Extent;
use super::refusal::Reference;
use super::request::{Creation, Item, Listing};
use super::{lists, schema};
use crate::body::JsonObject;
use crate::catalog::{Catalog, Held};
use crate::fault::{Fault, Flavour};
use crate::fields::Fields;
use crate::path::{PathSid, PathSids};
use crate::select::Select;
use crate::state::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/trunk_groups/{trunk_group_sid}/trunks", get(list).post(create)).route(
        "/trunk_groups/{trunk_group_sid}/trunks/{trunk_sid}",
        get(read).patch(patch).put(put).delete(remove),
    )
}

/// A trunk of this very group.
fn find(catalog: &Catalog, trunk_group: Sid, trunk: Sid) -> Option<Held<TrunkRecord>> {
    catalog.trunk(trunk).filter(|held| held.record.trunk_group_sid == trunk_group)
}

/// The endpoint that a checked body names; 422 where there is none.
pub(super) fn endpoint_of(catalog: &Catalog, trunk: &TrunkBody) -> Result<Reference, Fault> {
    let field = trunk.endpoint_field.clone();
    let sid = trunk.record.endpoint_sid;
    match catalog.endpoint(sid) {
        Some(_) => Ok(Reference { field, kind: Kind::Endpoint, sid }),
        None => Err(Fault::UnknownReference { field }),
    }
}

/// Lists a group's trunks.
#[utoipa::path(get, path = "/trunk_groups/{trunk_group_sid}/trunks", tag = "trunks",
    params(("trunk_group_sid" = String, Path), schema::ListArgs),
    responses((status = 200, body = schema::List<schema::Trunk>)))]
pub(super) async fn list(
    listing: Listing,
    PathSid(trunk_group): PathSid,
) -> Result<Response, Fault> {
    let catalog = &listing.state.backend.catalog;
    catalog.trunk_group(trunk_group).ok_or(Fault::NoSuchSid)?;
    let all = catalog.trunks_of(trunk_group);
    let partner_sid = listing.frame.partner_sid;
    let show = move |held: &Held<TrunkRecord>| show(&held.record, partner_sid);
    lists::page(&listing, all, show, FIELDS).await
}

/// Shows one trunk.
#[utoipa::path(get, path = "/trunk_groups/{trunk_group_sid}/trunks/{trunk_sid}", tag = "trunks",
    params(("trunk_group_sid" = String, Path), ("trunk_sid" = String, Path), schema::FieldArgs),
    responses((status = 200, body = schema::Trunk)))]
pub(super) async fn read(item: Item, PathSids(group, _): PathSids) -> Result<Response, Fault> {
    let found = find(&item.state.backend.catalog, group, item.sid);
    lists::one(&item, found, |record| show(record, item.frame.partner_sid), FIELDS)
}

/// Adds a trunk to a group.
#[utoipa::path(post, path = "/trunk_groups/{trunk_group_sid}/trunks", tag = "trunks",
    params(("trunk_group_sid" = String, Path), schema::KeyHeader),
    request_body(content = ref("#/components/schemas/core.TrunkBody")), responses((status = 200, body = schema::Trunk)))]
pub(super) async fn create(
    creation: Creation,
    PathSid(trunk_group): PathSid,
    json: JsonObject,
) -> Result<Response, Fault> {
    if let Some(kept) = change::replayed(&creation, &json).await? {
        return Ok(kept);
    }
    let select = Select::from_args(&creation.args, FIELDS)?;
    let catalog = &creation.state.backend.catalog;
    catalog.trunk_group(trunk_group).ok_or(Fault::NoSuchSid)?;
    let mut fields = Fields::new(&json.object);
    let body = read_new(&mut fields, trunk_group, creation.state.now())?;
    fields.finish()?;
    // Without an endpoint it would have been refused by now.
    let body = body.ok_or(Fault::Internal)?;
    let answer = select.apply(show(&body.record, creation.frame.partner_sid));
    change::create(&creation, &json, planned(catalog, body)?, answer).await
}

/// Changes what is given.
#[utoipa::path(patch, path = "/trunk_groups/{trunk_group_sid}/trunks/{trunk_sid}", tag = "trunks",
    params(("trunk_group_sid" = String, Path), ("trunk_sid" = String, Path), schema::PatchArgs),
    request_body(content = ref("#/components/schemas/core.TrunkPart")), responses((status = 200, body = schema::Trunk)))]
pub(super) async fn patch(
    item: Item,
    PathSids(group, _): PathSids,
    json: JsonObject,
) -> Result<Response, Fault> {
    update(&item, group, &json, Extent::Part).await
}

/// Replaces the trunk.
#[utoipa::path(put, path = "/trunk_groups/{trunk_group_sid}/trunks/{trunk_sid}", tag = "trunks",
    params(("trunk_group_sid" = String, Path), ("trunk_sid" = String, Path), schema::MatchHeader),
    request_body(content = ref("#/components/schemas/core.TrunkWhole")), responses((status = 200, body = schema::Trunk)))]
pub(super) async fn put(
    item: Item,
    PathSids(group, _): PathSids,
    json: JsonObject,
) -> Result<Response, Fault> {
    update(&item, group, &json, Extent::Whole).await
}

async fn update(
    item: &Item,
    group: Sid,
    json: &JsonObject,
    extent: Extent,
) -> Result<Response, Fault> {
    let select = Select::from_args(&item.args, FIELDS)?;
    let find = |catalog: &Catalog| find(catalog, group, item.sid);
    let change = |current: &TrunkRecord| {
        let body = body::update(&json.object, current, extent)?;
        planned(&item.state.backend.catalog, body)
    };
    let (revision, record) = change::update(item, find, change).await?;
    let Record::Trunk(record) = record else { return Err(Fault::Internal) };
    Ok(Flavour::Core.written(revision, select.apply(show(&record, item.frame.partner_sid))))
}

/// Takes a trunk out of its group.
#[utoipa::path(delete, path = "/trunk_groups/{trunk_group_sid}/trunks/{trunk_sid}", tag = "trunks",
    params(("trunk_group_sid" = String, Path), ("trunk_sid" = String, Path), schema::MatchHeader),
    responses((status = 204)))]
pub(super) async fn remove(item: Item, PathSids(group, _): PathSids) -> Result<Response, Fault> {
    let find = |catalog: &Catalog| find(catalog, group, item.sid);
    change::delete(&item, Kind::Trunk, find).await
}

fn planned(catalog: &Catalog, body: TrunkBody) -> Result<Plan, Fault> {
    let endpoint = endpoint_of(catalog, &body)?;
    let group = body.record.trunk_group_sid;
    let group = Reference { field: "trunk_group_sid".into(), kind: Kind::TrunkGroup, sid: group };
    let mut plan = Plan::of(Record::Trunk(Arc::new(body.record)));
    plan.references = vec![endpoint, group];
    Ok(plan)
}
