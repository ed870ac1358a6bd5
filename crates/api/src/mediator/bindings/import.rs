//! POST /bindings/import: bindings by the thousand, a JSON object a line, one result a line, in order.
//!
//! Lines that are there are planned together and written together, so that one fsync makes many bindings durable; the
//! longer the disk takes, the more lines come together. A write takes effect whole or not at all: where it is refused,
//! its lines are looked at one by one, so that a bad line harms no other.

mod batch;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc::{self, Receiver, Sender};

use self::batch::{Batch, MAX_LINES};
use super::create::Maker;
use super::draft::Wishes;
use super::lines::{Line, Lines};
use super::{bodies, maker};
use crate::args::Args;
use crate::auth::Account;
use crate::body::is_json;
use crate::fault::Fault;
use crate::state::AppState;

/// Imports at once, of all accounts.
pub(in crate::mediator) const MAX_IMPORTS: usize = 8;
/// Pieces of a body that were read and wait for the store.
const PIECES_AHEAD: usize = 16;
/// Batches whose results wait for the client: one that reads nothing before it has sent all can send some hundred
/// thousand lines.
const RESULTS_AHEAD: usize = 256;

const NDJSON: &str = "application/x-ndjson";

/// Makes bindings by the thousand.
///
/// The body is newline-delimited JSON, each line as the body of POST /bindings. The answer has one line for each line
/// that is not empty, in order and while the body still comes: read it while you send. `reuse` and `fallback_country`
/// in the query are for all lines.
#[utoipa::path(
    post, path = "/bindings/import", tag = "Bindings",
    params(
        ("reuse" = Option<bool>, Query, description = "Whether bindings with the same parameters will do"),
        ("fallback_country" = Option<String>, Query, description = "Choose numbers of this country (ISO 3166-1)"),
    ),
    request_body(content = bodies::BindingBody, content_type = "application/x-ndjson", description = "One object a line"),
    responses(
        (
            status = 200, content_type = "application/x-ndjson", body = Object,
            description = "`{\"line\": 1, \"status\": 200, \"binding_sid\": \"...\"}`, or `{\"line\": 2, \"status\": 409, \"errors\": [...]}`",
        ),
    ),
)]
pub(in crate::mediator) async fn import(
    State(state): State<AppState>,
    Account(account): Account,
    args: Args,
    request: Request,
) -> Result<Response, Fault> {
    if !is_ndjson(request.headers()) {
        return Err(Fault::UnsupportedMediaType);
    }
    let wishes = Wishes::from_args(&args)?;
    let maker = maker(&state, account.sid);
    let place = state.desk.import_place().ok_or(Fault::Overloaded)?;
    let (pieces, lines) = mpsc::channel(PIECES_AHEAD);
    let (results, answer) = mpsc::channel(RESULTS_AHEAD);
    tokio::spawn(read(request.into_body().into_data_stream(), pieces));
    tokio::spawn(async move {
        write(&maker, wishes, lines, results).await;
        drop(place);
    });
    let answer = stream::unfold(answer, |mut answer: Receiver<Bytes>| async move {
        let text = answer.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(text), answer))
    });
    Ok(([(CONTENT_TYPE, NDJSON)], Body::from_stream(answer)).into_response())
}

/// Cuts the body into lines until it ends or nobody wants them.
async fn read(mut body: BodyDataStream, pieces: Sender<Vec<Line>>) {
    let mut lines = Lines::default();
    loop {
        let piece = tokio::select! {
            () = pieces.closed() => return,
            piece = body.next() => piece,
        };
        let Some(piece) = piece else { break };
        // A body that breaks off has an unfinished line that nobody meant.
        let Ok(piece) = piece else { return };
        let found = lines.push(&piece);
        if !found.is_empty() && pieces.send(found).await.is_err() {
            return;
        }
    }
    if let Some(last) = lines.finish() {
        let _ = pieces.send(vec![last]).await;
    }
}

/// Writes lines as they come, as many together as there are, until there are no more or nobody wants the results.
async fn write(
    maker: &Maker,
    wishes: Wishes,
    mut pieces: Receiver<Vec<Line>>,
    results: Sender<Bytes>,
) {
    loop {
        let lines = tokio::select! {
            () = results.closed() => return,
            lines = pieces.recv() => lines,
        };
        let Some(mut lines) = lines else { return };
        while lines.len() < MAX_LINES
            && let Ok(more) = pieces.try_recv()
        {
            lines.extend(more);
        }
        while !lines.is_empty() {
            let rest = lines.split_off(lines.len().min(MAX_LINES));
            let text = Batch::new(maker, wishes).write(lines).await;
            if results.send(text).await.is_err() {
                return;
            }
            lines = rest;
        }
    }
}

/// One of the names that newline-delimited JSON goes by.
fn is_ndjson(headers: &HeaderMap) -> bool {
    const NAMES: [&str; 5] = [
        NDJSON,
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/jsonlines",
    ];
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    NAMES.iter().any(|name| name.eq_ignore_ascii_case(kind)) || is_json(headers)
}
