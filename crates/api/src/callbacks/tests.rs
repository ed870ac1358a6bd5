//! Delivery against a receiver on loopback that fails, hangs, redirects, is late, and talks too much.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::stream;
use mediator_model::{Secret, Sid, UnixMillis};
use mediator_store::query::{CallQuery, Page};
use mediator_store::record::{CallRow, LegRow};
use mediator_store::{CallDelivery, Calls, Delivery, DeliveryOutcome, ReadError};
use parking_lot::Mutex;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::*;
use crate::callbacks::schedule::LIFETIME;

const BEGIN: UnixMillis = UnixMillis(1_700_000_000_000);
/// Long enough for a loaded machine; nothing waits for it where all is well.
const PATIENCE: Duration = Duration::from_secs(20);
/// Instead of ten seconds.
const SHORT_TIMEOUT: Duration = Duration::from_millis(500);
const SECRET: &str = "callback-key";

/// A store with deliveries only. Outcomes are kept by delivery, oldest first.
#[derive(Default)]
struct FakeCalls {
    deliveries: Mutex<BTreeMap<u64, Delivery>>,
    outcomes: Mutex<Vec<(u64, DeliveryOutcome)>>,
    told: Notify,
}

impl FakeCalls {
    fn put(&self, id: u64, url: &str) {
        let delivery = Delivery {
            id,
            url: url.into(),
            body: format!(r#"{{"id":{id}}}"#).into(),
            dr_sid: Sid::from_random(id.into()),
            created: BEGIN,
            attempts: 0,
            due: Some(BEGIN),
            last_error: None,
        };
        self.deliveries.lock().insert(id, delivery);
    }
}

impl Calls for FakeCalls {
    fn append(&self, _: CallDelivery) {}
    fn calls(&self, _: &CallQuery) -> Result<Page<CallRow>, ReadError> {
        unreachable!("the deliverer reads no records")
    }
    fn legs(&self, _: &CallQuery) -> Result<Page<LegRow>, ReadError> {
        unreachable!("the deliverer reads no records")
    }
    fn call(&self, _: Sid) -> Result<Option<CallRow>, ReadError> {
        unreachable!("the deliverer reads no records")
    }
    fn leg(&self, _: Sid) -> Result<Option<LegRow>, ReadError> {
        unreachable!("the deliverer reads no records")
    }
    fn purge(&self, _: UnixMillis, _: usize) -> Result<usize, ReadError> {
        unreachable!("the deliverer removes nothing")
    }
    fn due(&self, now: UnixMillis, limit: usize) -> Result<Vec<Delivery>, ReadError> {
        let deliveries = self.deliveries.lock();
        let mut due: Vec<Delivery> = deliveries
            .values()
            .filter(|delivery| delivery.due.is_some_and(|due| due <= now))
            .cloned()
            .collect();
        due.sort_by_key(|delivery| delivery.due);
        due.truncate(limit);
        Ok(due)
    }
    fn next_due(&self) -> Result<Option<UnixMillis>, ReadError> {
        Ok(self.deliveries.lock().values().filter_map(|delivery| delivery.due).min())
    }
    fn attempted(&self, id: u64, outcome: DeliveryOutcome) {
        let mut deliveries = self.deliveries.lock();
        match &outcome {
            DeliveryOutcome::Delivered => drop(deliveries.remove(&id)),
            DeliveryOutcome::RetryAt(due, _) => {
                let delivery = deliveries.get_mut(&id).unwrap();
                (delivery.due, delivery.attempts) = (Some(*due), delivery.attempts + 1);
            }
            DeliveryOutcome::Dead(_) => deliveries.get_mut(&id).unwrap().due = None,
        }
        drop(deliveries);
        self.outcomes.lock().push((id, outcome));
        self.told.notify_waiters();
    }
    fn dead_letters(&self, _: u64, _: u32) -> Result<Page<Delivery>, ReadError> {
        unreachable!("the deliverer reads no dead letters")
    }
}

/// One request as it came in.
struct Got {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// What the receiver saw.
#[derive(Default)]
struct Seen {
    got: Mutex<Vec<Got>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
    /// Bytes of endless answers that were taken from it.
    poured: AtomicUsize,
}

async fn receive(
    State(seen): State<Arc<Seen>>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let running = seen.running.fetch_add(1, SeqCst) + 1;
    seen.most_running.fetch_max(running, SeqCst);
    let attempt = seen.got.lock().iter().filter(|got| got.path == path).count();
    seen.got.lock().push(Got { path: path.clone(), headers, body });
    let response = match &*path {
        "fails-twice" if attempt < 2 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "redirects" => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
        "gone" => StatusCode::GONE.into_response(),
        "hangs" => std::future::pending().await,
        "late" => {
            sleep(SHORT_TIMEOUT / 3).await;
            StatusCode::ACCEPTED.into_response()
        }
        "pours" => {
            let drop = Bytes::from_static(&[b'x'; 1024]);
            let endless = stream::unfold(Arc::clone(&seen), move |seen| {
                let drop = drop.clone();
                async move {
                    seen.poured.fetch_add(drop.len(), SeqCst);
                    sleep(Duration::from_micros(100)).await;
                    Some((Ok::<_, std::io::Error>(drop), seen))
                }
            });
            (StatusCode::BAD_GATEWAY, Body::from_stream(endless)).into_response()
        }
        _ => StatusCode::NO_CONTENT.into_response(),
    };
    seen.running.fetch_sub(1, SeqCst);
    response
}

async fn receiver() -> (SocketAddr, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let router = Router::new().route("/{path}", post(receive)).with_state(Arc::clone(&seen));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, seen)
}

/// A deliverer with a clock that the test sets.
struct Scene {
    calls: Arc<FakeCalls>,
    now: Arc<AtomicU64>,
    wake: Wake,
    deliverer: Deliverer,
}

impl Scene {
    fn new() -> Self {
        Self::over(Arc::default())
    }

