//! The HTTP server's thread: accepts, bounds, and ends with the process.

use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt::set_tcp_user_timeout;
use rustix::process::nice;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{self, Handle};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tracing::{debug, warn};

use super::quotes::Quotes;
use super::tls::ReloadableTls;

/// Threads that work on requests; what waits for a disk has threads of its own.
const WORKERS: usize = 2;
/// How far they step back: about a third of a shard's share where both want the same core.
const NICENESS: i32 = 5;
/// The most connections at once; a further one waits in the kernel's queue.
pub const MAX_CONNECTIONS: usize = 256;
/// The largest head of a request, in bytes; a larger one is 431.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// How long bytes of an answer may wait for a peer to take them.
const UNREAD_TIMEOUT: Duration = Duration::from_mins(1);
/// After a failed accept (out of file descriptors, say): long enough not to spin, short enough to be missed by nobody.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long peers may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For the TLS handshake.
    pub(super) handshake: Duration,
    /// For the head of a request, and to stay silent before one.
    pub(super) head: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { handshake: Duration::from_secs(10), head: Duration::from_secs(10) }
    }
}

/// A socket that is bound, so that an occupied port is found before anything starts.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    address: SocketAddr,
    pub(super) patience: Patience,
}

impl HttpServer {
    /// Listens on `address`; connections wait until [`HttpServer::start`].
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, patience: Patience::default() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The line for standard output: `listening api https 192.0.2.1:8443`.
    pub fn announcement(&self, tls: Option<&ReloadableTls>) -> String {
        let scheme = if tls.is_some() { "https" } else { "http" };
        format!("listening api {scheme} {}", self.address)
    }

    /// Serves on threads of its own until [`Serving::stop`], or until the process ends. Handlers find the peer's address
    /// as axum's [`ConnectInfo`].
    pub fn start(self, router: Router, tls: Option<Arc<ReloadableTls>>) -> io::Result<Serving> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("http-worker")
            .on_thread_start(step_back)
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let stop = watch::Sender::new(None);
        let (ended_tx, ended) = watch::channel(());
        let site = Site { router, tls, patience: self.patience, stop: stop.subscribe() };
        let accept = move || {
            runtime.block_on(async move {
                match tokio::net::TcpListener::from_std(self.listener) {
                    Ok(listener) => serve(listener, site).await,
                    Err(error) => warn!(%error, "HTTP cannot be served"),
                }
            });
            // Whoever waits for the end hears it only when nothing of it runs any more.
            drop(runtime);
            drop(ended_tx);
        };
        thread::Builder::new().name("http".to_owned()).spawn(accept)?;
        Ok(Serving { handle, stop, ended })
    }
}

/// A server that runs. Dropping it does not stop it.
#[derive(Debug)]
pub struct Serving {
    handle: Handle,
    stop: watch::Sender<Option<Duration>>,
    ended: watch::Receiver<()>,
}

impl Serving {
    /// The runtime of its thread, for other work that is away from calls; it ends with the server.
    pub fn runtime(&self) -> &Handle {
        &self.handle
    }

    /// Takes no more connections, and waits until the requests under way are answered; those that are not `within` this
    /// time are cut.
    pub async fn stop(mut self, within: Duration) {
        self.stop.send_replace(Some(within));
        // The sender is never used, only dropped.
        let _ = self.ended.changed().await;
    }
}

/// Calls come first: a long list, or a hash of a password, gives way to the shards. On Linux the priority is the thread's.
fn step_back() {
    if let Err(error) = nice(NICENESS) {
        debug!(%error, "HTTP keeps the priority of calls");
    }
}

/// What every connection gets.
#[derive(Clone)]
struct Site {
    router: Router,
    tls: Option<Arc<ReloadableTls>>,
    patience: Patience,
    stop: watch::Receiver<Option<Duration>>,
}

/// Waits until the server shall stop, and gives the time that is left for it. For ever where nobody can say so any more.
async fn stopped(stop: &mut watch::Receiver<Option<Duration>>) -> Duration {
    let within = stop.wait_for(Option::is_some).await.ok().and_then(|within| *within);
    match within {
        Some(within) => within,
        None => pending().await,
    }
}

async fn serve(listener: tokio::net::TcpListener, mut site: Site) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let accepting = site.clone();
    let within = tokio::select! {
        () = accept(&listener, &accepting, &places) => return,
        within = stopped(&mut site.stop) => within,
    };
    drop(listener);
    let all = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
    if timeout(within, places.acquire_many(all)).await.is_err() {
        debug!("HTTP connections are cut");
    }
}

async fn accept(listener: &tokio::net::TcpListener, site: &Site, places: &Arc<Semaphore>) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let site = site.clone();
                tokio::spawn(async move {
                    welcome(stream, peer, site).await;
                    drop(place);
                });
            }
            Err(error) => {
                warn!(%error, "an HTTP connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Shakes hands where TLS is wanted, then converses.
async fn welcome(stream: TcpStream, peer: SocketAddr, mut site: Site) {
    // Answers are written whole: waiting for more to send would only delay them. A socket that refuses is gone anyway.
    let _ = stream.set_nodelay(true);
    // Who reads nothing of an answer must not hold a place for ever (RFC 5482: a window of zero counts, too).
    let _ = set_tcp_user_timeout(&stream, UNREAD_TIMEOUT.as_millis() as u32);
    let Some(tls) = site.tls.take() else { return converse(stream, peer, site).await };
    let shaken = tokio::select! {
        shaken = timeout(site.patience.handshake, tls.acceptor().accept(stream)) => shaken,
        _ = stopped(&mut site.stop) => return,
    };
    match shaken {
        Ok(Ok(stream)) => converse(stream, peer, site).await,
        Ok(Err(error)) => debug!(%error, "a TLS handshake failed"),
        Err(_) => debug!("a TLS handshake took too long"),
    }
}

async fn converse<S>(stream: S, peer: SocketAddr, site: Site)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Site { router, tls: _, patience, mut stop } = site;
    let router = TowerToHyperService::new(router);
    let answer = move |mut request: Request<Incoming>| -> Answer {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Quotes::new(stream)), service_fn(answer));
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        _ = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        debug!(%error, "an HTTP connection broke");
    }
}

/// What a router gives for a request.
type Answer = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

#[cfg(test)]
mod tests;
