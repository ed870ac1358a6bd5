//! Rules of call records and deliveries.

use std::time::Duration;

use mediator_model::{Sid, UnixMillis};
use mediator_store::query::{CallQuery, Comparison, Filter, Literal, Operator, OrderKey, Query};
use mediator_store::record::{CallRow, LegRow, PartnerRecord};
use mediator_store::{CallDelivery, Calls, Delivery, DeliveryOutcome, Object, Store};

use super::fixtures::*;
use super::writes::everything;

fn query(filter: Filter) -> CallQuery {
    CallQuery { query: Query { filter, ..everything() }, before: None }
}

fn append<S: Store + Calls>(backend: &Backend<S>, call: &CallRow, callback: Option<&str>) {
    backend.store.append(CallDelivery {
        call: Some(call.clone()),
        legs: vec![],
        callback: callback.map(Into::into),
    });
    backend.store.flush();
}

fn is(field: &str, operator: Operator, value: Literal) -> Filter {
    let path = field.split('.').map(Into::into).collect();
    Filter::Compare(Comparison { path, operator, values: vec![value] })
}

fn text(text: &str) -> Literal {
    Literal::Text(text.into())
}

pub(crate) fn records_come_back_newest_first<S: Store + Calls>(backend: &Backend<S>) {
    let calls: Vec<CallRow> = (0..5).map(|_| call(sid())).collect();
    let legs: Vec<LegRow> = calls.iter().map(|call| leg(call.dr_sid)).collect();
    for (call, leg) in calls.iter().zip(&legs) {
        let (call, legs) = (Some(call.clone()), vec![leg.clone()]);
        backend.store.append(CallDelivery { call, legs, callback: None });
    }
    backend.store.append(CallDelivery { call: None, legs: vec![], callback: None });
    backend.store.flush();
    assert_eq!(backend.store.call(calls[1].dr_sid).unwrap().as_ref(), Some(&calls[1]));
    assert_eq!(backend.store.leg(legs[1].dr_sid).unwrap().as_ref(), Some(&legs[1]));
    assert_eq!(backend.store.call(legs[1].dr_sid).unwrap(), None);
    assert_eq!(backend.store.leg(calls[1].dr_sid).unwrap(), None);

    let mut newest = query(Filter::All(vec![]));
    newest.query.limit = 2;
    let page = backend.store.calls(&newest).unwrap();
    assert_eq!((page.total, page.has_more), (None, true));
    assert_eq!(page.items, [calls[4].clone(), calls[3].clone()]);
    newest.before = Some(calls[3].dr_sid);
    let page = backend.store.calls(&newest).unwrap();
    assert_eq!(page.items, [calls[2].clone(), calls[1].clone()]);
    newest.query.offset = 2;
    let page = backend.store.calls(&newest).unwrap();
    assert_eq!((page.has_more, page.items), (false, vec![calls[0].clone()]));
    newest.before = Some(sid());
    assert_eq!(backend.store.calls(&newest).unwrap().items, []);

    let mut oldest = query(Filter::All(vec![]));
    oldest.query.order = vec![OrderKey { path: vec!["dr_sid".into()], descending: false }];
    let page = backend.store.legs(&oldest).unwrap();
    let mut sorted = legs.clone();
    sorted.sort_by_key(|leg| leg.dr_sid);
    assert_eq!((page.items, page.has_more), (sorted, false));
}

pub(crate) fn what_was_appended_is_read_at_once<S: Store + Calls>(backend: &Backend<S>) {
    for _ in 0..3 {
        let call = call(sid());
        let leg = leg(call.dr_sid);
        backend.store.append(CallDelivery {
            call: Some(call.clone()),
            legs: vec![leg.clone()],
            callback: Some("https://example.org/".into()),
        });
        assert_eq!(backend.store.call(call.dr_sid).unwrap().as_ref(), Some(&call));
        assert_eq!(backend.store.leg(leg.dr_sid).unwrap(), Some(leg));
        let [delivery] = &*due(backend, call.date_insert) else { panic!("one is due") };
        assert_eq!(delivery.dr_sid, call.dr_sid);
        backend.store.attempted(delivery.id, DeliveryOutcome::Delivered);
        assert_eq!(backend.store.next_due().unwrap(), None);
    }
}

