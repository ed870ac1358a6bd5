//! `/explain`: where a call would go. It places no call and claims nothing.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::query::{Comparison, Filter, Literal, Operator, Query};
use mediator_store::record::{Kind, Record};
use serde::Serialize;
use utoipa::ToSchema;

use super::shown;
use crate::args::Args;
use crate::auth::Account;
use crate::catalog::Catalog;
use crate::fault::{Fault, Flavour};
use crate::fields::e164;
use crate::ports::Explanation;
use crate::state::AppState;
use crate::store_calls;

const API: Flavour = Flavour::Mediator;
/// What callers without a number are called; so is who names none.
const NOBODY: [&str; 4] = ["anonymous", "unavailable", "restricted", "unknown"];

/// What a call would meet.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(crate) struct Shape {
    /// The binding that decides.
    #[schema(format = "uuid")]
    binding_sid: Option<String>,
    /// The number that the destination would see; null: anonymous, or no call.
    caller_id: Option<String>,
    /// The number that would be dialled.
    destination_did: Option<String>,
    /// The number that was called; null: it is no number of this account.
    did: Option<String>,
    /// The endpoint behind it.
    #[schema(format = "uuid")]
    endpoint: Option<String>,
    /// `exact`, `any`, `claim`, `none` or `unknown_did`.
    rule: &'static str,
    /// What the caller would get instead of a call; null: it would be dialled.
    sip_code: Option<u16>,
    /// What would be tried, in order.
    trunks: Vec<Trunk>,
}

/// One way out.
#[derive(Serialize, ToSchema)]
#[schema(as = TriedTrunk)]
pub(crate) struct Trunk {
    /// Where the INVITE would be sent.
    address: String,
    /// Its name.
    name: String,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/explain", get(explain))
}

/// Says where a call would go, and why.
#[utoipa::path(
    get, path = "/explain", tag = "Explain",
    params(
        ("to" = String, Query, description = "The number called"),
        ("from" = Option<String>, Query, description = "The caller; `anonymous`, or left out: a caller without a number"),
    ),
    responses(
        (status = 200, description = "What the call would meet, in `body`", body = Shape),
        (status = 400, description = "A number is none"),
    ),
)]
pub(super) async fn explain(
    State(state): State<AppState>,
    Account(account): Account,
    args: Args,
) -> Result<Response, Fault> {
    let to = args.text("to").ok_or_else(|| Fault::bad_argument("to", "is required"))?;
    let to = number("to", to)?;
    let from = match args.text("from").map(str::trim) {
        None => None,
        Some(word) if NOBODY.iter().any(|known| known.eq_ignore_ascii_case(word)) => None,
        Some(text) => Some(number("from", text)?),
    };
    let explanation = state.backend.process.explain(from, to);
    let explanation = if is_anothers(&state.backend.catalog, to, account.sid) {
        nothing_here()
    } else {
        own_part(&state, account.sid, explanation).await?
    };
    Ok(API.ok(shown(&shape(explanation))))
}

/// A binding may lead to another account's number, whose bindings lead on: where to is told only to an account that has
/// a binding to there itself. Else the answer ends with the account's own binding.
async fn own_part(
    state: &AppState,
    account: Sid,
    mut explanation: Explanation,
) -> Result<Explanation, Fault> {
    let (Some(binding_sid), Some(end)) = (explanation.binding_sid, explanation.destination_did)
    else {
        return Ok(explanation);
    };
    let now = state.now();
    let known = store_calls::read(&state.backend, move |store| {
        let held = store.object(Kind::Binding, binding_sid, now)?;
        let Some(Record::Binding(first)) = held.map(|held| held.record) else { return Ok(None) };
        if first.destination_did == end {
            return Ok(Some(end));
        }
        let own = store.bindings(account, &bindings_to(end, now))?;
        Ok(Some(if own.items.is_empty() { first.destination_did } else { end }))
    });
    let known = known.await?;
    if known != Some(end) {
        explanation.destination_did = known;
        explanation.caller_id = None;
        explanation.trunks.clear();
    }
    Ok(explanation)
}

fn bindings_to(destination: Number, now: UnixMillis) -> Query {
    let is_there = Comparison {
        path: vec!["destination_did".into()],
        operator: Operator::Eq,
        values: vec![Literal::Text(destination.to_string().into())],
    };
    Query { filter: Filter::Compare(is_there), order: Vec::new(), offset: 0, limit: 1, now }
}

/// Short numbers and those of somebody's own plan may be asked about too, for they may be dialled.
fn number(field: &str, text: &str) -> Result<Number, Fault> {
    // In a query "+" is a space.
    let text = text.trim();
    e164(text)
        .or_else(|_| Number::from_user(text).map_err(|_| "expected a phone number"))
        .map_err(|detail| Fault::bad_argument(field, detail))
}

/// Whether the number runs another account's bindings, which are nobody else's business.
fn is_anothers(catalog: &Catalog, to: Number, account: Sid) -> bool {
    catalog.account_of(to).is_some_and(|owner| owner != account)
}

/// For this account a number of another is one that is not here.
fn nothing_here() -> Explanation {
    Explanation {
        did: None,
        endpoint: None,
        binding_sid: None,
        rule: "unknown_did",
        caller_id: None,
        destination_did: None,
        trunks: Vec::new(),
        sip_code: Some(404),
    }
}

fn shape(explanation: Explanation) -> Shape {
    let Explanation {
        did,
        endpoint,
        binding_sid,
        rule,
        caller_id,
        destination_did,
        trunks,
        sip_code,
    } = explanation;
    Shape {
        binding_sid: binding_sid.map(|sid| sid.to_string()),
        caller_id: caller_id.map(Into::into),
        destination_did: destination_did.map(|number| number.to_string()),
        did: did.map(|number| number.to_string()),
        endpoint: endpoint.map(|sid| sid.to_string()),
        rule,
        sip_code,
        trunks: trunks
            .into_iter()
            .map(|(name, address)| Trunk { address: address.into(), name: name.into() })
            .collect(),
    }
}
