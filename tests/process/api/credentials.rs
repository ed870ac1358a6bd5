//! Who may ask: Basic for the Mediator API, tokens for the Core API.

use anyhow::{Context, Result, ensure};
use mediator_tests::api::{Api, Flavour, Reply, encoded};
use mediator_tests::config::CORE_TOKEN;
use serde_json::{Value, json};

use super::desk::{Desk, is_date, is_sid, keys, text};

const FORM: [(&str, &str); 1] = [("Content-Type", "application/x-www-form-urlencoded")];

fn with(desk: &Desk, flavour: Flavour, authorization: Option<&str>) -> Result<Reply> {
    let path = if flavour == Flavour::Core { "/endpoints" } else { "/bindings" };
    Api::new(flavour, desk.address(), authorization.map(str::to_owned)).get(path)
}

#[test]
fn tells_no_credentials_from_wrong_ones() -> Result<()> {
    let desk = Desk::open("credentials")?;
    let basic = "Basic bWFza2luZzptYXNraW5n";
    with(&desk, Flavour::Mediator, Some(basic))?.ok()?;
    with(&desk, Flavour::Mediator, Some(&basic.replace("Basic", "bAsIc")))?.ok()?;
    let none = with(&desk, Flavour::Mediator, None)?;
    none.fails(401, "Unauthorized")?;
    let challenge = none.answer.header("www-authenticate").context("no challenge")?;
    ensure!(challenge.starts_with("Basic "), "{challenge}");
    let token = format!("Bearer {CORE_TOKEN}");
    with(&desk, Flavour::Mediator, Some(&token))?.errors(401)?;
    with(&desk, Flavour::Mediator, Some("Basic bWFza2luZzp3cm9uZw=="))?
        .fails(401, "Bad credentials")?;
    with(&desk, Flavour::Mediator, Some("Basic !!!"))?.errors(401)?;
    with(&desk, Flavour::Core, Some(&token))?.ok()?;
    with(&desk, Flavour::Core, Some(basic))?.errors(401)?;
    let none = with(&desk, Flavour::Core, None)?;
    none.errors(401)?;
    let challenge = none.answer.header("www-authenticate").context("no challenge")?;
    ensure!(challenge.starts_with("Bearer"), "{challenge}");
    with(&desk, Flavour::Core, Some("Bearer wrong"))?.errors(401)?;
    desk.close()
}

#[test]
fn slows_down_who_guesses() -> Result<()> {
    let desk = Desk::open("guesses")?;
    let mut statuses = Vec::new();
    for guess in 0..12 {
        let reply =
            Api::mediator(desk.address(), "masking", &format!("guess{guess}")).get("/bindings")?;
        if reply.status() == 429 {
            reply.errors(429)?;
            let wait = reply.answer.header("retry-after").context("no Retry-After")?;
            ensure!(wait.parse::<u32>().is_ok_and(|wait| (1..=60).contains(&wait)), "{wait}");
        }
        statuses.push(reply.status());
    }
    ensure!(statuses.starts_with(&[401; 5]) && statuses.ends_with(&[429]), "{statuses:?}");
    desk.close()
}

#[test]
fn gives_an_account_made_through_the_core_api_its_own_credentials() -> Result<()> {
    let desk = Desk::open("own_login")?;
    let made = json!({ "type": "mediator", "name": "shop" });
    let made = desk.core.post("/endpoints", &made)?.ok()?;
    let properties = &made["properties"];
    let (login, password) = (text(properties, "login")?, text(properties, "password")?);
    ensure!(login.len() >= 8 && password.len() >= 16, "{made}");
    ensure!(properties["account_sid"] == made["endpoint_sid"], "{made}");
    let url = format!("http://{}/mediator/v1", desk.address());
    ensure!(text(properties, "api_url")? == url, "{made}");
    let shop = Api::mediator(desk.address(), login, password);
    ensure!(shop.get("/accounts")?.ok()?["items"][0]["name"] == "shop");
    let path = format!("/endpoints/{}", text(&made, "endpoint_sid")?);
    let chosen = json!({ "properties": { "login": "shop", "password": "a new one" } });
    let now = desk.core.patch(&path, &chosen)?.ok()?;
    ensure!(now["properties"]["login"] == "shop", "{now}");
    shop.get("/accounts")?.errors(401)?;
    Api::mediator(desk.address(), "shop", "a new one").get("/accounts")?.ok()?;
    let taken =
        json!({ "type": "mediator", "properties": { "login": "shop", "password": "pass word" } });
    desk.core.post("/endpoints", &taken)?.errors(409)?;
    desk.core.delete(&path)?.gone()?;
    Api::mediator(desk.address(), "shop", "a new one").get("/accounts")?.errors(401)?;
    desk.close()
}

/// Asks for a token with a form.
fn token(desk: &Desk, fields: &[(&str, &str)]) -> Result<Reply> {
    let form: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let anybody = Api::new(Flavour::Core, desk.address(), None);
    anybody.ask("POST", "/oauth/token", &FORM, Some(form.join("&").as_bytes()))
}

