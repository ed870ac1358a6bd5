//! HTTP: the server, with TLS where wanted, on a thread and runtime of its own, away from calls; and what operators ask
//! without credentials: whether the process lives, and its metrics.

mod quotes;
mod server;
mod tls;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::metrics::Metrics;
use crate::shutdown::{Phase, PhaseWatch};

pub use server::{HttpServer, MAX_CONNECTIONS, Serving};
pub use tls::{ReloadableTls, TlsError, TlsFiles};

/// What the handlers read.
#[derive(Clone)]
pub struct Operators {
    /// The sources of `/metrics`.
    pub metrics: Metrics,
    /// Whether calls are taken.
    pub phase: PhaseWatch,
}

/// The paths that need no credentials.
pub fn router(operators: Operators) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .with_state(operators)
}

/// 200 for as long as the process answers at all; the body says when it takes no new calls.
async fn health(State(operators): State<Operators>) -> impl IntoResponse {
    let body = match operators.phase.phase() {
        Phase::Running => r#"{"status":"ok"}"#,
        Phase::Draining | Phase::Ending => r#"{"status":"draining"}"#,
    };
    ([(CONTENT_TYPE, "application/json")], body)
}

async fn metrics(State(operators): State<Operators>) -> impl IntoResponse {
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, content_type)], operators.metrics.render())
}
