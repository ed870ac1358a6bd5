//! `Idempotency-Key`: a POST that is repeated with its key gets the first one's answer, and is done once.
//!
//! The answer is kept by the store in the write that it belongs to, for a day. Between nodes and restarts there is no
//! gap: the write is refused as remembered where another was first, and [`Idempotency::replay`] finds its answer.

#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mediator_model::{Sid, UnixMillis};
use mediator_store::Remembered;
use mediator_store::write::Remember;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::fault::Fault;
use crate::ports::Backend;
use crate::store_calls;

/// How long an answer is kept.
pub(crate) const KEPT: Duration = Duration::from_hours(24);
/// The longest key, in bytes.
pub(crate) const MAX_KEY_BYTES: usize = 255;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The key of a request, where it has one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Idempotency {
    key: Option<Box<str>>,
    /// Method, path and query: a part of what the key stands for.
    line: Box<str>,
}

impl Idempotency {
    /// The answer that was kept for this key, as a response to send again; `None`: go on.
    pub(crate) async fn replay(
        &self,
        backend: &Backend,
        owner: Sid,
        body: &[u8],
    ) -> Result<Option<Response>, Fault> {
        let Some(key) = self.key.clone() else { return Ok(None) };
        let now = backend.process.now();
        let kept = store_calls::read(backend, move |store| store.remembered(owner, &key, now));
        match kept.await? {
            None => Ok(None),
            Some(kept) if kept.fingerprint == self.fingerprint(body) => Ok(Some(replayed(kept))),
            Some(_) => Err(Fault::KeyReused),
        }
    }

    /// What to put into the write: the answer that its success will have; `None`: the request has no key.
    pub(crate) fn remember(
        &self,
        owner: Sid,
        body: &[u8],
        answer: &Value,
        now: UnixMillis,
    ) -> Option<Remember> {
        Some(Remember {
            owner,
            key: self.key.clone()?,
            fingerprint: self.fingerprint(body),
            status: StatusCode::OK.as_u16(),
            body: answer.to_string().into_bytes().into(),
            until: now + KEPT,
        })
    }

    fn fingerprint(&self, body: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        // The length keeps the line and the body apart.
        hash.update((self.line.len() as u64).to_be_bytes());
        hash.update(self.line.as_bytes());
        hash.update(body);
        hash.finalize().into()
    }
}

fn replayed(kept: Remembered) -> Response {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (REPLAYED, HeaderValue::from_static("true")),
    ];
    (status, headers, kept.body.into_vec()).into_response()
}

fn key(headers: &HeaderMap) -> Result<Option<Box<str>>, Fault> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let bytes = value.as_bytes();
    let is_visible = bytes.iter().all(u8::is_ascii_graphic);
    match value.to_str() {
        Ok(text) if is_visible && !bytes.is_empty() && bytes.len() <= MAX_KEY_BYTES => {
            Ok(Some(text.into()))
        }
        _ => Err(Fault::bad_argument(
            "Idempotency-Key",
            format!("expected 1 to {MAX_KEY_BYTES} visible ASCII characters"),
        )),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Idempotency {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let key = key(&parts.headers)?;
        let uri = match OriginalUri::from_request_parts(parts, state).await {
            Ok(OriginalUri(uri)) => uri,
            Err(never) => match never {},
        };
        let line = format!("{} {uri}", parts.method).into();
        Ok(Self { key, line })
    }
}
