//! The dialogs that one outgoing INVITE forks into: RFC 3261 §12.1.2, §13.2.2.
//!
//! Each To tag in a 1xx or 2xx is a dialog of its own. The first 2xx wins; the core ACKs every 2xx and
//! sends BYE in the dialogs of the others.

use super::{Dialog, NewDialog, RequestParts};
use crate::Response;

/// The most dialogs that one INVITE may have; further early ones are not followed.
pub const MAX_FORKS: usize = 8;

/// One fork of an INVITE; never reused within it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ForkId(u8);

/// What a response did to the dialogs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DialogChange {
    /// Nothing: a 100, a 1xx without a To tag, or a final response that is no 2xx.
    None,
    /// A 1xx of a fork not seen before.
    NewEarly(ForkId),
    /// Another 1xx of a fork that is known.
    Known(ForkId),
    /// The first 2xx: ACK it, the call is answered.
    Confirmed(ForkId),
    /// A 2xx of another fork: ACK it, then BYE.
    AnotherConfirmed(ForkId),
    /// A 2xx that was seen before: send its ACK again.
    Repeated2xx(ForkId),
    /// The first 2xx of a fork, but its Contact or Record-Route cannot be read: ACK and BYE it as far as it
    /// can be reached, and count the leg as failed.
    Unusable2xx(ForkId),
    /// One more fork than [`MAX_FORKS`]: ignore it.
    TooMany,
}

/// An INVITE that was sent and the dialogs that came of it.
#[derive(Clone, Debug)]
pub struct EarlyDialogs {
    base: Dialog,
}

impl EarlyDialogs {
    /// An INVITE about to be sent.
    pub fn new(_start: &NewDialog<'_>) -> Self {
        todo!()
    }

    /// The parts of the INVITE: To without a tag, CSeq as it stands.
    pub fn invite_parts(&self) -> RequestParts<'_> {
        todo!()
    }

    /// The parts of the INVITE sent again after a 401, 407 or 422: the next CSeq number, all else the same
    /// (RFC 3261 §8.1.3.5).
    pub fn retry_parts(&mut self) -> RequestParts<'_> {
        todo!()
    }

    /// The URI to resolve for the INVITE.
    pub fn next_hop(&self) -> &[u8] {
        self.base.next_hop()
    }

    /// Takes in a response to the INVITE.
    pub fn handle_response(&mut self, _response: &Response) -> DialogChange {
        todo!()
    }

    /// A fork's dialog.
    pub fn dialog(&self, _fork: ForkId) -> Option<&Dialog> {
        todo!()
    }

    /// A fork's dialog, to send requests in.
    pub fn dialog_mut(&mut self, _fork: ForkId) -> Option<&mut Dialog> {
        todo!()
    }

    /// The fork whose 2xx came first.
    pub fn confirmed(&self) -> Option<ForkId> {
        todo!()
    }

    /// Every fork, in the order of their first response.
    pub fn iter(&self) -> impl Iterator<Item = (ForkId, &Dialog)> {
        core::iter::empty()
    }

    /// The dialog of the first 2xx; the others are dropped.
    pub fn into_confirmed(self) -> Option<Dialog> {
        todo!()
    }
}
