//! `POST`, `GET`, `PATCH`, `PUT` and `DELETE` of bindings, field by field.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::desk::{BRITISH, DIDS, Desk, FAR, FARTHER, FRENCH, is_date, is_sid, keys, merge, text};
use crate::scene::{CALLER, REDIRECT, UNBOUND};

const FIELDS: [&str; 12] = [
    "account_sid",
    "attributes",
    "binding_sid",
    "date_created",
    "destination_did",
    "dtmf",
    "maximum_ttl",
    "name",
    "origination_did",
    "redirect_did",
    "redirect_did_info",
    "wait_origination_did_ttl",
];

#[test]
fn needs_only_a_destination_and_fills_in_the_rest() -> Result<()> {
    let desk = Desk::open("defaults")?;
    let reply = desk.mediator.post("/bindings", &json!({ "destination_did": FAR }))?;
    let binding = reply.ok()?;
    ensure!(keys(&binding) == FIELDS, "{binding}");
    ensure!(is_sid(text(&binding, "binding_sid")?) && is_sid(text(&binding, "account_sid")?));
    ensure!(is_date(text(&binding, "date_created")?), "{binding}");
    let defaults = json!({
        "attributes": {}, "destination_did": FAR, "dtmf": null, "maximum_ttl": 3600, "name": "N/A",
        "origination_did": null, "wait_origination_did_ttl": 300,
    });
    for (field, value) in defaults.as_object().context("an object")? {
        ensure!(&binding[field] == value, "{field}: {binding}");
    }
    let redirect = text(&binding, "redirect_did")?;
    ensure!(DIDS.contains(&redirect), "{binding}");
    let last = redirect.get(7..).unwrap_or_default();
    let info = json!({
        "country_code": "USA",
        "e164_format": format!("+{redirect}"),
        "in_country_format": format!("(516) 206-{last}"),
        "international_format": format!("+1 516-206-{last}"),
        "phonenumber": redirect,
    });
    ensure!(binding["redirect_did_info"] == info, "{binding}");
    let account = desk.mediator.get("/accounts")?.ok()?;
    ensure!(account["items"][0]["account_sid"] == binding["account_sid"], "{account}");
    let path = format!("/bindings/{}", text(&binding, "binding_sid")?);
    ensure!(desk.mediator.get(&path)?.ok()? == binding, "another object at {path}");
    ensure!(desk.mediator.get("/bindings")?.ok()?["items"] == json!([binding]));
    desk.close()
}

#[test]
fn reads_numbers_and_booleans_however_they_are_written() -> Result<()> {
    let desk = Desk::open("coerced")?;
    let attributes = json!({
        "hide_origination_did": "true", "fix_anonymous_cid": true, "ringback": "moh",
        "mine": { "deep": [1, "two", null] }, "sip_header_X-Order": "4711", "n": 1.5,
    });
    let binding = desk.mediator.post(
        "/bindings",
        &json!({
            "destination_did": "+1 (516) 206-5338", "redirect_did": format!("tel:+{REDIRECT}"),
            "origination_did": "+1-415-555-0100", "maximum_ttl": "1800",
            "wait_origination_did_ttl": "-1", "dtmf": ",,,,1357#*A", "name": "Spring ☂",
            "attributes": attributes,
            // Read-only and unknown ones are not looked at.
            "binding_sid": "mine", "account_sid": 7, "date_created": false, "redirect_did_info": 1,
            "no_such_field": { "a": 1 },
        }),
    )?;
    let binding = binding.ok()?;
    let wanted = json!({
        "destination_did": FAR, "redirect_did": REDIRECT, "origination_did": CALLER,
        "maximum_ttl": 1800, "wait_origination_did_ttl": -1, "dtmf": ",,,,1357#*A",
        "name": "Spring ☂", "attributes": attributes,
    });
    for (field, value) in wanted.as_object().context("an object")? {
        ensure!(&binding[field] == value, "{field}: {binding}");
    }
    ensure!(keys(&binding) == FIELDS && binding["binding_sid"] != "mine", "{binding}");
    let plain = json!({ "destination_did": FAR, "name": null, "origination_did": null });
    let plain = desk.mediator.post("/bindings", &plain)?.ok()?;
    ensure!(plain["name"] == "N/A" && plain["origination_did"].is_null(), "{plain}");
    desk.close()
}

