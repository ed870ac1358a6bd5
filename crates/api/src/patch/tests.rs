//! What PATCH makes of what there is.

use mediator_store::record::Object;
use serde_json::{Value, json};

use super::{Nested, merge};
use crate::args::Args;

fn object(value: Value) -> Object {
    value.as_object().cloned().unwrap()
}

#[test]
fn merges_nested_objects_by_key_and_replaces_the_rest() {
    let rows = [
        // (what there is, patch, merged, replaced)
        (
            json!({ "name": "a", "attributes": { "x": 1, "y": 2 } }),
            json!({ "attributes": { "y": 3, "z": 4 } }),
            json!({ "name": "a", "attributes": { "x": 1, "y": 3, "z": 4 } }),
            json!({ "name": "a", "attributes": { "y": 3, "z": 4 } }),
        ),
        (
            json!({ "attributes": { "x": 1, "y": 2 } }),
            json!({ "attributes": { "x": null } }),
            json!({ "attributes": { "y": 2 } }),
            json!({ "attributes": {} }),
        ),
        (
            json!({ "attributes": { "deep": { "a": 1, "b": 2 } } }),
            json!({ "attributes": { "deep": { "a": null, "c": 3 } } }),
            json!({ "attributes": { "deep": { "b": 2, "c": 3 } } }),
            json!({ "attributes": { "deep": { "c": 3 } } }),
        ),
        // At the top null is a value like any other.
        (
            json!({ "dtmf": "1", "name": "a" }),
            json!({ "dtmf": null }),
            json!({ "dtmf": null, "name": "a" }),
            json!({ "dtmf": null, "name": "a" }),
        ),
        // Lists are replaced whole.
        (
            json!({ "addresses": [1, 2] }),
            json!({ "addresses": [{ "ip": null }] }),
            json!({ "addresses": [{ "ip": null }] }),
            json!({ "addresses": [{ "ip": null }] }),
        ),
        (
            json!({ "attributes": { "x": 1 } }),
            json!({ "attributes": { "x": { "y": null, "z": 1 } } }),
            json!({ "attributes": { "x": { "z": 1 } } }),
            json!({ "attributes": { "x": { "z": 1 } } }),
        ),
        (
            json!({ "attributes": { "x": 1 } }),
            json!({ "attributes": null }),
            json!({ "attributes": null }),
            json!({ "attributes": null }),
        ),
        (json!({}), json!({ "new": 1 }), json!({ "new": 1 }), json!({ "new": 1 })),
    ];
    for (current, patch, merged, replaced) in rows {
        let (current, patch) = (object(current), object(patch));
        assert_eq!(Value::Object(merge(&current, &patch, Nested::Merge)), merged, "{patch:?}");
        assert_eq!(Value::Object(merge(&current, &patch, Nested::Replace)), replaced, "{patch:?}");
    }
}

#[test]
fn the_query_says_which() {
    let read = |query: &str| Nested::from_args(&Args::read(query));
    assert_eq!(read(""), Ok(Nested::Merge));
    assert_eq!(read("nested_objects=merge"), Ok(Nested::Merge));
    assert_eq!(read("nested_objects=replace"), Ok(Nested::Replace));
    assert!(read("nested_objects=other").is_err());
}
