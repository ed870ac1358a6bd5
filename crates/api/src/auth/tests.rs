//! Who gets in, and how long guessing takes.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Argon2, Params};
use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mediator_model::{Secret, Sid, UnixMillis};
use mediator_store::record::{EndpointRecord, Kind, Record};
use mediator_store::{Op, Write};
use serde_json::Value;

use super::throttle::Throttle;
use super::{Account, Operator, Passwords, Peer};
use crate::fault::{Fault, Flavour};
use crate::layers;
use crate::state::AppState;
use crate::testing::{
    Answer, LOGIN, START, TOKEN, World, account, basic, request, settings, token,
};

/// A path that any account may read.
const ACCOUNTS: &str = "/mediator/v1/accounts";
/// A path that the operator may read.
const WHOAMI: &str = "/core/v2/oauth/whoami";

/// A door of each kind and nothing behind it.
fn behind_doors(mut world: World) -> World {
    let state = AppState::new(world.backend.clone(), settings());
    let mediator = Router::new().route("/accounts", get(|_: Account| async {}));
    let core = Router::new().route("/oauth/whoami", get(|_: Operator| async {}));
    world.router = layers::api("/mediator/v1", mediator, Flavour::Mediator)
        .merge(layers::api("/core/v2", core, Flavour::Core))
        .with_state(state);
    world
}

async fn ask(world: &World, path: &str, authorization: &str) -> Answer {
    world.send(request(Method::GET, path, authorization, &Value::Null)).await
}