pub(crate) fn records_are_filtered_by_what_is_shown<S: Store + Calls>(backend: &Backend<S>) {
    let partner = PartnerRecord {
        sid: sid(),
        name: "operator".into(),
        callbacks: Object::new(),
        callbacks_secret: None,
        attributes: Object::new(),
        date_created: NOW,
    };
    backend.put(partner.clone());
    let mut one = call(sid());
    one.attributes.insert("shop".to_owned(), serde_json::json!({"id": 7}));
    let (call_sid, leg) = (one.dr_sid, leg(one.dr_sid));
    let delivery =
        CallDelivery { call: Some(one.clone()), legs: vec![leg.clone()], callback: None };
    backend.store.append(delivery);
    backend.store.flush();
    let endpoint = one.endpoint_sid.to_string();
    let start = "2026-03-01T12:00:00Z";
    let rows = [
        (is("duration", Operator::Eq, text("12.5")), true),
        (is("duration", Operator::Gt, Literal::Integer(12)), true),
        (is("duration", Operator::Gt, Literal::Decimal(12.5)), false),
        (is("sip_cause", Operator::Eq, text("200")), true),
        (is("media_src.packets", Operator::Ge, Literal::Integer(500)), true),
        (is("media_src.mos", Operator::Lt, Literal::Integer(4)), false),
        (is("media_dst.packets", Operator::Eq, Literal::Null), true),
        (is("attributes.shop.id", Operator::Eq, Literal::Integer(7)), true),
        (is("endpoint_sid", Operator::Eq, text(&endpoint)), true),
        (is("endpoint_sid", Operator::Eq, text(&endpoint.to_uppercase())), false),
        (is("endpoint_sid", Operator::Like, text(&format!("{}%", &endpoint[..9]))), true),
        (is("endpoint_type", Operator::Eq, text("mediator")), true),
        (is("type", Operator::Ne, text("mediator")), false),
        (is("version", Operator::Eq, Literal::Integer(2)), true),
        (is("partner_sid", Operator::Eq, text(&partner.sid.to_string())), true),
        (is("date_start", Operator::Eq, text(start)), true),
        (is("date_start", Operator::Ilike, text("2026-03-01t12%")), true),
        (is("date_talk", Operator::Gt, text(start)), true),
        (is("event_type", Operator::Eq, text("dialout")), false),
    ];
    for (filter, expected) in rows {
        let found = backend.store.calls(&query(filter.clone())).unwrap().items;
        assert_eq!(found.len(), usize::from(expected), "{filter:?}");
    }
    let rows = [
        (is("call_sid", Operator::Eq, text(&call_sid.to_string())), true),
        (is("sipcause", Operator::Eq, text("486")), true),
        (is("sipcause", Operator::Like, text("4%")), true),
        (is("date_talk", Operator::Eq, Literal::Null), true),
        (is("date_talk", Operator::Ne, text(start)), true),
        (is("diversion_src", Operator::Eq, Literal::Null), true),
        (is("codec_src", Operator::Ilike, text("pcm%")), true),
        (is("ip_dst", Operator::Ne, Literal::Null), false),
    ];
    for (filter, expected) in rows {
        let found = backend.store.legs(&query(filter.clone())).unwrap().items;
        assert_eq!(found.len(), usize::from(expected), "{filter:?}");
    }
    backend.store.calls(&query(is("call_sid", Operator::Eq, Literal::Null))).unwrap_err();
}

pub(crate) fn old_records_are_purged<S: Store + Calls>(backend: &Backend<S>) {
    let at = |seconds: u64| NOW + Duration::from_secs(seconds);
    for seconds in 0..10 {
        let call = CallRow { date_insert: at(seconds), ..call(sid()) };
        let leg = LegRow { date_insert: at(seconds), ..leg(call.dr_sid) };
        backend.store.append(CallDelivery { call: Some(call), legs: vec![leg], callback: None });
    }
    assert_eq!(backend.store.purge(at(0), 100).unwrap(), 0);
    assert_eq!(backend.store.purge(at(5), 2).unwrap(), 4);
    assert_eq!(backend.store.purge(at(5), 100).unwrap(), 6);
    let left = backend.store.calls(&query(Filter::All(vec![]))).unwrap().items;
    assert_eq!(left.len(), 5);
    assert!(left.iter().all(|call| call.date_insert >= at(5)));
    assert_eq!(backend.store.legs(&query(Filter::All(vec![]))).unwrap().items.len(), 5);
}

