//! What a call finds in the table, claims with one winner, and expiry.

use mediator_model::Attributes;
use std::sync::Mutex as StdMutex;

use super::*;

pub(super) const DID: &str = "15162065337";
pub(super) const ALICE: &str = "15550001001";
pub(super) const BOB: &str = "15550001002";

pub(super) fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

pub(super) fn sid(n: u128) -> Sid {
    Sid::from_random(n)
}

/// A binding of DID that nobody claims and that never ends.
pub(super) fn to(n: u128, caller: Option<&str>) -> Binding {
    Binding {
        sid: sid(n),
        account_sid: sid(1000),
        key: BindingKey { redirect_did: number(DID), origination_did: caller.map(number) },
        destination_did: number("15550009999"),
        claim: ClaimWindow::Closed,
        expires: None,
        dtmf: None,
        attributes: None,
    }
}

fn waiting(n: u128, until: u64) -> Binding {
    Binding { claim: ClaimWindow::OpenUntil(UnixMillis(until).into()), ..to(n, None) }
}

fn ending(binding: Binding, end: u64) -> Binding {
    Binding { expires: Some(UnixMillis(end).into()), ..binding }
}

fn table(bindings: impl IntoIterator<Item = Binding>) -> BindingTable {
    let table = BindingTable::with_capacity(100);
    for binding in bindings {
        table.insert(Arc::new(binding), UnixMillis(0)).unwrap();
    }
    table
}

/// What a lookup finds: the n of its sid, and the rule.
#[track_caller]
fn finds(table: &BindingTable, caller: Option<&str>, now: u64, want: Option<(u128, MatchRule)>) {
    let found = table.lookup(number(DID), caller.map(number), UnixMillis(now));
    let found = found.map(|found| (found.binding.sid, found.rule));
    assert_eq!(found, want.map(|(n, rule)| (sid(n), rule)), "{caller:?} at {now}");
}

fn won(claim: &Claim) -> bool {
    match claim {
        Claim::Won(_) => true,
        Claim::Lost => false,
    }
}

use MatchRule::{Any, Claim as Claimable, Exact};

#[test]
fn exact_wins_over_any() {
    let only_any = table([to(1, None)]);
    let only_exact = table([to(1, Some(ALICE))]);
    let both = table([to(1, None), to(2, Some(ALICE)), to(3, Some(BOB))]);
    for (table, caller, want) in [
        (&only_any, Some(ALICE), Some((1, Any))),
        (&only_any, None, Some((1, Any))),
        (&only_exact, Some(ALICE), Some((1, Exact))),
        (&only_exact, Some(BOB), None),
        (&only_exact, None, None),
        (&both, Some(ALICE), Some((2, Exact))),
        (&both, Some(BOB), Some((3, Exact))),
        (&both, Some("15550001003"), Some((1, Any))),
        (&both, None, Some((1, Any))),
    ] {
        finds(table, caller, 0, want);
    }
    assert!(both.lookup(number("15162065338"), Some(number(ALICE)), UnixMillis(0)).is_none());
}

#[test]
fn a_number_with_a_leading_zero_is_another_number() {
    let table = table([to(1, Some("5550001001"))]);
    finds(&table, Some("05550001001"), 0, None);
    finds(&table, Some("5550001001"), 0, Some((1, Exact)));
}

#[test]
fn never_finds_a_binding_past_either_of_its_ends() {
    let table = table([ending(to(1, Some(ALICE)), 100), ending(waiting(2, 50), 200)]);
    for (now, alice, bob) in [
        (0, Some((1, Exact)), Some((2, Claimable))),
        (49, Some((1, Exact)), Some((2, Claimable))),
        (50, Some((1, Exact)), None),
        (99, Some((1, Exact)), None),
        (100, None, None),
    ] {
        finds(&table, Some(ALICE), now, alice);
        finds(&table, Some(BOB), now, bob);
        assert_eq!(table.by_sid(sid(1), UnixMillis(now)).is_some(), alice.is_some());
    }
    assert_eq!(table.len(), 2, "nobody has swept yet");
}

#[test]
fn an_exact_one_past_its_end_lets_any_through() {
    let table = table([to(1, None), ending(to(2, Some(ALICE)), 100)]);
    finds(&table, Some(ALICE), 99, Some((2, Exact)));
    finds(&table, Some(ALICE), 100, Some((1, Any)));
}

