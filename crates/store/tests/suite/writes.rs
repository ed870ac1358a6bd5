//! Rules of writes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mediator_model::{BindingKey, UnixMillis};
use mediator_store::query::{Filter, Query};
use mediator_store::record::BindingRecord;
use mediator_store::{Calls, Change, Kind, Op, Record, Refused, Remember, Store, Write};

use super::fixtures::*;

pub(crate) fn everything() -> Query {
    Query { filter: Filter::All(vec![]), order: vec![], offset: 0, limit: 1000, now: NOW }
}

fn several(ops: Vec<Op>) -> Write {
    Write { now: NOW, ops, requires: vec![], remember: None }
}

fn create(record: impl IntoRecord) -> Op {
    Op::Create(record.record())
}

fn delete(kind: Kind, sid: mediator_model::Sid) -> Op {
    Op::Delete { kind, sid, expect: None }
}

fn ended(record: BindingRecord) -> BindingRecord {
    BindingRecord { maximum_ttl: Some(60), date_created: UnixMillis(NOW.0 - 60_000), ..record }
}

pub(crate) fn a_created_binding_is_found_by_everything<S: Store + Calls>(backend: &Backend<S>) {
    let mut record = binding(sid(), "15162065346");
    record.origination_did = Some(number("15550002001"));
    record.attributes.insert("cnam".to_owned(), "Shop \"%'".into());
    record.maximum_ttl = Some(3600);
    let committed = backend.op(create(record.clone())).unwrap();
    assert_eq!(committed.revision, 1);
    assert_eq!(&committed.changes[..], [Change::Put(record.clone().record())]);
    assert_eq!(backend.notes.all(), [Heard::Committed(committed)]);
    assert_eq!(backend.store.revision(), 1);

    let key =
        BindingKey { redirect_did: record.redirect_did, origination_did: record.origination_did };
    let found = backend.store.binding_at(key, NOW).unwrap().unwrap();
    assert_eq!((found.revision, &found.record), (1, &record));
    assert_eq!(backend.binding(record.sid).unwrap().record, record);
    let page = backend.store.bindings(record.account_sid, &everything()).unwrap();
    assert_eq!((page.total, page.has_more, page.items), (Some(1), false, vec![found]));
    assert_eq!(snapshot(backend), (1, vec![record.clone().record()]));
    assert_eq!(every(backend, &record), [record.clone()]);
    let feed = backend.store.changes_after(0, 10).unwrap();
    assert_eq!(feed, [(1, Change::Put(record.clone().record()))]);
    assert!(backend.object(Kind::Dialout, record.sid).is_none());
    let other = backend.store.bindings(sid(), &everything()).unwrap();
    assert_eq!((other.total, other.items), (Some(0), vec![]));
}

pub(crate) fn snapshot<S: Store + Calls>(backend: &Backend<S>) -> (u64, Vec<Record>) {
    let mut seen = Vec::new();
    let revision = backend.store.snapshot(NOW, &mut |found| seen.push(found.record)).unwrap();
    (revision, seen)
}

fn every<S: Store + Calls>(backend: &Backend<S>, of: &BindingRecord) -> Vec<BindingRecord> {
    let mut seen = Vec::new();
    let mut each = |found: &BindingRecord| {
        seen.push(found.clone());
        true
    };
    backend.store.each_binding(of.account_sid, NOW, &mut each).unwrap();
    seen
}

pub(crate) fn a_refused_write_leaves_nothing_behind<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let held = binding(account, "15162065346");
    backend.put(held.clone());
    let (fine, group) = (binding(account, "15162065347"), trunk_group("carriers"));
    let clash = binding(account, "15162065346");
    let ops = vec![
        create(fine.clone()),
        create(group.clone()),
        delete(Kind::Binding, held.sid),
        create(dialout(account, "15162065346")),
        create(clash.clone()),
        create(clash),
    ];
    assert_eq!(backend.write(several(ops)), Err(Refused::Exists));
    assert_eq!(snapshot(backend), (1, vec![held.clone().record()]));
    assert!(
        backend.binding(fine.sid).is_none()
            && backend.object(Kind::TrunkGroup, group.sid).is_none()
    );
    assert_eq!((backend.store.revision(), backend.notes.revisions()), (1, vec![1]));
    assert_eq!(backend.store.changes_after(1, 10).unwrap(), []);
    assert_eq!(backend.put(fine), 2);
}

