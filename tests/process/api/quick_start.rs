//! The vendor's quick start, line by line, on a server that knows two carriers and nothing else.

use anyhow::{Context, Result, ensure};
use mediator_tests::api::Api;
use mediator_tests::config::{Config, Direction};
use serde_json::{Value, json};

use super::desk::{Desk, FAR, FARTHER, keys, list_until, status_until, text};
use crate::scene::{CALLER, REDIRECT, Scene, UNBOUND, final_response, request, user};

#[test]
fn leads_from_an_empty_server_to_calls_and_back() -> Result<()> {
    let scene = Scene::new("api_quick_start")?;
    let config = Config::new(scene.server.ip())
        .carrier("carrier-in", scene.caller.sip(), Direction::Inbound)
        .carrier("carrier-out", scene.callee.sip(), Direction::Outbound);
    let desk = Desk::on(scene, &config)?;
    let (endpoint, api) = create_endpoint(&desk)?;
    let dids = assign_numbers(&desk)?;
    let binding = create_binding(&api)?;
    call_through(&desk)?;
    perform_dialout(&desk, &api)?;
    look_up_dids(&api)?;
    read_records(&desk, &binding)?;
    take_down(&desk, &api, (&endpoint, &binding, &dids))?;
    desk.close()
}

/// "Check Provision Trunk Group to create a trunk group alongside the endpoint."
fn create_endpoint(desk: &Desk) -> Result<(Value, Api)> {
    let out = desk.core.query("/endpoints", &[("filter", "name eq 'carrier-out'")])?.ok()?;
    let made = json!({
        "name": "my_mediator", "type": "mediator", "provision_trunk_group": true,
        "outbound": out["items"][0]["endpoint_sid"],
    });
    let made = desk.core.post("/endpoints", &made)?.ok()?;
    // "The credentials of a specific endpoint are found in the properties attribute."
    let listed = desk.core.query("/endpoints", &[("filter", "type eq 'mediator'")])?.ok()?;
    ensure!(listed["items"] == json!([made]), "{listed}");
    let properties = &made["properties"];
    let (login, password) = (text(properties, "login")?, text(properties, "password")?);
    Ok((made.clone(), Api::mediator(desk.address(), login, password)))
}

/// Two numbers: one is assigned at once, the other later, by PATCH.
fn assign_numbers(desk: &Desk) -> Result<Vec<Value>> {
    let group = desk.core.query("/trunk_groups", &[("filter", "name eq 'my_mediator'")])?.ok()?;
    let group = &group["items"][0]["trunk_group_sid"];
    let first = json!({ "phonenumber": REDIRECT, "trunk_group_sid": group });
    let first = desk.core.post("/phonenumber/dids", &first)?.ok()?;
    let second = desk.core.post("/phonenumber/dids", &json!({ "phonenumber": UNBOUND }))?.ok()?;
    ensure!(second["trunk_group_sid"].is_null(), "{second}");
    let path = format!("/phonenumber/dids/{}", text(&second, "did_sid")?);
    let second = desk.core.patch(&path, &json!({ "trunk_group_sid": group }))?.ok()?;
    Ok(vec![first, second])
}

/// "We set both values to -1, meaning that the binding will never expire."
fn create_binding(api: &Api) -> Result<Value> {
    let body = json!({
        "redirect_did": REDIRECT, "destination_did": FAR, "maximum_ttl": -1,
        "wait_origination_did_ttl": -1, "attributes": { "hide_origination_did": "true" },
    });
    api.post("/bindings", &body)?.ok()
}

/// "All phone calls made to the `redirect_did` will be forwarded to the `destination_did`."
fn call_through(desk: &Desk) -> Result<()> {
    let scene = &desk.scene;
    let callee = scene.uas("uas_answer").answer(&scene.stage)?;
    let caller = scene.uac("uac_call").call(&scene.stage, REDIRECT, desk.sip())?;
    let (leg_a, leg_b) = (caller.succeed()?, callee.succeed()?);
    ensure!(final_response(&leg_a)?.status() == Some(200));
    let invite = request(&leg_b, "INVITE")?;
    ensure!(user(invite.request_uri().unwrap_or_default()) == FAR, "{}", invite.text);
    ensure!(user(invite.header("From").unwrap_or_default()) == REDIRECT, "{}", invite.text);
    for message in &leg_b {
        ensure!(!message.text.contains(CALLER), "the caller leaks: {}", message.text);
    }
    Ok(())
}