#[test]
fn the_first_caller_has_the_binding_to_itself_from_then_on() {
    let table = table([ending(waiting(1, 300), 3600)]);
    finds(&table, Some(ALICE), 10, Some((1, Claimable)));
    let (claim, changes) = table.claim_first(number(DID), sid(1), number(ALICE), UnixMillis(10));
    assert!(won(&claim));
    let claimed = Change::BindingClaimed { binding_sid: sid(1), origination_did: number(ALICE) };
    assert_eq!(changes, [claimed]);

    finds(&table, Some(ALICE), 10, Some((1, Exact)));
    finds(&table, Some(BOB), 10, None);
    finds(&table, None, 10, None);
    let held = table.by_sid(sid(1), UnixMillis(300)).unwrap();
    assert_eq!(held.claim, ClaimWindow::Closed, "the window is over, the binding is not");
    assert_eq!(held.expires, Some(UnixMillis(3600).into()), "maximum_ttl counts from creation");
    assert!(table.by_sid(sid(1), UnixMillis(3600)).is_none());
    assert_eq!(table.len(), 1);
}

#[test]
fn a_claim_is_lost_where_there_is_nothing_to_win() {
    let cases: [(&str, BindingTable, Number); 7] = [
        ("no such binding", table([]), number(DID)),
        ("waits for nobody", table([to(1, None)]), number(DID)),
        ("has its caller", table([to(1, Some(ALICE))]), number(DID)),
        ("window over", table([waiting(1, 10)]), number(DID)),
        ("past its end", table([ending(waiting(1, 300), 10)]), number(DID)),
        ("of another number", table([waiting(1, 300)]), number("15162065338")),
        ("caller has one", table([waiting(1, 300), to(2, Some(BOB))]), number(DID)),
    ];
    for (why, table, redirect_did) in cases {
        let len = table.len();
        let before = table.by_sid(sid(1), UnixMillis(0));
        let (claim, changes) = table.claim_first(redirect_did, sid(1), number(BOB), UnixMillis(10));
        assert!(!won(&claim) && changes.is_empty(), "{why}");
        assert_eq!((table.len(), table.by_sid(sid(1), UnixMillis(0))), (len, before), "{why}");
    }
}

#[test]
fn after_losing_to_its_own_exact_binding_the_caller_finds_that() {
    let table = table([waiting(1, 300), to(2, Some(BOB))]);
    assert!(!won(&table.claim(number(DID), sid(1), number(BOB), UnixMillis(0))));
    finds(&table, Some(BOB), 0, Some((2, Exact)));
    // The window stays open for everybody else.
    assert!(won(&table.claim(number(DID), sid(1), number(ALICE), UnixMillis(0))));
}

#[test]
fn a_claim_sweeps_the_callers_old_binding_away_if_that_is_past_its_end() {
    let table = table([waiting(1, 300), ending(to(2, Some(BOB)), 10)]);
    let (claim, changes) = table.claim_first(number(DID), sid(1), number(BOB), UnixMillis(10));
    assert!(won(&claim));
    let removed = Change::BindingRemoved { binding_sid: sid(2) };
    let claimed = Change::BindingClaimed { binding_sid: sid(1), origination_did: number(BOB) };
    assert_eq!(changes, [removed, claimed]);
    finds(&table, Some(BOB), 10, Some((1, Exact)));
    assert_eq!(table.len(), 1);
}

#[test]
fn a_second_claim_of_the_same_binding_is_lost() {
    let table = table([waiting(1, 300)]);
    assert!(won(&table.claim(number(DID), sid(1), number(ALICE), UnixMillis(0))));
    assert!(!won(&table.claim(number(DID), sid(1), number(ALICE), UnixMillis(0))));
    assert!(!won(&table.claim(number(DID), sid(1), number(BOB), UnixMillis(0))));
}

