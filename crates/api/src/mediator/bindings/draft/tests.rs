//! What POST makes of a body: defaults, coercions, refusals.

use serde_json::{Value, json};

use super::*;
use crate::fault::FieldError;

const NOW: UnixMillis = UnixMillis(1_539_125_276_609);

fn object(value: Value) -> Object {
    let Value::Object(object) = value else { panic!("not an object: {value}") };
    object
}

fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn read(body: &Value) -> Result<Draft, Fault> {
    Draft::read(&object(body.clone()), Wishes::default())
}

fn record(body: &Value) -> BindingRecord {
    let birth = Birth { sid: Sid::from_random(1), account_sid: Sid::from_random(2), now: NOW };
    read(body).unwrap().to_record(birth, number("15162065346"))
}

fn refused(body: &Value) -> Vec<String> {
    match read(body) {
        Err(Fault::Invalid(errors)) => {
            errors.into_iter().map(|FieldError { field, .. }| field.into()).collect()
        }
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn has_the_defaults_of_the_reference() {
    let made = record(&json!({"destination_did": "15162065338"}));
    assert_eq!(
        made,
        BindingRecord {
            sid: Sid::from_random(1),
            account_sid: Sid::from_random(2),
            name: "N/A".into(),
            redirect_did: number("15162065346"),
            origination_did: None,
            destination_did: number("15162065338"),
            dtmf: None,
            attributes: Object::new(),
            maximum_ttl: Some(3600),
            wait_origination_did_ttl: Some(300),
            date_created: NOW,
            claim_until: Some(UnixMillis(NOW.0 + 300_000)),
        }
    );
}

#[test]
fn null_and_blank_mean_the_default() {
    let plain = record(&json!({"destination_did": "15162065338"}));
    let spelled = json!({
        "destination_did": "15162065338", "redirect_did": null, "origination_did": "",
        "dtmf": "", "name": null, "attributes": null, "maximum_ttl": null,
        "wait_origination_did_ttl": null, "reuse": null, "fallback_country": null,
        "no_such_field": [1],
    });
    assert_eq!(record(&spelled), plain);
}

#[test]
fn takes_numbers_as_people_write_them() {
    for text in ["+15162065338", "1 (516) 206-5338", "tel:+1-516-206-5338", "sip:+15162065338@h"] {
        let made = record(&json!({"destination_did": text, "origination_did": text}));
        assert_eq!(made.destination_did, number("15162065338"), "{text}");
        assert_eq!(made.origination_did, Some(number("15162065338")), "{text}");
    }
}

#[test]
fn only_who_has_no_caller_waits_for_one() {
    let rows = [
        (json!({}), Some(300_u64)),
        (json!({"wait_origination_did_ttl": "20"}), Some(20)),
        (json!({"wait_origination_did_ttl": -1}), None),
        (json!({"origination_did": "15162065339"}), None),
        (json!({"origination_did": "15162065339", "wait_origination_did_ttl": 20}), None),
    ];
    for (extra, waits) in rows {
        let mut body = object(extra.clone());
        body.insert("destination_did".to_owned(), "15162065338".into());
        let until = waits.map(|seconds| UnixMillis(NOW.0 + seconds * 1000));
        assert_eq!(record(&Value::Object(body)).claim_until, until, "{extra}");
    }
}

#[test]
fn names_what_it_refuses() {
    let rows = [
        (json!({}), vec!["destination_did"]),
        (json!({"destination_did": null}), vec!["destination_did"]),
        (json!({"destination_did": ""}), vec!["destination_did"]),
        (json!({"destination_did": {}}), vec!["destination_did"]),
        (json!({"destination_did": "123"}), vec!["destination_did"]),
        (json!({"destination_did": "1234567890123456"}), vec!["destination_did"]),
        (json!({"destination_did": "15162065338", "maximum_ttl": 0}), vec!["maximum_ttl"]),
        (json!({"destination_did": "15162065338", "maximum_ttl": -2}), vec!["maximum_ttl"]),
        (json!({"destination_did": "15162065338", "maximum_ttl": 1.5}), vec!["maximum_ttl"]),
        (json!({"destination_did": "15162065338", "maximum_ttl": "soon"}), vec!["maximum_ttl"]),
        (
            json!({"destination_did": "15162065338", "maximum_ttl": 3_153_600_001_u64}),
            vec!["maximum_ttl"],
        ),
        (
            json!({"destination_did": "15162065338", "wait_origination_did_ttl": true}),
            vec!["wait_origination_did_ttl"],
        ),
        (json!({"destination_did": "15162065338", "dtmf": "12a"}), vec!["dtmf"]),
        (json!({"destination_did": "15162065338", "dtmf": "1".repeat(129)}), vec!["dtmf"]),
        (json!({"destination_did": "15162065338", "dtmf": 12}), vec!["dtmf"]),
        (json!({"destination_did": "15162065338", "name": "é".repeat(256)}), vec!["name"]),
        (json!({"destination_did": "15162065338", "name": "a\u{7}b"}), vec!["name"]),
        (json!({"destination_did": "15162065338", "attributes": []}), vec!["attributes"]),
        (json!({"destination_did": "15162065338", "attributes": "{}"}), vec!["attributes"]),
        (json!({"destination_did": "15162065338", "reuse": "perhaps"}), vec!["reuse"]),
        (
            json!({"destination_did": "15162065338", "fallback_country": "XX"}),
            vec!["fallback_country"],
        ),
        (
            json!({"origination_did": 1.5, "dtmf": [], "name": 1, "attributes": {"cnam": 1}}),
            vec!["destination_did", "origination_did", "dtmf", "name", "attributes.cnam"],
        ),
    ];
    for (body, fields) in rows {
        assert_eq!(refused(&body), fields, "{body}");
    }
}

#[test]
fn takes_the_limits_themselves() {
    let made = record(&json!({
        "destination_did": "15162065338", "maximum_ttl": 3_153_600_000_u64,
        "wait_origination_did_ttl": 1, "dtmf": "0123456789*#ABCD,".repeat(7), "name": "é".repeat(255),
    }));
    assert_eq!(made.maximum_ttl, Some(3_153_600_000));
    assert_eq!(made.wait_origination_did_ttl, Some(1));
    assert_eq!(made.name.chars().count(), 255);
}

#[test]
fn query_counts_before_body() {
    let wishes = |query: &str| Wishes::from_args(&Args::read(query));
    let body = json!({"destination_did": "15162065338", "reuse": true, "fallback_country": "de"});
    let draft = Draft::read(&object(body.clone()), Wishes::default()).unwrap();
    assert_eq!((draft.reuse, draft.country), (true, Some("DEU")));
    let said = wishes("reuse=false&fallback_country=USA").unwrap();
    let draft = Draft::read(&object(body), said).unwrap();
    assert_eq!((draft.reuse, draft.country), (false, Some("USA")));
    assert!(wishes("fallback_country=Atlantis").is_err());
    assert!(wishes("reuse=perhaps").is_err());
}

#[test]
fn likeness_is_every_parameter() {
    let body = |extra: Value| {
        let mut body = object(json!({"destination_did": "15162065338", "name": "n"}));
        body.extend(object(extra));
        Value::Object(body)
    };
    let draft = read(&body(json!({}))).unwrap();
    let rows = [
        (json!({}), true),
        (json!({"maximum_ttl": 3600, "wait_origination_did_ttl": 300}), true),
        (json!({"maximum_ttl": 3601}), false),
        (json!({"wait_origination_did_ttl": -1}), false),
        (json!({"name": "m"}), false),
        (json!({"dtmf": "1"}), false),
        (json!({"attributes": {"mine": 1}}), false),
        (json!({"origination_did": "15162065339"}), false),
        (json!({"destination_did": "15162065337"}), false),
    ];
    for (extra, is_like) in rows {
        assert_eq!(draft.is_like(&record(&body(extra.clone()))), is_like, "{extra}");
    }
    // A number that is named must be the same; one that the server chooses need not.
    let made = record(&body(json!({})));
    let named = |number: &str| read(&body(json!({"redirect_did": number}))).unwrap();
    assert!(named("15162065346").is_like(&made));
    assert!(!named("15162065347").is_like(&made));
    // A binding that was claimed is another one.
    let claimed = BindingRecord {
        origination_did: Some(number("15162065339")),
        claim_until: None,
        ..made.clone()
    };
    assert!(!draft.is_like(&claimed));
}
