//! What a body must be.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use proptest::prelude::*;
use serde_json::json;

use super::{JsonObject, MAX_BYTES, MAX_DEPTH, read_bytes, read_json};
use crate::fault::Fault;

async fn take(kind: Option<&str>, body: impl Into<Body>) -> Result<JsonObject, Fault> {
    let mut request = Request::builder();
    if let Some(kind) = kind {
        request = request.header("Content-Type", kind);
    }
    JsonObject::from_request(request.body(body.into()).unwrap(), &()).await
}

#[tokio::test]
async fn must_be_json_by_its_type() {
    for kind in
        ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
    {
        assert!(take(Some(kind), "{}").await.is_ok(), "{kind}");
    }
    for kind in [None, Some(""), Some("text/json"), Some("text/plain"), Some("application/jsonp")] {
        assert_eq!(take(kind, "{}").await, Err(Fault::UnsupportedMediaType), "{kind:?}");
    }
}

#[tokio::test]
async fn must_not_be_longer_than_a_mebibyte() {
    let padded = |bytes: usize| format!("{{}}{}", " ".repeat(bytes - 2));
    assert!(take(Some("application/json"), padded(MAX_BYTES)).await.is_ok());
    let too_long = take(Some("application/json"), padded(MAX_BYTES + 1)).await;
    assert_eq!(too_long, Err(Fault::TooLarge));
}

#[test]
fn must_be_one_object() {
    let last_wins = read_json(br#"{"a": 1, "a": 2}"#);
    assert_eq!(last_wins.map(serde_json::Value::Object), Ok(json!({ "a": 2 })));
    for bad in ["", "null", "[]", "1", "\"x\"", "{", "{}{}", "{a: 1}", "{\"a\": NaN}", "\u{feff}{}"]
    {
        assert!(matches!(read_json(bad.as_bytes()), Err(Fault::NotJson { .. })), "{bad}");
    }
    assert!(matches!(read_json(b"{\"a\": \"\xff\"}"), Err(Fault::NotJson { .. })));
    assert!(matches!(read_json(br#"{"a": "\ud800"}"#), Err(Fault::NotJson { .. })));
}

#[test]
fn must_not_be_nested_too_deep() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert!(read_json(nested(MAX_DEPTH).as_bytes()).is_ok());
    for depth in [MAX_DEPTH + 1, 200, 100_000] {
        let refused = read_json(nested(depth).as_bytes());
        assert!(matches!(refused, Err(Fault::NotJson { .. })), "{depth}");
    }
    let lists = format!("{{\"a\":{}{}}}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert!(matches!(read_json(lists.as_bytes()), Err(Fault::NotJson { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_an_object_or_a_reason(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_json(&bytes);
    }

    #[test]
    fn any_pieces_of_json_are_an_object_or_a_reason(pieces in prop::collection::vec(
        prop::sample::select(vec!["{", "}", "[", "]", "\"a\"", ":", ",", "1", "-", "e9", "null", "\\u", "\"", " "]),
        0..60,
    )) {
        let text = pieces.concat();
        if let Ok(object) = read_json(text.as_bytes()) {
            let again = serde_json::to_vec(&object).unwrap();
            prop_assert_eq!(read_json(&again), Ok(object));
        }
    }
}

/// A body that is said to be so long, and must not be waited for.
struct Announced(u64);

impl HttpBody for Announced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("a client that waits for 100 (Continue) would send all of it")
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

#[tokio::test]
async fn what_is_announced_too_long_is_not_read() {
    let request = Request::new(Body::new(Announced(MAX_BYTES as u64 + 1)));
    assert!(matches!(read_bytes(request).await, Err(Fault::TooLarge)));
}
