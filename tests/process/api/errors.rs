//! What goes wrong, in the envelope and the words of the reference's table.

use anyhow::{Context, Result, ensure};
use mediator_tests::api::{Api, Flavour};
use mediator_tests::http::Http;
use serde_json::{Value, json};

use super::desk::{BRITISH, Desk, FAR};

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

#[test]
fn answers_in_the_words_of_the_table() -> Result<()> {
    let desk = Desk::open("table")?;
    let api = &desk.mediator;
    let anybody = Api::new(Flavour::Mediator, desk.address(), None);
    let wrong = Api::mediator(desk.address(), "masking", "wrong");
    let post = |body: &str| api.ask("POST", "/bindings", &JSON, Some(body.as_bytes()));
    post("{\"destination_did\"")?.fails(400, "No JSON object could be decoded")?;
    post("{\"destination_did\": \"1\"")?.fails(400, "No JSON object could be decoded")?;
    api.get("/bindings?limit=x")?.fails(400, "Bad Request")?;
    post("{\"destination_did\": 5}")?.fails(400, "Bad Request")?;
    wrong.get("/bindings")?.fails(401, "Bad credentials")?;
    anybody.get("/bindings")?.fails(401, "Unauthorized")?;
    api.get("/bindings/05561bef-ce48-4823-a847-bf10f7837a42")?
        .fails(404, "Cannot find item by SID")?;
    api.get("/nothing")?.fails(404, "Not Found")?;
    api.get("/bindings/x/y")?.fails(404, "Not Found")?;
    let foreign = json!({ "destination_did": FAR, "redirect_did": BRITISH });
    api.post("/bindings", &foreign)?.fails(409, "Cannot find redirect_did")?;
    let xml = [("Content-Type", "text/xml")];
    api.ask("POST", "/bindings", &xml, Some(b"{}"))?.fails(415, "Unsupported media type")?;
    api.ask("POST", "/bindings", &[], Some(b"{}"))?.fails(415, "Unsupported media type")?;
    desk.close()
}

#[test]
fn decodes_json_objects_only() -> Result<()> {
    let desk = Desk::open("decoded")?;
    let deep_list = format!("{{\"attributes\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_map = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let bodies: [&[u8]; 14] = [
        b"",
        b" ",
        b"{",
        b"}",
        b"null",
        b"true",
        b"5",
        b"\"x\"",
        b"[]",
        b"[{}]",
        b"{}{}",
        b"{\"a\": \xff}",
        deep_list.as_bytes(),
        deep_map.as_bytes(),
    ];
    for (api, path) in [(&desk.mediator, "/bindings"), (&desk.core, "/endpoints")] {
        for body in bodies {
            let reply = api.ask("POST", path, &JSON, Some(body))?;
            reply.fails(400, "No JSON object could be decoded").with_context(|| {
                String::from_utf8_lossy(body).chars().take(40).collect::<String>()
            })?;
        }
        let charset = [("Content-Type", "Application/JSON; charset=utf-8")];
        let reply = api.ask("POST", path, &charset, Some(b"{}"))?;
        ensure!([400, 422].contains(&reply.status()) && !reply.shown().contains("decoded"));
    }
    desk.close()
}

#[test]
fn takes_no_body_of_two_mebibytes() -> Result<()> {
    let desk = Desk::open("large")?;
    let padded = |bytes: usize| {
        let body = json!({ "destination_did": FAR, "attributes": { "a": "x".repeat(bytes) } });
        body.to_string().into_bytes()
    };
    for (api, path) in [(&desk.mediator, "/bindings"), (&desk.core, "/endpoints")] {
        api.ask("POST", path, &JSON, Some(&padded(2 << 20)))?.errors(413)?;
    }
    // Announced or sent in chunks: the limit is the same.
    let mut chunked =
        b"POST /mediator/v1/bindings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
        Authorization: Basic bWFza2luZzptYXNraW5n\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    let chunk = padded(2 << 20);
    chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
    chunked.extend_from_slice(&chunk);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    let answer = Http::new(desk.address()).raw(&chunked, false)?;
    ensure!(answer.status == 413, "{} {}", answer.status, answer.text());
    ensure!(desk.mediator.get("/bindings")?.ok()?["total"] == 0);
    desk.close()
}

