//! Call records: `/app/mediator/calls`, one a call that a mediator endpoint ran, and `/calls/call_drs`, one a leg.
//!
//! As JSON they come in pages, newest first; as CSV (`Accept: text/csv`, or a path that ends in `.csv` or `/csv`) all
//! that match are streamed, or one page where a `limit` is given.

mod csv;
mod export;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::Response;
use axum::routing::get;
use mediator_model::Sid;
use mediator_store::query::{CallQuery, Page, Query};
use mediator_store::record::{CallRow, LegRow, Object};
use mediator_store::{Calls, ReadError};
use serde_json::Value;

use super::request::{Item, Listing};
use super::schema;
use crate::args::Args;
use crate::fault::{Fault, Flavour};
use crate::select::{FieldNames, Select};
use crate::state::AppState;
use crate::store_calls;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/app/mediator/calls", get(calls))
        .route("/app/mediator/calls.csv", get(calls_csv))
        .route("/app/mediator/calls/csv", get(calls_csv))
        .route("/app/mediator/calls/{dr_sid}", get(call))
        .route("/calls/call_drs", get(legs))
        .route("/calls/call_drs.csv", get(legs_csv))
        .route("/calls/call_drs/csv", get(legs_csv))
        .route("/calls/call_drs/{dr_sid}", get(leg))
}

/// A kind of record.
pub(super) trait Record: Send + Sized + 'static {
    /// What can be filtered, ordered and selected by.
    const FIELDS: FieldNames;
    /// The columns of CSV, in order; nested objects by dotted names.
    const COLUMNS: &'static [&'static str];
    /// What a CSV file is called.
    const FILE_NAME: &'static str;

    /// A page of them.
    fn page(calls: &dyn Calls, query: &CallQuery) -> Result<Page<Self>, ReadError>;
    /// Its id, for the cursor.
    fn sid(&self) -> Sid;
    /// The object of the API.
    fn show(&self, partner_sid: Sid) -> Object;
}

/// What Mediator call records can be filtered, ordered and selected by.
pub(crate) const CALL_FIELDS: FieldNames = &[
    "attributes",
    "date_insert",
    "date_start",
    "date_stop",
    "date_talk",
    "direction",
    "disconnect_originator",
    "dr_sid",
    "dtmf",
    "duration",
    "endpoint_sid",
    "endpoint_type",
    "event_type",
    "media_dst",
    "media_src",
    "number_dst",
    "number_redirect",
    "number_src",
    "partner_sid",
    "reference_sid",
    "sip_cause",
    "type",
    "version",
];

impl Record for CallRow {
    const FIELDS: FieldNames = CALL_FIELDS;
    const COLUMNS: &'static [&'static str] = &[
        "dr_sid",
        "date_start",
        "date_talk",
        "date_stop",
        "date_insert",
        "duration",
        "direction",
        "event_type",
        "number_src",
        "number_redirect",
        "number_dst",
        "reference_sid",
        "endpoint_sid",
        "endpoint_type",
        "sip_cause",
        "disconnect_originator",
        "dtmf",
        "attributes",
        "media_src.packets",
        "media_src.lost",
        "media_src.jitter_ms",
        "media_src.mos",
        "media_dst.packets",
        "media_dst.lost",
        "media_dst.jitter_ms",
        "media_dst.mos",
        "partner_sid",
        "type",
        "version",
    ];
    const FILE_NAME: &'static str = "mediator_calls.csv";

    fn page(calls: &dyn Calls, query: &CallQuery) -> Result<Page<Self>, ReadError> {
        calls.calls(query)
    }

    fn sid(&self) -> Sid {
        self.dr_sid
    }

    fn show(&self, partner_sid: Sid) -> Object {
        self.to_object(partner_sid)
    }
}

impl Record for LegRow {
    const FIELDS: FieldNames = &[
        "call_sid",
        "codec_dst",
        "codec_src",
        "date_insert",
        "date_start",
        "date_stop",
        "date_talk",
        "direction",
        "disconnect_originator",
        "diversion_dst",
        "diversion_src",
        "dr_sid",
        "duration",
        "endpoint_sid_dst",
        "endpoint_sid_src",
        "identity",
        "ip_dst",
        "ip_src",
        "number_dst",
        "number_external",
        "number_src",
        "partner_sid",
        "sipcallid_dst",
        "sipcallid_src",
        "sipcause",
    ];
    const COLUMNS: &'static [&'static str] = &[
        "dr_sid",
        "call_sid",
        "date_start",
        "date_talk",
        "date_stop",
        "date_insert",
        "duration",
        "direction",
        "number_src",
        "number_dst",
        "number_external",
        "identity",
        "diversion_src",
        "diversion_dst",
        "endpoint_sid_src",
        "endpoint_sid_dst",
        "ip_src",
        "ip_dst",
        "sipcallid_src",
        "sipcallid_dst",
        "sipcause",
        "disconnect_originator",
        "codec_src",
        "codec_dst",
        "partner_sid",
    ];
    const FILE_NAME: &'static str = "call_drs.csv";

    fn page(calls: &dyn Calls, query: &CallQuery) -> Result<Page<Self>, ReadError> {
        calls.legs(query)
    }

    fn sid(&self) -> Sid {
        self.dr_sid
    }

    fn show(&self, partner_sid: Sid) -> Object {
        self.to_object(partner_sid)
    }
}

