//! The one-pass reader: bytes in, spans out, one allocation.
//!
//! Reads all that RFC 3261 §7 and §25.1 allow: folding, compact names, white space in front of the
//! colon, unknown methods and headers. A message with a fault is read on to its end all the same, so
//! that a request can be answered; it comes out as [`ParseError`] only, never as a [`Message`].

use super::fault::{Fault, ParseError};
use super::headers::{Headers, Line, Span};
use super::mandatory::Mandatory;
use super::scan::{is_folded, line_end};
use super::{Message, Method, Request, Response};
use crate::header::{Class, HeaderName, Scanner};
use alloc::vec::Vec;
use bytes::Bytes;

/// The longest message that is read, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 65_535;
/// The most header lines that a message may have.
pub const MAX_HEADERS: usize = 256;
/// Room for the lines of nearly every message, so that they take one allocation.
const USUAL_HEADERS: usize = 24;

/// Whether a datagram is a keep-alive: nothing but CR and LF (RFC 5626 §3.5.1) or nothing at all.
pub fn is_keep_alive(datagram: &[u8]) -> bool {
    datagram.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}

pub(super) fn parse(bytes: Bytes) -> Result<Message, ParseError> {
    parse_with(bytes, None)
}

/// Reads a message that is known to have a fault, to see whether it can be answered.
pub(super) fn parse_faulty(bytes: Bytes, fault: Fault) -> ParseError {
    match parse_with(bytes, Some(fault)) {
        Err(error) => error,
        Ok(_) => ParseError::unanswerable(fault),
    }
}

fn parse_with(mut bytes: Bytes, mut fault: Option<Fault>) -> Result<Message, ParseError> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        bytes.truncate(MAX_MESSAGE_BYTES);
        fault.get_or_insert(Fault::TOO_LARGE);
    }
    let mut reader = Reader { text: &bytes, at: 0, fault, content_length: None };
    reader.skip_empty_lines();
    let Some(start) = reader.start_line() else {
        return Err(ParseError::unanswerable(reader.fault.unwrap_or(Fault::START_LINE)));
    };
    let lines = reader.header_lines();
    let body = reader.body();
    let fault = reader.fault;
    bytes.truncate(usize::from(body.end));
    let mandatory = Mandatory::read(&bytes, &lines);
    let headers = Headers { bytes, lines, body, mandatory };
    let message = match start {
        StartLine::Request { method, method_text, uri } => {
            Message::Request(Request { headers, method, method_text, uri })
        }
        StartLine::Response { status, reason } => {
            Message::Response(Response { headers, status, reason })
        }
    };
    match fault {
        None => Ok(message),
        Some(fault) => Err(ParseError::new(fault, message)),
    }
}

enum StartLine {
    Request { method: Method, method_text: Span, uri: Span },
    Response { status: u16, reason: Span },
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// The first fault found.
    fault: Option<Fault>,
    content_length: Option<usize>,
}

