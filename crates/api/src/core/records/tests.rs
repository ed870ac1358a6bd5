//! Rules of call records and dead letters.

use axum::http::Method;
use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::record::{CallRow, LegRow, MediaFigures, Object};
use mediator_store::{CallDelivery, DeliveryOutcome};
use serde_json::{Value, json};

use super::csv;
use crate::core::testing::{NOBODY, Office, has};
use crate::testing::START;

const CALLS: &str = "/app/mediator/calls";
const LEGS: &str = "/calls/call_drs";

fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn call(at: u64) -> CallRow {
    let mut attributes = Object::new();
    attributes.insert("note".to_owned(), json!("=1+1, \"quoted\""));
    CallRow {
        dr_sid: Sid::from_u128(5000 + u128::from(at)),
        endpoint_sid: Sid::from_u128(1),
        event_type: "binding".into(),
        reference_sid: Some(Sid::from_u128(3)),
        attributes,
        dtmf: Some("*1,2".into()),
        direction: "inbound".into(),
        number_src: (at.is_multiple_of(2)).then(|| number("14155550100")),
        number_redirect: number("15162065337"),
        number_dst: Some(number("15162065338")),
        date_start: UnixMillis(START.0 + at * 1000),
        date_talk: None,
        date_stop: UnixMillis(START.0 + at * 1000 + 4250),
        date_insert: UnixMillis(START.0 + at * 1000 + 4260),
        sip_cause: 486,
        disconnect_originator: "DST".into(),
        media_src: MediaFigures { packets: Some(at), jitter_ms: Some(0.5), ..Default::default() },
        media_dst: MediaFigures::default(),
    }
}

fn leg(at: u64) -> LegRow {
    LegRow {
        dr_sid: Sid::from_u128(9000 + u128::from(at)),
        call_sid: Sid::from_u128(5000 + u128::from(at)),
        direction: "inbound".into(),
        date_start: UnixMillis(START.0 + at * 1000),
        date_talk: None,
        date_stop: UnixMillis(START.0 + at * 1000 + 4250),
        date_insert: UnixMillis(START.0 + at * 1000 + 4260),
        endpoint_sid_src: None,
        endpoint_sid_dst: None,
        number_src: None,
        number_dst: Some(number("15162065337")),
        number_external: None,
        ip_src: Some("192.0.2.7:5060".into()),
        ip_dst: None,
        sipcallid_src: Some("=cmd|' /C calc'!A0".into()),
        sipcallid_dst: None,
        sipcause: 486,
        codec_src: None,
        codec_dst: None,
        disconnect_originator: "DST".into(),
        identity: None,
    }
}

fn office(records: u64) -> Office {
    let office = Office::open();
    for at in 0..records {
        let (call, legs) = (Some(call(at)), vec![leg(at)]);
        office.calls().append(CallDelivery { call, legs, callback: None });
    }
    office.settle();
    office
}

fn sids(list: &Value) -> Vec<u128> {
    let items = list["items"].as_array().unwrap();
    let sid = |item: &Value| item["dr_sid"].as_str().unwrap().parse::<Sid>().unwrap().as_u128();
    items.iter().map(|item| sid(item) % 1000).collect()
}

#[test]
fn lists_the_newest_first_uncounted_and_with_a_cursor() {
    let office = office(5);
    for path in [CALLS, LEGS] {
        let list = office.get(path);
        has(list.ok(), &json!({ "count": 5, "total": null, "limit": 10, "has_more": false }));
        assert_eq!(sids(list.ok()), [4, 3, 2, 1, 0], "{path}");
        let page = office.get(&format!("{path}?limit=2")).ok().clone();
        assert!(page["has_more"] == true && page["pagination"]["next"].is_string(), "{page}");
        let last = page["items"][1]["dr_sid"].as_str().unwrap();
        let page = office.get(&format!("{path}?limit=2&before={last}")).ok().clone();
        assert_eq!(sids(&page), [2, 1]);
        let next = page["pagination"]["next"].as_str().unwrap();
        let next = next.strip_prefix("http://api.example/core/v2").unwrap();
        assert_eq!(sids(office.get(next).ok()), [0]);
        let upward = office.get(&format!("{path}?order=date_stop+asc"));
        assert_eq!(sids(upward.ok()), [0, 1, 2, 3, 4]);
        office.get(&format!("{path}?before=x")).blames(400, "before");
        office.get(&format!("{path}?filter=nothing+eq+1")).blames(400, "filter");
        office.get(&format!("{path}?include_fields=nothing")).blames(400, "include_fields");
        let one = list.ok()["items"][0].clone();
        let here = format!("{path}/{}", one["dr_sid"].as_str().unwrap());
        assert_eq!(*office.get(&here).ok(), one);
        office.get(&format!("{path}/{NOBODY}")).blamed(404);
        office.get(&format!("{path}/nothing")).blamed(404);
        office.post(path, json!({})).blamed(405);
    }
    let found = office.get(&format!("{CALLS}?filter=number_src+eq+14155550100&order=dr_sid"));
    assert_eq!(sids(found.ok()), [0, 2, 4]);
    let shown = office.get(&format!("{CALLS}?include_fields=duration,sip_cause&limit=1"));
    assert_eq!(shown.ok()["items"], json!([{ "duration": "4.25", "sip_cause": 486 }]));
}

