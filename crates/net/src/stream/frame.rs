//! Cutting a stream into messages, as seen from here: whoever reads SIP brings it.

use bytes::Bytes;

/// What stands at the head of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// Not enough yet.
    Incomplete,
    /// One whole message.
    Message(Bytes),
    /// A double CRLF: a single one goes back (RFC 5626 §3.5.1).
    Ping,
    /// A single CRLF.
    Pong,
    /// No message can be found in this stream any more. `answer` is sent where there is one (a 400),
    /// and the connection closed.
    Broken {
        /// The response to what can be read of the request.
        answer: Option<Bytes>,
    },
}

/// Finds messages in a stream. Its limits are its own: it says [`Frame::Broken`] to what is too long.
pub trait FrameReader: Send {
    /// Takes bytes that were read.
    fn push(&mut self, bytes: &[u8]);

    /// The next frame; asked until it says [`Frame::Incomplete`] or [`Frame::Broken`].
    fn poll_frame(&mut self) -> Frame;

    /// Bytes that wait for the rest of their message.
    fn pending_bytes(&self) -> usize;
}
