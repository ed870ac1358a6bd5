//! The state that all shards share, behind the traits that the call engine asks.
//!
//! - [`BindingTable`] answers [`Bindings`](mediator_model::Bindings): who is put through to whom.
//! - [`ContactTable`] answers [`Locations`](mediator_model::Locations): the registrar of RFC 3261 §10.
//! - [`Gate`] answers [`Admission`](mediator_model::Admission): capacities, rates, trunk health, replays, bans.
//!
//! Invariants: a lookup of a binding never waits for a writer; nothing here reads a clock, every method is told the
//! time; whatever peers can make grow has a named limit.
//!
//! It is deliberately not durable: a [`Journal`] is told of every change in order, and a store behind it keeps them.

mod bindings;
mod contacts;
mod gate;
mod index;
mod media_ports;

pub use bindings::{BindingTable, DuplicateKey, EXPIRE_BATCH, Journal, WriteError};
pub use contacts::{ContactTable, MAX_CONTACTS};
pub use gate::{BanSettings, Gate, GateCounters, GateSettings, MAX_NONCES, MAX_SOURCES};
pub use media_ports::UnboundPorts;
