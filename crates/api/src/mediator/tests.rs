//! The Mediator API over a real store in memory, asked without a socket.

mod bindings;
mod bulk;
mod dialouts;
mod hostile;
mod live;
mod samples;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use mediator_model::{Number, Sid, UnixMillis};
use mediator_store::record::{BindingRecord, Record, Versioned};
use mediator_store::write::Op;
use mediator_store::{Committed, Follower, Location, SqliteStore, Write};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::catalog::Catalog;
use crate::ports::Backend;
use crate::store_calls;
use crate::testing::{
    LOGIN, START, TestCalls, TestProcess, account, basic, did, request, settings, trunk,
    trunk_group,
};

/// Where the account of [`LOGIN`] lives, and another one.
const ACCOUNT: Sid = Sid::from_random(0x13e1_56f7);
const STRANGER: Sid = Sid::from_random(0x5742_a6e9);
const STRANGERS_LOGIN: (&str, &str) = ("other_login", "other_password");

/// The catalog follows the store, as in the process.
struct FollowedBy(Arc<Catalog>);

impl Follower for FollowedBy {
    fn committed(&self, committed: &Committed) {
        self.0.apply(committed);
    }

    fn claim_failed(&self, _: Sid, _: Option<Versioned<BindingRecord>>) {}
}

/// The API, and what it stands on.
struct Desk {
    backend: Backend,
    process: Arc<TestProcess>,
    router: Router,
}

/// What came back.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    json: Value,
}

