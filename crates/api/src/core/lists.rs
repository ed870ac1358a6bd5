//! Lists and single objects of what the catalog has in memory.

use axum::response::Response;
use mediator_store::Versioned;
use serde_json::Value;

use super::request::{Item, Listing};
use crate::fault::{Fault, Flavour};
use crate::filter;
use crate::select::{FieldNames, Select};

/// A page of a list.
pub(super) async fn page<T: Send + 'static>(
    listing: &Listing,
    records: Vec<T>,
    show: impl Fn(&T) -> Value + Send + 'static,
    fields: FieldNames,
) -> Result<Response, Fault> {
    let select = Select::from_args(&listing.page.args, fields)?;
    let mut found = filter::listed(records, show, &listing.page.query, fields).await?;
    found.items = found.items.into_iter().map(|item| select.apply(item)).collect();
    Ok(Flavour::Core.ok(listing.page.envelope(found)))
}

/// One object, with the fields that were asked for.
pub(super) fn one<T>(
    item: &Item,
    found: Option<Versioned<T>>,
    show: impl FnOnce(&T) -> Value,
    fields: FieldNames,
) -> Result<Response, Fault> {
    let select = Select::from_args(&item.args, fields)?;
    let found = found.ok_or(Fault::NoSuchSid)?;
    let shown = select.apply(show(&found.record));
    Ok(Flavour::Core.object(found.revision, &item.preconditions, shown))
}
