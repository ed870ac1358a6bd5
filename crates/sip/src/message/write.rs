//! Messages to send.

use crate::HeaderName;
use bytes::{Bytes, BytesMut};
use core::fmt;

/// Writes one message, header by header.
#[derive(Debug)]
pub struct Writer {
    _buffer: BytesMut,
}

impl Writer {
    /// Starts a request.
    pub fn request(_method: &str, _uri: &[u8]) -> Self {
        todo!()
    }

    /// Starts a response.
    pub fn response(_status: u16, _reason: &str) -> Self {
        todo!()
    }

    /// Adds a header. A folded value is unfolded; any other CR or LF becomes a space.
    pub fn header(&mut self, _name: HeaderName, _value: impl AsRef<[u8]>) -> &mut Self {
        todo!()
    }

    /// Adds a header from format arguments.
    pub fn header_fmt(&mut self, _name: HeaderName, _args: fmt::Arguments<'_>) -> &mut Self {
        todo!()
    }

    /// Adds a header by its text: for names that have no row in the table.
    pub fn other(&mut self, _name: &str, _value: impl AsRef<[u8]>) -> &mut Self {
        todo!()
    }

    /// Adds Content-Type and Content-Length, the empty line and the body.
    pub fn finish(self, _body: Option<(&str, &[u8])>) -> Bytes {
        todo!()
    }
}
