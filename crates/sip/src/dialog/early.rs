//! The dialogs that one outgoing INVITE forks into: RFC 3261 §12.1.2, §13.2.2.
//!
//! Each To tag in a 1xx or 2xx is a dialog of its own. The first 2xx wins; the core ACKs every 2xx and
//! sends BYE in the dialogs of the others.

#[cfg(test)]
mod tests;

use super::{Dialog, NewDialog, RequestParts};
use crate::Response;
use alloc::vec::Vec;

/// The most dialogs that one INVITE may have; further early ones are not followed.
pub const MAX_FORKS: usize = 8;

/// One fork of an INVITE; never reused within it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ForkId(u16);

/// What a response did to the dialogs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DialogChange {
    /// Nothing: a 100, a 1xx without a To tag or after the answer, or a final response that is no 2xx.
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
    /// One more fork than [`MAX_FORKS`]: ignore it. A 2xx takes the place of an early dialog instead,
    /// as long as there is one.
    TooMany,
}

/// An INVITE that was sent and the dialogs that came of it.
#[derive(Clone, Debug)]
pub struct EarlyDialogs {
    base: Dialog,
    /// At most [`MAX_FORKS`].
    forks: Vec<Fork>,
    /// How many there ever were.
    minted: u16,
    first_2xx: Option<ForkId>,
}

#[derive(Clone, Debug)]
struct Fork {
    id: ForkId,
    dialog: Dialog,
}

impl EarlyDialogs {
    /// An INVITE about to be sent.
    pub fn new(start: &NewDialog<'_>) -> Self {
        Self { base: Dialog::outgoing(start), forks: Vec::new(), minted: 0, first_2xx: None }
    }

    /// The parts of the INVITE: To without a tag, `CSeq` as it stands.
    pub fn invite_parts(&self) -> RequestParts<'_> {
        self.base.invite_parts()
    }

    /// The parts of the INVITE sent again after a 401, 407 or 422: the next `CSeq` number, all else the
    /// same (RFC 3261 §8.1.3.5). Early dialogs of the INVITE that failed are dropped.
    pub fn retry_parts(&mut self) -> RequestParts<'_> {
        self.forks.clear();
        self.base.request_parts(crate::Method::Invite)
    }

    /// The URI to resolve for the INVITE.
    pub fn next_hop(&self) -> &[u8] {
        self.base.next_hop()
    }

    /// Takes in a response to the INVITE.
    pub fn handle_response(&mut self, response: &Response) -> DialogChange {
        let Ok(tag) = response.to_tag() else { return DialogChange::None };
        let tag = tag.filter(|tag| !tag.is_empty());
        let known = self.forks.iter_mut().find(|fork| fork.dialog.remote_tag() == tag);
        match (response.status(), known) {
            (101..=199, _) if tag.is_none() || self.first_2xx.is_some() => DialogChange::None,
            (101..=199, Some(fork)) => {
                fork.dialog.follow_provisional(response);
                DialogChange::Known(fork.id)
            }
            (101..=199, None) => self.early(response),
            (200..=299, Some(fork)) if fork.dialog.is_confirmed() => {
                DialogChange::Repeated2xx(fork.id)
            }
            (200..=299, Some(fork)) => {
                // The route set is made anew; nothing else of the early dialog is (RFC 3261 §13.2.2.4).
                let readable = fork.dialog.follow(response).is_ok();
                fork.dialog.confirm();
                let id = fork.id;
                if readable { self.answered(id) } else { DialogChange::Unusable2xx(id) }
            }
            (200..=299, None) => self.confirmed_at_once(response),
            _ => DialogChange::None,
        }
    }

    fn early(&mut self, response: &Response) -> DialogChange {
        if self.forks.len() >= MAX_FORKS {
            return DialogChange::TooMany;
        }
        match self.base.fork(response) {
            // What cannot be read in Contact or Record-Route may be readable in the 2xx.
            Ok((dialog, _)) => DialogChange::NewEarly(self.push(dialog)),
            Err(_) => DialogChange::None,
        }
    }

    fn confirmed_at_once(&mut self, response: &Response) -> DialogChange {
        if self.forks.len() >= MAX_FORKS {
            // A call that was answered matters more than one that rings.
            match self.forks.iter().position(|fork| !fork.dialog.is_confirmed()) {
                Some(ringing) => drop(self.forks.remove(ringing)),
                None => return DialogChange::TooMany,
            }
        }
        let Ok((mut dialog, readable)) = self.base.fork(response) else {
            return DialogChange::None;
        };
        dialog.confirm();
        let id = self.push(dialog);
        match readable {
            Ok(()) => self.answered(id),
            Err(_) => DialogChange::Unusable2xx(id),
        }
    }

    fn answered(&mut self, id: ForkId) -> DialogChange {
        if self.first_2xx.is_some() {
            return DialogChange::AnotherConfirmed(id);
        }
        self.first_2xx = Some(id);
        DialogChange::Confirmed(id)
    }

    fn push(&mut self, dialog: Dialog) -> ForkId {
        let id = ForkId(self.minted);
        self.minted = self.minted.saturating_add(1);
        self.forks.push(Fork { id, dialog });
        id
    }

    /// A fork's dialog.
    pub fn dialog(&self, fork: ForkId) -> Option<&Dialog> {
        self.iter().find(|(id, _)| *id == fork).map(|(_, dialog)| dialog)
    }

    /// A fork's dialog, to send requests in.
    pub fn dialog_mut(&mut self, fork: ForkId) -> Option<&mut Dialog> {
        self.forks.iter_mut().find(|known| known.id == fork).map(|known| &mut known.dialog)
    }

    /// The fork whose 2xx came first.
    pub fn confirmed(&self) -> Option<ForkId> {
        self.first_2xx
    }

    /// Every fork, in the order of their first response.
    pub fn iter(&self) -> impl Iterator<Item = (ForkId, &Dialog)> {
        self.forks.iter().map(|fork| (fork.id, &fork.dialog))
    }

    /// The dialog of the first 2xx; the others are dropped.
    pub fn into_confirmed(self) -> Option<Dialog> {
        let first = self.first_2xx?;
        self.forks.into_iter().find(|fork| fork.id == first).map(|fork| fork.dialog)
    }
}
