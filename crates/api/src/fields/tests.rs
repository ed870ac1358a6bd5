//! How fields are read, and that everything wrong is named at once.

use mediator_model::{Number, Sid};
use serde_json::{Value, json};

use super::{Fields, Presence};
use crate::fault::{Fault, FieldError};

/// What a reader makes of one value, and what it says against it.
fn read<T>(
    value: &Value,
    read: impl FnOnce(&mut Fields<'_>) -> Presence<T>,
) -> Result<Presence<T>, String> {
    let body = json!({ "f": value });
    let mut fields = Fields::new(body.as_object().unwrap());
    let presence = read(&mut fields);
    match fields.finish() {
        Ok(()) => Ok(presence),
        Err(Fault::Invalid(faults)) => Err(faults[0].detail.to_string()),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn numbers_come_in_every_form_that_people_write() {
    let number = Number::from_digits("15162065337").unwrap();
    for good in [
        json!("15162065337"),
        json!("+15162065337"),
        json!("+1 (516) 206-5337"),
        json!("tel:+1-516-206-5337"),
        json!("sip:15162065337@example.com"),
    ] {
        assert_eq!(read(&good, |f| f.number("f")), Ok(Presence::Given(number)), "{good}");
    }
    for bad in [
        json!(""),
        json!("123456"),
        json!("1234567890123456"),
        json!("0015162065337"),
        json!("call me"),
        json!(15_162_065_337_u64),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
    ] {
        assert!(read(&bad, |f| f.number("f")).is_err(), "{bad}");
    }
    assert_eq!(read(&Value::Null, |f| f.number("f")), Ok(Presence::Null));
}

#[test]
fn whole_numbers_may_be_text() {
    for good in [json!(1800), json!(1800.0), json!("1800"), json!(" 1800 ")] {
        assert_eq!(read(&good, |f| f.integer("f", 0..=3600)), Ok(Presence::Given(1800)), "{good}");
    }
    for bad in [
        json!(-1),
        json!(3601),
        json!("x"),
        json!(""),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(true),
        json!("1e3"),
    ] {
        assert!(read(&bad, |f| f.integer("f", 0..=3600)).is_err(), "{bad}");
    }
}

#[test]
fn ttls_are_minus_one_or_positive() {
    assert_eq!(read(&json!(-1), |f| f.ttl("f", 100)), Ok(Presence::Given(None)));
    assert_eq!(read(&json!("-1"), |f| f.ttl("f", 100)), Ok(Presence::Given(None)));
    assert_eq!(read(&json!(100), |f| f.ttl("f", 100)), Ok(Presence::Given(Some(100))));
    for bad in [json!(0), json!(-2), json!(101), json!(i64::MIN), json!(4_294_967_297_u64)] {
        assert_eq!(
            read(&bad, |f| f.ttl("f", 100)),
            Err("expected -1 or 1 to 100".to_owned()),
            "{bad}"
        );
    }
}

#[test]
fn other_types_are_taken_as_they_are_meant() {
    assert_eq!(read(&json!("true"), |f| f.boolean("f")), Ok(Presence::Given(true)));
    assert_eq!(read(&json!(false), |f| f.boolean("f")), Ok(Presence::Given(false)));
    assert!(read(&json!(1), |f| f.boolean("f")).is_err());
    assert_eq!(read(&json!("ä"), |f| f.text("f", 2)), Ok(Presence::Given("ä".into())));
    for bad in [json!("abc"), json!("a\n"), json!("\u{0}"), json!(1)] {
        assert!(read(&bad, |f| f.text("f", 2)).is_err(), "{bad}");
    }
    assert_eq!(read(&json!("udp"), |f| f.word("f", &["udp", "tcp"])), Ok(Presence::Given("udp")));
    assert_eq!(
        read(&json!("sctp"), |f| f.word("f", &["udp", "tcp"])),
        Err("expected one of: udp, tcp".to_owned())
    );
    let sid = "05561bef-ce48-4823-a847-bf10f7837a42";
    assert_eq!(read(&json!(sid), |f| f.sid("f")), Ok(Presence::Given(sid.parse::<Sid>().unwrap())));
    assert!(read(&json!("05561bef"), |f| f.sid("f")).is_err());
    let (empty_object, empty_list) = (json!({ "f": {} }), json!({ "f": [] }));
    let mut fields = Fields::new(empty_object.as_object().unwrap());
    assert!(matches!(fields.object("f"), Presence::Given(object) if object.is_empty()));
    assert!(fields.list("f", 1).is_absent());
    let mut fields = Fields::new(empty_list.as_object().unwrap());
    assert!(matches!(fields.list("f", 1), Presence::Given([])));
    assert_eq!(
        read(&json!([1, 2]), |f| match f.list("f", 1) {
            Presence::Given(list) => Presence::Given(list.len()),
            Presence::Null => Presence::Null,
            Presence::Absent => Presence::Absent,
        }),
        Err("expected at most 1 items".to_owned())
    );
}

#[test]
fn all_that_is_wrong_is_named_once() {
    let body = json!({ "a": "x", "b": null, "d": 5, "items": [{ "ip": 5 }] });
    let mut fields = Fields::new(body.as_object().unwrap());
    let a = fields.integer("a", 0..=1);
    assert_eq!(fields.required("a", a), None);
    let b = fields.text("b", 10);
    assert_eq!(fields.required("b", b), None);
    let c = fields.text("c", 10);
    assert_eq!(fields.required("c", c), None);
    fields.require_all(&["b", "c", "d", "e"]);
    let Presence::Given(items) = fields.list("items", 5) else { panic!() };
    let mut nested = Fields::nested(items[0].as_object().unwrap(), "items.0.");
    assert!(nested.text("ip", 10).is_absent());
    fields.absorb(nested);
    let fault =
        |field: &str, detail: &str| FieldError { field: field.into(), detail: detail.into() };
    let expected = vec![
        fault("a", "expected a whole number"),
        fault("b", "must not be null"),
        fault("c", "is required"),
        fault("e", "is required"),
        fault("items.0.ip", "expected a text"),
    ];
    assert_eq!(fields.finish(), Err(Fault::Invalid(expected)));
}

#[test]
fn absent_keeps_and_null_clears() {
    assert_eq!(Presence::Absent.or_keep(Some(1)), Some(1));
    assert_eq!(Presence::Null.or_keep(Some(1)), None);
    assert_eq!(Presence::Given(2).or_keep(Some(1)), Some(2));
    assert_eq!(Presence::<i32>::Null.unwrap_or(5), 5);
}
