//! What can go wrong with a request, and how each of the two APIs says it.
//!
//! Handlers return a [`Fault`], which knows no envelope: it travels in the response's extensions until
//! [`render`], laid around each API, writes it the way of that API. Errors of the router itself (no such path, no such
//! method) are written the same way.

mod render;
#[cfg(test)]
mod tests;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use mediator_store::{ReadError, Refused};

pub(crate) use render::{errors, render};

/// Which API answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flavour {
    /// `/mediator/v1`: everything is wrapped in `body` and `status`.
    Mediator,
    /// `/core/v2`: objects are bare.
    Core,
}

/// One field that cannot be taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FieldError {
    /// Its name, dotted where it is nested.
    pub(crate) field: Box<str>,
    /// What it must be.
    pub(crate) detail: Box<str>,
}

/// What is wrong with a request, or with us.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Fields of the body that cannot be taken: 400 in the Mediator API, 422 in the Core API.
    #[error("fields are invalid")]
    Invalid(Vec<FieldError>),
    /// The request cannot be understood; the text says why, `field` which argument it is about.
    #[error("{detail}")]
    BadRequest {
        /// Why.
        detail: Box<str>,
        /// Which argument or header.
        field: Option<Box<str>>,
    },
    /// The body is no JSON object.
    #[error("{detail}")]
    NotJson {
        /// Where it stops being one.
        detail: Box<str>,
    },
    /// Wrong credentials.
    #[error("Bad credentials")]
    BadCredentials,
    /// No credentials, or those of the other API.
    #[error("Unauthorized")]
    Unauthorized,
    /// The path names an object that there is not.
    #[error("Cannot find item by SID")]
    NoSuchSid,
    /// There is no such path.
    #[error("Not Found")]
    NotFound,
    /// The path has no such method.
    #[error("Method Not Allowed")]
    MethodNotAllowed,
    /// It contradicts what is there; `message` says what to change.
    #[error("{message}")]
    Conflict {
        /// What is in the way.
        message: Box<str>,
        /// The field that it is about.
        field: Option<Box<str>>,
    },
    /// `If-Match` names another version.
    #[error("Precondition Failed")]
    PreconditionFailed,
    /// The body is too long.
    #[error("Payload Too Large")]
    TooLarge,
    /// The path or query is too long.
    #[error("URI Too Long")]
    UriTooLong,
    /// The body is not JSON by its Content-Type.
    #[error("Unsupported media type")]
    UnsupportedMediaType,
    /// A field of the body names an object that there is not.
    #[error("{field} names nothing")]
    UnknownReference {
        /// Which.
        field: Box<str>,
    },
    /// An Idempotency-Key came again with another request.
    #[error("the key was used for another request")]
    KeyReused,
    /// Too many failed logins from there.
    #[error("Too Many Requests")]
    TooManyRequests {
        /// Seconds.
        retry_after: u32,
    },
    /// Too much at once: again in a moment.
    #[error("Service Unavailable")]
    Overloaded,
    /// The request took too long.
    #[error("Service Unavailable")]
    TimedOut,
    /// The store's disk is full, or failed; nothing was changed.
    #[error("{detail}")]
    StoreFailed {
        /// The store's words.
        detail: Box<str>,
    },
    /// Our mistake.
    #[error("Internal server error")]
    Internal,
}

impl Fault {
    /// A request that cannot be understood, because of an argument or header.
    pub(crate) fn bad_argument(field: &str, detail: impl Into<Box<str>>) -> Self {
        Self::BadRequest { detail: detail.into(), field: Some(field.into()) }
    }

    /// A request that cannot be understood.
    pub(crate) fn bad_request(detail: impl Into<Box<str>>) -> Self {
        Self::BadRequest { detail: detail.into(), field: None }
    }

    /// One field that cannot be taken.
    pub(crate) fn invalid(field: &str, detail: impl Into<Box<str>>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), detail: detail.into() }])
    }

    /// A contradiction with what is there.
    pub(crate) fn conflict(message: impl Into<Box<str>>, field: &str) -> Self {
        Self::Conflict { message: message.into(), field: Some(field.into()) }
    }

    /// The status, by API.
    pub(crate) const fn status(&self, flavour: Flavour) -> StatusCode {
        match self {
            Self::Invalid(_) => match flavour {
                Flavour::Mediator => StatusCode::BAD_REQUEST,
                Flavour::Core => StatusCode::UNPROCESSABLE_ENTITY,
            },
            Self::UnknownReference { .. } => match flavour {
                Flavour::Mediator => StatusCode::CONFLICT,
                Flavour::Core => StatusCode::UNPROCESSABLE_ENTITY,
            },
            Self::BadRequest { .. } | Self::NotJson { .. } => StatusCode::BAD_REQUEST,
            Self::BadCredentials | Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NoSuchSid | Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Overloaded | Self::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
            Self::StoreFailed { .. } => StatusCode::INSUFFICIENT_STORAGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Fault {
    /// The status of the Mediator API, without a body: [`render`] writes the rest.
    fn into_response(self) -> Response {
        let mut response = self.status(Flavour::Mediator).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Gone { .. } => Self::NoSuchSid,
            Refused::Stale { .. } => Self::PreconditionFailed,
            Refused::Exists
            | Refused::Taken { .. }
            | Refused::InUse { .. }
            | Refused::Claimed
            | Refused::Remembered => {
                Self::Conflict { message: refused.to_string().into(), field: None }
            }
            Refused::Overloaded => Self::Overloaded,
            Refused::Failed(_) => Self::StoreFailed { detail: refused.to_string().into() },
        }
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::UnknownField(_) | ReadError::BadValue { .. } => {
                Self::bad_argument("filter", error.to_string())
            }
            ReadError::Failed(_) => {
                tracing::error!(%error, "the store cannot be read");
                Self::Internal
            }
        }
    }
}
