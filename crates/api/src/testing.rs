//! A backend for tests: a store in memory that the catalog follows, a clock that stands still, and a client that calls
//! the router without a socket.

mod store;

use std::collections::HashMap;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use mediator_model::{Number, Secret, Sid, UnixMillis};
use mediator_store::query::{CallQuery, Page};
use mediator_store::record::{
    CallRow, DidRecord, EndpointRecord, EndpointType, LegRow, Object, PartnerRecord, Record,
    TokenRecord, TrunkGroupRecord, TrunkRecord,
};
use mediator_store::{CallDelivery, Calls, Delivery, DeliveryOutcome, Op, ReadError, Write};
use parking_lot::Mutex;
use serde_json::Value;
use tower::ServiceExt;

pub(crate) use self::store::MemoryStore;
use crate::auth::token_hash;
use crate::catalog::Catalog;
use crate::ports::{Backend, Explanation, LegMedia, LiveCall, Process};
use crate::settings::{PublicScheme, Settings};

/// What the clock says at first: 2023-11-14T22:13:20.000Z.
pub(crate) const START: UnixMillis = UnixMillis(1_700_000_000_000);
/// The operator's token.
pub(crate) const TOKEN: &str = "operator-token";
/// The first account's login and password.
pub(crate) const LOGIN: (&str, &str) = ("mediator_login", "mediator_password");

/// The process as tests have it.
#[derive(Debug)]
pub(crate) struct TestProcess {
    pub(crate) now: Mutex<UnixMillis>,
    pub(crate) calls: Mutex<Vec<LiveCall>>,
    pub(crate) heard: Mutex<HashMap<Sid, [LegMedia; 2]>>,
    pub(crate) hung_up: Mutex<Vec<Sid>>,
    pub(crate) explanation: Mutex<Option<Explanation>>,
    /// How often dialouts and deliveries were told of.
    pub(crate) told: Mutex<(u32, u32)>,
}

impl Process for TestProcess {
    fn now(&self) -> UnixMillis {
        *self.now.lock()
    }

    fn live_calls(&self) -> Vec<LiveCall> {
        self.calls.lock().clone()
    }

    fn live_call(&self, call_sid: Sid) -> Option<LiveCall> {
        self.calls.lock().iter().find(|call| call.call_sid == call_sid).cloned()
    }

    fn live_media(&self, calls: Vec<Sid>) -> BoxFuture<'_, HashMap<Sid, [LegMedia; 2]>> {
        let heard = self.heard.lock();
        let known = |sid| Some((sid, *heard.get(&sid)?));
        Box::pin(ready(calls.into_iter().filter_map(known).collect()))
    }

    fn hang_up(&self, call_sid: Sid) {
        self.hung_up.lock().push(call_sid);
    }

    fn explain(&self, _: Option<Number>, _: Number) -> Explanation {
        self.explanation.lock().clone().expect("set by the test")
    }

    fn dialouts_changed(&self) {
        self.told.lock().0 += 1;
    }

    fn deliveries_changed(&self) {
        self.told.lock().1 += 1;
    }
}

/// Call records as tests put them there: not filtered, not ordered.
#[derive(Debug, Default)]
pub(crate) struct TestCalls {
    pub(crate) calls: Mutex<Vec<CallRow>>,
    pub(crate) legs: Mutex<Vec<LegRow>>,
    pub(crate) dead: Mutex<Vec<Delivery>>,
}

fn paged<T: Clone>(all: &[T], offset: u64, limit: u32) -> Page<T> {
    let items: Vec<T> = all.iter().skip(offset as usize).take(limit as usize).cloned().collect();
    let has_more = offset as usize + items.len() < all.len();
    Page { items, total: None, has_more }
}

impl Calls for TestCalls {
    fn append(&self, delivery: CallDelivery) {
        self.calls.lock().extend(delivery.call);
        self.legs.lock().extend(delivery.legs);
    }

    fn calls(&self, query: &CallQuery) -> Result<Page<CallRow>, ReadError> {
        Ok(paged(&self.calls.lock(), query.query.offset, query.query.limit))
    }

