//! Rules of filters, orders and pages.

use std::time::Duration;

use mediator_model::Sid;
use mediator_store::query::{Comparison, Filter, Literal, Operator, OrderKey, Query};
use mediator_store::record::{BindingRecord, DialoutRecord, DidRecord};
use mediator_store::{Calls, Kind, Op, ReadError, Store, Write};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::fixtures::*;
use super::model;
use super::writes::everything;

type Compare = fn(&BindingRecord, &BindingRecord) -> std::cmp::Ordering;

fn compare(path: &str, operator: Operator, values: &[Literal]) -> Filter {
    let path = path.split('.').map(Into::into).collect();
    Filter::Compare(Comparison { path, operator, values: values.to_vec() })
}

fn text(text: &str) -> Literal {
    Literal::Text(text.into())
}

fn by(path: &str, descending: bool) -> OrderKey {
    OrderKey { path: path.split('.').map(Into::into).collect(), descending }
}

fn found<S: Store + Calls>(
    backend: &Backend<S>,
    account: Sid,
    filter: Filter,
) -> Result<Vec<BindingRecord>, ReadError> {
    let page = backend.store.bindings(account, &Query { filter, ..everything() })?;
    assert_eq!(page.total, Some(page.items.len() as u64));
    Ok(page.items.into_iter().map(|found| found.record).collect())
}

pub(crate) fn operators_are_what_the_reference_says<S: Store + Calls>(backend: &Backend<S>) {
    use Operator::{Eq, Ge, Gt, Ilike, In, Le, Like, Lt, Ne, NotIn};

    let mut record = binding(sid(), "15162065346");
    record.name = "Account_7%".into();
    record.maximum_ttl = Some(3600);
    record.attributes = serde_json::from_str(
        r#"{"hide": true, "text": "true", "count": 7, "nested": {"deep": "x"}, "list": ["a", {"b": "c"}], "none": null}"#,
    )
    .unwrap();
    backend.put(record.clone());
    let (t, f) = (true, false);
    let (one, null) = (Literal::Integer, Literal::Null);
    let created = "2026-03-01T12:00:00.000Z";
    let rows: Vec<(&str, Operator, Vec<Literal>, bool)> = vec![
        ("name", Eq, vec![text("Account_7%")], t),
        ("name", Eq, vec![text("account_7%")], f),
        ("name", Ne, vec![text("my_mediator")], t),
        ("name", Ne, vec![null.clone()], t),
        ("name", Like, vec![text("Account%")], t),
        ("name", Like, vec![text("A%7%")], t),
        ("name", Like, vec![text("Account_7_")], f),
        ("name", Like, vec![text("Account_7")], f),
        ("name", Like, vec![text("account%")], f),
        ("name", Ilike, vec![text("AccOUnt%")], t),
        ("name", In, vec![text("x"), text("Account_7%")], t),
        ("name", NotIn, vec![text("x"), text("Account_7%")], f),
        ("maximum_ttl", Gt, vec![one(3599)], t),
        ("maximum_ttl", Gt, vec![text("3600")], f),
        ("maximum_ttl", Ge, vec![text("3600")], t),
        ("maximum_ttl", Lt, vec![Literal::Decimal(3600.5)], t),
        ("maximum_ttl", Le, vec![one(999)], f),
        ("maximum_ttl", Like, vec![text("36%")], t),
        ("wait_origination_did_ttl", Eq, vec![one(-1)], t),
        ("redirect_did", Gt, vec![one(1516)], t),
        ("redirect_did", Lt, vec![one(2)], t),
        ("redirect_did", Eq, vec![one(15_162_065_346)], t),
        ("origination_did", Eq, vec![null.clone()], t),
        ("origination_did", Ne, vec![null.clone()], f),
        ("origination_did", Ne, vec![text("1")], t),
        ("origination_did", NotIn, vec![text("1")], t),
        ("origination_did", NotIn, vec![text("1"), null.clone()], f),
        ("origination_did", In, vec![text("1"), null.clone()], t),
        ("origination_did", Lt, vec![text("9")], f),
        ("origination_did", Gt, vec![null.clone()], f),
        ("origination_did", Like, vec![text("%")], f),
        ("date_created", Eq, vec![text(created)], t),
        ("date_created", Eq, vec![text("2026-03-01T13:00:00+01:00")], t),
        ("date_created", Lt, vec![text("2026-03-02")], t),
        ("date_created", Like, vec![text("2026-03%")], t),
        ("binding_sid", Eq, vec![text(&record.sid.to_string())], t),
        ("binding_sid", Gt, vec![text("0")], t),
        ("account_sid", Eq, vec![text(&record.account_sid.to_string())], t),
        ("account_sid", Ne, vec![text(&record.account_sid.to_string())], f),
        ("attributes.hide", Eq, vec![Literal::Bool(true)], t),
        ("attributes.hide", Eq, vec![text("true")], t),
        ("attributes.text", Eq, vec![Literal::Bool(true)], t),
        ("attributes.text", Ne, vec![Literal::Bool(false)], t),
        ("attributes.count", Gt, vec![text("6")], t),
        ("attributes.count", Eq, vec![Literal::Decimal(7.0)], t),
        ("attributes.count", Eq, vec![text("seven")], f),
        ("attributes.count", Ne, vec![text("seven")], t),
        ("attributes.nested.deep", Eq, vec![text("x")], t),
        ("attributes.nested", Eq, vec![null.clone()], f),
        ("attributes.nested", Ne, vec![text("x")], t),
        ("attributes.none", Eq, vec![null.clone()], t),
        ("attributes.missing.deeper", Eq, vec![null.clone()], t),
        ("attributes.text.deeper", Ne, vec![text("x")], t),
        ("attributes.list", Eq, vec![text("a")], t),
        ("attributes.list.b", Eq, vec![text("c")], t),
        ("attributes.list", Eq, vec![text("z")], f),
        ("attributes", Ne, vec![null.clone()], t),
    ];
    for (path, operator, values, expected) in rows {
        let filter = compare(path, operator, &values);
        let found = found(backend, record.account_sid, filter.clone()).unwrap();
        assert_eq!(!found.is_empty(), expected, "{filter:?}");
    }
    let (all, any) = (Filter::All(vec![]), Filter::Any(vec![]));
    assert_eq!(found(backend, record.account_sid, all).unwrap().len(), 1);
    assert_eq!(found(backend, record.account_sid, any).unwrap().len(), 0);
}