#[test]
fn exports_csv_by_path_and_by_accept() {
    let office = office(2);
    let by_path = office.get(&format!("{CALLS}.csv"));
    assert_eq!(by_path.status, 200);
    assert_eq!(by_path.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert!(
        by_path.headers["content-disposition"].to_str().unwrap().contains("mediator_calls.csv")
    );
    let by_accept = office.ask_with(Method::GET, CALLS, &[("accept", "text/csv")], &Value::Null);
    assert_eq!(by_accept.text, by_path.text);
    assert_eq!(office.get(&format!("{CALLS}/csv")).text, by_path.text);
    let lines: Vec<&str> = by_path.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("dr_sid,date_start,date_talk,"), "{}", lines[0]);
    assert!(
        lines[1].contains("\"{\"\"note\"\":\"\"=1+1, \\\"\"quoted\\\"\"\"\"}\""),
        "{}",
        lines[1]
    );
    let some = "?include_fields=number_src,media_src.packets,duration&order=dr_sid";
    let text = office.get(&format!("{CALLS}.csv{some}")).text;
    assert_eq!(text, "duration,number_src,media_src.packets\r\n4.25,14155550100,0\r\n4.25,,1\r\n");
    let legs = office.get(&format!("{LEGS}.csv?include_fields=sipcallid_src&limit=1")).text;
    assert_eq!(legs, "sipcallid_src\r\n'=cmd|' /C calc'!A0\r\n", "no formula runs");
    office.get(&format!("{CALLS}.csv?filter=nothing+eq+1")).blamed(400);
    let json = office.ask_with(
        Method::GET,
        CALLS,
        &[("accept", "application/json, text/csv")],
        &Value::Null,
    );
    json.ok();
}

#[test]
fn exports_more_than_a_page_each_record_once() {
    let office = office(2500);
    for order in ["", "&order=date_start"] {
        let text = office.get(&format!("{CALLS}.csv?include_fields=dr_sid{order}")).text;
        let mut lines: Vec<&str> = text.split_terminator("\r\n").skip(1).collect();
        assert_eq!(lines.len(), 2500);
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 2500);
    }
}

#[test]
fn cells_follow_rfc_4180_and_begin_no_formula() {
    let rows = [
        (json!("plain"), "plain"),
        (json!("a,b"), "\"a,b\""),
        (json!("say \"x\""), "\"say \"\"x\"\"\""),
        (json!("a\r\nb"), "\"a\r\nb\""),
        (json!("=1+1"), "'=1+1"),
        (json!("+49"), "'+49"),
        (json!("-1"), "'-1"),
        (json!("@x"), "'@x"),
        (json!("\t=1"), "'\t=1"),
        (json!("\r=1"), "\"'\r=1\""),
        (json!(-1.5), "-1.5"),
        (json!(true), "true"),
        (Value::Null, ""),
        (json!({}), "{}"),
    ];
    for (value, cell) in rows {
        let record: Object = [("a".to_owned(), value)].into_iter().collect();
        let mut line = String::new();
        csv::row(&["a", "b"], &record, &mut line);
        assert_eq!(line, format!("{cell},\r\n"));
    }
}

#[test]
fn shows_dead_letters_and_tries_one_again() {
    let office = Office::open();
    for at in 0..3 {
        let callback = Some("http://hook.example/".into());
        office.calls().append(CallDelivery { call: Some(call(at)), legs: Vec::new(), callback });
    }
    office.settle();
    let all = office.calls().due(UnixMillis(START.0 + 1_000_000), 10).unwrap();
    for delivery in &all[..2] {
        office.calls().attempted(delivery.id, DeliveryOutcome::Dead("410 Gone".into()));
    }
    office.settle();
    let list = office.get("/callbacks/dead_letters");
    has(list.ok(), &json!({ "count": 2, "total": 2 }));
    let letter = &list.ok()["items"][0];
    has(
        letter,
        &json!({ "url": "http://hook.example/", "last_error": "410 Gone", "date_due": null }),
    );
    assert_eq!(letter["body"]["dr_sid"], letter["dr_sid"]);
    let found = format!("/callbacks/dead_letters?filter=dr_sid+eq+'{}'", all[1].dr_sid);
    assert_eq!(office.get(&found).ok()["items"][0]["id"], all[1].id);
    let retry = |id: u64| office.post(&format!("/callbacks/dead_letters/{id}/retry"), Value::Null);
    assert_eq!(retry(all[1].id).ok()["date_due"], "2023-11-14T22:13:20.000Z");
    assert_eq!(office.process.told.lock().1, 1);
    office.settle();
    assert_eq!(office.get("/callbacks/dead_letters").ok()["total"], 1);
    assert!(office.calls().due(START, 10).unwrap().iter().any(|due| due.id == all[1].id));
    // One that is no dead letter is left alone.
    retry(all[1].id).blamed(404);
    retry(all[2].id).blamed(404);
    office.post("/callbacks/dead_letters/x/retry", Value::Null).blamed(404);
}
