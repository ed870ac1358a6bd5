//! Messages on a stream: RFC 3261 §18.3, keep-alives of RFC 5626 §3.5.1.
//!
//! Incremental: bytes go in as they come, whole messages come out, and no byte is looked at twice for
//! the end of the headers however small the pieces are. On a stream only Content-Length tells where a
//! message ends, so one that cannot be trusted ends the stream. Not for WebSocket, which has frames.

use super::fault::Fault;
use super::parse::{MAX_MESSAGE_BYTES, parse_faulty};
use super::scan::{RawValues, line_break};
use super::{BrokenRequest, ParseError};
use crate::header::{Class, HeaderName, Scanner};
use bytes::{Buf, Bytes, BytesMut};

/// Cuts a stream into messages.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// How far the end of the headers has been looked for.
    scanned: usize,
    /// The whole message's length, once its headers are there.
    expected: Option<usize>,
    /// Whether a CRLF was passed that may be the first half of a ping.
    half_ping: bool,
    broken: bool,
}

/// What a stream brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// One whole message, for [`crate::Message::parse`].
    Message(Bytes),
    /// A double CRLF: the peer wants a single CRLF back (RFC 5626 §3.5.1).
    Ping,
    /// A single CRLF: the answer to our ping, or an empty line between messages.
    Pong,
}

/// Why a stream cannot go on: answer what can be answered, then close the connection.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct FramingError {
    error: ParseError,
}

impl FramingError {
    /// What is wrong.
    pub fn fault(&self) -> Fault {
        self.error.fault()
    }

    /// The request that broke the stream, where it can be answered before the connection is closed.
    pub fn answerable(&self) -> Option<&BrokenRequest> {
        self.error.answerable()
    }
}

impl Framer {
    /// A framer at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes that were read. What is kept is at most [`MAX_MESSAGE_BYTES`] and one piece, as long as
    /// [`Framer::poll_frame`] is asked until it has no more.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Bytes that wait for the rest of their message.
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// The next frame; `None` until more bytes come. After an error there are no more frames.
    pub fn poll_frame(&mut self) -> Result<Option<Frame>, FramingError> {
        if self.scanned == 0 && self.expected.is_none() {
            if let Some(frame) = self.take_keep_alive() {
                return Ok(Some(frame));
            }
            match self.buffer.first() {
                None => {
                    // An idle connection holds no memory.
                    self.buffer = BytesMut::new();
                    return Ok(None);
                }
                Some(b'\r') if self.buffer.len() == 1 || self.buffer.as_ref() == b"\r\n\r" => {
                    return Ok(None);
                }
                Some(first) if !Class::TOKEN.has(*first) => {
                    return Err(self.fail(self.buffer.len(), Fault::START_LINE));
                }
                Some(_) => {}
            }
        }
        let Some(expected) = self.message_length()? else {
            return Ok(None);
        };
        if self.buffer.len() < expected {
            return Ok(None);
        }
        self.expected = None;
        self.scanned = 0;
        self.half_ping = false;
        Ok(Some(Frame::Message(self.buffer.split_to(expected).freeze())))
    }

    /// Takes CRLF and double CRLF in front of a message.
    ///
    /// A lone CRLF is a pong at once, since nothing may follow it; where a second one does, the two were
    /// a ping in two pieces.
    fn take_keep_alive(&mut self) -> Option<Frame> {
        let (length, frame) = match self.buffer.as_ref() {
            [b'\r', b'\n', ..] if self.half_ping => (2, Frame::Ping),
            [b'\r', b'\n', b'\r', b'\n', ..] => (4, Frame::Ping),
            [b'\r', b'\n', b'\r'] => return None,
            [b'\r', b'\n', ..] => (2, Frame::Pong),
            _ => return None,
        };
        self.half_ping = frame == Frame::Pong && self.buffer.len() == length;
        self.buffer.advance(length);
        Some(frame)
    }

    /// The length of the message at the start of the buffer, once its headers are all there.
    fn message_length(&mut self) -> Result<Option<usize>, FramingError> {
        if self.expected.is_some() {
            return Ok(self.expected);
        }
        let head = match self.find_head_end() {
            Some(head) if head <= MAX_MESSAGE_BYTES => head,
            None if self.buffer.len() <= MAX_MESSAGE_BYTES => return Ok(None),
            _ => return Err(self.fail(self.buffer.len(), Fault::TOO_LARGE)),
        };
        let mut lengths = RawValues::of_message(
            self.buffer.get(..head).unwrap_or_default(),
            HeaderName::ContentLength,
        );
        let (first, second) = (lengths.next(), lengths.next());
        let length = match (first, second) {
            (None, _) => Err(Fault::LENGTH_MISSING),
            (Some(_), Some(_)) => Err(Fault::LENGTH_TWICE),
            (Some(digits), None) if !Class::DIGIT.holds(digits) => Err(Fault::LENGTH),
            (Some(digits), None) => Scanner::new(digits).number().ok_or(Fault::LENGTH),
        };
        let expected = length.and_then(|length| {
            usize::try_from(length)
                .ok()
                .and_then(|length| length.checked_add(head))
                .filter(|expected| *expected <= MAX_MESSAGE_BYTES)
                .ok_or(Fault::TOO_LARGE)
        });
        match expected {
            Ok(expected) => {
                self.expected = Some(expected);
                Ok(Some(expected))
            }
            Err(fault) => Err(self.fail(head, fault)),
        }
    }

    /// Where the headers end, the empty line included. Looks on from where it stopped.
    fn find_head_end(&mut self) -> Option<usize> {
        while let Some(at) = line_break(&self.buffer, self.scanned) {
            self.scanned = at;
            let next = match self.buffer.get(at..)? {
                [b'\r', b'\n', ..] => at + 2,
                [b'\r'] => return None,
                // A bare LF ends the line, so that the message comes out and is refused.
                [b'\n', ..] => at + 1,
                _ => {
                    self.scanned = at + 1;
                    continue;
                }
            };
            match self.buffer.get(next..)? {
                [b'\r', b'\n', ..] => return Some(next + 2),
                [b'\n', ..] => return Some(next + 1),
                [] | [b'\r'] => return None,
                _ => self.scanned = next,
            }
        }
        self.scanned = self.buffer.len();
        None
    }

    /// Ends the stream; the first `head` bytes tell whether there is a request to answer.
    fn fail(&mut self, head: usize, fault: Fault) -> FramingError {
        self.broken = true;
        let head = self.buffer.split_to(head.min(self.buffer.len())).freeze();
        self.buffer = BytesMut::new();
        self.scanned = 0;
        self.expected = None;
        FramingError { error: parse_faulty(head, fault) }
    }
}
