//! Bodies and paths that nobody means: answered with what is wrong, never with a fault of ours.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const FIELDS: [&str; 18] = [
    "destination_did",
    "redirect_did",
    "origination_did",
    "attributes",
    "dtmf",
    "maximum_ttl",
    "name",
    "wait_origination_did_ttl",
    "reuse",
    "fallback_country",
    "stage_one_destination_did",
    "stage_two_destination_did",
    "delay",
    "binding_sid",
    "hide_origination_did",
    "ringback",
    "sip_header_X-A",
    "use_call_confirmation",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        prop::sample::select(vec!["15162065346", "15162065338", "true", "-1", "", "moh", "USA"])
            .prop_map(Value::from),
        prop::sample::select(vec![-1_i64, 0, 1, 300, 31_536_000]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner),
        ]
    })
}

fn object(of: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        8 => prop::sample::select(FIELDS.to_vec()).prop_map(str::to_owned),
        1 => ".{0,12}",
    ];
    prop::collection::btree_map(name, of, 0..8)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// A failure that says what is wrong, or a success; never ours.
fn check(reply: &Reply, asked: &str) {
    assert!(reply.status.as_u16() < 500, "{asked}: {}", reply.text);
    if reply.status.is_success() {
        if reply.status != StatusCode::NO_CONTENT {
            reply.ok();
        }
    } else {
        reply.errors(reply.status.as_u16());
    }
}

#[test]
fn no_body_is_our_fault() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let desk = runtime.block_on(Desk::open(&["15162065346", "15162065337"]));
    let made = runtime.block_on(desk.lasting(json!({"redirect_did": "15162065337"})));
    let later = json!({
        "stage_one_destination_did": "15162065339", "stage_two_destination_did": "15162065338",
        "delay": 3600,
    });
    let later = runtime.block_on(desk.post("/dialouts", later)).ok();
    let targets = [
        (Method::POST, "/bindings".to_owned()),
        (Method::PATCH, format!("/bindings/{}", text(&made, "binding_sid"))),
        (Method::PUT, format!("/bindings/{}", text(&made, "binding_sid"))),
        (Method::POST, "/dialouts".to_owned()),
        (Method::PATCH, format!("/dialouts/{}", text(&later, "dialout_sid"))),
        (Method::PUT, format!("/dialouts/{}", text(&later, "dialout_sid"))),
    ];
    proptest!(ProptestConfig::with_cases(200), |(body in object(value()))| {
        for (method, path) in &targets {
            let asked = format!("{method} {path} {body}");
            check(&runtime.block_on(desk.as_who(LOGIN, method.clone(), path, body.clone())), &asked);
        }
        let line = Body::from(format!("{body}\n"));
        let request = Request::post("/mediator/v1/bindings/import")
            .header("Authorization", basic(LOGIN))
            .header("Content-Type", "application/x-ndjson")
            .body(line)
            .unwrap();
        let reply = runtime.block_on(desk.send(request));
        let status = reply.json["status"].as_u64().unwrap();
        assert!(status < 500 && reply.text.lines().count() == 1, "{body}: {}", reply.text);
    });
}

#[test]
fn no_argument_is_our_fault() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let desk = runtime.block_on(Desk::open(&["15162065346"]));
    runtime.block_on(desk.lasting(json!({})));
    let paths = ["/accounts", "/bindings", "/dialouts", "/dids", "/calls"];
    let names = ["offset", "limit", "order", "filter", "include_fields", "exclude_fields"];
    proptest!(ProptestConfig::with_cases(300), |(
        path in prop::sample::select(paths.to_vec()),
        name in prop::sample::select(names.to_vec()),
        value in "[a-z0-9_ .,()'\"%-]{0,40}",
    )| {
        let value: String = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).collect();
        let asked = format!("{path}?{name}={value}");
        check(&runtime.block_on(desk.get(&asked)), &asked);
    });
}
