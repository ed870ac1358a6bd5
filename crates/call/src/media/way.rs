//! How SDP of one side reaches the other.

use core::net::IpAddr;

use bytes::Bytes;
use mediator_model::Flow;
use mediator_sip::sdp::{Allowed, Crossing, SessionDescription};

use super::edit::{self, OurEnd, Uncrossed};
use crate::context::Core;

/// The way of SDP to one side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Way {
    /// Our address towards that side, for `o=`.
    pub(crate) origin: IpAddr,
    /// Our end of its leg; `None`: the two sides send to each other.
    pub(crate) end: Option<OurEnd>,
}

/// What SDP is to the side that it goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role<'a> {
    /// The other side's offer becomes our offer.
    Offer,
    /// The other side's answer becomes our answer to this offer of its.
    AnswerTo(&'a [u8]),
    /// We answer this offer ourselves; what crosses is the offer.
    Ours,
}

impl<'a> Role<'a> {
    /// The role of SDP to a side that has made this offer, or none.
    pub(crate) const fn to(offer: Option<&'a [u8]>) -> Self {
        match offer {
            Some(offer) => Self::AnswerTo(offer),
            None => Self::Offer,
        }
    }
}

/// The way of SDP to a side whose messages go by this flow.
pub(crate) fn way(cx: &Core, end: Option<OurEnd>, flow: &Flow) -> Option<Way> {
    Some(Way { origin: cx.listener(flow)?.advertised.ip(), end })
}

/// What is written of a side's SDP to the other: `write` gets what may cross.
pub(crate) fn written<T>(
    theirs: &[u8],
    (role, way): (Role<'_>, Way),
    write: impl FnOnce(&Allowed<'_>) -> T,
) -> Result<T, Uncrossed> {
    let description = SessionDescription::parse(theirs)?;
    let mut allowed = Allowed::from_description(&description)?;
    let Some(end) = way.end else { return Ok(write(&allowed)) };
    match role {
        Role::Offer => edit::offer(&mut allowed, end)?,
        Role::Ours => edit::own_answer(&mut allowed, end)?,
        Role::AnswerTo(offer) => {
            let description = SessionDescription::parse(offer)?;
            let offered = Allowed::from_description(&description)?;
            return Ok(write(&edit::answer(&allowed, offered, end)?));
        }
    }
    Ok(write(&allowed))
}

/// What a peer has said, written for nobody: it is never sent, but crosses again.
pub(super) fn noted(allowed: &Allowed<'_>) -> Bytes {
    let our_address = core::net::Ipv4Addr::UNSPECIFIED.into();
    allowed.write(&Crossing { session_id: 0, session_version: 0, our_address })
}
