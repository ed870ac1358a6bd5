//! Rules of the whole Core API: whatever comes, the answer is one of its own; and what is shown is what is described.

use axum::http::Method;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::testing::Office;

/// The names that mean something somewhere.
const NAMES: &[&str] = &[
    "type",
    "name",
    "addresses",
    "attributes",
    "auth_required",
    "capacity",
    "cps_limit",
    "out_sip_username",
    "out_sip_password",
    "sip_username",
    "sip_password",
    "properties",
    "login",
    "password",
    "outbound",
    "number_format",
    "transformations",
    "provision_trunk_group",
    "ip",
    "port",
    "dst_port",
    "transport",
    "direction",
    "priority",
    "srtp",
    "trunks",
    "endpoint_sid",
    "weight",
    "in_capacity",
    "out_capacity",
    "allow_forward",
    "allow_transfer",
    "codec",
    "relay_sip_headers",
    "location_sid",
    "hard_failure_codes",
    "hard_failure_threshold",
    "routing_data",
    "options_interval",
    "phonenumber",
    "trunk_group_sid",
    "string_key_1",
    "callbacks",
    "callbacks_secret",
    "app_mediator",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("mediator".to_owned()),
        Just("third_party".to_owned()),
        Just("system_gateway".to_owned()),
        Just("192.0.2.7".to_owned()),
        Just("15162065338".to_owned()),
        Just("408;503;".to_owned()),
        Just("00000000-0000-4000-8000-000000000000".to_owned()),
        Just("http://x.example/".to_owned()),
        Just("\u{0}\r\n☂".to_owned()),
        ".{0,12}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_i64..100).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object_of(inner),
        ]
    })
}

fn object_of(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let name = prop::sample::select(NAMES).prop_map(str::to_owned);
    prop::collection::vec((name, inner), 0..8)
        .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>()))
}

/// Where bodies go: objects of each kind, and their lists.
fn paths(office: &Office) -> Vec<(Method, String)> {
    let (carrier, group) = (office.carrier(), office.group());
    let trunks = format!("/trunk_groups/{group}/trunks");
    let trunk = office.made(&trunks, json!({ "endpoint_sid": carrier }), "trunk_sid");
    let did = json!({ "phonenumber": "15162065337", "trunk_group_sid": group });
    let did = office.made("/phonenumber/dids", did, "did_sid");
    let mut paths = vec![
        (Method::POST, "/endpoints".to_owned()),
        (Method::POST, "/trunk_groups?with_trunks=true".to_owned()),
        (Method::POST, trunks.clone()),
        (Method::POST, "/phonenumber/dids".to_owned()),
    ];
    for item in [
        format!("/endpoints/{carrier}"),
        format!("/trunk_groups/{group}"),
        format!("{trunks}/{trunk}"),
        format!("/phonenumber/dids/{did}"),
        "/partners/00000000-0000-0000-0000-000000000384".to_owned(),
        "/oauth/tokens/00000000-0000-0000-0000-000000000385".to_owned(),
    ] {
        paths.push((Method::PATCH, item.clone()));
        paths.push((Method::PUT, item));
    }
    paths
}

#[test]
fn no_body_is_the_servers_fault() {
    let office = Office::open();
    let paths = paths(&office);
    let config = ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() };
    let met = std::cell::Cell::new(0);
    proptest!(config, |(at in 0..paths.len(), body in object_of(value()), kind in word())| {
        let (method, path) = &paths[at];
        let mut body = body;
        if let Value::Object(fields) = &mut body && !fields.contains_key("type") {
            fields.insert("type".to_owned(), kind.into());
        }
        let answer = office.ask(method.clone(), path, &body);
        let status = answer.status.as_u16();
        prop_assert!([200, 409, 422].contains(&status), "{method} {path} {body}: {}", answer.text);
        met.set(met.get() + u32::from(status == 200));
        if status != 200 {
            prop_assert!(answer.json["errors"].as_array().is_some_and(|errors| !errors.is_empty()));
        }
    });
    assert!(met.get() > 50, "{} bodies got past the door: that tests nothing", met.get());
}

