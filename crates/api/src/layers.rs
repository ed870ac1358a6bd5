//! What lies around every handler: errors in the API's words, panics caught, time and length limited, and CORS.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::http::HeaderName;
use axum::http::header::{ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use crate::fault::{self, Fault, Flavour};
use crate::state::AppState;

/// How long a handler may take until its answer begins; what streams may go on.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// The longest path and query, in bytes: the longest filter, with every byte escaped, and room.
const MAX_URI_BYTES: usize = 32 * 1024;

/// The handlers of one API below its prefix.
pub(crate) fn api(prefix: &str, routes: Router<AppState>, flavour: Flavour) -> Router<AppState> {
    // The prefix with a slash is no path of the nested router's, and must not be one of nobody's.
    let root = Router::new().route(&format!("{prefix}/"), any(|| async { Fault::NotFound }));
    Router::new().nest(prefix, wrapped(routes, flavour)).merge(wrapped_root(root, flavour))
}

fn wrapped_root(root: Router<AppState>, flavour: Flavour) -> Router<AppState> {
    root.layer(map_response(
        move |response: Response| async move { fault::render(flavour, response) },
    ))
}

fn wrapped(routes: Router<AppState>, flavour: Flavour) -> Router<AppState> {
    routes
        .fallback(|| async { Fault::NotFound })
        .method_not_allowed_fallback(|| async { Fault::MethodNotAllowed })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(limited))
        .layer(map_response(
            move |response: Response| async move { fault::render(flavour, response) },
        ))
}

/// Wraps both APIs: any web page may use them, as the vendor's.
pub(crate) fn outer(router: Router) -> Router {
    router.layer(
        CorsLayer::new()
            .allow_origin(AllowOrigin::any())
            .allow_methods(AllowMethods::mirror_request())
            // A wildcard would not cover Authorization (Fetch standard, "CORS non-wildcard request-header name").
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers([
                ETAG,
                RETRY_AFTER,
                WWW_AUTHENTICATE,
                HeaderName::from_static("idempotent-replayed"),
            ])
            .max_age(Duration::from_hours(24)),
    )
}

async fn limited(OriginalUri(uri): OriginalUri, request: Request, next: Next) -> Response {
    if uri.path_and_query().is_some_and(|text| text.as_str().len() > MAX_URI_BYTES) {
        return Fault::UriTooLong.into_response();
    }
    if is_bulk(uri.path()) {
        return next.run(request).await;
    }
    let answer = tokio::time::timeout(TIME_LIMIT, next.run(request)).await;
    answer.unwrap_or_else(|_| Fault::TimedOut.into_response())
}

/// Bulk requests take as long as their data come.
fn is_bulk(path: &str) -> bool {
    path.ends_with("/import") || path.ends_with("/export")
}

#[expect(clippy::needless_pass_by_value, reason = "tower-http hands it over")]
fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| cause.downcast_ref::<String>().map(String::as_str));
    tracing::error!(cause = text, "an API handler panicked");
    Fault::Internal.into_response()
}
