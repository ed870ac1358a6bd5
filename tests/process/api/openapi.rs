//! `/openapi.json`: that it names everything, and that the server does what it says.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use mediator_tests::api::{Api, encoded};
use mediator_tests::http::Http;
use mediator_tests::phone::Behaviour;
use serde_json::{Value, json};

use super::desk::{Desk, FAR, FARTHER, text};
use super::schema::{Chance, Document, spoil};
use crate::scene::REDIRECT;

/// Requests of each operation.
const REQUESTS: usize = 40;

/// Every path of both APIs, and its methods.
const PATHS: &[(&str, &str)] = &[
    ("/mediator/v1/accounts", "get"),
    ("/mediator/v1/accounts/{account_sid}", "get"),
    ("/mediator/v1/bindings", "get post"),
    ("/mediator/v1/bindings/import", "post"),
    ("/mediator/v1/bindings/export", "get"),
    ("/mediator/v1/bindings/{binding_sid}", "get patch put delete"),
    ("/mediator/v1/dialouts", "get post"),
    ("/mediator/v1/dialouts/{dialout_sid}", "get patch put delete"),
    ("/mediator/v1/dialouts/{dialout_sid}/record", "get"),
    ("/mediator/v1/dids", "get"),
    ("/mediator/v1/dids/{did_sid}", "get"),
    ("/mediator/v1/calls", "get"),
    ("/mediator/v1/calls/{call_sid}", "get delete"),
    ("/mediator/v1/explain", "get"),
    ("/core/v2/endpoints", "get post"),
    ("/core/v2/endpoints/{endpoint_sid}", "get patch put delete"),
    ("/core/v2/trunk_groups", "get post"),
    ("/core/v2/trunk_groups/{trunk_group_sid}", "get patch put delete"),
    ("/core/v2/trunk_groups/{trunk_group_sid}/trunks", "get post"),
    ("/core/v2/trunk_groups/{trunk_group_sid}/trunks/{trunk_sid}", "get patch put delete"),
    ("/core/v2/phonenumber/dids", "get post"),
    ("/core/v2/phonenumber/dids/{did_sid}", "get patch put delete"),
    ("/core/v2/app/mediator/calls", "get"),
    ("/core/v2/calls/call_drs", "get"),
    ("/core/v2/calls/call_drs/{dr_sid}", "get"),
    ("/core/v2/oauth/tokens", "get"),
    ("/core/v2/oauth/tokens/{token_sid}", "get patch put"),
    ("/core/v2/oauth/whoami", "get"),
    ("/core/v2/partners/{partner_sid}", "get patch put"),
    // Last: a token may be revoked that is needed, and who guesses passwords is slowed down.
    ("/core/v2/oauth/revoke", "post"),
    ("/core/v2/oauth/token", "post"),
];

fn document(desk: &Desk) -> Result<Document> {
    let answer = Http::new(desk.address()).exchange("GET", "/openapi.json", &[], None)?;
    ensure!(answer.status == 200, "{}", answer.text());
    Ok(Document { value: serde_json::from_slice(&answer.body)?, whole: false })
}

#[test]
fn names_every_path_method_and_credential() -> Result<()> {
    let desk = Desk::open("openapi")?;
    let document = document(&desk)?;
    let version = document.value["openapi"].as_str().unwrap_or_default();
    ensure!(version.starts_with("3.1"), "{version}");
    let mut missing = Vec::new();
    for (path, methods) in PATHS {
        for method in methods.split(' ') {
            let operation = &document.value["paths"][path][method];
            if !operation.is_object() {
                missing.push(format!("{method} {path}"));
                continue;
            }
            let secured = operation["security"].as_array().is_some_and(|list| !list.is_empty());
            let open = *path == "/core/v2/oauth/token";
            if !open && !secured && document.value["security"].is_null() {
                missing.push(format!("security of {method} {path}"));
            }
            for (status, response) in operation["responses"].as_object().into_iter().flatten() {
                if !response["$ref"].is_string() && !response["description"].is_string() {
                    missing.push(format!("a description of {status} of {method} {path}"));
                }
            }
            if operation["responses"].as_object().is_none_or(serde_json::Map::is_empty) {
                missing.push(format!("responses of {method} {path}"));
            }
        }
    }
    ensure!(missing.is_empty(), "{}", missing.join("\n"));
    let schemes = &document.value["components"]["securitySchemes"];
    let has = |kind: &str| {
        schemes.as_object().into_iter().flatten().any(|(_, scheme)| scheme["scheme"] == kind)
    };
    ensure!(has("basic") && has("bearer"), "{schemes}");
    desk.close()
}

