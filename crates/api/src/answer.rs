//! Answers that went well, in the envelope of each API.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::response::{IntoResponse, Response};
use mediator_store::write::Revision;
use serde_json::{Value, json};

use crate::etag::{self, Preconditions};
use crate::fault::Flavour;

impl Flavour {
    /// What the API sends for a success: the Mediator API wraps it, the Core API does not.
    pub(crate) fn envelope(self, body: Value) -> Value {
        match self {
            Self::Mediator => json!({ "body": body, "status": 200 }),
            Self::Core => body,
        }
    }

    /// 200 with a list, or with an object that has no version.
    pub(crate) fn ok(self, body: Value) -> Response {
        json(&self.envelope(body)).into_response()
    }

    /// 200 with an object that was written just now, and its `ETag`.
    pub(crate) fn written(self, revision: Revision, body: Value) -> Response {
        ([(ETAG, etag::tag(revision))], self.ok(body)).into_response()
    }

    /// 200 with an object that was asked for and its `ETag`, or 304 where the client has it.
    pub(crate) fn object(
        self,
        revision: Revision,
        preconditions: &Preconditions,
        body: Value,
    ) -> Response {
        if preconditions.has(revision) {
            return ([(ETAG, etag::tag(revision))], StatusCode::NOT_MODIFIED).into_response();
        }
        self.written(revision, body)
    }
}

/// A JSON text.
pub(crate) fn json(body: &Value) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "application/json")], body.to_string())
}

/// 204, empty: it is deleted.
pub(crate) fn deleted() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
