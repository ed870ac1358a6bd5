//! Messages to send, written line by line into one buffer.
//!
//! No line break can come in through a value: a fold becomes a space, and so does any other CR or LF.

use super::scan::line_break;
use super::{Headers, MAX_MESSAGE_BYTES};
use crate::header::{Class, HeaderName};
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt::{self, Write as _};

/// Room for nearly every message, so that it takes one allocation.
const USUAL_BYTES: usize = 1536;

/// Writes one message, header by header.
///
/// ```
/// use mediator_sip::{HeaderName, Writer};
///
/// let mut writer = Writer::request("OPTIONS", b"sip:example.com");
/// writer.header(HeaderName::CallId, "a84b4c76e66710").header_fmt(HeaderName::CSeq, format_args!("{} OPTIONS", 1));
/// assert!(writer.finish(None).ends_with(b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"));
/// ```
#[derive(Clone, Debug)]
pub struct Writer {
    buffer: Vec<u8>,
}

impl Writer {
    /// Starts a request.
    pub fn request(method: &str, uri: &[u8]) -> Self {
        let mut writer = Self { buffer: Vec::with_capacity(USUAL_BYTES) };
        writer.put_clean(method.as_bytes());
        writer.put(b" ");
        writer.put_clean(uri);
        writer.put(b" SIP/2.0\r\n");
        writer
    }

    /// Starts a response.
    pub fn response(status: u16, reason: &str) -> Self {
        let mut writer = Self { buffer: Vec::with_capacity(USUAL_BYTES) };
        writer.put(b"SIP/2.0 ");
        writer.put_number(status.into());
        writer.put(b" ");
        writer.put_clean(reason.as_bytes());
        writer.put(b"\r\n");
        writer
    }

    /// Adds a header. A folded value is unfolded; any other CR or LF becomes a space.
    pub fn header(&mut self, name: HeaderName, value: impl AsRef<[u8]>) -> &mut Self {
        debug_assert!(name != HeaderName::Other, "a name without a row is written by `other`");
        self.other(name.as_str(), value)
    }

    /// Adds a header from format arguments.
    pub fn header_fmt(&mut self, name: HeaderName, args: fmt::Arguments<'_>) -> &mut Self {
        let start = self.begin(name.as_str());
        self.put_fmt(args);
        self.clean_from(start);
        self.put(b"\r\n");
        self
    }

    /// Adds a header by its text: for names that have no row in the table.
    pub fn other(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Self {
        self.begin(name);
        self.put_clean(value.as_ref());
        self.put(b"\r\n");
        self
    }

    /// Adds every line of that name from another message, in order, as received but unfolded.
    pub fn copy(&mut self, from: &Headers, name: HeaderName) -> &mut Self {
        for value in from.lines(name) {
            self.header(name, value);
        }
        self
    }

    /// Adds Content-Type and Content-Length, the empty line and the body: its type and its bytes.
    pub fn finish(mut self, body: Option<(&str, &[u8])>) -> Bytes {
        let bytes = body.map_or(&[][..], |(_, bytes)| bytes);
        if let Some((content_type, _)) = body {
            self.header(HeaderName::ContentType, content_type);
        }
        self.begin(HeaderName::ContentLength.as_str());
        self.put_number(bytes.len());
        self.put(b"\r\n\r\n");
        self.put(bytes);
        debug_assert!(self.buffer.len() <= MAX_MESSAGE_BYTES, "longer than what a peer reads");
        Bytes::from(self.buffer)
    }

    /// Writes a header's name; gives where its value begins.
    fn begin(&mut self, name: &str) -> usize {
        debug_assert!(!name.is_empty() && Class::TOKEN.holds(name.as_bytes()), "{name:?}");
        self.put(name.as_bytes());
        self.put(b": ");
        self.buffer.len()
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    pub(super) fn put_fmt(&mut self, args: fmt::Arguments<'_>) {
        // Writing to a Vec does not fail; an argument whose Display fails leaves its value cut short.
        let _ = Text(&mut self.buffer).write_fmt(args);
    }

    /// Writes text that may be folded.
    pub(super) fn put_clean(&mut self, text: &[u8]) {
        let Some(at) = line_break(text, 0) else {
            return self.put(text);
        };
        let (mut head, mut tail) = text.split_at_checked(at).unwrap_or((text, &[]));
        loop {
            while let [rest @ .., b' ' | b'\t'] = head {
                head = rest;
            }
            self.put(head);
            let blank = Class::LWS.run(tail);
            debug_assert!(
                tail.starts_with(b"\r\n ") || tail.starts_with(b"\r\n\t"),
                "a line break in a value"
            );
            self.put(b" ");
            tail = tail.get(blank..).unwrap_or_default();
            let end = line_break(tail, 0).unwrap_or(tail.len());
            (head, tail) = tail.split_at_checked(end).unwrap_or((tail, &[]));
            if tail.is_empty() {
                return self.put(head);
            }
        }
    }

    /// Cleans what was written from `start` on.
    fn clean_from(&mut self, start: usize) {
        let written = self.buffer.get(start..).unwrap_or_default();
        if line_break(written, 0).is_some() {
            let dirty = self.buffer.split_off(start);
            self.put_clean(&dirty);
        }
    }

    pub(super) fn put_number(&mut self, number: usize) {
        let mut digits = [b'0'; 20];
        let mut rest = number;
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        self.put(digits.get(digits.len() - used..).unwrap_or_default());
    }
}

/// Formats into bytes.
struct Text<'a>(&'a mut Vec<u8>);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
