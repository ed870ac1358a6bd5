//! The Core API's objects: endpoints, trunk groups, trunks and DIDs.

use anyhow::{Context, Result, ensure};
use mediator_tests::api::Api;
use serde_json::{Value, json};

use super::desk::{Desk, FAR, FARTHER, is_sid, keys, merge, text};
use crate::scene::REDIRECT;

/// A sid that nobody has.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// Fails where `object` lacks a field of `wanted` or has another value there.
fn has(object: &Value, wanted: &Value) -> Result<()> {
    for (field, value) in wanted.as_object().context("an object")? {
        ensure!(object.get(field) == Some(value), "{field} is not {value}: {object}");
    }
    Ok(())
}

#[test]
fn makes_an_endpoint_with_its_defaults() -> Result<()> {
    let desk = Desk::open("endpoint")?;
    let address = json!({ "ip": "192.0.2.7" });
    let made = json!({ "type": "system_gateway", "addresses": [address] });
    let made = desk.core.post("/endpoints", &made)?.ok()?;
    ensure!(is_sid(text(&made, "endpoint_sid")?) && is_sid(text(&made, "partner_sid")?), "{made}");
    let defaults = json!({
        "name": "N/A", "type": "system_gateway", "attributes": {}, "auth_required": true, "capacity": 0,
        "cps_limit": null, "out_sip_username": null, "properties": {}, "transformations": [],
        "voip_token": null,
    });
    has(&made, &defaults)?;
    let address = &made["addresses"][0];
    let defaults = json!({
        "direction": "any", "ip": "192.0.2.7", "port": 5060, "dst_port": 5060, "transport": "udp",
        "srtp": false, "priority": 0, "sip_username": null, "location_sid": null,
    });
    has(address, &defaults)?;
    let path = format!("/endpoints/{}", text(&made, "endpoint_sid")?);
    ensure!(desk.core.get(&path)?.ok()? == made);
    let secret = json!({ "out_sip_username": "u", "out_sip_password": "hush-1" });
    let now = desk.core.patch(&path, &secret)?.ok()?;
    ensure!(!now.to_string().contains("hush-1") && now["out_sip_username"] == "u", "{now}");
    let now =
        desk.core.patch(&path, &json!({ "capacity": "7", "name": null, "endpoint_sid": "x" }))?;
    has(
        &now.ok()?,
        &json!({ "capacity": 7, "name": "N/A", "endpoint_sid": made["endpoint_sid"] }),
    )?;
    let now = desk.core.patch(&path, &json!({ "attributes": { "a": { "b": 1 } } }))?.ok()?;
    ensure!(now["attributes"] == json!({ "a": { "b": 1 } }), "{now}");
    ensure!(
        !desk.core.get("/endpoints?limit=100")?.answer.text().contains("hush-1"),
        "it is listed"
    );
    desk.core.delete(&path)?.gone()?;
    desk.core.get(&path)?.errors(404)?;
    desk.close()
}

#[test]
fn refuses_objects_that_cannot_be_meant() -> Result<()> {
    let desk = Desk::open("core_faults")?;
    let gateway = |more: Value| {
        let mut body = json!({ "type": "system_gateway" });
        merge(&mut body, &more);
        body
    };
    let with_address = |address: Value| gateway(json!({ "addresses": [address] }));
    let rows = [
        ("/endpoints", json!({}), "type"),
        ("/endpoints", json!({ "type": "conference" }), "type"),
        ("/endpoints", json!({ "type": "flexml" }), "type"),
        ("/endpoints", json!({ "type": "toaster" }), "type"),
        ("/endpoints", json!({ "type": 5 }), "type"),
        ("/endpoints", gateway(json!({ "capacity": -1 })), "capacity"),
        ("/endpoints", gateway(json!({ "capacity": "many" })), "capacity"),
        ("/endpoints", gateway(json!({ "cps_limit": -1 })), "cps_limit"),
        ("/endpoints", gateway(json!({ "auth_required": "perhaps" })), "auth_required"),
        ("/endpoints", gateway(json!({ "addresses": {} })), "addresses"),
        ("/endpoints", with_address(json!("192.0.2.7")), "addresses"),
        ("/endpoints", with_address(json!({})), "addresses"),
        ("/endpoints", with_address(json!({ "ip": "300.1.1.1" })), "addresses"),
        ("/endpoints", with_address(json!({ "ip": "192.0.2.7", "port": 70000 })), "addresses"),
        ("/endpoints", with_address(json!({ "ip": "192.0.2.7", "transport": "ipx" })), "addresses"),
        ("/endpoints", with_address(json!({ "ip": "192.0.2.7", "direction": "up" })), "addresses"),
        ("/endpoints", gateway(json!({ "name": 5 })), "name"),
        ("/endpoints", gateway(json!({ "attributes": [] })), "attributes"),
        ("/trunk_groups", json!({ "hard_failure_codes": "abc" }), "hard_failure_codes"),
        ("/trunk_groups", json!({ "soft_failure_codes": 408 }), "soft_failure_codes"),
        (
            "/trunk_groups",
            json!({ "hard_failure_last_resort": "never" }),
            "hard_failure_last_resort",
        ),
        ("/trunk_groups", json!({ "hard_failure_threshold": -1 }), "hard_failure_threshold"),
        ("/phonenumber/dids", json!({}), "phonenumber"),
        ("/phonenumber/dids", json!({ "phonenumber": "bob" }), "phonenumber"),
        (
            "/phonenumber/dids",
            json!({ "phonenumber": FAR, "trunk_group_sid": NOBODY }),
            "trunk_group_sid",
        ),
        (
            "/phonenumber/dids",
            json!({ "phonenumber": FAR, "trunk_group_sid": "x" }),
            "trunk_group_sid",
        ),
    ];
    let mut failed = Vec::new();
    for (path, body, field) in rows {
        let reply = desk.core.post(path, &body)?;
        let named = reply.errors(422).and_then(|errors| {
            let found = errors[0]["field"].as_str().unwrap_or_default();
            ensure!(found == field || found.starts_with(&field.to_string()), "{found} is named");
            Ok(())
        });
        if let Err(error) = named {
            failed.push(format!("{path} {body}: {error:#}"));
        }
    }
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    let wrong = desk.core.post("/endpoints", &json!({ "type": "toaster" }))?;
    wrong.fails(422, "Object validation error")?;
    desk.close()
}

