//! Conditional requests (RFC 9110 §13): `ETag` is the revision of the object's last write.

#[cfg(test)]
mod tests;

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{AsHeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use mediator_store::write::Revision;

use crate::fault::Fault;

/// `"<revision>"`.
pub(crate) fn tag(revision: Revision) -> HeaderValue {
    // A quoted whole number is always a header's value.
    HeaderValue::from_str(&format!("\"{revision}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

/// Which versions a header names.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Tags {
    /// `*`: whichever there is.
    Any,
    /// These; whatever is no tag of ours matches nothing.
    Listed(Vec<Revision>),
}

impl Tags {
    fn holds(&self, revision: Revision) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) => listed.contains(&revision),
        }
    }
}

/// `If-Match` and `If-None-Match` of a request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

impl Preconditions {
    fn read(headers: &HeaderMap) -> Self {
        Self {
            // §13.1.1: If-Match compares strongly, so a weak tag matches nothing.
            if_match: tags(headers, IF_MATCH, Weak::MatchesNothing),
            // §13.1.2: If-None-Match compares weakly.
            if_none_match: tags(headers, IF_NONE_MATCH, Weak::Matches),
        }
    }

    /// Whether the client insists on a version: an update that finds another one is refused, not tried again.
    pub(crate) fn insist(&self) -> bool {
        matches!(self.if_match, Some(Tags::Listed(_)))
    }

    /// For writes: 412 unless the object's version is one that the client names.
    pub(crate) fn check(&self, revision: Revision) -> Result<(), Fault> {
        if self.if_match.as_ref().is_some_and(|tags| !tags.holds(revision)) {
            return Err(Fault::PreconditionFailed);
        }
        if self.if_none_match.as_ref().is_some_and(|tags| tags.holds(revision)) {
            return Err(Fault::PreconditionFailed);
        }
        Ok(())
    }

    /// For reads: whether the client has this version already (304).
    pub(crate) fn has(&self, revision: Revision) -> bool {
        self.if_none_match.as_ref().is_some_and(|tags| tags.holds(revision))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Weak {
    Matches,
    MatchesNothing,
}

/// The tags of all lines of a header; `None`: it is not there.
fn tags(headers: &HeaderMap, name: impl AsHeaderName, weak: Weak) -> Option<Tags> {
    let mut lines = headers.get_all(name).iter().peekable();
    lines.peek()?;
    let mut listed = Vec::new();
    for text in lines.filter_map(|line| line.to_str().ok()) {
        for tag in text.split(',').map(str::trim) {
            if tag == "*" {
                return Some(Tags::Any);
            }
            listed.extend(revision(tag, weak));
        }
    }
    Some(Tags::Listed(listed))
}

fn revision(tag: &str, weak: Weak) -> Option<Revision> {
    let strong = match (tag.strip_prefix("W/"), weak) {
        (Some(_), Weak::MatchesNothing) => return None,
        (Some(tag), Weak::Matches) => tag,
        (None, Weak::Matches | Weak::MatchesNothing) => tag,
    };
    strong.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

impl<S: Sync> FromRequestParts<S> for Preconditions {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers))
    }
}
