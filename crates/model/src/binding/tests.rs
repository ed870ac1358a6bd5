//! Which binding a call finds, and when one ends.

use super::*;

fn binding(claim: ClaimWindow, expires: Option<u64>) -> Binding {
    Binding {
        sid: Sid::from_random(1),
        account_sid: Sid::from_random(2),
        key: BindingKey {
            redirect_did: Number::from_digits("15162065337").unwrap(),
            origination_did: None,
        },
        destination_did: Number::from_digits("15550001001").unwrap(),
        claim,
        expires: expires.map(|end| UnixMillis(end).into()),
        dtmf: None,
        attributes: None,
    }
}

#[test]
fn ends_at_the_earlier_of_its_two_times() {
    let open = |until| ClaimWindow::OpenUntil(UnixMillis(until).into());
    for (claim, expires, deadline) in [
        (ClaimWindow::Closed, None, None),
        (ClaimWindow::Closed, Some(90), Some(90)),
        (open(30), None, Some(30)),
        (open(30), Some(90), Some(30)),
        (open(120), Some(90), Some(90)),
    ] {
        let binding = binding(claim, expires);
        assert_eq!(binding.deadline(), deadline.map(UnixMillis), "{claim:?} {expires:?}");
        if let Some(deadline) = deadline {
            assert!(!binding.is_expired(UnixMillis(deadline - 1)));
            assert!(binding.is_expired(UnixMillis(deadline)));
        } else {
            assert!(!binding.is_expired(UnixMillis(u64::MAX)));
        }
    }
}

#[test]
fn costs_at_most_88_bytes() {
    // A million of them share memory: what does not every binding have belongs into a box. With the counts of an `Arc`
    // and what malloc takes, 88 bytes come to 112.
    assert!(size_of::<Binding>() <= 88, "{}", size_of::<Binding>());
}

#[test]
fn an_end_is_the_time_that_it_was_made_of() {
    for millis in [0, 1, 1_700_000_000_000, u64::MAX - 1] {
        assert_eq!(End::from(UnixMillis(millis)).at(), UnixMillis(millis));
    }
    assert_eq!(End::from(UnixMillis(u64::MAX)).at(), UnixMillis(u64::MAX - 1));
}
