//! What hears keys in audio that is not G.711: decoders, which this crate has none of. Whoever sets up a relay gives
//! them.
//!
//! An ear is made for a leg when somebody listens to its keys, it has no telephone-events and sends that codec; it is
//! gone when nobody listens any more. What it does with a packet costs that packet's turn, so that it hears no more
//! audio than there is time for.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::Debug;

use crate::Speech;

/// Decodes the audio of one leg, packet by packet, in the order in which it came.
pub trait Ear: Debug + Send {
    /// Puts the samples of a packet behind those that are there: one channel at 8 kHz. It does not panic.
    fn hear(&mut self, payload: &[u8], samples: &mut Vec<i16>) -> Result<(), Unheard>;
}

/// Makes ears.
pub trait Ears: Debug + Send + Sync {
    /// An ear for a codec; `None`: its keys are not heard.
    fn ear(&self, speech: Speech) -> Option<Box<dyn Ear>>;
}

/// Why a packet was not heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unheard {
    /// The packet is damaged: the next one may be heard.
    #[error("a packet cannot be decoded")]
    Packet,
    /// The decoder has failed and is not asked again.
    #[error("the decoder has failed")]
    Defect,
}

/// Hears nothing: keys are told from G.711 alone.
#[derive(Clone, Copy, Debug)]
pub struct NoEars;

impl Ears for NoEars {
    fn ear(&self, _speech: Speech) -> Option<Box<dyn Ear>> {
        None
    }
}
