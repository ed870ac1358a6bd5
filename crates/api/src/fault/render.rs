//! A fault as an answer: status, headers and the envelope of the API.

use axum::http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::answer;

use super::{Fault, FieldError, Flavour};

/// Seconds that a client shall wait when there was too much at once.
const OVERLOAD_PAUSE: u32 = 1;

/// Writes the fault that a response carries, or the router's own error, in the words of an API. Other responses pass.
pub(crate) fn render(flavour: Flavour, mut response: Response) -> Response {
    let fault = match response.extensions_mut().remove::<Fault>() {
        Some(fault) => fault,
        None if is_foreign_error(&response) => of_status(response.status()),
        None => return response,
    };
    let kept = response.headers().get(ALLOW).cloned();
    let mut answer = written(flavour, &fault);
    if let Some(allow) = kept {
        answer.headers_mut().insert(ALLOW, allow);
    }
    answer
}

/// An error that no handler of ours wrote: axum's texts.
fn is_foreign_error(response: &Response) -> bool {
    let status = response.status();
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    (status.is_client_error() || status.is_server_error()) && !is_json
}

fn of_status(status: StatusCode) -> Fault {
    match status {
        StatusCode::NOT_FOUND => Fault::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Fault::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Fault::TooLarge,
        StatusCode::URI_TOO_LONG => Fault::UriTooLong,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Fault::UnsupportedMediaType,
        StatusCode::SERVICE_UNAVAILABLE => Fault::Overloaded,
        status if status.is_client_error() => {
            Fault::bad_request(status.canonical_reason().unwrap_or("Bad Request"))
        }
        _ => Fault::Internal,
    }
}

fn written(flavour: Flavour, fault: &Fault) -> Response {
    let status = fault.status(flavour);
    let errors = Value::Array(self::errors(flavour, fault));
    let body = match flavour {
        Flavour::Mediator => json!({ "body": null, "status": status.as_u16(), "errors": errors }),
        Flavour::Core => json!({ "status": status.as_u16(), "errors": errors }),
    };
    (status, headers(flavour, fault), answer::json(&body)).into_response()
}

fn headers(flavour: Flavour, fault: &Fault) -> HeaderMap {
    let mut headers = HeaderMap::new();
    match fault {
        Fault::BadCredentials | Fault::Unauthorized => {
            let challenge = match flavour {
                Flavour::Mediator => "Basic realm=\"mediator\", charset=\"UTF-8\"",
                Flavour::Core => "Bearer realm=\"core\"",
            };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        Fault::TooLarge => {
            // What is left of the body is not read.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Fault::TooManyRequests { retry_after } => {
            headers.insert(RETRY_AFTER, HeaderValue::from(*retry_after));
        }
        Fault::Overloaded => {
            headers.insert(RETRY_AFTER, HeaderValue::from(OVERLOAD_PAUSE));
        }
        _ => {}
    }
    headers
}

/// The list `errors`: one entry a fault, or one a field.
pub(crate) fn errors(flavour: Flavour, fault: &Fault) -> Vec<Value> {
    match fault {
        Fault::Invalid(fields) => {
            fields.iter().map(|error| invalid_field(flavour, error)).collect()
        }
        Fault::UnknownReference { field } => vec![match flavour {
            Flavour::Mediator => entry(&format!("Cannot find {field}"), Some(field), None),
            Flavour::Core => {
                let detail = "there is no such object".into();
                invalid_field(flavour, &FieldError { field: field.clone(), detail })
            }
        }],
        Fault::BadRequest { detail, field } => {
            vec![entry("Bad Request", field.as_deref(), Some(detail))]
        }
        Fault::NotJson { detail } => {
            vec![entry("No JSON object could be decoded", None, Some(detail))]
        }
        Fault::Conflict { message, field } => vec![entry(message, field.as_deref(), None)],
        Fault::KeyReused => vec![entry(
            "Unprocessable Entity",
            Some("Idempotency-Key"),
            Some("this key was used for another request"),
        )],
        Fault::StoreFailed { detail } => vec![entry("Insufficient Storage", None, Some(detail))],
        plain => vec![entry(&plain.to_string(), None, None)],
    }
}

fn invalid_field(flavour: Flavour, error: &FieldError) -> Value {
    let message = match flavour {
        Flavour::Mediator => "Bad Request",
        Flavour::Core => "Object validation error",
    };
    entry(message, Some(&error.field), Some(&error.detail))
}

fn entry(message: &str, field: Option<&str>, detail: Option<&str>) -> Value {
    let mut entry = Map::new();
    entry.insert("message".to_owned(), message.into());
    if let Some(field) = field {
        entry.insert("field".to_owned(), field.into());
    }
    if let Some(detail) = detail {
        entry.insert("detail".to_owned(), detail.into());
    }
    Value::Object(entry)
}
