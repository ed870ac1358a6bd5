//! NDJSON in and out: one result a line, in order, bad lines among good ones.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use mediator_tests::api::Reply;
use serde_json::{Value, json};

use super::desk::{Desk, FAR, keys};
use crate::scene::{CALLER, REDIRECT};

const NDJSON: [(&str, &str); 1] = [("Content-Type", "application/x-ndjson")];

fn import(desk: &Desk, text: &[u8]) -> Result<Reply> {
    desk.mediator.ask("POST", "/bindings/import", &NDJSON, Some(text))
}

fn lines(reply: &Reply) -> Result<Vec<Value>> {
    ensure!(reply.status() == 200, "{}", reply.shown());
    reply
        .answer
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
        .collect()
}

#[test]
fn imports_the_good_lines_and_names_the_bad_ones() -> Result<()> {
    let desk = Desk::open("import")?;
    let good = |i: u32| {
        json!({
            "destination_did": FAR, "redirect_did": REDIRECT, "origination_did": format!("1415555{i:04}"),
        })
    };
    let rows: [(String, u16); 12] = [
        (good(1).to_string(), 200),
        ("{".to_owned(), 400),
        (good(1).to_string(), 409),
        (json!({ "name": "x" }).to_string(), 400),
        (good(2).to_string(), 200),
        ("[1]".to_owned(), 400),
        (json!({ "destination_did": FAR, "redirect_did": "442071838750" }).to_string(), 409),
        (json!({ "destination_did": FAR, "maximum_ttl": 0 }).to_string(), 400),
        (format!("{{\"a\":{}", "[".repeat(10_000)), 400),
        ("\"\\u0000\"".to_owned(), 400),
        (
            json!({ "destination_did": FAR, "attributes": { "sip_header_X-A": "\r\n" } })
                .to_string(),
            400,
        ),
        (good(3).to_string(), 200),
    ];
    let mut text = String::new();
    for (line, _) in &rows {
        let _ = writeln!(text, "{line}");
    }
    let results = lines(&import(&desk, text.as_bytes())?)?;
    ensure!(results.len() == rows.len(), "{} results", results.len());
    for (i, (result, (line, status))) in results.iter().zip(&rows).enumerate() {
        ensure!(result["line"] == i + 1 && result["status"] == *status, "{line:.80}: {result}");
        if *status == 200 {
            let path = format!("/bindings/{}", result["binding_sid"].as_str().unwrap_or_default());
            ensure!(desk.mediator.get(&path)?.ok()?["destination_did"] == FAR, "{result}");
        } else {
            ensure!(result["errors"][0]["message"].is_string(), "{result}");
            ensure!(keys(result) == ["errors", "line", "status"], "{result}");
        }
    }
    ensure!(results[7]["errors"][0]["field"] == "maximum_ttl", "{}", results[7]);
    ensure!(desk.mediator.get("/bindings")?.ok()?["total"] == 3);
    desk.close()
}

#[test]
fn exports_what_can_be_imported_again() -> Result<()> {
    let desk = Desk::open("export")?;
    let mut text = String::new();
    for i in 0..2500 {
        let line = json!({
            "destination_did": FAR, "redirect_did": REDIRECT, "name": format!("n{i} \"q\" ☂"),
            "origination_did": format!("1415555{i:04}"), "maximum_ttl": -1, "dtmf": "1",
            "attributes": { "a": { "b": [i] } },
        });
        let _ = writeln!(text, "{line}");
    }
    // The last line needs no end, and empty lines are no lines.
    let results = lines(&import(&desk, text.trim_end().as_bytes())?)?;
    ensure!(results.len() == 2500, "{} results", results.len());
    let bad = results.iter().find(|result| result["status"] != 200);
    ensure!(bad.is_none(), "{bad:?}");
    let export = desk.mediator.get("/bindings/export")?;
    let kind = export.answer.header("content-type").unwrap_or_default().to_owned();
    ensure!(kind.starts_with("application/x-ndjson"), "{kind}");
    let objects = lines(&export)?;
    ensure!(objects.len() == 2500, "{} objects", objects.len());
    for (i, object) in objects.iter().enumerate() {
        ensure!(object["name"] == format!("n{i} \"q\" ☂"), "{i}: {object}");
        ensure!(object["attributes"] == json!({ "a": { "b": [i] } }), "{object}");
        ensure!(object["binding_sid"] == results[i]["binding_sid"], "{object}");
    }
    for result in &results {
        let path = format!("/bindings/{}", result["binding_sid"].as_str().unwrap_or_default());
        desk.mediator.delete(&path)?.gone()?;
    }
    let results = lines(&import(&desk, &export.answer.body)?)?;
    ensure!(results.iter().all(|result| result["status"] == 200), "{:?}", results.first());
    let again = lines(&desk.mediator.get("/bindings/export")?)?;
    ensure!(again.len() == 2500 && again[17]["attributes"] == objects[17]["attributes"]);
    desk.close()
}

#[test]
fn lets_an_imported_binding_take_the_next_call() -> Result<()> {
    let desk = Desk::open("import_call")?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    let line =
        json!({ "destination_did": FAR, "redirect_did": REDIRECT, "origination_did": CALLER });
    let results = lines(&import(&desk, format!("{line}\r\n\n").as_bytes())?)?;
    ensure!(results.len() == 1 && results[0]["status"] == 200, "{results:?}");
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    callee.rung(1)?;
    ensure!(lines(&import(&desk, b"")?)?.is_empty());
    let json = [("Content-Type", "text/plain")];
    desk.mediator.ask("POST", "/bindings/import", &json, Some(b"{}"))?.errors(415)?;
    desk.close()
}
