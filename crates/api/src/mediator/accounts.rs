//! `/accounts`: the account itself.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use mediator_store::record::EndpointRecord;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::shown;
use crate::args::Args;
use crate::auth::Account;
use crate::etag::Preconditions;
use crate::fault::{Fault, Flavour};
use crate::filter;
use crate::page::PageArgs;
use crate::path::PathSid;
use crate::select::{FieldNames, Select};
use crate::state::AppState;
use crate::times;

const API: Flavour = Flavour::Mediator;
const FIELDS: FieldNames = &["account_sid", "date_created", "login", "name"];

/// Who uses the API: a mediator endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct Shape<'a> {
    /// Its id, which is its endpoint's.
    #[schema(format = "uuid", read_only)]
    account_sid: String,
    /// When it was made.
    #[schema(format = DateTime, read_only)]
    date_created: String,
    /// What it logs in with.
    #[schema(read_only, example = "mediator_login")]
    login: Option<&'a str>,
    /// Its endpoint's name.
    #[schema(read_only, example = "CarrierX")]
    name: &'a str,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/accounts", get(list)).route("/accounts/{account_sid}", get(read))
}

/// The accounts that these credentials are for: one.
#[utoipa::path(
    get, path = "/accounts", tag = "Accounts",
    params(
        ("offset" = Option<u64>, Query, description = "How many to leave out"),
        ("limit" = Option<u32>, Query, description = "How many at most: 10 unless said, cut to 1000"),
        ("order" = Option<String>, Query, description = "`name desc`, several with commas"),
        ("filter" = Option<String>, Query, description = "`name like \"A%\"`"),
        ("include_fields" = Option<String>, Query, description = "The fields to show, with commas"),
        ("exclude_fields" = Option<String>, Query, description = "The fields not to show, with commas"),
    ),
    responses((status = 200, description = "`{\"body\": {\"items\": [...], ...}, \"status\": 200}`", body = Shape<'static>)),
)]
pub(super) async fn list(Account(account): Account, page: PageArgs) -> Result<Response, Fault> {
    let select = Select::from_args(&page.args, FIELDS)?;
    let show = |account: &_| show(account);
    let mut found = filter::listed(vec![account], move |a| show(a), &page.query, FIELDS).await?;
    found.items = found.items.into_iter().map(|item| select.apply(item)).collect();
    Ok(API.ok(page.envelope(found)))
}

/// The account of these credentials.
#[utoipa::path(
    get, path = "/accounts/{account_sid}", tag = "Accounts",
    params(
        ("account_sid" = String, Path, format = "uuid"),
        ("include_fields" = Option<String>, Query, description = "The fields to show, with commas"),
        ("exclude_fields" = Option<String>, Query, description = "The fields not to show, with commas"),
    ),
    responses(
        (status = 200, description = "The account, in `body`", body = Shape<'static>),
        (status = 404, description = "It is not the account of these credentials"),
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
    if sid != account.sid {
        return Err(Fault::NoSuchSid);
    }
    let held = state.backend.catalog.endpoint(sid).ok_or(Fault::NoSuchSid)?;
    Ok(API.object(held.revision, &preconditions, select.apply(show(&held.record))))
}

fn show(account: &EndpointRecord) -> Value {
    shown(&Shape {
        account_sid: account.sid.to_string(),
        date_created: times::written(account.date_created),
        login: account.login.as_deref(),
        name: &account.name,
    })
}
