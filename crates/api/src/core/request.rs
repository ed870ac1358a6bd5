//! What handlers take from a request. Each of these is open to the operator only: without a good token nothing else of
//! the request is looked at.

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use mediator_model::Sid;

use crate::args::Args;
use crate::auth::Operator;
use crate::etag::Preconditions;
use crate::fault::Fault;
use crate::idempotency::Idempotency;
use crate::page::{self, PageArgs};
use crate::path::PathSid;
use crate::state::AppState;

/// What is taken out of a request without fail.
macro_rules! sure {
    ($kind:ty, $parts:expr, $state:expr) => {
        match <$kind>::from_request_parts($parts, $state).await {
            Ok(taken) => taken,
            Err(never) => match never {},
        }
    };
}

/// What the answer needs beyond the objects.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The operator.
    pub(super) partner_sid: Sid,
    /// `http://host[:port]` as the client sees this server, for the URLs in objects.
    pub(super) origin: Box<str>,
}

impl Frame {
    pub(super) async fn of(parts: &mut Parts, state: &AppState) -> Self {
        let OriginalUri(uri) = sure!(OriginalUri, parts, state);
        Self {
            partner_sid: partner_sid(state),
            origin: page::origin(&state.settings, &parts.headers, &uri).into(),
        }
    }
}

/// The operator's sid, which owns Idempotency-Keys and stands in every object.
pub(crate) fn partner_sid(state: &AppState) -> Sid {
    state.backend.catalog.partner().map_or(Sid::from_u128(0), |partner| partner.record.sid)
}

/// A list is asked for.
pub(super) struct Listing {
    pub(super) state: AppState,
    pub(super) frame: Frame,
    pub(super) page: PageArgs,
}

impl FromRequestParts<AppState> for Listing {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        Operator::from_request_parts(parts, state).await?;
        let page = PageArgs::from_request_parts(parts, state).await?;
        Ok(Self { state: state.clone(), frame: Frame::of(parts, state).await, page })
    }
}

/// An object is asked for, to be shown, changed or deleted.
pub(super) struct Item {
    pub(super) state: AppState,
    pub(super) frame: Frame,
    /// The last sid of the path.
    pub(super) sid: Sid,
    pub(super) args: Args,
    pub(super) preconditions: Preconditions,
}

impl FromRequestParts<AppState> for Item {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        Operator::from_request_parts(parts, state).await?;
        let PathSid(sid) = PathSid::from_request_parts(parts, state).await?;
        let args = Args::from_request_parts(parts, state).await?;
        let preconditions = sure!(Preconditions, parts, state);
        let frame = Frame::of(parts, state).await;
        Ok(Self { state: state.clone(), frame, sid, args, preconditions })
    }
}

/// An object shall be made.
pub(super) struct Creation {
    pub(super) state: AppState,
    pub(super) frame: Frame,
    pub(super) args: Args,
    pub(super) idempotency: Idempotency,
}

impl FromRequestParts<AppState> for Creation {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Fault> {
        Operator::from_request_parts(parts, state).await?;
        let args = Args::from_request_parts(parts, state).await?;
        let idempotency = Idempotency::from_request_parts(parts, state).await?;
        Ok(Self { state: state.clone(), frame: Frame::of(parts, state).await, args, idempotency })
    }
}
