//! What a poller has read and sent.

/// What the sockets of a poller have read and sent since its making. What becomes of a datagram otherwise is counted by
/// whoever decides about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RtpCounts {
    /// Datagrams read.
    pub received: u64,
    /// Datagrams that the kernel took.
    pub sent: u64,
    /// Datagrams for which the kernel's buffer had no room; RTP does not wait.
    pub dropped: u64,
    /// Datagrams that the kernel refused: no route, a firewall's verdict.
    pub refused: u64,
    /// Errors of sockets when reading, ICMP errors among them; reading goes on.
    pub receive_errors: u64,
    /// Wake-ups of the thread.
    pub wake_ups: u64,
}
