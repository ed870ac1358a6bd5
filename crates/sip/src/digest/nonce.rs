//! Nonces that need no memory: a time, a salt and an HMAC over both (RFC 7616 §3.3 and §5.4).
//!
//! Whoever holds the key can check every nonce, so a challenge sent by one shard is good at all. A nonce
//! is 64 hex digits: 8 bytes of time in milliseconds, 8 of salt, 16 of HMAC-SHA-256. Replay within a
//! nonce's life is not stopped here: [`NonceState::Fresh`] carries an id by which `nc` can be counted.
//!
//! The HMAC also covers the address that the nonce is sent to (RFC 7616 §5.4): who takes one here cannot spend it
//! under the source address of somebody else.

use alloc::string::String;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use mediator_model::UnixMillis;
use sha2::Sha256;

use super::algorithm::hex_pair;

/// SHA-256's block (RFC 6234 §3).
const HASH_BLOCK_BYTES: usize = 64;
const STAMP_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
const NONCE_BYTES: usize = STAMP_BYTES + TAG_BYTES;

/// The secret behind our nonces. One a process is enough; a new one at start makes older nonces forged.
#[derive(Clone)]
pub struct NonceKey {
    mac: Hmac<Sha256>,
    life: Duration,
}

/// What a nonce turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NonceState {
    /// Ours and young enough.
    Fresh {
        /// Names this nonce among all: for counting `nc`.
        id: u64,
    },
    /// Ours but too old, or from before the clock was set back: challenge anew with `stale=true`.
    Stale,
    /// Not ours, or given to another address: challenge anew.
    Forged,
}

impl NonceKey {
    /// How long a nonce is fresh unless [`with_life`](Self::with_life) says otherwise.
    pub const DEFAULT_LIFE: Duration = Duration::from_mins(5);
    /// How far ahead of `now` a nonce may be dated, since shards read the clock apart.
    const SKEW: Duration = Duration::from_secs(5);

    /// A key of 32 unguessable bytes.
    pub fn new(key: [u8; 32]) -> Self {
        // RFC 2104 §2: a key shorter than the hash's block is filled with zeros.
        let mut block = [0; HASH_BLOCK_BYTES];
        for (byte, secret) in block.iter_mut().zip(key) {
            *byte = secret;
        }
        let mac = Hmac::new(&block.into());
        Self { mac, life: Self::DEFAULT_LIFE }
    }

    /// The same key with another life of its nonces: more than zero, 300 s by default.
    #[must_use]
    pub fn with_life(self, life: Duration) -> Self {
        Self { life, ..self }
    }

    /// A nonce of 64 hex digits, good from `source` only. `salt` keeps two of the same millisecond apart.
    pub fn mint(&self, now: UnixMillis, salt: u64, source: IpAddr) -> String {
        let mut stamp = [0; STAMP_BYTES];
        let (time, rest) = stamp.split_at_mut(8);
        time.copy_from_slice(&now.0.to_be_bytes());
        rest.copy_from_slice(&salt.to_be_bytes());
        let tag = self.mac_of(&stamp, source).finalize().into_bytes();
        let bytes = stamp.iter().chain(tag.iter().take(TAG_BYTES));
        bytes.flat_map(|byte| hex_pair(*byte)).map(char::from).collect()
    }

    /// Tells whether a nonce is one that `source` got from us and how old it is.
    pub fn check(&self, nonce: &[u8], now: UnixMillis, source: IpAddr) -> NonceState {
        let Some(bytes) = decode(nonce) else { return NonceState::Forged };
        let (stamp, tag) = bytes.split_at(STAMP_BYTES);
        if self.mac_of(stamp, source).verify_truncated_left(tag).is_err() {
            return NonceState::Forged;
        }
        let minted = UnixMillis(leading_u64(stamp));
        if minted > now + Self::SKEW || now.saturating_since(minted) > self.life {
            NonceState::Stale
        } else {
            NonceState::Fresh { id: leading_u64(tag) }
        }
    }

    /// An IPv4 address counts the same where a socket shows it mapped into IPv6.
    fn mac_of(&self, stamp: &[u8], source: IpAddr) -> Hmac<Sha256> {
        let mac = self.mac.clone().chain_update(stamp);
        match source.to_canonical() {
            IpAddr::V4(ip) => mac.chain_update(ip.octets()),
            IpAddr::V6(ip) => mac.chain_update(ip.octets()),
        }
    }
}

impl fmt::Debug for NonceKey {
    /// Shows the life, never the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceKey").field("life", &self.life).finish_non_exhaustive()
    }
}

fn leading_u64(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

/// Reads exactly 64 lower-case hex digits: one nonce has one spelling, so that its id cannot be dodged.
fn decode(nonce: &[u8]) -> Option<[u8; NONCE_BYTES]> {
    let mut bytes = [0; NONCE_BYTES];
    if nonce.len() != 2 * NONCE_BYTES {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(nonce.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
