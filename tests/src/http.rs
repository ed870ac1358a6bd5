//! An HTTP/1.1 client over one connection, which says exactly what it is told to and repeats nothing.
//!
//! A client that answers for itself (retries, redirects, a cookie jar) would hide what the server does, and one
//! that hides the connection cannot tell an answer that never came from one that was not waited for. So this is a
//! hundred lines over a socket: requests byte by byte, answers with `Content-Length` or chunks, no TLS.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);
/// The longest answer that is read, in bytes.
const LARGEST: usize = 1 << 30;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of the first header field of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection; closed by the server (after an answer that says so, or for its idleness) it opens another for the
/// next request.
#[derive(Debug)]
pub struct Http {
    to: SocketAddr,
    open: Option<BufReader<TcpStream>>,
}

impl Http {
    /// A client of `to`; it connects with the first request.
    pub fn new(to: SocketAddr) -> Self {
        Self { to, open: None }
    }

    /// Sends a request with a `Host`, these header fields and, where there is a body, its length; gives the answer.
    /// Not repeated where it fails, and the connection is given up then.
    pub fn exchange(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer> {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.to);
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if let Some(body) = body {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body.unwrap_or_default());
        self.raw(&bytes, method == "HEAD")
    }

    /// Sends bytes and reads one answer.
    pub fn raw(&mut self, bytes: &[u8], bodiless: bool) -> Result<Answer> {
        let mut stream = match self.open.take() {
            Some(stream) if is_open(stream.get_ref())? => stream,
            _ => connect(self.to)?,
        };
        // A server may refuse a long body before it has read all of it: its answer is there all the same.
        let sent = stream.get_mut().write_all(bytes);
        let answer = match read_answer(&mut stream, bodiless) {
            Ok(answer) => answer,
            Err(error) => {
                sent.context("send")?;
                return Err(error);
            }
        };
        let close = answer.header("connection").is_some_and(|value| value == "close");
        if sent.is_ok() && !close {
            self.open = Some(stream);
        }
        Ok(answer)
    }
}

/// A connection that sends at once what it is given.
fn connect(to: SocketAddr) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(to).with_context(|| format!("connect to {to}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    Ok(BufReader::new(stream))
}

/// Whether the server has neither closed a connection on which nothing is due, nor said anything there unasked.
fn is_open(stream: &TcpStream) -> Result<bool> {
    stream.set_nonblocking(true)?;
    let met = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(met.is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
}

/// Reads one answer; `bodiless` where a body is announced that does not follow (HEAD).
fn read_answer(stream: &mut BufReader<TcpStream>, bodiless: bool) -> Result<Answer> {
    loop {
        let (status, headers) = read_head(stream)?;
        if status == 100 {
            continue;
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if bodiless || status == 204 || status == 304 {
            return Ok(answer);
        }
        let chunked = answer.header("transfer-encoding").is_some_and(|value| value == "chunked");
        if chunked {
            while let Some(chunk) = read_chunk(stream)? {
                answer.body.extend_from_slice(&chunk);
            }
        } else if let Some(length) = answer.header("content-length") {
            let length: usize = length.parse().context("Content-Length is no number")?;
            answer.body = read_exactly(stream, length)?;
        } else {
            stream.read_to_end(&mut answer.body)?;
            answer.headers.push(("connection".to_owned(), "close".to_owned()));
        }
        return Ok(answer);
    }
}

/// The status and the header fields.
fn read_head(stream: &mut BufReader<TcpStream>) -> Result<(u16, Vec<(String, String)>)> {
    let start = read_line(stream)?;
    let status = start.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.with_context(|| format!("no status line: {start:?}"))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            return Ok((status, headers));
        }
        let (name, value) = line.split_once(':').with_context(|| format!("no header: {line:?}"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// One chunk (RFC 9112 section 7.1); `None` is the last one.
fn read_chunk(stream: &mut BufReader<TcpStream>) -> Result<Option<Vec<u8>>> {
    let line = read_line(stream)?;
    let length =
        usize::from_str_radix(line.trim(), 16).with_context(|| format!("chunk {line:?}"))?;
    let chunk = read_exactly(stream, length)?;
    let end = read_line(stream)?;
    if !end.is_empty() {
        bail!("{end:?} behind a chunk");
    }
    Ok((length > 0).then_some(chunk))
}

fn read_exactly(stream: &mut BufReader<TcpStream>, length: usize) -> Result<Vec<u8>> {
    if length > LARGEST {
        bail!("an answer of {length} bytes");
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).context("the answer ends early")?;
    Ok(bytes)
}

/// A line without its end.
fn read_line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).context("read")?;
    let line = line.strip_suffix(b"\r\n").context("the connection was closed")?;
    Ok(String::from_utf8_lossy(line).into_owned())
}
