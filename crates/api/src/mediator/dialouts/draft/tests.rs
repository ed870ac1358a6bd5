//! What POST makes of a dialout's body.

use serde_json::{Value, json};

use super::*;

const NOW: UnixMillis = UnixMillis(1_539_125_276_609);

fn object(value: Value) -> Object {
    let Value::Object(object) = value else { panic!("not an object: {value}") };
    object
}

fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn record(body: Value) -> DialoutRecord {
    let draft = Draft::read(&object(body)).unwrap();
    draft.to_record(Sid::from_random(1), Sid::from_random(2), number("15162065346"), NOW)
}

fn refused(result: Result<impl std::fmt::Debug, Fault>) -> Vec<String> {
    match result {
        Err(Fault::Invalid(errors)) => errors.into_iter().map(|error| error.field.into()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn hides_the_parties_unless_told_otherwise() {
    let stages = json!({"stage_one_destination_did": "15162065339", "stage_two_destination_did": "15162065338"});
    let rows = [
        (json!({}), json!({"hide_origination_did": "true"})),
        (json!(null), json!({"hide_origination_did": "true"})),
        (
            json!({"ringback": "false"}),
            json!({"hide_origination_did": "true", "ringback": "false"}),
        ),
        (json!({"hide_origination_did": false}), json!({"hide_origination_did": false})),
        (json!({"hide_origination_did": null}), json!({"hide_origination_did": "true"})),
        (
            json!({"use_call_confirmation": null, "mine": null}),
            json!({"hide_origination_did": "true", "mine": null}),
        ),
    ];
    for (attributes, kept) in rows {
        let mut body = object(stages.clone());
        body.insert("attributes".to_owned(), attributes.clone());
        assert_eq!(record(Value::Object(body)).attributes, object(kept), "{attributes}");
    }
}

#[test]
fn is_due_after_its_delay() {
    let rows =
        [(json!(null), 0), (json!(0), 0), (json!("1800"), 1800), (json!(31_536_000), 31_536_000)];
    for (delay, seconds) in rows {
        let made = record(json!({
            "stage_one_destination_did": "15162065339", "stage_two_destination_did": "15162065338",
            "delay": delay,
        }));
        assert_eq!(made.due, UnixMillis(NOW.0 + seconds * 1000));
        assert!(!made.dialling);
    }
}

#[test]
fn names_what_it_refuses() {
    let both = ["stage_one_destination_did", "stage_two_destination_did"];
    assert_eq!(refused(Draft::read(&object(json!({})))), both);
    let bad = json!({
        "stage_one_destination_did": "15162065339", "stage_two_destination_did": "x", "delay": -1,
        "redirect_did": 5, "attributes": {"ringback": "loud"},
    });
    let mut fields = refused(Draft::read(&object(bad)));
    fields.sort();
    assert_eq!(
        fields,
        ["attributes.ringback", "delay", "redirect_did", "stage_two_destination_did"]
    );
    for delay in [json!(31_536_001), json!("soon"), json!(0.5), json!([])] {
        let body = json!({
            "stage_one_destination_did": "15162065339", "stage_two_destination_did": "15162065338",
            "delay": delay,
        });
        assert_eq!(refused(Draft::read(&object(body))), ["delay"]);
    }
}

#[test]
fn a_change_of_the_delay_counts_from_now() {
    let old = record(json!({
        "stage_one_destination_did": "15162065339", "stage_two_destination_did": "15162065338",
        "delay": 100,
    }));
    let later = UnixMillis(NOW.0 + 50_000);
    let patched = |body: Value| {
        Change::from_patch(&object(body), Nested::Merge).unwrap().apply(&old, later).unwrap()
    };
    assert_eq!(patched(json!({"delay": "1800"})).due, UnixMillis(later.0 + 1_800_000));
    assert_eq!(patched(json!({"attributes": {"cnam": "N"}})).due, old.due);
    let cleared = patched(json!({"attributes": {"hide_origination_did": null}}));
    assert_eq!(cleared.attributes, old.attributes);
    assert_eq!(
        refused(Change::from_patch(&object(json!({"delay": null})), Nested::Merge)),
        ["delay"]
    );
    assert_eq!(refused(Change::from_put(&object(json!({"delay": 1})))).len(), 4);
}
