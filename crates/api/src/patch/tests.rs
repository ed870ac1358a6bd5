//! What PATCH makes of nested objects.

use mediator_store::record::Object;
use serde_json::{Value, json};

use super::{Nested, merge_nested};
use crate::args::Args;

fn object(value: &Value) -> Object {
    value.as_object().cloned().unwrap()
}

#[test]
fn nested_objects_are_merged_by_key() {
    let rows = [
        // (what there is, patch, merged)
        (json!({ "x": 1, "y": 2 }), json!({ "y": 3, "z": 4 }), json!({ "x": 1, "y": 3, "z": 4 })),
        (json!({ "x": 1, "y": 2 }), json!({ "x": null }), json!({ "y": 2 })),
        (json!({ "x": 1 }), json!({ "none": null }), json!({ "x": 1 })),
        (
            json!({ "deep": { "a": 1, "b": 2 }, "x": 1 }),
            json!({ "deep": { "a": null, "c": 3 } }),
            json!({ "deep": { "b": 2, "c": 3 }, "x": 1 }),
        ),
        // A null in what is new takes nothing away, and is not kept.
        (json!({ "x": 1 }), json!({ "x": { "y": null, "z": 1 } }), json!({ "x": { "z": 1 } })),
        (json!({}), json!({ "x": { "y": { "z": null } } }), json!({ "x": { "y": {} } })),
        (json!({ "x": { "y": 1 } }), json!({ "x": 2 }), json!({ "x": 2 })),
        // Lists are replaced whole.
        (json!({ "x": [1, 2] }), json!({ "x": [null] }), json!({ "x": [null] })),
        (json!({ "x": 1 }), json!({}), json!({ "x": 1 })),
    ];
    for (old, new, merged) in rows {
        assert_eq!(Value::Object(merge_nested(&object(&old), &object(&new))), merged, "{new}");
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
