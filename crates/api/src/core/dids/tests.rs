//! Rules of DIDs.

use serde_json::{Value, json};

use crate::core::testing::{NOBODY, Office, has};

#[test]
fn adds_a_number_of_the_operators_with_its_formats() {
    let office = Office::open();
    let made = office.post("/phonenumber/dids", json!({ "phonenumber": "+1 (516) 206-5338" }));
    let made = made.ok();
    let expected = json!({
        "attributes": {}, "country_code": "USA", "did_sid": made["did_sid"],
        "in_country_format": "(516) 206-5338", "international_format": "+1 516-206-5338",
        "name": "N/A", "partner_sid": "00000000-0000-0000-0000-000000000384",
        "phonenumber": "15162065338", "status": "assigned", "string_key_1": null,
        "string_key_2": null, "transformations": [], "trunk_group_sid": null,
    });
    assert_eq!(*made, expected);
    let path = format!("/phonenumber/dids/{}", made["did_sid"].as_str().unwrap());
    assert_eq!(*office.get(&path).ok(), expected);
    assert_eq!(*office.put(&path, expected.clone()).ok(), expected);
    let refused = office.post("/phonenumber/dids", json!({ "phonenumber": "15162065338" }));
    refused.blames(409, "phonenumber");
    assert!(refused.text.contains(made["did_sid"].as_str().unwrap()), "{}", refused.text);
}

#[test]
fn names_the_field_that_cannot_be_taken() {
    let office = Office::open();
    let rows = [
        (json!({}), "phonenumber"),
        (json!({ "phonenumber": null }), "phonenumber"),
        (json!({ "phonenumber": "bob" }), "phonenumber"),
        (json!({ "phonenumber": "911" }), "phonenumber"),
        (json!({ "phonenumber": "0151620653380" }), "phonenumber"),
        (json!({ "phonenumber": "15162065338", "trunk_group_sid": NOBODY }), "trunk_group_sid"),
        (json!({ "phonenumber": "15162065338", "trunk_group_sid": "x" }), "trunk_group_sid"),
        (json!({ "phonenumber": "15162065338", "string_key_1": 5 }), "string_key_1"),
    ];
    for (body, field) in rows {
        office.post("/phonenumber/dids", body).blames(422, field);
    }
    assert_eq!(office.get("/phonenumber/dids").ok()["total"], 0);
}

#[test]
fn moves_between_groups_and_holds_them() {
    let office = Office::open();
    let (group, other) = (office.group(), office.group());
    let body = json!({ "phonenumber": "15162065338", "trunk_group_sid": group });
    let did = office.made("/phonenumber/dids", body, "did_sid");
    let path = format!("/phonenumber/dids/{did}");
    let refused = office.delete(&format!("/trunk_groups/{group}"));
    refused.blamed(409);
    assert!(
        refused.text.contains("15162065338") && refused.text.contains(&did),
        "{}",
        refused.text
    );
    let moved = office.patch(&path, json!({ "trunk_group_sid": other, "string_key_1": "k" }));
    has(moved.ok(), &json!({ "trunk_group_sid": other, "string_key_1": "k" }));
    assert_eq!(office.delete(&format!("/trunk_groups/{group}")).status, 204);
    let now = office.patch(&path, json!({ "trunk_group_sid": null }));
    assert_eq!(now.ok()["trunk_group_sid"], Value::Null);
    office.patch(&path, json!({ "phonenumber": "15162065339" })).blames(422, "phonenumber");
    assert_eq!(office.delete(&path).status, 204);
    office.get(&path).blamed(404);
}
