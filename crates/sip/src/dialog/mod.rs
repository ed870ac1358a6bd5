//! Dialogs and what lives in them: RFC 3261 §12-§14, RFC 3262, 3264, 3311, 4028, 6337.
//!
//! Values with small owned fields; none keeps a message. Each machine answers to the core of one leg:
//! it takes what was sent or received and `now`, and says what that means and when to ask again.
//!
//! - [`Dialog`]: identities, route set, target and sequence numbers of one peer relationship.
//! - [`EarlyDialogs`]: what one outgoing INVITE forks into.
//! - [`OfferAnswer`]: whose turn it is to speak SDP.
//! - [`SessionTimer`]: keeps a session alive and notices when it is not.
//! - [`ReliableSender`], [`ReliableReceiver`]: provisional responses that arrive.
//! - [`Retransmit2xx`]: the 2xx of an INVITE until its ACK.
//! - [`glare_backoff`]: when to try again after a 491.

mod backoff;
#[allow(clippy::module_inception, reason = "the module is named after its main type")]
mod dialog;
mod early;
mod fault;
mod glare;
mod identity;
mod offer_answer;
mod reliable_receiver;
mod reliable_sender;
mod retransmit_2xx;
mod route_set;
mod session_timer;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use backoff::RetransmitTimes;
pub use dialog::{CallIdOwner, Dialog, NewDialog, RequestParts};
pub use early::{DialogChange, EarlyDialogs, ForkId, MAX_FORKS};
pub use fault::DialogFault;
pub use glare::{glare_backoff, pending_retry_after};
pub use identity::request_uri;
pub use offer_answer::{Carrier, Meaning, OfferAnswer, OfferIn, Refusal, Sdp, Side, Violation};
pub use reliable_receiver::{ReliableReceiver, ReliableVerdict};
pub use reliable_sender::{
    Acknowledged, MAX_QUEUED_PROVISIONALS, PrackFault, QueueFull, ReliableEvent, ReliableSender,
};
pub use retransmit_2xx::{Retransmission, Retransmit2xx};
pub use route_set::MAX_ROUTES;
pub use session_timer::{
    Negotiated, SessionTimer, SessionTimerSettings, TimerEvent, TimerOffer, TooSmall, TooSmallRetry,
};