pub(crate) fn revisions_grow_by_one_a_write_that_changed_something<S: Store + Calls>(
    backend: &Backend<S>,
) {
    let account = sid();
    let (one, two) = (binding(account, "15162065346"), binding(account, "15162065347"));
    assert_eq!(backend.write(several(vec![create(one.clone()), create(two)])).unwrap().revision, 1);
    let nothing = backend.op(Op::Expire { limit: 10 }).unwrap();
    assert_eq!((nothing.revision, nothing.changes.len()), (1, 0));
    assert_eq!(backend.write(several(vec![])).unwrap().revision, 1);
    backend.op(delete(Kind::Trunk, sid())).unwrap_err();
    let renamed = BindingRecord { name: "renamed".into(), ..one };
    let update = Op::Update { record: renamed.clone().record(), expect: 1 };
    assert_eq!(backend.op(update).unwrap().revision, 2);
    assert_eq!(backend.binding(renamed.sid).unwrap().revision, 2);
    assert_eq!(backend.op(delete(Kind::Binding, renamed.sid)).unwrap().revision, 3);
    assert_eq!((backend.store.revision(), backend.notes.revisions()), (3, vec![1, 2, 3]));
}

pub(crate) fn a_stale_revision_is_refused<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let group = trunk_group("carriers");
    let records: [Record; 3] = [
        binding(account, "15162065346").record(),
        dialout(account, "15162065346").record(),
        group.record(),
    ];
    for record in records {
        let made = backend.op(Op::Create(record.clone())).unwrap().revision;
        let update = |expect| Op::Update { record: record.clone(), expect };
        let now = backend.op(update(made)).unwrap().revision;
        assert_eq!(backend.op(update(made)), Err(Refused::Stale { current: now }), "{record:?}");
        let delete =
            |expect| Op::Delete { kind: record.kind(), sid: record.sid(), expect: Some(expect) };
        assert_eq!(backend.op(delete(made)), Err(Refused::Stale { current: now }), "{record:?}");
        backend.op(delete(now)).unwrap();
        assert!(backend.object(record.kind(), record.sid()).is_none());
    }
}

pub(crate) fn what_is_not_there_is_gone<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let records: [Record; 3] = [
        binding(account, "15162065346").record(),
        dialout(account, "15162065346").record(),
        trunk_group("carriers").record(),
    ];
    for record in records {
        let (kind, sid) = (record.kind(), record.sid());
        assert_eq!(backend.op(delete(kind, sid)), Err(Refused::Gone { kind, sid }));
        assert_eq!(backend.op(Op::Update { record, expect: 1 }), Err(Refused::Gone { kind, sid }));
    }
    assert_eq!(backend.store.revision(), 0);
}

pub(crate) fn keys_of_bindings_and_dialouts_are_unique<S: Store + Calls>(backend: &Backend<S>) {
    let (account, other) = (sid(), sid());
    let any = binding(account, "15162065346");
    let mut exact = binding(account, "15162065346");
    exact.origination_did = Some(number("15550002001"));
    backend.put(any.clone());
    backend.put(exact.clone());
    let taken = |holder| Err(Refused::Taken { key: "redirect_did, origination_did", holder });
    assert_eq!(backend.op(create(binding(other, "15162065346"))), taken(any.sid));
    let again = BindingRecord { sid: sid(), ..exact.clone() };
    assert_eq!(backend.op(create(again)), taken(exact.sid));
    let same_sid = BindingRecord { redirect_did: number("15162065347"), ..exact };
    assert_eq!(backend.op(create(same_sid)), Err(Refused::Exists));

    let first = dialout(account, "15162065346");
    backend.put(first.clone());
    let key = "stage_one_destination_did, stage_two_destination_did, redirect_did";
    assert_eq!(
        backend.op(create(dialout(account, "15162065346"))),
        Err(Refused::Taken { key, holder: first.sid })
    );
    let mut turned = dialout(account, "15162065346");
    (turned.stage_one_destination_did, turned.stage_two_destination_did) =
        (turned.stage_two_destination_did, turned.stage_one_destination_did);
    backend.put(turned.clone());
    let back = Op::Update {
        record: mediator_store::record::DialoutRecord { sid: turned.sid, ..first.clone() }.record(),
        expect: backend.store.revision(),
    };
    assert_eq!(backend.op(back), Err(Refused::Taken { key, holder: first.sid }));
}

pub(crate) fn an_update_may_take_a_free_key_only<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let (one, two) = (binding(account, "15162065346"), binding(account, "15162065347"));
    let revision = backend.put(one.clone());
    backend.put(two.clone());
    let moved = |to: &str| Op::Update {
        record: BindingRecord { redirect_did: number(to), ..one.clone() }.record(),
        expect: revision,
    };
    assert_eq!(
        backend.op(moved("15162065347")),
        Err(Refused::Taken { key: "redirect_did, origination_did", holder: two.sid })
    );
    backend.op(moved("15162065348")).unwrap();
    let key = |did: &str| BindingKey { redirect_did: number(did), origination_did: None };
    assert!(backend.store.binding_at(key("15162065346"), NOW).unwrap().is_none());
    assert_eq!(
        backend.store.binding_at(key("15162065348"), NOW).unwrap().unwrap().record.sid,
        one.sid
    );
}

