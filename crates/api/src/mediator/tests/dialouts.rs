//! Dialouts from their creation until they are dialled.

use mediator_store::record::{DialoutRecord, Kind};
use serde_json::json;

use super::*;

const NUMBERS: [&str; 2] = ["15162065346", "15162065337"];

fn stages(delay: u64) -> Value {
    json!({
        "stage_one_destination_did": "15162065339", "stage_two_destination_did": "15162065338",
        "delay": delay,
    })
}

/// Hands a dialout over for dialling, as the process does.
async fn dial(desk: &Desk, path: &str) {
    let sid: Sid = path.strip_prefix("/dialouts/").unwrap().parse().unwrap();
    let held = desk.backend.store.object(Kind::Dialout, sid, desk.now()).unwrap().unwrap();
    let Record::Dialout(record) = held.record else { panic!("not a dialout") };
    let record = DialoutRecord { dialling: true, ..Arc::unwrap_or_clone(record) };
    let record = Record::Dialout(Arc::new(record));
    desk.op(Op::Update { record, expect: held.revision }).await;
}

#[tokio::test]
async fn a_delay_is_what_is_left_rounded_up() {
    let desk = Desk::open(&NUMBERS).await;
    let made = desk.post("/dialouts", stages(10)).await.ok();
    let path = format!("/dialouts/{}", text(&made, "dialout_sid"));
    assert_eq!(made["delay"], 10);
    *desk.process.now.lock() = UnixMillis(START.0 + 1);
    assert_eq!(desk.get(&path).await.ok()["delay"], 10);
    *desk.process.now.lock() = UnixMillis(START.0 + 1000);
    assert_eq!(desk.get(&path).await.ok()["delay"], 9);
    assert_eq!(desk.get("/dialouts?filter=delay+gt+8").await.ok()["items"][0]["delay"], 9);
    assert_eq!(desk.get("/dialouts?filter=delay+gt+9").await.ok()["total"], 0);
    desk.pass(60);
    assert_eq!(desk.get(&path).await.ok()["delay"], 0);
    // PATCH of anything else leaves the count alone, PATCH of the delay begins it anew.
    desk.patch(&path, json!({"attributes": {"cnam": "N"}})).await.ok();
    assert_eq!(desk.get(&path).await.ok()["delay"], 0);
    assert_eq!(desk.patch(&path, json!({"delay": 5})).await.ok()["delay"], 5);
}

#[tokio::test]
async fn whoever_waits_for_its_time_is_told() {
    let desk = Desk::open(&NUMBERS).await;
    let told = || desk.process.told.lock().0;
    let made = desk.post("/dialouts", stages(10)).await.ok();
    assert_eq!(told(), 1);
    let path = format!("/dialouts/{}", text(&made, "dialout_sid"));
    desk.post("/dialouts", json!({})).await.errors(400);
    desk.get(&path).await.ok();
    assert_eq!(told(), 1);
    desk.patch(&path, json!({"delay": 20})).await.ok();
    assert_eq!(told(), 2);
    desk.delete(&path).await.gone();
    assert_eq!(told(), 3);
}

#[tokio::test]
async fn once_dialled_it_is_shown_and_left_alone() {
    let desk = Desk::open(&["15162065346"]).await;
    let made = desk.post("/dialouts", stages(100)).await.ok();
    let path = format!("/dialouts/{}", text(&made, "dialout_sid"));
    dial(&desk, &path).await;
    assert_eq!(desk.get("/dialouts").await.ok()["total"], 0);
    let shown = desk.get(&path).await.ok();
    assert_eq!((&shown["delay"], &shown["dialout_sid"]), (&json!(0), &made["dialout_sid"]));
    let whole = json!({
        "attributes": {}, "delay": 1, "redirect_did": "15162065346",
        "stage_one_destination_did": "15162065339", "stage_two_destination_did": "15162065338",
    });
    for reply in [
        desk.patch(&path, json!({"delay": 1})).await,
        desk.patch(&path, json!({})).await,
        desk.put(&path, whole).await,
        desk.delete(&path).await,
    ] {
        assert!(text(&reply.errors(409)[0], "message").contains("dialled"), "{}", reply.text);
    }
    // Its numbers count as taken.
    desk.post("/dialouts", stages(100)).await.fails(409, "Cannot find redirect_did");
    let mut named = stages(100);
    named["redirect_did"] = json!("15162065346");
    desk.post("/dialouts", named).await.blames(409, &["redirect_did"]);
}

#[tokio::test]
async fn three_numbers_have_one_dialout() {
    let desk = Desk::open(&NUMBERS).await;
    let first = desk.post("/dialouts", stages(100)).await.ok();
    let second = desk.post("/dialouts", stages(100)).await.ok();
    assert_ne!(first["redirect_did"], second["redirect_did"]);
    desk.post("/dialouts", stages(100)).await.fails(409, "Cannot find redirect_did");
    let path = format!("/dialouts/{}", text(&second, "dialout_sid"));
    let body = json!({"redirect_did": first["redirect_did"]});
    desk.patch(&path, body.clone()).await.blames(409, &["redirect_did"]);
    desk.delete(&format!("/dialouts/{}", text(&first, "dialout_sid"))).await.gone();
    desk.patch(&path, body).await.ok();
    desk.patch(&path, json!({"redirect_did": "442071838750"}))
        .await
        .fails(409, "Cannot find redirect_did");
}

#[tokio::test]
async fn another_accounts_dialouts_are_not_there() {
    let desk = Desk::open(&NUMBERS).await;
    let made = desk.post("/dialouts", stages(100)).await.ok();
    let path = format!("/dialouts/{}", text(&made, "dialout_sid"));
    for method in [Method::GET, Method::PATCH, Method::PUT, Method::DELETE] {
        let reply = desk.as_who(STRANGERS_LOGIN, method, &path, json!({})).await;
        reply.fails(404, "Cannot find item by SID");
    }
    let all = desk.as_who(STRANGERS_LOGIN, Method::GET, "/dialouts", Value::Null).await.ok();
    assert_eq!(all["total"], 0);
}

#[tokio::test]
async fn a_repeated_post_dials_once() {
    let desk = Desk::open(&NUMBERS).await;
    let post = || desk.with(Method::POST, "/dialouts", ("Idempotency-Key", "ride-17"), stages(100));
    let first = post().await.ok();
    assert_eq!(post().await.ok(), first);
    assert_eq!(desk.get("/dialouts").await.ok()["total"], 1);
}
