//! For tests: call engines under a virtual clock, on a network that loses, repeats, delays and reorders, among
//! scripted peers that break every rule they can.
//!
//! - [`Sim`]: the world. It drives engines and agents, keeps the time, and finds what no run may show.
//! - [`Network`]: what becomes of a packet, from a seed; streams keep their order.
//! - [`Agent`]: a SIP peer with its own reader, writer and timers, so that a mistake of ours is not made twice.
//! - [`Stage`]: endpoints, trunks, numbers and bindings for a run.
//!
//! Nothing here reads a clock or rolls unseeded dice: a failing seed fails for ever.
#![allow(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::struct_excessive_bools,
    reason = "only tests use it: a mistake of theirs may panic, and quirks are switches"
)]

mod agent;
mod dice;
mod network;
mod rules;
mod stage;
mod wire;
mod world;

pub use agent::{
    Agent, AgentCall, Answering, Dialog, Media, Move, Party, Profile, Quirks, Standing,
};
pub use dice::Dice;
pub use network::Network;
pub use stage::{ACCOUNT, CALLED, CALLER, REDIRECT, Stage, number};
pub use wire::Wire;
pub use world::Sim;
