//! Whose turn it is to speak SDP in one dialog: RFC 3264, RFC 6337, with RFC 3261 §13.2.1 and §14, RFC 3262
//! §5 and RFC 3311 §5.
//!
//! Every message of a dialog that may carry SDP is shown to [`OfferAnswer::handle`], with or without
//! SDP, sent or received; it tells what the body means. SDP itself is never looked at here.
//!
//! Invariant: at most one offer is unanswered, so never one of each side.

/// Who sent a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// We did.
    Local,
    /// The peer did.
    Remote,
}

/// The message that carries SDP, or could.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Carrier {
    /// An INVITE or re-INVITE.
    InviteRequest,
    /// A 1xx to an INVITE that is not reliable.
    UnreliableProvisional,
    /// A 1xx to an INVITE with RSeq and `Require: 100rel`; each one once, not its retransmissions.
    ReliableProvisional,
    /// The 2xx to an INVITE; once.
    Final2xx,
    /// The ACK of a 2xx; once.
    Ack,
    /// A PRACK.
    PrackRequest,
    /// The 2xx to a PRACK.
    Prack2xx,
    /// An UPDATE.
    UpdateRequest,
    /// The 2xx to an UPDATE.
    Update2xx,
}

/// Whether the message has an SDP body.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sdp {
    /// It has none.
    Absent,
    /// It has one.
    Present,
}

/// The request that a new offer would go into.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OfferIn {
    /// A re-INVITE.
    Invite,
    /// An UPDATE.
    Update,
    /// A PRACK.
    Prack,
}

/// What a message's body, or its lack of one, means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Meaning {
    /// No body, and none was due.
    Nothing,
    /// An offer: the other side owes an answer.
    Offer,
    /// The answer: the session is as agreed from here on.
    Answer,
    /// SDP of a 1xx that is not reliable, ahead of the answer, which must be equal (RFC 6337 §3.1.1): use it
    /// for early media.
    Preview,
    /// The answer was due and is missing, but a preview was there: it counts as the answer.
    PreviewStands,
    /// SDP where the exchange is over: a repetition to be ignored (RFC 3261 §13.2.1).
    Repeat,
    /// The request must be refused (received) or not be sent (ours). It leaves no trace: its failure must
    /// not be reported with [`OfferAnswer::request_failed`].
    Refused(Refusal),
    /// The sender broke the rules.
    Violation(Violation),
}

/// Why an offer or a re-INVITE has no place now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// Ours is under way: 491 (RFC 3261 §14.2, RFC 3311 §5.2).
    Glare,
    /// Theirs is under way: 500 with Retry-After (RFC 3261 §14.2, RFC 3311 §5.2).
    Pending,
}

impl Refusal {
    /// The status of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::Glare => 491,
            Self::Pending => 500,
        }
    }
}

/// How the offer/answer rules were broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Violation {
    /// The message had to bring the answer. The offer is void.
    MissingAnswer,
    /// The message had to bring the offer (a 2xx to an INVITE without SDP).
    MissingOffer,
    /// SDP in a message that can be neither offer nor answer now. It is to be refused or ignored; nothing
    /// has changed.
    Misplaced,
    /// A response or ACK to a request that is not under way. Nothing has changed.
    NoSuchRequest,
}

/// The offer/answer state of one dialog; eight bytes at most, copied when an INVITE forks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OfferAnswer {
    _state: u8,
}

impl OfferAnswer {
    /// A dialog in which no INVITE was seen.
    pub const fn new() -> Self {
        Self { _state: 0 }
    }

    /// Takes in one message, in the order sent and received, and says what its body means.
    pub fn handle(&mut self, _sender: Side, _carrier: Carrier, _sdp: Sdp) -> Meaning {
        todo!()
    }

    /// What [`handle`](Self::handle) would say; nothing changes.
    pub fn meaning(&self, sender: Side, carrier: Carrier, sdp: Sdp) -> Meaning {
        let mut copy = *self;
        copy.handle(sender, carrier, sdp)
    }

    /// A request of `sender` got a final response that is no 2xx, or none: its offer, or the offer in a
    /// response to it, is void and the session stays as it was (RFC 3264 §8, RFC 6337 §3.4).
    pub fn request_failed(&mut self, _sender: Side, _request: OfferIn) {
        todo!()
    }

    /// Whether we may send an offer in that request now. `Glare`: something of ours is under way;
    /// `Pending`: something of the peer's is.
    pub fn may_offer(&self, _request: OfferIn) -> Result<(), Refusal> {
        todo!()
    }

    /// Who made the offer that has no answer yet.
    pub fn unanswered(&self) -> Option<Side> {
        todo!()
    }

    /// Whose INVITE is under way: sent or received, and neither failed nor (as UAC) answered nor (as UAS)
    /// acknowledged.
    pub fn invite_under_way(&self) -> Option<Side> {
        todo!()
    }

    /// Whether no offer is unanswered and no INVITE or UPDATE is under way.
    pub fn is_stable(&self) -> bool {
        todo!()
    }
}
