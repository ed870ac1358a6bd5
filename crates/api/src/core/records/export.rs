//! Records as a stream of CSV: a page is read when the client has taken the one before.

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use mediator_model::Sid;
use mediator_store::query::{CallQuery, Page, Query};
use serde_json::{Map, Value};

use super::{Record, csv, select};
use crate::core::request::Listing;
use crate::fault::Fault;
use crate::ports::Backend;
use crate::select::Select;
use crate::store_calls;

/// An export under way.
struct Export<R> {
    backend: Backend,
    partner_sid: Sid,
    select: Select,
    columns: Vec<&'static str>,
    state: Progress<R>,
}

enum Progress<R> {
    /// Read already, to be written; then the next page.
    Read { page: Page<R>, query: CallQuery, extent: Extent },
    /// To be read.
    Next(CallQuery),
    /// Nothing more.
    Over,
}

/// How much is exported.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// One page, because the client gave a limit.
    Page,
    /// All that match.
    All,
}

/// Answers with records as CSV. The first page is read before the answer begins, so that what is wrong with the question
/// is said with a status.
pub(super) async fn csv<R: Record>(
    listing: Listing,
    mut query: CallQuery,
) -> Result<Response, Fault> {
    let select = select::<R>(&listing.page.args)?;
    let extent = if listing.page.args.text("limit").is_some() { Extent::Page } else { Extent::All };
    if extent == Extent::All {
        query.query.limit = Query::MAX_LIMIT;
    }
    let backend = listing.state.backend;
    let page = read::<R>(&backend, query.clone()).await?;
    let export = Export {
        backend,
        partner_sid: listing.frame.partner_sid,
        columns: columns::<R>(&select),
        select,
        state: Progress::Read { page, query, extent },
    };
    let mut header = String::new();
    csv::header(&export.columns, &mut header);
    let first = stream::once(async { Ok(Bytes::from(header)) });
    let rest = stream::try_unfold(export, Export::next);
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", R::FILE_NAME)),
    ];
    let body = Body::from_stream(futures_util::StreamExt::chain(first, rest));
    Ok((headers, body).into_response())
}

async fn read<R: Record>(backend: &Backend, query: CallQuery) -> Result<Page<R>, Fault> {
    store_calls::read_calls(backend, move |calls| R::page(calls, &query)).await
}

/// The columns that the selection leaves: those that it leaves of an object with all of them.
fn columns<R: Record>(select: &Select) -> Vec<&'static str> {
    let mut all = Map::new();
    for name in R::COLUMNS {
        match name.split_once('.') {
            None => drop(all.insert((*name).to_owned(), Value::Bool(true))),
            Some((outer, inner)) => {
                let nested = all.entry(outer).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(nested) = nested {
                    nested.insert(inner.to_owned(), Value::Bool(true));
                }
            }
        }
    }
    let Value::Object(left) = select.apply(Value::Object(all)) else { return Vec::new() };
    R::COLUMNS.iter().copied().filter(|name| csv::at(&left, name).is_some()).collect()
}

impl<R: Record> Export<R> {
    /// The next piece of the body; an error cuts the body short, so that no client takes a part for the whole.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, std::io::Error> {
        let state = std::mem::replace(&mut self.state, Progress::Over);
        let (page, query, extent) = match state {
            Progress::Over => return Ok(None),
            Progress::Read { page, query, extent } => (page, query, extent),
            Progress::Next(query) => {
                let page = read(&self.backend, query.clone()).await;
                (page.map_err(std::io::Error::other)?, query, Extent::All)
            }
        };
        if page.items.is_empty() {
            return Ok(None);
        }
        let mut text = String::new();
        for record in &page.items {
            let shown = self.select.apply(Value::Object(record.show(self.partner_sid)));
            if let Value::Object(shown) = &shown {
                csv::row(&self.columns, shown, &mut text);
            }
        }
        if extent == Extent::All && page.has_more {
            self.state = Progress::Next(following(query, &page));
        }
        Ok(Some((Bytes::from(text), self)))
    }
}

/// The question for the next page. In the default order the last record is a cursor: records that come meanwhile shift
/// nothing, and no page takes longer than the first.
fn following<R: Record>(mut query: CallQuery, page: &Page<R>) -> CallQuery {
    match page.items.last() {
        Some(last) if query.query.order.is_empty() => {
            query.before = Some(last.sid());
            query.query.offset = 0;
        }
        _ => query.query.offset = query.query.offset.saturating_add(page.items.len() as u64),
    }
    query
}