pub(crate) fn fields_that_there_are_not_are_named<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    backend.put(binding(account, "15162065346"));
    for path in [
        "sid",
        "deadline",
        "name.first",
        "redirect_did_info.nope",
        "1",
        "redirect_did_info.country_code.x",
    ] {
        let unknown = ReadError::UnknownField(path.into());
        let filter = compare(path, Operator::Eq, &[Literal::Null]);
        assert_eq!(found(backend, account, filter), Err(unknown.clone()));
        let query = Query { order: vec![by(path, false)], ..everything() };
        assert_eq!(backend.store.bindings(account, &query), Err(unknown));
    }
}

pub(crate) fn values_of_another_type_are_named<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let rows = [
        ("maximum_ttl", text("abc")),
        ("maximum_ttl", text("inf")),
        ("maximum_ttl", Literal::Bool(true)),
        ("date_created", text("yesterday")),
        ("date_created", Literal::Integer(5)),
    ];
    for (field, value) in rows {
        let filter = compare(field, Operator::In, &[Literal::Null, value]);
        let refused = found(backend, account, filter);
        let named =
            matches!(&refused, Err(ReadError::BadValue { field: named, .. }) if **named == *field);
        assert!(named, "{refused:?}");
    }
}

pub(crate) fn keys_of_attributes_may_be_anything<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let keys = ["a.b", "\"", "$", "[0]", "'; DROP TABLE bindings; --", "\u{e4}\u{0}", "", "?1"];
    for (place, key) in keys.iter().enumerate() {
        let mut record = binding(account, &format!("1516206{place:04}"));
        record.attributes.insert((*key).to_owned(), "here".into());
        record.name = format!("{place:02}").into();
        backend.put(record);
    }
    for (place, key) in keys.iter().enumerate() {
        let path = vec!["attributes".into(), (*key).into()];
        let filter = Filter::Compare(Comparison {
            path: path.clone(),
            operator: Operator::Eq,
            values: vec![text("here")],
        });
        let found = found(backend, account, filter).unwrap();
        assert_eq!(found.len(), 1, "{key:?}");
        assert_eq!(*found[0].name, format!("{place:02}"));
        let order = vec![OrderKey { path, descending: true }];
        let page = backend.store.bindings(account, &Query { order, ..everything() }).unwrap();
        assert_eq!(page.items[0].record, found[0], "{key:?}");
        assert_eq!(page.items.len(), keys.len());
    }
}