/// What cannot be meant, and the field that is named for it.
fn faults() -> Vec<(Value, &'static str)> {
    let with = |field: &str, value: Value| {
        let mut body = json!({ "destination_did": FAR });
        merge(&mut body, &json!({ field: value }));
        body
    };
    let mut rows =
        vec![(json!({}), "destination_did"), (json!({ "name": "x" }), "destination_did")];
    let no_numbers = [
        json!(null),
        json!(true),
        json!([]),
        json!(""),
        json!("bob"),
        json!("12345"),
        json!("+"),
        json!("12345678901234567"),
        json!("015162065338"),
        json!("1516206533８"),
    ];
    for value in no_numbers {
        rows.push((with("destination_did", value.clone()), "destination_did"));
        if !value.is_null() && value != "" {
            rows.push((with("origination_did", value), "origination_did"));
        }
    }
    for value in [json!(true), json!({}), json!("bob")] {
        rows.push((with("redirect_did", value), "redirect_did"));
    }
    for field in ["maximum_ttl", "wait_origination_did_ttl"] {
        let no_ttls = [
            json!(0),
            json!("0"),
            json!(-2),
            json!(1.5),
            json!("1.5"),
            json!("soon"),
            json!(""),
            json!(true),
            json!([1]),
            json!({}),
            json!(1e300),
            json!("99999999999999999999"),
        ];
        for value in no_ttls {
            rows.push((with(field, value), field));
        }
    }
    for value in [json!(5), json!([]), json!({}), json!(true)] {
        rows.push((with("name", value), "name"));
    }
    for value in [json!("12x"), json!("+1"), json!("1 2"), json!("a"), json!({}), json!("w")] {
        rows.push((with("dtmf", value), "dtmf"));
    }
    let no_attributes = [
        json!([]),
        json!("x"),
        json!(1),
        json!({ "sip_header_From": "x" }),
        json!({ "sip_header_X-": "x" }),
        json!({ "sip_header_X-A B": "x" }),
        json!({ "sip_header_X-A:": "x" }),
        json!({ "sip_header_Via": "SIP/2.0/UDP x" }),
        json!({ "sip_header_X-A": "x\r\nVia: y" }),
        json!({ "sip_header_X-A": "x\ny" }),
        json!({ "sip_header_X-A": "x\u{0}y" }),
        json!({ "sip_header_X-A": {} }),
        json!({ "cnam": "x\r\nVia: y" }),
        json!({ "hide_origination_did": "perhaps" }),
        json!({ "fix_anonymous_cid": 7 }),
    ];
    for value in no_attributes {
        rows.push((with("attributes", value), "attributes"));
    }
    rows
}

/// A validation fault is 400 that names the field, or a part of it.
fn blames(reply: &mediator_tests::api::Reply, field: &str) -> Result<()> {
    let errors = reply.errors(400)?;
    let named = errors.iter().any(|error| {
        let found = error["field"].as_str().unwrap_or_default();
        found == field || found.starts_with(&format!("{field}."))
    });
    ensure!(named && errors.len() == 1, "{field} alone is not named: {}", reply.shown());
    Ok(())
}

