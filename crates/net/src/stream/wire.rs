//! The two halves of a connection's socket: what TLS would replace.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};

/// A peer that vanished without a word is noticed after this and three unanswered probes.
const KEEPALIVE_IDLE: Duration = Duration::from_mins(1);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_PROBES: u32 = 3;

/// The reading half; it stays with the connection's task.
pub(super) struct Reader(OwnedReadHalf);

/// The writing half; any thread writes.
pub(super) struct Writer(OwnedWriteHalf);

/// Both halves of a connection that is up.
pub(super) fn halves(stream: TcpStream, unacknowledged: Duration) -> (Reader, Writer) {
    let socket = SockRef::from(&stream);
    let probes = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    // None of these is worth refusing a connection for.
    let _ = stream.set_nodelay(true);
    let _ = socket.set_tcp_keepalive(&probes);
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(unacknowledged));
    #[cfg(not(target_os = "linux"))]
    let _ = unacknowledged;
    let (reader, writer) = stream.into_split();
    (Reader(reader), Writer(writer))
}

/// Opens a connection from `local` (port 0) to `remote`.
pub(super) async fn connect(local: SocketAddr, remote: SocketAddr) -> io::Result<TcpStream> {
    let socket = match remote {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if !local.ip().is_unspecified() {
        socket.bind(local)?;
    }
    socket.connect(remote).await
}

impl Reader {
    /// Reads once into `scratch`; 0 is the end of the stream.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        scratch: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(scratch);
        ready!(Pin::new(&mut self.0).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Ready when the kernel may take bytes again.
    pub(super) fn poll_writable(&self, context: &mut Context<'_>) -> Poll<()> {
        // An error shows at the next write.
        self.0.as_ref().poll_write_ready(context).map(|_| ())
    }
}

impl Writer {
    /// Writes what the kernel takes now; `WouldBlock` when that is nothing.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }
}