/// Lists Mediator call records, the newest first.
#[utoipa::path(get, path = "/app/mediator/calls", tag = "call records",
    params(schema::ListArgs, schema::RecordArgs),
    responses((status = 200, content((schema::List<schema::MediatorCall> = "application/json"),
        (String = "text/csv")))))]
pub(super) async fn calls(listing: Listing, headers: HeaderMap) -> Result<Response, Fault> {
    listed::<CallRow>(listing, &headers).await
}

/// Mediator call records as a file.
#[utoipa::path(get, path = "/app/mediator/calls.csv", tag = "call records",
    params(schema::ListArgs, schema::RecordArgs),
    responses((status = 200, body = String, content_type = "text/csv")))]
pub(super) async fn calls_csv(listing: Listing) -> Result<Response, Fault> {
    let query = query(&listing)?;
    export::csv::<CallRow>(listing, query).await
}

/// Shows one Mediator call record.
#[utoipa::path(get, path = "/app/mediator/calls/{dr_sid}", tag = "call records",
    params(("dr_sid" = String, Path), schema::FieldArgs),
    responses((status = 200, body = schema::MediatorCall)))]
pub(super) async fn call(item: Item) -> Result<Response, Fault> {
    let sid = item.sid;
    let found = store_calls::read_calls(&item.state.backend, move |calls| calls.call(sid)).await?;
    one(&item, found)
}

/// Lists records of legs, the newest first.
#[utoipa::path(get, path = "/calls/call_drs", tag = "call records",
    params(schema::ListArgs, schema::RecordArgs),
    responses((status = 200, content((schema::List<schema::Leg> = "application/json"),
        (String = "text/csv")))))]
pub(super) async fn legs(listing: Listing, headers: HeaderMap) -> Result<Response, Fault> {
    listed::<LegRow>(listing, &headers).await
}

/// Records of legs as a file.
#[utoipa::path(get, path = "/calls/call_drs.csv", tag = "call records",
    params(schema::ListArgs, schema::RecordArgs),
    responses((status = 200, body = String, content_type = "text/csv")))]
pub(super) async fn legs_csv(listing: Listing) -> Result<Response, Fault> {
    let query = query(&listing)?;
    export::csv::<LegRow>(listing, query).await
}

/// Shows one leg's record.
#[utoipa::path(get, path = "/calls/call_drs/{dr_sid}", tag = "call records",
    params(("dr_sid" = String, Path), schema::FieldArgs),
    responses((status = 200, body = schema::Leg)))]
pub(super) async fn leg(item: Item) -> Result<Response, Fault> {
    let sid = item.sid;
    let found = store_calls::read_calls(&item.state.backend, move |calls| calls.leg(sid)).await?;
    one(&item, found)
}

async fn listed<R: Record>(listing: Listing, headers: &HeaderMap) -> Result<Response, Fault> {
    let query = query(&listing)?;
    if wants_csv(headers) {
        return export::csv::<R>(listing, query).await;
    }
    let select = select::<R>(&listing.page.args)?;
    let before = query.before;
    let read = move |calls: &dyn Calls, query: &Query| {
        R::page(calls, &CallQuery { query: query.clone(), before })
    };
    let found = store_calls::read_calls_page(&listing.state.backend, &listing.page, read);
    let Page { items, total, has_more } = found.await?;
    let partner_sid = listing.frame.partner_sid;
    let shown = |record: &R| select.apply(Value::Object(record.show(partner_sid)));
    let page = Page { items: items.iter().map(shown).collect(), total, has_more };
    Ok(Flavour::Core.ok(listing.page.envelope(page)))
}

fn one<R: Record>(item: &Item, found: Option<R>) -> Result<Response, Fault> {
    let select = select::<R>(&item.args)?;
    let found = found.ok_or(Fault::NoSuchSid)?;
    Ok(Flavour::Core.ok(select.apply(Value::Object(found.show(item.frame.partner_sid)))))
}

fn select<R: Record>(args: &Args) -> Result<Select, Fault> {
    Select::from_args(args, R::FIELDS)
}

/// The page's question, with the cursor.
fn query(listing: &Listing) -> Result<CallQuery, Fault> {
    let before = listing.page.args.text("before").map(|text| {
        text.parse().map_err(|_| Fault::bad_argument("before", "expected a record's dr_sid"))
    });
    Ok(CallQuery { query: listing.page.query.clone(), before: before.transpose()? })
}

/// Whether the client names CSV and not JSON.
fn wants_csv(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut kinds = lines.flat_map(|line| line.split(',')).map(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        (kind.eq_ignore_ascii_case("text/csv"), kind.eq_ignore_ascii_case("application/json"))
    });
    let (is_csv, is_json) =
        kinds.by_ref().fold((false, false), |(csv, json), kind| (csv || kind.0, json || kind.1));
    is_csv && !is_json
}
