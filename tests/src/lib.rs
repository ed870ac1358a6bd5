//! Actors and a stage for tests that drive the real server process.
//!
//! A test gets a [`stage::Stage`]: a directory of its own and loopback addresses that no other
//! test uses. On it play the server ([`server::Server`]), SIPp ([`sipp::Sipp`]) and two softphones
//! of different make ([`linphone::Linphone`], [`baresip::Baresip`]); what none of them would say is said
//! byte by byte ([`wire`]); who asks the APIs is an [`api::Api`]. Everything that an actor
//! printed, sent or recorded stays in the directory, so that a failure can be read afterwards.
//!
//! Deliberately not here: SIP parsing by our own crates. What the server sent is read by a few
//! lines of [`sipp::log`], so that a fault of our parser cannot hide itself.

pub mod agent;
pub mod api;
pub mod baresip;
pub mod child;
pub mod config;
pub mod hearing;
pub mod http;
pub mod linphone;
pub mod phone;
pub mod receiver;
pub mod rtp;
pub mod server;
pub mod sipp;
pub mod stage;
pub mod tone;
pub mod web;
pub mod wire;
