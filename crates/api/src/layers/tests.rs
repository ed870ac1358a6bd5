//! What lies around handlers, and what the router answers by itself.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::{MAX_URI_BYTES, api, outer};
use crate::fault::Flavour;
use crate::path::PathSid;
use crate::state::AppState;
use crate::testing::{World, request, settings};

async fn panics() {
    panic!("a bug")
}

fn world() -> World {
    let mut world = World::empty();
    let state = AppState::new(world.backend.clone(), settings());
    let an_hour = || async { tokio::time::sleep(Duration::from_hours(1)).await };
    let routes = Router::new()
        .route("/panic", get(panics))
        .route("/slow", get(an_hour))
        .route("/x/import", post(an_hour));
    let things = Router::new().route("/things/{sid}", get(|_: PathSid| async {}));
    let both = api("/mediator/v1", routes.merge(things.clone()), Flavour::Mediator)
        .merge(api("/core/v2", things, Flavour::Core))
        .with_state(state);
    world.router = outer(both);
    world
}

async fn ask(method: Method, path: &str) -> (u16, Value) {
    let answer = world().send(request(method, path, "", &Value::Null)).await;
    (answer.status.as_u16(), answer.json)
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let (status, body) = ask(Method::GET, "/mediator/v1/panic").await;
    let expected = json!({
        "body": null, "status": 500, "errors": [{ "message": "Internal server error" }],
    });
    assert_eq!((status, body), (500, expected));
}

#[tokio::test(start_paused = true)]
async fn a_request_takes_half_a_minute_at_most_unless_it_is_bulk() {
    let began = tokio::time::Instant::now();
    let (status, body) = ask(Method::GET, "/mediator/v1/slow").await;
    assert_eq!((status, &body["status"]), (503, &json!(503)));
    assert_eq!(began.elapsed().as_secs(), 30);
    let (status, _) = ask(Method::POST, "/mediator/v1/x/import").await;
    assert_eq!((status, began.elapsed().as_secs()), (200, 3630));
}

#[tokio::test]
async fn the_routers_own_errors_have_the_envelope_of_the_api_they_are_under() {
    let world = world();
    let long = format!("/mediator/v1/things/x?a={}", "a".repeat(MAX_URI_BYTES));
    let rows = [
        (Method::GET, "/mediator/v1/nothing", 404),
        (Method::GET, "/mediator/v1/", 404),
        (Method::GET, "/mediator/v1/things/x/y", 404),
        (Method::GET, "/mediator/v1/things/x", 404),
        (Method::GET, "/core/v2/things/05561bef-ce48-4823-a847-bf10f7837a4", 404),
        (Method::GET, "/core/v2/nothing", 404),
        (Method::GET, "/core/v2/", 404),
        (Method::POST, "/mediator/v1/things/x", 405),
        (Method::DELETE, "/core/v2/things/x", 405),
        (Method::GET, "/mediator/v1/things/%ff", 400),
        (Method::GET, "/core/v2/things/%zz", 404),
        (Method::GET, &long, 414),
    ];
    for (method, path, expected) in rows {
        let path_and_method = format!("{method} {path:.60}");
        let answer = world.send(request(method, path, "", &Value::Null)).await;
        assert_eq!(answer.status.as_u16(), expected, "{path_and_method}");
        assert_eq!(answer.json["status"], expected, "{path_and_method}");
        assert!(answer.json["errors"][0]["message"].is_string(), "{path_and_method}");
        let is_wrapped = answer.json.as_object().unwrap().contains_key("body");
        assert_eq!(is_wrapped, path.starts_with("/mediator"), "{path_and_method}");
        assert_eq!(answer.headers.contains_key("Allow"), expected == 405, "{path_and_method}");
    }
}

#[tokio::test]
async fn any_web_page_may_ask() {
    let world = world();
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/mediator/v1/things/x")
        .header("Origin", "https://shop.example")
        .header("Access-Control-Request-Method", "PATCH")
        .header("Access-Control-Request-Headers", "authorization,if-match");
    let answer = world.send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let header = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(header("Access-Control-Allow-Methods"), Some("PATCH"));
    assert_eq!(header("Access-Control-Allow-Headers"), Some("authorization,if-match"));
    // Errors are readable to the page as well, and so is the version of an object.
    let refused = world.send(request(Method::GET, "/core/v2/things/x", "", &Value::Null)).await;
    assert_eq!(refused.status.as_u16(), 404);
    assert_eq!(refused.headers.get("Access-Control-Allow-Origin").unwrap(), "*");
    let exposed = refused.headers.get("Access-Control-Expose-Headers").unwrap();
    assert!(exposed.to_str().unwrap().to_ascii_lowercase().contains("etag"));
}
