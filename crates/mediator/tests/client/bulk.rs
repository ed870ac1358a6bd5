//! Import and export.

use std::fs;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{SID, Stub, ok, refuse, run};

/// Answers each line as soon as it is there; those that name no destination are refused.
pub(crate) async fn results_as_they_come(body: Body) -> Response {
    let mut rest = String::new();
    let mut line = 0;
    let answers = body.into_data_stream().map(move |chunk| {
        rest.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        let mut answers = String::new();
        while let Some((first, after)) = rest.split_once('\n') {
            line += 1;
            let binding: Value = serde_json::from_str(first).unwrap();
            let answer = if binding["destination_did"].is_string() {
                json!({ "line": line, "status": 200, "binding_sid": SID })
            } else {
                let error = json!({ "message": "Bad Request", "field": "destination_did", "detail": "is required" });
                json!({ "line": line, "status": 400, "errors": [error] })
            };
            answers.extend([answer.to_string(), "\n".to_owned()]);
            rest = after.to_owned();
        }
        Ok::<_, std::io::Error>(answers)
    });
    Body::from_stream(answers).into_response()
}

/// `count` lines; every `bad`th cannot be taken.
fn ndjson(count: usize, bad: usize) -> Vec<u8> {
    (1..=count)
        .map(|at| if at % bad == 0 { "{}\n" } else { "{\"destination_did\":\"15550001001\"}\n" })
        .collect::<String>()
        .into_bytes()
}

#[test]
fn imports_from_a_file_and_from_standard_input() {
    let stub = Stub::importer();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("bindings.ndjson");
    fs::write(&file, ndjson(50_000, 100_000)).unwrap();
    let ran = stub.run(&["bindings", "import", file.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("imported 50000 of 50000 lines in "), "{}", ran.out);
    assert_eq!(ran.err, "", "no progress where it is no terminal");
    let ran = run(&stub.api, &["bindings", "import", "-"], &ndjson(100, 30));
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("imported 97 of 100 lines in "), "{}", ran.out);
    let refused = |line| format!("line {line}: destination_did: is required (400)\n");
    assert_eq!(ran.err, [30, 60, 90].map(refused).concat());
}

#[test]
fn names_the_first_refused_lines_and_all_of_them_in_json() {
    let stub = Stub::importer();
    let ran = run(&stub.api, &["bindings", "import", "-"], &ndjson(100, 2));
    assert_eq!((ran.code, ran.err.lines().count()), (1, 21));
    assert!(ran.err.ends_with("and 30 more lines refused: --json names all\n"), "{}", ran.err);
    let ran = run(&stub.api, &["bindings", "import", "-", "--json"], &ndjson(100, 2));
    assert_eq!((ran.code, ran.out.lines().count()), (1, 100));
    let second: Value = serde_json::from_str(ran.out.lines().nth(1).unwrap()).unwrap();
    assert_eq!((&second["line"], &second["status"]), (&json!(2), &json!(400)));
    assert!(ran.err.contains("imported 50 of 100 lines in "), "{}", ran.err);
}

#[test]
fn an_import_that_cannot_be_ends_at_once() {
    let stub = Stub::start(|_| refuse(401, &json!([{ "message": "Bad credentials" }])));
    let ran = run(&stub.api, &["bindings", "import", "-"], &ndjson(200_000, 1_000_000));
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("Bad credentials (401)") || ran.err.contains("the connection broke"),
        "{}",
        ran.err
    );
    for (file, expected) in
        [("/no/such", "/no/such: No such file"), ("/proc", "/proc: is a directory")]
    {
        let ran = stub.run(&["bindings", "import", file]);
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains(expected), "{}", ran.err);
    }
}

/// Some bytes, and then the connection breaks.
fn broken(text: &'static str) -> Response {
    let failure = || Err(std::io::Error::other("broken"));
    let chunks =
        stream::iter([Ok(Bytes::from_static(text.as_bytes()))]).chain(stream::once(async move {
            // What was said shall arrive first.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            failure()
        }));
    Body::from_stream(chunks).into_response()
}

#[test]
fn says_how_far_an_import_came() {
    let stub = Stub::start(|_| {
        broken("{\"line\":1,\"status\":200}\n{\"line\":2,\"status\":409,\"errors\":[]}\n")
    });
    let ran = run(&stub.api, &["bindings", "import", "-"], &ndjson(10, 100));
    assert_eq!(ran.code, 1);
    let known = "lines up to 2 were answered (1 taken, 1 refused)";
    assert!(ran.err.contains("the connection broke") && ran.err.contains(known), "{}", ran.err);
}

#[test]
fn exports_whole_or_not_at_all() {
    const LINES: &str = "{\"a\":1}\n{\"b\":2}\n";
    let stub = Stub::start(|got| {
        if got.line.contains("export") { LINES.into_response() } else { ok(&json!({})) }
    });
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("bindings.ndjson");
    let path = file.to_str().unwrap();
    let ran = stub.run(&["bindings", "export", path]);
    assert_eq!((ran.code, &*ran.out, &*ran.err), (0, "", "exported 2 bindings\n"));
    assert_eq!(fs::read_to_string(&file).unwrap(), LINES);
    for arguments in [&["bindings", "export"][..], &["bindings", "export", "-"]] {
        assert_eq!(stub.run(arguments).out, LINES);
    }
    let stub = Stub::start(|_| broken("{\"a\":1}\n"));
    let ran = stub.run(&["bindings", "export", path]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("the connection broke"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&file).unwrap(), LINES, "what was there before stays");
    let ran = stub.run(&["bindings", "export", "/no/such/file"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("/no/such/file.partial: No such file"), "{}", ran.err);
}
