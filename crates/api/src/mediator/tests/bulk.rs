//! Import and export: one result a line, in order, and no line harmed by another.

use std::fmt::Write as _;

use serde_json::json;

use super::*;

const NUMBERS: [&str; 2] = ["15162065346", "15162065337"];

async fn import_to(desk: &Desk, path: &str, body: Body) -> Reply {
    let request = Request::post(format!("/mediator/v1{path}"))
        .header("Authorization", basic(LOGIN))
        .header("Content-Type", "application/x-ndjson");
    desk.send(request.body(body).unwrap()).await
}

#[track_caller]
fn lines(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn import(desk: &Desk, text: impl Into<Body>) -> Vec<Value> {
    lines(&import_to(desk, "/bindings/import", text.into()).await)
}

fn exact(caller: u32) -> Value {
    json!({
        "destination_did": "15162065338", "redirect_did": NUMBERS[caller as usize % 2],
        "origination_did": format!("1415555{caller:04}"), "maximum_ttl": -1,
    })
}

fn text_of(lines: &[Value]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").unwrap();
        text
    })
}

fn sid_of(result: &Value) -> &str {
    text(result, "binding_sid")
}

fn statuses(results: &[Value]) -> Vec<u64> {
    results.iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_bad_line_harms_no_other() {
    let desk = Desk::open(&NUMBERS).await;
    let taken = desk.lasting(exact(5)).await;
    let body = [
        exact(1).to_string(),
        "{".to_owned(),
        exact(1).to_string(),
        json!({"name": "x"}).to_string(),
        String::new(),
        exact(2).to_string(),
        exact(5).to_string(),
        json!({"destination_did": "15162065338", "redirect_did": "442071838750"}).to_string(),
        json!({"destination_did": "15162065338", "maximum_ttl": 0, "dtmf": "x"}).to_string(),
        exact(3).to_string(),
    ]
    .join("\r\n");
    let results = import(&desk, body).await;
    let got: Vec<(u64, u64)> = results
        .iter()
        .map(|result| (result["line"].as_u64().unwrap(), result["status"].as_u64().unwrap()))
        .collect();
    let wanted =
        [(1, 200), (2, 400), (3, 409), (4, 400), (6, 200), (7, 409), (8, 409), (9, 400), (10, 200)];
    assert_eq!(got, wanted, "{results:?}");
    assert_eq!(results[1]["errors"][0]["message"], "No JSON object could be decoded");
    assert_eq!(results[3]["errors"][0]["field"], "destination_did");
    assert_eq!(results[6]["errors"][0]["message"], "Cannot find redirect_did");
    assert_eq!(results[7]["errors"].as_array().unwrap().len(), 2);
    for result in results.iter().filter(|result| result["status"] == 200) {
        let path = format!("/bindings/{}", sid_of(result));
        assert_eq!(desk.get(&path).await.ok()["maximum_ttl"], -1);
        assert_eq!(result.as_object().unwrap().len(), 3);
    }
    assert_eq!(desk.get("/bindings").await.ok()["total"], 4);
    let path = format!("/bindings/{}", text(&taken, "binding_sid"));
    assert_eq!(desk.get(&path).await.ok(), taken);
}

#[tokio::test]
async fn numbers_are_chosen_line_by_line() {
    let desk = Desk::open(&["15162065346", "15162065337", "442071838751"]).await;
    let any = json!({"destination_did": "15162065338"});
    let mut of_caller = any.clone();
    of_caller["origination_did"] = json!("14155550100");
    let mut british = any.clone();
    british["fallback_country"] = json!("GB");
    let asked = [&any, &british, &any, &any, &of_caller, &of_caller, &british].map(Clone::clone);
    let results = import(&desk, text_of(&asked)).await;
    assert_eq!(statuses(&results), [200, 200, 200, 409, 200, 200, 409]);
    let mut given = Vec::new();
    for result in results.iter().filter(|result| result["status"] == 200) {
        let made = desk.get(&format!("/bindings/{}", sid_of(result))).await.ok();
        given.push(text(&made, "redirect_did").to_owned());
    }
    // One by one they would have got the same.
    assert_eq!(given, ["15162065337", "442071838751", "15162065346", "15162065337", "15162065346"]);
    // Many callers are spread over all numbers.
    let many: Vec<Value> = (0..300)
        .map(|n| {
            json!({"destination_did": "15162065338", "origination_did": format!("1415666{n:04}")})
        })
        .collect();
    assert!(statuses(&import(&desk, text_of(&many)).await).iter().all(|status| *status == 200));
    for number in ["15162065346", "15162065337", "442071838751"] {
        let found = desk.get(&format!("/bindings?filter=redirect_did+eq+'{number}'")).await.ok();
        let total = found["total"].as_u64().unwrap();
        assert!((101..=102).contains(&total), "{number}: {total}");
    }
}

#[tokio::test]
async fn reuse_finds_what_lines_before_made() {
    let desk = Desk::open(&NUMBERS).await;
    let first = desk.lasting(exact(1)).await;
    let mut again = exact(1);
    again["wait_origination_did_ttl"] = json!(-1);
    let text = text_of(&[again, exact(2), exact(2), exact(3)]);
    let results =
        lines(&import_to(&desk, "/bindings/import?reuse=true", text.clone().into()).await);
    assert_eq!(statuses(&results), [200; 4]);
    assert_eq!(results[0]["binding_sid"], first["binding_sid"]);
    assert_eq!(results[1]["binding_sid"], results[2]["binding_sid"]);
    assert_ne!(results[2]["binding_sid"], results[3]["binding_sid"]);
    let again = lines(&import_to(&desk, "/bindings/import?reuse=true", text.into()).await);
    assert_eq!(again, results);
    assert_eq!(desk.get("/bindings").await.ok()["total"], 3);
}

#[tokio::test]
async fn what_is_exported_can_be_imported() {
    let desk = Desk::open(&NUMBERS).await;
    let asked: Vec<Value> = (0..2500)
        .map(|n| {
            let mut line = exact(n);
            line["name"] = json!(format!("n{n} \"q\" ☂"));
            line["attributes"] = json!({"deep": {"list": [n, null]}});
            line
        })
        .collect();
    let text = text_of(&asked);
    let results = import(&desk, text.trim_end().to_owned()).await;
    assert_eq!(results.len(), 2500);
    for (at, result) in results.iter().enumerate() {
        assert_eq!((&result["line"], &result["status"]), (&json!(at + 1), &json!(200)), "{result}");
    }
    let export = desk.get("/bindings/export").await;
    let objects = lines(&export);
    assert_eq!(objects.len(), 2500);
    for ((object, result), asked) in objects.iter().zip(&results).zip(&asked) {
        assert_eq!(object["binding_sid"], result["binding_sid"]);
        assert_eq!(
            (&object["name"], &object["attributes"]),
            (&asked["name"], &asked["attributes"])
        );
    }
    let path = format!("/bindings/{}", sid_of(&results[17]));
    assert_eq!(desk.get(&path).await.ok(), objects[17]);
    let few = desk.get("/bindings/export?filter=name+like+'n1_%25'&include_fields=name").await;
    assert_eq!(few.status.as_u16(), 200);
    desk.get("/bindings/export?filter=nothing+eq+1").await.blames(400, &["filter"]);
    desk.get("/bindings/export?include_fields=nothing").await.blames(400, &["include_fields"]);
    // To another server, as it is.
    let other = Desk::open(&NUMBERS).await;
    assert!(statuses(&import(&other, export.text).await).iter().all(|status| *status == 200));
    assert_eq!(lines(&other.get("/bindings/export").await).len(), 2500);
}

#[tokio::test]
async fn a_file_that_was_imported_already_conflicts_line_by_line() {
    let desk = Desk::open(&NUMBERS).await;
    let odd: Vec<Value> = (0..1200).filter(|n| n % 2 == 1).map(exact).collect();
    import(&desk, text_of(&odd)).await;
    let all: Vec<Value> = (0..1200).map(exact).collect();
    let results = import(&desk, text_of(&all)).await;
    for (at, result) in results.iter().enumerate() {
        let wanted = if at % 2 == 1 { 409 } else { 200 };
        assert_eq!(result["status"], wanted, "{result}");
    }
    assert_eq!(desk.get("/bindings").await.ok()["total"], 1200);
}

#[tokio::test]
async fn results_come_while_the_body_still_does() {
    let desk = Desk::open(&NUMBERS).await;
    let (pieces, body) = tokio::sync::mpsc::channel::<Result<String, std::io::Error>>(1);
    let body = futures_util::stream::unfold(body, |mut body| async move {
        let piece = body.recv().await?;
        Some((piece, body))
    });
    let request = Request::post("/mediator/v1/bindings/import")
        .header("Authorization", basic(LOGIN))
        .header("Content-Type", "application/x-ndjson; charset=utf-8")
        .body(Body::from_stream(body))
        .unwrap();
    let response = desk.router.clone().oneshot(request).await.unwrap();
    let mut answer = response.into_body();
    for n in 0..3 {
        pieces.send(Ok(format!("{}\n", exact(n)))).await.unwrap();
        let piece = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        let result: Value = serde_json::from_slice(&piece).unwrap();
        assert_eq!((&result["line"], &result["status"]), (&json!(n + 1), &json!(200)));
    }
    // A body that breaks off ends the import after its whole lines.
    pieces.send(Ok(format!("{}\n{{\"destination_did\":", exact(7)))).await.unwrap();
    pieces.send(Err(std::io::Error::other("reset"))).await.unwrap();
    let rest = answer.collect().await.unwrap().to_bytes();
    assert_eq!(String::from_utf8(rest.to_vec()).unwrap().lines().count(), 1);
    assert_eq!(desk.get("/bindings").await.ok()["total"], 4);
}

#[tokio::test]
async fn a_client_that_goes_ends_its_import() {
    let desk = Desk::open(&NUMBERS).await;
    for _ in 0..2 * super::super::bindings::MAX_IMPORTS {
        let body =
            Body::from_stream(futures_util::stream::pending::<Result<String, std::io::Error>>());
        let request = Request::post("/mediator/v1/bindings/import")
            .header("Authorization", basic(LOGIN))
            .header("Content-Type", "application/x-ndjson")
            .body(body)
            .unwrap();
        let response = desk.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "its place is given back");
        drop(response);
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn wants_lines_of_json() {
    let desk = Desk::open(&NUMBERS).await;
    assert_eq!(import(&desk, "").await, [] as [Value; 0]);
    assert_eq!(import(&desk, "\n \r\n").await, [] as [Value; 0]);
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = Request::post("/mediator/v1/bindings/import")
            .header("Authorization", basic(LOGIN))
            .header("Content-Type", kind)
            .body(Body::from("{}"))
            .unwrap();
        desk.send(request).await.fails(415, "Unsupported media type");
    }
    let deep = format!("{{\"a\":{}\n\"\\u0000\"\n[1]\n\u{0}\n", "[".repeat(10_000));
    assert_eq!(statuses(&import(&desk, deep).await), [400; 4]);
    let long = format!("{{\"name\":\"{}\"}}\n{}\n", "x".repeat(1 << 20), exact(1));
    assert_eq!(statuses(&import(&desk, long).await), [413, 200]);
}
