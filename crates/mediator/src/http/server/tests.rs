//! Peers that are slow or silent, and the end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use axum::routing::get;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::*;
use crate::http::TlsFiles;

/// Long enough for a loaded machine.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);

fn bind() -> HttpServer {
    let mut server = HttpServer::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    server.patience = Patience { handshake: SHORT, head: SHORT };
    server
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// Everything until the server closes.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end, too.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn lets_nobody_sit_on_a_connection() {
    let server = bind();
    let address = server.address();
    server.start(Router::new(), None).unwrap();
    for said in ["", "GET / HTTP/1.1\r\nHost:"] {
        let begin = Instant::now();
        let mut stream = connect(address);
        stream.write_all(said.as_bytes()).unwrap();
        rest(stream);
        assert!(begin.elapsed() < LONG / 2, "{said:?}");
    }
}

#[test]
fn lets_nobody_sit_on_a_handshake_and_speaks_no_plain_http_with_tls() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files =
        TlsFiles { certificate: folder.path().join("chain"), key: folder.path().join("key") };
    std::fs::write(&files.certificate, cert.pem()).unwrap();
    std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
    let tls = Arc::new(ReloadableTls::load(&files).unwrap());
    let server = bind();
    let address = server.address();
    assert_eq!(server.announcement(Some(&tls)), format!("listening api https {address}"));
    assert_eq!(server.announcement(None), format!("listening api http {address}"));
    server.start(Router::new(), Some(tls)).unwrap();
    let begin = Instant::now();
    assert_eq!(rest(connect(address)), "");
    let mut stream = connect(address);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert!(!rest(stream).contains("HTTP"));
    assert!(begin.elapsed() < LONG / 2);
}

#[test]
fn refuses_a_head_without_end() {
    let server = bind();
    let address = server.address();
    server.start(Router::new(), None).unwrap();
    let mut stream = connect(address);
    stream.write_all(b"GET / HTTP/1.1\r\nX-Long: ").unwrap();
    // It may close before all of it is sent.
    let _ = stream.write_all(&vec![b'x'; 2 * MAX_HEAD_BYTES]);
    let answer = rest(stream);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

/// A server whose one path answers when it is told to.
struct Slow {
    address: SocketAddr,
    serving: Serving,
    begun: Arc<Notify>,
    go: Arc<Notify>,
}

fn slow() -> Slow {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&begun), Arc::clone(&go));
    let answer = move || async move {
        tell.notify_one();
        wait.notified().await;
        "done"
    };
    let server = bind();
    let address = server.address();
    let serving = server.start(Router::new().route("/", get(answer)), None).unwrap();
    Slow { address, serving, begun, go }
}

#[tokio::test]
async fn answers_what_is_under_way_before_it_ends() {
    let Slow { address, serving, begun, go } = slow();
    let mut idle = connect(address);
    idle.write_all(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut stream = connect(address);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    begun.notified().await;
    let stopping = tokio::spawn(serving.stop(LONG));
    sleep(SHORT).await;
    assert!(!stopping.is_finished());
    assert!(TcpStream::connect(address).is_err(), "no new connections");
    go.notify_one();
    stopping.await.unwrap();
    let answer = rest(stream);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
    assert!(rest(idle).starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn cuts_what_does_not_end_in_time() {
    let Slow { address, serving, begun, go: _go } = slow();
    let mut stream = connect(address);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    begun.notified().await;
    let begin = Instant::now();
    serving.stop(SHORT).await;
    assert!(begin.elapsed() < LONG / 2);
    assert_eq!(rest(stream), "");
}

#[test]
fn a_dropped_handle_stops_nothing() {
    let server = bind();
    let address = server.address();
    drop(server.start(Router::new().route("/", get(|| async { "up" })), None).unwrap());
    let mut stream = connect(address);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert!(rest(stream).ends_with("up"));
}
