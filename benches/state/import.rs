//! The import as a client streams it: lines go out while results come in.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::load::plain;
use crate::server::LOGIN;

/// How long nothing may come back.
const SILENCE: Duration = Duration::from_mins(1);
/// Bytes that go out as one chunk.
const CHUNK_BYTES: usize = 64 << 10;

/// Imports `count` bindings from `first` on; every one must be taken.
pub(crate) fn run(to: SocketAddr, first: u32, count: u32) -> Result<()> {
    let stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    let mut out = stream.try_clone()?;
    let writer = thread::spawn(move || write(&mut out, to, first, count));
    let read = read(stream);
    writer.join().expect("the thread does not panic")?;
    let (results, taken) = read?;
    ensure!(results == count && taken == count, "{taken} of {count} taken, {results} results");
    Ok(())
}

fn write(out: &mut TcpStream, to: SocketAddr, first: u32, count: u32) -> Result<()> {
    let pair = STANDARD.encode(format!("{LOGIN}:{LOGIN}"));
    write!(
        out,
        "POST /mediator/v1/bindings/import HTTP/1.1\r\nHost: {to}\r\nAuthorization: Basic {pair}\r\n\
         Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )?;
    let mut chunk = String::new();
    for i in first..first + count {
        chunk.push_str(&plain(i));
        chunk.push('\n');
        if chunk.len() >= CHUNK_BYTES {
            write!(out, "{:x}\r\n{chunk}\r\n", chunk.len())?;
            chunk.clear();
        }
    }
    if !chunk.is_empty() {
        write!(out, "{:x}\r\n{chunk}\r\n", chunk.len())?;
    }
    out.write_all(b"0\r\n\r\n").context("the end of the import")
}

/// Counts results and successes until the server closes. A result cut by a chunk's head would be missed, so that
/// heads are taken out first.
fn read(mut stream: TcpStream) -> Result<(u32, u32)> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).context("read results")?;
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").context("no head")?;
    let (mut rest, mut body) = (bytes.get(head + 4..).unwrap_or_default(), Vec::new());
    let status = String::from_utf8_lossy(bytes.get(..head).unwrap_or_default()).into_owned();
    ensure!(status.starts_with("HTTP/1.1 200"), "{status}\n{}", String::from_utf8_lossy(rest));
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let length = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        let length = usize::from_str_radix(length.trim(), 16).with_context(|| length.clone())?;
        body.extend_from_slice(rest.get(end + 2..end + 2 + length).context("a cut chunk")?);
        rest = rest.get(end + 4 + length..).unwrap_or_default();
    }
    let (mut results, mut taken) = (0, 0);
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let result: serde_json::Value = serde_json::from_slice(line)?;
        results += 1;
        if result.get("status").is_some_and(|status| status == 200) {
            taken += 1;
        } else if results - taken < 5 {
            eprintln!("state: {result}");
        }
    }
    Ok((results, taken))
}
