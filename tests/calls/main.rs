//! Simulated calls: engines under a virtual clock, on a bad network, among peers that break the rules.
//!
//! Each file is a topic, each test a rule of what Mediator does seen from outside. `SIM_TRACE=1` prints what went
//! over the wire when a test fails, `SIM_SEEDS` runs more random calls, `SIM_SEED` one of them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "every function here belongs to a test"
)]

mod aligning;
mod announce;
mod challenges;
mod claims;
mod dialouts;
mod explain;
mod failures;
mod identity;
mod limits;
mod masking;
mod media;
mod media_corners;
mod media_sounds;
mod pains;
mod parallel;
mod phones;
mod random;
mod records;
mod regressions;
mod relay;
mod reliable;
mod ringback;
mod strangers;
mod support;
mod talking;
mod trunks;