#[test]
fn knows_a_trunk_group_and_its_trunks() -> Result<()> {
    let desk = Desk::open("trunks")?;
    let core = &desk.core;
    let endpoint = json!({ "type": "system_gateway", "addresses": [{ "ip": "192.0.2.7" }] });
    let endpoint = core.post("/endpoints", &endpoint)?.ok()?["endpoint_sid"].clone();
    let group = core.post("/trunk_groups", &json!({}))?.ok()?;
    let defaults = json!({
        "name": "N/A", "routing_type": "failover", "routing_data": null, "hard_failure_codes": "408;",
        "hard_failure_threshold": 3, "hard_failure_interval": 60, "hard_failure_cooldown": 120,
        "hard_failure_last_resort": "first", "soft_failure_codes": "408;", "sip_options_threshold": 3,
        "sip_options_locations": [], "acls": [], "transformations": [], "external_handlers": [],
    });
    has(&group, &defaults)?;
    let group_path = format!("/trunk_groups/{}", text(&group, "trunk_group_sid")?);
    let trunks = format!("{group_path}/trunks");
    let trunk = core.post(&trunks, &json!({ "endpoint_sid": endpoint }))?.ok()?;
    let defaults = json!({
        "endpoint_sid": endpoint, "priority": 0, "weight": 0, "in_capacity": 0, "out_capacity": 0,
        "allow_forward": "disabled", "allow_transfer": false, "asn_mode": "disable", "call_type": "regular",
        "codec": null, "out_identity_mode": "passthrough", "out_rfc_4694_mode": "cut_all",
        "relay_sip_headers": [], "transformations": [], "acls": [], "location_sid": null,
    });
    has(&trunk, &defaults)?;
    let path = format!("{trunks}/{}", text(&trunk, "trunk_sid")?);
    ensure!(core.get(&path)?.ok()? == trunk);
    let now =
        core.patch(&path, &json!({ "priority": "2", "weight": 5, "out_capacity": -1 }))?.ok()?;
    has(&now, &json!({ "priority": 2, "weight": 5, "out_capacity": -1 }))?;
    for (body, field) in [
        (json!({}), "endpoint_sid"),
        (json!({ "endpoint_sid": NOBODY }), "endpoint_sid"),
        (json!({ "endpoint_sid": endpoint, "priority": -1 }), "priority"),
        (json!({ "endpoint_sid": endpoint, "out_capacity": -2 }), "out_capacity"),
        (json!({ "endpoint_sid": endpoint, "allow_forward": "perhaps" }), "allow_forward"),
    ] {
        core.post(&trunks, &body)?.blames(422, &[field]).with_context(|| body.to_string())?;
    }
    core.post(&format!("/trunk_groups/{NOBODY}/trunks"), &json!({ "endpoint_sid": endpoint }))?
        .errors(404)?;
    let elsewhere = core.post("/trunk_groups", &json!({ "name": "other" }))?.ok()?;
    let elsewhere = format!("/trunk_groups/{}/trunks", text(&elsewhere, "trunk_group_sid")?);
    core.get(&format!("{elsewhere}/{}", text(&trunk, "trunk_sid")?))?.errors(404)?;
    ensure!(core.get(&elsewhere)?.ok()?["total"] == 0);
    let both = json!({ "name": "both", "trunks": [{ "endpoint_sid": endpoint, "priority": 1 }] });
    let with = core.post("/trunk_groups?with_trunks=true", &both)?.ok()?;
    let of = format!("/trunk_groups/{}/trunks", text(&with, "trunk_group_sid")?);
    let (items, _) = core.list(&of, &[])?;
    ensure!(items.len() == 1 && items[0]["priority"] == 1, "{items:?}");
    let broken = json!({ "name": "broken", "trunks": [{ "endpoint_sid": NOBODY }] });
    core.post("/trunk_groups?with_trunks=true", &broken)?.errors(422)?;
    let (left, _) = core.list("/trunk_groups", &[("filter", "name eq \"broken\"")])?;
    ensure!(left.is_empty(), "half a group was made: {left:?}");
    core.delete(&path)?.gone()?;
    core.get(&path)?.errors(404)?;
    core.delete(&group_path)?.gone()?;
    desk.close()
}