#[test]
fn numbers_and_sids_are_unique_among_the_living() {
    let table = table([to(1, None), to(2, Some(ALICE)), ending(to(3, Some(BOB)), 10)]);
    let at = |now, binding: Binding| table.insert(Arc::new(binding), UnixMillis(now));
    assert_eq!(at(0, to(9, None)), Err(WriteError::Conflict { holder: sid(1) }));
    assert_eq!(at(0, to(9, Some(ALICE))), Err(WriteError::Conflict { holder: sid(2) }));
    assert_eq!(at(9, to(9, Some(BOB))), Err(WriteError::Conflict { holder: sid(3) }));
    assert_eq!(at(0, to(1, Some("15550001009"))), Err(WriteError::SidTaken));
    assert_eq!(table.len(), 3);

    let binding = Arc::new(to(9, Some(BOB)));
    let removed = Change::BindingRemoved { binding_sid: sid(3) };
    assert_eq!(
        table.insert(binding.clone(), UnixMillis(10)),
        Ok(vec![removed, Change::BindingPut(binding)])
    );
    finds(&table, Some(BOB), 10, Some((9, Exact)));
    assert_eq!(table.len(), 3);
}

#[test]
fn a_sid_past_its_end_may_come_again() {
    let table = table([ending(to(1, Some(ALICE)), 10)]);
    table.insert(Arc::new(to(1, Some(BOB))), UnixMillis(10)).unwrap();
    finds(&table, Some(ALICE), 10, None);
    finds(&table, Some(BOB), 10, Some((1, Exact)));
    assert_eq!(table.len(), 1);
}

#[test]
fn replace_writes_only_over_what_was_read() {
    let table = table([waiting(1, 300), to(2, Some(BOB))]);
    let now = UnixMillis(0);
    let read = table.by_sid(sid(1), now).unwrap();
    let renamed = Arc::new(Binding { destination_did: number(BOB), ..(*read).clone() });

    table.claim(number(DID), sid(1), number(ALICE), now);
    assert_eq!(table.replace(&read, renamed.clone(), now), Err(WriteError::Stale));
    finds(&table, Some(ALICE), 0, Some((1, Exact)));

    let read = table.by_sid(sid(1), now).unwrap();
    let taken = Arc::new(Binding { key: to(0, Some(BOB)).key, ..(*renamed).clone() });
    assert_eq!(table.replace(&read, taken, now), Err(WriteError::Conflict { holder: sid(2) }));

    // Top-level null clears origination_did and opens the window again (contract §4).
    let reopened = Arc::new(waiting(1, 300));
    assert_eq!(
        table.replace(&read, reopened.clone(), now),
        Ok(vec![Change::BindingPut(reopened.clone())])
    );
    finds(&table, Some(ALICE), 0, Some((1, Claimable)));
    finds(&table, Some(BOB), 0, Some((2, Exact)));

    assert_eq!(table.replace(&reopened, reopened.clone(), UnixMillis(300)), Err(WriteError::Gone));
    table.remove(sid(1));
    assert_eq!(table.replace(&reopened, reopened.clone(), now), Err(WriteError::Gone));
    assert_eq!(table.len(), 1);
}

#[test]
fn replace_moves_the_end_with_the_binding() {
    let table = table([ending(to(1, None), 1000)]);
    let read = table.by_sid(sid(1), UnixMillis(0)).unwrap();
    table.replace(&read, Arc::new(ending(to(1, None), 5000)), UnixMillis(0)).unwrap();
    assert_eq!(table.next_expiry(), Some(UnixMillis(5000)));
    assert!(table.expire(UnixMillis(4999)).is_empty());
    assert_eq!(table.expire(UnixMillis(5000)).len(), 1);
    assert_eq!(table.next_expiry(), None);
}

#[test]
fn remove_tells_whether_it_was_there() {
    let table = table([to(1, None)]);
    assert_eq!(table.remove(sid(2)), None);
    assert_eq!(table.remove(sid(1)), Some(Change::BindingRemoved { binding_sid: sid(1) }));
    assert_eq!(table.remove(sid(1)), None);
    finds(&table, None, 0, None);
    assert!(table.is_empty());
}

