//! The REST APIs over a store: `/mediator/v1` for accounts, `/core/v2` for the operator, and their description.
//!
//! Handlers read a request into checked records, write them with the revision that they read, and answer with what the
//! store took. What steers calls follows the store, so an answer means that the next INVITE goes by it.

pub mod catalog;
pub mod ports;
