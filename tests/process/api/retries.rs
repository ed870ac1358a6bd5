//! A client that does not know whether its POST arrived: Idempotency-Key.

use anyhow::{Result, ensure};
use mediator_tests::api::{Api, Reply};
use serde_json::{Value, json};

use super::desk::{Desk, FAR, FARTHER, text};
use crate::scene::{REDIRECT, UNBOUND};

fn post(api: &Api, path: &str, key: &str, body: &Value) -> Result<Reply> {
    api.with_json("POST", path, &[("Idempotency-Key", key)], body)
}

#[test]
fn makes_one_object_of_a_request_that_comes_twice() -> Result<()> {
    let desk = Desk::open("idempotent")?;
    let body = json!({ "destination_did": FAR, "redirect_did": REDIRECT });
    let api = &desk.mediator;
    let first = post(api, "/bindings", "order-1", &body)?;
    let made = first.ok()?;
    let again = post(api, "/bindings", "order-1", &body)?;
    ensure!(again.ok()? == made && again.answer.body == first.answer.body, "{}", again.shown());
    ensure!(api.get("/bindings")?.ok()?["total"] == 1);
    // Another request with the key is a mistake of the client's.
    let other = json!({ "destination_did": FARTHER, "redirect_did": UNBOUND });
    post(api, "/bindings", "order-1", &other)?.errors(422)?;
    let elsewhere = json!({ "destination_did": FAR });
    ensure!(post(&desk.abroad, "/bindings", "order-1", &elsewhere)?.ok()? != made);
    // The answer stays though the object is gone.
    api.delete(&format!("/bindings/{}", text(&made, "binding_sid")?))?.gone()?;
    ensure!(post(api, "/bindings", "order-1", &body)?.ok()? == made);
    ensure!(api.get("/bindings")?.ok()?["total"] == 0);
    ensure!(post(api, "/bindings", "order-2", &body)?.ok()? != made);
    let stages = json!({
        "stage_one_destination_did": FAR, "stage_two_destination_did": FARTHER, "delay": 600,
    });
    let made = post(api, "/dialouts", "d", &stages)?.ok()?;
    ensure!(post(api, "/dialouts", "d", &stages)?.ok()? == made);
    ensure!(api.get("/dialouts")?.ok()?["total"] == 1);
    let endpoint = json!({ "type": "third_party", "name": "once" });
    let made = post(&desk.core, "/endpoints", "e", &endpoint)?.ok()?;
    ensure!(post(&desk.core, "/endpoints", "e", &endpoint)?.ok()? == made);
    for bad in [String::new(), "x".repeat(256), "a b\u{e4}".to_owned()] {
        post(api, "/bindings", &bad, &json!({ "destination_did": FAR }))?.errors(400)?;
    }
    desk.close()
}

#[test]
fn makes_one_object_of_requests_that_come_at_once() -> Result<()> {
    let desk = Desk::open("idempotent_race")?;
    let to = desk.address();
    let racers: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(move || -> Result<Value> {
                let api = Api::mediator(to, "masking", "masking");
                let body = json!({ "destination_did": FAR });
                // While the first one is at work the others may be told to come again.
                loop {
                    let reply = post(&api, "/bindings", "race", &body)?;
                    if reply.status() != 409 && reply.status() != 503 {
                        return reply.ok();
                    }
                }
            })
        })
        .collect();
    let mut made = Vec::new();
    for racer in racers {
        made.push(racer.join().expect("the thread does not panic")?);
    }
    made.dedup();
    ensure!(made.len() == 1, "{made:?}");
    ensure!(desk.mediator.get("/bindings")?.ok()?["total"] == 1);
    desk.close()
}
