//! Bodies: JSON objects of at most 1 MiB.

#[cfg(test)]
mod tests;

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use mediator_store::record::Object;
use serde_json::Value;

use crate::fault::Fault;

/// The longest body, in bytes.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
/// The deepest nesting of a body; one more than objects of the APIs have is room enough.
pub(crate) const MAX_DEPTH: usize = 32;

/// The body as a JSON object.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct JsonObject {
    /// What it holds; of a key that comes twice, the last value.
    pub(crate) object: Object,
    /// As it came.
    pub(crate) bytes: Bytes,
}

/// Reads a JSON object.
pub(crate) fn read_json(bytes: &[u8]) -> Result<Object, Fault> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Fault::NotJson { detail: error.to_string().into() })?;
    let Value::Object(object) = value else {
        return Err(Fault::NotJson { detail: "expected an object".into() });
    };
    if object.values().any(|value| is_deeper(value, MAX_DEPTH - 1)) {
        return Err(Fault::NotJson { detail: format!("nested deeper than {MAX_DEPTH}").into() });
    }
    Ok(object)
}

/// The recursion is bounded by `serde_json`, which reads 128 levels and no more.
fn is_deeper(value: &Value, depth: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(values) => depth == 0 || values.iter().any(|v| is_deeper(v, depth - 1)),
        Value::Object(object) => depth == 0 || object.values().any(|v| is_deeper(v, depth - 1)),
    }
}

/// `application/json`, or a type whose name ends in `+json`; parameters do not matter.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let Some(text) = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else {
        return false;
    };
    let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// All of a body of at most [`MAX_BYTES`].
pub(crate) async fn read_bytes(request: Request) -> Result<Bytes, Fault> {
    if request.body().size_hint().lower() > MAX_BYTES as u64 {
        // Before a client that waits for 100 (RFC 9110 §10.1.1) sends it all.
        return Err(Fault::TooLarge);
    }
    let limited = Limited::new(request.into_body(), MAX_BYTES);
    match limited.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Fault::TooLarge),
        Err(_) => Err(Fault::bad_request("the body ended early")),
    }
}

impl<S: Sync> FromRequest<S> for JsonObject {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        if !is_json(request.headers()) {
            return Err(Fault::UnsupportedMediaType);
        }
        let bytes = read_bytes(request).await?;
        Ok(Self { object: read_json(&bytes)?, bytes })
    }
}
