//! `/trunk_groups`: ordered ways to endpoints, with the rules for leaving one for the next.

mod body;
mod object;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use mediator_model::{Sid, UnixMillis};
use mediator_store::record::{TrunkGroupRecord, TrunkRecord};
use mediator_store::{Kind, Record};
use serde_json::Value;

pub(super) use self::body::PUT_FIELDS;
use self::body::WithTrunks;
use self::object::{FIELDS, show};
use super::change::{self, Plan};
use super::reading::Extent;
use super::request::{Creation, Item, Listing};
use super::{lists, schema, trunks};
use crate::args::Args;
use crate::body::JsonObject;
use crate::catalog::{Catalog, Held};
use crate::fault::{Fault, Flavour};
use crate::select::Select;
use crate::state::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/trunk_groups", get(list).post(create))
        .route("/trunk_groups/{trunk_group_sid}", get(read).patch(patch).put(put).delete(remove))
}

/// A group of an endpoint's name with one trunk to it.
pub(super) fn beside(
    name: &str,
    endpoint_sid: Sid,
    now: UnixMillis,
) -> Result<(TrunkGroupRecord, TrunkRecord), Fault> {
    let group = TrunkGroupRecord { name: name.into(), ..body::blank(now)? };
    let trunk = trunks::only(name, endpoint_sid, group.sid, now)?;
    Ok((group, trunk))
}

fn with_trunks(args: &Args) -> Result<WithTrunks, Fault> {
    let asked = args.boolean("with_trunks")?.unwrap_or(false);
    Ok(if asked { WithTrunks::Taken } else { WithTrunks::Ignored })
}

/// The group, with its trunks where they are asked for.
fn shown_with(
    catalog: &Catalog,
    record: &TrunkGroupRecord,
    partner_sid: Sid,
    with_trunks: WithTrunks,
) -> Value {
    let mut shown = show(record, partner_sid);
    if let (WithTrunks::Taken, Value::Object(shown)) = (with_trunks, &mut shown) {
        let trunks = catalog.trunks_of(record.sid);
        let trunks = trunks.iter().map(|held| trunks::show(&held.record, partner_sid)).collect();
        shown.insert("trunks".to_owned(), Value::Array(trunks));
    }
    shown
}

/// Lists trunk groups.
#[utoipa::path(get, path = "/trunk_groups", tag = "trunk groups",
    params(schema::ListArgs, ("with_trunks" = Option<bool>, Query)),
    responses((status = 200, body = schema::List<schema::TrunkGroup>)))]
pub(super) async fn list(listing: Listing) -> Result<Response, Fault> {
    let with_trunks = with_trunks(&listing.page.args)?;
    let partner_sid = listing.frame.partner_sid;
    let catalog = Arc::clone(&listing.state.backend.catalog);
    let all = catalog.trunk_groups();
    let show = move |held: &Held<TrunkGroupRecord>| {
        shown_with(&catalog, &held.record, partner_sid, with_trunks)
    };
    lists::page(&listing, all, show, FIELDS).await
}

/// Shows one trunk group.
#[utoipa::path(get, path = "/trunk_groups/{trunk_group_sid}", tag = "trunk groups",
    params(("trunk_group_sid" = String, Path), schema::FieldArgs,
        ("with_trunks" = Option<bool>, Query)),
    responses((status = 200, body = schema::TrunkGroup)))]
pub(super) async fn read(item: Item) -> Result<Response, Fault> {
    let with_trunks = with_trunks(&item.args)?;
    let catalog = &item.state.backend.catalog;
    let show = |record: &Arc<TrunkGroupRecord>| {
        shown_with(catalog, record, item.frame.partner_sid, with_trunks)
    };
    lists::one(&item, catalog.trunk_group(item.sid), show, FIELDS)
}

/// Makes a trunk group; with `with_trunks=true` its `trunks` too.
#[utoipa::path(post, path = "/trunk_groups", tag = "trunk groups",
    params(("with_trunks" = Option<bool>, Query), schema::KeyHeader),
    request_body(content = ref("#/components/schemas/core.TrunkGroupBody")), responses((status = 200, body = schema::TrunkGroup)))]
pub(super) async fn create(creation: Creation, json: JsonObject) -> Result<Response, Fault> {
    if let Some(kept) = change::replayed(&creation, &json).await? {
        return Ok(kept);
    }
    let select = Select::from_args(&creation.args, FIELDS)?;
    let with_trunks = with_trunks(&creation.args)?;
    let (group, made) = body::create(&json.object, with_trunks, creation.state.now())?;
    let partner_sid = creation.frame.partner_sid;
    let mut shown = show(&group, partner_sid);
    if let (WithTrunks::Taken, Value::Object(shown)) = (with_trunks, &mut shown) {
        let trunks = made.iter().map(|trunk| trunks::show(&trunk.record, partner_sid)).collect();
        shown.insert("trunks".to_owned(), Value::Array(trunks));
    }
    let mut plan = Plan::of(Record::TrunkGroup(Arc::new(group)));
    for trunk in made {
        plan.references.push(trunks::endpoint_of(&creation.state.backend.catalog, &trunk)?);
        plan.after.push(Record::Trunk(Arc::new(trunk.record)));
    }
    change::create(&creation, &json, plan, select.apply(shown)).await
}

/// Changes what is given.
#[utoipa::path(patch, path = "/trunk_groups/{trunk_group_sid}", tag = "trunk groups",
    params(("trunk_group_sid" = String, Path), schema::PatchArgs),
    request_body(content = ref("#/components/schemas/core.TrunkGroupPart")), responses((status = 200, body = schema::TrunkGroup)))]
pub(super) async fn patch(item: Item, json: JsonObject) -> Result<Response, Fault> {
    update(&item, &json, Extent::Part).await
}

/// Replaces the trunk group; its trunks stay.
#[utoipa::path(put, path = "/trunk_groups/{trunk_group_sid}", tag = "trunk groups",
    params(("trunk_group_sid" = String, Path), schema::MatchHeader),
    request_body(content = ref("#/components/schemas/core.TrunkGroupWhole")), responses((status = 200, body = schema::TrunkGroup)))]
pub(super) async fn put(item: Item, json: JsonObject) -> Result<Response, Fault> {
    update(&item, &json, Extent::Whole).await
}

async fn update(item: &Item, json: &JsonObject, extent: Extent) -> Result<Response, Fault> {
    let select = Select::from_args(&item.args, FIELDS)?;
    let find = |catalog: &Catalog| catalog.trunk_group(item.sid);
    let change = |current: &TrunkGroupRecord| {
        let record = body::update(&json.object, current, extent)?;
        Ok(Plan::of(Record::TrunkGroup(Arc::new(record))))
    };
    let (revision, record) = change::update(item, find, change).await?;
    let Record::TrunkGroup(record) = record else { return Err(Fault::Internal) };
    Ok(Flavour::Core.written(revision, select.apply(show(&record, item.frame.partner_sid))))
}

/// Deletes a trunk group and its trunks, where no DID and no endpoint uses it.
#[utoipa::path(delete, path = "/trunk_groups/{trunk_group_sid}", tag = "trunk groups",
    params(("trunk_group_sid" = String, Path), schema::MatchHeader), responses((status = 204)))]
pub(super) async fn remove(item: Item) -> Result<Response, Fault> {
    let find = |catalog: &Catalog| catalog.trunk_group(item.sid);
    change::delete(&item, Kind::TrunkGroup, find).await
}
