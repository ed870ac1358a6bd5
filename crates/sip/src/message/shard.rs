//! Which shard a message belongs to, told from its Call-ID alone.

use super::scan::RawValues;
use crate::header::HeaderName;

/// The Call-ID of a message that nobody has parsed yet; `None` where there is none.
///
/// Finds the same value as [`crate::Headers::call_id`], full or compact name, folded or not, without
/// reading more than it must.
pub fn peek_call_id(message: &[u8]) -> Option<&[u8]> {
    RawValues::of_message(message, HeaderName::CallId).next()
}

/// A well-mixed hash of a Call-ID; the same in each process and version, so it may choose a shard on
/// any node. Not for tables that an attacker can fill: it has no seed.
pub fn shard_hash(call_id: &[u8]) -> u64 {
    // FNV-1a's fold over words, then MurmurHash3's finaliser to spread every bit over all.
    const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, tail) = call_id.as_chunks::<8>();
    let mut hash = PRIME ^ call_id.len() as u64;
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(PRIME).rotate_left(29);
    }
    for byte in tail {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME).rotate_left(29);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}
