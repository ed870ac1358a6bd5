//! One dialog: RFC 3261 §12.
//!
//! Holds what later requests need and nothing of the messages that it came from. Whether a session
//! exists in it, and who may offer what, is the business of [`super::OfferAnswer`].
//!
//! Invariant: the remote `CSeq` only grows; the local `CSeq` is below 2^31.

#[cfg(test)]
mod tests;

use super::DialogFault;
use super::identity::{Name, Texts, request_uri};
use super::route_set::RouteSet;
use crate::{HeaderName, Headers, Method, Request, Response, Scheme, Uri};
use alloc::boxed::Box;

/// The largest `CSeq` number (RFC 3261 §8.1.1.5).
const MAX_CSEQ: u32 = 0x7FFF_FFFF;

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
    /// The `CSeq` number of the INVITE, at least 1 and well below 2^31.
    pub cseq: u32,
}

/// What the dialog contributes to a request: request line, Route, From, To, Call-ID and `CSeq` number.
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
    /// The number of `CSeq`.
    pub cseq: u32,
}

/// Our end of a dialog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dialog {
    texts: Texts,
    routes: RouteSet,
    /// The number of our last request; 0 before the first.
    local_cseq: u32,
    /// The number of the peer's last request; `None` before the first.
    remote_cseq: Option<u32>,
    owner: CallIdOwner,
    phase: Phase,
    security: Security,
}

/// RFC 3261 §12: "early" until a 2xx.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Early,
    Confirmed,
}

/// The "secure flag" of RFC 3261 §12.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Security {
    Plain,
    Sips,
}

impl Dialog {
    /// Makes the UAS's dialog of an INVITE without a To tag (RFC 3261 §12.1.1); it is early until
    /// [`confirm`](Self::confirm).
    ///
    /// `local_tag` is fresh; every response to the INVITE from 101 up carries it in To.
    pub fn from_request(request: &Request, local_tag: &[u8]) -> Result<Self, DialogFault> {
        let contact =
            contact(request)?.ok_or(const { DialogFault::missing(HeaderName::Contact) })?;
        let target = request_uri(&contact);
        let call_id = request.call_id()?;
        let local = Name::Tagged(line(request, HeaderName::To)?, local_tag);
        let remote = Name::Whole(line(request, HeaderName::From)?);
        Ok(Self {
            texts: Texts::new(call_id, (local, remote), &target),
            routes: RouteSet::of_request(request, &target)?,
            local_cseq: 0,
            remote_cseq: Some(request.cseq()?.number),
            owner: CallIdOwner::Remote,
            phase: Phase::Early,
            security: Security::of(request.uri()),
        })
    }

    /// What an INVITE is sent with, before any response: no remote tag, the preloaded routes.
    pub(super) fn outgoing(start: &NewDialog<'_>) -> Self {
        let names = (Name::Tagged(start.local, start.local_tag), Name::Whole(start.remote));
        Self {
            texts: Texts::new(start.call_id, names, start.target),
            routes: RouteSet::preloaded(start.routes, start.target),
            local_cseq: start.cseq,
            remote_cseq: None,
            owner: CallIdOwner::Local,
            phase: Phase::Early,
            security: Security::of(start.target),
        }
    }

    /// Makes the dialog of another fork's response to the INVITE that this UAC dialog came from: for a
    /// 2xx that arrives when its [`super::EarlyDialogs`] are gone, to ACK it and send BYE.
    ///
    /// Where its Contact or Record-Route cannot be read, it goes to the target of this dialog.
    pub fn sibling(&self, response: &Response) -> Result<Self, DialogFault> {
        let (mut dialog, _) = self.fork(response)?;
        // Since the INVITE this dialog may have sent more; the fork has not.
        dialog.local_cseq = response.cseq()?.number;
        if response.status() >= 200 {
            dialog.confirm();
        }
        Ok(dialog)
    }

