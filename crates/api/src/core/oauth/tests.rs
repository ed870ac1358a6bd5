//! Rules of tokens.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::core::testing::{Office, has};
use crate::testing::{Answer, TOKEN, request};

const RIGHT: &str = "grant_type=password&username=operator&password=operator-password&client_id=x";

fn token(office: &Office, form: &str) -> Answer {
    office.form("/oauth/token", None, form)
}

fn text(answer: &Answer, name: &str) -> String {
    answer.ok()[name].as_str().unwrap().to_owned()
}

fn opens(office: &Office, token: &str) -> bool {
    let bearer = format!("Bearer {token}");
    let answer = office.send(request(Method::GET, "/core/v2/endpoints", &bearer, &Value::Null));
    answer.status == 200
}

fn pass(office: &Office, time: Duration) {
    let mut now = office.process.now.lock();
    *now = *now + time;
}

#[test]
fn a_password_makes_a_token_that_ends() {
    let office = Office::open();
    let made = token(&office, &format!("{RIGHT}&access_token_expires_in=60"));
    assert_eq!(made.headers["cache-control"], "no-store");
    has(
        made.ok(),
        &json!({
            "date_created": "2023-11-14T22:13:20.000Z",
            "date_expiration_access_token": "2023-11-14T22:14:20.000Z",
            "date_expiration_refresh_token": "2023-12-14T22:14:20.000Z",
            "expires_in": 60, "name": "N/A", "token_type": "bearer",
        }),
    );
    let access = text(&made, "access_token");
    assert!(opens(&office, &access));
    let listed = office.get("/oauth/tokens");
    assert_eq!(listed.ok()["total"], 2);
    assert!(!listed.text.contains(&access) && !listed.text.contains("\"access_token\""));
    pass(&office, Duration::from_mins(1));
    assert!(!opens(&office, &access));
    pass(&office, Duration::from_hours(24 * 31));
    assert_eq!(office.get("/oauth/tokens").ok()["total"], 1, "past its end it is not active");
    office.get(&format!("/oauth/tokens/{}", text(&made, "token_sid"))).blamed(404);
    // The next one clears it away.
    token(&office, RIGHT).ok();
    assert_eq!(office.catalog.tokens().len(), 2);
}

#[test]
fn a_refresh_token_is_good_once() {
    let office = Office::open();
    let made = token(&office, RIGHT);
    let form = format!("grant_type=refresh_token&refresh_token={}", text(&made, "refresh_token"));
    let again = token(&office, &form);
    assert_eq!(again.ok()["token_sid"], made.ok()["token_sid"]);
    assert!(opens(&office, &text(&again, "access_token")));
    assert!(!opens(&office, &text(&made, "access_token")), "the one before is good for nothing");
    token(&office, &form).blamed(401);
}

#[test]
fn refuses_what_is_wrong_or_missing() {
    let office = Office::open();
    let wrong = [
        "grant_type=password&username=operator&password=wrong",
        "grant_type=password&username=root&password=operator-password",
        "grant_type=refresh_token&refresh_token=x",
    ];
    for form in wrong {
        let answer = token(&office, form);
        answer.blamed(401);
        assert_eq!(answer.json["errors"][0]["message"], "Bad credentials");
    }
    let rows = [
        ("", "grant_type"),
        ("grant_type=magic", "grant_type"),
        ("grant_type=password&username=operator", "password"),
        ("grant_type=refresh_token", "refresh_token"),
        ("grant_type=password&access_token_expires_in=0", "access_token_expires_in"),
        ("grant_type=password&access_token_expires_in=x", "access_token_expires_in"),
    ];
    for (form, field) in rows {
        token(&office, form).blames(400, field);
    }
    let json =
        request(Method::POST, "/core/v2/oauth/token", "", &json!({ "grant_type": "password" }));
    office.send(json).blamed(415);
}

#[test]
fn guessing_is_slow() {
    let office = Office::open();
    for _ in 0..10 {
        token(&office, "grant_type=password&username=operator&password=guess").blamed(401);
    }
    let slow = token(&office, RIGHT);
    slow.blamed(429);
    assert_eq!(slow.headers["retry-after"], "60");
    pass(&office, Duration::from_mins(1));
    token(&office, RIGHT).ok();
}

#[test]
fn a_revoked_token_opens_nothing() {
    let office = Office::open();
    let one = token(&office, RIGHT);
    let revoke = |token: &str, form: &str| office.form("/oauth/revoke", Some(token), form).status;
    assert_eq!(revoke(TOKEN, &format!("token={}", text(&one, "access_token"))), 204);
    assert!(!opens(&office, &text(&one, "access_token")));
    assert_eq!(revoke(TOKEN, "token=nothing"), 204);
    let two = token(&office, RIGHT);
    assert_eq!(revoke(TOKEN, &format!("token={}", text(&two, "refresh_token"))), 204);
    assert!(!opens(&office, &text(&two, "access_token")));
    let three = text(&token(&office, RIGHT), "access_token");
    assert_eq!(revoke(&three, ""), 400);
    assert!(opens(&office, &three), "an empty form shuts nobody out");
    assert_eq!(revoke(&three, &format!("token={three}")), 204);
    assert!(!opens(&office, &three) && opens(&office, TOKEN));
    assert_eq!(revoke("nothing", ""), 401);
}

#[test]
fn a_token_has_a_name() {
    let office = Office::open();
    let path = format!("/oauth/tokens/{}", text(&token(&office, RIGHT), "token_sid"));
    let now = office.patch(&path, json!({ "name": "billing", "scopes": [], "token_sid": 5 }));
    has(now.ok(), &json!({ "name": "billing", "scopes": ["all"] }));
    assert_eq!(office.get(&path).ok(), now.ok());
    office.put(&path, json!({})).blames(422, "name");
    assert_eq!(office.put(&path, json!({ "name": "x" })).ok()["name"], "x");
    let me = office.get("/oauth/whoami");
    has(me.ok(), &json!({ "name": "Operator", "partner_sid": now.ok()["partner_sid"] }));
}
