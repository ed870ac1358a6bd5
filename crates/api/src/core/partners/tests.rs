//! Rules of the partner.

use serde_json::{Value, json};

use crate::core::testing::{NOBODY, Office, has};

const PATH: &str = "/partners/00000000-0000-0000-0000-000000000384";

#[test]
fn is_one_and_shows_the_key_of_its_callbacks() {
    let office = Office::open();
    let expected = json!({
        "attributes": {}, "callbacks": {}, "callbacks_secret": "callback-key",
        "date_created": "2023-11-14T22:13:20.000Z", "name": "Operator",
        "partner_sid": "00000000-0000-0000-0000-000000000384",
    });
    assert_eq!(*office.get(PATH).ok(), expected);
    let list = office.get("/partners");
    has(list.ok(), &json!({ "total": 1, "items": [expected] }));
    office.get(&format!("/partners/{NOBODY}")).blamed(404);
    office.post("/partners", json!({})).blamed(405);
    office.delete(PATH).blamed(405);
}

#[test]
fn takes_web_addresses_for_callbacks_and_nothing_else() {
    let office = Office::open();
    let set = |value: Value| office.patch(PATH, json!({ "callbacks": value }));
    let url = json!({ "app_mediator": "https://user@hook.example:8443/a?b=c" });
    assert_eq!(set(url.clone()).ok()["callbacks"], url);
    let bad = [
        json!("ftp://x/"),
        json!("nonsense"),
        json!("http://"),
        json!("http://a b/"),
        json!("javascript:alert(1)"),
        json!(5),
        json!(format!("http://x/{}", "y".repeat(2048))),
    ];
    for bad in bad {
        set(json!({ "app_mediator": bad })).blames(422, "callbacks.app_mediator");
    }
    set(json!({ "sms": "http://x/" })).blames(422, "callbacks.sms");
    set(json!({ "other": "http://x/" })).blames(422, "callbacks.other");
    assert_eq!(office.get(PATH).ok()["callbacks"], url);
    assert_eq!(set(json!({ "app_mediator": null })).ok()["callbacks"], json!({}));
}

#[test]
fn changes_the_key_of_callbacks_on_demand() {
    let office = Office::open();
    let secret = |value: Value| {
        office.patch(PATH, json!({ "callbacks_secret": value })).ok()["callbacks_secret"].clone()
    };
    let made = secret(Value::Null);
    assert!(made != "callback-key" && made.as_str().unwrap().len() == 43, "{made}");
    assert_eq!(secret(json!("a key of my own making")), "a key of my own making");
    office.patch(PATH, json!({ "callbacks_secret": "short" })).blames(422, "callbacks_secret");
    let whole = json!({ "name": "N", "attributes": { "a": 1 }, "callbacks": {} });
    let now = office.put(PATH, whole);
    has(now.ok(), &json!({ "name": "N", "callbacks_secret": "a key of my own making" }));
    assert_eq!(office.put(PATH, json!({ "name": "N" })).blamed(422), ["attributes", "callbacks"]);
}
