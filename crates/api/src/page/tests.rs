//! Pages: what is asked for, and where the neighbours are.

use axum::extract::FromRequestParts;
use axum::http::Request;
use mediator_store::query::{OrderKey, Page};
use serde_json::{Value, json};

use super::{PageArgs, is_host, origin};
use crate::fault::Fault;
use crate::settings::PublicScheme;
use crate::state::AppState;
use crate::testing::{World, settings};

async fn take(target: &str, host: &str) -> Result<PageArgs, Fault> {
    let state = AppState::new(World::empty().backend, settings());
    let request = Request::builder().uri(target).header("Host", host);
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    PageArgs::from_request_parts(&mut parts, &state).await
}

#[tokio::test]
async fn have_limits_and_defaults() {
    let rows = [
        ("/x", 0, 10),
        ("/x?limit=0", 0, 0),
        ("/x?limit=1000&offset=7", 7, 1000),
        ("/x?limit=1001", 0, 1000),
        ("/x?limit=99999999999999999999", 0, 1000),
        ("/x?limit=", 0, 10),
        ("/x?offset=9223372036854775807", i64::MAX as u64, 10),
    ];
    for (target, offset, limit) in rows {
        let query = take(target, "h").await.unwrap().query;
        assert_eq!((query.offset, query.limit), (offset, limit), "{target}");
    }
    for (argument, bad) in [
        ("limit", "-1"),
        ("limit", "x"),
        ("limit", "1.5"),
        ("limit", "+1"),
        ("offset", "-1"),
        ("offset", "9223372036854775808"),
        ("offset", "x"),
        ("order", "name%20down"),
        ("order", "name%20asc%20desc"),
        ("order", "na%3Bme"),
        ("order", "a,b,c,d,e,f,g,h,i"),
        ("filter", "name"),
    ] {
        let Err(Fault::BadRequest { field, .. }) = take(&format!("/x?{argument}={bad}"), "h").await
        else {
            panic!("{argument}={bad} was taken")
        };
        assert_eq!(field.as_deref(), Some(argument), "{bad}");
    }
}

#[tokio::test]
async fn have_an_order() {
    let key = |path: &[&str], descending| OrderKey {
        path: path.iter().map(|name| (*name).into()).collect(),
        descending,
    };
    let rows = [
        ("name", vec![key(&["name"], false)]),
        ("name+DESC", vec![key(&["name"], true)]),
        (
            "name+asc,attributes.x+desc",
            vec![key(&["name"], false), key(&["attributes", "x"], true)],
        ),
        (",", vec![]),
    ];
    for (order, expected) in rows {
        assert_eq!(take(&format!("/x?order={order}"), "h").await.unwrap().query.order, expected);
    }
}

#[tokio::test]
async fn link_to_their_neighbours_with_all_other_arguments() {
    let page = |has_more| Page { items: vec![json!({})], total: Some(30), has_more };
    let args =
        take("/b?filter=name+eq+%22a%26b%22&limit=4&offset=2&reuse=1", "api.example:81").await;
    let envelope = args.unwrap().envelope(page(true));
    let rest = "filter=name%20eq%20%22a%26b%22&reuse=1";
    assert_eq!(
        envelope,
        json!({
            "count": 1,
            "has_more": true,
            "items": [{}],
            "limit": 4,
            "offset": 2,
            "pagination": {
                "next": format!("http://api.example:81/b?limit=4&offset=6&{rest}"),
                "previous": format!("http://api.example:81/b?limit=4&offset=0&{rest}"),
            },
            "total": 30,
        })
    );
    let first = take("/b?limit=4", "h").await.unwrap().envelope(page(false));
    assert_eq!(first["pagination"], json!({}));
    let nothing = take("/b?limit=0&offset=5", "h").await.unwrap().envelope(page(true));
    assert_eq!(nothing["pagination"], json!({}));
    let uncounted = Page { items: Vec::<Value>::new(), total: None, has_more: false };
    let later = take("/b?offset=100", "h").await.unwrap().envelope(uncounted);
    assert_eq!(later["total"], Value::Null);
    assert_eq!(later["pagination"], json!({ "previous": "http://h/b?limit=10&offset=90" }));
}

#[tokio::test]
async fn repeat_no_host_that_is_none() {
    for good in ["example.com", "example.com:8080", "127.0.0.1:80", "[::1]", "[::1]:443", "a_b-c"] {
        assert!(is_host(good), "{good}");
    }
    for bad in [
        "", ":80", "a:b", "a:99999", "a:+1", "a/b", "a@b", "a b", "[::1", "::1", "[x]:1", "a\"<b>",
        "a:80:80",
    ] {
        assert!(!is_host(bad), "{bad}");
    }
    assert!(!is_host(&"a".repeat(256)));
    let made_up = take("/b?offset=1", "evil/path?x=").await.unwrap();
    let uncounted = Page { items: Vec::new(), total: None, has_more: false };
    let previous = made_up.envelope(uncounted)["pagination"]["previous"].clone();
    assert_eq!(previous, json!("http://127.0.0.1:8080/b?limit=10&offset=0"));
}

#[test]
fn the_operators_choice_of_a_host_wins() {
    let mut settings = settings();
    settings.public_base = Some("api.operator.example".into());
    settings.public_scheme = PublicScheme::Https;
    let (parts, ()) = Request::builder().header("Host", "x").body(()).unwrap().into_parts();
    assert_eq!(origin(&settings, &parts.headers, &parts.uri), "https://api.operator.example");
}
