//! Whose turn it is to speak SDP in one dialog: RFC 3264, RFC 6337, with RFC 3261 §13.2.1 and §14, RFC 3262
//! §5 and RFC 3311 §5.
//!
//! Every message of a dialog that may carry SDP is shown to [`OfferAnswer::handle`], with or without
//! SDP, sent or received; it tells what the body means. SDP itself is never looked at here.
//!
//! Invariant: at most one offer is unanswered, so never one of each side.

#[cfg(test)]
mod tests;

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
    /// A 1xx to an INVITE with `RSeq` and `Require: 100rel`; when it is first sent or received, not its
    /// retransmissions.
    ReliableProvisional,
    /// The 2xx to an INVITE; once.
    Final2xx,
    /// The ACK of a 2xx; once.
    Ack,
    /// A PRACK that matches a response.
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
    /// An INVITE or re-INVITE.
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

/// How the offer/answer rules were broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Violation {
    /// The message had to bring the answer. The offer is void.
    MissingAnswer,
    /// The message had to bring the offer (a 2xx to an INVITE without SDP).
    MissingOffer,
    /// SDP in a message that can be neither offer nor answer now. It is to be refused or ignored; offer and
    /// session are as they were.
    Misplaced,
    /// A response or ACK to a request that is not under way. Nothing has changed.
    NoSuchRequest,
}

/// The offer/answer state of one dialog; eight bytes at most, copied when an INVITE forks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OfferAnswer {
    unanswered: Option<Offer>,
    invite: Invite,
    /// Whose UPDATE has no final response yet.
    updates: Updates,
}

/// The one offer that has no answer yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Offer {
    by: Side,
    within: Within,
}

/// The request whose failure makes the offer void.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Within {
    /// The INVITE, or its 2xx, which the ACK answers.
    Invite,
    /// A reliable 1xx to the INVITE, which the PRACK answers.
    Provisional,
    Prack,
    Update,
}

/// The INVITE transaction under way, if any.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Invite {
    #[default]
    None,
    /// Without a final response.
    Open { by: Side, exchange: Exchange },
    /// With a 2xx but without its ACK.
    Answered { by: Side },
}

/// How far the first offer and answer within an INVITE transaction have come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Exchange {
    /// The INVITE had no SDP: the UAS is to offer.
    Awaited,
    /// The INVITE's or the reliable 1xx's offer is unanswered.
    Offered,
    /// The INVITE's offer is unanswered, but a preview was seen.
    Previewed,
    /// Answered in a reliable 1xx whose PRACK is outstanding: the UAS must not offer yet (RFC 3311 §5.1).
    AnswerInFlight,
    /// Over; SDP in further responses says nothing new.
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Updates {
    local: bool,
    remote: bool,
}

impl OfferAnswer {
    /// A dialog in which no INVITE was seen.
    pub const fn new() -> Self {
        Self {
            unanswered: None,
            invite: Invite::None,
            updates: Updates { local: false, remote: false },
        }
    }

    /// Takes in one message, in the order sent and received, and says what its body means.
    pub fn handle(&mut self, sender: Side, carrier: Carrier, sdp: Sdp) -> Meaning {
        match carrier {
            Carrier::InviteRequest => self.invite(sender, sdp),
            Carrier::UnreliableProvisional => self.unreliable_provisional(sender, sdp),
            Carrier::ReliableProvisional => self.reliable_provisional(sender, sdp),
            Carrier::Final2xx => self.final_2xx(sender, sdp),
            Carrier::Ack => self.ack(sender, sdp),
            Carrier::PrackRequest => self.prack(sender, sdp),
            Carrier::Prack2xx => self.prack_2xx(sender, sdp),
            Carrier::UpdateRequest => self.update(sender, sdp),
            Carrier::Update2xx => self.update_2xx(sender, sdp),
        }
    }

    /// What [`handle`](Self::handle) would say; nothing changes.
    pub fn meaning(&self, sender: Side, carrier: Carrier, sdp: Sdp) -> Meaning {
        let mut copy = *self;
        copy.handle(sender, carrier, sdp)
    }

