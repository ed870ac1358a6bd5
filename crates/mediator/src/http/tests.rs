//! What the paths answer, and that the server lets nobody sit on it.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;
use crate::metrics::ProcessMetrics;
use crate::shutdown::Shutdown;

struct Asked {
    status: StatusCode,
    content_type: String,
    body: String,
}

fn ask(shutdown: &Shutdown, method: Method, path: &str) -> Asked {
    let metrics = Metrics::default();
    metrics.add(ProcessMetrics::start());
    let router = router(Operators { metrics, phase: shutdown.watch() });
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.map_or("", |value| value.to_str().unwrap()).to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Asked { status, content_type, body: String::from_utf8(body.to_vec()).unwrap() }
    })
}

#[test]
fn is_healthy_without_credentials_also_while_draining() {
    let shutdown = Shutdown::default();
    let asked = ask(&shutdown, Method::GET, "/healthz");
    assert_eq!(asked.status, StatusCode::OK);
    assert_eq!(asked.content_type, "application/json");
    assert_eq!(asked.body, r#"{"status":"ok"}"#);
    shutdown.advance(Phase::Draining);
    let asked = ask(&shutdown, Method::GET, "/healthz");
    assert_eq!((asked.status, &*asked.body), (StatusCode::OK, r#"{"status":"draining"}"#));
}

#[test]
fn shows_metrics_as_prometheus_wants_them() {
    let asked = ask(&Shutdown::default(), Method::GET, "/metrics");
    assert_eq!(asked.status, StatusCode::OK);
    assert_eq!(asked.content_type, "text/plain; version=0.0.4; charset=utf-8");
    assert!(asked.body.contains("mediator_build_info{version="), "{}", asked.body);
}

#[test]
fn knows_no_other_path_and_method() {
    let shutdown = Shutdown::default();
    assert_eq!(ask(&shutdown, Method::GET, "/").status, StatusCode::NOT_FOUND);
    assert_eq!(ask(&shutdown, Method::POST, "/metrics").status, StatusCode::METHOD_NOT_ALLOWED);
}
