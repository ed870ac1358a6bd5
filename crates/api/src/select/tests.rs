//! Which fields are shown.

use serde_json::{Value, json};

use super::Select;
use crate::args::Args;

const FIELDS: &[&str] = &["name", "attributes", "addresses", "capacity"];

fn shown(query: &str) -> Option<Value> {
    let object = json!({
        "name": "a",
        "capacity": 5,
        "attributes": { "x": 1, "y": { "z": 2, "w": 3 } },
        "addresses": [{ "ip": "1.1.1.1", "port": 1 }, { "ip": "1.1.1.2", "port": 2 }],
    });
    Select::from_args(&Args::read(query), FIELDS).ok().map(|select| select.apply(object))
}

#[test]
fn are_those_that_were_asked_for() {
    let rows = [
        ("include_fields=name", json!({ "name": "a" })),
        ("include_fields=name,%20capacity,", json!({ "name": "a", "capacity": 5 })),
        ("includeFields=name", json!({ "name": "a" })),
        ("include_fields=attributes.y.z", json!({ "attributes": { "y": { "z": 2 } } })),
        (
            "include_fields=attributes,attributes.x",
            json!({ "attributes": { "x": 1, "y": { "z": 2, "w": 3 } } }),
        ),
        ("include_fields=attributes.none", json!({ "attributes": {} })),
        (
            "include_fields=addresses.ip",
            json!({ "addresses": [{ "ip": "1.1.1.1" }, { "ip": "1.1.1.2" }] }),
        ),
        ("include_fields=name.first", json!({ "name": "a" })),
        ("include_fields=name,capacity&exclude_fields=capacity", json!({ "name": "a" })),
        ("exclude_fields=attributes,addresses,properties", json!({ "name": "a", "capacity": 5 })),
        (
            "exclude_fields=attributes.y.z,addresses.port,name,capacity",
            json!({ "attributes": { "x": 1, "y": { "w": 3 } }, "addresses": [{ "ip": "1.1.1.1" }, { "ip": "1.1.1.2" }] }),
        ),
        ("include_fields=name&exclude_fields=name", json!({})),
    ];
    for (query, expected) in rows {
        assert_eq!(shown(query), Some(expected), "{query}");
    }
    assert_eq!(shown("").map(|all| all.as_object().map(serde_json::Map::len)), Some(Some(4)));
}

#[test]
fn what_no_object_has_cannot_be_included() {
    for query in ["include_fields=nope", "include_fields=name,nope.x", "include_fields=."] {
        assert_eq!(shown(query), None, "{query}");
    }
    assert_eq!(shown(&format!("exclude_fields={}", "a,".repeat(300))), None);
}
