//! The two APIs as a client sees them: credentials, envelopes, errors.
//!
//! [`Api`] asks, [`Reply`] is held to what every answer of an API must be before its content is looked at.

#![expect(clippy::indexing_slicing, reason = "a JSON value without the field gives null")]

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Mutex;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::{Answer, Http};

/// Which API, and so which envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// `/mediator/v1`: Basic credentials, `{"body": ..., "status": ...}`.
    Mediator,
    /// `/core/v2`: bearer token, bare objects.
    Core,
}

impl Flavour {
    /// What every path begins with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Mediator => "/mediator/v1",
            Self::Core => "/core/v2",
        }
    }
}

/// A client of one API with one set of credentials, on one connection.
#[derive(Debug)]
pub struct Api {
    flavour: Flavour,
    authorization: Option<String>,
    http: Mutex<Http>,
}

impl Api {
    /// A client of the Mediator API.
    pub fn mediator(to: SocketAddr, login: &str, password: &str) -> Self {
        let pair = STANDARD.encode(format!("{login}:{password}"));
        Self::new(Flavour::Mediator, to, Some(format!("Basic {pair}")))
    }

    /// A client of the Core API.
    pub fn core(to: SocketAddr, token: &str) -> Self {
        Self::new(Flavour::Core, to, Some(format!("Bearer {token}")))
    }

    /// A client with an `Authorization` of choice.
    pub fn new(flavour: Flavour, to: SocketAddr, authorization: Option<String>) -> Self {
        Self { flavour, authorization, http: Mutex::new(Http::new(to)) }
    }

    /// Any request; `path` is below the API's prefix, or a whole `http://` URL that the server gave. The answer may be
    /// of any status.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Reply> {
        let target = match path.split_once("://") {
            Some((_, rest)) => {
                rest.find('/').map_or("/", |at| rest.get(at..).unwrap_or("/")).to_owned()
            }
            None => format!("{}{path}", self.flavour.prefix()),
        };
        let mut all = Vec::new();
        if let Some(value) = &self.authorization {
            all.push(("Authorization", value.as_str()));
        }
        all.extend_from_slice(headers);
        let mut http = self.http.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let answer = http.exchange(method, &target, &all, body).with_context(|| {
            format!("{method} {}", target.chars().take(200).collect::<String>())
        })?;
        Ok(Reply { request: format!("{method} {target}"), flavour: self.flavour, answer })
    }

    /// A request with a JSON body.
    pub fn with_json(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Reply> {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend_from_slice(headers);
        self.ask(method, path, &all, Some(body.to_string().as_bytes()))
    }

    /// GET.
    pub fn get(&self, path: &str) -> Result<Reply> {
        self.ask("GET", path, &[], None)
    }

    /// GET with query arguments, which are percent-encoded.
    pub fn query(&self, path: &str, arguments: &[(&str, &str)]) -> Result<Reply> {
        self.get(&format!("{path}{}", query(arguments)))
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Result<Reply> {
        self.ask("DELETE", path, &[], None)
    }

    /// POST.
    pub fn post(&self, path: &str, body: &Value) -> Result<Reply> {
        self.with_json("POST", path, &[], body)
    }

    /// PATCH.
    pub fn patch(&self, path: &str, body: &Value) -> Result<Reply> {
        self.with_json("PATCH", path, &[], body)
    }

    /// PUT.
    pub fn put(&self, path: &str, body: &Value) -> Result<Reply> {
        self.with_json("PUT", path, &[], body)
    }

    /// The `items` of a list, and its `total`.
    pub fn list(&self, path: &str, arguments: &[(&str, &str)]) -> Result<(Vec<Value>, Value)> {
        let body = self.query(path, arguments)?.ok()?;
        let items = body["items"].as_array().context("items is no list")?.clone();
        ensure!(body["count"] == json!(items.len()), "count: {body}");
        Ok((items, body["total"].clone()))
    }
}

/// `?a=b&c=d`, percent-encoded; empty where there are no arguments.
pub fn query(arguments: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in arguments {
        text.push(if text.is_empty() { '?' } else { '&' });
        let _ = write!(text, "{}={}", encoded(name), encoded(value));
    }
    text
}

/// Percent-encoded: everything but RFC 3986's unreserved characters.
pub fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// An answer, and what it answers.
#[derive(Debug)]
pub struct Reply {
    request: String,
    flavour: Flavour,
    /// As it came.
    pub answer: Answer,
}

impl Reply {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// The body as JSON, whatever the status.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.answer.body).with_context(|| self.shown())
    }

    /// A success with a body: the object or list, out of its envelope.
    pub fn ok(&self) -> Result<Value> {
        ensure!(self.status() == 200, "200 wanted: {}", self.shown());
        ensure!(self.is_json(), "no JSON type: {}", self.shown());
        let mut body = self.json()?;
        if self.flavour == Flavour::Core {
            return Ok(body);
        }
        let keys: Vec<&String> = body.as_object().context("no envelope")?.keys().collect();
        ensure!(keys == ["body", "status"], "envelope {keys:?}: {}", self.shown());
        ensure!(body["status"] == 200, "status in the body: {}", self.shown());
        Ok(body["body"].take())
    }

    /// 204 without a body.
    pub fn gone(&self) -> Result<()> {
        ensure!(
            self.status() == 204 && self.answer.body.is_empty(),
            "204 wanted: {}",
            self.shown()
        );
        Ok(())
    }

    /// A failure in its envelope; gives the list of errors.
    pub fn errors(&self, status: u16) -> Result<Vec<Value>> {
        ensure!(self.status() == status, "{status} wanted: {}", self.shown());
        ensure!(self.is_json(), "no JSON type: {}", self.shown());
        let body = self.json()?;
        ensure!(body["status"] == status, "status in the body: {}", self.shown());
        if self.flavour == Flavour::Mediator {
            ensure!(body.get("body") == Some(&Value::Null), "body is not null: {}", self.shown());
        }
        let errors = body["errors"].as_array().context("errors is no list")?.clone();
        ensure!(!errors.is_empty(), "no errors: {}", self.shown());
        for error in &errors {
            let message = error["message"].as_str().unwrap_or_default();
            ensure!(!message.is_empty(), "an error without a message: {}", self.shown());
        }
        Ok(errors)
    }

    /// A failure whose first message is this.
    pub fn fails(&self, status: u16, message: &str) -> Result<()> {
        let errors = self.errors(status)?;
        let found = errors.first().and_then(|error| error["message"].as_str());
        ensure!(found == Some(message), "{message:?} wanted: {}", self.shown());
        Ok(())
    }

    /// A failure that names these fields, and no others.
    pub fn blames(&self, status: u16, fields: &[&str]) -> Result<()> {
        let errors = self.errors(status)?;
        let mut found: Vec<&str> =
            errors.iter().filter_map(|error| error["field"].as_str()).collect();
        found.sort_unstable();
        found.dedup();
        let mut wanted = fields.to_vec();
        wanted.sort_unstable();
        ensure!(found == wanted, "fields {wanted:?} wanted: {}", self.shown());
        Ok(())
    }

    fn is_json(&self) -> bool {
        self.answer
            .header("content-type")
            .is_some_and(|value| value.starts_with("application/json"))
    }

    /// The request and the beginning of the answer, for an error message.
    pub fn shown(&self) -> String {
        let request: String = self.request.chars().take(300).collect();
        let body: String = self.answer.text().chars().take(1500).collect();
        format!("{request} -> {} {body}", self.answer.status)
    }
}
