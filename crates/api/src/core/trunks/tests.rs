//! Rules of trunks.

use serde_json::{Value, json};

use crate::core::testing::{NOBODY, Office, has};

#[test]
fn has_the_defaults_of_the_reference() {
    let office = Office::open();
    let (carrier, group) = (office.carrier(), office.group());
    let path = format!("/trunk_groups/{group}/trunks");
    let made = office.post(&path, json!({ "endpoint_sid": carrier }));
    let made = made.ok();
    let expected = json!({
        "acls": [], "allow_forward": "disabled", "allow_transfer": false, "asn_mode": "disable",
        "call_type": "regular", "codec": null, "endpoint_sid": carrier, "in_capacity": 0,
        "in_identity_format": "passthrough", "in_identity_mode": "passthrough",
        "in_rfc_4694_mode": "cut_all", "location_sid": null, "name": "N/A", "out_capacity": 0,
        "out_identity_mode": "passthrough", "out_rfc_4694_mode": "cut_all",
        "partner_sid": "00000000-0000-0000-0000-000000000384", "priority": 0,
        "relay_sip_headers": [], "transformations": [], "trunk_group_sid": group,
        "trunk_sid": made["trunk_sid"], "weight": 0,
    });
    assert_eq!(*made, expected);
    let path = format!("{path}/{}", made["trunk_sid"].as_str().unwrap());
    assert_eq!(*office.get(&path).ok(), expected);
    assert_eq!(*office.put(&path, expected.clone()).ok(), expected);
    assert!(office.put(&path, json!({})).blamed(422).contains(&"endpoint_sid"));
}

#[test]
fn names_the_field_that_cannot_be_taken() {
    let office = Office::open();
    let (carrier, group) = (office.carrier(), office.group());
    let path = format!("/trunk_groups/{group}/trunks");
    office.post(&path, json!({})).blames(422, "endpoint_sid");
    office.post(&path, json!({ "endpoint_sid": null })).blames(422, "endpoint_sid");
    let rows = [
        ("endpoint_sid", json!(NOBODY)),
        ("priority", json!(-1)),
        ("weight", json!(65_536)),
        ("in_capacity", json!(-2)),
        ("out_capacity", json!("x")),
        ("allow_forward", json!("perhaps")),
        ("allow_transfer", json!("perhaps")),
        ("asn_mode", json!("x")),
        ("call_type", json!("Bad Word")),
        ("codec", json!("mp3")),
        ("location_sid", json!("x")),
        ("relay_sip_headers", json!("X-A")),
        ("relay_sip_headers.0", json!([5])),
    ];
    for (field, value) in rows {
        let mut body = json!({ "endpoint_sid": carrier });
        body[field.split('.').next().unwrap()] = value;
        office.post(&path, body).blames(422, field);
    }
    assert_eq!(office.get(&path).ok()["total"], 0);
}

#[test]
fn belongs_to_its_group_alone() {
    let office = Office::open();
    let (carrier, group, other) = (office.carrier(), office.group(), office.group());
    let body = json!({ "endpoint_sid": carrier });
    office.post(&format!("/trunk_groups/{NOBODY}/trunks"), body.clone()).blamed(404);
    let trunk = office.made(&format!("/trunk_groups/{group}/trunks"), body, "trunk_sid");
    let elsewhere = format!("/trunk_groups/{other}/trunks/{trunk}");
    office.get(&elsewhere).blamed(404);
    office.patch(&elsewhere, json!({})).blamed(404);
    office.delete(&elsewhere).blamed(404);
    office.get(&format!("/trunk_groups/{NOBODY}/trunks")).blamed(404);
    let here = format!("/trunk_groups/{group}/trunks/{trunk}");
    let more = json!({
        "priority": "2", "weight": 5, "out_capacity": -1, "codec": "ulaw", "name": "way",
        "allow_forward": "reroute", "relay_sip_headers": ["X-A"], "asn_mode": "read_write",
    });
    let now = office.patch(&here, more).ok().clone();
    has(&now, &json!({ "priority": 2, "out_capacity": -1, "codec": "ulaw", "name": "way" }));
    let now = office.patch(&here, json!({ "codec": null, "allow_transfer": "disabled" }));
    has(now.ok(), &json!({ "codec": null, "asn_mode": "read_write", "allow_transfer": false }));
    office.patch(&here, json!({ "endpoint_sid": NOBODY })).blames(422, "endpoint_sid");
    assert_eq!(office.delete(&here).status, 204);
    assert_eq!(office.get(&here).json["errors"][0]["field"], Value::Null);
}
