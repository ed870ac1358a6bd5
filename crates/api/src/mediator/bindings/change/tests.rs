//! What PATCH and PUT make of a binding.

use mediator_model::Sid;
use serde_json::{Value, json};

use super::*;

const BORN: UnixMillis = UnixMillis(1_539_125_276_609);
const NOW: UnixMillis = UnixMillis(1_539_125_376_609);

fn object(value: Value) -> Object {
    let Value::Object(object) = value else { panic!("not an object: {value}") };
    object
}

fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

/// One that waits for its first caller.
fn waiting() -> BindingRecord {
    BindingRecord {
        sid: Sid::from_random(1),
        account_sid: Sid::from_random(2),
        name: "first".into(),
        redirect_did: number("15162065346"),
        origination_did: None,
        destination_did: number("15162065338"),
        dtmf: Some("1,2".into()),
        attributes: object(json!({"ringback": "moh", "mine": {"a": 1, "b": 2}})),
        maximum_ttl: Some(3600),
        wait_origination_did_ttl: Some(300),
        date_created: BORN,
        claim_until: Some(UnixMillis(BORN.0 + 300_000)),
    }
}

fn claimed() -> BindingRecord {
    BindingRecord { origination_did: Some(number("15162065339")), claim_until: None, ..waiting() }
}

fn patched(old: &BindingRecord, body: Value, nested: Nested) -> Result<BindingRecord, Fault> {
    Change::from_patch(&object(body), nested)?.apply(old, NOW)
}

fn refused(result: Result<impl std::fmt::Debug, Fault>) -> Vec<String> {
    match result {
        Err(Fault::Invalid(errors)) => errors.into_iter().map(|error| error.field.into()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn patch_keeps_what_is_absent() {
    assert_eq!(patched(&waiting(), json!({}), Nested::Merge), Ok(waiting()));
    let ignored =
        json!({"binding_sid": "x", "account_sid": 1, "date_created": null, "redirect_did_info": 3});
    assert_eq!(patched(&waiting(), ignored, Nested::Merge), Ok(waiting()));
    let longer = patched(&waiting(), json!({"maximum_ttl": -1}), Nested::Merge);
    assert_eq!(longer, Ok(BindingRecord { maximum_ttl: None, ..waiting() }));
}

#[test]
fn null_clears_what_may_be_empty_and_nothing_else() {
    let cleared = patched(&waiting(), json!({"dtmf": null, "name": null}), Nested::Merge).unwrap();
    assert_eq!((cleared.dtmf, &*cleared.name), (None, "N/A"));
    let body = json!({
        "destination_did": null, "redirect_did": null, "attributes": null, "maximum_ttl": null,
        "wait_origination_did_ttl": null,
    });
    let mut fields = refused(patched(&waiting(), body, Nested::Merge));
    fields.sort();
    assert_eq!(
        fields,
        [
            "attributes",
            "destination_did",
            "maximum_ttl",
            "redirect_did",
            "wait_origination_did_ttl"
        ]
    );
}

#[test]
fn attributes_are_merged_by_key_or_replaced() {
    let body = json!({"attributes": {"ringback": null, "mine": {"b": null, "c": 3}, "cnam": "N"}});
    let merged = patched(&waiting(), body.clone(), Nested::Merge).unwrap();
    assert_eq!(merged.attributes, object(json!({"mine": {"a": 1, "c": 3}, "cnam": "N"})));
    let replaced = patched(&waiting(), body, Nested::Replace).unwrap();
    assert_eq!(replaced.attributes, object(json!({"mine": {"b": null, "c": 3}, "cnam": "N"})));
    let bad = json!({"attributes": {"sip_header_Via": "x"}, "dtmf": "x"});
    assert_eq!(
        refused(patched(&waiting(), bad, Nested::Merge)),
        ["attributes.sip_header_Via", "dtmf"]
    );
}

#[test]
fn attributes_are_bounded_with_what_is_there() {
    let mut old = waiting();
    old.attributes.insert("mine".to_owned(), "x".repeat(10_000).into());
    let body = json!({"attributes": {"yours": "y".repeat(10_000)}});
    assert_eq!(refused(patched(&old, body.clone(), Nested::Merge)), ["attributes"]);
    assert!(patched(&old, body, Nested::Replace).is_ok());
}

#[test]
fn the_window_for_a_first_caller() {
    let until = |seconds: u64| Some(UnixMillis(NOW.0 + seconds * 1000));
    let any = BindingRecord { wait_origination_did_ttl: None, claim_until: None, ..waiting() };
    let rows = [
        // Nothing said of it: it goes on.
        (waiting(), json!({"name": "second"}), waiting().claim_until),
        (claimed(), json!({"name": "second"}), None),
        // A window for one that waits begins now.
        (waiting(), json!({"wait_origination_did_ttl": 300}), until(300)),
        (waiting(), json!({"wait_origination_did_ttl": 60}), until(60)),
        (waiting(), json!({"wait_origination_did_ttl": -1}), None),
        (any.clone(), json!({"wait_origination_did_ttl": 60}), until(60)),
        // A caller ends it, no caller opens it again.
        (waiting(), json!({"origination_did": "15162065339"}), None),
        (waiting(), json!({"origination_did": null}), until(300)),
        (claimed(), json!({"origination_did": null}), until(300)),
        (claimed(), json!({"origination_did": ""}), until(300)),
        (claimed(), json!({"origination_did": null, "wait_origination_did_ttl": -1}), None),
        (claimed(), json!({"wait_origination_did_ttl": 60}), None),
        (any, json!({"origination_did": null}), None),
    ];
    for (old, body, expected) in rows {
        let new = patched(&old, body.clone(), Nested::Merge).unwrap();
        assert_eq!(new.claim_until, expected, "{body}");
        assert_eq!(new.date_created, old.date_created);
    }
}

#[test]
fn put_wants_every_field_that_can_be_set() {
    let whole = json!({
        "attributes": {"cnam": "N"}, "destination_did": "15162065337", "dtmf": null,
        "maximum_ttl": -1, "name": null, "origination_did": null, "redirect_did": "15162065345",
        "wait_origination_did_ttl": -1, "binding_sid": "ignored",
    });
    let put = |body: &Value| Change::from_put(&object(body.clone()))?.apply(&waiting(), NOW);
    assert_eq!(
        put(&whole),
        Ok(BindingRecord {
            name: "N/A".into(),
            redirect_did: number("15162065345"),
            destination_did: number("15162065337"),
            dtmf: None,
            attributes: object(json!({"cnam": "N"})),
            maximum_ttl: None,
            wait_origination_did_ttl: None,
            claim_until: None,
            ..waiting()
        })
    );
    for name in UPDATABLE {
        let mut body = object(whole.clone());
        body.remove(name);
        assert_eq!(refused(put(&Value::Object(body))), [name]);
    }
    assert_eq!(refused(put(&json!({}))), UPDATABLE);
}
