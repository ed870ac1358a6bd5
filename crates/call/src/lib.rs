//! The call engine: a value that takes messages, commands and `now`, and gives messages, events and the
//! next deadline.
//!
//! Pure and `no_std`: it opens no socket, reads no clock, spawns no task and rolls no unseeded dice. The
//! server drives it with real sockets, `sim` with a virtual clock and a network that loses and repeats.
//!
//! - [`io`]: what goes in and comes out.
//! - [`Engine`]: one shard's calls.
//! - [`route`]: number -> DID -> endpoint -> bindings -> attempts; `flows`: what each kind of call does.
//! - [`explain`](explain()): where a call would go.
//! - `call`, `prelude`, `dial`, `ringing`, `caller`, `legs`, `relay`, `outcome`: one call, stage by stage; `media`:
//!   what its sides hear.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod abandon;
mod address;
mod began;
mod branch;
mod call;
mod caller;
mod cdr;
mod context;
mod counters;
mod dial;
mod dice;
mod dtmf;
mod engine;
mod explain;
mod flows;
mod identity;
mod incoming;
mod ingress;
mod leg;
mod legs;
mod limits;
mod media;
mod outcome;
mod prelude;
mod probe;
mod redirect;
mod registrar;
mod relay;
mod request;
mod ringing;
mod sdp;
mod verdict;

pub mod io;
pub mod route;

pub use cdr::{CallRecord, DialledLeg, LegA, Originator};
pub use counters::{Counter, Counters};
pub use engine::Engine;
pub use explain::{Explained, Place, Rule, explain};
pub use flows::FlowKind;
pub use identity::{Caller, Shown};
pub use leg::Side;