pub(crate) fn redirect_did_info_is_the_did<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let (with, without) = (binding(account, "15162065346"), binding(account, "493012345678"));
    backend.put(with.clone());
    backend.put(without.clone());
    let number = did("15162065346", None);
    backend.put(number.clone());
    let names = |filter| -> Vec<BindingRecord> { found(backend, account, filter).unwrap() };
    let country = |operator, value| compare("redirect_did_info.country_code", operator, &[value]);
    assert_eq!(names(country(Operator::Eq, text("USA"))), [with.clone()]);
    assert_eq!(names(country(Operator::Ne, text("USA"))), [without.clone()]);
    assert_eq!(names(country(Operator::Eq, Literal::Null)), [without.clone()]);
    assert_eq!(
        names(compare("redirect_did_info", Operator::Eq, &[Literal::Null])),
        [without.clone()]
    );
    let e164 = compare("redirect_did_info.e164_format", Operator::Like, &[text("+1516%")]);
    assert_eq!(names(e164), [with.clone()]);
    let national = "redirect_did_info.in_country_format";
    let query = Query { order: vec![by(national, true)], ..everything() };
    let page = backend.store.bindings(account, &query).unwrap();
    assert_eq!(page.items[0].record, with);

    let french = DidRecord { country_code: Some("FRA".into()), ..number.clone() };
    backend.op(Op::Update { record: french.record(), expect: 3 }).unwrap();
    assert_eq!(names(country(Operator::Eq, text("FRA"))), [with.clone()]);
    backend.op(Op::Delete { kind: Kind::Binding, sid: with.sid, expect: None }).unwrap();
    backend.op(Op::Delete { kind: Kind::Did, sid: number.sid, expect: None }).unwrap();
    backend.put(with.clone());
    assert_eq!(names(country(Operator::Eq, Literal::Null)).len(), 2);
}

pub(crate) fn orders_are_stable_and_pages_do_not_overlap<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let mut records = Vec::new();
    for place in 0..30_u64 {
        let mut record = binding(account, &format!("1516206{place:04}"));
        record.name = ["b", "a", "c"][place as usize % 3].into();
        record.origination_did = (place % 4 != 0).then(|| number(&format!("155{:02}", place % 5)));
        record.maximum_ttl = Some(60 + (place as u32 * 7) % 4);
        record.attributes.insert("rank".to_owned(), (place % 6).into());
        backend.put(record.clone());
        records.push(record);
    }
    let rows: [(Vec<OrderKey>, Compare); 5] = [
        (vec![], |_, _| std::cmp::Ordering::Equal),
        (vec![by("name", false)], |a, b| a.name.cmp(&b.name)),
        (vec![by("name", true), by("maximum_ttl", false)], |a, b| {
            b.name.cmp(&a.name).then(a.maximum_ttl.cmp(&b.maximum_ttl))
        }),
        (vec![by("origination_did", false)], |a, b| {
            a.origination_did.map(|n| n.to_string()).cmp(&b.origination_did.map(|n| n.to_string()))
        }),
        (vec![by("attributes.rank", true), by("account_sid", false)], |a, b| {
            b.attributes["rank"].as_u64().cmp(&a.attributes["rank"].as_u64())
        }),
    ];
    for filter in [Filter::All(vec![]), compare("name", Operator::Ge, &[text("a")])] {
        for (order, compare) in &rows {
            let mut expected = records.clone();
            expected.sort_by(compare);
            let mut got = Vec::new();
            for page in 0..5 {
                let query = Query {
                    order: order.clone(),
                    filter: filter.clone(),
                    offset: page * 7,
                    limit: 7,
                    now: NOW,
                };
                let page = backend.store.bindings(account, &query).unwrap();
                assert_eq!(page.total, Some(30));
                assert_eq!(page.has_more, query.offset + 7 < 30);
                got.extend(page.items.into_iter().map(|found| found.record));
            }
            assert_eq!(got, expected, "{order:?}");
        }
    }
    let none = Query { limit: 0, ..everything() };
    let page = backend.store.bindings(account, &none).unwrap();
    assert_eq!((page.items.len(), page.total, page.has_more), (0, Some(30), true));
    let beyond = Query { offset: u64::MAX, ..everything() };
    let page = backend.store.bindings(account, &beyond).unwrap();
    assert_eq!((page.items.len(), page.total, page.has_more), (0, Some(30), false));
}