#[test]
fn makes_lists_and_revokes_tokens() -> Result<()> {
    let desk = Desk::open_with("oauth", |config| {
        config.core("username", "\"ops\"").core("password", "\"op's pass\"")
    })?;
    let right = [
        ("grant_type", "password"),
        ("client_id", "x"),
        ("client_secret", "y"),
        ("username", "ops"),
        ("password", "op's pass"),
        ("access_token_expires_in", "600"),
    ];
    let made = token(&desk, &right)?.ok()?;
    for field in ["date_created", "date_expiration_access_token", "date_expiration_refresh_token"] {
        ensure!(is_date(text(&made, field)?), "{field}: {made}");
    }
    ensure!(made["token_type"] == "bearer" && is_sid(text(&made, "token_sid")?), "{made}");
    let fresh = Api::core(desk.address(), text(&made, "access_token")?);
    fresh.get("/endpoints")?.ok()?;
    let me = fresh.get("/oauth/whoami")?.ok()?;
    ensure!(is_sid(text(&me, "partner_sid")?), "{me}");
    let (tokens, total) = desk.core.list("/oauth/tokens", &[])?;
    let listed = tokens.iter().find(|token| token["token_sid"] == made["token_sid"]);
    let listed = listed.with_context(|| format!("not listed: {tokens:?}"))?;
    let secret = text(&made, "access_token")?;
    ensure!(!json!(tokens).to_string().contains(secret), "the list shows tokens: {listed}");
    ensure!(total.as_u64().is_some_and(|total| total >= 1), "{total}");
    let path = format!("/oauth/tokens/{}", text(&made, "token_sid")?);
    let named = desk.core.patch(&path, &json!({ "name": "billing" }))?.ok()?;
    ensure!(named["name"] == "billing", "{named}");
    // The refresh token makes another one, once.
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", text(&made, "refresh_token")?)];
    let again = token(&desk, &refresh)?.ok()?;
    let again = Api::core(desk.address(), text(&again, "access_token")?);
    again.get("/endpoints")?.ok()?;
    let revoke = format!("token={}", encoded(secret));
    let revoked = desk.core.ask("POST", "/oauth/revoke", &FORM, Some(revoke.as_bytes()))?;
    ensure!([200, 204].contains(&revoked.status()), "{}", revoked.shown());
    fresh.get("/endpoints")?.errors(401)?;
    for (field, value) in [("password", "wrong"), ("username", "root"), ("grant_type", "magic")] {
        let mut wrong = right.to_vec();
        wrong.retain(|(name, _)| *name != field);
        wrong.push((field, value));
        let reply = token(&desk, &wrong)?;
        ensure!([400, 401].contains(&reply.status()), "{field}: {}", reply.shown());
        reply.errors(reply.status())?;
    }
    token(&desk, &[])?.errors(400)?;
    desk.close()
}

#[test]
fn ends_a_token_in_time() -> Result<()> {
    let desk = Desk::open_with("oauth_end", |config| {
        config.core("username", "\"ops\"").core("password", "\"p\"")
    })?;
    let fields = [
        ("grant_type", "password"),
        ("username", "ops"),
        ("password", "p"),
        ("access_token_expires_in", "1"),
    ];
    let made = token(&desk, &fields)?.ok()?;
    let short = Api::core(desk.address(), text(&made, "access_token")?);
    super::desk::status_until(&short, "/endpoints", 401)?;
    desk.close()
}

#[test]
fn shows_the_partner_and_sets_its_callbacks() -> Result<()> {
    let desk = Desk::open("partner")?;
    let me = desk.core.get("/oauth/whoami")?.ok()?;
    let path = format!("/partners/{}", text(&me, "partner_sid")?);
    let partner = desk.core.get(&path)?.ok()?;
    ensure!(partner["partner_sid"] == me["partner_sid"], "{partner}");
    ensure!(keys(&partner).contains(&"callbacks"), "{partner}");
    ensure!(text(&partner, "callbacks_secret")?.len() >= 16, "{partner}");
    let attributes = |value: Value| json!({ "attributes": value });
    let now = desk.core.patch(&path, &attributes(json!({ "name": "New Partner Name" })))?.ok()?;
    ensure!(now["attributes"] == json!({ "name": "New Partner Name" }), "{now}");
    let now = desk.core.patch(&path, &attributes(json!({ "name2": "2" })))?.ok()?;
    ensure!(now["attributes"] == json!({ "name": "New Partner Name", "name2": "2" }), "{now}");
    let whole = format!("{path}?nested_objects=replace");
    let now = desk.core.patch(&whole, &attributes(json!({ "name3": "3" })))?.ok()?;
    ensure!(now["attributes"] == json!({ "name3": "3" }), "{now}");
    let url = json!({ "callbacks": { "app_mediator": "http://127.0.0.1:9/hook" } });
    let now = desk.core.patch(&path, &url)?.ok()?;
    ensure!(now["callbacks"] == url["callbacks"], "{now}");
    for bad in ["ftp://x", "nonsense", "http://", "javascript:alert(1)"] {
        let bad = json!({ "callbacks": { "app_mediator": bad } });
        desk.core.patch(&path, &bad)?.errors(422)?;
    }
    desk.core.get("/partners/00000000-0000-4000-8000-000000000000")?.errors(404)?;
    desk.close()
}