    fn over(calls: Arc<FakeCalls>) -> Self {
        let now = Arc::new(AtomicU64::new(BEGIN.0));
        let clock = Arc::clone(&now);
        let source = Source {
            calls: Arc::clone(&calls) as Arc<dyn Calls>,
            secret: Box::new(|| Some(Secret::new(SECRET))),
            now: Box::new(move || UnixMillis(clock.load(Ordering::SeqCst))),
        };
        // The environment may name a proxy: the receiver is here.
        let client = post::client_with(|builder| builder.timeout(SHORT_TIMEOUT).no_proxy());
        let wake = Wake::default();
        let deliverer = run(source, wake.clone(), client.unwrap(), &Handle::current());
        Self { calls, now, wake, deliverer }
    }

    fn put(&self, id: u64, url: &str) {
        self.calls.put(id, url);
        self.wake.wake();
    }

    fn advance(&self, by: Duration) {
        self.now.fetch_add(by.as_millis() as u64, SeqCst);
        self.wake.wake();
    }

    /// The outcomes so far, once there are so many.
    async fn outcomes(&self, count: usize) -> Vec<(u64, DeliveryOutcome)> {
        let enough = async {
            loop {
                let told = self.calls.told.notified();
                let outcomes = self.calls.outcomes.lock().clone();
                if outcomes.len() >= count {
                    return outcomes;
                }
                told.await;
            }
        };
        timeout(PATIENCE, enough).await.unwrap_or_else(|_| {
            panic!("{count} outcomes expected, got {:?}", self.calls.outcomes.lock())
        })
    }
}

fn retry(seconds: u64, cause: &str) -> DeliveryOutcome {
    DeliveryOutcome::RetryAt(BEGIN + Duration::from_secs(seconds), cause.into())
}

#[tokio::test]
async fn posts_signed_json_once() {
    let (address, seen) = receiver().await;
    let scene = Scene::new();
    scene.put(7, &format!("http://user:word@{address}/takes"));
    assert_eq!(scene.outcomes(1).await, [(7, DeliveryOutcome::Delivered)]);
    let got = seen.got.lock();
    assert_eq!(got.len(), 1);
    let text = |name: &str| got[0].headers[name].to_str().unwrap();
    assert_eq!(text("content-type"), "application/json");
    assert_eq!(text("authorization"), "Basic dXNlcjp3b3Jk");
    assert_eq!(text("x-mediator-delivery"), Sid::from_random(7).to_string());
    assert!(text("user-agent").starts_with("Mediator/"));
    assert_eq!(got[0].body, r#"{"id":7}"#);
    let signed = signature::signature(&Secret::new(SECRET), 1_700_000_000, r#"{"id":7}"#);
    assert_eq!(text("x-mediator-signature"), signed);
    let counts = scene.deliverer.counts();
    assert_eq!((counts.delivered.load(Relaxed), counts.failed.load(Relaxed)), (1, 0));
}

/// Names of headers have no case, but scripts look for them as they are documented.
#[tokio::test]
async fn writes_the_names_of_headers_as_they_are_documented() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scene = Scene::new();
    scene.put(7, &format!("http://{}/", listener.local_addr().unwrap()));
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = String::new();
    while !request.contains("\r\n\r\n") {
        let mut part = [0; 4096];
        let length = stream.read(&mut part).await.unwrap();
        assert!(length > 0, "{request}");
        request.push_str(std::str::from_utf8(&part[..length]).unwrap());
    }
    for name in ["Content-Type", "X-Mediator-Signature", "X-Mediator-Delivery"] {
        assert!(request.contains(&format!("\r\n{name}: ")), "{request}");
    }
}

#[tokio::test]
async fn tries_again_after_5_s_and_10_s_with_the_same_id() {
    let (address, seen) = receiver().await;
    let scene = Scene::new();
    scene.put(1, &format!("http://{address}/fails-twice"));
    assert_eq!(scene.outcomes(1).await, [(1, retry(5, "answered 500"))]);
    scene.advance(Duration::from_millis(4999));
    sleep(Duration::from_millis(300)).await;
    assert_eq!(seen.got.lock().len(), 1);
    scene.advance(Duration::from_millis(1));
    assert_eq!(scene.outcomes(2).await[1], (1, retry(15, "answered 500")));
    scene.advance(Duration::from_secs(10));
    assert_eq!(scene.outcomes(3).await[2], (1, DeliveryOutcome::Delivered));
    let got = seen.got.lock();
    assert_eq!(got.len(), 3);
    let header = |at: usize, name: &str| got[at].headers[name].to_str().unwrap().to_owned();
    assert_eq!(header(0, "x-mediator-delivery"), header(2, "x-mediator-delivery"));
    // Each attempt is signed with its own time: a receiver may refuse old ones.
    assert_ne!(header(0, "x-mediator-signature"), header(2, "x-mediator-signature"));
}

#[tokio::test]
async fn what_is_no_2xx_in_time_is_no_delivery() {
    let (address, seen) = receiver().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let rows = [
        (format!("http://{address}/gone"), retry(5, "answered 410")),
        (format!("http://{address}/redirects"), retry(5, "answered 302")),
        (format!("http://{address}/hangs"), retry(5, "no answer within 10 s")),
        (format!("http://{address}/late"), DeliveryOutcome::Delivered),
        (
            format!("http://user:hidden@{closed}/x?key=hidden"),
            retry(5, "cannot connect: Connection refused (os error 111)"),
        ),
        (
            "ftp://127.0.0.1/x".to_owned(),
            DeliveryOutcome::Dead("the callback's URL is no http or https URL".into()),
        ),
    ];
    for (url, expected) in rows {
        let scene = Scene::new();
        scene.put(1, &url);
        assert_eq!(scene.outcomes(1).await, [(1, expected)], "{url}");
        scene.deliverer.stop(PATIENCE).await;
    }
    assert!(seen.got.lock().iter().all(|got| got.path != "elsewhere"));
}

#[tokio::test]
async fn reads_little_of_an_endless_answer() {
    let (address, seen) = receiver().await;
    let scene = Scene::new();
    scene.put(1, &format!("http://{address}/pours"));
    assert_eq!(scene.outcomes(1).await, [(1, retry(5, "answered 502"))]);
    // What was read, and what the sockets' buffers took.
    assert!(seen.poured.load(SeqCst) < 8 * 1024 * 1024, "{}", seen.poured.load(SeqCst));
}

#[tokio::test]
async fn gives_up_after_a_day() {
    let (address, _) = receiver().await;
    let scene = Scene::new();
    scene.put(1, &format!("http://{address}/gone"));
    scene.outcomes(1).await;
    let day = LIFETIME.as_secs();
    scene.advance(Duration::from_secs(day - 1));
    assert_eq!(scene.outcomes(2).await[1], (1, retry(day, "answered 410")));
    scene.advance(Duration::from_secs(1));
    assert_eq!(scene.outcomes(3).await[2], (1, DeliveryOutcome::Dead("answered 410".into())));
    assert_eq!(scene.deliverer.counts().dead.load(Relaxed), 1);
}

#[tokio::test]
async fn a_host_that_hangs_holds_up_itself_alone_and_has_four_at_once() {
    let (hanging, seen_hanging) = receiver().await;
    let (quick, seen_quick) = receiver().await;
    let scene = Scene::new();
    for id in 0..40 {
        scene.calls.put(id, &format!("http://{hanging}/hangs"));
    }
    for id in 40..60 {
        scene.calls.put(id, &format!("http://{quick}/takes"));
    }
    scene.wake.wake();
    let outcomes = scene.outcomes(20).await;
    assert!(outcomes.iter().all(|(_, outcome)| *outcome == DeliveryOutcome::Delivered));
    assert_eq!(seen_hanging.got.lock().len(), 4);
    assert!(seen_quick.most_running.load(SeqCst) <= 4);
    scene.outcomes(28).await;
    // Eight were given up; as many as four more may have begun since.
    let begun = seen_hanging.got.lock().len();
    assert!((8..=12).contains(&begun), "{begun} begun");
}

#[tokio::test]
async fn what_was_not_delivered_is_after_a_restart() {
    let (address, seen) = receiver().await;
    let calls = Arc::new(FakeCalls::default());
    let first = Scene::over(Arc::clone(&calls));
    first.put(1, &format!("http://{address}/fails-twice"));
    first.outcomes(1).await;
    first.deliverer.stop(PATIENCE).await;
    calls.put(2, &format!("http://{address}/takes"));
    sleep(Duration::from_millis(200)).await;
    assert_eq!(seen.got.lock().len(), 1, "a stopped deliverer delivers nothing");
    let second = Scene::over(calls);
    assert_eq!(second.outcomes(2).await[1], (2, DeliveryOutcome::Delivered));
    second.advance(Duration::from_secs(5));
    assert_eq!(second.outcomes(3).await[2], (1, retry(15, "answered 500")));
}

#[tokio::test]
async fn its_end_waits_for_attempts_under_way_but_not_for_long() {
    let (address, seen) = receiver().await;
    let scene = Scene::new();
    scene.put(1, &format!("http://{address}/late"));
    let begun = async {
        while seen.got.lock().is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, begun).await.unwrap();
    let Scene { calls, deliverer, .. } = scene;
    deliverer.stop(PATIENCE).await;
    assert_eq!(*calls.outcomes.lock(), [(1, DeliveryOutcome::Delivered)]);

    let scene = Scene::new();
    scene.put(2, &format!("http://{address}/hangs"));
    sleep(Duration::from_millis(100)).await;
    let Scene { calls, deliverer, .. } = scene;
    timeout(SHORT_TIMEOUT / 2, deliverer.stop(Duration::ZERO)).await.unwrap();
    assert!(calls.outcomes.lock().is_empty());
    assert_eq!(calls.deliveries.lock()[&2].attempts, 0, "it is tried again after the next start");
}
