//! `/dialouts/{dialout_sid}/record`: how a dialout went, for the account that placed it. The dialout itself is gone by
//! then.

use axum::extract::State;
use axum::response::Response;
use mediator_model::{Sid, UnixMillis};
use mediator_store::query::{CallQuery, Comparison, Filter, Literal, Operator, Query};
use mediator_store::record::CallRow;

use super::API;
use crate::args::Args;
use crate::auth::Account;
use crate::core::{CALL_FIELDS, MediatorCall, partner_sid};
use crate::fault::Fault;
use crate::path::PathSid;
use crate::select::Select;
use crate::state::AppState;
use crate::store_calls;

/// How a dialout went: its call record, once its call is over.
#[utoipa::path(
    get, path = "/dialouts/{dialout_sid}/record", tag = "Dialouts",
    params(
        ("dialout_sid" = String, Path, format = "uuid"),
        ("include_fields" = Option<String>, Query, description = "The fields to show, with commas"),
        ("exclude_fields" = Option<String>, Query, description = "The fields not to show, with commas"),
    ),
    responses(
        (status = 200, description = "The call record, in `body`", body = MediatorCall),
        (status = 404, description = "The account had no such dialout, or it is not over, or its record is removed"),
    ),
)]
pub(in crate::mediator) async fn record(
    State(state): State<AppState>,
    Account(account): Account,
    PathSid(sid): PathSid,
    args: Args,
) -> Result<Response, Fault> {
    let select = Select::from_args(&args, CALL_FIELDS)?;
    let query = CallQuery { query: of_dialout(sid), before: None };
    let found = store_calls::read_calls(&state.backend, move |calls| calls.calls(&query)).await?;
    let is_own = |row: &CallRow| row.endpoint_sid == account.sid && &*row.event_type == "dialout";
    let row = found.items.into_iter().find(is_own).ok_or(Fault::NoSuchSid)?;
    Ok(API.ok(select.apply(row.to_object(partner_sid(&state)).into())))
}

/// A dialout has one record.
fn of_dialout(sid: Sid) -> Query {
    Query {
        filter: Filter::Compare(Comparison {
            path: vec!["reference_sid".into()],
            operator: Operator::Eq,
            values: vec![Literal::Text(sid.to_string().into())],
        }),
        order: Vec::new(),
        offset: 0,
        limit: 1,
        now: UnixMillis::default(),
    }
}
