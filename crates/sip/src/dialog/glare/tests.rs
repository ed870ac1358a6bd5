//! How long each side waits after requests that crossed.

use super::super::CallIdOwner;
use super::{glare_backoff, pending_retry_after};
use alloc::collections::BTreeSet;
use core::time::Duration;

fn every_wait(owner: CallIdOwner) -> BTreeSet<Duration> {
    (0..10_000).map(|dice| glare_backoff(owner, dice)).collect()
}

#[test]
fn owner_of_the_call_id_waits_2100_to_4000_ms_in_steps_of_10() {
    let waits = every_wait(CallIdOwner::Local);
    assert_eq!(waits.first(), Some(&Duration::from_millis(2100)));
    assert_eq!(waits.last(), Some(&Duration::from_secs(4)));
    assert_eq!(waits.len(), 191);
}

#[test]
fn the_other_side_waits_0_to_2000_ms_in_steps_of_10() {
    let waits = every_wait(CallIdOwner::Remote);
    assert_eq!(waits.first(), Some(&Duration::ZERO));
    assert_eq!(waits.last(), Some(&Duration::from_secs(2)));
    assert_eq!(waits.len(), 201);
}

#[test]
fn the_two_sides_never_wait_equally_long() {
    let owner = every_wait(CallIdOwner::Local);
    assert!(every_wait(CallIdOwner::Remote).is_disjoint(&owner));
}

#[test]
fn retry_after_is_0_to_10_seconds() {
    let seconds: BTreeSet<u32> = (0..1000).map(pending_retry_after).collect();
    assert!(seconds.into_iter().eq(0..=10));
}
