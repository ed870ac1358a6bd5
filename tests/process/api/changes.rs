//! Two clients at one object: `ETag`, If-Match, If-None-Match.

use anyhow::{Context, Result, ensure};
use mediator_tests::api::{Api, Reply};
use serde_json::{Value, json};

use super::desk::{Desk, FAR, FARTHER, text};
use crate::scene::REDIRECT;

fn etag(reply: &Reply) -> Result<String> {
    let etag =
        reply.answer.header("etag").with_context(|| format!("no ETag: {}", reply.shown()))?;
    ensure!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2, "{etag}");
    Ok(etag.to_owned())
}

fn put_name(api: &Api, method: &str, path: &str, tag: &str, body: &Value) -> Result<Reply> {
    api.with_json(method, path, &[("If-Match", tag)], body)
}

/// One object that can be changed and deleted.
fn check(api: &Api, path: &str, change: &Value) -> Result<()> {
    let read = api.get(path)?;
    let first = etag(&read)?;
    ensure!(etag(&api.get(path)?)? == first, "the tag changes by itself");
    let changed = put_name(api, "PATCH", path, &first, change)?;
    changed.ok()?;
    let second = etag(&changed)?;
    ensure!(second != first && etag(&api.get(path)?)? == second, "{first} {second}");
    put_name(api, "PATCH", path, &first, change)?.errors(412)?;
    api.ask("DELETE", path, &[("If-Match", &first)], None)?.errors(412)?;
    put_name(api, "PATCH", path, &format!("\"nothing\", {second}"), change)?.ok()?;
    put_name(api, "PATCH", path, "*", change)?.ok()?;
    // A weak tag never matches for a change (RFC 9110 section 13.1.1).
    let third = etag(&api.get(path)?)?;
    put_name(api, "PATCH", path, &format!("W/{third}"), change)?.errors(412)?;
    let same = api.ask("GET", path, &[("If-None-Match", &third)], None)?;
    ensure!(same.status() == 304 && same.answer.body.is_empty(), "{}", same.shown());
    api.ask("GET", path, &[("If-None-Match", &first)], None)?.ok()?;
    api.ask("DELETE", path, &[("If-Match", &third)], None)?.gone()
}

#[test]
fn changes_an_object_only_as_it_was_read() -> Result<()> {
    let desk = Desk::open("etags")?;
    let made = desk.lasting(REDIRECT, &json!({}))?;
    let path = format!("/bindings/{}", text(&made, "binding_sid")?);
    check(&desk.mediator, &path, &json!({ "destination_did": FARTHER }))?;
    let stages = json!({
        "stage_one_destination_did": FAR, "stage_two_destination_did": FARTHER, "delay": 600,
    });
    let made = desk.mediator.post("/dialouts", &stages)?.ok()?;
    let path = format!("/dialouts/{}", text(&made, "dialout_sid")?);
    check(&desk.mediator, &path, &json!({ "delay": 900 }))?;
    let made = desk.core.post("/endpoints", &json!({ "type": "third_party" }))?.ok()?;
    let path = format!("/endpoints/{}", text(&made, "endpoint_sid")?);
    check(&desk.core, &path, &json!({ "capacity": 3 }))?;
    let made = desk.core.post("/trunk_groups", &json!({ "name": "t" }))?.ok()?;
    let path = format!("/trunk_groups/{}", text(&made, "trunk_group_sid")?);
    check(&desk.core, &path, &json!({ "soft_failure_codes": "503;" }))?;
    let made = desk.core.post("/phonenumber/dids", &json!({ "phonenumber": FAR }))?.ok()?;
    let path = format!("/phonenumber/dids/{}", text(&made, "did_sid")?);
    check(&desk.core, &path, &json!({ "name": "spare" }))?;
    desk.close()
}

#[test]
fn gives_a_new_object_its_tag_with_the_answer() -> Result<()> {
    let desk = Desk::open("etag_post")?;
    let body = json!({ "destination_did": FAR, "redirect_did": REDIRECT });
    let made = desk.mediator.post("/bindings", &body)?;
    let path = format!("/bindings/{}", text(&made.ok()?, "binding_sid")?);
    ensure!(etag(&made)? == etag(&desk.mediator.get(&path)?)?);
    desk.close()
}

#[test]
fn loses_no_change_of_two_writers_at_once() -> Result<()> {
    let desk = Desk::open("two_writers")?;
    let made = desk.lasting(REDIRECT, &json!({}))?;
    let path = format!("/bindings/{}", text(&made, "binding_sid")?);
    let to = desk.address();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let path = path.clone();
            std::thread::spawn(move || -> Result<()> {
                let api = Api::mediator(to, "masking", "masking");
                for i in 0..25 {
                    let key = format!("w{writer}n{i}");
                    api.patch(&path, &json!({ "attributes": { key: i } }))?.ok()?;
                }
                Ok(())
            })
        })
        .collect();
    for writer in writers {
        writer.join().expect("the thread does not panic")?;
    }
    let now = desk.mediator.get(&path)?.ok()?;
    let kept = now["attributes"].as_object().map_or(0, serde_json::Map::len);
    ensure!(kept == 200, "{kept} of 200 changes kept");
    desk.close()
}