    fn legs(&self, query: &CallQuery) -> Result<Page<LegRow>, ReadError> {
        Ok(paged(&self.legs.lock(), query.query.offset, query.query.limit))
    }

    fn call(&self, dr_sid: Sid) -> Result<Option<CallRow>, ReadError> {
        Ok(self.calls.lock().iter().find(|row| row.dr_sid == dr_sid).cloned())
    }

    fn leg(&self, dr_sid: Sid) -> Result<Option<LegRow>, ReadError> {
        Ok(self.legs.lock().iter().find(|row| row.dr_sid == dr_sid).cloned())
    }

    fn purge(&self, _: UnixMillis, _: usize) -> Result<usize, ReadError> {
        Ok(0)
    }

    fn due(&self, _: UnixMillis, _: usize) -> Result<Vec<Delivery>, ReadError> {
        Ok(Vec::new())
    }

    fn next_due(&self) -> Result<Option<UnixMillis>, ReadError> {
        Ok(None)
    }

    fn attempted(&self, _: u64, _: DeliveryOutcome) {}

    fn dead_letters(&self, offset: u64, limit: u32) -> Result<Page<Delivery>, ReadError> {
        let dead = self.dead.lock();
        Ok(Page { total: Some(dead.len() as u64), ..paged(&dead, offset, limit) })
    }
}

/// A world to ask: its parts, and the router over them.
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) process: Arc<TestProcess>,
    pub(crate) backend: Backend,
    pub(crate) router: Router,
}

/// An answer.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// As text; empty where there is none.
    pub(crate) text: String,
    /// As JSON; null where it is none.
    pub(crate) json: Value,
}

impl World {
    /// An operator with [`TOKEN`] and a partner, and nothing else.
    pub(crate) fn empty() -> Self {
        let catalog = Arc::new(Catalog::new());
        let store = Arc::new(MemoryStore::new(Arc::clone(&catalog)));
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
            calls: Arc::new(TestCalls::default()),
            catalog,
            process: Arc::clone(&process) as _,
        };
        let router = crate::router(backend.clone(), settings());
        let world = Self { store, process, backend, router };
        world.put(Record::Partner(Arc::new(partner())));
        world.put(Record::Token(Arc::new(token(TOKEN))));
        world
    }

    /// As [`World::empty`], with the account of [`LOGIN`] (sid 1) and these DIDs of it.
    pub(crate) fn with_account(dids: &[&str]) -> Self {
        let world = Self::empty();
        world.add_account(1, LOGIN, dids);
        world
    }

    /// A mediator endpoint, its trunk group (sid + 1000) with one trunk (sid + 2000), and its DIDs.
    pub(crate) fn add_account(&self, sid: u128, login: (&str, &str), dids: &[&str]) -> Sid {
        self.put(Record::Endpoint(Arc::new(account(sid, login))));
        let group = Sid::from_u128(sid + 1000);
        self.put(Record::TrunkGroup(Arc::new(trunk_group(sid + 1000))));
        self.put(Record::Trunk(Arc::new(trunk(sid + 2000, group, Sid::from_u128(sid)))));
        for (at, number) in dids.iter().enumerate() {
            let did = did(sid * 100_000 + at as u128, number, Some(group));
            self.put(Record::Did(Arc::new(did)));
        }
        Sid::from_u128(sid)
    }

    /// Makes an object; panics where the store refuses it.
    pub(crate) fn put(&self, record: Record) {
        let write = Write::one(self.process.now(), Op::Create(record));
        self.store.apply(write).expect("a free place");
    }

    /// Moves the clock.
    pub(crate) fn pass(&self, time: std::time::Duration) {
        let mut now = self.process.now.lock();
        *now = *now + time;
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let json = serde_json::from_str(&text).unwrap_or_default();
        Answer { status: parts.status, headers: parts.headers, text, json }
    }
}

/// A request from 192.0.2.1 with a JSON body; a null one is none.
pub(crate) fn request(
    method: Method,
    uri: &str,
    authorization: &str,
    body: &Value,
) -> Request<Body> {
    let bytes = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header("Host", "api.example")
        .header("Content-Type", "application/json");
    if !authorization.is_empty() {
        request = request.header("Authorization", authorization);
    }
    let mut request = request.body(bytes).expect("a request");
    let peer: SocketAddr = ([192, 0, 2, 1], 40_000).into();
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

/// `Basic ...`.
pub(crate) fn basic((login, password): (&str, &str)) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{password}")))
}

