//! RTP as a value (RFC 3550, RFC 3551, RFC 4733): packets, orders and `now` go in; packets, events and the next deadline
//! come out.
//!
//! Pure and `no_std`: it opens no socket, reads no clock and no file, and rolls no unseeded dice. The server drives it
//! with real sockets on threads of its own, `sim` with a virtual clock and a network that loses and reorders.
//!
//! - [`Relay`]: all sessions of one thread.
//! - [`Order`]: what the call engine asks for; [`Event`]: what it is told.
//! - [`Terms`]: what one leg has agreed on in SDP; [`Format`]: one line of it.
//! - [`Hear`]: what a side hears; [`Sound`]: what can be played; [`Track`]: a sound in packets.
//! - [`Ears`]: what hears keys in codecs that this crate cannot decode.
//! - [`Figures`]: what was counted of a leg.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod control;
mod counters;
mod ear;
pub mod emodel;
pub mod event;
mod figures;
pub mod g711;
pub mod goertzel;
pub mod latch;
mod leg;
mod listener;
mod order;
mod outgoing;
mod own;
pub mod reception;
mod relay;
mod route;
pub mod rtcp;
pub mod rtp;
mod session;
mod side;
mod silence;
mod speaker;
mod speech;
mod stream;
mod supervision;
mod surroundings;
mod terms;
mod timers;
mod track;
mod voice;

pub use counters::Counters;
pub use ear::{Ear, Ears, NoEars, Unheard};
pub use figures::Figures;
pub use order::{Event, Hear, Order, Play, Repeat, Sound, SoundFailure, SoundOutcome, Tone};
pub use relay::{Forward, Lane, LaneKind, Opened, Outlet, Relay, RelaySetup, SessionKey};
pub use side::Side;
pub use speech::Speech;
pub use terms::{Format, Peer, Terms};
pub use track::Track;
