//! Clients that mean harm: what they send, and what of it (or of any secret) the log keeps.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, ensure};
use mediator_tests::api::Api;
use mediator_tests::config::CORE_TOKEN;
use mediator_tests::http::Http;
use mediator_tests::wire::http_get;
use serde_json::json;

use super::desk::{Desk, FAR, FARTHER, list_until, text};
use crate::scene::{CALLER, REDIRECT, UNBOUND};

const LOGIN: &str = "hush-login-7";
const PASSWORD: &str = "hush password 8";

/// Bytes on a connection of their own; whatever comes back, if anything.
fn throw(to: SocketAddr, bytes: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_millis(300)))?;
    // The server may close before it has read all.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn survives_what_is_no_http() -> Result<()> {
    let desk = Desk::open("no_http")?;
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(1 << 20));
    let wide = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(100_000));
    let fat = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "b".repeat(1 << 20));
    let authorization = format!(
        "GET /mediator/v1/bindings HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {}\r\n\r\n",
        "QUFB".repeat(10_000)
    );
    let rows: [&[u8]; 14] = [
        b"", b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", long.as_bytes(), wide.as_bytes(),
        fat.as_bytes(), authorization.as_bytes(),
        b"POST /mediator/v1/bindings HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /mediator/v1/bindings HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzz\r\n",
        b"GET /mediator/v1/bindings HTTP/1.1\r\nHost: a b c\r\nAuthorization: Basic bWFza2luZzptYXNraW5n\r\n\r\n",
    ];
    for bytes in rows {
        let said = throw(desk.address(), bytes)?;
        ensure!(!said.starts_with("HTTP/1.1 5"), "{said:.300}");
    }
    desk.close()
}

#[test]
fn serves_others_while_connections_hang() -> Result<()> {
    let desk = Desk::open("hanging")?;
    let mut hanging = Vec::new();
    for i in 0..300 {
        let mut stream = TcpStream::connect(desk.address())?;
        if i % 2 == 0 {
            stream.write_all(b"POST /mediator/v1/bindings HTTP/1.1\r\nHost: x\r\nContent-Le")?;
        }
        hanging.push(stream);
    }
    let binding = desk.lasting(REDIRECT, &json!({}))?;
    ensure!(binding["redirect_did"] == REDIRECT);
    let (status, _) = http_get(desk.address(), "/healthz")?;
    ensure!(status.contains(" 200 "), "{status}");
    drop(hanging);
    desk.close()
}

#[test]
fn shows_no_host_that_a_client_made_up_but_the_one_it_used() -> Result<()> {
    let desk = Desk::open("host")?;
    for did in [REDIRECT, UNBOUND] {
        desk.lasting(did, &json!({}))?;
    }
    let request = |host: &str| {
        format!(
            "GET /mediator/v1/bindings?limit=1 HTTP/1.1\r\nHost: {host}\r\n\
             X-Forwarded-Host: evil.example\r\nAuthorization: Basic bWFza2luZzptYXNraW5n\r\n\r\n"
        )
    };
    let mut http = Http::new(desk.address());
    let answer = http.raw(request("api.example:8080").as_bytes(), false)?;
    ensure!(answer.text().contains("http://api.example:8080/mediator/v1/bindings?"), "{answer:?}");
    ensure!(!answer.text().contains("evil"), "{answer:?}");
    let odd = Http::new(desk.address()).raw(request("a\"<script>").as_bytes(), false)?;
    ensure!(odd.status == 400 || serde_json::from_slice::<serde_json::Value>(&odd.body).is_ok());
    desk.close()
}

#[test]
fn logs_no_password_token_or_number() -> Result<()> {
    let desk = Desk::open_with("api_log", |config| {
        config.core("username", "\"hush-ops\"").core("password", "\"hush-core\"")
    })?;
    let (caller, _callee) = (desk.caller()?, desk.callee()?);
    let endpoint = json!({
        "type": "mediator", "name": "quiet", "properties": { "login": LOGIN, "password": PASSWORD },
    });
    desk.core.post("/endpoints", &endpoint)?.ok()?;
    let phone = json!({
        "type": "third_party", "out_sip_username": "hush-out", "out_sip_password": "hush-sip",
        "sip_username": "hush-phone", "sip_password": "hush-phone-password",
    });
    desk.core.post("/endpoints", &phone)?;
    let quiet = Api::mediator(desk.address(), LOGIN, PASSWORD);
    quiet.get("/bindings")?.ok()?;
    Api::mediator(desk.address(), LOGIN, "hush-wrong").get("/bindings")?.errors(401)?;
    Api::core(desk.address(), "hush-token").get("/endpoints")?.errors(401)?;
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = b"grant_type=password&username=hush-ops&password=hush-core";
    let token = desk.core.ask("POST", "/oauth/token", &form, Some(body))?.ok()?;
    let token = text(&token, "access_token")?.to_owned();
    let hidden = json!({ "attributes": { "hide_origination_did": "true" } });
    desk.lasting(REDIRECT, &hidden)?;
    desk.mediator.post("/bindings", &json!({ "destination_did": FAR, "redirect_did": "1999" }))?;
    desk.mediator
        .query("/bindings", &[("filter", "destination_did eq \"15162065338")])?
        .errors(400)?;
    desk.mediator.query("/explain", &[("from", CALLER), ("to", REDIRECT)])?.ok()?;
    caller.talk(desk.sip(), REDIRECT, CALLER)?;
    let stages = json!({ "stage_one_destination_did": FAR, "stage_two_destination_did": FARTHER, "delay": 0 });
    desk.mediator.post("/dialouts", &stages)?.ok()?;
    let up = list_until(&desk.mediator, "/calls", "a dialout that talks", |calls| {
        calls.len() == 1 && calls[0]["state"] == "answered"
    })?;
    desk.mediator.delete(&format!("/calls/{}", text(&up[0], "call_sid")?))?.gone()?;
    list_until(&desk.core, "/app/mediator/calls", "a record", |records| !records.is_empty())?;
    let log = desk.server.log();
    let secrets = [
        "hush",
        PASSWORD,
        CORE_TOKEN,
        &token,
        FAR,
        FARTHER,
        REDIRECT,
        CALLER,
        "aHVzaC1sb2dpbi03",
        "bWFza2luZzptYXNraW5n",
        "15162065",
    ];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        ensure!(line.is_none(), "{secret:?} in the log: {line:?}");
    }
    desk.close()
}