    /// A request of `sender` got a final response that is no 2xx, or none: its offer, or the offer in a
    /// response to it, is void and the session stays as it was (RFC 3264 §8, RFC 6337 §3.4).
    pub fn request_failed(&mut self, sender: Side, request: OfferIn) {
        match request {
            OfferIn::Invite if self.invite_under_way() == Some(sender) => {
                self.invite = Invite::None;
                self.void_where(|offer| offer.within.is_of_invite());
            }
            // The other side's INVITE took its place, or it was refused: nothing of it is left.
            OfferIn::Invite => {}
            OfferIn::Prack => {
                self.void_where(|offer| offer.by == sender && offer.within == Within::Prack);
            }
            OfferIn::Update => {
                self.updates.close(sender);
                self.void_where(|offer| offer.by == sender && offer.within == Within::Update);
            }
        }
    }

    /// Whether we may send an offer in that request now. `Glare`: something of ours is under way;
    /// `Pending`: something of the peer's is.
    pub fn may_offer(&self, request: OfferIn) -> Result<(), Refusal> {
        let carrier = match request {
            OfferIn::Invite => Carrier::InviteRequest,
            OfferIn::Update => Carrier::UpdateRequest,
            OfferIn::Prack => Carrier::PrackRequest,
        };
        match self.meaning(Side::Local, carrier, Sdp::Present) {
            Meaning::Offer => Ok(()),
            Meaning::Refused(refusal) => Err(refusal),
            // A PRACK that answers, or has no INVITE of ours to belong to.
            Meaning::Nothing
            | Meaning::Answer
            | Meaning::Preview
            | Meaning::PreviewStands
            | Meaning::Repeat
            | Meaning::Violation(_) => Err(Refusal::of(
                self.unanswered().or_else(|| self.invite_under_way()).unwrap_or(Side::Remote),
            )),
        }
    }

    /// Who made the offer that has no answer yet.
    pub fn unanswered(&self) -> Option<Side> {
        self.unanswered.map(|offer| offer.by)
    }

    /// Whose INVITE is under way: sent or received, and neither failed nor, after a 2xx, acknowledged.
    pub fn invite_under_way(&self) -> Option<Side> {
        match self.invite {
            Invite::None => None,
            Invite::Open { by, .. } | Invite::Answered { by } => Some(by),
        }
    }

    /// Whether no offer is unanswered and no INVITE or UPDATE is under way.
    pub fn is_stable(&self) -> bool {
        *self == Self::new()
    }

    fn invite(&mut self, sender: Side, sdp: Sdp) -> Meaning {
        if let Some(owner) = self.unanswered() {
            return Meaning::Refused(Refusal::of(owner));
        }
        match self.invite {
            Invite::None => {}
            // The peer sends its next INVITE behind an ACK; here it came first or the ACK was lost.
            Invite::Answered { by: Side::Remote } if sender == Side::Remote => {}
            Invite::Open { by, .. } | Invite::Answered { by } => {
                return Meaning::Refused(Refusal::of(by));
            }
        }
        match sdp {
            Sdp::Absent => {
                self.invite = Invite::Open { by: sender, exchange: Exchange::Awaited };
                Meaning::Nothing
            }
            Sdp::Present => {
                self.invite = Invite::Open { by: sender, exchange: Exchange::Offered };
                self.offer(sender, Within::Invite)
            }
        }
    }

    fn unreliable_provisional(&mut self, sender: Side, sdp: Sdp) -> Meaning {
        let Some(exchange) = self.exchange_answered_by(sender) else {
            return Meaning::Violation(Violation::NoSuchRequest);
        };
        match (sdp, *exchange) {
            (Sdp::Absent, _) => Meaning::Nothing,
            (Sdp::Present, Exchange::Offered) if self.owes(sender) => {
                self.set_exchange(Exchange::Previewed);
                Meaning::Preview
            }
            (Sdp::Present, Exchange::Previewed) => Meaning::Preview,
            // An offer has to be in a reliable response (RFC 3261 §13.2.1).
            (Sdp::Present, Exchange::Awaited) => Meaning::Violation(Violation::Misplaced),
            (Sdp::Present, Exchange::Offered | Exchange::AnswerInFlight | Exchange::Done) => {
                Meaning::Repeat
            }
        }
    }

    fn reliable_provisional(&mut self, sender: Side, sdp: Sdp) -> Meaning {
        let Some(exchange) = self.exchange_answered_by(sender) else {
            return Meaning::Violation(Violation::NoSuchRequest);
        };
        match (sdp, *exchange) {
            (Sdp::Absent, _) => Meaning::Nothing,
            (Sdp::Present, Exchange::Awaited) => {
                self.set_exchange(Exchange::Offered);
                self.offer(sender, Within::Provisional)
            }
            (Sdp::Present, Exchange::Offered | Exchange::Previewed) if self.owes(sender) => {
                self.set_exchange(Exchange::AnswerInFlight);
                self.answer()
            }
            (
                Sdp::Present,
                Exchange::Offered | Exchange::Previewed | Exchange::AnswerInFlight | Exchange::Done,
            ) => Meaning::Repeat,
        }
    }

