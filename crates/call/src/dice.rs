//! Dice: unguessable tags, branches, Call-IDs and sids, and fair picks, from one seeded stream.
//!
//! `ChaCha12`, seeded by the operating system in the server and by the test in a simulation: the same
//! seed throws the same numbers, and a peer who sees some cannot tell the next.

use alloc::string::String;

use mediator_model::Sid;
use mediator_sip::Text;
use mediator_sip::message::shard_hash;
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore as _, SeedableRng as _};

/// A stream of random values.
pub(crate) struct Dice {
    stream: ChaCha12Rng,
}

impl Dice {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { stream: ChaCha12Rng::from_seed(seed) }
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.stream.next_u64()
    }

    /// A number in `0..bound`; 0 where `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // A bias of bound / 2^64 is far below anything observable for the small bounds used here.
        ((u128::from(self.stream.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    pub(crate) fn sid(&mut self) -> Sid {
        Sid::from_random(
            (u128::from(self.stream.next_u64()) << 64) | u128::from(self.stream.next_u64()),
        )
    }

    /// A branch for Via: the magic cookie of RFC 3261 §8.1.1.7 and 64 random bits.
    pub(crate) fn branch(&mut self) -> String {
        let mut branch = Text::with_capacity(23);
        branch.put("z9hG4bK").hex(self.stream.next_u64());
        branch.into_string()
    }

    /// A tag of 64 random bits (RFC 3261 §19.3).
    pub(crate) fn tag(&mut self) -> String {
        let mut tag = Text::with_capacity(16);
        tag.hex(self.stream.next_u64());
        tag.into_string()
    }

    /// A Call-ID whose owner among `shards` is `shard`: drawn again until it hashes home.
    pub(crate) fn call_id(&mut self, shard: usize, shards: usize) -> String {
        loop {
            let mut call_id = Text::with_capacity(32);
            let (high, low) = (self.stream.next_u64(), self.stream.next_u64());
            call_id.hex(high).hex(low);
            if shards <= 1 || shard_hash(call_id.as_bytes()) % shards as u64 == shard as u64 {
                return call_id.into_string();
            }
        }
    }
}