#[test]
fn knows_which_methods_a_path_has() -> Result<()> {
    let desk = Desk::open("methods")?;
    let rows: [(&Api, &str, &str, &[&str]); 8] = [
        (&desk.mediator, "PUT", "/bindings", &["GET", "POST"]),
        (&desk.mediator, "DELETE", "/bindings", &["GET", "POST"]),
        (&desk.mediator, "POST", "/dids", &["GET"]),
        (&desk.mediator, "POST", "/bindings/x", &["DELETE", "GET", "PATCH", "PUT"]),
        (&desk.mediator, "PATCH", "/calls/x", &["DELETE", "GET"]),
        (&desk.core, "DELETE", "/endpoints", &["GET", "POST"]),
        (&desk.core, "POST", "/app/mediator/calls", &["GET"]),
        (&desk.core, "POST", "/trunk_groups/x/trunks/y", &["DELETE", "GET", "PATCH", "PUT"]),
    ];
    for (api, method, path, allowed) in rows {
        let reply = api.with_json(method, path, &[], &json!({}))?;
        reply.errors(405)?;
        let allow = reply.answer.header("allow").with_context(|| format!("no Allow: {path}"))?;
        for method in allowed {
            ensure!(allow.split(',').any(|found| found.trim() == *method), "{path}: {allow}");
        }
    }
    desk.core.get("/nothing")?.errors(404)?;
    let answer = Http::new(desk.address()).exchange("GET", "/nowhere", &[], None)?;
    ensure!(answer.status == 404, "{answer:?}");
    let head = Http::new(desk.address()).exchange("HEAD", "/healthz", &[], None)?;
    ensure!(head.status == 200 && head.body.is_empty(), "{head:?}");
    desk.close()
}

#[test]
fn lets_a_browser_of_any_origin_ask() -> Result<()> {
    let desk = Desk::open("cors")?;
    let headers = [
        ("Origin", "https://shop.example"),
        ("Access-Control-Request-Method", "PATCH"),
        ("Access-Control-Request-Headers", "authorization,content-type,if-match"),
    ];
    for path in ["/mediator/v1/bindings", "/core/v2/endpoints"] {
        let answer = Http::new(desk.address()).exchange("OPTIONS", path, &headers, None)?;
        ensure!(answer.status == 200 || answer.status == 204, "{answer:?}");
        let header = |name: &str| answer.header(name).unwrap_or_default().to_ascii_lowercase();
        ensure!(!header("access-control-allow-origin").is_empty(), "{answer:?}");
        ensure!(header("access-control-allow-methods").contains("patch"), "{answer:?}");
        ensure!(header("access-control-allow-headers").contains("authorization"), "{answer:?}");
    }
    let reply =
        desk.mediator.ask("GET", "/bindings", &[("Origin", "https://shop.example")], None)?;
    ensure!(reply.answer.header("access-control-allow-origin").is_some(), "{}", reply.shown());
    desk.close()
}

#[test]
fn reads_percent_signs_and_repeats_with_care() -> Result<()> {
    let desk = Desk::open("targets")?;
    let api = &desk.mediator;
    for path in [
        "/bindings/%00",
        "/bindings/..%2f..%2fhealthz",
        "/bindings/%ff%fe",
        "/bindings/%",
        "/bindings/%zz",
        "/bindings/05561bef-ce48-4823-a847-bf10f7837a42%20",
        "/bindings//",
        "/bindings/05561BEF-CE48-4823-A847-BF10F7837A42",
        "/bindings/05561befce484823a847bf10f7837a42",
    ] {
        let reply = api.get(path)?;
        ensure!([400, 404].contains(&reply.status()), "{}", reply.shown());
        reply.errors(reply.status())?;
    }
    for arguments in ["limit=1&limit=2", "%ff=1", "filter=%ff", "filter=%", "&&&=", "limit=%31"] {
        let reply = api.get(&format!("/bindings?{arguments}"))?;
        ensure!([200, 400].contains(&reply.status()), "{}", reply.shown());
    }
    let ok: Value = api.get("/bindings?unknown=argument&nested_objects=replace")?.ok()?;
    ensure!(ok["total"] == 0, "{ok}");
    desk.close()
}
