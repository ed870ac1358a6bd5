//! What the reference says in words, and what it leaves to us.

use serde_json::json;

use super::*;

const NUMBERS: [&str; 2] = ["15162065346", "15162065337"];
const CALLER: &str = "14155550100";

#[tokio::test]
async fn a_number_is_the_accounts_own_or_a_conflict() {
    let desk = Desk::open(&NUMBERS).await;
    let made = desk.lasting(json!({"redirect_did": "15162065346"})).await;
    let path = format!("/bindings/{}", text(&made, "binding_sid"));
    for foreign in ["442071838750", "15162065338"] {
        let body = json!({"destination_did": "15162065338", "redirect_did": foreign});
        desk.post("/bindings", body).await.fails(409, "Cannot find redirect_did");
        let body = json!({"redirect_did": foreign});
        desk.patch(&path, body).await.fails(409, "Cannot find redirect_did");
    }
    assert_eq!(desk.get(&path).await.ok(), made);
}

#[tokio::test]
async fn another_accounts_objects_are_not_there() {
    let desk = Desk::open(&NUMBERS).await;
    let made = desk.lasting(json!({})).await;
    let path = format!("/bindings/{}", text(&made, "binding_sid"));
    for method in [Method::GET, Method::PATCH, Method::PUT, Method::DELETE] {
        // Not even whether the body is good is told.
        let reply = desk.as_who(STRANGERS_LOGIN, method, &path, json!({"name": 1})).await;
        reply.fails(404, "Cannot find item by SID");
    }
    let all = desk.as_who(STRANGERS_LOGIN, Method::GET, "/bindings", Value::Null).await.ok();
    assert_eq!(all["total"], 0);
    let export = desk.as_who(STRANGERS_LOGIN, Method::GET, "/bindings/export", Value::Null).await;
    assert_eq!(export.text, "");
}

#[tokio::test]
async fn numbers_are_chosen_by_fewest_bindings_until_none_is_free() {
    let desk = Desk::open(&NUMBERS).await;
    desk.lasting(json!({"redirect_did": "15162065337", "origination_did": CALLER})).await;
    let any = json!({"destination_did": "15162065338"});
    assert_eq!(desk.post("/bindings", any.clone()).await.ok()["redirect_did"], "15162065346");
    assert_eq!(desk.post("/bindings", any.clone()).await.ok()["redirect_did"], "15162065337");
    desk.post("/bindings", any.clone()).await.fails(409, "Cannot find redirect_did");
    let own = json!({"destination_did": "15162065338", "origination_did": CALLER});
    assert_eq!(desk.post("/bindings", own.clone()).await.ok()["redirect_did"], "15162065346");
    desk.post("/bindings", own).await.fails(409, "Cannot find redirect_did");
    // Those that end make room, whether or not they were taken away yet.
    desk.pass(300);
    desk.post("/bindings", any).await.ok();
}

