//! For tests: call engines under a virtual clock, on a network that loses, repeats, delays and reorders, among
//! scripted peers that break every rule they can.
//!
//! - [`Sim`]: the world. It drives engines and agents, keeps the time, and finds what no run may show.
//! - [`Network`]: what becomes of a packet, from a seed; streams keep their order.
//! - [`Agent`]: a SIP peer with its own reader, writer and timers, so that a mistake of ours is not made twice.
//! - [`Sounds`], [`What`]: what is played and heard; [`Talk`]: what an agent says and hears of media in a call.
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
mod media;
mod network;
mod rules;
mod sounds;
mod stage;
mod wire;
mod world;

pub use agent::{
    Agent, AgentCall, Answering, Described, Dialog, Heard, Media, Move, Party, Profile, Quirks,
    Standing, Talk,
};
pub use dice::Dice;
pub use network::Network;
pub use sounds::{Sounds, What};
pub use stage::{ACCOUNT, CALLED, CALLER, REDIRECT, Stage, number};
pub use wire::Wire;
pub use world::Sim;