    fn final_2xx(&mut self, sender: Side, sdp: Sdp) -> Meaning {
        let Some(exchange) = self.exchange_answered_by(sender) else {
            return Meaning::Violation(Violation::NoSuchRequest);
        };
        let exchange = *exchange;
        let owed = self.owes(sender);
        if sender == Side::Local && exchange == Exchange::Offered && !owed {
            // Our offer in a reliable 1xx wants its PRACK first (RFC 3262 §3).
            return Meaning::Violation(Violation::Misplaced);
        }
        self.invite = Invite::Answered { by: sender.other() };
        match (sdp, exchange) {
            (Sdp::Present, Exchange::Awaited) => self.offer(sender, Within::Invite),
            (Sdp::Absent, Exchange::Awaited) => Meaning::Violation(Violation::MissingOffer),
            (Sdp::Present, Exchange::Offered | Exchange::Previewed) if owed => self.answer(),
            (Sdp::Absent, Exchange::Previewed) if sender == Side::Remote => {
                self.unanswered = None;
                Meaning::PreviewStands
            }
            (Sdp::Absent, Exchange::Offered | Exchange::Previewed) if owed => self.missing_answer(),
            // Also where a peer did not wait for the PRACK with our answer: the ACK may still bring it.
            (Sdp::Present, _) => Meaning::Repeat,
            (Sdp::Absent, _) => Meaning::Nothing,
        }
    }

    fn ack(&mut self, sender: Side, sdp: Sdp) -> Meaning {
        if self.invite != (Invite::Answered { by: sender }) {
            return Meaning::Violation(Violation::NoSuchRequest);
        }
        self.invite = Invite::None;
        let owed =
            self.unanswered.is_some_and(|offer| offer.by != sender && offer.within.is_of_invite());
        match (sdp, owed) {
            (Sdp::Present, true) => self.answer(),
            (Sdp::Absent, true) => self.missing_answer(),
            (Sdp::Present, false) => Meaning::Repeat,
            (Sdp::Absent, false) => Meaning::Nothing,
        }
    }

    fn prack(&mut self, sender: Side, sdp: Sdp) -> Meaning {
        if self.invite_under_way() != Some(sender) {
            return match sdp {
                Sdp::Absent => Meaning::Nothing,
                Sdp::Present => Meaning::Violation(Violation::Misplaced),
            };
        }
        if self.unanswered == Some(Offer { by: sender.other(), within: Within::Provisional }) {
            return match sdp {
                Sdp::Present => {
                    self.set_exchange(Exchange::Done);
                    self.answer()
                }
                Sdp::Absent => {
                    self.set_exchange(Exchange::Awaited);
                    self.missing_answer()
                }
            };
        }
        if let Invite::Open { exchange: exchange @ Exchange::AnswerInFlight, .. } = &mut self.invite
        {
            *exchange = Exchange::Done;
        }
        match (sdp, self.unanswered) {
            (Sdp::Absent, _) => Meaning::Nothing,
            // The offer of the INVITE or of its 2xx has no answer yet (RFC 3262 §5).
            (Sdp::Present, Some(offer)) if offer.within.is_of_invite() => {
                Meaning::Violation(Violation::Misplaced)
            }
            (Sdp::Present, Some(offer)) => Meaning::Refused(Refusal::of(offer.by)),
            (Sdp::Present, None) => match self.invite {
                Invite::Open { exchange: Exchange::Done, .. } | Invite::Answered { .. } => {
                    self.offer(sender, Within::Prack)
                }
                Invite::None | Invite::Open { .. } => Meaning::Violation(Violation::Misplaced),
            },
        }
    }

    fn prack_2xx(&mut self, sender: Side, sdp: Sdp) -> Meaning {
        let asked = Offer { by: sender.other(), within: Within::Prack };
        self.plain_2xx(asked, sdp)
    }

