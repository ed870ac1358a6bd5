//! Requests of the API, counted by route, method and status.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use dashmap::DashMap;

use super::{Kind, Page, Source};

/// What a request without a route of its own is counted under.
const NO_ROUTE: &str = "none";

/// Route, method and status.
type Label = (Box<str>, &'static str, u16);

/// Requests, counted; as many counts as routes, methods and codes that were met.
#[derive(Clone, Default)]
pub struct RequestCounts {
    counts: Arc<DashMap<Label, AtomicU64>>,
}

impl RequestCounts {
    fn add(&self, route: &str, method: &'static str, status: u16) {
        let key = (Box::from(route), method, status);
        if let Some(count) = self.counts.get(&key) {
            count.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.counts.entry(key).or_default().fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts a request when it is answered.
pub async fn count_request(
    State(counts): State<RequestCounts>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let method = known(request.method());
    let response = next.run(request).await;
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    counts.add(route, method, response.status().as_u16());
    response
}

/// Methods are the client's to invent, counts are not.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "HEAD" => "HEAD",
        _ => "other",
    }
}

impl Source for RequestCounts {
    fn collect(&self, page: &mut Page) {
        page.family("mediator_api_requests_total", "Requests answered.", Kind::Counter);
        let counts = self.counts.iter();
        let mut rows: Vec<_> = counts
            .map(|entry| (entry.key().clone(), entry.value().load(Ordering::Relaxed)))
            .collect();
        rows.sort_unstable();
        for ((route, method, status), count) in rows {
            let code = status.to_string();
            page.sample(&[("route", &route), ("method", method), ("code", &code)], count);
        }
    }
}
