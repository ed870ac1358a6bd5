//! Rules of the feed.

use mediator_store::record::BindingRecord;
use mediator_store::{Calls, Change, FeedError, Kind, Op, Store, Write};

use super::fixtures::*;

pub(crate) fn who_was_away_resumes<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let (one, two, three) = (
        binding(account, "15162065346"),
        binding(account, "15162065347"),
        dialout(account, "15162065346"),
    );
    backend.put(one.clone());
    backend.put(two.clone());
    backend.put(three.clone());
    let renamed = BindingRecord { name: "renamed".into(), ..one };
    backend.op(Op::Update { record: renamed.clone().record(), expect: 1 }).unwrap();
    backend.op(Op::Delete { kind: Kind::Binding, sid: two.sid, expect: None }).unwrap();

    let expected = [
        (3, Change::Put(three.record())),
        (4, Change::Put(renamed.record())),
        (5, Change::Removed { kind: Kind::Binding, sid: two.sid }),
    ];
    for after in 0..=5 {
        let left: Vec<_> = expected.iter().filter(|row| row.0 > after).cloned().collect();
        assert_eq!(backend.store.changes_after(after, 100).unwrap(), left, "after {after}");
    }
    let mut heard = Vec::new();
    let mut after = 0;
    loop {
        let some = backend.store.changes_after(after, 1).unwrap();
        let Some((last, _)) = some.last() else { break };
        after = *last;
        heard.extend(some);
    }
    assert_eq!(heard, expected);
}

pub(crate) fn a_revision_is_never_cut<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let record = |place: u32| binding(account, &format!("1516206{place:04}")).record();
    let ops =
        |places: std::ops::Range<u32>| places.map(|place| Op::Create(record(place))).collect();
    let write = |ops| Write { now: NOW, ops, requires: vec![], remember: None };
    backend.write(write(ops(0..3))).unwrap();
    backend.write(write(ops(3..1500))).unwrap();
    backend.write(write(ops(1500..1503))).unwrap();
    let count = |after, limit| backend.store.changes_after(after, limit).unwrap().len();
    assert_eq!(count(0, 1), 3);
    assert_eq!(count(0, 3), 3);
    assert_eq!(count(0, 4), 1500);
    assert_eq!(count(1, 1), 1497);
    assert_eq!(count(0, 10_000), 1503);
    assert_eq!(count(3, 1), 0);
}

pub(crate) fn a_revision_of_another_history_is_refused<S: Store + Calls>(backend: &Backend<S>) {
    assert_eq!(backend.store.changes_after(0, 1).unwrap(), []);
    backend.put(binding(sid(), "15162065346"));
    assert_eq!(backend.store.changes_after(1, 1).unwrap(), []);
    assert_eq!(backend.store.changes_after(2, 1), Err(FeedError::Compacted { oldest: 0 }));
}