/// What the operator decided.
pub(crate) fn settings() -> Settings {
    Settings {
        public_scheme: PublicScheme::Http,
        public_base: None,
        listen: ([127, 0, 0, 1], 8080).into(),
        core_username: Some("operator".into()),
        core_password: Some(Secret::new("operator-password")),
    }
}

/// The operator.
pub(crate) fn partner() -> PartnerRecord {
    PartnerRecord {
        sid: Sid::from_u128(900),
        name: "Operator".into(),
        callbacks: Object::new(),
        callbacks_secret: Some(Secret::new("callback-key")),
        attributes: Object::new(),
        date_created: START,
    }
}

/// A token that opens the Core API for ten years.
pub(crate) fn token(text: &str) -> TokenRecord {
    TokenRecord {
        sid: Sid::from_u128(901),
        name: "config".into(),
        access_hash: token_hash(text),
        refresh_hash: None,
        date_created: START,
        access_expires: UnixMillis(START.0 + 315_360_000_000),
        refresh_expires: None,
        scopes: Vec::new(),
    }
}

/// A mediator endpoint.
pub(crate) fn account(sid: u128, (login, password): (&str, &str)) -> EndpointRecord {
    EndpointRecord {
        login: Some(login.into()),
        password: Some(Secret::new(password)),
        ..endpoint(sid, EndpointType::Mediator)
    }
}

/// An endpoint with defaults.
pub(crate) fn endpoint(sid: u128, kind: EndpointType) -> EndpointRecord {
    EndpointRecord {
        sid: Sid::from_u128(sid),
        name: "N/A".into(),
        kind,
        addresses: Vec::new(),
        attributes: Object::new(),
        auth_required: true,
        capacity: 0,
        cps_limit: None,
        out_sip_username: None,
        out_sip_password: None,
        sip_username: None,
        sip_password: None,
        login: None,
        password: None,
        outbound: None,
        number_plus: false,
        transformations: Vec::new(),
        date_created: START,
    }
}

/// A trunk group with defaults.
pub(crate) fn trunk_group(sid: u128) -> TrunkGroupRecord {
    TrunkGroupRecord {
        sid: Sid::from_u128(sid),
        name: "N/A".into(),
        routing_type: "failover".into(),
        routing_data: None,
        hard_failure_codes: "408;".into(),
        hard_failure_threshold: 3,
        hard_failure_interval: 60,
        hard_failure_cooldown: 120,
        hard_failure_last_resort: "first".into(),
        soft_failure_codes: "408;".into(),
        sip_options_threshold: 3,
        options_interval: None,
        lists: Object::new(),
        date_created: START,
    }
}

/// A trunk with defaults.
pub(crate) fn trunk(sid: u128, group: Sid, endpoint: Sid) -> TrunkRecord {
    TrunkRecord {
        sid: Sid::from_u128(sid),
        trunk_group_sid: group,
        name: "N/A".into(),
        endpoint_sid: endpoint,
        priority: 0,
        weight: 0,
        in_capacity: 0,
        out_capacity: 0,
        allow_forward: "disabled".into(),
        extra: Object::new(),
        date_created: START,
    }
}

/// A DID, with the country and formats that its number has.
pub(crate) fn did(sid: u128, digits: &str, group: Option<Sid>) -> DidRecord {
    let phonenumber = Number::from_digits(digits).expect("digits");
    let info = crate::NumberInfo::of(phonenumber);
    DidRecord {
        sid: Sid::from_u128(sid),
        phonenumber,
        trunk_group_sid: group,
        name: "N/A".into(),
        country_code: info.country_code.map(Into::into),
        in_country_format: info.in_country_format,
        international_format: info.international_format,
        attributes: Object::new(),
        string_key_1: None,
        string_key_2: None,
        transformations: Vec::new(),
        date_created: START,
    }
}
