//! The web as it is: slow, endless, going in circles, and not what it says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::stream;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;

/// Loopback is asked by these tests, and it alone.
pub(super) const LOOPBACK: &str = "fetch = { allow = [\"127.0.0.1\"], timeout = \"2s\" }";

/// What a path is answered with.
type Answer = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

/// A web server on loopback.
pub(super) struct Server {
    address: SocketAddr,
    site: Site,
    task: JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Site {
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    asked: Arc<AtomicUsize>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let site = Site::default();
        let router = Router::new().fallback(answer).with_state(site.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, site, task }
    }

    pub(super) fn at(
        &self,
        path: &str,
        answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> String {
        self.site.answers.lock().insert(path.to_owned(), Arc::new(answer));
        format!("http://{}{path}", self.address)
    }

    /// How many requests there were.
    pub(super) fn asked(&self) -> usize {
        self.site.asked.load(Ordering::Relaxed)
    }

    /// Ends it: its port is closed.
    pub(super) async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

async fn answer(State(site): State<Site>, request: Request) -> Response {
    site.asked.fetch_add(1, Ordering::Relaxed);
    let answer = site.answers.lock().get(request.uri().path()).cloned();
    match answer {
        Some(answer) => {
            let mut response = answer(&request);
            if let Some(delay) = response.extensions_mut().remove::<Duration>() {
                sleep(delay).await;
            }
            response
        }
        None => status(404),
    }
}

pub(super) fn status(code: u16) -> Response {
    Response::builder().status(code).body(Body::empty()).unwrap()
}

pub(super) fn file(headers: &[(&'static str, &'static str)], body: Vec<u8>) -> Response {
    let mut response = Response::builder();
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body)).unwrap()
}

fn redirect(to: &str) -> Response {
    Response::builder().status(302).header("location", to).body(Body::empty()).unwrap()
}

async fn length(sounds: &Sounds, url: &str) -> Result<u128, SoundFailure> {
    play(sounds, announcement(url)).await.map(|track| track.length().as_millis())
}

#[tokio::test]
async fn fetches_whatever_it_is_called() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let sounds = service(folder.path(), LOOPBACK);
    let lie = server.at("/a", |_| file(&[("content-type", "text/html")], wav(500)));
    assert_eq!(length(&sounds, &lie).await, Ok(500));
    let page = server.at("/b.wav", |_| {
        file(&[("content-type", "audio/wav")], b"<html>Please log in</html>".to_vec())
    });
    assert_eq!(length(&sounds, &page).await, Err(SoundFailure::Undecoded));
    let nothing = server.at("/c.wav", |_| file(&[], Vec::new()));
    assert_eq!(length(&sounds, &nothing).await, Err(SoundFailure::Undecoded));
    let missing = format!("http://{}/none.wav", server.address);
    assert_eq!(length(&sounds, &missing).await, Err(SoundFailure::Unfetched));
    // An answer that nobody asked for.
    let unchanged = server.at("/d.wav", |_| status(304));
    assert_eq!(length(&sounds, &unchanged).await, Err(SoundFailure::Unfetched));
}

#[tokio::test]
async fn sends_what_a_url_says_and_no_more() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let sounds = service(folder.path(), LOOPBACK);
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let ears = heard.clone();
    let url = server.at("/a.wav", move |request| {
        ears.lock().push(format!("{} {:?}", request.uri(), request.headers().get("authorization")));
        file(&[], wav(500))
    });
    let url = url.replace("http://", "http://user:pass@") + "?token=1";
    assert_eq!(length(&sounds, &url).await, Ok(500));
    // "user:pass" in base64.
    assert_eq!(*heard.lock(), ["/a.wav?token=1 Some(\"Basic dXNlcjpwYXNz\")"]);
}

#[tokio::test]
async fn follows_some_redirects_and_checks_each() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let sounds = service(folder.path(), LOOPBACK);
    let target = server.at("/a.wav", |_| file(&[], wav(500)));
    server.at("/1", |_| redirect("a.wav"));
    server.at("/2", |_| redirect("/1"));
    let absolute = target.replace("/a.wav", "/2");
    let three = server.at("/3", move |_| redirect(&absolute));
    assert_eq!(length(&sounds, &three).await, Ok(500));
    let four = server.at("/4", |_| redirect("/3"));
    assert_eq!(length(&sounds, &four).await, Err(SoundFailure::Unfetched));
    let before = server.asked();
    let circle = server.at("/circle", |_| redirect("/circle"));
    assert_eq!(length(&sounds, &circle).await, Err(SoundFailure::Unfetched));
    assert_eq!(server.asked() - before, 4, "the first and three redirects");
    let port = server.address.port();
    for (path, to) in [
        ("/5", format!("http://127.0.0.2:{port}/a.wav")),
        ("/6", format!("http://[::ffff:127.0.0.2]:{port}/a.wav")),
        ("/7", format!("http://[::1]:{port}/a.wav")),
        ("/8", "file:///etc/passwd".to_owned()),
        ("/9", "ftp://127.0.0.1/a.wav".to_owned()),
        ("/10", "http://".to_owned()),
    ] {
        let url = server.at(path, move |_| redirect(&to));
        let before = server.asked();
        assert_eq!(length(&sounds, &url).await, Err(SoundFailure::Unfetched), "{path}");
        assert_eq!(server.asked() - before, 1, "{path} was not followed");
    }
}

