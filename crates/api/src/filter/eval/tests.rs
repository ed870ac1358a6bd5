//! What a filter lets through, in which order, and which page of it.

use std::time::{Duration, Instant};

use mediator_model::UnixMillis;
use mediator_store::ReadError;
use mediator_store::query::{Filter, OrderKey, Query};
use serde_json::{Value, json};

use super::{is_like, listed, matches, page_of};
use crate::fault::Fault;
use crate::filter::{parse, path};

fn object() -> Value {
    json!({
        "name": "Account one",
        "maximum_ttl": 3600,
        "redirect_did": "15162065337",
        "dtmf": null,
        "auth_required": true,
        "attributes": { "ringback": "moh", "n": 5, "hide_origination_did": "true", "deep": { "er": 1.5 } },
        "addresses": [{ "ip": "1.1.1.1", "port": 5060 }, { "ip": "1.1.1.2", "port": 5070 }],
        "codecs": ["ulaw", "opus48"],
        "none": [],
        "date_created": "2018-10-09T22:47:56.609Z",
    })
}

#[test]
fn lets_through_what_it_says() {
    let rows = [
        // Texts and numbers compare by the field's type.
        ("maximum_ttl eq 3600", true),
        ("maximum_ttl eq \"3600\"", true),
        ("maximum_ttl gt 400", true),
        ("maximum_ttl gt \"400\"", true),
        ("maximum_ttl lt 3600.5", true),
        ("maximum_ttl ge 3601", false),
        ("maximum_ttl eq 03600", true),
        ("redirect_did gt 1516", true),
        ("redirect_did gt 2", false),
        ("redirect_did eq 15162065337", true),
        ("name eq 'account one'", false),
        // Null.
        ("dtmf eq null", true),
        ("dtmf ne null", false),
        ("dtmf eq ''", false),
        ("dtmf ne '1'", true),
        ("dtmf lt '1'", false),
        ("dtmf like '%'", false),
        ("dtmf notin ('1', '2')", true),
        ("dtmf notin ('1', null)", false),
        ("dtmf in (null)", true),
        ("name eq null", false),
        ("name ne null", true),
        ("attributes.absent eq null", true),
        ("attributes.absent ne 1", true),
        ("attributes.absent gt 1", false),
        // Patterns.
        ("name like 'Account%'", true),
        ("name like 'account%'", false),
        ("name ilike 'aCCount%'", true),
        ("name like 'A%e'", true),
        ("name like 'A%x'", false),
        ("name like 'Account'", false),
        ("maximum_ttl like '36%'", true),
        // Booleans.
        ("auth_required eq true", true),
        ("auth_required eq 'TRUE'", true),
        ("auth_required ne false", true),
        ("attributes.hide_origination_did eq true", true),
        // Lists of values.
        ("attributes.ringback in ('false', 'moh')", true),
        ("attributes.ringback notin ('false', 'moh')", false),
        // Nested: any type may stand there, so what cannot be compared is not equal.
        ("attributes.n eq 'abc'", false),
        ("attributes.n ne 'abc'", true),
        ("attributes.n lt 6", true),
        ("attributes.deep.er le 1.5", true),
        ("name.first eq null", true),
        // Through lists: any element.
        ("addresses.ip eq '1.1.1.2'", true),
        ("addresses.ip eq '1.1.1.3'", false),
        ("addresses.ip ne '1.1.1.2'", false),
        ("addresses.ip ne '1.1.1.3'", true),
        ("addresses.port gt 5065", true),
        ("addresses.ip notin ('1.1.1.3', '1.1.1.1')", false),
        ("codecs eq opus48", true),
        ("none eq null", true),
        // Times compare as times.
        ("date_created gt 2018-10-09", true),
        ("date_created lt '2018-10-09T23:00:00+00:30'", false),
        ("date_created eq '2018-10-10T00:47:56.609+02:00'", true),
        ("date_created like '2018-10-%'", true),
        // Joined.
        ("name eq 'x' or maximum_ttl eq 3600 and auth_required eq true", true),
        ("(name eq 'x' or maximum_ttl eq 3600) and auth_required eq false", false),
    ];
    for (filter, expected) in rows {
        let parsed = parse(filter).unwrap();
        assert_eq!(matches(&parsed, &object()), Ok(expected), "{filter}");
    }
}

#[test]
fn refuses_values_that_a_field_never_has() {
    let rows = [
        ("maximum_ttl eq 'soon'", "a number"),
        ("maximum_ttl eq true", "a number"),
        ("auth_required eq 1", "true or false"),
        ("date_created gt yesterday", "a time as 2026-01-31T12:00:00Z"),
    ];
    for (filter, reason) in rows {
        let field = filter.split(' ').next().unwrap().into();
        let expected = ReadError::BadValue { field, reason };
        assert_eq!(matches(&parse(filter).unwrap(), &object()), Err(expected), "{filter}");
    }
}

