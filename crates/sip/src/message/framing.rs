//! Messages on a stream: RFC 3261 §18.3, RFC 5626 §3.5.1.

use super::ParseError;
use bytes::{Bytes, BytesMut};

/// Cuts a stream into messages.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
}

/// What a stream brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// One whole message, for [`crate::Message::parse`].
    Message(Bytes),
    /// A double CRLF: the peer wants a single CRLF back (RFC 5626 §3.5.1).
    Ping,
    /// A single CRLF: the answer to our ping, or the space between messages.
    Pong,
}

/// Why a stream cannot go on: answer what can be answered, then close.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct FramingError {
    /// The message that broke the stream.
    pub error: ParseError,
}

impl Framer {
    /// A framer at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes that were read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame; `None` until more bytes come. After an error the stream is of no more use.
    pub fn poll_frame(&mut self) -> Result<Option<Frame>, FramingError> {
        todo!()
    }
}
