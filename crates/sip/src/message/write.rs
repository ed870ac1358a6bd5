//! Messages to send, written line by line into one buffer.
//!
//! No line break can come in through a value: a fold becomes a space, and so does any other CR or LF.

use super::Headers;
use super::scan::line_break;
use crate::Text;
use crate::header::{Class, HeaderName};
use bytes::Bytes;
use core::fmt;

/// Room for nearly every message, so that it takes one allocation.
const USUAL_BYTES: usize = 1024;

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
    pub(super) text: Text,
}

impl Writer {
    /// Starts a request.
    pub fn request(method: &str, uri: &[u8]) -> Self {
        let mut writer = Self { text: Text::with_capacity(USUAL_BYTES) };
        writer.put_unfolded(method.as_bytes());
        writer.put(b" ");
        writer.put_unfolded(uri);
        writer.put(b" SIP/2.0\r\n");
        writer
    }

    /// Starts a response.
    pub fn response(status: u16, reason: &str) -> Self {
        let mut writer = Self { text: Text::with_capacity(USUAL_BYTES) };
        writer.put(b"SIP/2.0 ");
        writer.text.number(status);
        writer.put(b" ");
        writer.put_unfolded(reason.as_bytes());
        writer.put(b"\r\n");
        writer
    }

    /// Adds a header. A folded value is unfolded; any other CR or LF becomes a space.
    ///
    /// [`HeaderName::Other`] has no text to write: such a line is left out.
    pub fn header(&mut self, name: HeaderName, value: impl AsRef<[u8]>) -> &mut Self {
        if name == HeaderName::Other {
            debug_assert!(false, "a name without a row is written by `other`");
            return self;
        }
        assert_clean(value.as_ref());
        self.line(name, value.as_ref())
    }

    /// Adds a header from format arguments, as [`Writer::header`] does.
    pub fn header_fmt(&mut self, name: HeaderName, args: fmt::Arguments<'_>) -> &mut Self {
        self.header_with(name, |value| {
            value.format(args);
        })
    }

    /// Adds a header whose value is put together piece by piece, as [`Writer::header`] does.
    pub fn header_with(&mut self, name: HeaderName, put: impl FnOnce(&mut Text)) -> &mut Self {
        if name == HeaderName::Other {
            debug_assert!(false, "a name without a row is written by `other`");
            return self;
        }
        let start = self.begin(name);
        put(&mut self.text);
        let value = self.text.as_bytes().get(start..).unwrap_or_default();
        if line_break(value, 0).is_some() {
            let dirty = self.text.split_off(start);
            assert_clean(&dirty);
            self.put_unfolded(&dirty);
        }
        self.put(b"\r\n");
        self
    }

    /// Adds a header by its text: for names that have no row in the table. A name that is no token is a
    /// bug of the caller's, and its line is left out.
    pub fn other(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Self {
        if name.is_empty() || !Class::TOKEN.holds(name.as_bytes()) {
            debug_assert!(false, "no header name: {name:?}");
            return self;
        }
        assert_clean(value.as_ref());
        self.put(name.as_bytes());
        self.put(b": ");
        self.put_unfolded(value.as_ref());
        self.put(b"\r\n");
        self
    }

    /// Adds every line of that name from another message, in order, as received but unfolded.
    pub fn copy(&mut self, from: &Headers, name: HeaderName) -> &mut Self {
        for value in from.lines(name) {
            self.line(name, value);
        }
        self
    }

    /// Adds a whole header line that others have written; whether it is one is seen when it is read.
    #[cfg(feature = "rsip")]
    pub(crate) fn raw_line(&mut self, line: &[u8]) {
        self.put_unfolded(line);
        self.put(b"\r\n");
    }

    /// Adds a line whose value was received, and which may come from a message that was refused.
    pub(super) fn line(&mut self, name: HeaderName, value: &[u8]) -> &mut Self {
        self.begin(name);
        self.put_unfolded(value);
        self.put(b"\r\n");
        self
    }

    /// Adds Content-Type and Content-Length, the empty line and the body: its type and its bytes.
    pub fn finish(mut self, body: Option<(&str, &[u8])>) -> Bytes {
        if let Some((content_type, _)) = body {
            self.header(HeaderName::ContentType, content_type);
        }
        self.finish_body(body.map_or(&[], |(_, bytes)| bytes))
    }

    /// Adds Content-Length, the empty line and a body whose Content-Type has been written.
    pub(crate) fn finish_body(mut self, body: &[u8]) -> Bytes {
        self.begin(HeaderName::ContentLength);
        self.text.number(body.len() as u64);
        self.put(b"\r\n\r\n");
        self.put(body);
        self.text.into_bytes()
    }

    /// Writes a header's name; gives where its value begins.
    fn begin(&mut self, name: HeaderName) -> usize {
        self.put(name.line_start().as_bytes());
        self.text.as_bytes().len()
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.text.put(bytes);
    }

    /// Writes text with each fold, and any other CR and LF, as one space.
    pub(super) fn put_unfolded(&mut self, text: &[u8]) {
        let Some(at) = line_break(text, 0) else {
            return self.put(text);
        };
        let (mut head, mut tail) = text.split_at_checked(at).unwrap_or((text, &[]));
        while !tail.is_empty() {
            while let [rest @ .., b' ' | b'\t'] = head {
                head = rest;
            }
            self.put(head);
            self.put(b" ");
            tail = tail.get(Class::LWS.run(tail)..).unwrap_or_default();
            let end = line_break(tail, 0).unwrap_or(tail.len());
            (head, tail) = tail.split_at_checked(end).unwrap_or((tail, &[]));
        }
        self.put(head);
    }
}

/// A line break that is no fold is a bug of whoever made the value: it is told in a debug build, and
/// written as a space in a release build.
fn assert_clean(value: &[u8]) {
    debug_assert!(
        {
            let mut at = 0;
            loop {
                let Some(found) = line_break(value, at) else { break true };
                match value.get(found..) {
                    Some([b'\r', b'\n', b' ' | b'\t', ..]) => at = found + 2,
                    _ => break false,
                }
            }
        },
        "a line break in a value"
    );
}
