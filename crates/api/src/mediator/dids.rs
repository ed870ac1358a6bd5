//! `/dids`: the account's numbers.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use mediator_model::Sid;
use mediator_store::record::DidRecord;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::shown;
use crate::args::Args;
use crate::auth::Account;
use crate::catalog::Held;
use crate::etag::Preconditions;
use crate::fault::{Fault, Flavour};
use crate::filter;
use crate::page::PageArgs;
use crate::path::PathSid;
use crate::select::{FieldNames, Select};
use crate::state::AppState;

const API: Flavour = Flavour::Mediator;
const FIELDS: FieldNames = &[
    "account_sid",
    "country_code",
    "did_sid",
    "in_country_format",
    "international_format",
    "phonenumber",
];

/// A number that calls to the account come in by.
#[derive(Serialize, ToSchema)]
// The Core API's is `Did`.
#[schema(as = AccountDid)]
pub(crate) struct Shape<'a> {
    /// The account that it belongs to.
    #[schema(format = "uuid", read_only)]
    account_sid: String,
    /// ISO 3166-1 alpha-3; null: it belongs to no country.
    #[schema(read_only, example = "USA")]
    country_code: Option<&'a str>,
    /// Its id.
    #[schema(format = "uuid", read_only)]
    did_sid: String,
    /// As people of its country write it.
    #[schema(read_only, example = "(516) 206-5337")]
    in_country_format: &'a str,
    /// As everybody else does.
    #[schema(read_only, example = "+1 516-206-5337")]
    international_format: &'a str,
    /// E.164 without "+".
    #[schema(read_only, example = "15162065337")]
    phonenumber: String,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/dids", get(list)).route("/dids/{did_sid}", get(read))
}

/// The account's numbers: those of the trunk groups that lead to it.
#[utoipa::path(
    get, path = "/dids", tag = "DIDs",
    params(
        ("offset" = Option<u64>, Query, description = "How many to leave out"),
        ("limit" = Option<u32>, Query, description = "How many at most: 10 unless said, cut to 1000"),
        ("order" = Option<String>, Query, description = "`phonenumber desc`, several with commas; by creation unless said"),
        ("filter" = Option<String>, Query, description = "`country_code eq \"USA\"`"),
        ("include_fields" = Option<String>, Query, description = "The fields to show, with commas"),
        ("exclude_fields" = Option<String>, Query, description = "The fields not to show, with commas"),
    ),
    responses((status = 200, description = "`{\"body\": {\"items\": [...], ...}, \"status\": 200}`", body = Shape<'static>)),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    Account(account): Account,
    page: PageArgs,
) -> Result<Response, Fault> {
    let select = Select::from_args(&page.args, FIELDS)?;
    let sid = account.sid;
    let dids = state.backend.catalog.dids_of(sid);
    let render = move |did: &Held<DidRecord>| show(&did.record, sid);
    let mut found = filter::listed(dids, render, &page.query, FIELDS).await?;
    found.items = found.items.into_iter().map(|item| select.apply(item)).collect();
    Ok(API.ok(page.envelope(found)))
}

/// One number.
#[utoipa::path(
    get, path = "/dids/{did_sid}", tag = "DIDs",
    params(
        ("did_sid" = String, Path, format = "uuid"),
        ("include_fields" = Option<String>, Query, description = "The fields to show, with commas"),
        ("exclude_fields" = Option<String>, Query, description = "The fields not to show, with commas"),
    ),
    responses(
        (status = 200, description = "The number, in `body`", body = Shape<'static>),
        (status = 404, description = "The account has no such number"),
    ),
)]
pub(super) async fn read(
    State(state): State<AppState>,
    Account(account): Account,
    PathSid(sid): PathSid,
    args: Args,
    preconditions: Preconditions,
) -> Result<Response, Fault> {
    let select = Select::from_args(&args, FIELDS)?;
    let catalog = &state.backend.catalog;
    let held = catalog.did(sid).ok_or(Fault::NoSuchSid)?;
    if catalog.account_of(held.record.phonenumber) != Some(account.sid) {
        return Err(Fault::NoSuchSid);
    }
    let shown = select.apply(show(&held.record, account.sid));
    Ok(API.object(held.revision, &preconditions, shown))
}

fn show(did: &DidRecord, account: Sid) -> Value {
    shown(&Shape {
        account_sid: account.to_string(),
        country_code: did.country_code.as_deref(),
        did_sid: did.sid.to_string(),
        in_country_format: &did.in_country_format,
        international_format: &did.international_format,
        phonenumber: did.phonenumber.to_string(),
    })
}