pub(crate) fn who_is_past_its_end_makes_way_as_a_change_of_its_own<S: Store + Calls>(
    backend: &Backend<S>,
) {
    let account = sid();
    let removed = |sid| Change::Removed { kind: Kind::Binding, sid };
    let old = ended(binding(account, "15162065346"));
    backend.put(old.clone());
    let new = binding(account, "15162065346");
    let committed = backend.op(create(new.clone())).unwrap();
    assert_eq!(&committed.changes[..], [removed(old.sid), Change::Put(new.record())]);

    let old = ended(binding(account, "15162065347"));
    backend.put(old.clone());
    let mut moving = binding(account, "15162065348");
    let expect = backend.put(moving.clone());
    moving.redirect_did = number("15162065347");
    let update = Op::Update { record: moving.clone().record(), expect };
    let committed = backend.op(update).unwrap();
    assert_eq!(&committed.changes[..], [removed(old.sid), Change::Put(moving.record())]);

    let mut old = ended(binding(account, "15162065349"));
    old.origination_did = Some(number("15550002001"));
    backend.put(old.clone());
    let claimed = waiting(account, "15162065349");
    backend.put(claimed.clone());
    let claim = Op::Claim { binding_sid: claimed.sid, caller: number("15550002001") };
    let committed = backend.op(claim).unwrap();
    assert_eq!(committed.changes.first(), Some(&removed(old.sid)));
    assert_eq!(committed.changes.len(), 2);

    // Both its sid and its key are held by who is past its end.
    let (one, two) =
        (ended(binding(account, "15162065350")), ended(binding(account, "15162065351")));
    backend.put(one.clone());
    backend.put(two.clone());
    let both = BindingRecord { sid: one.sid, ..binding(account, "15162065351") };
    let committed = backend.op(create(both.clone())).unwrap();
    assert_eq!(
        &committed.changes[..],
        [removed(two.sid), removed(one.sid), Change::Put(both.record())]
    );
}

pub(crate) fn a_binding_past_its_end_is_not_there<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let lives = binding(account, "15162065346");
    let mut unclaimed = waiting(account, "15162065347");
    unclaimed.claim_until = Some(NOW);
    let old = ended(binding(account, "15162065348"));
    for record in [&lives, &unclaimed, &old] {
        backend.put(record.clone());
    }
    for gone in [&unclaimed, &old] {
        assert!(backend.binding(gone.sid).is_none());
        let key = BindingKey { redirect_did: gone.redirect_did, origination_did: None };
        assert!(backend.store.binding_at(key, NOW).unwrap().is_none());
        let refused = Err(Refused::Gone { kind: Kind::Binding, sid: gone.sid });
        assert_eq!(backend.op(delete(Kind::Binding, gone.sid)), refused);
        let update = Op::Update { record: gone.clone().record(), expect: 2 };
        assert_eq!(backend.op(update), refused);
        let claim = Op::Claim { binding_sid: gone.sid, caller: number("15550002001") };
        assert_eq!(backend.op(claim), refused);
    }
    let page = backend.store.bindings(account, &everything()).unwrap();
    assert_eq!((page.total, page.items.len()), (Some(1), 1));
    assert_eq!(every(backend, &lives), [lives.clone()]);
    assert_eq!(snapshot(backend).1, [lives.record()]);
}

pub(crate) fn expiry_takes_the_earliest_first<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let ends = [50, 10, 40, 20, 30, 70];
    let mut records = Vec::new();
    for (place, end) in ends.into_iter().enumerate() {
        let mut record = binding(account, &format!("1516206{place:04}"));
        record.maximum_ttl = Some(end);
        backend.put(record.clone());
        records.push(record);
    }
    let expire = |limit| Write::one(NOW + Duration::from_secs(50), Op::Expire { limit });
    let mut gone = Vec::new();
    for limit in [2, 10, 10] {
        for change in backend.write(expire(limit)).unwrap().changes.iter() {
            match change {
                Change::Removed { kind: Kind::Binding, sid } => gone.push(*sid),
                other => panic!("{other:?}"),
            }
        }
    }
    let by_end = [1, 3, 4, 2, 0].map(|place: usize| records[place].sid);
    assert_eq!(gone, by_end);
    assert_eq!(snapshot(backend).1, [records[5].clone().record()]);
}

