//! The table against two plain hash maps, and its journal against itself.

use std::collections::HashMap;

use proptest::prelude::*;

use super::tests::{Written, number, sid, to};
use super::*;

/// Few of each, so that they meet.
const NUMBERS: u8 = 4;
const SIDS: u8 = 8;

#[derive(Clone, Debug)]
enum Step {
    Insert(Binding),
    /// The table's own binding is read first, unless the flag says to present an old one.
    Replace {
        next: Binding,
        stale: Option<Binding>,
    },
    Remove(Sid),
    Claim {
        redirect_did: Number,
        sid: Sid,
        caller: Number,
    },
    Expire,
    Wait(u64),
}

fn a_number() -> impl Strategy<Value = Number> {
    (0..NUMBERS).prop_map(|n| number(&format!("1516{n}")))
}

fn a_sid() -> impl Strategy<Value = Sid> {
    (0..SIDS).prop_map(|n| sid(n.into()))
}

fn a_binding() -> impl Strategy<Value = Binding> {
    let end = || {
        proptest::option::of(
            (1..20_u64).prop_map(|n| mediator_model::End::from(UnixMillis(n * 700))),
        )
    };
    (a_sid(), a_number(), proptest::option::of(a_number()), end(), end()).prop_map(
        |(sid, redirect_did, origination_did, expires, window)| Binding {
            sid,
            key: BindingKey { redirect_did, origination_did },
            claim: match (origination_did, window) {
                (None, Some(until)) => ClaimWindow::OpenUntil(until),
                (Some(_), _) | (None, None) => ClaimWindow::Closed,
            },
            expires,
            ..to(0, None)
        },
    )
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => a_binding().prop_map(Step::Insert),
        3 => (a_binding(), proptest::option::weighted(0.2, a_binding()))
            .prop_map(|(next, stale)| Step::Replace { next, stale }),
        1 => a_sid().prop_map(Step::Remove),
        4 => (a_number(), a_sid(), a_number())
            .prop_map(|(redirect_did, sid, caller)| Step::Claim { redirect_did, sid, caller }),
        1 => Just(Step::Expire),
        2 => (1..3000_u64).prop_map(Step::Wait),
    ]
}

/// The rules, in the plainest words: a map of what lives, swept before every step.
#[derive(Default)]
struct Plain(HashMap<Sid, Binding>);

impl Plain {
    fn sweep(&mut self, now: UnixMillis) {
        self.0.retain(|_, binding| !binding.is_expired(now));
    }

    fn holder(&self, key: BindingKey) -> Option<&Binding> {
        self.0.values().find(|binding| binding.key == key)
    }

    fn insert(&mut self, binding: &Binding) -> Result<(), WriteError> {
        if self.0.contains_key(&binding.sid) {
            return Err(WriteError::SidTaken);
        }
        self.put(binding)
    }

    fn replace(&mut self, next: &Binding, stale: Option<&Binding>) -> Result<(), WriteError> {
        if !self.0.contains_key(&next.sid) {
            return Err(WriteError::Gone);
        }
        if stale.is_some() {
            return Err(WriteError::Stale);
        }
        self.put(next)
    }

    fn put(&mut self, binding: &Binding) -> Result<(), WriteError> {
        if let Some(holder) = self.holder(binding.key).filter(|holder| holder.sid != binding.sid) {
            return Err(WriteError::Conflict { holder: holder.sid });
        }
        self.0.insert(binding.sid, binding.clone());
        Ok(())
    }

    fn claim(&mut self, redirect_did: Number, sid: Sid, caller: Number) -> bool {
        let mine = BindingKey { redirect_did, origination_did: Some(caller) };
        let taken = self.holder(mine).is_some();
        let any = BindingKey { redirect_did, origination_did: None };
        match self.0.get_mut(&sid) {
            Some(held) if !taken && held.key == any && held.claim != ClaimWindow::Closed => {
                held.key = mine;
                held.claim = ClaimWindow::Closed;
                true
            }
            Some(_) | None => false,
        }
    }