#[test]
fn knows_the_dids_of_the_operator() -> Result<()> {
    let desk = Desk::open("core_dids")?;
    let core = &desk.core;
    let made =
        core.post("/phonenumber/dids", &json!({ "phonenumber": "+1 516 206 5338" }))?.ok()?;
    let wanted = json!({
        "phonenumber": FAR, "trunk_group_sid": null, "name": "N/A", "country_code": "USA",
        "in_country_format": "(516) 206-5338", "international_format": "+1 516-206-5338",
        "attributes": {}, "status": "assigned", "string_key_1": null, "string_key_2": null,
        "transformations": [],
    });
    has(&made, &wanted)?;
    ensure!(!keys(&made).contains(&"price"), "{made}");
    core.post("/phonenumber/dids", &json!({ "phonenumber": FAR }))?
        .blames(409, &["phonenumber"])?;
    core.post("/phonenumber/dids", &json!({ "phonenumber": REDIRECT }))?.errors(409)?;
    let path = format!("/phonenumber/dids/{}", text(&made, "did_sid")?);
    let now = core.patch(&path, &json!({ "string_key_1": "k", "attributes": { "a": 1 } }))?.ok()?;
    has(&now, &json!({ "string_key_1": "k", "attributes": { "a": 1 } }))?;
    // The number itself is fixed.
    let now = core.patch(&path, &json!({ "phonenumber": FARTHER }))?;
    ensure!(now.status() == 422 || now.ok()?["phonenumber"] == FAR, "{}", now.shown());
    core.patch(&path, &json!({ "trunk_group_sid": NOBODY }))?.blames(422, &["trunk_group_sid"])?;
    core.delete(&path)?.gone()?;
    core.get(&path)?.errors(404)?;
    desk.close()
}

/// Deleting must be refused while `user` uses it, in words that name it.
fn in_use(core: &Api, path: &str, user: &str) -> Result<()> {
    let reply = core.delete(path)?;
    let errors = reply.errors(409)?;
    ensure!(errors[0].to_string().to_lowercase().contains(user), "{user}: {}", reply.shown());
    core.get(path)?.ok().map(drop)
}

#[test]
fn deletes_nothing_that_is_in_use() -> Result<()> {
    let desk = Desk::open("in_use")?;
    let core = &desk.core;
    let one = |path: &str, filter: &str| -> Result<Value> {
        let (mut items, _) = core.list(path, &[("filter", filter)])?;
        items.pop().with_context(|| format!("{path} {filter}"))
    };
    let endpoint = one("/endpoints", "name eq \"masking\"")?;
    let endpoint = format!("/endpoints/{}", text(&endpoint, "endpoint_sid")?);
    let group = one("/trunk_groups", "name eq \"masking\"")?;
    let group = format!("/trunk_groups/{}", text(&group, "trunk_group_sid")?);
    let did = one("/phonenumber/dids", &format!("phonenumber eq \"{REDIRECT}\""))?;
    let did = format!("/phonenumber/dids/{}", text(&did, "did_sid")?);
    in_use(core, &endpoint, "trunk")?;
    in_use(core, &group, "did")?;
    let binding = desk.lasting(REDIRECT, &json!({}))?;
    in_use(core, &did, "binding")?;
    let out = one("/endpoints", "name eq \"carrier-out\"")?;
    in_use(core, &format!("/endpoints/{}", text(&out, "endpoint_sid")?), "masking").or_else(
        |_| in_use(core, &format!("/endpoints/{}", text(&out, "endpoint_sid")?), "trunk"),
    )?;
    desk.mediator.delete(&format!("/bindings/{}", text(&binding, "binding_sid")?))?.gone()?;
    core.delete(&did)?.gone()?;
    desk.close()
}
