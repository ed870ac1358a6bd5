//! The sample requests of the vendor's reference, and the answers that it documents.

use serde_json::json;

use super::*;

const NUMBERS: [&str; 3] = ["15162065346", "15162065337", "15162065340"];

fn info(last: &str) -> Value {
    json!({
        "country_code": "USA",
        "e164_format": format!("+1516206{last}"),
        "in_country_format": format!("(516) 206-{last}"),
        "international_format": format!("+1 516-206-{last}"),
        "phonenumber": format!("1516206{last}"),
    })
}

/// A list's body, but for its items.
fn list(items: &[Value]) -> Value {
    json!({
        "count": items.len(), "has_more": false, "limit": 10, "offset": 0, "pagination": {},
        "total": items.len(), "items": items,
    })
}

fn without_chances(mut list: Value) -> Value {
    let items = list["items"].as_array_mut().unwrap();
    for item in items {
        *item = without_chance(item.take());
    }
    list
}

#[tokio::test]
async fn accounts() {
    let desk = Desk::open(&NUMBERS).await;
    let account = json!({
        "account_sid": "sid", "date_created": "date", "login": "mediator_login", "name": "CarrierX",
    });
    let all = desk.get("/accounts").await.ok();
    assert_eq!(without_chances(all.clone()), list(std::slice::from_ref(&account)));
    let path = format!("/accounts/{}", text(&all["items"][0], "account_sid"));
    let one = desk.get(&path).await;
    assert_eq!(without_chance(one.ok()), account);
    assert!(!one.text.contains("password"), "{}", one.text);
    for foreign in [STRANGER.to_string().as_str(), "none", "x%2fy"] {
        let reply = desk.get(&format!("/accounts/{foreign}")).await;
        reply.fails(404, "Cannot find item by SID");
    }
    let few = desk.get(&format!("{path}?include_fields=login,name")).await.ok();
    assert_eq!(few, json!({"login": "mediator_login", "name": "CarrierX"}));
    let none = desk.get("/accounts?filter=name+eq+'x'").await.ok();
    assert_eq!((&none["total"], &none["items"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn dids() {
    let desk = Desk::open(&["15162065337"]).await;
    let did = json!({
        "account_sid": "sid", "country_code": "USA", "did_sid": "sid",
        "in_country_format": "(516) 206-5337", "international_format": "+1 516-206-5337",
        "phonenumber": "15162065337",
    });
    let all = desk.get("/dids").await.ok();
    assert_eq!(without_chances(all.clone()), list(std::slice::from_ref(&did)));
    let path = format!("/dids/{}", text(&all["items"][0], "did_sid"));
    assert_eq!(without_chance(desk.get(&path).await.ok()), did);
    let foreign = Sid::from_u128(STRANGER.as_u128() + 10_000);
    desk.get(&format!("/dids/{foreign}")).await.fails(404, "Cannot find item by SID");
    desk.get("/dids/5dbed1ba").await.fails(404, "Cannot find item by SID");
    assert_eq!(desk.get("/dids?filter=country_code+eq+%22GBR%22").await.ok()["total"], 0);
}

#[tokio::test]
async fn create_binding() {
    let desk = Desk::open(&["15162065346"]).await;
    let body = json!({"destination_did":"15162065338", "attributes": {"ringback":"moh"}});
    let made = desk.post("/bindings", body).await.ok();
    // The reference's sample has maximum_ttl -1 where its table says that 3600 is the default: the table counts.
    assert_eq!(
        without_chance(made),
        json!({
            "account_sid": "sid", "attributes": {"ringback": "moh"}, "binding_sid": "sid",
            "date_created": "date", "destination_did": "15162065338", "dtmf": null,
            "maximum_ttl": 3600, "name": "N/A", "origination_did": null,
            "redirect_did": "15162065346", "redirect_did_info": info("5346"),
            "wait_origination_did_ttl": 300,
        })
    );
}

#[tokio::test]
async fn get_bindings() {
    let desk = Desk::open(&["15162065339", "15162065337"]).await;
    desk.lasting(json!({"redirect_did": "15162065339", "destination_did": "15162065337"})).await;
    let second = desk.lasting(json!({"redirect_did": "15162065337"})).await;
    desk.lasting(json!({"origination_did": "14155550100", "name": "mine"})).await;
    let binding = |redirect: &str, destination: &str| {
        json!({
            "account_sid": "sid", "attributes": {}, "binding_sid": "sid", "date_created": "date",
            "destination_did": format!("1516206{destination}"), "dtmf": null, "maximum_ttl": -1,
            "name": "N/A", "origination_did": null, "redirect_did": format!("1516206{redirect}"),
            "redirect_did_info": info(redirect), "wait_origination_did_ttl": -1,
        })
    };
    let both = [binding("5339", "5337"), binding("5337", "5338")];
    for filter in ["name+eq+%22N/A%22", "name%20eq%20'N/A'"] {
        let found = desk.get(&format!("/bindings?filter={filter}")).await.ok();
        assert_eq!(without_chances(found), list(&both), "{filter}");
    }
    let path = format!("/bindings/{}", text(&second, "binding_sid"));
    assert_eq!(without_chance(desk.get(&path).await.ok()), both[1]);
    let fewer = desk.get("/bindings?exclude_fields=properties,attributes&limit=1").await.ok();
    assert_eq!(fewer["items"][0].get("attributes"), None);
    assert_eq!(fewer["has_more"], true);
    let next = "http://api.example/mediator/v1/bindings?limit=1&offset=1&exclude_fields=properties%2Cattributes";
    assert_eq!(fewer["pagination"], json!({"next": next}));
}

#[tokio::test]
async fn update_and_delete_binding() {
    let desk = Desk::open(&["15162065337"]).await;
    let body = json!({"destination_did": "15162065338", "wait_origination_did_ttl": -1});
    let made = desk.post("/bindings", body).await.ok();
    let path = format!("/bindings/{}", text(&made, "binding_sid"));
    let mut wanted = made.clone();
    wanted["maximum_ttl"] = json!(-1);
    assert_eq!(desk.patch(&path, json!({"maximum_ttl":-1})).await.ok(), wanted);
    assert_eq!(desk.get(&path).await.ok(), wanted);
    desk.delete(&path).await.gone();
    desk.get(&path).await.fails(404, "Cannot find item by SID");
    desk.delete(&path).await.fails(404, "Cannot find item by SID");
}

#[tokio::test]
async fn dialouts() {
    let desk = Desk::open(&NUMBERS).await;
    let body = json!({
        "stage_one_destination_did":"15162065339", "stage_two_destination_did":"15162065338",
        "redirect_did":"15162065340", "attributes": {"ringback":"false"},
    });
    let dialout = |delay: u64, attributes: Value, redirect: &str| {
        json!({
            "account_sid": "sid", "attributes": attributes, "date_created": "date", "delay": delay,
            "dialout_sid": "sid", "redirect_did": redirect,
            "stage_one_destination_did": "15162065339",
            "stage_two_destination_did": "15162065338",
        })
    };
    let hiding = json!({"hide_origination_did": "true", "ringback": "false"});
    let made = desk.post("/dialouts", body).await.ok();
    assert_eq!(without_chance(made.clone()), dialout(0, hiding, "15162065340"));
    desk.delete(&format!("/dialouts/{}", text(&made, "dialout_sid"))).await.gone();
    // The quick start's: the number is chosen.
    let stages = json!({
        "stage_one_destination_did":"15162065339", "stage_two_destination_did":"15162065338",
        "delay": 89992,
    });
    let made = desk.post("/dialouts", stages).await.ok();
    let hiding = json!({"hide_origination_did": "true"});
    let wanted = dialout(89992, hiding.clone(), "15162065337");
    assert_eq!(without_chance(made.clone()), wanted);
    let all = desk.get("/dialouts").await.ok();
    assert_eq!(without_chances(all), list(std::slice::from_ref(&wanted)));
    let path = format!("/dialouts/{}", text(&made, "dialout_sid"));
    assert_eq!(without_chance(desk.get(&path).await.ok()), wanted);
    desk.pass(33);
    assert_eq!(desk.get(&path).await.ok()["delay"], 89959);
    let changed = desk.patch(&path, json!({"delay": "1800"})).await.ok();
    assert_eq!(without_chance(changed), dialout(1800, hiding, "15162065337"));
    desk.delete(&path).await.gone();
    desk.get(&path).await.fails(404, "Cannot find item by SID");
}

#[tokio::test]
async fn errors() {
    let desk = Desk::open(&["15162065337"]).await;
    let ask = |auth: &str, kind: &str, body: &'static str| {
        let mut request = Request::post("/mediator/v1/bindings");
        if !auth.is_empty() {
            request = request.header("Authorization", auth);
        }
        if !kind.is_empty() {
            request = request.header("Content-Type", kind);
        }
        desk.send(request.body(Body::from(body)).unwrap())
    };
    let good = basic(LOGIN);
    let json = "application/json";
    ask(&good, json, "{").await.fails(400, "No JSON object could be decoded");
    ask(&good, json, "[]").await.fails(400, "No JSON object could be decoded");
    ask(&good, "text/plain", "{}").await.fails(415, "Unsupported media type");
    ask(&good, "", "{}").await.fails(415, "Unsupported media type");
    ask(&basic(("mediator_login", "x")), json, "{}").await.fails(401, "Bad credentials");
    ask("", json, "{}").await.fails(401, "Unauthorized");
    ask("Bearer 5ebc03d6", json, "{}").await.fails(401, "Unauthorized");
    desk.get("/nothing").await.fails(404, "Not Found");
    desk.delete("/bindings").await.errors(405);
    let body = json!({"destination_did": "15162065338", "redirect_did": "442071838750"});
    let reply = desk.post("/bindings", body).await;
    reply.fails(409, "Cannot find redirect_did");
    reply.blames(409, &["redirect_did"]);
}
