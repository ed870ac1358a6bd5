//! Which attributes are taken, and which are refused by name.

use serde_json::{Value, json};

use super::*;

fn object(value: Value) -> Object {
    let Value::Object(object) = value else { panic!("not an object: {value}") };
    object
}

/// The fields that are refused.
fn refused(attributes: Value) -> Vec<String> {
    check(&object(attributes)).into_iter().map(|error| error.field.into()).collect()
}

#[test]
fn checks_what_calls_act_on() {
    let rows = [
        ("hide_origination_did", json!(true), true),
        ("hide_origination_did", json!("true"), true),
        ("hide_origination_did", json!("false"), true),
        ("hide_origination_did", json!(false), true),
        ("hide_origination_did", json!("yes"), false),
        ("hide_origination_did", json!(1), false),
        ("fix_anonymous_cid", json!([]), false),
        ("cnam", json!("Spring Campaign"), true),
        ("cnam", json!(7), false),
        ("cnam", json!("a\r\nb"), false),
        ("cnam", json!("x".repeat(1025)), false),
        ("announce", json!("https://example.com/a.wav"), true),
        ("announce", json!({}), false),
        ("ringback", json!("false"), true),
        ("ringback", json!(false), true),
        ("ringback", json!("moh"), true),
        ("ringback", json!("passthrough"), true),
        ("ringback", json!("true"), false),
        ("ringback", json!("loud"), false),
        ("use_call_confirmation", json!("https://example.com/press-1.wav"), true),
        ("use_call_confirmation", json!("a\nb"), false),
        ("use_call_confirmation", json!(3), false),
        ("sip_header_X-Campaign", json!("spring"), true),
        ("sip_header_X-Campaign", json!("a\r\nVia: b"), false),
        ("sip_header_X-Campaign", json!(4), false),
        ("sip_header_Via", json!("a"), false),
        ("sip_header_X-", json!("a"), false),
        ("sip_header_X-a b", json!("a"), false),
        ("mine", json!({"any": ["thing", 1, null]}), true),
        ("mine", json!("a\nb"), true),
    ];
    for (key, value, is_taken) in rows {
        let refused = refused(json!({ key: value.clone() }));
        let expected = if is_taken { Vec::new() } else { vec![format!("attributes.{key}")] };
        assert_eq!(refused, expected, "{key}: {value}");
    }
}

#[test]
fn names_every_bad_attribute() {
    let bad = json!({"cnam": 1, "hide_origination_did": "perhaps", "mine": 2});
    assert_eq!(refused(bad), ["attributes.cnam", "attributes.hide_origination_did"]);
}

#[test]
fn bounds_headers_and_size() {
    let mut many = Object::new();
    for n in 0..33 {
        many.insert(format!("sip_header_X-N{n:02}"), "v".into());
    }
    assert_eq!(refused(Value::Object(many)), ["attributes.sip_header_X-N32"]);
    // {"mine":"..."} has 11 bytes beside the value.
    assert_eq!(refused(json!({"mine": "x".repeat(MAX_BYTES - 11)})), [""; 0]);
    assert_eq!(refused(json!({"mine": "x".repeat(MAX_BYTES - 10)})), ["attributes"]);
}

#[test]
fn keeps_a_null_only_where_it_means_nothing_to_calls() {
    let attributes = object(json!({"cnam": null, "mine": null, "sip_header_X-A": null, "b": 1}));
    assert!(check(&attributes).is_empty());
    assert_eq!(kept(attributes), object(json!({"mine": null, "b": 1})));
}