/// Sids to put into paths, by the name of the parameter.
type Sids = BTreeMap<&'static str, Vec<String>>;

/// Beside them: a dialout that is over, which only its record still tells of.
const ENDED: &str = "a dialout that is over";

/// Objects that the walk may change and delete, and those it only meets.
fn objects(desk: &Desk) -> Result<Sids> {
    let mut sids = Sids::new();
    let mut keep = |name: &'static str, object: &Value| -> Result<String> {
        let sid = text(object, name)?.to_owned();
        sids.entry(name).or_default().push(sid.clone());
        Ok(sid)
    };
    let carrier = json!({ "type": "system_gateway", "name": "of the trunks" });
    let carrier = desk.core.post("/endpoints", &carrier)?.ok()?["endpoint_sid"].clone();
    for i in 0..12 {
        let binding = json!({ "origination_did": format!("141555509{i:02}") });
        keep("binding_sid", &desk.lasting(REDIRECT, &binding)?)?;
        let stages = json!({
            "stage_one_destination_did": format!("151620654{i:02}"), "delay": 3600,
            "stage_two_destination_did": FAR,
        });
        keep("dialout_sid", &desk.mediator.post("/dialouts", &stages)?.ok()?)?;
        let endpoint = json!({ "type": "third_party", "name": format!("walk{i}") });
        keep("endpoint_sid", &desk.core.post("/endpoints", &endpoint)?.ok()?)?;
        let group = desk.core.post("/trunk_groups", &json!({ "name": "walk" }))?.ok()?;
        let group = keep("trunk_group_sid", &group)?;
        let trunks = format!("/trunk_groups/{group}/trunks");
        let trunk = desk.core.post(&trunks, &json!({ "endpoint_sid": carrier }))?.ok()?;
        keep("trunk_sid", &trunk)?;
        let did = json!({ "phonenumber": format!("151620655{i:02}") });
        keep("did_sid", &desk.core.post("/phonenumber/dids", &did)?.ok()?)?;
    }
    let own = desk.mediator.get("/dids")?.ok()?;
    keep("did_sid", &own["items"][0])?;
    keep("account_sid", &desk.mediator.get("/accounts")?.ok()?["items"][0])?;
    keep("partner_sid", &desk.core.get("/oauth/whoami")?.ok()?)?;
    let (caller, callee) = (desk.caller()?, desk.callee()?);
    desk.lasting(REDIRECT, &json!({ "destination_did": FARTHER }))?;
    caller.talk(desk.sip(), REDIRECT, "14155550999")?;
    let legs =
        super::desk::list_until(&desk.core, "/calls/call_drs", "legs", |legs| legs.len() == 2)?;
    keep("dr_sid", &legs[0])?;
    callee.behave(Behaviour::Busy);
    let stages = json!({ "stage_one_destination_did": FARTHER, "stage_two_destination_did": FAR });
    let ended = text(&desk.mediator.post("/dialouts", &stages)?.ok()?, "dialout_sid")?.to_owned();
    super::desk::status_until(&desk.mediator, &format!("/dialouts/{ended}/record"), 200)?;
    sids.insert(ENDED, vec![ended]);
    Ok(sids)
}

/// One walk through the document.
struct Walk<'a> {
    desk: &'a Desk,
    document: Document,
    sids: Sids,
    chance: Chance,
    faults: Vec<String>,
    /// Answers by operation and status.
    seen: BTreeMap<String, BTreeMap<u16, u32>>,
}