fn message(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.json["errors"][0]["message"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn accounts_have_basic_credentials_and_the_operator_a_token() {
    let bearer = format!("Bearer {TOKEN}");
    let plain = |text: &str| format!("Basic {}", STANDARD.encode(text));
    let wrong = (401, "Bad credentials");
    let none = (401, "Unauthorized");
    let rows: Vec<(&str, String, (u16, &str))> = vec![
        (ACCOUNTS, basic(LOGIN), (200, "")),
        (ACCOUNTS, basic(LOGIN).replace("Basic", "bASIC "), (200, "")),
        (ACCOUNTS, String::new(), none),
        (ACCOUNTS, bearer.clone(), none),
        (ACCOUNTS, basic((LOGIN.0, "wrong")), wrong),
        (ACCOUNTS, basic((LOGIN.0, "")), wrong),
        (ACCOUNTS, basic(("nobody", LOGIN.1)), wrong),
        (ACCOUNTS, basic(("", "")), wrong),
        (ACCOUNTS, plain("no colon"), wrong),
        (ACCOUNTS, "Basic %%%".to_owned(), wrong),
        (ACCOUNTS, "Basic".to_owned(), wrong),
        (WHOAMI, bearer.clone(), (200, "")),
        (WHOAMI, bearer.replace("Bearer", "bearer"), (200, "")),
        (WHOAMI, String::new(), none),
        (WHOAMI, basic(LOGIN), none),
        (WHOAMI, "Bearer wrong".to_owned(), wrong),
        (WHOAMI, "Bearer".to_owned(), wrong),
        (WHOAMI, TOKEN.to_owned(), none),
    ];
    for (path, authorization, expected) in rows {
        let world = behind_doors(World::with_account(&[]));
        let answer = ask(&world, path, &authorization).await;
        assert_eq!(message(&answer), expected, "{path} {authorization}");
        let challenge = answer.headers.get("WWW-Authenticate").map(|value| value.to_str().unwrap());
        let scheme = if path == ACCOUNTS { "Basic realm=\"mediator\"" } else { "Bearer" };
        let is_challenged = challenge.is_some_and(|challenge| challenge.starts_with(scheme));
        assert_eq!(is_challenged, expected.0 == 401, "{path} {authorization}");
    }
}

#[tokio::test]
async fn a_password_may_hold_colons() {
    let world = behind_doors(World::empty());
    world.add_account(1, ("login", "pass:word:"), &[]);
    assert_eq!(ask(&world, ACCOUNTS, &basic(("login", "pass:word:"))).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_ends_in_time() {
    let world = behind_doors(World::empty());
    let mut short = token("short");
    short.sid = Sid::from_u128(77);
    short.access_expires = UnixMillis(START.0 + 1000);
    world.put(Record::Token(Arc::new(short)));
    assert_eq!(ask(&world, WHOAMI, "Bearer short").await.status, StatusCode::OK);
    world.pass(Duration::from_secs(1));
    assert_eq!(message(&ask(&world, WHOAMI, "Bearer short").await), (401, "Bad credentials"));
}

/// An account whose password is kept as an argon2 hash, made cheap.
fn hashed(password: &str) -> EndpointRecord {
    let cheap = Argon2::from(Params::new(16, 1, 1, None).unwrap());
    let salt = SaltString::from_b64("bWVkaWF0b3Jtc2FsdA").unwrap();
    let phc = cheap.hash_password(password.as_bytes(), &salt).unwrap().to_string();
    EndpointRecord { password: Some(Secret::new(phc)), ..account(1, ("hashed", "")) }
}

#[tokio::test]
async fn a_hashed_password_counts_from_its_change_on() {
    let world = behind_doors(World::empty());
    world.put(Record::Endpoint(Arc::new(hashed("first"))));
    for _ in 0..2 {
        assert_eq!(ask(&world, ACCOUNTS, &basic(("hashed", "first"))).await.status, StatusCode::OK);
        assert_eq!(ask(&world, ACCOUNTS, &basic(("hashed", "second"))).await.status.as_u16(), 401);
    }
    let revision = world.backend.catalog.endpoint(Sid::from_u128(1)).unwrap().revision;
    let record = Record::Endpoint(Arc::new(hashed("second")));
    let change = Op::Update { record, expect: revision };
    world.store.apply(Write::one(START, change)).unwrap();
    assert_eq!(ask(&world, ACCOUNTS, &basic(("hashed", "first"))).await.status.as_u16(), 401);
    assert_eq!(ask(&world, ACCOUNTS, &basic(("hashed", "second"))).await.status, StatusCode::OK);
    let gone = Op::Delete { kind: Kind::Endpoint, sid: Sid::from_u128(1), expect: None };
    world.store.apply(Write::one(START, gone)).unwrap();
    assert_eq!(ask(&world, ACCOUNTS, &basic(("hashed", "second"))).await.status.as_u16(), 401);
}

#[tokio::test]
async fn a_hash_is_no_password_and_a_broken_one_opens_nothing() {
    let passwords = Passwords::new();
    let hash = hashed("right").password.unwrap();
    assert!(passwords.verify("l", Some(&hash), "right".to_owned()).await);
    assert!(!passwords.verify("l", Some(&hash), hash.expose().to_owned()).await);
    let broken = Secret::new("$argon2id$broken");
    assert!(!passwords.verify("l", Some(&broken), "$argon2id$broken".to_owned()).await);
    assert!(!passwords.verify("l", None, String::new()).await);
    assert!(passwords.are_equal("a", "a") && !passwords.are_equal("a", "b"));
}

#[tokio::test]
async fn ten_failures_shut_an_address_out_for_a_minute() {
    let world = behind_doors(World::with_account(&[]));
    for _ in 0..10 {
        assert_eq!(ask(&world, ACCOUNTS, &basic((LOGIN.0, "wrong"))).await.status.as_u16(), 401);
    }
    // For both APIs, and good credentials too that were not seen before: else guessing would go on.
    for (path, authorization) in [(ACCOUNTS, basic(LOGIN)), (WHOAMI, format!("Bearer {TOKEN}"))] {
        let answer = ask(&world, path, &authorization).await;
        assert_eq!(message(&answer), (429, "Too Many Requests"));
        assert_eq!(answer.headers.get("Retry-After").unwrap(), "60");
    }
    // Who asks without credentials guesses nothing.
    assert_eq!(ask(&world, ACCOUNTS, "").await.status.as_u16(), 401);
    world.pass(Duration::from_millis(59_500));
    let answer = ask(&world, ACCOUNTS, &basic(LOGIN)).await;
    assert_eq!(answer.headers.get("Retry-After").unwrap(), "1");
    world.pass(Duration::from_millis(500));
    assert_eq!(ask(&world, ACCOUNTS, &basic(LOGIN)).await.status, StatusCode::OK);
}

#[test]
fn failures_count_for_a_minute_and_until_a_success() {
    let throttle = Throttle::new();
    let peer = |text: &str| Peer(Some(text.parse().unwrap()));
    let at = |seconds: u64| UnixMillis(START.0 + 1000 * seconds);
    let one = peer("192.0.2.1");
    for _ in 0..9 {
        throttle.failed(one, 7, at(0));
    }
    assert_eq!(throttle.admit(one, at(0)), Ok(()));
    throttle.forget(one, 7);
    for second in 0..9 {
        throttle.failed(one, 7, at(second));
    }
    // The minute of the first failure is over: counting begins again.
    throttle.failed(one, 7, at(60));
    assert_eq!(throttle.admit(one, at(60)), Ok(()));
    for _ in 0..9 {
        throttle.failed(one, 7, at(61));
    }
    assert_eq!(throttle.admit(one, at(61)), Err(Fault::TooManyRequests { retry_after: 60 }));
    assert_eq!(throttle.admit(peer("192.0.2.2"), at(61)), Ok(()));
    // A customer's 64 bits of IPv6 addresses are one.
    for at_once in 0..10_u64 {
        throttle.failed(peer(&format!("2001:db8::{at_once}")), at_once, at(0));
    }
    assert!(throttle.admit(peer("2001:db8::ffff"), at(0)).is_err());
    assert_eq!(throttle.admit(peer("2001:db8:0:1::1"), at(0)), Ok(()));
}

#[test]
fn a_success_takes_back_failures_of_its_own_login_alone() {
    let throttle = Throttle::new();
    let one = Peer(Some("192.0.2.1".parse().unwrap()));
    for _ in 0..9 {
        throttle.failed(one, 7, START);
    }
    throttle.forget(one, 8);
    throttle.failed(one, 7, START);
    assert!(throttle.admit(one, START).is_err());
}

#[tokio::test]
async fn a_client_that_works_is_not_shut_out_by_another_behind_its_address() {
    let world = behind_doors(World::with_account(&[]));
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(ask(&world, ACCOUNTS, &basic(LOGIN)).await.status, StatusCode::OK);
    assert_eq!(ask(&world, WHOAMI, &bearer).await.status, StatusCode::OK);
    for _ in 0..10 {
        assert_eq!(ask(&world, ACCOUNTS, &basic((LOGIN.0, "wrong"))).await.status.as_u16(), 401);
    }
    for _ in 0..2 {
        assert_eq!(ask(&world, ACCOUNTS, &basic(LOGIN)).await.status, StatusCode::OK);
        assert_eq!(ask(&world, WHOAMI, &bearer).await.status, StatusCode::OK);
        // What works helps nobody who guesses.
        let guess = ask(&world, ACCOUNTS, &basic((LOGIN.0, "guess"))).await;
        assert_eq!(guess.status.as_u16(), 429);
    }
    // Credentials that were good once are looked at all the same.
    let gone = Op::Delete { kind: Kind::Endpoint, sid: Sid::from_u128(1), expect: None };
    world.store.apply(Write::one(START, gone)).unwrap();
    for status in [401, 429] {
        assert_eq!(ask(&world, ACCOUNTS, &basic(LOGIN)).await.status.as_u16(), status);
    }
}

#[test]
fn watches_no_more_addresses_than_it_may() {
    let throttle = Throttle::new();
    for at in 0..20_000_u32 {
        throttle.failed(Peer(Some(std::net::Ipv4Addr::from(at).into())), 0, START);
    }
    assert!(throttle.watched() <= 16 * 1024);
    // Those whose time is over are forgotten first.
    let later = UnixMillis(START.0 + 60_000);
    throttle.failed(Peer(None), 0, later);
    assert_eq!(throttle.watched(), 1);
}