#[test]
fn matches_patterns() {
    let rows = [
        ("", "", true),
        ("", "%", true),
        ("a", "", false),
        ("abc", "abc", true),
        ("abc", "a%", true),
        ("abc", "%c", true),
        ("abc", "%b%", true),
        ("abc", "%%", true),
        ("abc", "a%b%c", true),
        ("abc", "ab%bc", false),
        ("aXbXc", "%X%X%", true),
        ("aXb", "%X%X%", false),
        ("a_c", "a_c", true),
        ("abc", "a_c", false),
    ];
    for (text, pattern, expected) in rows {
        assert_eq!(is_like(text, pattern, false), expected, "{text} like {pattern}");
    }
    assert!(is_like("STRAßE Ä", "straße ä", true));
}

#[test]
fn patterns_cost_no_more_than_their_length() {
    let text = "a".repeat(1_000_000);
    let pattern = format!("{}b", "%a".repeat(4000));
    let began = Instant::now();
    assert!(!is_like(&text, &pattern, false));
    assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
}

fn query(filter: &str, order: &[(&str, bool)], (offset, limit): (u64, u32)) -> Query {
    let filter = if filter.is_empty() { Filter::All(Vec::new()) } else { parse(filter).unwrap() };
    let order = order
        .iter()
        .map(|(field, descending)| OrderKey { path: path(field).unwrap(), descending: *descending })
        .collect();
    Query { filter, order, offset, limit, now: UnixMillis(0) }
}

const FIELDS: &[&str] = &["n", "group", "attributes"];

fn records() -> Vec<Value> {
    vec![
        json!({ "n": 3, "group": "b", "attributes": { "x": null } }),
        json!({ "n": 1, "group": "a", "attributes": { "x": 2 } }),
        json!({ "n": 2, "group": "b", "attributes": { "x": "t" } }),
        json!({ "n": 10, "group": "a", "attributes": { "x": true } }),
    ]
}

#[test]
fn pages_are_cut_from_what_matches_in_order() {
    /// Filter, order, offset and limit; then what is found, how many in all, and whether more come.
    type Row<'a> = (&'a str, &'a [(&'a str, bool)], (u64, u32), &'a [i64], u64, bool);
    let rows: &[Row<'_>] = &[
        ("", &[], (0, 10), &[3, 1, 2, 10], 4, false),
        ("", &[], (1, 2), &[1, 2], 4, true),
        ("", &[], (4, 2), &[], 4, false),
        ("", &[], (u64::MAX, 2), &[], 4, false),
        ("", &[], (0, 0), &[], 4, true),
        ("", &[("n", false)], (0, 10), &[1, 2, 3, 10], 4, false),
        ("", &[("n", true)], (0, 2), &[10, 3], 4, true),
        ("", &[("group", false), ("n", true)], (0, 10), &[10, 1, 3, 2], 4, false),
        // Null, booleans, numbers, texts; what is equal stays in the order of creation.
        ("", &[("attributes.x", false)], (0, 10), &[3, 10, 1, 2], 4, false),
        ("", &[("attributes.none", true)], (0, 10), &[3, 1, 2, 10], 4, false),
        ("group eq b", &[("n", false)], (0, 1), &[2], 2, true),
    ];
    for (filter, order, cut, expected, total, has_more) in rows {
        let query = query(filter, order, *cut);
        let page = page_of(&records(), Value::clone, &query, FIELDS).unwrap();
        let found: Vec<i64> = page.items.iter().map(|item| item["n"].as_i64().unwrap()).collect();
        let figures = (found.as_slice(), page.total, page.has_more);
        assert_eq!(figures, (*expected, Some(*total), *has_more), "{filter} {order:?} {cut:?}");
    }
}

#[tokio::test]
async fn unknown_fields_are_the_clients_fault_even_in_empty_lists() {
    let rows = [
        (query("nope eq 1", &[], (0, 1)), "filter", "filter: there is no field nope"),
        (
            query("n eq 1 and (nope.x eq 1)", &[], (0, 1)),
            "filter",
            "filter: there is no field nope.x",
        ),
        (query("", &[("nope", false)], (0, 1)), "order", "order: there is no field nope"),
    ];
    for (query, argument, detail) in rows {
        let answer = listed(Vec::<Value>::new(), Value::clone, &query, FIELDS).await;
        assert_eq!(answer, Err(Fault::bad_argument(argument, detail)));
    }
}

#[tokio::test]
async fn long_lists_are_answered_alike() {
    let records: Vec<i64> = (0..2000).collect();
    let shown = |n: &i64| json!({ "n": n });
    let query = query("n lt 1500", &[("n", true)], (10, 3));
    let page = listed(records, shown, &query, FIELDS).await.unwrap();
    assert_eq!(page.items, [json!({ "n": 1489 }), json!({ "n": 1488 }), json!({ "n": 1487 })]);
    assert_eq!((page.total, page.has_more), (Some(1500), true));
}
