//! The real binary on loopback, with SIPp and softphones around it.
//!
//! What is fixed from outside is checked here: command line, ready lines, configuration keys, and
//! the calls that a carrier or a phone can see. Every rule that needs no real process is checked
//! with a virtual clock elsewhere. Each test owns its addresses (so all can run at once) and leaves
//! its logs, messages and recordings in `<target>/tmp/process/<test>`.

#![expect(
    clippy::indexing_slicing,
    reason = "a JSON value without the field that is asked for gives null, and a slice that is too short fails the test"
)]

mod actors;
mod api;
mod dialogs;
mod failover;
mod forks;
mod hostile;
mod life;
mod masking;
mod media;
mod phones;
mod refusals;
mod registration;
mod running;
mod scene;
mod store;
mod volume;
