//! GET /bindings/export: all bindings of the account, a JSON object a line, in the order of creation.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use mediator_model::Sid;
use mediator_store::ReadError;
use mediator_store::query::Filter;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::shape;
use crate::args::Args;
use crate::auth::Account;
use crate::fault::Fault;
use crate::filter;
use crate::ports::Backend;
use crate::select::Select;
use crate::state::AppState;

/// How much is sent at once, in bytes.
const PIECE: usize = 64 * 1024;
/// Pieces that wait for the client.
const PIECES_AHEAD: usize = 4;

/// All bindings, as newline-delimited JSON that can be imported again.
#[utoipa::path(
    get, path = "/bindings/export", tag = "Bindings",
    params(
        ("filter" = Option<String>, Query, description = "Only bindings that match"),
        ("include_fields" = Option<String>, Query, description = "The fields to show, with commas"),
        ("exclude_fields" = Option<String>, Query, description = "The fields not to show, with commas"),
    ),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = Object, description = "One binding a line, in the order of creation"),
    ),
)]
pub(in crate::mediator) async fn export(
    State(state): State<AppState>,
    Account(account): Account,
    args: Args,
) -> Result<Response, Fault> {
    let select = Select::from_args(&args, shape::FIELDS)?;
    let filter = match args.text("filter") {
        None => Filter::All(Vec::new()),
        Some(text) => {
            let bad = |detail: String| Fault::bad_argument("filter", detail);
            let filter = filter::parse(text).map_err(|error| bad(error.to_string()))?;
            filter::check(&filter, shape::FIELDS).map_err(|error| bad(error.to_string()))?;
            filter
        }
    };
    let (pieces, answer) = mpsc::channel(PIECES_AHEAD);
    let exporter =
        Exporter { backend: state.backend.clone(), account: account.sid, select, filter };
    tokio::task::spawn_blocking(move || exporter.run(&pieces));
    let answer = stream::unfold(answer, |mut answer: Receiver<io::Result<Bytes>>| async move {
        let piece = answer.recv().await?;
        Some((piece, answer))
    });
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(answer)).into_response())
}

struct Exporter {
    backend: Backend,
    account: Sid,
    select: Select,
    filter: Filter,
}

impl Exporter {
    /// Reads until the end, or until nobody wants more. A failure breaks the answer off, so that nobody takes it for whole.
    fn run(&self, pieces: &Sender<io::Result<Bytes>>) {
        let mut text = Vec::with_capacity(PIECE * 2);
        let mut bad = None;
        let store = Arc::clone(&self.backend.store);
        let now = self.backend.process.now();
        let result = store.each_binding(self.account, now, &mut |record| {
            let shown = shape::show(record, &self.backend.catalog);
            match filter::matches(&self.filter, &shown) {
                Ok(true) => {}
                Ok(false) => return true,
                Err(error) => {
                    bad = Some(error);
                    return false;
                }
            }
            text.extend_from_slice(self.select.apply(shown).to_string().as_bytes());
            text.push(b'\n');
            if text.len() < PIECE {
                return true;
            }
            let piece = std::mem::replace(&mut text, Vec::with_capacity(PIECE * 2));
            pieces.blocking_send(Ok(piece.into())).is_ok()
        });
        let last = match bad.map_or(result, Err) {
            Ok(()) => Ok(text.into()),
            Err(error) => Err(failed(&error)),
        };
        // A client that is gone wants no end.
        let _ = pieces.blocking_send(last);
    }
}

fn failed(error: &ReadError) -> io::Error {
    tracing::error!(%error, "an export broke off");
    io::Error::other("the store cannot be read")
}
