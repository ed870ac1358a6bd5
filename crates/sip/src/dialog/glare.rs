//! Waiting after requests that crossed: RFC 3261 §14.1, §14.2, RFC 3311 §5.2.

#[cfg(test)]
mod tests;

use super::CallIdOwner;
use core::time::Duration;

/// How long to wait before a re-INVITE or UPDATE that got 491 is sent again (RFC 3261 §14.1): 2.1 to 4 s
/// for the owner of the Call-ID, 0 to 2 s for the other side, in steps of 10 ms. `dice` is any random number.
pub const fn glare_backoff(owner: CallIdOwner, dice: u32) -> Duration {
    let steps = match owner {
        CallIdOwner::Local => 210 + dice % 191,
        CallIdOwner::Remote => dice % 201,
    };
    Duration::from_millis(steps as u64 * 10)
}

/// Seconds of the Retry-After in a 500 to an offer that came before the last one was answered: 0 to 10
/// (RFC 3261 §14.2). `dice` is any random number.
pub const fn pending_retry_after(dice: u32) -> u32 {
    dice % 11
}
