//! `/calls`: the account's calls that are up.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use mediator_model::Sid;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::shown;
use crate::answer::deleted;
use crate::args::Args;
use crate::auth::Account;
use crate::fault::{Fault, Flavour};
use crate::filter;
use crate::page::PageArgs;
use crate::path::PathSid;
use crate::ports::{LiveCall, LiveLeg};
use crate::select::{FieldNames, Select};
use crate::state::AppState;
use crate::times;

const API: Flavour = Flavour::Mediator;
const FIELDS: FieldNames = &[
    "call_sid",
    "date_start",
    "date_talk",
    "legs",
    "number_dst",
    "number_redirect",
    "number_src",
    "reference_sid",
    "state",
    "type",
];

/// A call that is up.
#[derive(Serialize, ToSchema)]
#[schema(as = Call)]
pub(crate) struct Shape<'a> {
    /// Its id.
    #[schema(format = "uuid")]
    call_sid: String,
    /// When it began.
    #[schema(format = DateTime)]
    date_start: String,
    /// When the two were joined; null: they are not yet.
    #[schema(format = DateTime)]
    date_talk: Option<String>,
    /// The parties.
    legs: Vec<LegShape<'a>>,
    /// The number called, or stage two's.
    number_dst: Option<String>,
    /// The number between the two.
    number_redirect: String,
    /// The caller's number, or stage one's; null: it is anonymous.
    number_src: Option<String>,
    /// The binding or dialout.
    #[schema(format = "uuid")]
    reference_sid: Option<String>,
    /// `routing`, `ringing`, `answered` or `ending`.
    state: &'static str,
    /// `binding` or `dialout`.
    r#type: &'static str,
}

/// One party of a call.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveLeg)]
pub(crate) struct LegShape<'a> {
    /// The codec that was agreed on.
    codec: Option<&'a str>,
    /// The endpoint; null: none was chosen yet.
    #[schema(format = "uuid")]
    endpoint_sid: Option<String>,
    /// `a` called, or was called first; `b` is the other.
    #[serde(rename = "leg")]
    name: &'static str,
    /// What was heard so far.
    media: Media,
    /// Its Call-ID.
    sip_call_id: Option<&'a str>,
    /// `routing`, `ringing`, `answered` or `ending`.
    state: &'static str,
}

/// What was heard of a party; null where its media do not pass here.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveMedia)]
pub(crate) struct Media {
    /// Interarrival jitter in milliseconds.
    jitter_ms: Option<f64>,
    /// Packets that did not come.
    lost: Option<u64>,
    /// Estimated mean opinion score, 1 to 4.5.
    mos: Option<f64>,
    /// Packets received.
    packets: Option<u64>,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/calls", get(list)).route("/calls/{call_sid}", get(read).delete(hang_up))
}

/// The account's calls that are up, in the order in which they began.
#[utoipa::path(
    get, path = "/calls", tag = "Calls",
    params(
        ("offset" = Option<u64>, Query, description = "How many to leave out"),
        ("limit" = Option<u32>, Query, description = "How many at most: 10 unless said, cut to 1000"),
        ("order" = Option<String>, Query, description = "`date_start desc`, several with commas"),
        ("filter" = Option<String>, Query, description = "`state eq \"answered\"`"),
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
    let mut calls = state.backend.process.live_calls();
    calls.retain(|call| call.account_sid == Some(account.sid));
    hear(&state, &mut calls).await;
    let mut found = filter::listed(calls, show, &page.query, FIELDS).await?;
    found.items = found.items.into_iter().map(|item| select.apply(item)).collect();
    Ok(API.ok(page.envelope(found)))
}

/// One call that is up.
#[utoipa::path(
    get, path = "/calls/{call_sid}", tag = "Calls",
    params(
        ("call_sid" = String, Path, format = "uuid"),
        ("include_fields" = Option<String>, Query, description = "The fields to show, with commas"),
        ("exclude_fields" = Option<String>, Query, description = "The fields not to show, with commas"),
    ),
    responses(
        (status = 200, description = "The call, in `body`", body = Shape<'static>),
        (status = 404, description = "The account has no such call; calls end"),
    ),
)]
pub(super) async fn read(
    State(state): State<AppState>,
    Account(account): Account,
    PathSid(sid): PathSid,
    args: Args,
) -> Result<Response, Fault> {
    let select = Select::from_args(&args, FIELDS)?;
    let mut call = find(&state, account.sid, sid)?;
    hear(&state, std::slice::from_mut(&mut call)).await;
    Ok(API.ok(select.apply(show(&call))))
}

/// Hangs up both parties.
#[utoipa::path(
    delete, path = "/calls/{call_sid}", tag = "Calls",
    params(("call_sid" = String, Path, format = "uuid")),
    responses(
        (status = 204, description = "It is being ended"),
        (status = 404, description = "The account has no such call; calls end"),
    ),
)]
pub(super) async fn hang_up(
    State(state): State<AppState>,
    Account(account): Account,
    PathSid(sid): PathSid,
) -> Result<Response, Fault> {
    let call = find(&state, account.sid, sid)?;
    state.backend.process.hang_up(call.call_sid);
    Ok(deleted())
}

/// The account's call; another's is not there.
fn find(state: &AppState, account: Sid, sid: Sid) -> Result<LiveCall, Fault> {
    let call = state.backend.process.live_call(sid);
    call.filter(|call| call.account_sid == Some(account)).ok_or(Fault::NoSuchSid)
}

/// Fills in what was heard so far of calls whose media pass here.
async fn hear(state: &AppState, calls: &mut [LiveCall]) {
    let sids = calls.iter().map(|call| call.call_sid).collect();
    let heard = state.backend.process.live_media(sids).await;
    for call in calls {
        let Some([a, b]) = heard.get(&call.call_sid) else { continue };
        for (leg, media) in [(Some(&mut call.leg_a), a), (call.leg_b.as_mut(), b)] {
            let Some(leg) = leg else { continue };
            leg.media = media.figures;
            // Before the two have agreed on one, there is none to be shown.
            if let (Some(codec), Some(own)) = (&mut leg.codec, media.codec) {
                *codec = own.into();
            }
        }
    }
}

fn show(call: &LiveCall) -> Value {
    let mut legs = vec![leg("a", &call.leg_a)];
    legs.extend(call.leg_b.as_ref().map(|b| leg("b", b)));
    shown(&Shape {
        call_sid: call.call_sid.to_string(),
        date_start: times::written(call.date_start),
        date_talk: call.date_talk.map(times::written),
        legs,
        number_dst: call.number_dst.map(|number| number.to_string()),
        number_redirect: call.number_redirect.to_string(),
        number_src: call.number_src.map(|number| number.to_string()),
        reference_sid: call.reference_sid.map(|sid| sid.to_string()),
        state: call.state.as_str(),
        r#type: call.kind,
    })
}

fn leg<'a>(name: &'static str, leg: &'a LiveLeg) -> LegShape<'a> {
    LegShape {
        codec: leg.codec.as_deref(),
        endpoint_sid: leg.endpoint_sid.map(|sid| sid.to_string()),
        name,
        media: Media {
            jitter_ms: leg.media.jitter_ms,
            lost: leg.media.lost,
            mos: leg.media.mos,
            packets: leg.media.packets,
        },
        sip_call_id: leg.sip_call_id.as_deref(),
        state: leg.state.as_str(),
    }
}