#[test]
fn does_what_the_document_says() -> Result<()> {
    let desk = Desk::open("openapi_walk")?;
    let seed = std::env::var("API_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut walk = Walk {
        document: document(&desk)?,
        sids: objects(&desk)?,
        desk: &desk,
        chance: Chance::new(seed),
        faults: Vec::new(),
        seen: BTreeMap::new(),
    };
    for (path, methods) in PATHS {
        for method in methods.split(' ') {
            walk.operation(path, method)?;
        }
    }
    let Walk { mut faults, seen, .. } = walk;
    // A walk that never gets past the door tests nothing.
    for (operation, statuses) in &seen {
        let never = ["/oauth/", "delete /mediator/v1/calls", "get /mediator/v1/calls/"];
        let met = statuses.keys().any(|status| *status < 300);
        if !met && !never.iter().any(|part| operation.contains(part)) {
            faults.push(format!("{operation}: never a success, {statuses:?}"));
        }
    }
    faults.truncate(60);
    ensure!(faults.is_empty(), "seed {seed}\n{}", faults.join("\n"));
    desk.close()
}

impl Walk<'_> {
    fn operation(&mut self, path: &str, method: &str) -> Result<()> {
        let operation = self.document.value["paths"][path][method].clone();
        let whole = &self.document.value["paths"][path];
        let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        parameters.extend(whole["parameters"].as_array().cloned().unwrap_or_default());
        // Deleting runs out of objects: few requests.
        let requests = if method == "delete" { 6 } else { REQUESTS };
        self.document.whole = method == "put";
        for _ in 0..requests {
            let target = self.target(path, &parameters);
            let (kind, mut body) = self.body(&operation);
            if method == "put" && self.chance.once_in(2) {
                // What GET gives can be put back.
                body = self.shown(&target)?.or(body);
            }
            self.request(path, method, &operation, (&target, kind.as_deref(), body.as_deref()))?;
        }
        Ok(())
    }

    /// The object at a target as it is now, where there is one.
    fn shown(&self, target: &str) -> Result<Option<Vec<u8>>> {
        let (api, path) = self.client(target)?;
        let path = path.split('?').next().unwrap_or_default();
        Ok(api.get(path)?.ok().ok().map(|object| object.to_string().into_bytes()))
    }

    /// Who asks for a target, and what it is below the prefix.
    fn client<'t>(&self, target: &'t str) -> Result<(&Api, &'t str)> {
        if let Some(rest) = target.strip_prefix("/core/v2") {
            return Ok((&self.desk.core, rest));
        }
        Ok((&self.desk.mediator, target.strip_prefix("/mediator/v1").context("no API's path")?))
    }

    /// The path with sids and query arguments in it.
    fn target(&mut self, path: &str, parameters: &[Value]) -> String {
        let mut target = path.to_owned();
        let mut arguments = Vec::new();
        // The trunk has to be one of the group.
        let at = self.chance.below(12);
        for parameter in parameters {
            let parameter = self.document.resolve(parameter).clone();
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            if parameter["in"] == "path" {
                let is_record = path == "/mediator/v1/dialouts/{dialout_sid}/record";
                let known = self.sids.get(if is_record { ENDED } else { name.as_str() });
                // An account sees one DID of those: the last.
                let at = if path == "/mediator/v1/dids/{did_sid}" { 12 } else { at };
                let known = known.and_then(|sids| sids.get(at % sids.len()));
                let known = known.cloned().filter(|_| !self.chance.once_in(4));
                let junk = ["05561bef-ce48-4823-a847-bf10f7837a42", "junk", "%00", "☂"];
                let junk = self.chance.pick(&junk).copied().unwrap_or_default();
                let sid = known.unwrap_or_else(|| encoded(junk));
                target = target.replace(&format!("{{{name}}}"), &sid);
            } else if parameter["in"] == "query" {
                let required = parameter["required"] == true;
                if required && !self.chance.once_in(4) || self.chance.once_in(6) {
                    arguments
                        .push(format!("{name}={}", encoded(&self.argument(&name, &parameter))));
                }
            }
        }
        if !arguments.is_empty() {
            target = format!("{target}?{}", arguments.join("&"));
        }
        target
    }

    fn argument(&mut self, name: &str, parameter: &Value) -> String {
        let good = match name {
            "filter" => "name eq \"x\"",
            "order" => "date_created desc",
            "include_fields" | "exclude_fields" | "includeFields" => "name",
            "from" | "to" => REDIRECT,
            "nested_objects" => "replace",
            _ => "",
        };
        if !good.is_empty() && !self.chance.once_in(3) {
            return good.to_owned();
        }
        let mut value = self.document.sample(&parameter["schema"], &mut self.chance, 0);
        if self.chance.once_in(3) {
            spoil(&mut value, &mut self.chance);
        }
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    /// A content type and a body, where the operation has one.
    fn body(&mut self, operation: &Value) -> (Option<String>, Option<Vec<u8>>) {
        let body = self.document.resolve(&operation["requestBody"]).clone();
        let Some((kind, content)) =
            body["content"].as_object().and_then(|content| content.iter().next())
        else {
            return (None, None);
        };
        let mut value = self.document.sample(&content["schema"], &mut self.chance, 0);
        for name in ["endpoint_sid", "trunk_group_sid"] {
            let sids = self.sids.get(name).map(Vec::as_slice).unwrap_or_default();
            if let (Some(field), Some(sid)) = (value.get_mut(name), self.chance.pick(sids)) {
                *field = json!(sid);
            }
        }
        if self.chance.once_in(3) {
            spoil(&mut value, &mut self.chance);
        }
        let bytes = if kind.contains("urlencoded") {
            let fields = value.as_object().cloned().unwrap_or_default();
            let pairs = fields.iter().map(|(name, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("{}={}", encoded(name), encoded(&value))
            });
            pairs.collect::<Vec<_>>().join("&").into_bytes()
        } else {
            value.to_string().into_bytes()
        };
        (Some(kind.clone()), Some(bytes))
    }

    fn request(
        &mut self,
        path: &str,
        method: &str,
        operation: &Value,
        (target, kind, body): (&str, Option<&str>, Option<&[u8]>),
    ) -> Result<()> {
        let (api, prefix) = self.client(target)?;
        let headers: Vec<(&str, &str)> =
            kind.map(|kind| ("Content-Type", kind)).into_iter().collect();
        let upper = method.to_ascii_uppercase();
        let reply = api.ask(&upper, prefix, &headers, body)?;
        let status = reply.status();
        let name = format!("{method} {path}");
        *self.seen.entry(name.clone()).or_default().entry(status).or_default() += 1;
        let sent = body.map(String::from_utf8_lossy).unwrap_or_default();
        let sent: String = sent.chars().take(300).collect();
        let mut fault = |what: String| {
            self.faults.push(format!("{name} {sent}\n  {what}\n  {}", reply.shown()));
        };
        // Valid credentials come with every request, until they are revoked.
        let refused = (status == 401 || status == 429) && !path.contains("/oauth/");
        if status >= 500 || refused {
            fault("the server's fault".to_owned());
        }
        let response = &operation["responses"][status.to_string()];
        let response =
            if response.is_null() { &operation["responses"]["default"] } else { response };
        let response = self.document.resolve(response);
        if response.is_null() {
            fault(format!("{status} is not documented"));
            return Ok(());
        }
        let kind = reply.answer.header("content-type").unwrap_or_default();
        if kind.starts_with("application/json") {
            let schema = &response["content"]["application/json"]["schema"];
            if schema.is_null() {
                fault(format!("no schema of {status}"));
            } else if let Err(error) = self.document.judge(schema, &reply.json()?) {
                fault(format!("{error:#}"));
            }
        }
        Ok(())
    }
}
