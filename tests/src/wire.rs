//! A peer that speaks SIP byte by byte, for what no softphone and no scenario would send.
//!
//! Requests are written in full, responses from the request that they answer; what comes in is read by
//! [`Logged`]. Nothing is sent again and nothing is answered by itself.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::child::until;
use crate::sipp::log::{Direction, Logged};

/// How long a message may take to come.
const LIMIT: Duration = Duration::from_secs(10);
/// How long nothing may come where nothing must come.
const SILENCE: Duration = Duration::from_millis(700);
/// How long one read of a stream waits.
const READ_SLICE: Duration = Duration::from_millis(20);

/// A session description of the least kind: one stream of G.711 u.
pub const SDP: &str = "v=0\r\no=callee 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n\
                       t=0 0\r\nm=audio 6000 RTP/AVP 0\r\n";

/// A request in full.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The Request-URI.
    pub uri: &'a str,
    /// Where it comes from: Via, From and Contact.
    pub from: SocketAddr,
    /// Makes the transaction, the dialog and the tag unique.
    pub unique: &'a str,
    /// Further header lines, each with its line end.
    pub extra: &'a str,
}

impl Request<'_> {
    /// The text, for UDP or TCP.
    pub fn text(&self, transport: &str) -> String {
        let Self { method, uri, from, unique, extra } = self;
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {from};branch=z9hG4bK{unique}\r\n\
             From: <sip:14155550100@{from}>;tag={unique}\r\nTo: <{uri}>\r\nCall-ID: {unique}\r\n\
             CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:peer@{from}>\r\n{extra}\
             Content-Length: 0\r\n\r\n"
        )
    }
}

/// A response to `request`, with a To tag of ours, further header lines and a body.
pub fn response(request: &Logged, status: &str, tag: &str, extra: &str, body: &str) -> String {
    let mut text = format!("SIP/2.0 {status}\r\n");
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        for value in request.headers(name) {
            let own = name == "To" && !value.contains(";tag=") && !tag.is_empty();
            let tag = if own { format!(";tag={tag}") } else { String::new() };
            let _ = write!(text, "{name}: {value}{tag}\r\n");
        }
    }
    format!("{text}{extra}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// A UDP socket.
#[derive(Debug)]
pub struct Datagrams {
    socket: UdpSocket,
}

impl Datagrams {
    /// Opens it on `local`.
    pub fn bind(local: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind(local).with_context(|| format!("bind {local}"))?;
        Ok(Self { socket })
    }

    /// Sends one datagram.
    pub fn send(&self, to: SocketAddr, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.socket.send_to(bytes.as_ref(), to).map(drop).context("send")
    }

    /// The next message; none in time is an error.
    pub fn receive(&self) -> Result<Logged> {
        self.wait(LIMIT)?.context("no datagram came")
    }

    /// The next message that `wanted` accepts; others are passed over.
    pub fn receive_where(&self, what: &str, wanted: impl Fn(&Logged) -> bool) -> Result<Logged> {
        let mut passed = Vec::new();
        while let Some(message) = self.wait(LIMIT)? {
            if wanted(&message) {
                return Ok(message);
            }
            passed.push(message.start_line().to_owned());
        }
        bail!("{what}: not among {passed:?}")
    }

    /// Fails where anything comes.
    pub fn hears_nothing(&self) -> Result<()> {
        match self.wait(SILENCE)? {
            Some(message) => bail!("silence wanted:\n{}", message.text),
            None => Ok(()),
        }
    }

    fn wait(&self, limit: Duration) -> Result<Option<Logged>> {
        self.socket.set_read_timeout(Some(limit))?;
        let mut buffer = vec![0; 65_535];
        match self.socket.recv(&mut buffer) {
            Ok(length) => Ok(Some(logged(buffer.get(..length).unwrap_or_default()))),
            Err(error) if is_timeout(&error) => Ok(None),
            Err(error) => Err(error).context("receive"),
        }
    }
}

/// A TCP connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub fn open(to: SocketAddr) -> Result<Self> {
        Self::over(TcpStream::connect(to).with_context(|| format!("connect to {to}"))?)
    }

    /// Waits until somebody connects.
    pub fn accept(listener: &TcpListener) -> Result<Self> {
        listener.set_nonblocking(true)?;
        let stream = until(LIMIT, "a connection", || match listener.accept() {
            Ok((stream, _)) => Ok(Some(stream)),
            Err(error) if is_timeout(&error) => Ok(None),
            Err(error) => Err(error).context("accept"),
        })?;
        stream.set_nonblocking(false)?;
        Self::over(stream)
    }

    fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(READ_SLICE))?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Our end.
    pub fn local(&self) -> Result<SocketAddr> {
        self.stream.local_addr().context("local address")
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.stream.write_all(bytes.as_ref()).context("send")
    }

    /// The next message.
    pub fn receive(&mut self) -> Result<Logged> {
        until(LIMIT, "a message on the stream", || {
            ensure!(!self.read()?, "the connection was closed");
            let end = whole(&self.received)?.filter(|end| *end <= self.received.len());
            Ok(end.map(|end| logged(&self.received.drain(..end).collect::<Vec<_>>())))
        })
    }

    /// Waits until the other end has closed.
    pub fn closed(&mut self) -> Result<()> {
        until(LIMIT, "the end of the connection", || Ok(self.read()?.then_some(())))
    }

    /// Takes in what is there; whether the other end has closed.
    fn read(&mut self) -> Result<bool> {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => Ok(true),
            Ok(length) => {
                self.received.extend_from_slice(buffer.get(..length).unwrap_or_default());
                Ok(false)
            }
            Err(error) if is_timeout(&error) => Ok(false),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(true),
            Err(error) => Err(error).context("receive"),
        }
    }
}

/// How long the first message is, with its body; `None` where its head is not whole yet.
fn whole(bytes: &[u8]) -> Result<Option<usize>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = logged(bytes.get(..end).unwrap_or_default());
    let body: usize = head.header("Content-Length").context("no Content-Length")?.parse()?;
    Ok(Some(end + 4 + body))
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn logged(bytes: &[u8]) -> Logged {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    Logged { direction: Direction::Received, text }
}

/// One HTTP GET without credentials; gives status line and body.
pub fn http_get(to: SocketAddr, path: &str) -> Result<(String, String)> {
    let mut stream = TcpStream::connect(to).with_context(|| format!("connect to {to}"))?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").context("no end of the head")?;
    Ok((head.lines().next().unwrap_or_default().to_owned(), body.to_owned()))
}