/// "Unless a delay value is set, the system will dial as soon as a successful POST request has been made."
fn perform_dialout(desk: &Desk, api: &Api) -> Result<()> {
    let callee = desk.callee()?;
    let body = json!({
        "stage_one_destination_did": FARTHER, "stage_two_destination_did": FAR, "delay": 1,
    });
    let made = api.post("/dialouts", &body)?.ok()?;
    ensure!(made["attributes"] == json!({ "hide_origination_did": "true" }), "{made}");
    ensure!(api.get("/dialouts")?.ok()?["count"] == 1);
    status_until(api, &format!("/dialouts/{}", text(&made, "dialout_sid")?), 404)?;
    // Both stages are phones of the same carrier; the first one hangs up.
    let second = callee.rung(2)?;
    ensure!(user(second.request_uri().unwrap_or_default()) == FAR, "{}", second.text);
    callee.hang_up(callee.rung(1)?.header("Call-ID").unwrap_or_default())?;
    callee.heard_request("BYE", 1)
}

fn look_up_dids(api: &Api) -> Result<()> {
    let body = api.get("/dids")?.ok()?;
    ensure!(
        keys(&body) == ["count", "has_more", "items", "limit", "offset", "pagination", "total"],
        "{body}"
    );
    let wanted = json!({ "count": 2, "has_more": false, "limit": 10, "offset": 0, "total": 2 });
    for (field, value) in wanted.as_object().context("an object")? {
        ensure!(&body[field] == value, "{field}: {body}");
    }
    ensure!(body["pagination"] == json!({}), "{body}");
    let first = &body["items"][0];
    ensure!(first["in_country_format"] == "(516) 206-5346", "{body}");
    ensure!(first["international_format"] == "+1 516-206-5346", "{body}");
    Ok(())
}

fn read_records(desk: &Desk, binding: &Value) -> Result<()> {
    let records = list_until(&desk.core, "/app/mediator/calls", "two records", |r| r.len() == 2)?;
    let of = |kind: &str| records.iter().find(|record| record["event_type"] == kind);
    let record = of("binding").with_context(|| format!("no binding: {records:?}"))?;
    ensure!(record["reference_sid"] == binding["binding_sid"], "{record}");
    ensure!(record["number_src"] == CALLER && record["number_dst"] == FAR, "{record}");
    let record = of("dialout").with_context(|| format!("no dialout: {records:?}"))?;
    ensure!(record["number_src"] == FARTHER && record["number_dst"] == FAR, "{record}");
    let legs = list_until(&desk.core, "/calls/call_drs", "four legs", |legs| legs.len() == 4)?;
    ensure!(legs.iter().all(|leg| leg["dr_sid"].is_string()), "{legs:?}");
    Ok(())
}

/// Everything that was made can be taken away again; the next call goes by it.
fn take_down(
    desk: &Desk,
    api: &Api,
    (endpoint, binding, dids): (&Value, &Value, &[Value]),
) -> Result<()> {
    api.delete(&format!("/bindings/{}", text(binding, "binding_sid")?))?.gone()?;
    let caller = desk.caller()?;
    ensure!(caller.call(desk.sip(), REDIRECT, CALLER)?.0 == 480, "a deleted binding works");
    for did in dids {
        desk.core.delete(&format!("/phonenumber/dids/{}", text(did, "did_sid")?))?.gone()?;
    }
    ensure!(caller.call(desk.sip(), REDIRECT, CALLER)?.0 == 404, "a deleted DID works");
    ensure!(api.get("/dids")?.ok()?["total"] == 0);
    let (groups, _) = desk.core.list("/trunk_groups", &[("filter", "name eq 'my_mediator'")])?;
    desk.core.delete(&format!("/trunk_groups/{}", text(&groups[0], "trunk_group_sid")?))?.gone()?;
    desk.core.delete(&format!("/endpoints/{}", text(endpoint, "endpoint_sid")?))?.gone()?;
    api.get("/dids")?.errors(401).map(drop)
}
