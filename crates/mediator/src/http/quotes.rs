//! Lets clients write `"`, `<` and `>` as they are in a request's target: `curl '...?filter=name eq "A"'` does, and the
//! reference's samples do. RFC 3986 wants them percent-encoded and hyper refuses them, so they are encoded on their way in.
//!
//! Invariant: nothing but request lines is touched. Where a head announces a body, how long that is is not worked out here:
//! from there on the connection is passed through as it comes. A request that announces none has none (RFC 9112 §6.3), so the
//! next byte begins a request line.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[cfg(test)]
mod tests;

/// Read at once, in bytes.
const CHUNK: usize = 8 * 1024;
/// Headers that announce a body, in lower case.
const BODY_HEADERS: [&[u8]; 2] = [b"content-length", b"transfer-encoding"];
/// As long as the longest of them.
const LONGEST: usize = 17;

/// A connection whose request lines are put right.
pub(super) struct Quotes<S> {
    stream: S,
    encoder: Encoder,
    /// Encoded, and not handed over yet.
    ready: Vec<u8>,
    /// How much of it was handed over.
    taken: usize,
}

impl<S> Quotes<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, encoder: Encoder::default(), ready: Vec::new(), taken: 0 }
    }

    /// Hands over what is ready; whether there was something.
    fn hand_over(&mut self, into: &mut ReadBuf<'_>) -> bool {
        let left = self.ready.get(self.taken..).unwrap_or_default();
        let now = left.get(..left.len().min(into.remaining())).unwrap_or_default();
        into.put_slice(now);
        self.taken += now.len();
        let was_some = !now.is_empty();
        if self.taken >= self.ready.len() {
            self.ready = Vec::new();
            self.taken = 0;
        }
        was_some
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Quotes<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if into.remaining() == 0 || self.hand_over(into) {
            return Poll::Ready(Ok(()));
        }
        if self.encoder.place == Place::Body {
            return Pin::new(&mut self.stream).poll_read(context, into);
        }
        let mut chunk = [0; CHUNK];
        let mut read = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
        let this = &mut *self;
        this.encoder.encode(read.filled(), &mut this.ready);
        this.hand_over(into);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Quotes<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Where in a request the next byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Place {
    #[default]
    RequestLine,
    Headers,
    /// In one, or behind it: not known here.
    Body,
}

/// Follows requests byte by byte.
#[derive(Debug, Default)]
struct Encoder {
    place: Place,
    /// How the line begins, in lower case, without CR.
    line: Vec<u8>,
    /// Whether a header of this head announces a body.
    has_body: bool,
}

impl Encoder {
    fn encode(&mut self, bytes: &[u8], into: &mut Vec<u8>) {
        into.reserve(bytes.len());
        for (at, byte) in bytes.iter().enumerate() {
            match (self.place, byte) {
                (Place::Body, _) => {
                    return into.extend_from_slice(bytes.get(at..).unwrap_or_default());
                }
                (Place::RequestLine, b'"') => into.extend_from_slice(b"%22"),
                (Place::RequestLine, b'<') => into.extend_from_slice(b"%3C"),
                (Place::RequestLine, b'>') => into.extend_from_slice(b"%3E"),
                _ => into.push(*byte),
            }
            match byte {
                b'\n' => self.end_line(),
                b'\r' => {}
                _ if self.line.len() < LONGEST => self.line.push(byte.to_ascii_lowercase()),
                _ => {}
            }
        }
    }

    fn end_line(&mut self) {
        let is_empty = self.line.is_empty();
        match self.place {
            // Empty lines before a request are skipped (RFC 9112 §2.2).
            Place::RequestLine if is_empty => {}
            Place::RequestLine => self.place = Place::Headers,
            Place::Headers if is_empty => {
                self.place = if self.has_body { Place::Body } else { Place::RequestLine };
            }
            Place::Headers => {
                self.has_body |= BODY_HEADERS.iter().any(|name| self.line.starts_with(name));
            }
            Place::Body => {}
        }
        self.line.clear();
    }
}
