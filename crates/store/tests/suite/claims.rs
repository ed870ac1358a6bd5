//! Rules of claims.

use std::time::Duration;

use mediator_store::record::BindingRecord;
use mediator_store::{Calls, Change, Kind, Op, Refused, Store, Write};

use super::fixtures::*;

fn claim(binding: &BindingRecord, caller: &str) -> Op {
    Op::Claim { binding_sid: binding.sid, caller: number(caller) }
}

pub(crate) fn the_first_caller_claims<S: Store + Calls>(backend: &Backend<S>) {
    let mut record = waiting(sid(), "15162065346");
    record.maximum_ttl = Some(3600);
    backend.put(record.clone());
    let committed = backend.op(claim(&record, "15550002001")).unwrap();
    let claimed = BindingRecord {
        origination_did: Some(number("15550002001")),
        claim_until: None,
        ..record.clone()
    };
    assert_eq!(&committed.changes[..], [Change::Put(claimed.clone().record())]);
    assert_eq!(backend.binding(record.sid).unwrap().record, claimed);
    // The window is over, maximum_ttl is not.
    let end = NOW + Duration::from_secs(301);
    assert!(backend.store.object(Kind::Binding, record.sid, end).unwrap().is_some());
    let end = NOW + Duration::from_hours(1);
    assert!(backend.store.object(Kind::Binding, record.sid, end).unwrap().is_none());
    assert_eq!(backend.op(claim(&record, "15550002002")), Err(Refused::Claimed));
}

pub(crate) fn a_repeated_claim_changes_nothing<S: Store + Calls>(backend: &Backend<S>) {
    let record = waiting(sid(), "15162065346");
    backend.put(record.clone());
    backend.op(claim(&record, "15550002001")).unwrap();
    let again = backend.op(claim(&record, "15550002001")).unwrap();
    assert_eq!((again.revision, again.changes.len()), (2, 0));
    assert_eq!((backend.store.revision(), backend.notes.revisions()), (2, vec![1, 2]));
}

pub(crate) fn a_refused_claim_tells_the_follower_what_is_held<S: Store + Calls>(
    backend: &Backend<S>,
) {
    let account = sid();
    let nobodys = binding(account, "15162065346");
    let claimed = waiting(account, "15162065347");
    let gone = waiting(account, "15162065348");
    let blocked = waiting(account, "15162065349");
    let mut blocker = binding(account, "15162065349");
    blocker.origination_did = Some(number("15550002001"));
    for record in [&nobodys, &claimed, &blocked, &blocker] {
        backend.put(record.clone());
    }
    backend.op(claim(&claimed, "15550002002")).unwrap();
    let rows = [
        (&nobodys, Refused::Claimed),
        (&claimed, Refused::Claimed),
        (&gone, Refused::Gone { kind: Kind::Binding, sid: gone.sid }),
        (&blocked, Refused::Taken { key: "redirect_did, origination_did", holder: blocker.sid }),
    ];
    for (record, refused) in rows {
        let held = backend.binding(record.sid);
        assert_eq!(backend.op(claim(record, "15550002001")), Err(refused));
        assert_eq!(backend.notes.all().pop(), Some(Heard::ClaimFailed(record.sid, held)));
    }
    // Past its end is nothing.
    let late = Write::one(NOW + Duration::from_mins(5), claim(&blocked, "15550002002"));
    backend.write(late).unwrap_err();
    assert_eq!(backend.notes.all().pop(), Some(Heard::ClaimFailed(blocked.sid, None)));
}

pub(crate) fn of_racing_callers_one_wins<S: Store + Calls>(backend: &Backend<S>) {
    const CALLERS: usize = 8;
    let account = sid();
    let bindings: Vec<_> =
        (0..100).map(|place| waiting(account, &format!("1516206{place:04}"))).collect();
    for binding in &bindings {
        backend.put(binding.clone());
    }
    let start = std::sync::Barrier::new(CALLERS);
    let ask = |caller: usize| {
        start.wait();
        let op = |binding| claim(binding, &format!("1555000{caller:04}"));
        let asked: Vec<_> =
            bindings.iter().map(|binding| backend.ask(Write::one(NOW, op(binding)))).collect();
        asked
            .iter()
            .map(|answer| match answer.recv_timeout(Duration::from_secs(30)).unwrap() {
                Ok(_) => true,
                Err(Refused::Claimed) => false,
                Err(other) => panic!("{other}"),
            })
            .collect::<Vec<bool>>()
    };
    let won: Vec<Vec<bool>> = std::thread::scope(|scope| {
        let ask = &ask;
        let callers: Vec<_> = (0..CALLERS).map(|caller| scope.spawn(move || ask(caller))).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    for (place, binding) in bindings.iter().enumerate() {
        let winners: Vec<usize> = (0..CALLERS).filter(|caller| won[*caller][place]).collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        let stored = backend.binding(binding.sid).unwrap().record;
        assert_eq!(stored.origination_did, Some(number(&format!("1555000{:04}", winners[0]))));
    }
    let failed =
        backend.notes.all().iter().filter(|heard| matches!(heard, Heard::ClaimFailed(..))).count();
    assert_eq!(failed, bindings.len() * (CALLERS - 1));
}
