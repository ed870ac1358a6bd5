//! Sids in paths. A text that is no sid names no object: 404, as for a sid that nobody has.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use mediator_model::Sid;

use crate::fault::Fault;

/// The last sid of the path, as in `/bindings/{binding_sid}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PathSid(pub(crate) Sid);

/// The two sids of a path, as in `/trunk_groups/{trunk_group_sid}/trunks/{trunk_sid}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PathSids(pub(crate) Sid, pub(crate) Sid);

async fn sids<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Vec<Sid>, Fault> {
    let params = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Fault::bad_request("the path holds text that is not UTF-8"))?;
    params.iter().map(|(_, text)| Sid::from_str(text).map_err(|_| Fault::NoSuchSid)).collect()
}

impl<S: Send + Sync> FromRequestParts<S> for PathSid {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let sids = sids(parts, state).await?;
        sids.last().copied().map(Self).ok_or(Fault::NoSuchSid)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathSids {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        match sids(parts, state).await?.as_slice() {
            [first, second] => Ok(Self(*first, *second)),
            _ => Err(Fault::NoSuchSid),
        }
    }
}
