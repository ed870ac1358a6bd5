//! Route sets: RFC 3261 §12.1, §12.2.1.1.
//!
//! Kept as they go on the wire: for a strict router at the front, the Request-URI and the Route
//! values with the target at their end are made once, not for each request.

use super::DialogFault;
use super::identity::{request_uri, unfold};
use crate::{HeaderName, Headers, NameAddr, Scheme, Uri};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The most hops of a route set; a message that names more is refused.
pub const MAX_ROUTES: usize = 32;

/// One Route value, unfolded: `<sip:p1.example.com;lr>`.
type Hop = Box<[u8]>;

/// The route set of a dialog; `None`: it is empty, as most are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct RouteSet(Option<Box<Routes>>);

/// A route set that is not empty.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Routes {
    hops: Box<[Hop]>,
    /// There where the first hop is a strict router (RFC 2543).
    strict: Option<Box<Strict>>,
}

/// What requests through a strict router carry.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Strict {
    uri: Box<[u8]>,
    routes: Box<[Hop]>,
}

impl RouteSet {
    /// The UAS's: Record-Route of the request, in order (RFC 3261 §12.1.1).
    pub(super) fn of_request(request: &Headers, target: &[u8]) -> Result<Self, DialogFault> {
        Ok(Self::of_hops(record_routes(request)?, target))
    }

    /// The UAC's: Record-Route of the response, in reverse (RFC 3261 §12.1.2).
    pub(super) fn of_response(response: &Headers, target: &[u8]) -> Result<Self, DialogFault> {
        let mut hops = record_routes(response)?;
        hops.reverse();
        Ok(Self::of_hops(hops, target))
    }

    /// That of an INVITE outside of a dialog (RFC 3261 §8.1.2).
    pub(super) fn preloaded(routes: &[&[u8]], target: &[u8]) -> Self {
        Self::of_hops(routes.iter().map(|route| unfold(route).into_boxed_slice()).collect(), target)
    }

    fn of_hops(hops: Vec<Hop>, target: &[u8]) -> Self {
        if hops.is_empty() {
            return Self(None);
        }
        let mut set = Self(Some(Box::new(Routes { hops: hops.into_boxed_slice(), strict: None })));
        set.retarget(target);
        set
    }

    /// Follows a new remote target: behind a strict router it is the last Route (RFC 3261 §12.2.1.1).
    pub(super) fn retarget(&mut self, target: &[u8]) {
        let Some(routes) = &mut self.0 else { return };
        let Some((first, rest)) = routes.hops.split_first() else { return };
        routes.strict = uri_of(first).filter(|uri| !uri.is_loose_router()).map(|uri| {
            let last = [b"<", target, b">"].concat().into_boxed_slice();
            let routes = rest.iter().cloned().chain([last]).collect();
            Box::new(Strict { uri: request_uri(&uri).into(), routes })
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Request-URI and Route values of a request to `target`.
    pub(super) fn parts<'a>(&'a self, target: &'a [u8]) -> (&'a [u8], &'a [Hop]) {
        let Some(routes) = &self.0 else { return (target, &[]) };
        match &routes.strict {
            Some(strict) => (&strict.uri, &strict.routes),
            None => (target, &routes.hops),
        }
    }

    /// The URI of the first hop.
    pub(super) fn next_hop(&self) -> Option<&[u8]> {
        let routes = self.0.as_deref()?;
        match &routes.strict {
            Some(strict) => Some(&strict.uri),
            None => uri_of(routes.hops.first()?).map(|uri| uri.raw),
        }
    }
}

fn uri_of(hop: &[u8]) -> Option<Uri<'_>> {
    NameAddr::parse(hop).map(|address| address.uri)
}

fn record_routes(message: &Headers) -> Result<Vec<Hop>, DialogFault> {
    let mut hops = Vec::new();
    for value in message.values(HeaderName::RecordRoute) {
        if hops.len() >= MAX_ROUTES {
            return Err(DialogFault::TooManyRoutes);
        }
        let hop = unfold(value).into_boxed_slice();
        match uri_of(&hop).map(|uri| uri.scheme) {
            Some(Scheme::Sip | Scheme::Sips) => hops.push(hop),
            // Nothing could be sent to such a hop.
            Some(Scheme::Tel | Scheme::Other) | None => {
                return Err(DialogFault::malformed(HeaderName::RecordRoute));
            }
        }
    }
    Ok(hops)
}