#[tokio::test]
async fn everybody_at_once_gets_a_number_while_there_are_some() {
    let numbers: Vec<String> = (0..40).map(|n| format!("1516206{n:04}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let desk = Desk::open(&numbers).await;
    let any = || desk.post("/bindings", json!({"destination_did": "15162065338"}));
    let replies = futures_util::future::join_all((0..60).map(|_| any())).await;
    let (made, refused): (Vec<Reply>, Vec<Reply>) =
        replies.into_iter().partition(|reply| reply.status == StatusCode::OK);
    let mut given: Vec<String> =
        made.iter().map(|reply| text(&reply.ok(), "redirect_did").to_owned()).collect();
    given.sort_unstable();
    assert_eq!(given, numbers);
    for reply in refused {
        reply.fails(409, "Cannot find redirect_did");
    }
}

#[tokio::test]
async fn a_number_and_a_caller_have_one_binding() {
    let desk = Desk::open(&NUMBERS).await;
    for caller in [json!(null), json!(CALLER)] {
        let first = json!({"redirect_did": "15162065346", "origination_did": caller});
        let first = desk.lasting(first).await;
        let again = json!({
            "redirect_did": "15162065346", "origination_did": caller, "destination_did": "15162065339",
        });
        let reply = desk.post("/bindings", again).await;
        reply.blames(409, &["redirect_did"]);
        assert_ne!(reply.errors(409)[0]["message"], "Cannot find redirect_did");
        let other = json!({"redirect_did": "15162065337", "origination_did": caller});
        let other = desk.lasting(other).await;
        let path = format!("/bindings/{}", text(&other, "binding_sid"));
        desk.patch(&path, json!({"redirect_did": "15162065346"})).await.errors(409);
        desk.delete(&format!("/bindings/{}", text(&first, "binding_sid"))).await.gone();
        desk.patch(&path, json!({"redirect_did": "15162065346"})).await.ok();
        desk.delete(&path).await.gone();
    }
}

#[tokio::test]
async fn the_fallback_country_narrows_the_choice() {
    let desk = Desk::open(&["15162065346", "442071838751", "33140205060"]).await;
    let rows = [
        ("GBR", "", "442071838751"),
        ("fr", "", "33140205060"),
        ("", "US", "15162065346"),
        ("USA", "FRA", "15162065346"),
    ];
    for (at, (in_query, in_body, chosen)) in rows.iter().enumerate() {
        let mut body =
            json!({"destination_did": "15162065338", "origination_did": format!("1415555{at:04}")});
        if !in_body.is_empty() {
            body["fallback_country"] = json!(in_body);
        }
        let made = desk.post(&format!("/bindings?fallback_country={in_query}"), body).await.ok();
        assert_eq!(made["redirect_did"], *chosen, "{in_query} {in_body}");
    }
    let body = json!({"destination_did": "15162065338"});
    let reply = desk.post("/bindings?fallback_country=DEU", body.clone()).await;
    reply.fails(409, "Cannot find redirect_did");
    let reply = desk.post("/bindings?fallback_country=Atlantis", body).await;
    reply.blames(400, &["fallback_country"]);
    let named = json!({"destination_did": "15162065338", "redirect_did": "15162065346"});
    desk.post("/bindings?fallback_country=DEU", named).await.ok();
}

#[tokio::test]
async fn reuse_finds_what_would_be_made() {
    let desk = Desk::open(&NUMBERS).await;
    let body = json!({"destination_did": "15162065338", "name": "x", "attributes": {"a": 1}});
    let first = desk.post("/bindings?reuse=true", body.clone()).await.ok();
    assert_eq!(desk.post("/bindings?reuse=true", body.clone()).await.ok(), first);
    let mut in_body = body.clone();
    in_body["reuse"] = json!("true");
    in_body["maximum_ttl"] = json!(3600);
    let found = desk.post("/bindings", in_body.clone()).await;
    assert_eq!(found.ok(), first);
    assert!(!found.header("etag").is_empty());
    // The number is a parameter where it is named.
    in_body["redirect_did"] = first["redirect_did"].clone();
    assert_eq!(desk.post("/bindings", in_body.clone()).await.ok(), first);
    let others = NUMBERS.iter().find(|n| first["redirect_did"] != **n).unwrap();
    in_body["redirect_did"] = json!(others);
    let second = desk.post("/bindings", in_body.clone()).await.ok();
    assert_ne!(second["binding_sid"], first["binding_sid"]);
    // Of several the oldest; another parameter makes another binding, if there is room.
    assert_eq!(desk.post("/bindings?reuse=true", body.clone()).await.ok(), first);
    in_body["attributes"] = json!({"a": 2});
    desk.post("/bindings", in_body).await.errors(409);
    // One that was claimed is no more what would be made.
    let claim = Op::Claim {
        binding_sid: text(&first, "binding_sid").parse().unwrap(),
        caller: number(CALLER),
    };
    desk.op(claim).await;
    let found = desk.post("/bindings?reuse=true", body.clone()).await.ok();
    assert_eq!(found["binding_sid"], second["binding_sid"]);
    let mut claimed = body.clone();
    claimed["origination_did"] = json!(CALLER);
    let found = desk.post("/bindings?reuse=true", claimed).await.ok();
    assert_eq!(found["binding_sid"], first["binding_sid"]);
    // One past its end is not there.
    desk.pass(3600);
    let third = desk.post("/bindings?reuse=true", body).await.ok();
    assert!(third["binding_sid"] != first["binding_sid"]);
    assert!(third["binding_sid"] != second["binding_sid"]);
}

#[tokio::test]
async fn reuse_at_once_makes_one_binding() {
    let numbers: Vec<String> = (0..20).map(|n| format!("1516206{n:04}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let desk = Desk::open(&numbers).await;
    let ask = || desk.post("/bindings?reuse=1", json!({"destination_did": "15162065338"}));
    let replies = futures_util::future::join_all((0..20).map(|_| ask())).await;
    let first = replies[0].ok();
    assert!(replies.iter().all(|reply| reply.ok() == first));
    assert_eq!(desk.get("/bindings").await.ok()["total"], 1);
}

#[tokio::test]
async fn a_patch_may_empty_the_caller_and_opens_the_window_again() {
    let desk = Desk::open(&NUMBERS).await;
    let made = desk.post("/bindings", json!({"destination_did": "15162065338"})).await.ok();
    let path = format!("/bindings/{}", text(&made, "binding_sid"));
    let sid: Sid = text(&made, "binding_sid").parse().unwrap();
    desk.op(Op::Claim { binding_sid: sid, caller: number(CALLER) }).await;
    assert_eq!(desk.get(&path).await.ok()["origination_did"], CALLER);
    desk.pass(200);
    let opened = desk.patch(&path, json!({"origination_did": null})).await.ok();
    assert_eq!(opened["origination_did"], Value::Null);
    desk.pass(299);
    desk.get(&path).await.ok();
    desk.pass(1);
    desk.get(&path).await.fails(404, "Cannot find item by SID");
}

#[tokio::test]
async fn the_maximum_counts_from_creation() {
    let desk = Desk::open(&NUMBERS).await;
    let made = desk.lasting(json!({})).await;
    let path = format!("/bindings/{}", text(&made, "binding_sid"));
    desk.pass(50);
    desk.patch(&path, json!({"maximum_ttl": 100})).await.ok();
    desk.pass(49);
    desk.get(&path).await.ok();
    desk.pass(1);
    desk.get(&path).await.errors(404);
}

#[tokio::test]
async fn a_put_can_take_what_a_get_gave() {
    let desk = Desk::open(&NUMBERS).await;
    let more = json!({"origination_did": CALLER, "dtmf": "1,2", "attributes": {"a": {"b": null}}});
    let made = desk.lasting(more).await;
    let path = format!("/bindings/{}", text(&made, "binding_sid"));
    let before = desk.get(&path).await;
    let after = desk.put(&path, before.ok()).await;
    assert_eq!(after.ok(), before.ok());
    assert_eq!(after.header("etag"), before.header("etag"), "nothing was written");
    let mut less = before.ok();
    less.as_object_mut().unwrap().remove("dtmf");
    less["name"] = json!(5);
    desk.put(&path, less).await.blames(400, &["dtmf", "name"]);
}

#[tokio::test]
async fn writers_at_once_lose_nothing() {
    let desk = Desk::open(&NUMBERS).await;
    let made = desk.lasting(json!({})).await;
    let path = format!("/bindings/{}", text(&made, "binding_sid"));
    let patch = |n: usize| {
        let (desk, path) = (&desk, &path);
        let body = json!({"attributes": {format!("k{n}"): n}});
        async move { desk.patch(path, body).await.ok() }
    };
    for round in 0..5 {
        futures_util::future::join_all((0..4).map(|n| patch(round * 4 + n))).await;
    }
    let kept = desk.get(&path).await.ok();
    assert_eq!(kept["attributes"].as_object().unwrap().len(), 20, "{kept}");
}

#[tokio::test]
async fn writes_may_insist_on_a_version() {
    let desk = Desk::open(&NUMBERS).await;
    let made = desk.lasting(json!({})).await;
    let path = format!("/bindings/{}", text(&made, "binding_sid"));
    let read = desk.get(&path).await;
    let first = read.header("etag").to_owned();
    let changed = desk.with(Method::PATCH, &path, ("If-Match", &first), json!({"name": "b"})).await;
    changed.ok();
    let second = changed.header("etag").to_owned();
    assert_ne!(first, second);
    for (method, body) in [
        (Method::PATCH, json!({"name": "c"})),
        (Method::PUT, read.ok()),
        (Method::DELETE, Value::Null),
    ] {
        desk.with(method, &path, ("If-Match", &first), body).await.errors(412);
    }
    let same = desk.with(Method::GET, &path, ("If-None-Match", &second), Value::Null).await;
    assert_eq!((same.status.as_u16(), &*same.text), (304, ""));
    desk.with(Method::DELETE, &path, ("If-Match", &second), Value::Null).await.gone();
}

#[tokio::test]
async fn a_repeated_post_gets_the_first_answer() {
    let desk = Desk::open(&NUMBERS).await;
    let body = json!({"destination_did": "15162065338"});
    let post = |key: &'static str, body: Value| {
        desk.with(Method::POST, "/bindings", ("Idempotency-Key", key), body)
    };
    let first = post("k1", body.clone()).await;
    let again = post("k1", body.clone()).await;
    assert_eq!((again.ok(), &*again.text), (first.ok(), &*first.text));
    assert_eq!(again.header("idempotent-replayed"), "true");
    post("k1", json!({"destination_did": "15162065339"})).await.errors(422);
    let both = futures_util::future::join_all((0..8).map(|_| post("k2", body.clone()))).await;
    assert!(both.iter().all(|reply| reply.ok() == both[0].ok()));
    assert_eq!(desk.get("/bindings").await.ok()["total"], 2);
    // One that was reused is remembered too.
    let reused = desk
        .with(Method::POST, "/bindings?reuse=true", ("Idempotency-Key", "k3"), body.clone())
        .await;
    assert_eq!(reused.ok(), first.ok());
    desk.delete(&format!("/bindings/{}", text(&first.ok(), "binding_sid"))).await.gone();
    let again =
        desk.with(Method::POST, "/bindings?reuse=true", ("Idempotency-Key", "k3"), body).await;
    assert_eq!(again.ok(), first.ok());
    assert_eq!(again.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn a_list_is_filtered_by_what_is_shown() {
    let desk = Desk::open(&["15162065346", "442071838751"]).await;
    let first = json!({"redirect_did": "15162065346", "attributes": {"ringback": "moh"}});
    let first = desk.lasting(first).await;
    let second = desk.lasting(json!({"redirect_did": "442071838751", "maximum_ttl": 60})).await;
    let rows = [
        ("redirect_did_info.country_code eq 'GBR'", &second),
        ("attributes.ringback eq 'moh'", &first),
        ("maximum_ttl gt 0", &second),
        ("maximum_ttl eq -1 and origination_did eq null", &first),
    ];
    for (filter, wanted) in rows {
        let filter = filter.replace(' ', "+");
        let found = desk.get(&format!("/bindings?filter={filter}")).await.ok();
        assert_eq!(found["items"], json!([wanted]), "{filter}");
    }
    desk.get("/bindings?filter=nothing+eq+1").await.blames(400, &["filter"]);
    desk.get("/bindings?order=nothing").await.blames(400, &["order"]);
    desk.get("/bindings?limit=x").await.blames(400, &["limit"]);
    let found = desk.get("/bindings?order=redirect_did+desc").await.ok();
    assert_eq!(found["items"], json!([second, first]));
}