pub(crate) fn dialouts_show_the_seconds_that_remain<S: Store + Calls>(backend: &Backend<S>) {
    let account = sid();
    let due = |did: &str, millis: u64| DialoutRecord {
        due: NOW + Duration::from_millis(millis),
        ..dialout(account, did)
    };
    let late = DialoutRecord {
        due: mediator_model::UnixMillis(NOW.0 - 5_000),
        ..dialout(account, "15162065340")
    };
    let soon = due("15162065341", 1);
    let later = due("15162065342", 60_000);
    let dialling = DialoutRecord { dialling: true, ..due("15162065343", 60_000) };
    for record in [&late, &later, &soon, &dialling] {
        backend.put(record.clone());
    }
    let found = |query: Query| -> Vec<DialoutRecord> {
        let page = backend.store.dialouts(account, &query).unwrap();
        assert_eq!(page.total, Some(page.items.len() as u64));
        page.items.into_iter().map(|found| found.record).collect()
    };
    assert_eq!(found(everything()), [late.clone(), later.clone(), soon.clone()]);
    let delay = |operator, value: i64| Query {
        filter: compare("delay", operator, &[Literal::Integer(value)]),
        ..everything()
    };
    assert_eq!(found(delay(Operator::Eq, 0)), [late.clone()]);
    assert_eq!(found(delay(Operator::Eq, 1)), [soon.clone()]);
    assert_eq!(found(delay(Operator::Ge, 60)), [later.clone()]);
    let moved = Query { now: NOW + Duration::from_secs(30), ..delay(Operator::Eq, 30) };
    assert_eq!(found(moved), [later.clone()]);
    let order = Query { order: vec![by("delay", true)], ..everything() };
    assert_eq!(found(order), [later.clone(), soon.clone(), late.clone()]);
    let path = Query {
        filter: compare("stage_two_destination_did", Operator::Like, &[text("1555%2")]),
        ..everything()
    };
    assert_eq!(found(path).len(), 3);
    // Handed over for dialling: shown by its sid alone.
    assert!(backend.object(Kind::Dialout, dialling.sid).is_some());
    assert!(backend.store.dialouts(sid(), &everything()).unwrap().items.is_empty());
}

pub(crate) fn random_filters_match_what_the_model_matches<S: Store + Calls>(backend: &Backend<S>) {
    let dids = [did("15162065346", None), DidRecord { country_code: None, ..did("00491", None) }];
    for did in &dids {
        backend.put(did.clone());
    }
    let cases = std::env::var("STORE_FILTER_CASES").ok().and_then(|cases| cases.parse().ok());
    let mut runner = TestRunner::new(Config {
        cases: cases.unwrap_or(64),
        failure_persistence: None,
        ..Config::default()
    });
    let filters = proptest::collection::vec(model::filters(), 20);
    let random = (model::bindings(), filters);
    let result = runner.run(&random, |(bindings, filters)| {
        let ops = bindings.iter().map(|binding| Op::Create(binding.clone().record())).collect();
        let write = |ops| Write { now: NOW, ops, requires: vec![], remember: None };
        backend.write(write(ops)).map_err(|refused| TestCaseError::fail(refused.to_string()))?;
        let account = bindings[0].account_sid;
        let mut failed = Ok(());
        for filter in filters {
            let expected: Vec<_> = bindings
                .iter()
                .filter(|binding| model::matches(&filter, binding, &dids))
                .cloned()
                .collect();
            let got = found(backend, account, filter.clone());
            if got.as_ref() != Ok(&expected) {
                failed = Err(TestCaseError::fail(format!("{filter:?}\n{got:?}\n{expected:?}")));
            }
        }
        // The numbers are needed again.
        let delete = |binding: &BindingRecord| Op::Delete {
            kind: Kind::Binding,
            sid: binding.sid,
            expect: None,
        };
        backend.write(write(bindings.iter().map(delete).collect())).unwrap();
        failed
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