    fn update(&mut self, sender: Side, sdp: Sdp) -> Meaning {
        if self.updates.is_open(sender) {
            // Whether or not one of them has SDP (RFC 3311 §5.2).
            return Meaning::Refused(Refusal::of(sender));
        }
        if sdp == Sdp::Present
            && let Some(owner) = self.blocks_update_offer(sender)
        {
            return Meaning::Refused(Refusal::of(owner));
        }
        self.updates.open(sender);
        match sdp {
            Sdp::Absent => Meaning::Nothing,
            Sdp::Present => self.offer(sender, Within::Update),
        }
    }

    fn update_2xx(&mut self, sender: Side, sdp: Sdp) -> Meaning {
        if !self.updates.is_open(sender.other()) {
            return Meaning::Violation(Violation::NoSuchRequest);
        }
        self.updates.close(sender.other());
        let asked = Offer { by: sender.other(), within: Within::Update };
        self.plain_2xx(asked, sdp)
    }

    /// A 2xx that may answer the offer of its own request and nothing else.
    fn plain_2xx(&mut self, asked: Offer, sdp: Sdp) -> Meaning {
        match (sdp, self.unanswered == Some(asked)) {
            (Sdp::Present, true) => self.answer(),
            (Sdp::Absent, true) => self.missing_answer(),
            (Sdp::Present, false) => Meaning::Violation(Violation::Misplaced),
            (Sdp::Absent, false) => Meaning::Nothing,
        }
    }

    /// Who stands in the way of an UPDATE's offer (RFC 3311 §5.1, §5.2).
    fn blocks_update_offer(self, sender: Side) -> Option<Side> {
        if let Some(owner) = self.unanswered() {
            return Some(owner);
        }
        match self.invite {
            Invite::None | Invite::Answered { .. } => None,
            Invite::Open { by, exchange } => match exchange {
                Exchange::Done => None,
                // Only the UAS has to wait; a peer that does not is let through.
                Exchange::AnswerInFlight if sender == by || sender == Side::Remote => None,
                Exchange::Awaited
                | Exchange::Offered
                | Exchange::Previewed
                | Exchange::AnswerInFlight => Some(by),
            },
        }
    }

    /// The exchange within the open INVITE that `sender` is to respond to.
    fn exchange_answered_by(&mut self, sender: Side) -> Option<&mut Exchange> {
        match &mut self.invite {
            Invite::Open { by, exchange } if *by != sender => Some(exchange),
            Invite::None | Invite::Open { .. } | Invite::Answered { .. } => None,
        }
    }

    fn set_exchange(&mut self, to: Exchange) {
        if let Invite::Open { exchange, .. } = &mut self.invite {
            *exchange = to;
        }
    }

    /// Whether `side` has to answer the offer of the INVITE itself.
    fn owes(self, side: Side) -> bool {
        self.unanswered == Some(Offer { by: side.other(), within: Within::Invite })
    }

    fn offer(&mut self, by: Side, within: Within) -> Meaning {
        debug_assert!(self.unanswered.is_none(), "one offer at a time");
        self.unanswered = Some(Offer { by, within });
        Meaning::Offer
    }

    fn answer(&mut self) -> Meaning {
        self.unanswered = None;
        Meaning::Answer
    }

    fn missing_answer(&mut self) -> Meaning {
        self.unanswered = None;
        Meaning::Violation(Violation::MissingAnswer)
    }

    fn void_where(&mut self, is_void: impl Fn(Offer) -> bool) {
        self.unanswered.take_if(|offer| is_void(*offer));
    }
}

impl Side {
    /// The one across.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Local => Self::Remote,
            Self::Remote => Self::Local,
        }
    }
}

impl Within {
    /// Whether the offer is void when the INVITE fails.
    const fn is_of_invite(self) -> bool {
        match self {
            Self::Invite | Self::Provisional => true,
            Self::Prack | Self::Update => false,
        }
    }
}

impl Refusal {
    /// The status of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::Glare => 491,
            Self::Pending => 500,
        }
    }

    const fn of(owner: Side) -> Self {
        match owner {
            Side::Local => Self::Glare,
            Side::Remote => Self::Pending,
        }
    }
}

impl Updates {
    fn is_open(self, side: Side) -> bool {
        match side {
            Side::Local => self.local,
            Side::Remote => self.remote,
        }
    }

    fn open(&mut self, side: Side) {
        *self.of(side) = true;
    }

    fn close(&mut self, side: Side) {
        *self.of(side) = false;
    }

    fn of(&mut self, side: Side) -> &mut bool {
        match side {
            Side::Local => &mut self.local,
            Side::Remote => &mut self.remote,
        }
    }
}