    fn lookup(&self, redirect_did: Number, caller: Option<Number>) -> Option<(Sid, MatchRule)> {
        let exact =
            caller.and_then(|_| self.holder(BindingKey { redirect_did, origination_did: caller }));
        let any = self.holder(BindingKey { redirect_did, origination_did: None });
        match (exact, any) {
            (Some(exact), _) => Some((exact.sid, MatchRule::Exact)),
            (None, Some(any)) if any.claim == ClaimWindow::Closed => {
                Some((any.sid, MatchRule::Any))
            }
            (None, Some(any)) => Some((any.sid, MatchRule::Claim)),
            (None, None) => None,
        }
    }
}

fn content(table: &BindingTable) -> HashMap<Sid, Binding> {
    table.iter(NEVER).map(|binding| (binding.sid, (*binding).clone())).collect()
}

/// Before every end, so that nothing is filtered away.
const NEVER: UnixMillis = UnixMillis(0);

fn take(table: &BindingTable, plain: &mut Plain, step: &Step, now: &mut UnixMillis) {
    plain.sweep(*now);
    match step {
        Step::Insert(binding) => {
            let done = table.insert(Arc::new(binding.clone()), *now).map(drop);
            assert_eq!(done, plain.insert(binding));
        }
        Step::Replace { next, stale } => {
            let current = match stale {
                Some(stale) => Some(Arc::new(Binding { sid: next.sid, ..stale.clone() })),
                None => table.by_sid(next.sid, *now),
            };
            let current = current.unwrap_or_else(|| Arc::new(next.clone()));
            let done = table.replace(&current, Arc::new(next.clone()), *now).map(drop);
            assert_eq!(done, plain.replace(next, stale.as_ref()));
        }
        Step::Remove(sid) => {
            let was_there = plain.0.remove(sid).is_some();
            // The table may also still hold one past its end.
            assert!(table.remove(*sid).is_some() >= was_there);
        }
        Step::Claim { redirect_did, sid, caller } => {
            let (claim, changes) = table.claim_first(*redirect_did, *sid, *caller, *now);
            let won = match claim {
                Claim::Won(_) => true,
                Claim::Lost => false,
            };
            assert_eq!(won, plain.claim(*redirect_did, *sid, *caller));
            assert_eq!(won, !changes.is_empty());
        }
        Step::Expire => {
            table.expire(*now);
        }
        Step::Wait(millis) => now.0 += millis,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn does_what_plain_maps_do(steps in proptest::collection::vec(a_step(), 1..60)) {
        let written = Written::default();
        let table = BindingTable::with_capacity(1).with_journal(Box::new(written.clone()));
        let mut plain = Plain::default();
        let mut now = NEVER;
        for step in &steps {
            take(&table, &mut plain, step, &mut now);
            plain.sweep(now);
            for redirect in 0..NUMBERS {
                let redirect = number(&format!("1516{redirect}"));
                for caller in (0..NUMBERS).map(|n| Some(number(&format!("1516{n}")))).chain([None]) {
                    let found = table.lookup(redirect, caller, now);
                    let found = found.map(|found| (found.binding.sid, found.rule));
                    prop_assert_eq!(found, plain.lookup(redirect, caller));
                }
            }
            let living: HashMap<Sid, Binding> =
                table.iter(now).map(|binding| (binding.sid, (*binding).clone())).collect();
            prop_assert_eq!(&living, &plain.0);
        }

        let copy = BindingTable::with_capacity(1);
        written.0.lock().unwrap().iter().for_each(|change| copy.apply(change));
        prop_assert_eq!(content(&copy), content(&table));
        prop_assert_eq!(copy.next_expiry(), table.next_expiry());
        prop_assert_eq!((copy.len(), content(&copy).len()), (table.len(), table.len()));

        // What has an end ends, and what has none stays.
        let after = UnixMillis(1_000_000);
        while !table.expire(after).is_empty() {}
        prop_assert_eq!(table.next_expiry(), None);
        prop_assert!(content(&table).values().all(|binding| binding.deadline().is_none()));
        prop_assert_eq!(content(&table).len(), table.len());
    }
}
