//! A request that comes again with its key.

use axum::extract::FromRequestParts;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use mediator_model::Sid;
use mediator_store::{Refused, Write};
use serde_json::json;

use super::{Idempotency, KEPT, MAX_KEY_BYTES};
use crate::fault::Fault;
use crate::testing::World;

const OWNER: Sid = Sid::from_u128(1);

async fn take(uri: &str, key: Option<&[u8]>) -> Result<Idempotency, Fault> {
    let mut request = Request::builder().method("POST").uri(uri);
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    Idempotency::from_request_parts(&mut parts, &()).await
}

/// Does the request's work once: an empty write that remembers its answer.
fn work(world: &World, request: &Idempotency, body: &[u8]) -> Result<(), Refused> {
    let now = world.backend.process.now();
    let remember = request.remember(OWNER, body, &json!({ "made": 1 }), now);
    let write = Write { now, ops: Vec::new(), requires: Vec::new(), remember };
    world.store.apply(write).map(drop)
}

#[tokio::test]
async fn gets_the_first_answer_again() {
    let world = World::empty();
    let request = take("/bindings", Some(b"order-1")).await.unwrap();
    assert!(request.replay(&world.backend, OWNER, b"{}").await.unwrap().is_none());
    work(&world, &request, b"{}").unwrap();
    assert_eq!(work(&world, &request, b"{}"), Err(Refused::Remembered));
    let again = request.replay(&world.backend, OWNER, b"{}").await.unwrap().unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.headers().get("Idempotent-Replayed").unwrap(), "true");
    assert_eq!(again.headers().get("Content-Type").unwrap(), "application/json");
    let bytes = again.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(bytes, r#"{"made":1}"#);
}

#[tokio::test]
async fn another_request_with_the_key_is_refused() {
    let world = World::empty();
    let first = take("/bindings", Some(b"order-1")).await.unwrap();
    work(&world, &first, b"{}").unwrap();
    let other_body = first.replay(&world.backend, OWNER, b"{ }").await;
    assert_eq!(other_body.err(), Some(Fault::KeyReused));
    let elsewhere = take("/dialouts", Some(b"order-1")).await.unwrap();
    let other_path = elsewhere.replay(&world.backend, OWNER, b"{}").await;
    assert_eq!(other_path.err(), Some(Fault::KeyReused));
    // Another owner's key is another key.
    let stranger = first.replay(&world.backend, Sid::from_u128(2), b"{}").await;
    assert!(stranger.unwrap().is_none());
}

#[tokio::test]
async fn is_forgotten_after_a_day() {
    let world = World::empty();
    let request = take("/bindings", Some(b"k")).await.unwrap();
    work(&world, &request, b"").unwrap();
    world.pass(KEPT);
    assert!(request.replay(&world.backend, OWNER, b"").await.unwrap().is_none());
}

#[tokio::test]
async fn without_a_key_nothing_is_kept() {
    let world = World::empty();
    let request = take("/bindings", None).await.unwrap();
    assert_eq!(request.remember(OWNER, b"", &json!({}), world.backend.process.now()), None);
    assert!(request.replay(&world.backend, OWNER, b"").await.unwrap().is_none());
}

#[tokio::test]
async fn keys_are_visible_ascii_of_some_length() {
    assert!(take("/", Some(&[b'x'; MAX_KEY_BYTES])).await.is_ok());
    let long = [b'x'; MAX_KEY_BYTES + 1];
    for bad in [&b""[..], b"a b", b"\xc3\xa4", &long] {
        assert!(matches!(take("/", Some(bad)).await, Err(Fault::BadRequest { .. })), "{bad:?}");
    }
}
