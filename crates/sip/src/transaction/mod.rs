//! Transactions: RFC 3261 §17, amended by RFC 6026; one machine a file, and the layer that owns them.
//!
//! The machines (`client_invite`, `client_non_invite`, `server_invite`, `server_non_invite`) know bytes and
//! `now` only. The [`TransactionLayer`] finds the machine a message belongs to, keeps the timers and hands
//! to the core what the core must see: each request once, each provisional response, the first final one.
//!
//! Not here: who a message is for, dialogs, the retransmission of a 2xx to INVITE and its ACK
//! (§13.3.1.4, the dialog's), and whether the sent-by of a response's Via is ours (§18.1.2, the core's).

mod arena;
mod client_invite;
mod client_non_invite;
mod clients;
mod derived;
mod events;
mod layer;
mod matching;
mod routing;
mod server_invite;
mod server_non_invite;
mod servers;
mod settings;
mod timing;

pub use events::{ClientKey, Output, Received, ServerKey};
pub use layer::TransactionLayer;
pub use routing::response_flow;
pub use settings::{Counters, LayerSettings, Live, TimerSettings};