pub(crate) fn what_a_write_requires_must_be_there<S: Store + Calls>(backend: &Backend<S>) {
    let (account, group) = (endpoint("masking"), trunk_group("masking"));
    let owned = did("15162065346", Some(group.sid));
    let write = |record: Record| Write {
        requires: vec![(Kind::Endpoint, account.sid), (Kind::Did, owned.sid)],
        ..Write::one(NOW, Op::Create(record))
    };
    let new = || binding(account.sid, "15162065346").record();
    let gone = |kind, sid| Err(Refused::Gone { kind, sid });
    assert_eq!(backend.write(write(new())), gone(Kind::Endpoint, account.sid));
    backend.put(account.clone());
    assert_eq!(backend.write(write(new())), gone(Kind::Did, owned.sid));
    // What the write makes itself is there.
    backend.write(write(owned.clone().record())).unwrap();
    backend.write(write(new())).unwrap();
}

pub(crate) fn too_many_operations_are_refused<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let record = |place: usize| create(binding(account, &format!("1516{place:07}")));
    let most: Vec<Op> = (0..Write::MAX_OPS).map(record).collect();
    let mut more = most.clone();
    more.push(record(Write::MAX_OPS));
    assert_eq!(backend.write(several(more)), Err(Refused::Overloaded));
    assert_eq!(backend.write(several(most)).unwrap().changes.len(), Write::MAX_OPS);
    assert_eq!(backend.store.bindings(account, &everything()).unwrap().total, Some(10_000));
}

pub(crate) fn answers_are_kept_once_until_their_end<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let answer = |body: &str| Remember {
        owner: account,
        key: "once".into(),
        fingerprint: [7; 32],
        status: 200,
        body: body.as_bytes().into(),
        until: NOW + Duration::from_secs(10),
    };
    let write = |now, did: &str, body| Write {
        remember: Some(answer(body)),
        ..Write::one(now, create(binding(account, did)))
    };
    backend.write(write(NOW, "15162065346", "one")).unwrap();
    assert_eq!(backend.write(write(NOW, "15162065347", "two")), Err(Refused::Remembered));
    let kept = |now| backend.store.remembered(account, "once", now).unwrap();
    assert_eq!(kept(NOW), Some(answer("one")));
    assert_eq!(backend.store.remembered(sid(), "once", NOW).unwrap(), None);
    assert_eq!(backend.store.remembered(account, "twice", NOW).unwrap(), None);
    let later = NOW + Duration::from_secs(10);
    assert_eq!(kept(later), None);
    // A refused write keeps no answer; a stored one keeps its own.
    assert!(matches!(backend.write(write(later, "15162065346", "x")), Err(Refused::Taken { .. })));
    assert_eq!(kept(NOW), Some(answer("one")));
    backend.write(write(later, "15162065347", "two")).unwrap();
    assert_eq!(kept(NOW), Some(answer("two")));
    backend.write(Write::one(later, Op::Expire { limit: 10 })).unwrap();
    assert_eq!(kept(NOW), None);
}

pub(crate) fn the_follower_hears_in_order_and_before_the_writer<S: Store + Calls>(
    backend: &Backend<S>,
) {
    const WRITERS: u64 = 8;
    const EACH: u64 = 100;
    let unheard = AtomicU64::new(0);
    let unheard = std::sync::Arc::new(unheard);
    let mut answers = Vec::new();
    for place in 0..WRITERS * EACH {
        let write = Write::one(NOW, create(binding(sid(), &format!("1516{place:07}"))));
        let (notes, unheard) = (backend.notes.clone(), unheard.clone());
        let (answer, answered) = std::sync::mpsc::channel();
        let done = Box::new(move |result: Result<mediator_store::Committed, Refused>| {
            let revision = result.unwrap().revision;
            if !notes.revisions().contains(&revision) {
                unheard.fetch_add(1, Ordering::Relaxed);
            }
            answer.send(revision).unwrap();
        });
        backend.store.submit(write, done);
        answers.push(answered);
    }
    for answered in answers {
        answered.recv_timeout(Duration::from_secs(30)).unwrap();
    }
    assert_eq!(unheard.load(Ordering::Relaxed), 0);
    assert_eq!(backend.notes.revisions(), (1..=WRITERS * EACH).collect::<Vec<_>>());
}

pub(crate) fn a_listener_that_panics_harms_nobody<S: Store + Calls>(backend: &Backend<S>) {
    let write = Write::one(NOW, create(binding(sid(), "15162065346")));
    backend.store.submit(write, Box::new(|_| panic!("a bug of whoever asked")));
    assert_eq!(backend.put(binding(sid(), "15162065347")), 2);
}

pub(crate) fn flush_waits_for_all_before_it<S: Store + Calls>(backend: &Backend<S>) {
    let answers: Vec<_> = (0..100)
        .map(|place| {
            backend.ask(Write::one(NOW, create(binding(sid(), &format!("1516206{place:04}")))))
        })
        .collect();
    backend.store.flush();
    assert_eq!(backend.store.revision(), 100);
    for answer in answers {
        answer.recv_timeout(Duration::from_secs(1)).unwrap().unwrap();
    }
}