impl Reader<'_> {
    fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    fn skip_empty_lines(&mut self) {
        while matches!(self.text.get(self.at), Some(b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Passes to the start of the next line; gives the end of this one.
    fn line_end(&mut self) -> usize {
        let line = line_end(self.text, self.at);
        // A bare CR or LF ends a line for some readers and not for others: what one takes for text
        // must not be a header to another.
        if !line.proper {
            self.fail(if line.next == line.end { Fault::UNFINISHED } else { Fault::LINE_END });
        }
        self.at = line.next;
        line.end
    }

    /// Reads the start line; `None` where it is neither a request's nor a usable response's.
    fn start_line(&mut self) -> Option<StartLine> {
        let start = self.at;
        let end = self.line_end();
        let line = self.text.get(start..end)?;
        if line.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case(b"SIP/")) {
            return self.status_line(line, start);
        }
        let method_length = Class::TOKEN.run(line);
        if method_length == 0 {
            return None;
        }
        let method_text = Span::new(start, start + method_length);
        let method = Method::from_token(method_text.of(self.text));
        // SP stands between the parts and nowhere else, so the last one begins the version.
        let last = line.iter().rposition(|&byte| byte == b' ').unwrap_or(line.len());
        let uri_start = method_length + 1;
        let uri = line.get(uri_start..last).unwrap_or_default();
        let version = line.get(last..).and_then(|tail| tail.strip_prefix(b" ")).unwrap_or_default();
        self.check_version(version);
        match uri {
            [] | [b' ', ..] => self.fail(Fault::REQUEST_LINE),
            _ if line.get(method_length) != Some(&b' ') => self.fail(Fault::REQUEST_LINE),
            _ if uri.iter().any(|byte| Class::LWS.has(*byte)) => self.fail(Fault::URI_SPACE),
            _ => {}
        }
        let uri = Span::new(start + uri_start.min(last), start + last);
        Some(StartLine::Request { method, method_text, uri })
    }

    /// SIP-Version is SIP/2.0, in any case (RFC 3261 §7.1); another number is answered with 505.
    fn check_version(&mut self, version: &[u8]) {
        if version == b"SIP/2.0" || version.eq_ignore_ascii_case(b"SIP/2.0") {
            return;
        }
        let mut scanner = Scanner::new(version);
        let is_version = scanner.take(4).eq_ignore_ascii_case(b"SIP/")
            && scanner.number().is_some()
            && scanner.eat(b'.')
            && scanner.number().is_some()
            && scanner.is_end();
        self.fail(if is_version { Fault::VERSION } else { Fault::REQUEST_LINE });
    }

    /// `SIP/2.0 SP 3DIGIT SP reason`; the SP in front of an empty reason may be missing, as peers send it.
    fn status_line(&mut self, line: &[u8], start: usize) -> Option<StartLine> {
        let Some([b' ', h @ b'1'..=b'6', t @ b'0'..=b'9', o @ b'0'..=b'9', rest @ ..]) =
            line.get(7..)
        else {
            self.fail(Fault::STATUS_LINE);
            return None;
        };
        if !matches!(rest, [] | [b' ', ..]) {
            self.fail(Fault::STATUS_LINE);
            return None;
        }
        let status = u16::from(h - b'0') * 100 + u16::from(t - b'0') * 10 + u16::from(o - b'0');
        if !line.get(..7).is_some_and(|version| version.eq_ignore_ascii_case(b"SIP/2.0")) {
            self.fail(Fault::VERSION);
            return None;
        }
        let reason = Span::new(start + line.len().min(12), start + line.len());
        Some(StartLine::Response { status, reason })
    }

    /// Reads the header lines and the empty line behind them.
    fn header_lines(&mut self) -> Vec<Line> {
        let mut lines = Vec::with_capacity(USUAL_HEADERS);
        loop {
            match self.text.get(self.at..) {
                None | Some([]) => {
                    self.fail(Fault::UNFINISHED);
                    return lines;
                }
                Some([b'\r', b'\n', ..]) => {
                    self.at += 2;
                    return lines;
                }
                Some([b'\n', ..]) => {
                    self.fail(Fault::LINE_END);
                    self.at += 1;
                    return lines;
                }
                Some(_) if lines.len() == MAX_HEADERS => {
                    self.fail(Fault::TOO_MANY_HEADERS);
                    self.skip_to_body();
                    return lines;
                }
                Some(_) => lines.extend(self.header_line()),
            }
        }
    }

    /// Passes the rest of the headers, so that what follows is not taken for them.
    fn skip_to_body(&mut self) {
        while self.at < self.text.len() {
            let start = self.at;
            if self.line_end() == start {
                return;
            }
        }
    }

    /// Reads one header line with its folds; `None` where it is none.
    fn header_line(&mut self) -> Option<Line> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let length = Class::TOKEN.run(rest);
        let (text, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let mut colon = length;
        for byte in after {
            match byte {
                b' ' | b'\t' => colon += 1,
                _ => break,
            }
        }
        let has_colon = rest.get(colon) == Some(&b':');
        if has_colon {
            self.at = start + colon + 1;
        }
        let value = self.folded_value();
        if length == 0 || !has_colon {
            self.fail(Fault::HEADER_LINE);
            return None;
        }
        let name = HeaderName::recognise(text);
        if name == HeaderName::ContentLength {
            self.note_content_length(value);
        }
        Some(Line { name, text: Span::new(start, start + length), value })
    }

    /// Passes the rest of a line and the lines that continue it; gives it without white space around it.
    fn folded_value(&mut self) -> Span {
        let mut start = self.at;
        let mut end = self.line_end();
        while is_folded(self.text, self.at) {
            end = self.line_end();
        }
        let is_lws = |at: usize| self.text.get(at).is_some_and(|byte| Class::LWS.has(*byte));
        while start < end && is_lws(start) {
            start += 1;
        }
        while end > start && is_lws(end - 1) {
            end -= 1;
        }
        Span::new(start, end)
    }

    fn note_content_length(&mut self, value: Span) {
        let digits = value.of(self.text);
        let number = Scanner::new(digits).number().filter(|_| Class::DIGIT.holds(digits));
        match number.map(usize::try_from) {
            // Two of them, even alike, are how one reader's body becomes another's message.
            Some(Ok(_)) if self.content_length.is_some() => self.fail(Fault::LENGTH_TWICE),
            Some(Ok(length)) => self.content_length = Some(length),
            Some(Err(_)) => self.content_length = Some(usize::MAX),
            None => self.fail(Fault::LENGTH),
        }
    }

    /// The body: as long as Content-Length says, or to the end of the datagram (RFC 3261 §18.3).
    fn body(&mut self) -> Span {
        let available = self.text.len() - self.at;
        let length = match self.content_length {
            Some(length) if length > available => {
                self.fail(Fault::LENGTH_BEYOND);
                available
            }
            Some(length) => length,
            None => available,
        };
        Span::new(self.at, self.at + length)
    }
}