impl Reply {
    /// The body of a success.
    #[track_caller]
    fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        assert_eq!(self.json["status"], 200, "{}", self.text);
        self.json["body"].clone()
    }

    /// The messages of a failure.
    #[track_caller]
    fn errors(&self, status: u16) -> Vec<Value> {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.json["status"], status, "{}", self.text);
        assert_eq!(self.json["body"], Value::Null, "{}", self.text);
        let errors = self.json["errors"].as_array().cloned().unwrap_or_default();
        assert!(!errors.is_empty() && errors.iter().all(|error| error["message"].is_string()));
        errors
    }

    /// The fields that a failure names.
    #[track_caller]
    fn blames(&self, status: u16, fields: &[&str]) {
        let errors = self.errors(status);
        let mut named: Vec<&str> =
            errors.iter().filter_map(|error| error["field"].as_str()).collect();
        named.sort_unstable();
        assert_eq!(named, fields, "{}", self.text);
    }

    /// A failure with one message.
    #[track_caller]
    fn fails(&self, status: u16, message: &str) {
        let errors = self.errors(status);
        assert_eq!(errors.len(), 1, "{}", self.text);
        assert_eq!(errors[0]["message"], message, "{}", self.text);
    }

    #[track_caller]
    fn gone(&self) {
        assert_eq!((self.status, &*self.text), (StatusCode::NO_CONTENT, ""));
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Desk {
    /// The account with these numbers, and the stranger with 442071838750.
    async fn open(numbers: &[&str]) -> Self {
        let location = Location::Memory;
        Self::open_at(&location, numbers).await
    }

    async fn open_at(location: &Location, numbers: &[&str]) -> Self {
        let catalog = Arc::new(Catalog::new());
        let opened = SqliteStore::open(location).unwrap();
        let store = Arc::new(opened.start(Arc::new(FollowedBy(Arc::clone(&catalog)))).unwrap());
        let process = Arc::new(TestProcess {
            now: START.into(),
            calls: Vec::new().into(),
            heard: std::collections::HashMap::new().into(),
            hung_up: Vec::new().into(),
            explanation: None.into(),
            told: (0, 0).into(),
        });
        let calls = Arc::new(TestCalls::default());
        let backend = Backend { store, calls, catalog, process: Arc::clone(&process) as _ };
        let router = crate::router(backend.clone(), settings());
        let desk = Self { backend, process, router };
        desk.found(ACCOUNT, LOGIN, numbers).await;
        desk.found(STRANGER, STRANGERS_LOGIN, &["442071838750"]).await;
        desk
    }

    /// A mediator endpoint with a trunk group and numbers.
    async fn found(&self, sid: Sid, login: (&str, &str), numbers: &[&str]) {
        let mut endpoint = account(sid.as_u128(), login);
        endpoint.name = "CarrierX".into();
        self.make(Record::Endpoint(Arc::new(endpoint))).await;
        let group = trunk_group(sid.as_u128() + 1_000);
        let group_sid = group.sid;
        self.make(Record::TrunkGroup(Arc::new(group))).await;
        let trunk = trunk(sid.as_u128() + 2_000, group_sid, sid);
        self.make(Record::Trunk(Arc::new(trunk))).await;
        for (at, number) in numbers.iter().enumerate() {
            let did = did(sid.as_u128() + 10_000 + at as u128, number, Some(group_sid));
            self.make(Record::Did(Arc::new(did))).await;
        }
    }

    async fn make(&self, record: Record) {
        self.op(Op::Create(record)).await;
    }

    async fn op(&self, op: Op) {
        store_calls::try_write(&self.backend, Write::one(self.now(), op)).await.unwrap();
    }

    fn now(&self) -> UnixMillis {
        *self.process.now.lock()
    }

    fn pass(&self, seconds: u64) {
        let mut now = self.process.now.lock();
        *now = *now + Duration::from_secs(seconds);
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Reply { status: parts.status, headers: parts.headers, text, json }
    }

    async fn as_who(&self, who: (&str, &str), method: Method, path: &str, body: Value) -> Reply {
        let path = format!("/mediator/v1{path}");
        self.send(request(method, &path, &basic(who), &body)).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.as_who(LOGIN, Method::GET, path, Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.as_who(LOGIN, Method::POST, path, body).await
    }

    async fn patch(&self, path: &str, body: Value) -> Reply {
        self.as_who(LOGIN, Method::PATCH, path, body).await
    }

    async fn put(&self, path: &str, body: Value) -> Reply {
        self.as_who(LOGIN, Method::PUT, path, body).await
    }

    async fn delete(&self, path: &str) -> Reply {
        self.as_who(LOGIN, Method::DELETE, path, Value::Null).await
    }

    /// With one more header.
    async fn with(&self, method: Method, path: &str, header: (&str, &str), body: Value) -> Reply {
        let path = format!("/mediator/v1{path}");
        let mut request = request(method, &path, &basic(LOGIN), &body);
        let name: axum::http::HeaderName = header.0.parse().unwrap();
        request.headers_mut().insert(name, header.1.parse().unwrap());
        self.send(request).await
    }

    /// A binding that lasts, made as the body says.
    #[track_caller]
    fn lasting(&self, more: Value) -> impl Future<Output = Value> + '_ {
        let mut body = json!({
            "destination_did": "15162065338", "maximum_ttl": -1, "wait_origination_did_ttl": -1,
        });
        if let Value::Object(more) = more {
            for (name, value) in more {
                body[name] = value;
            }
        }
        async move { self.post("/bindings", body).await.ok() }
    }
}

fn number(digits: &str) -> Number {
    Number::from_digits(digits).unwrap()
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_else(|| panic!("no text {field} in {object}"))
}

/// What is made by chance or by the clock, taken out; the shape of it checked.
fn without_chance(mut object: Value) -> Value {
    for field in ["account_sid", "binding_sid", "dialout_sid", "did_sid"] {
        if let Some(value) = object.get_mut(field) {
            let sid: Sid = value.as_str().unwrap().parse().unwrap();
            assert_eq!(sid.to_string().as_bytes()[14], b'4', "version 4");
            *value = json!("sid");
        }
    }
    if let Some(value) = object.get_mut("date_created") {
        let date = value.as_str().unwrap();
        assert!(date.len() == 24 && date.ends_with('Z') && date.as_bytes()[19] == b'.', "{date}");
        *value = json!("date");
    }
    object
}