#[test]
fn no_query_is_the_servers_fault() {
    let office = Office::open();
    let lists = [
        "/endpoints",
        "/trunk_groups",
        "/phonenumber/dids",
        "/oauth/tokens",
        "/partners",
        "/app/mediator/calls",
        "/calls/call_drs",
        "/app/mediator/calls.csv",
        "/callbacks/dead_letters",
    ];
    let config = ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() };
    let argument = prop::sample::select(vec![
        "filter",
        "order",
        "limit",
        "offset",
        "before",
        "include_fields",
        "exclude_fields",
        "with_trunks",
    ]);
    proptest!(config, |(at in 0..lists.len(), name in argument, text in "[a-z0-9_ .,()'\"%+-]{0,24}")| {
        let text: String = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).collect();
        let answer = office.get(&format!("{}?{name}={text}", lists[at]));
        let status = answer.status.as_u16();
        prop_assert!([200, 400].contains(&status), "{name}={text}: {}", answer.text);
    });
}

/// The names of a described object's fields: those that answers have, and those that only requests have.
fn described(document: &Value, name: &str) -> (Vec<String>, Vec<String>) {
    let properties = document["components"]["schemas"][format!("core.{name}")]["properties"]
        .as_object()
        .unwrap();
    let (write_only, shown): (Vec<_>, Vec<_>) =
        properties.iter().partition(|(_, property)| property["writeOnly"] == true);
    let names =
        |list: Vec<(&String, &Value)>| list.into_iter().map(|(name, _)| name.clone()).collect();
    (names(shown), names(write_only))
}

#[test]
fn objects_are_what_is_described() {
    let office = Office::open();
    let document = serde_json::to_value(crate::openapi::document()).unwrap();
    let check = |name: &str, object: &Value| {
        let (shown, write_only) = described(&document, name);
        let keys: Vec<_> = object.as_object().unwrap().keys().cloned().collect();
        assert_eq!(shown, keys, "{name}");
        write_only
    };
    let body = json!({ "type": "mediator", "provision_trunk_group": true });
    let mediator = office.post("/endpoints", body).ok().clone();
    check("Properties", &mediator["properties"]);
    let hidden = check("Endpoint", &mediator);
    assert_eq!(hidden, ["out_sip_password", "provision_trunk_group", "sip_password"]);
    let body = json!({ "type": "system_gateway", "addresses": [{ "ip": "::1" }] });
    let gateway = office.post("/endpoints", body).ok().clone();
    assert_eq!(check("Address", &gateway["addresses"][0]), ["sip_password"]);
    let group = office.get("/trunk_groups?with_trunks=true").ok()["items"][0].clone();
    check("TrunkGroup", &group);
    check("Trunk", &group["trunks"][0]);
    let did = office.post("/phonenumber/dids", json!({ "phonenumber": "15162065337" }));
    check("Did", did.ok());
    check("Token", &office.get("/oauth/tokens").ok()["items"][0]);
    check("Partner", office.get("/oauth/whoami").ok());
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    let document = serde_json::to_value(crate::openapi::document()).unwrap();
    let text = document.to_string();
    let references: Vec<&str> =
        text.split("\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(references.iter().any(|pointer| pointer.ends_with("core.EndpointWhole")));
    for pointer in references {
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn examples_of_bodies_are_taken() {
    let office = Office::open();
    let document = serde_json::to_value(crate::openapi::document()).unwrap();
    let example =
        |name: &str| document["components"]["schemas"][format!("core.{name}")]["example"].clone();
    let endpoint = office.post("/endpoints", example("EndpointBody")).ok().clone();
    let endpoint = endpoint["endpoint_sid"].as_str().unwrap();
    office.put(&format!("/endpoints/{endpoint}"), example("EndpointWhole")).ok();
    let group = office.made("/trunk_groups", example("TrunkGroupBody"), "trunk_group_sid");
    office.put(&format!("/trunk_groups/{group}"), example("TrunkGroupWhole")).ok();
    let mut trunk = example("TrunkWhole");
    trunk["endpoint_sid"] = json!(endpoint);
    let path = format!("/trunk_groups/{group}/trunks");
    let sid = office.made(&path, trunk.clone(), "trunk_sid");
    office.put(&format!("{path}/{sid}"), trunk).ok();
    let did = office.made("/phonenumber/dids", example("DidBody"), "did_sid");
    office.put(&format!("/phonenumber/dids/{did}"), example("DidWhole")).ok();
}