#[test]
fn expires_in_order_to_the_second_and_in_batches() {
    let table = BindingTable::with_capacity(10_000);
    let count = EXPIRE_BATCH * 2 + 7;
    for n in 0..count {
        let caller = format!("1777{n:07}");
        let end = if n < count - 1 { 1500 } else { 2001 };
        table.insert(Arc::new(ending(to(n as u128, Some(&caller)), end)), UnixMillis(0)).unwrap();
    }
    table.insert(Arc::new(to(999_999, None)), UnixMillis(0)).unwrap();
    assert_eq!(table.next_expiry(), Some(UnixMillis(2000)));
    assert!(table.expire(UnixMillis(1999)).is_empty());
    let swept: Vec<usize> = (0..4).map(|_| table.expire(UnixMillis(2000)).len()).collect();
    assert_eq!(swept, [EXPIRE_BATCH, EXPIRE_BATCH, 6, 0]);
    assert_eq!(table.next_expiry(), Some(UnixMillis(3000)));
    assert_eq!(table.expire(UnixMillis(3000)).len(), 1);
    assert_eq!((table.len(), table.next_expiry()), (1, None));
    finds(&table, None, 1_000_000, Some((999_999, Any)));
}

#[test]
fn an_end_beyond_all_sweeps_still_ends() {
    let far = u64::from(u32::MAX) * 1000 + 1;
    let table = table([ending(to(1, None), far)]);
    assert_eq!(table.next_expiry(), None);
    finds(&table, None, far - 1, Some((1, Any)));
    finds(&table, None, far, None);
}

#[test]
fn two_sids_of_one_tail_that_end_together_both_end() {
    let twin = |n: u128| Binding { sid: Sid::from_u128((n << 64) | 7), ..to(0, None) };
    let at = |n: u128, caller, end| {
        let key = to(0, Some(caller)).key;
        Arc::new(ending(Binding { key, ..twin(n) }, end))
    };
    let three = || [at(1, ALICE, 1000), at(2, BOB, 1000), at(3, "15550001003", 2000)];
    let inserted = BindingTable::with_capacity(1);
    for binding in three() {
        inserted.insert(binding, UnixMillis(0)).unwrap();
    }
    let (loaded, _) = BindingTable::load(three(), UnixMillis(0)).unwrap();
    for table in [inserted, loaded] {
        // One of the two goes before its time; the other's end must not go with it.
        assert!(table.remove(twin(1).sid).is_some());
        assert_eq!(table.next_expiry(), Some(UnixMillis(1000)));
        let ended = table.expire(UnixMillis(1000));
        assert_eq!(ended, [Change::BindingRemoved { binding_sid: twin(2).sid }]);
        assert_eq!(table.next_expiry(), Some(UnixMillis(2000)));
        assert_eq!(table.expire(UnixMillis(2000)).len(), 1);
        assert_eq!((table.len(), table.next_expiry()), (0, None));
    }
}

#[test]
fn lists_the_living_of_an_account() {
    let other = Binding { account_sid: sid(2000), ..to(3, Some(BOB)) };
    let table = table([to(1, None), ending(to(2, Some(ALICE)), 10), other]);
    let listed = |account, now| {
        let mut sids: Vec<Sid> =
            table.of_account(sid(account), UnixMillis(now)).map(|binding| binding.sid).collect();
        sids.sort_unstable();
        sids
    };
    assert_eq!(listed(1000, 9), [sid(1), sid(2)]);
    assert_eq!(listed(1000, 10), [sid(1)]);
    assert_eq!(listed(2000, 10), [sid(3)]);
    assert_eq!(listed(3000, 0), []);
    assert_eq!(table.iter(UnixMillis(0)).count(), 3);
}

#[test]
fn loads_what_a_store_held() {
    let attributes = Attributes { hide_origination_did: true, ..Attributes::default() };
    let all = [
        to(1, Some(ALICE)),
        Binding { attributes: Some(Box::new(attributes)), ..waiting(2, 300) },
        ending(to(3, Some(BOB)), 10),
    ];
    let (table, gone) = BindingTable::load(all.map(Arc::new), UnixMillis(10)).unwrap();
    assert_eq!(gone, [Change::BindingRemoved { binding_sid: sid(3) }]);
    assert_eq!((table.len(), table.next_expiry()), (2, Some(UnixMillis(1000))));
    finds(&table, Some(ALICE), 10, Some((1, Exact)));
    finds(&table, Some(BOB), 10, Some((2, Claimable)));
    assert!(won(&table.claim(number(DID), sid(2), number(BOB), UnixMillis(10))));
    assert!(table.by_sid(sid(2), UnixMillis(10)).unwrap().attributes.is_some());
}

