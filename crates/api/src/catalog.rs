//! The small objects in memory: endpoints, trunk groups, trunks, DIDs, tokens, the operator; and who owns which number.
//!
//! It follows the store (see `mediator_store::Follower`); requests read it without waiting for a disk.

/// The small objects.
#[derive(Debug, Default)]
pub struct Catalog {}
