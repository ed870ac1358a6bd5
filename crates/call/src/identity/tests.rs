//! Who is shown, matched and allowed to claim.

use mediator_model::{Attributes, Number};

use super::{Caller, Shown, present, present_plain};

fn n(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn attributes(hide: bool, fix: bool) -> Attributes {
    Attributes { hide_origination_did: hide, fix_anonymous_cid: fix, ..Attributes::default() }
}

#[test]
fn the_attributes_decide_what_is_shown() {
    let (own, redirect) = (n("14155550100"), n("15162065346"));
    let (open, withheld) = (Caller::Open(own), Caller::Withheld(own));
    for (caller, hide, fix, shown) in [
        (open, false, false, Shown::Number(own)),
        (open, false, true, Shown::Number(own)),
        (open, true, false, Shown::Number(redirect)),
        (withheld, false, false, Shown::Anonymous),
        (withheld, false, true, Shown::Number(redirect)),
        (withheld, true, false, Shown::Number(redirect)),
        (Caller::Anonymous, false, false, Shown::Anonymous),
        (Caller::Anonymous, false, true, Shown::Number(redirect)),
        (Caller::Anonymous, true, true, Shown::Number(redirect)),
    ] {
        let attributes = attributes(hide, fix);
        assert_eq!(present(caller, redirect, Some(&attributes)), shown, "{caller:?} {hide} {fix}");
    }
    assert_eq!(present(open, redirect, None), Shown::Number(own));
    assert_eq!(present_plain(withheld), Shown::Anonymous);
}

#[test]
fn a_withheld_number_matches_but_never_claims() {
    let own = n("14155550100");
    assert_eq!(Caller::Withheld(own).number(), Some(own));
    assert_eq!(Caller::Withheld(own).claimant(), None);
    assert_eq!(Caller::Open(own).claimant(), Some(own));
    assert_eq!(Caller::Anonymous.number(), None);
}

#[test]
fn the_next_binding_sees_what_the_last_one_shows() {
    let (own, redirect) = (n("14155550100"), n("15162065346"));
    assert_eq!(Caller::Withheld(own).after(Shown::Number(redirect)), Caller::Open(redirect));
    assert_eq!(Caller::Withheld(own).after(Shown::Anonymous), Caller::Withheld(own));
}
