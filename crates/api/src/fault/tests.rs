//! What each fault looks like in each API.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use mediator_model::Sid;
use mediator_store::record::Kind;
use mediator_store::{ReadError, Refused};
use serde_json::{Value, json};

use super::{Fault, FieldError, Flavour, render};

async fn shown(flavour: Flavour, response: Response) -> (u16, Value) {
    let response = render(flavour, response);
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test]
async fn faults_have_the_status_and_words_of_the_api() {
    let invalid = || {
        Fault::Invalid(vec![
            FieldError { field: "dtmf".into(), detail: "expected a text".into() },
            FieldError { field: "name".into(), detail: "is required".into() },
        ])
    };
    let plain = |message: &str| json!([{ "message": message }]);
    let rows: Vec<(Fault, u16, Value, u16, Value)> = vec![
        (
            invalid(),
            400,
            json!([
                { "message": "Bad Request", "field": "dtmf", "detail": "expected a text" },
                { "message": "Bad Request", "field": "name", "detail": "is required" },
            ]),
            422,
            json!([
                { "message": "Object validation error", "field": "dtmf", "detail": "expected a text" },
                { "message": "Object validation error", "field": "name", "detail": "is required" },
            ]),
        ),
        (
            Fault::UnknownReference { field: "endpoint_sid".into() },
            409,
            json!([{ "message": "Cannot find endpoint_sid", "field": "endpoint_sid" }]),
            422,
            json!([{ "message": "Object validation error", "field": "endpoint_sid", "detail": "there is no such object" }]),
        ),
        (
            Fault::conflict("Cannot find redirect_did", "redirect_did"),
            409,
            json!([{ "message": "Cannot find redirect_did", "field": "redirect_did" }]),
            409,
            json!([{ "message": "Cannot find redirect_did", "field": "redirect_did" }]),
        ),
        (
            Fault::bad_argument("limit", "expected a whole number from 0"),
            400,
            json!([{ "message": "Bad Request", "field": "limit", "detail": "expected a whole number from 0" }]),
            400,
            json!([{ "message": "Bad Request", "field": "limit", "detail": "expected a whole number from 0" }]),
        ),
        (
            Fault::NotJson { detail: "EOF".into() },
            400,
            json!([{ "message": "No JSON object could be decoded", "detail": "EOF" }]),
            400,
            json!([{ "message": "No JSON object could be decoded", "detail": "EOF" }]),
        ),
        (Fault::BadCredentials, 401, plain("Bad credentials"), 401, plain("Bad credentials")),
        (Fault::Unauthorized, 401, plain("Unauthorized"), 401, plain("Unauthorized")),
        (
            Fault::NoSuchSid,
            404,
            plain("Cannot find item by SID"),
            404,
            plain("Cannot find item by SID"),
        ),
        (Fault::NotFound, 404, plain("Not Found"), 404, plain("Not Found")),
        (
            Fault::MethodNotAllowed,
            405,
            plain("Method Not Allowed"),
            405,
            plain("Method Not Allowed"),
        ),
        (
            Fault::PreconditionFailed,
            412,
            plain("Precondition Failed"),
            412,
            plain("Precondition Failed"),
        ),
        (Fault::TooLarge, 413, plain("Payload Too Large"), 413, plain("Payload Too Large")),
        (Fault::UriTooLong, 414, plain("URI Too Long"), 414, plain("URI Too Long")),
        (
            Fault::UnsupportedMediaType,
            415,
            plain("Unsupported media type"),
            415,
            plain("Unsupported media type"),
        ),
        (
            Fault::TooManyRequests { retry_after: 60 },
            429,
            plain("Too Many Requests"),
            429,
            plain("Too Many Requests"),
        ),
        (Fault::Internal, 500, plain("Internal server error"), 500, plain("Internal server error")),
        (Fault::Overloaded, 503, plain("Service Unavailable"), 503, plain("Service Unavailable")),
    ];
    for (fault, mediator_status, mediator_errors, core_status, core_errors) in rows {
        let mediator = shown(Flavour::Mediator, fault.clone().into_response()).await;
        let body = json!({ "body": null, "status": mediator_status, "errors": mediator_errors });
        assert_eq!(mediator, (mediator_status, body), "{fault:?}");
        let core = shown(Flavour::Core, fault.clone().into_response()).await;
        let body = json!({ "status": core_status, "errors": core_errors });
        assert_eq!(core, (core_status, body), "{fault:?}");
    }
}

#[tokio::test]
async fn headers_say_how_to_go_on() {
    let header = |flavour, fault: Fault, name: &str| {
        let response = render(flavour, fault.into_response());
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    let basic = header(Flavour::Mediator, Fault::Unauthorized, "www-authenticate");
    assert!(basic.is_some_and(|value| value.starts_with("Basic realm=\"mediator\"")));
    let bearer = header(Flavour::Core, Fault::BadCredentials, "www-authenticate");
    assert!(bearer.is_some_and(|value| value.starts_with("Bearer")));
    let wait = header(Flavour::Core, Fault::TooManyRequests { retry_after: 59 }, "retry-after");
    assert_eq!(wait.as_deref(), Some("59"));
    assert!(header(Flavour::Mediator, Fault::Overloaded, "retry-after").is_some());
}

#[tokio::test]
async fn the_routers_own_errors_are_put_into_words_and_successes_pass() {
    let foreign = (StatusCode::UNPROCESSABLE_ENTITY, "some library's text").into_response();
    let (status, body) = shown(Flavour::Core, foreign).await;
    assert_eq!((status, &body["errors"][0]["message"]), (400, &json!("Bad Request")));
    let missing = StatusCode::NOT_FOUND.into_response();
    let (status, body) = shown(Flavour::Mediator, missing).await;
    assert_eq!((status, &body["errors"][0]["message"]), (404, &json!("Not Found")));
    let own = (StatusCode::OK, [("content-type", "text/csv")], "{}").into_response();
    assert_eq!(shown(Flavour::Core, own).await, (200, json!({})));
    let unchanged = StatusCode::NOT_MODIFIED.into_response();
    assert_eq!(shown(Flavour::Core, unchanged).await, (304, Value::Null));
}

#[test]
fn refusals_of_the_store_are_faults() {
    let sid = Sid::from_u128(7);
    let gone = Refused::Gone { kind: Kind::Binding, sid };
    let status = |refused: Refused| Fault::from(refused).status(Flavour::Core).as_u16();
    let rows = [
        (gone, 404),
        (Refused::Stale { current: 3 }, 412),
        (Refused::Exists, 409),
        (Refused::Taken { key: "login", holder: sid }, 409),
        (Refused::InUse { kind: Kind::Trunk, sid }, 409),
        (Refused::Claimed, 409),
        (Refused::Remembered, 409),
        (Refused::Overloaded, 503),
        (Refused::Failed("no space left".into()), 507),
    ];
    for (refused, expected) in rows {
        assert_eq!(status(refused.clone()), expected, "{refused:?}");
    }
    assert_eq!(Fault::from(ReadError::Failed("disk".into())), Fault::Internal);
}
