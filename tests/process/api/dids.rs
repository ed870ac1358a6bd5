//! DIDs and accounts as an account sees them, and what of others it does not.

use anyhow::{Result, ensure};
use serde_json::json;

use super::desk::{BRITISH, DIDS, Desk, FAR, FARTHER, FRENCH, is_date, is_sid, keys, text};
use crate::scene::REDIRECT;

#[test]
fn shows_an_account_its_own_dids() -> Result<()> {
    let desk = Desk::open("dids")?;
    let (items, total) = desk.mediator.list("/dids", &[("order", "phonenumber desc")])?;
    ensure!(total == 2, "{items:?}");
    let account = desk.mediator.get("/accounts")?.ok()?["items"][0]["account_sid"].clone();
    for (item, number) in items.iter().zip(DIDS) {
        let fields = [
            "account_sid",
            "country_code",
            "did_sid",
            "in_country_format",
            "international_format",
            "phonenumber",
        ];
        ensure!(keys(item) == fields, "{item}");
        ensure!(item["phonenumber"] == number && item["country_code"] == "USA", "{item}");
        let last = number.get(7..).unwrap_or_default();
        ensure!(item["in_country_format"] == format!("(516) 206-{last}"), "{item}");
        ensure!(item["international_format"] == format!("+1 516-206-{last}"), "{item}");
        ensure!(item["account_sid"] == account && is_sid(text(item, "did_sid")?), "{item}");
        let path = format!("/dids/{}", text(item, "did_sid")?);
        ensure!(&desk.mediator.get(&path)?.ok()? == item);
        ensure!(
            keys(&desk.mediator.get(&format!("{path}?include_fields=did_sid"))?.ok()?)
                == ["did_sid"]
        );
        desk.abroad.get(&path)?.fails(404, "Cannot find item by SID")?;
    }
    let (items, _) = desk.abroad.list("/dids", &[("order", "phonenumber desc")])?;
    let shown: Vec<_> = items
        .iter()
        .map(|item| (item["phonenumber"].clone(), item["country_code"].clone()))
        .collect();
    let wanted = [(BRITISH, "GBR"), (FRENCH, "FRA"), ("15162065300", "USA")];
    ensure!(shown == wanted.map(|(number, country)| (json!(number), json!(country))), "{shown:?}");
    desk.close()
}

#[test]
fn follows_the_operator_who_moves_a_did() -> Result<()> {
    let desk = Desk::open("dids_move")?;
    let filter = format!("phonenumber eq \"{REDIRECT}\"");
    let (dids, _) = desk.core.list("/phonenumber/dids", &[("filter", &filter)])?;
    let (groups, _) = desk.core.list("/trunk_groups", &[("filter", "name eq \"abroad\"")])?;
    let path = format!("/phonenumber/dids/{}", text(&dids[0], "did_sid")?);
    desk.core.patch(&path, &json!({ "trunk_group_sid": groups[0]["trunk_group_sid"] }))?.ok()?;
    ensure!(desk.mediator.get("/dids")?.ok()?["total"] == 1);
    ensure!(desk.abroad.get("/dids")?.ok()?["total"] == 4);
    let body = json!({ "destination_did": FAR, "redirect_did": REDIRECT });
    desk.mediator.post("/bindings", &body)?.fails(409, "Cannot find redirect_did")?;
    desk.abroad.post("/bindings", &body)?.ok()?;
    desk.close()
}

#[test]
fn shows_an_account_itself_without_its_password() -> Result<()> {
    let desk = Desk::open("accounts")?;
    let (items, total) = desk.mediator.list("/accounts", &[])?;
    ensure!(total == 1 && keys(&items[0]) == ["account_sid", "date_created", "login", "name"]);
    ensure!(items[0]["login"] == "masking" && items[0]["name"] == "masking", "{items:?}");
    ensure!(is_date(text(&items[0], "date_created")?), "{items:?}");
    let path = format!("/accounts/{}", text(&items[0], "account_sid")?);
    ensure!(desk.mediator.get(&path)?.ok()? == items[0]);
    ensure!(
        desk.mediator
            .get(&format!("{path}?exclude_fields=name,login"))?
            .ok()?
            .get("name")
            .is_none()
    );
    desk.abroad.get(&path)?.fails(404, "Cannot find item by SID")?;
    for (method, path) in [("POST", "/accounts"), ("DELETE", path.as_str()), ("PATCH", &path)] {
        desk.mediator.with_json(method, path, &[], &json!({}))?.errors(405)?;
    }
    desk.mediator.get("/accounts?include_fields=password")?;
    desk.mediator.get("/dids/nonsense")?.fails(404, "Cannot find item by SID")?;
    desk.mediator.post("/dids", &json!({}))?.errors(405)?;
    desk.close()
}

#[test]
fn lets_no_account_at_another_ones_objects() -> Result<()> {
    let desk = Desk::open("isolation")?;
    let binding = desk.lasting(REDIRECT, &json!({}))?;
    let stages = json!({
        "stage_one_destination_did": FAR, "stage_two_destination_did": FARTHER, "delay": 600,
    });
    let dialout = desk.mediator.post("/dialouts", &stages)?.ok()?;
    let (caller, _callee) = (desk.caller()?, desk.callee()?);
    let (_, call_id) = caller.call(desk.sip(), REDIRECT, "14155550100")?;
    let call = desk.mediator.get("/calls")?.ok()?["items"][0].clone();
    let paths = [
        format!("/bindings/{}", text(&binding, "binding_sid")?),
        format!("/dialouts/{}", text(&dialout, "dialout_sid")?),
        format!("/calls/{}", text(&call, "call_sid")?),
    ];
    for path in &paths {
        desk.abroad.get(path)?.fails(404, "Cannot find item by SID")?;
        desk.abroad.delete(path)?.fails(404, "Cannot find item by SID")?;
        desk.mediator.get(path)?.ok()?;
    }
    for path in &paths[..2] {
        let patch = json!({ "attributes": {} });
        desk.abroad.patch(path, &patch)?.fails(404, "Cannot find item by SID")?;
    }
    for list in ["/bindings", "/dialouts", "/calls"] {
        ensure!(desk.abroad.get(list)?.ok()?["items"] == json!([]), "{list}");
    }
    let seen = desk.abroad.query("/explain", &[("from", "14155550100"), ("to", REDIRECT)])?;
    ensure!(!seen.answer.text().contains(FAR), "explain tells: {}", seen.shown());
    ensure!(!seen.answer.text().contains(text(&binding, "binding_sid")?), "{}", seen.shown());
    let export = desk.abroad.get("/bindings/export")?;
    ensure!(export.status() == 200 && export.answer.body.is_empty(), "{}", export.shown());
    caller.hang_up(&call_id)?;
    desk.close()
}
