//! The HTTP server's thread: accepts, bounds, and ends with the process.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::Semaphore;
use tracing::{debug, warn};

/// The most connections at once; a further one waits in the kernel's queue.
pub const MAX_CONNECTIONS: usize = 256;
/// How long a peer may take for the head of a request, and how long it may stay silent before one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// After a failed accept (out of file descriptors, say): long enough not to spin, short enough to be missed by nobody.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that is bound, so that an occupied port is found before anything starts.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    address: SocketAddr,
}

impl HttpServer {
    /// Listens on `address`; connections wait until [`HttpServer::start`].
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves on a thread of its own until the process ends.
    pub fn start(self, router: Router) -> io::Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let accept = move || {
            runtime.block_on(async move {
                match tokio::net::TcpListener::from_std(self.listener) {
                    Ok(listener) => serve(&listener, &router).await,
                    Err(error) => warn!(%error, "HTTP cannot be served"),
                }
            });
        };
        thread::Builder::new().name("http".to_owned()).spawn(accept)?;
        Ok(())
    }
}

async fn serve(listener: &tokio::net::TcpListener, router: &Router) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                tokio::spawn(async move {
                    converse(stream, router).await;
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

async fn converse(stream: TcpStream, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = served {
        debug!(%error, "an HTTP connection broke");
    }
}
