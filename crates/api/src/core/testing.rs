//! An operator's desk for tests: the Core API over a real store in memory, asked without a socket.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use mediator_model::Sid;
use mediator_store::record::{BindingRecord, Record};
use mediator_store::{
    Calls, Committed, Follower, Location, Op, Refused, SqliteStore, Store, Versioned, Write,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use crate::catalog::Catalog;
use crate::ports::{Backend, Process};
use crate::testing::{self, Answer, START, TOKEN, TestProcess};

struct Following(Arc<Catalog>);

impl Follower for Following {
    fn committed(&self, committed: &Committed) {
        self.0.apply(committed);
    }

    fn claim_failed(&self, _: Sid, _: Option<Versioned<BindingRecord>>) {}
}

/// The desk; made with a partner (sid 900) and a token.
pub(super) struct Office {
    pub(super) store: Arc<SqliteStore>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) process: Arc<TestProcess>,
    router: Router,
    runtime: Runtime,
}

#[allow(clippy::needless_pass_by_value, reason = "requests read better with their bodies in them")]
impl Office {
    pub(super) fn open() -> Self {
        let catalog = Arc::new(Catalog::new());
        let opened = SqliteStore::open(&Location::Memory).unwrap();
        let store = Arc::new(opened.start(Arc::new(Following(Arc::clone(&catalog)))).unwrap());
        let process = Arc::new(TestProcess {
            now: Mutex::new(START),
            calls: Mutex::default(),
            heard: Mutex::default(),
            hung_up: Mutex::default(),
            explanation: Mutex::default(),
            told: Mutex::default(),
        });
        let backend = Backend {
            store: Arc::clone(&store) as _,
            calls: Arc::clone(&store) as _,
            catalog: Arc::clone(&catalog),
            process: Arc::clone(&process) as _,
        };
        let router = crate::router(backend, testing::settings());
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let office = Self { store, catalog, process, router, runtime };
        office.put_record(Record::Partner(Arc::new(testing::partner())));
        office.put_record(Record::Token(Arc::new(testing::token(TOKEN))));
        office
    }

    /// Makes an object behind the API's back.
    pub(super) fn put_record(&self, record: Record) {
        self.write(Op::Create(record)).unwrap();
    }

    pub(super) fn write(&self, op: Op) -> Result<Committed, Refused> {
        let (told, outcome) = std::sync::mpsc::channel();
        let write = Write::one(self.process.now(), op);
        self.store.submit(write, Box::new(move |result| told.send(result).unwrap()));
        outcome.recv().unwrap()
    }

    /// Waits until appended records are there.
    pub(super) fn settle(&self) {
        Store::flush(&*self.store);
    }

    pub(super) fn calls(&self) -> &dyn Calls {
        &*self.store
    }

    pub(super) fn send(&self, request: Request<Body>) -> Answer {
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let json = serde_json::from_str(&text).unwrap_or_default();
            Answer { status: parts.status, headers: parts.headers, text, json }
        })
    }

    /// Asks with headers beside the token.
    pub(super) fn ask_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &Value,
    ) -> Answer {
        let path = format!("/core/v2{path}");
        let mut request = testing::request(method, &path, &format!("Bearer {TOKEN}"), body);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        self.send(request)
    }

    pub(super) fn ask(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.ask_with(method, path, &[], body)
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &Value::Null)
    }

    pub(super) fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, &body)
    }

    pub(super) fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, &body)
    }

    pub(super) fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, &body)
    }

    pub(super) fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, &Value::Null)
    }

    /// Sends a form, with a token or without.
    pub(super) fn form(&self, path: &str, token: Option<&str>, form: &str) -> Answer {
        let path = format!("/core/v2{path}");
        let authorization = token.map(|token| format!("Bearer {token}")).unwrap_or_default();
        let mut request = testing::request(Method::POST, &path, &authorization, &Value::Null);
        let kind = "application/x-www-form-urlencoded".parse().unwrap();
        request.headers_mut().insert("Content-Type", kind);
        *request.body_mut() = Body::from(form.to_owned());
        self.send(request)
    }

    /// Makes an object and gives back its sid.
    pub(super) fn made(&self, path: &str, body: Value, sid: &str) -> String {
        self.post(path, body).ok()[sid].as_str().unwrap().to_owned()
    }

    pub(super) fn carrier(&self) -> String {
        let body = json!({ "type": "system_gateway", "name": "carrier" });
        self.made("/endpoints", body, "endpoint_sid")
    }

    pub(super) fn group(&self) -> String {
        self.made("/trunk_groups", json!({ "name": "group" }), "trunk_group_sid")
    }
}

/// A sid that nobody has.
pub(super) const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

impl Answer {
    /// The body of a success.
    pub(super) fn ok(&self) -> &Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        &self.json
    }

    /// The fields that are named, of an error with this status.
    pub(super) fn blamed(&self, status: u16) -> Vec<&str> {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.json["status"], status, "{}", self.text);
        let errors = self.json["errors"].as_array().unwrap();
        errors.iter().filter_map(|error| error["field"].as_str()).collect()
    }

    /// Fails unless exactly this field is named with this status.
    pub(super) fn blames(&self, status: u16, field: &str) {
        assert_eq!(self.blamed(status), [field], "{}", self.text);
    }
}

/// Fails where `object` lacks a field of `wanted`, or has another value there.
pub(super) fn has(object: &Value, wanted: &Value) {
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(object.get(field), Some(value), "{field} of {object}");
    }
}