#[test]
fn refuses_to_load_two_of_a_kind_unless_one_is_past_its_end() {
    let load = |all: [Binding; 2]| {
        BindingTable::load(all.map(Arc::new), UnixMillis(10)).map(|(table, _)| table.len())
    };
    let same_key = DuplicateKey { first: sid(2), second: sid(1) };
    assert_eq!(load([to(2, None), to(1, None)]), Err(same_key));
    let same_sid = DuplicateKey { first: sid(1), second: sid(1) };
    assert_eq!(load([to(1, None), to(1, Some(ALICE))]), Err(same_sid));
    assert_eq!(load([to(1, None), ending(to(2, None), 10)]), Ok(1));
}

/// A journal that keeps what it is told.
#[derive(Default, Clone)]
pub(super) struct Written(pub(super) Arc<StdMutex<Vec<Change>>>);

impl Journal for Written {
    fn append(&self, change: &Change) {
        self.0.lock().unwrap().push(change.clone());
    }
}

#[test]
fn the_journal_hears_of_every_change_in_order_and_rebuilds_the_table() {
    let written = Written::default();
    let table = BindingTable::with_capacity(100).with_journal(Box::new(written.clone()));
    let now = UnixMillis(0);
    let mut told = Vec::new();
    told.extend(table.insert(Arc::new(ending(waiting(1, 300), 3600)), now).unwrap());
    told.extend(table.insert(Arc::new(ending(to(2, Some(BOB)), 20)), now).unwrap());
    told.extend(table.claim_first(number(DID), sid(1), number(BOB), UnixMillis(20)).1);
    told.extend(table.insert(Arc::new(to(3, Some(ALICE))), now).unwrap());
    told.extend(table.remove(sid(3)));
    let read = table.by_sid(sid(1), now).unwrap();
    told.extend(table.replace(&read, Arc::new(ending(waiting(1, 300), 500)), now).unwrap());
    told.extend(table.insert(Arc::new(to(4, Some(ALICE))), now).unwrap());
    told.extend(table.expire(UnixMillis(1000)));
    assert_eq!(*written.0.lock().unwrap(), told);
    assert_eq!(told.len(), 9);

    let again = Written::default();
    let copy = BindingTable::with_capacity(100).with_journal(Box::new(again.clone()));
    for change in &told {
        copy.apply(change);
    }
    assert!(again.0.lock().unwrap().is_empty(), "what comes from a log is not logged again");
    assert_eq!((copy.len(), copy.next_expiry()), (1, None));
    finds(&copy, Some(ALICE), 0, Some((4, Exact)));
}

#[test]
fn a_log_is_right_whoever_holds_the_key() {
    let table = table([to(1, Some(ALICE)), waiting(2, 300)]);
    table.apply(&Change::BindingClaimed { binding_sid: sid(2), origination_did: number(ALICE) });
    finds(&table, Some(ALICE), 0, Some((2, Exact)));
    assert_eq!(table.len(), 1);
    table.apply(&Change::BindingPut(Arc::new(to(3, Some(ALICE)))));
    table.apply(&Change::BindingPut(Arc::new(to(3, Some(BOB)))));
    finds(&table, Some(ALICE), 0, None);
    finds(&table, Some(BOB), 0, Some((3, Exact)));
    table.apply(&Change::BindingRemoved { binding_sid: sid(3) });
    table.apply(&Change::BindingRemoved { binding_sid: sid(3) });
    table.apply(&Change::BindingClaimed { binding_sid: sid(3), origination_did: number(BOB) });
    assert!(table.is_empty());
}

#[test]
fn outgrows_the_capacity_it_was_made_for() {
    let table = BindingTable::with_capacity(1);
    for n in 0..20_000_u128 {
        table.insert(Arc::new(to(n, Some(&format!("1777{n:07}")))), UnixMillis(0)).unwrap();
    }
    for n in 0..20_000_u128 {
        finds(&table, Some(&format!("1777{n:07}")), 0, Some((n, Exact)));
        assert!(table.by_sid(sid(n), UnixMillis(0)).is_some());
    }
    assert_eq!(table.iter(UnixMillis(0)).count(), 20_000);
}