    /// The dialog of a response to our INVITE (RFC 3261 §12.1.2), and what is wrong with its Contact and
    /// Record-Route.
    pub(super) fn fork(
        &self,
        response: &Response,
    ) -> Result<(Self, Result<(), DialogFault>), DialogFault> {
        let remote = Name::Whole(line(response, HeaderName::To)?);
        let names = (self.texts.local_name(), remote);
        let mut dialog = Self {
            texts: Texts::new(self.call_id(), names, self.remote_target()),
            routes: self.routes.clone(),
            local_cseq: self.local_cseq,
            remote_cseq: None,
            owner: CallIdOwner::Local,
            phase: Phase::Early,
            security: self.security,
        };
        let readable = dialog.follow(response);
        Ok((dialog, readable))
    }

    /// Takes target and route set from a response to our INVITE that makes or confirms this dialog
    /// (RFC 3261 §12.1.2, §13.2.2.4); no Record-Route clears the route set, also a preloaded one. What
    /// cannot be read leaves what was there.
    pub(super) fn follow(&mut self, response: &Headers) -> Result<(), DialogFault> {
        let refreshed = self.refresh_target(response);
        self.routes = RouteSet::of_response(response, self.texts.target())?;
        refreshed.map(|_| ())
    }

    /// Takes in a further 1xx of this early dialog. Some peers name Contact and Record-Route only in a
    /// later one, against RFC 3261 §12.1.1; a PRACK needs them.
    pub(super) fn follow_provisional(&mut self, response: &Headers) {
        // A 1xx with a Contact that cannot be read still tells that it rings.
        let _ = self.refresh_target(response);
        if self.routes.is_empty()
            && let Ok(routes) = RouteSet::of_response(response, self.texts.target())
        {
            self.routes = routes;
        }
    }

    /// Notes that we sent a 2xx to the INVITE (RFC 3261 §12.1).
    pub fn confirm(&mut self) {
        self.phase = Phase::Confirmed;
    }

    /// Whether a 2xx to the INVITE was sent or received.
    pub fn is_confirmed(&self) -> bool {
        self.phase == Phase::Confirmed
    }

    /// Call-ID.
    pub fn call_id(&self) -> &[u8] {
        self.texts.call_id()
    }

    /// Our tag.
    pub fn local_tag(&self) -> &[u8] {
        self.texts.local_tag().unwrap_or_default()
    }

    /// The peer's tag; `None` where it has none (RFC 2543) or none yet.
    pub fn remote_tag(&self) -> Option<&[u8]> {
        self.texts.remote_tag()
    }

    /// Our From or To value, tag included.
    pub fn local(&self) -> &[u8] {
        self.texts.local()
    }

    /// The peer's From or To value, tag included where it has one.
    pub fn remote(&self) -> &[u8] {
        self.texts.remote()
    }

    /// The URI of the peer's Contact.
    pub fn remote_target(&self) -> &[u8] {
        self.texts.target()
    }

    /// Who minted the Call-ID; decides how long to wait after a glare.
    pub fn call_id_owner(&self) -> CallIdOwner {
        self.owner
    }

    /// Whether the INVITE's Request-URI was a SIPS URI: then our Contact must be one (RFC 3261 §12.1).
    pub fn is_secure(&self) -> bool {
        self.security == Security::Sips
    }

    /// Whether a request from the peer belongs to this dialog: Call-ID and both tags (RFC 3261 §12.2.2).
    pub fn is_target_of(&self, request: &Request) -> bool {
        let (Ok(call_id), Ok(from), Ok(to)) =
            (request.call_id(), request.from_tag(), request.to_tag())
        else {
            return false;
        };
        // Tags are minted and echoed by machines: they compare byte by byte.
        call_id == self.call_id()
            && to == self.texts.local_tag()
            && from.filter(|tag| !tag.is_empty()) == self.texts.remote_tag()
    }

    /// The URI to resolve for the next request: the first route's, else the remote target.
    pub fn next_hop(&self) -> &[u8] {
        self.routes.next_hop().unwrap_or(self.texts.target())
    }

