//! One dialog: RFC 3261 §12.
//!
//! Holds what later requests need and nothing of the messages that it came from. Whether a session
//! exists in it, and who may offer what, is the business of [`super::OfferAnswer`].
//!
//! Invariant: the remote CSeq only grows; the local CSeq is below 2^31.

use super::DialogFault;
use crate::{Headers, Method, Request, Response};
use alloc::boxed::Box;

/// Who minted the Call-ID: the side that sent the first INVITE (RFC 3261 §14.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallIdOwner {
    /// We did: the dialog began with our INVITE.
    Local,
    /// The peer did.
    Remote,
}

/// What an outgoing INVITE starts from (RFC 3261 §8.1.1, §12.1.2).
#[derive(Clone, Copy, Debug)]
pub struct NewDialog<'a> {
    /// A fresh Call-ID.
    pub call_id: &'a [u8],
    /// The value of From without a tag, as it shall be on the wire.
    pub local: &'a [u8],
    /// A fresh tag for From.
    pub local_tag: &'a [u8],
    /// The value of To.
    pub remote: &'a [u8],
    /// The Request-URI.
    pub target: &'a [u8],
    /// Values of a preloaded Route set, in order (RFC 3261 §8.1.2); mostly empty.
    pub routes: &'a [&'a [u8]],
    /// The CSeq number of the INVITE, at least 1 and well below 2^31.
    pub cseq: u32,
}

/// What the dialog contributes to a request: request line, Route, From, To, Call-ID and CSeq number.
///
/// The sender adds Via, Max-Forwards, Contact and what the method needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestParts<'a> {
    /// The Request-URI.
    pub uri: &'a [u8],
    /// One Route header each, in order.
    pub routes: &'a [Box<[u8]>],
    /// The value of From, tag included.
    pub from: &'a [u8],
    /// The value of To, tag included where the peer has one.
    pub to: &'a [u8],
    /// The value of Call-ID.
    pub call_id: &'a [u8],
    /// The number of CSeq.
    pub cseq: u32,
}

/// Our end of a dialog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dialog {
    call_id: Box<[u8]>,
}

impl Dialog {
    /// Makes the UAS's dialog of an INVITE without a To tag (RFC 3261 §12.1.1); it is early until
    /// [`confirm`](Self::confirm).
    ///
    /// `local_tag` is fresh; every response to the INVITE from 101 up carries it in To.
    pub fn from_request(_request: &Request, _local_tag: &[u8]) -> Result<Self, DialogFault> {
        todo!()
    }

    /// Makes the dialog of another fork's response to the INVITE that this UAC dialog came from: for a
    /// 2xx that arrives when its [`super::EarlyDialogs`] are gone, to ACK it and send BYE.
    pub fn sibling(&self, _response: &Response) -> Result<Self, DialogFault> {
        todo!()
    }

    /// Notes that we sent a 2xx to the INVITE (RFC 3261 §12.1).
    pub fn confirm(&mut self) {
        todo!()
    }

    /// Whether a 2xx to the INVITE was sent or received.
    pub fn is_confirmed(&self) -> bool {
        todo!()
    }

    /// Call-ID.
    pub fn call_id(&self) -> &[u8] {
        &self.call_id
    }

    /// Our tag.
    pub fn local_tag(&self) -> &[u8] {
        todo!()
    }

    /// The peer's tag; `None` where it has none (RFC 2543) or none yet.
    pub fn remote_tag(&self) -> Option<&[u8]> {
        todo!()
    }

    /// Our From or To value, tag included.
    pub fn local(&self) -> &[u8] {
        todo!()
    }

    /// The peer's From or To value, tag included where it has one.
    pub fn remote(&self) -> &[u8] {
        todo!()
    }

    /// The URI of the peer's Contact.
    pub fn remote_target(&self) -> &[u8] {
        todo!()
    }

    /// Who minted the Call-ID; decides how long to wait after a glare.
    pub fn call_id_owner(&self) -> CallIdOwner {
        todo!()
    }

    /// Whether the INVITE's Request-URI was a SIPS URI: then our Contact must be one (RFC 3261 §12.1).
    pub fn is_secure(&self) -> bool {
        todo!()
    }

    /// Whether a request from the peer belongs to this dialog: Call-ID and both tags (RFC 3261 §12.2.2).
    pub fn is_target_of(&self, _request: &Request) -> bool {
        todo!()
    }

    /// The URI to resolve for the next request: the first route's, else the remote target.
    pub fn next_hop(&self) -> &[u8] {
        todo!()
    }

    /// The parts of a new request in this dialog, with the next CSeq number (RFC 3261 §12.2.1.1).
    ///
    /// Not for ACK ([`ack_parts`](Self::ack_parts)) or CANCEL (made from the INVITE).
    pub fn request_parts(&mut self, _method: Method) -> RequestParts<'_> {
        todo!()
    }

    /// The parts of the ACK of a 2xx: as a new request's, with the CSeq number of the INVITE (RFC 3261
    /// §13.2.2.4).
    pub fn ack_parts(&self, _invite_cseq: u32) -> RequestParts<'_> {
        todo!()
    }

    /// Takes in a request of the peer: checks its CSeq number against the last one and, where it may
    /// change the target, that its Contact can be read (RFC 3261 §12.2.2).
    ///
    /// Retransmissions do not come this far, so a number that is not higher is a fault; a gap is none.
    /// ACK and CANCEL carry the INVITE's number and always pass.
    pub fn handle_request(&mut self, _request: &Request) -> Result<(), DialogFault> {
        todo!()
    }

    /// Takes the remote target from Contact; says whether it changed. No Contact: nothing changes.
    ///
    /// To be called with a re-INVITE or UPDATE of the peer when we answer it with a 2xx or a reliable 1xx
    /// (RFC 6141 §4.4), and with such answers to ours.
    pub fn refresh_target(&mut self, _message: &Headers) -> Result<bool, DialogFault> {
        todo!()
    }
}
