//! A web server of announcements: what it serves is told path by path, good and bad, and it keeps what was asked.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

/// How long the thread sleeps while nobody connects.
const SLICE: Duration = Duration::from_millis(5);
/// How long a request may take to come in.
const LIMIT: Duration = Duration::from_secs(5);
/// How much is sent at a time.
const CHUNK: usize = 16 * 1024;
/// Where a page that never ends is given up, in bytes.
const ENDLESS: usize = 256 * 1024 * 1024;

/// What a path gives.
#[derive(Debug, Clone)]
pub enum Page {
    /// These bytes, with an `ETag`, and 304 to who has them.
    File(Vec<u8>),
    /// These bytes, some of them every tenth of a second, so that all take about so long.
    Slow(Vec<u8>, Duration),
    /// A redirect to that place.
    Redirect(String),
    /// As many bytes are announced, and sent as long as somebody takes them.
    Announced(u64),
    /// Bytes without end, and no length.
    Endless,
    /// The connection is taken, and nothing comes.
    Mute,
    /// An error.
    Status(u16),
}

#[derive(Debug, Default)]
struct Shared {
    pages: Mutex<HashMap<String, Page>>,
    asked: Mutex<Vec<String>>,
    sent: Mutex<u64>,
    over: AtomicBool,
}

/// The server; dropped, it closes its port.
#[derive(Debug)]
pub struct Web {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Web {
    /// Listens on `address`; every path is 404 so far.
    pub fn start(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| format!("bind {address}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while !own.over.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let own = Arc::clone(&own);
                        // Who goes away in the middle has had enough, which is what some tests are about.
                        thread::spawn(move || drop(own.serve(stream)));
                    }
                    Err(_) => thread::sleep(SLICE),
                }
            }
        });
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Serves a page from now on; gives its URL.
    pub fn serve(&self, path: &str, page: Page) -> String {
        lock(&self.shared.pages).insert(path.to_owned(), page);
        format!("http://{}{path}", self.address)
    }

    /// What was asked so far: start lines, those with a condition with ` if-none-match` behind them.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.shared.asked).clone()
    }

    /// How many bytes of bodies were sent so far.
    pub fn sent(&self) -> u64 {
        *lock(&self.shared.sent)
    }
}

impl Drop for Web {
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
        stream.set_write_timeout(Some(LIMIT))?;
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
        let start = lines.first().cloned().unwrap_or_default();
        let known = lines.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("if-none-match").then(|| value.trim().to_owned())
        });
        let mark = if known.is_some() { " if-none-match" } else { "" };
        lock(&self.asked).push(format!("{start}{mark}"));
        let path = start.split(' ').nth(1).unwrap_or_default();
        let page = lock(&self.pages).get(path).cloned().unwrap_or(Page::Status(404));
        self.give(stream.get_mut(), page, known.as_deref())
    }

    fn give(&self, stream: &mut TcpStream, page: Page, known: Option<&str>) -> Result<()> {
        match page {
            Page::File(bytes) => {
                let tag = format!("\"{:x}\"", sum(&bytes));
                if known == Some(&tag) {
                    return head(stream, "304 Not Modified", &format!("ETag: {tag}\r\n"));
                }
                let extra = format!("Content-Length: {}\r\nETag: {tag}\r\n", bytes.len());
                head(stream, "200 OK", &extra)?;
                self.body(stream, &bytes)
            }
            Page::Slow(bytes, whole) => {
                head(stream, "200 OK", &format!("Content-Length: {}\r\n", bytes.len()))?;
                let steps = usize::try_from(whole.as_millis() / 100)?.max(1);
                for part in bytes.chunks(bytes.len().div_ceil(steps).max(1)) {
                    thread::sleep(Duration::from_millis(100));
                    self.body(stream, part)?;
                }
                Ok(())
            }
            Page::Redirect(to) => {
                head(stream, "302 Found", &format!("Location: {to}\r\nContent-Length: 0\r\n"))
            }
            Page::Announced(length) => {
                head(stream, "200 OK", &format!("Content-Length: {length}\r\n"))?;
                self.flood(stream)
            }
            Page::Endless => {
                head(stream, "200 OK", "")?;
                self.flood(stream)
            }
            Page::Mute => {
                while !self.over.load(Ordering::Relaxed) {
                    thread::sleep(SLICE);
                }
                Ok(())
            }
            Page::Status(code) => head(stream, &format!("{code} No"), "Content-Length: 0\r\n"),
        }
    }

    fn body(&self, stream: &mut TcpStream, bytes: &[u8]) -> Result<()> {
        stream.write_all(bytes)?;
        *lock(&self.sent) += bytes.len() as u64;
        Ok(())
    }

    fn flood(&self, stream: &mut TcpStream) -> Result<()> {
        let zeros = vec![0; CHUNK];
        for _ in 0..ENDLESS / CHUNK {
            self.body(stream, &zeros)?;
        }
        Ok(())
    }
}

fn head(stream: &mut TcpStream, status: &str, extra: &str) -> Result<()> {
    let text = format!("HTTP/1.1 {status}\r\n{extra}Connection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).context("answer")
}

/// Tells one content from another (FNV-1a).
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
