//! A web server that callbacks are posted to: it keeps every request, and answers as told.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

/// How long the thread sleeps while nobody connects.
const SLICE: Duration = Duration::from_millis(5);
/// How long a request may take to come in.
const LIMIT: Duration = Duration::from_secs(5);

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Method and target.
    pub start_line: String,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Posted {
    /// The value of the first header field of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Default)]
struct Shared {
    posted: Mutex<Vec<Posted>>,
    statuses: Mutex<VecDeque<u16>>,
    over: AtomicBool,
}

/// The server; dropped, it closes its port.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Listens on `address` (port 0: any), and answers the first requests with `statuses`, all others with 200.
    pub fn start(address: SocketAddr, statuses: &[u16]) -> Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| format!("bind {address}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        shared.statuses.lock().unwrap_or_else(PoisonError::into_inner).extend(statuses);
        let own = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while !own.over.load(Ordering::Relaxed) {
                match listener.accept() {
                    // A client that goes away in the middle is no concern of the next one.
                    Ok((stream, _)) => drop(own.serve(stream)),
                    Err(_) => thread::sleep(SLICE),
                }
            }
        });
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What came in so far.
    pub fn posted(&self) -> Vec<Posted> {
        self.shared.posted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed already.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        let headers: Vec<(String, String)> = lines
            .iter()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut posted = Posted {
            start_line: lines.first().cloned().unwrap_or_default(),
            headers,
            body: Vec::new(),
        };
        let length = posted.header("content-length").context("no Content-Length")?.parse()?;
        posted.body = vec![0; length];
        stream.read_exact(&mut posted.body)?;
        self.posted.lock().unwrap_or_else(PoisonError::into_inner).push(posted);
        let status = self.statuses.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let status = status.unwrap_or(200);
        let answer =
            format!("HTTP/1.1 {status} Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.get_mut().write_all(answer.as_bytes()).context("answer")
    }
}
