//! Rules of writes.

use mediator_model::BindingKey;
use mediator_store::query::{Filter, Query};
use mediator_store::{Calls, Change, Kind, Op, Store};

use super::fixtures::*;

pub(crate) fn everything() -> Query {
    Query { filter: Filter::All(vec![]), order: vec![], offset: 0, limit: 1000, now: NOW }
}

pub(crate) fn a_created_binding_is_found_by_everything<S: Store + Calls>(backend: &Backend<S>) {
    let mut record = binding(sid(), "15162065346");
    record.origination_did = Some(number("15550002001"));
    record.attributes.insert("cnam".to_owned(), "Shop \"%'".into());
    record.maximum_ttl = Some(3600);
    let committed = backend.op(Op::Create(record.clone().record())).unwrap();
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
    let mut seen = Vec::new();
    let revision = backend.store.snapshot(NOW, &mut |found| seen.push(found.record)).unwrap();
    assert_eq!((revision, seen), (1, vec![record.clone().record()]));
    let mut seen = Vec::new();
    let each = &mut |found: &_| {
        seen.push(std::clone::Clone::clone(found));
        true
    };
    backend.store.each_binding(record.account_sid, NOW, each).unwrap();
    assert_eq!(seen, std::slice::from_ref(&record));
    assert_eq!(
        backend.store.changes_after(0, 10).unwrap(),
        [(1, Change::Put(record.clone().record()))]
    );
    assert!(backend.object(Kind::Dialout, record.sid).is_none());
}
