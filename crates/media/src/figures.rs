//! What was counted of one leg.

use core::time::Duration;

/// What was counted of one leg: what its peer sent, and what it was sent.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Figures {
    /// The codec that the peer speaks; before it has said anything, the one that it was agreed to like best.
    pub codec: Option<&'static str>,
    /// RTP packets received.
    pub packets: u64,
    /// Payload bytes received.
    pub bytes: u64,
    /// Packets that did not come (RFC 3550 §6.4.1, cumulative number of packets lost; not below 0).
    pub lost: u64,
    /// Packets that came behind a later one.
    pub reordered: u64,
    /// Interarrival jitter in milliseconds (RFC 3550 §6.4.1).
    pub jitter_ms: f32,
    /// Estimated mean opinion score of what was received, 1 to 4.5 (ITU-T G.107); `None`: nothing was.
    pub mos: Option<f32>,
    /// The way there and back, as the last RTCP report tells it.
    pub round_trip: Option<Duration>,
    /// RTP packets sent.
    pub packets_sent: u64,
    /// Packets from another source than the leg's that were refused.
    pub refused: u64,
}
