//! SIPp's message log (`-trace_msg`) and a plain reader of the messages in it.
//!
//! The reader knows neither folding nor several values on a line: it reads what the server under
//! test and SIPp write, for tests to compare. It is not a SIP parser.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The line that opens each entry begins so; a date follows.
const RULE: &str = "----------------------------------------------- ";

/// Which way a message went, as SIPp sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// SIPp sent it.
    Sent,
    /// SIPp received it.
    Received,
}

/// One message of the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Which way it went.
    pub direction: Direction,
    /// The message, with line ends as `\n`.
    pub text: String,
}

impl Logged {
    /// The request line or status line.
    pub fn start_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The status code, where it is a response.
    pub fn status(&self) -> Option<u16> {
        self.start_line().strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()
    }

    /// The method, where it is a request.
    pub fn method(&self) -> Option<&str> {
        let line = self.start_line();
        if line.starts_with("SIP/2.0 ") { None } else { line.split(' ').next() }
    }

    /// The Request-URI, where it is a request.
    pub fn request_uri(&self) -> Option<&str> {
        self.method()?;
        self.start_line().split(' ').nth(1)
    }

    /// The header part.
    pub fn head(&self) -> &str {
        self.text.split_once("\n\n").map_or(self.text.as_str(), |(head, _)| head)
    }

    /// The body.
    pub fn body(&self) -> &str {
        self.text.split_once("\n\n").map_or("", |(_, body)| body)
    }

    /// The values of the headers of that name, in order.
    pub fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.head().lines().skip(1).filter_map(move |line| {
            let (before, value) = line.split_once(':')?;
            before.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The value of the first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }
}

/// Reads a log; a file that is not there yet is a log without messages.
pub fn read(path: &Path) -> Result<Vec<Logged>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    Ok(parse(&String::from_utf8_lossy(&bytes)))
}

/// Reads the text of a log; entries that are no message are left out.
pub fn parse(text: &str) -> Vec<Logged> {
    text.replace("\r\n", "\n").split(RULE).filter_map(entry).collect()
}

fn entry(text: &str) -> Option<Logged> {
    let mut lines = text.splitn(4, '\n');
    let _date = lines.next()?;
    let what = lines.next()?;
    let direction = if what.contains(" message sent ") {
        Direction::Sent
    } else if what.contains(" message received ") {
        Direction::Received
    } else {
        return None;
    };
    let _empty = lines.next()?;
    let message = lines.next()?;
    // One line end belongs to the log, not to the message.
    let message = message.strip_suffix('\n').unwrap_or(message);
    Some(Logged { direction, text: message.to_owned() })
}