    /// The parts of a new request in this dialog, with the next `CSeq` number (RFC 3261 §12.2.1.1).
    ///
    /// Not for ACK ([`ack_parts`](Self::ack_parts)) or CANCEL (made from the INVITE). The number starts
    /// where we choose and has room for two billion requests; behind the last it stays, and the
    /// peer's 500 ends the call.
    pub fn request_parts(&mut self, method: Method) -> RequestParts<'_> {
        debug_assert!(!matches!(method, Method::Ack | Method::Cancel), "they take no new CSeq");
        self.local_cseq = self.local_cseq.saturating_add(1).min(MAX_CSEQ);
        self.parts(self.local_cseq)
    }

    /// The parts of the ACK of a 2xx: as a new request's, with the `CSeq` number of the INVITE (RFC 3261
    /// §13.2.2.4).
    pub fn ack_parts(&self, invite_cseq: u32) -> RequestParts<'_> {
        self.parts(invite_cseq)
    }

    /// The parts of the INVITE that starts a dialog.
    pub(super) fn invite_parts(&self) -> RequestParts<'_> {
        self.parts(self.local_cseq)
    }

    fn parts(&self, cseq: u32) -> RequestParts<'_> {
        let (uri, routes) = self.routes.parts(self.texts.target());
        RequestParts {
            uri,
            routes,
            from: self.texts.local(),
            to: self.texts.remote(),
            call_id: self.texts.call_id(),
            cseq,
        }
    }

    /// Takes in a request of the peer: checks its `CSeq` number against the last one and, where it may
    /// change the target, that its Contact can be read (RFC 3261 §12.2.2).
    ///
    /// Retransmissions do not come this far, so a number that is not higher is a fault; a gap is none.
    /// ACK and CANCEL carry the INVITE's number and always pass.
    pub fn handle_request(&mut self, request: &Request) -> Result<(), DialogFault> {
        if matches!(request.method(), Method::Ack | Method::Cancel) {
            return Ok(());
        }
        let number = request.cseq()?.number;
        if self.remote_cseq.is_some_and(|last| number <= last) {
            return Err(DialogFault::OutOfOrder);
        }
        self.remote_cseq = Some(number);
        if matches!(request.method(), Method::Invite | Method::Update) {
            contact(request)?;
        }
        Ok(())
    }

    /// Takes the remote target from Contact; says whether it changed. No Contact: nothing changes.
    ///
    /// To be called with a re-INVITE or UPDATE of the peer when we answer it with a 2xx or a reliable 1xx
    /// (a refused request changes nothing: RFC 3261 §12.2.2, RFC 6141 §4), and with such answers to ours.
    pub fn refresh_target(&mut self, message: &Headers) -> Result<bool, DialogFault> {
        let Some(contact) = contact(message)? else { return Ok(false) };
        let target = request_uri(&contact);
        if *target == *self.texts.target() {
            return Ok(false);
        }
        self.routes.retarget(&target);
        self.texts.retarget(&target);
        Ok(true)
    }
}

impl Security {
    fn of(uri: &[u8]) -> Self {
        match uri.get(..5) {
            Some(scheme) if scheme.eq_ignore_ascii_case(b"sips:") => Self::Sips,
            Some(_) | None => Self::Plain,
        }
    }
}

/// The value of a header that every message has.
fn line(message: &Headers, name: HeaderName) -> Result<&[u8], DialogFault> {
    message.first(name).ok_or(DialogFault::missing(name))
}

/// The URI of Contact; a dialog can only use a SIP or SIPS one (RFC 3261 §12.1.1).
fn contact(message: &Headers) -> Result<Option<Uri<'_>>, DialogFault> {
    match message.contact()?.map(|contact| contact.uri) {
        Some(uri) if matches!(uri.scheme, Scheme::Sip | Scheme::Sips) => Ok(Some(uri)),
        None if message.first(HeaderName::Contact).is_none() => Ok(None),
        Some(_) | None => Err(DialogFault::malformed(HeaderName::Contact)),
    }
}