fn due<S: Store + Calls>(backend: &Backend<S>, now: UnixMillis) -> Vec<Delivery> {
    backend.store.due(now, 10).unwrap()
}

pub(crate) fn a_delivery_lives_until_it_is_taken<S: Store + Calls>(backend: &Backend<S>) {
    assert_eq!(backend.store.next_due().unwrap(), None);
    let record = call(sid());
    append(backend, &record, Some("http://127.0.0.1:1/cdr"));
    let now = record.date_insert;
    let delivery = due(backend, now).pop().unwrap();
    assert_eq!((&*delivery.url, delivery.dr_sid), ("http://127.0.0.1:1/cdr", record.dr_sid));
    assert_eq!((delivery.created, delivery.attempts, delivery.due), (now, 0, Some(now)));
    let shown: Object = serde_json::from_str(&delivery.body).unwrap();
    assert_eq!(shown, record.to_object(Sid::from_u128(0)));

    let later = now + Duration::from_secs(5);
    let failed = DeliveryOutcome::RetryAt(later, "503".into());
    backend.store.attempted(delivery.id, failed);
    backend.store.flush();
    assert_eq!(due(backend, now), []);
    assert_eq!(backend.store.next_due().unwrap(), Some(later));
    let again = due(backend, later).pop().unwrap();
    assert_eq!((again.attempts, again.last_error.as_deref()), (1, Some("503")));
    backend.store.attempted(again.id, DeliveryOutcome::Delivered);
    backend.store.flush();
    assert_eq!(backend.store.next_due().unwrap(), None);

    append(backend, &call(sid()), Some("http://127.0.0.1:1/cdr"));
    assert!(due(backend, later + Duration::from_mins(1)).pop().unwrap().id > delivery.id);
}

pub(crate) fn a_delivery_that_is_given_up_is_a_dead_letter<S: Store + Calls>(backend: &Backend<S>) {
    let records: Vec<CallRow> = (0..3).map(|_| call(sid())).collect();
    for record in &records {
        append(backend, record, Some("http://127.0.0.1:1/cdr"));
    }
    for delivery in due(backend, records[0].date_insert) {
        backend.store.attempted(delivery.id, DeliveryOutcome::Dead("timed out".into()));
    }
    backend.store.flush();
    assert_eq!(backend.store.next_due().unwrap(), None);
    let page = backend.store.dead_letters(1, 1).unwrap();
    assert_eq!((page.total, page.has_more, page.items.len()), (Some(3), true, 1));
    let letter = &page.items[0];
    assert_eq!((letter.dr_sid, letter.due), (records[1].dr_sid, None));
    assert_eq!((letter.attempts, letter.last_error.as_deref()), (1, Some("timed out")));
    // An operator may have it tried again.
    backend.store.attempted(letter.id, DeliveryOutcome::RetryAt(NOW, "by hand".into()));
    backend.store.flush();
    assert_eq!(due(backend, NOW).len(), 1);
    assert_eq!(backend.store.dead_letters(0, 10).unwrap().total, Some(2));
}

pub(crate) fn a_record_is_kept_and_queued_once<S: Store + Calls>(backend: &Backend<S>) {
    let record = call(sid());
    append(backend, &record, Some("http://127.0.0.1:1/cdr"));
    append(backend, &CallRow { sip_cause: 500, ..record.clone() }, Some("http://127.0.0.1:1/cdr"));
    append(backend, &call(sid()), None);
    assert_eq!(due(backend, record.date_insert + Duration::from_mins(1)).len(), 1);
    assert_eq!(backend.store.call(record.dr_sid).unwrap().unwrap().sip_cause, 200);
    assert_eq!(backend.store.calls(&query(Filter::All(vec![]))).unwrap().items.len(), 2);
}