#[test]
fn refuses_what_cannot_be_meant_and_names_the_field() -> Result<()> {
    let desk = Desk::open("faults")?;
    let mut failed = Vec::new();
    for (body, field) in faults() {
        let reply = desk.mediator.post("/bindings", &body)?;
        if let Err(error) = blames(&reply, field) {
            failed.push(format!("{body}: {error:#}"));
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    let many = json!({ "maximum_ttl": 0, "dtmf": "x", "attributes": [], "name": 1 });
    let reply = desk.mediator.post("/bindings", &many)?;
    reply.blames(400, &["attributes", "destination_did", "dtmf", "maximum_ttl", "name"])?;
    ensure!(desk.mediator.get("/bindings")?.ok()?["total"] == 0, "one was made");
    desk.close()
}

#[test]
fn gives_a_binding_to_no_did_of_anybody_else() -> Result<()> {
    let desk = Desk::open_with("foreign_did", |config| config.phone("alice", "15550001001"))?;
    for foreign in [BRITISH, "15550001001", FAR] {
        let body = json!({ "destination_did": FAR, "redirect_did": foreign });
        let reply = desk.mediator.post("/bindings", &body)?;
        reply.fails(409, "Cannot find redirect_did")?;
        reply.blames(409, &["redirect_did"])?;
    }
    let mine = desk.lasting(REDIRECT, &json!({}))?;
    let path = format!("/bindings/{}", text(&mine, "binding_sid")?);
    let reply = desk.mediator.patch(&path, &json!({ "redirect_did": BRITISH }))?;
    reply.fails(409, "Cannot find redirect_did")?;
    ensure!(desk.mediator.get(&path)?.ok()? == mine);
    desk.close()
}

#[test]
fn keeps_redirect_and_origination_unique() -> Result<()> {
    let desk = Desk::open("unique")?;
    for origination in [json!(null), json!(CALLER)] {
        let mine = json!({ "origination_did": origination });
        let first = desk.lasting(REDIRECT, &mine)?;
        let mut again = json!({ "destination_did": FARTHER, "redirect_did": REDIRECT });
        merge(&mut again, &mine);
        desk.mediator.post("/bindings", &again)?.errors(409)?;
        let elsewhere = desk.lasting(UNBOUND, &mine)?;
        let path = format!("/bindings/{}", text(&elsewhere, "binding_sid")?);
        desk.mediator.patch(&path, &json!({ "redirect_did": REDIRECT }))?.errors(409)?;
        desk.mediator.delete(&format!("/bindings/{}", text(&first, "binding_sid")?))?.gone()?;
        desk.mediator.patch(&path, &json!({ "redirect_did": REDIRECT }))?.ok()?;
        desk.mediator.delete(&path)?.gone()?;
    }
    ensure!(desk.mediator.get("/bindings")?.ok()?["total"] == 0);
    desk.close()
}

#[test]
fn assigns_the_did_with_the_fewest_bindings_until_none_is_free() -> Result<()> {
    let desk = Desk::open("assigned")?;
    let any = json!({ "destination_did": FAR });
    let mut given = Vec::new();
    for _ in DIDS {
        let binding = desk.mediator.post("/bindings", &any)?.ok()?;
        given.push(text(&binding, "redirect_did")?.to_owned());
    }
    given.sort_unstable();
    ensure!(given == [UNBOUND, REDIRECT], "{given:?}");
    desk.mediator.post("/bindings", &any)?.fails(409, "Cannot find redirect_did")?;
    // For a caller of its own every DID is free again; the one with fewer bindings comes first.
    desk.lasting(REDIRECT, &json!({ "origination_did": "14155550199" }))?;
    let own = json!({ "destination_did": FAR, "origination_did": CALLER });
    ensure!(desk.mediator.post("/bindings", &own)?.ok()?["redirect_did"] == UNBOUND);
    ensure!(desk.mediator.post("/bindings", &own)?.ok()?["redirect_did"] == REDIRECT);
    desk.mediator.post("/bindings", &own)?.fails(409, "Cannot find redirect_did")?;
    desk.close()
}

#[test]
fn picks_a_did_from_the_fallback_country() -> Result<()> {
    let desk = Desk::open("country")?;
    let body = |caller: &str| json!({ "destination_did": FAR, "origination_did": caller });
    for (caller, country, did) in [
        ("14155550101", "GBR", BRITISH),
        ("14155550102", "FR", FRENCH),
        ("14155550103", "usa", "15162065300"),
        ("14155550104", "gb", BRITISH),
    ] {
        let path = format!("/bindings?fallback_country={country}");
        let binding = desk.abroad.post(&path, &body(caller))?.ok()?;
        ensure!(binding["redirect_did"] == did, "{country}: {binding}");
    }
    let mut in_body = body("14155550105");
    merge(&mut in_body, &json!({ "fallback_country": "FRA" }));
    let binding = desk.abroad.post("/bindings", &in_body)?.ok()?;
    ensure!(binding["redirect_did"] == FRENCH && keys(&binding) == FIELDS, "{binding}");
    let reply = desk.abroad.post("/bindings?fallback_country=DEU", &body("14155550106"))?;
    reply.fails(409, "Cannot find redirect_did")?;
    let mut named = body("14155550107");
    merge(&mut named, &json!({ "redirect_did": BRITISH }));
    let binding = desk.abroad.post("/bindings?fallback_country=FRA", &named)?.ok()?;
    ensure!(binding["redirect_did"] == BRITISH, "{binding}");
    desk.close()
}

#[test]
fn reuses_a_binding_with_the_same_parameters_where_asked() -> Result<()> {
    let desk = Desk::open("reuse")?;
    let body = json!({ "destination_did": FAR, "origination_did": CALLER, "name": "x" });
    let first = desk.mediator.post("/bindings", &body)?.ok()?;
    ensure!(desk.mediator.post("/bindings?reuse=true", &body)?.ok()? == first);
    let mut in_body = body.clone();
    merge(&mut in_body, &json!({ "reuse": "true" }));
    ensure!(desk.mediator.post("/bindings", &in_body)?.ok()? == first);
    ensure!(desk.mediator.get("/bindings")?.ok()?["total"] == 1);
    // Without it, or for another destination, a binding of its own.
    let second = desk.mediator.post("/bindings?reuse=false", &body)?.ok()?;
    ensure!(second["binding_sid"] != first["binding_sid"]);
    let other = json!({
        "destination_did": FARTHER, "origination_did": CALLER, "redirect_did": REDIRECT
    });
    desk.mediator.post("/bindings?reuse=true", &other)?.errors(409)?;
    desk.mediator.post("/bindings?reuse=perhaps", &body)?.blames(400, &["reuse"])?;
    // Nothing to reuse: made anew.
    let fresh = json!({ "destination_did": FAR, "origination_did": "14155550111" });
    desk.mediator.post("/bindings?reuse=true", &fresh)?.ok()?;
    ensure!(desk.mediator.get("/bindings")?.ok()?["total"] == 3);
    desk.close()
}

#[test]
fn patches_by_key_and_leaves_the_rest() -> Result<()> {
    let desk = Desk::open("patch")?;
    let made = desk.lasting(
        REDIRECT,
        &json!({
            "attributes": { "a": "1", "b": "2", "deep": { "x": 1, "y": 2 } },
            "origination_did": CALLER, "dtmf": "12", "name": "before",
        }),
    )?;
    let path = format!("/bindings/{}", text(&made, "binding_sid")?);
    let patch = |path: &str, body: Value| desk.mediator.patch(path, &body)?.ok();
    ensure!(patch(&path, json!({}))? == made, "an empty patch changes something");
    let read_only = json!({
        "binding_sid": "x", "account_sid": 1, "date_created": 5, "redirect_did_info": {}, "no": 1
    });
    ensure!(patch(&path, read_only)? == made, "a read-only field was changed");
    let now = patch(&path, json!({ "attributes": { "b": null, "c": "3" }, "name": "after" }))?;
    ensure!(
        now["attributes"] == json!({ "a": "1", "c": "3", "deep": { "x": 1, "y": 2 } }),
        "{now}"
    );
    ensure!(now["name"] == "after" && now["dtmf"] == "12", "{now}");
    let whole = format!("{path}?nested_objects=replace");
    let now = patch(&whole, json!({ "attributes": { "d": "4" } }))?;
    ensure!(now["attributes"] == json!({ "d": "4" }), "{now}");
    let now = patch(&whole, json!({ "maximum_ttl": "900" }))?;
    ensure!(now["attributes"] == json!({ "d": "4" }) && now["maximum_ttl"] == 900, "{now}");
    let now = patch(&path, json!({ "origination_did": null, "dtmf": null, "name": null }))?;
    ensure!(now["origination_did"].is_null() && now["dtmf"].is_null(), "{now}");
    ensure!(now["name"] == "N/A", "{now}");
    let now = patch(&path, json!({ "redirect_did": UNBOUND, "destination_did": FARTHER }))?;
    ensure!(now["redirect_did_info"]["e164_format"] == format!("+{UNBOUND}"), "{now}");
    ensure!(desk.mediator.get(&path)?.ok()? == now);
    for field in ["destination_did", "redirect_did", "maximum_ttl", "wait_origination_did_ttl"] {
        desk.mediator.patch(&path, &json!({ field: null }))?.blames(400, &[field])?;
    }
    let bad = json!({ "maximum_ttl": 0, "dtmf": "?", "destination_did": "x" });
    let bad = desk.mediator.patch(&path, &bad)?;
    bad.blames(400, &["destination_did", "dtmf", "maximum_ttl"])?;
    let bad = json!({ "attributes": { "sip_header_X-A": "a\r\nb" } });
    blames(&desk.mediator.patch(&path, &bad)?, "attributes")?;
    ensure!(desk.mediator.get(&path)?.ok()? == now, "a refused patch changed something");
    desk.close()
}

#[test]
fn puts_a_whole_object_and_no_less() -> Result<()> {
    let desk = Desk::open("put")?;
    let made = desk.lasting(REDIRECT, &json!({ "attributes": { "a": "1" } }))?;
    let path = format!("/bindings/{}", text(&made, "binding_sid")?);
    let whole = json!({
        "attributes": { "z": true }, "destination_did": FARTHER, "dtmf": "9", "maximum_ttl": 60,
        "name": "put", "origination_did": CALLER, "redirect_did": UNBOUND,
        "wait_origination_did_ttl": 30,
    });
    for field in keys(&whole) {
        let mut less = whole.clone();
        less.as_object_mut().context("an object")?.remove(field);
        desk.mediator.put(&path, &less)?.blames(400, &[field])?;
    }
    ensure!(desk.mediator.get(&path)?.ok()? == made, "a refused PUT changed something");
    let mut with_read_only = whole.clone();
    merge(
        &mut with_read_only,
        &json!({ "binding_sid": "x", "date_created": 1, "account_sid": [] }),
    );
    let now = desk.mediator.put(&path, &with_read_only)?.ok()?;
    for (field, value) in whole.as_object().context("an object")? {
        ensure!(&now[field] == value, "{field}: {now}");
    }
    for field in ["binding_sid", "account_sid", "date_created"] {
        ensure!(now[field] == made[field], "{field}: {now}");
    }
    // What GET gives can be PUT back as it is.
    ensure!(desk.mediator.put(&path, &now)?.ok()? == now);
    desk.close()
}

#[test]
fn forgets_a_deleted_binding() -> Result<()> {
    let desk = Desk::open("delete")?;
    let made = desk.lasting(REDIRECT, &json!({}))?;
    let path = format!("/bindings/{}", text(&made, "binding_sid")?);
    desk.mediator.delete(&path)?.gone()?;
    for reply in [
        desk.mediator.get(&path)?,
        desk.mediator.delete(&path)?,
        desk.mediator.patch(&path, &json!({ "name": "x" }))?,
        desk.mediator.get("/bindings/no-such-sid")?,
        desk.mediator.delete("/bindings/00000000-0000-4000-8000-000000000000")?,
    ] {
        reply.fails(404, "Cannot find item by SID")?;
    }
    ensure!(desk.mediator.get("/bindings")?.ok()?["items"] == json!([]));
    desk.close()
}
