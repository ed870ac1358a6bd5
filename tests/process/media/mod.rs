//! Audio through the server: what either side hears, when, and what it does not get to know.
//!
//! Two agents play, of which the tests know every packet. Each speaks one tone for as long as it speaks, so that who was
//! heard when can be measured; what the server plays by itself has other tones.

mod announce;
mod announce_faults;
mod codecs;
mod dialout;
mod dialout_ends;
mod dialout_store;
mod dtmf;
mod hostile;
mod limits;
mod moments;
mod relay;
mod ringback;
mod softphones;
mod studio;
