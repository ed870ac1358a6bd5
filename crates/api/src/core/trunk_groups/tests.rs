//! Rules of trunk groups.

use serde_json::{Value, json};

use crate::core::testing::{NOBODY, Office, has};

#[test]
fn has_the_defaults_of_the_reference() {
    let office = Office::open();
    let made = office.post("/trunk_groups", json!({}));
    let made = made.ok();
    let expected = json!({
        "acls": [], "external_handlers": [], "hard_failure_codes": "408;",
        "hard_failure_cooldown": 120, "hard_failure_interval": 60,
        "hard_failure_last_resort": "first", "hard_failure_threshold": 3, "name": "N/A",
        "options_interval": null, "partner_sid": "00000000-0000-0000-0000-000000000384",
        "routing_data": null, "routing_type": "failover", "sip_options_locations": [],
        "sip_options_threshold": 3, "soft_failure_codes": "408;", "transformations": [],
        "trunk_group_sid": made["trunk_group_sid"],
    });
    assert_eq!(*made, expected);
}

#[test]
fn names_the_field_that_cannot_be_taken() {
    let office = Office::open();
    let rows = [
        ("hard_failure_codes", json!("abc")),
        ("hard_failure_codes", json!("200;")),
        ("soft_failure_codes", json!(408)),
        ("soft_failure_codes", json!(null)),
        ("hard_failure_last_resort", json!("never")),
        ("hard_failure_threshold", json!(0)),
        ("hard_failure_interval", json!(3601)),
        ("hard_failure_cooldown", json!(-1)),
        ("sip_options_threshold", json!("x")),
        ("options_interval", json!(0)),
        ("routing_type", json!("percentage")),
        ("acls", json!({})),
        ("name", json!([])),
    ];
    for (field, value) in rows {
        office.post("/trunk_groups", json!({ field: value })).blames(422, field);
    }
}

#[test]
fn writes_code_lists_the_one_way() {
    let office = Office::open();
    let path = format!("/trunk_groups/{}", office.group());
    let rows = [("408; 503", "408;503;"), ("503;503;", "503;"), ("", "")];
    for (given, shown) in rows {
        let now = office.patch(&path, json!({ "hard_failure_codes": given }));
        assert_eq!(now.ok()["hard_failure_codes"], shown);
    }
}

#[test]
fn takes_trunks_in_the_same_write_or_none_of_it() {
    let office = Office::open();
    let carrier = office.carrier();
    let body = json!({ "name": "both", "trunks": [
        { "endpoint_sid": carrier, "priority": 1 }, { "endpoint_sid": carrier },
    ] });
    let made = office.post("/trunk_groups?with_trunks=true", body.clone());
    let made = made.ok();
    assert_eq!(made["trunks"].as_array().unwrap().len(), 2);
    has(&made["trunks"][0], &json!({ "endpoint_sid": carrier, "priority": 1 }));
    let path = format!("/trunk_groups/{}", made["trunk_group_sid"].as_str().unwrap());
    assert_eq!(office.get(&format!("{path}?with_trunks=true")).ok()["trunks"], made["trunks"]);
    let trunks = office.get(&format!("{path}/trunks")).ok().clone();
    assert_eq!(trunks["items"], made["trunks"]);
    // Without the argument they are a field that nobody knows.
    let alone = office.post("/trunk_groups", body).ok().clone();
    assert!(alone.get("trunks").is_none(), "{alone}");
    let rows = [
        (json!([{ "endpoint_sid": NOBODY }]), "trunks.0.endpoint_sid"),
        (json!([{ "endpoint_sid": carrier }, {}]), "trunks.1.endpoint_sid"),
        (json!([{ "endpoint_sid": carrier, "weight": -1 }]), "trunks.0.weight"),
        (json!([5]), "trunks.0"),
        (json!(5), "trunks"),
    ];
    for (trunks, field) in rows {
        let body = json!({ "name": "broken", "trunks": trunks });
        office.post("/trunk_groups?with_trunks=true", body).blames(422, field);
    }
    assert_eq!(office.get("/trunk_groups").ok()["total"], 2, "half a group was made");
}

#[test]
fn what_is_shown_can_be_put_back() {
    let office = Office::open();
    let path = format!("/trunk_groups/{}", office.group());
    let rich = json!({
        "routing_data": { "a": 1 }, "options_interval": 30, "acls": ["x"],
        "transformations": [{ "attribute": "number_dst", "rule": "^0", "replacement": "" }],
        "hard_failure_last_resort": "reject503",
    });
    let shown = office.patch(&path, rich.clone()).ok().clone();
    has(&shown, &rich);
    assert_eq!(*office.put(&path, shown.clone()).ok(), shown);
    assert!(office.put(&path, json!({})).blamed(422).contains(&"soft_failure_codes"));
    assert_eq!(
        office.patch(&path, json!({ "options_interval": null })).ok()["options_interval"],
        Value::Null
    );
}