#[tokio::test]
async fn asks_no_address_that_is_not_public() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let sounds = service(folder.path(), "");
    let port = server.address.port();
    server.at("/a.wav", |_| file(&[], wav(500)));
    let hosts = [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
    ];
    for host in hosts {
        let url = format!("http://{host}:{port}/a.wav");
        assert_eq!(length(&sounds, &url).await, Err(SoundFailure::Unfetched), "{host}");
    }
    assert_eq!(server.asked(), 0);
    assert_eq!(metric(&sounds, "mediator_sound_fetches_total{outcome=\"refused\"}"), 5);
    // Three of the seven are the same address, and so the same URL.
    let named = service(folder.path(), "fetch = { allow = [\"localhost\"] }");
    let by_name = format!("http://localhost:{port}/a.wav");
    assert_eq!(length(&named, &by_name).await, Ok(500));
    let by_address = format!("http://127.0.0.1:{port}/a.wav");
    assert_eq!(length(&named, &by_address).await, Err(SoundFailure::Unfetched));
}

#[tokio::test]
async fn a_slow_server_is_given_up() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let sounds = service(folder.path(), "fetch = { allow = [\"127.0.0.1\"], timeout = \"300ms\" }");
    let late = server.at("/late", |_| {
        let mut response = file(&[], wav(500));
        response.extensions_mut().insert(Duration::from_secs(30));
        response
    });
    let drip = server.at("/drip", |_| {
        let drops = stream::unfold(0, |at| async move {
            sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"RIFF")), at + 1))
        });
        Response::new(Body::from_stream(drops))
    });
    server.at("/hops", |_| {
        let mut response = redirect("/hops2");
        response.extensions_mut().insert(Duration::from_millis(200));
        response
    });
    let hops = server.at("/hops2", |_| {
        let mut response = redirect("/hops");
        response.extensions_mut().insert(Duration::from_millis(200));
        response
    });
    for url in [late, drip, hops] {
        let begun = Instant::now();
        assert_eq!(length(&sounds, &url).await, Err(SoundFailure::Unfetched), "{url}");
        let took = begun.elapsed();
        assert!((Duration::from_millis(290)..Duration::from_secs(2)).contains(&took), "{took:?}");
    }
}

#[tokio::test]
async fn a_file_without_end_is_given_up() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let sounds = service(
        folder.path(),
        "fetch = { allow = [\"127.0.0.1\"], max_bytes = \"100KiB\", timeout = \"10s\" }",
    );
    // It says that it has 4 GiB.
    let claimed = server.at("/claimed", |_| {
        let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        Response::builder().header("content-length", "4294967296").body(body).unwrap()
    });
    // It does not say, and has more and more.
    let endless = server.at("/endless", |_| {
        let chunk = Bytes::from(vec![0; 16 * 1024]);
        let chunks = stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
        Response::new(Body::from_stream(chunks))
    });
    for url in [claimed, endless] {
        let begun = Instant::now();
        assert_eq!(length(&sounds, &url).await, Err(SoundFailure::Unfetched), "{url}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{url}");
    }
    let just = server.at("/just", |_| file(&[], wav(6_000)));
    assert_eq!(length(&sounds, &just).await, Ok(6_000));
}

#[tokio::test]
async fn a_server_that_failed_is_left_alone_for_a_while() {
    let (folder, server) = (TempDir::new().unwrap(), Server::start().await);
    let sounds = service(folder.path(), LOOPBACK);
    let url = server.at("/a.wav", |_| status(503));
    for _ in 0..20 {
        assert_eq!(length(&sounds, &url).await, Err(SoundFailure::Unfetched));
    }
    assert_eq!(server.asked(), 1);
    assert_eq!(metric(&sounds, "mediator_sound_fetches_total{outcome=\"failed\"}"), 1);
}
