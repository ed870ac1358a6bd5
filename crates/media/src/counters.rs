//! What a relay has counted over all of its sessions, for metrics.

/// Counts since the relay began; none goes down but `sessions`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Sessions that are open now.
    pub sessions: u64,
    /// Sessions that were ever opened.
    pub opened: u64,
    /// RTP packets received that were taken.
    pub packets: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
    /// RTP packets handed on to the other side.
    pub forwarded: u64,
    /// Of these, packets whose payload was rewritten from one law of G.711 to the other.
    pub transcoded: u64,
    /// RTP packets of our own: sounds, silence and DTMF.
    pub generated: u64,
    /// Packets from another source than the leg's.
    pub refused: u64,
    /// Datagrams that are neither RTP nor RTCP, or lie about their own length.
    pub malformed: u64,
    /// RTP packets of a payload type that was not agreed on, or that the other side does not take.
    pub unroutable: u64,
    /// RTP packets that came so far from the one before that they were left out (RFC 3550 A.1), or too late to be put in
    /// their place.
    pub misplaced: u64,
    /// Packets that were not sent: they would have gone to a media socket of ours, or to no host's.
    pub forbidden: u64,
    /// RTCP packets read.
    pub rtcp: u64,
    /// RTCP packets left unread: more than a session's share, or malformed.
    pub rtcp_ignored: u64,
    /// RTCP packets sent.
    pub rtcp_sent: u64,
    /// Keys told.
    pub keys: u64,
    /// Keys that came faster than anybody presses them.
    pub keys_ignored: u64,
    /// Sounds that ended unplayed.
    pub sounds_failed: u64,
}
