//! The client commands as a user runs them, against a server that answers what the test says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests and what they are made of")]

mod bulk;
mod dialout;

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::BodyExt;
use mediator_server::http::{HttpServer, ReloadableTls, TlsFiles};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

const SID: &str = "05561bef-ce48-4823-a847-bf10f7837a42";
const OTHER_SID: &str = "bedd33b1-2961-458e-b35a-bf80260cdba4";
const PASSWORD: &str = "never-to-be-seen";

/// A request that came in: `GET /mediator/v1/calls?limit=10`, and its body.
#[derive(Clone, Debug)]
struct Got {
    line: String,
    authorization: String,
    body: String,
}

type Answer = fn(&Got) -> Response;

/// A server that notes what it is asked.
struct Stub {
    api: String,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Stub {
    fn start(answer: Answer) -> Self {
        let got = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new().fallback(note).with_state((Arc::clone(&got), answer));
        Self { api: format!("http://{}", serve(router, None)), got }
    }

    /// Takes imports, line by line.
    fn importer() -> Self {
        let router =
            Router::new().route("/mediator/v1/bindings/import", post(bulk::results_as_they_come));
        Self { api: format!("http://{}", serve(router, None)), got: Arc::default() }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        run(&self.api, arguments, b"")
    }

    fn lines(&self) -> Vec<String> {
        self.got.lock().unwrap().iter().map(|got| got.line.clone()).collect()
    }
}

fn serve(router: Router, tls: Option<Arc<ReloadableTls>>) -> String {
    let server = HttpServer::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = server.address().to_string();
    server.start(router, tls).unwrap();
    address
}

async fn note(
    State((all, answer)): State<(Arc<Mutex<Vec<Got>>>, Answer)>,
    request: Request,
) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authorization = authorization.map_or("", |value| value.to_str().unwrap()).to_owned();
    let body = if line.ends_with("/import") {
        Bytes::new()
    } else {
        request.into_body().collect().await.unwrap().to_bytes()
    };
    let body = String::from_utf8(body.to_vec()).unwrap();
    let got = Got { line, authorization, body };
    all.lock().unwrap().push(got.clone());
    answer(&got)
}

/// What a run came to.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

fn run(api: &str, arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mediator"))
        .args(arguments)
        .env("MEDIATOR_API", api)
        .env("MEDIATOR_LOGIN", "mediator_login")
        .env("MEDIATOR_PASSWORD", PASSWORD)
        .env_remove("MEDIATOR_CA")
        // The server is here, whatever the environment says.
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // It may end without reading all of it.
    let feeding = thread::spawn(move || drop(stdin.write_all(&input)));
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    let ran = Ran {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    };
    assert!(!ran.out.contains(PASSWORD) && !ran.err.contains(PASSWORD));
    ran
}

fn ok(body: &Value) -> Response {
    json!({ "body": body, "status": 200 }).to_string().into_response()
}

fn refuse(status: u16, errors: &Value) -> Response {
    let body = json!({ "body": null, "status": status, "errors": errors });
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

fn query<'a>(got: &'a Got, name: &str) -> Option<&'a str> {
    let (_, query) = got.line.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn explains_in_words_and_in_json() {
    let stub = Stub::start(|got| {
        assert_eq!(got.authorization, "Basic bWVkaWF0b3JfbG9naW46bmV2ZXItdG8tYmUtc2Vlbg==");
        ok(&json!({
            "did": "15162065346", "endpoint": OTHER_SID, "binding_sid": SID, "rule": "any",
            "caller_id": "15162065346", "destination_did": "15550001002",
            "trunks": [{ "name": "carrier", "address": "127.0.0.2:5060" }, { "name": "spare", "address": "b" }],
            "sip_code": null,
        }))
    });
    let ran = stub.run(&["explain", "--from", "+15550001001", "--to", "15162065346"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for expected in ["dials", "any: a binding for every caller", SID, "carrier 127.0.0.2:5060"] {
        assert!(ran.out.contains(expected), "{}", ran.out);
    }
    let ran = stub.run(&["explain", "--to", "15162065346", "--json"]);
    assert_eq!(ran.json()["trunks"][1]["name"], "spare");
    assert_eq!(
        stub.lines(),
        [
            "GET /mediator/v1/explain?to=15162065346&from=%2B15550001001",
            "GET /mediator/v1/explain?to=15162065346"
        ]
    );
}

#[test]
fn lists_calls_and_hangs_one_up() {
    let stub = Stub::start(|got| match got.line.split(' ').next() {
        Some("DELETE") => StatusCode::NO_CONTENT.into_response(),
        _ => ok(&json!({ "items": [{
            "call_sid": SID, "type": "binding", "state": "answered", "number_src": null,
            "number_redirect": "15162065346", "number_dst": "15550001002",
            "date_start": "2026-11-22T00:12:33.123Z", "date_talk": null, "legs": [],
        }], "has_more": false, "total": 1 })),
    });
    let ran = stub.run(&["calls"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.out.lines().count(), 2, "{}", ran.out);
    let row: Vec<&str> = ran.out.lines().nth(1).unwrap().split_whitespace().collect();
    let expected = [
        SID,
        "binding",
        "answered",
        "anonymous",
        "15162065346",
        "15550001002",
        "2026-11-22",
        "00:12:33",
        "-",
    ];
    assert_eq!(row, expected);
    assert_eq!(stub.run(&["calls", "--json"]).json()["items"][0]["call_sid"], SID);
    let ran = stub.run(&["calls", "hangup", SID]);
    assert_eq!((ran.code, &*ran.out), (0, &*format!("hung up {SID}\n")));
    assert_eq!(stub.lines()[2], format!("DELETE /mediator/v1/calls/{SID}"));
    assert_eq!(stub.run(&["calls", "--filter", "x", "hangup", SID]).code, 2);
}

/// 2500 bindings, a page at a time.
fn pages(got: &Got) -> Response {
    let number = |name| query(got, name).unwrap().parse::<usize>().unwrap();
    let (offset, limit) = (number("offset"), number("limit"));
    let items: Vec<Value> = (offset..2500.min(offset + limit))
        .map(|at| {
            json!({
                "binding_sid": SID, "name": format!("\u{1b}[31m{at}\n"), "redirect_did": "15162065346",
                "origination_did": null, "destination_did": "15550001002", "maximum_ttl": -1,
                "wait_origination_did_ttl": 300, "date_created": "2026-11-22T00:12:33.123Z",
            })
        })
        .collect();
    let has_more = offset + items.len() < 2500;
    ok(&json!({ "items": items, "has_more": has_more, "total": 2500 }))
}

#[test]
fn lists_page_by_page_up_to_the_limit() {
    let stub = Stub::start(pages);
    let ran = stub.run(&["bindings", "list", "--limit", "2100", "--filter", "name eq \"a b\""]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.out.lines().count(), 2101);
    assert!(ran.out.lines().nth(2100).unwrap().contains("first caller"), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}'), "a name does not command a terminal");
    assert_eq!(ran.err, "2100 of 2500 shown: --limit 0 shows all\n");
    let filter = "&filter=name+eq+%22a+b%22";
    let asked = [(0, 1000), (1000, 1000), (2000, 100)].map(|(offset, limit)| {
        format!("GET /mediator/v1/bindings?offset={offset}&limit={limit}{filter}")
    });
    assert_eq!(stub.lines(), asked);
    let ran = stub.run(&["bindings", "list", "--limit", "0", "--order", "name desc", "--json"]);
    let list = ran.json();
    assert_eq!(
        (&list["count"], &list["total"], &list["has_more"]),
        (&json!(2500), &json!(2500), &json!(false))
    );
    assert_eq!(list["items"][2499]["name"], "\u{1b}[31m2499\n", "JSON is as the API gave it");
    assert_eq!(ran.err, "");
    assert!(stub.lines()[5].ends_with("offset=2000&limit=1000&order=name+desc"));
}

#[test]
fn makes_what_was_asked_for_and_leaves_the_rest_to_the_server() {
    let stub = Stub::start(|got| {
        let mut made: Value = serde_json::from_str(&got.body).unwrap();
        made["binding_sid"] = json!(SID);
        made["dialout_sid"] = json!(SID);
        ok(&made)
    });
    let rows: [(&[&str], &str, Value); 4] = [
        (
            &["bindings", "add", "--destination-did", "15550001001"],
            "POST /mediator/v1/bindings",
            json!({ "destination_did": "15550001001" }),
        ),
        (
            &[
                "bindings",
                "add",
                "--destination-did",
                "15550001001",
                "--redirect-did",
                "15162065346",
                "--origination-did",
                "+1 555",
                "--maximum-ttl",
                "-1",
                "--wait-origination-did-ttl",
                "60",
                "--name",
                "front desk",
                "--dtmf",
                ",,12#",
                "--attribute",
                "ringback=moh",
                "--attribute",
                "sip_header_X-Query=a=b",
                "--reuse",
                "--fallback-country",
                "USA",
            ],
            "POST /mediator/v1/bindings?reuse=true&fallback_country=USA",
            json!({
                "destination_did": "15550001001", "redirect_did": "15162065346", "origination_did": "+1 555",
                "maximum_ttl": -1, "wait_origination_did_ttl": 60, "name": "front desk", "dtmf": ",,12#",
                "attributes": { "ringback": "moh", "sip_header_X-Query": "a=b" },
            }),
        ),
        (
            &["dialout", "15550001001", "15550001002"],
            "POST /mediator/v1/dialouts",
            json!({
                "stage_one_destination_did": "15550001001", "stage_two_destination_did": "15550001002",
            }),
        ),
        (
            &[
                "dialout",
                "15550001001",
                "15550001002",
                "--redirect-did",
                "15162065346",
                "--delay",
                "600",
                "--attribute",
                "cnam=Front desk",
            ],
            "POST /mediator/v1/dialouts",
            json!({
                "stage_one_destination_did": "15550001001", "stage_two_destination_did": "15550001002",
                "redirect_did": "15162065346", "delay": 600, "attributes": { "cnam": "Front desk" },
            }),
        ),
    ];
    for (arguments, line, body) in rows {
        let ran = stub.run(arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains(SID), "{}", ran.out);
        let got = stub.got.lock().unwrap().pop().unwrap();
        assert_eq!(got.line, line);
        assert_eq!(serde_json::from_str::<Value>(&got.body).unwrap(), body);
        let ran = stub.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.json()["binding_sid"], SID);
    }
}

#[test]
fn removes_what_it_can() {
    let stub = Stub::start(|got| {
        if got.line.ends_with(SID) {
            StatusCode::NO_CONTENT.into_response()
        } else {
            refuse(404, &json!([{ "message": "Cannot find item by SID" }]))
        }
    });
    let ran = stub.run(&["bindings", "rm", OTHER_SID, SID]);
    assert_eq!((ran.code, &*ran.out), (1, &*format!("removed {SID}\n")));
    assert!(
        ran.err.starts_with(&format!("error: {OTHER_SID}: Cannot find item by SID (404)")),
        "{}",
        ran.err
    );
}

#[test]
fn an_error_is_one_line_with_its_remedy() {
    let add = &["bindings", "add", "--destination-did", "1"];
    let rows: [(Answer, &[&str]); 7] = [
        (
            |_| {
                refuse(
                    400,
                    &json!([
                        { "message": "Bad Request", "field": "destination_did", "detail": "expected a phone number" },
                        { "message": "Bad Request", "field": "dtmf", "detail": "only 0-9*#A-D,\n" },
                    ]),
                )
            },
            &["destination_did: expected a phone number; dtmf: only 0-9*#A-D,  (400)"],
        ),
        (
            |_| {
                refuse(
                    409,
                    &json!([{ "message": "Cannot find redirect_did", "field": "redirect_did" }]),
                )
            },
            &["redirect_did: Cannot find redirect_did (409): ", "--redirect-did"],
        ),
        (
            |_| refuse(401, &json!([{ "message": "Bad credentials" }])),
            &["Bad credentials (401): check MEDIATOR_LOGIN and MEDIATOR_PASSWORD"],
        ),
        (
            |_| {
                let mut response = refuse(429, &json!([{ "message": "Too Many Requests" }]));
                response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(42));
                response
            },
            &["(429)", "try again in 42 s"],
        ),
        (
            |_| (StatusCode::NOT_FOUND, "<html>").into_response(),
            &["answered 404, but not as the API", "--api"],
        ),
        (|_| "<html>".into_response(), &["answered 200, but not as the API"]),
        (
            |_| (StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.1:9/")]).into_response(),
            &["answered 302, but not as the API"],
        ),
    ];
    for (answer, expected) in rows {
        let stub = Stub::start(answer);
        let ran = stub.run(add);
        assert_eq!((ran.code, &*ran.out), (1, ""), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        for part in expected {
            assert!(ran.err.contains(part), "{}", ran.err);
        }
    }
}

#[test]
fn says_that_nobody_answers() {
    let ran = run("http://127.0.0.1:9", &["calls"], b"");
    let expected = "error: http://127.0.0.1:9: cannot connect: Connection refused (os error 111): is the server running? --api says where\n";
    assert_eq!((ran.code, &*ran.err), (1, expected));
    assert_eq!(run("127.0.0.1:9", &["calls"], b"").code, 2);
}

/// A certificate for `name` that is its own authority or not, and its key.
fn issue(name: &str, is_ca: IsCa) -> (String, String) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.is_ca = is_ca;
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn trusts_the_certificate_that_is_named_and_no_other() {
    // The second is as `openssl req -x509` makes them; the third has another name than the address.
    let kinds = [
        ("localhost", IsCa::NoCa),
        ("localhost", IsCa::Ca(BasicConstraints::Unconstrained)),
        ("api.example", IsCa::ExplicitNoCa),
    ];
    for (name, is_ca) in kinds {
        let folder = TempDir::new().unwrap();
        let write = |file: &str, text: &str| {
            let path = folder.path().join(file);
            fs::write(&path, text).unwrap();
            path
        };
        let (own, own_key) = issue(name, is_ca);
        let (other, _) = issue(name, is_ca);
        let certificate = write("chain.pem", &own);
        let key = write("key.pem", &own_key);
        let ca = certificate.to_str().unwrap().to_owned();
        let other = write("other.pem", &other).to_str().unwrap().to_owned();
        let config = format!(
            "media.mode = \"direct\"\nstore.url = \"memory:\"\n[api]\ntls = {{ certificate = {ca:?}, key = {key:?} }}\n"
        );
        let tls = Arc::new(ReloadableTls::load(&TlsFiles { certificate, key }).unwrap());
        let list = || async { ok(&json!({ "items": [], "has_more": false, "total": 0 })) };
        let address = serve(Router::new().fallback(list), Some(tls));
        let api = format!("https://{}", address.replace("127.0.0.1", "localhost"));
        for arguments in [&["calls"][..], &["calls", "--ca", &other]] {
            let ran = run(&api, arguments, b"");
            assert_eq!(ran.code, 1);
            assert!(
                ran.err.contains("certificate") && ran.err.contains("--ca FILE"),
                "{}",
                ran.err
            );
        }
        let ran = run(&api, &["calls", "--ca", &ca], b"");
        assert_eq!((ran.code, &*ran.out), (0, "no calls\n"), "{}", ran.err);
        assert_eq!(run(&api, &["calls", "--ca", "/dev/null"], b"").code, 1);
        let config = config.replace("[api]\n", &format!("[api]\nlisten = {address:?}\n"));
        let config = write("config.toml", &config).to_str().unwrap().to_owned();
        let ran = run("", &["calls", "--config", &config], b"");
        assert_eq!((ran.code, &*ran.out), (0, "no calls\n"), "{}", ran.err);
    }
}

#[test]
fn completes_every_command_in_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run("", &["completions", shell], b"");
        assert_eq!(ran.code, 0, "{}", ran.err);
        for word in
            ["explain", "calls", "hangup", "bindings", "import", "dialout", "serve", "check"]
        {
            assert!(ran.out.contains(word), "{shell} {word}");
        }
    }
}
