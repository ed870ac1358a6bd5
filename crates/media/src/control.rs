//! RTCP of one leg (RFC 3550 §6): what is reported to the peer, and what it reports.
//!
//! Reports go where the peer's come from, or where SDP says, as long as that is the host that its RTP comes from. A peer is
//! heard as often as [`MOST_HEARD`] between two reports of ours; names and all else that it tells are not looked at.

use alloc::string::String;
use core::fmt::Write as _;
use core::net::SocketAddr;
use core::time::Duration;

use mediator_model::Instant;
use smallvec::SmallVec;

use crate::rtcp::{Compound, Part, Report, ReportBlock, SenderInfo, middle, round_trip, units};
use crate::stream::Stream;

/// RFC 3550 §6.2: the least time between two reports on average.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5);
/// Until the first report (RFC 3550 §6.2: half of it).
pub(crate) const FIRST: Duration = Duration::from_millis(2500);
/// Packets read of a peer between two reports of ours.
const MOST_HEARD: u8 = 32;

/// Which reports are to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reports {
    /// Those whose time has come.
    Due,
    /// The last ones: we are gone.
    Last,
}

/// Why a packet was not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// More than its share.
    #[error("too many")]
    TooMany,
    /// No RTCP.
    #[error("malformed")]
    Malformed,
}

/// RTCP of a leg.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    /// Our name there; another on each leg, so that nobody who sees both knows that they belong together.
    name: u64,
    /// Where its RTCP came from last.
    pub(crate) source: Option<SocketAddr>,
    /// The middle of the NTP timestamp of its last sender report, and when that came.
    last_sender_report: Option<(u32, Instant)>,
    pub(crate) round_trip: Option<Duration>,
    heard: u8,
    /// Packets that we had sent at the last report.
    reported: u64,
    /// Something was sent: the peer is told of the end.
    said_something: bool,
}

impl Control {
    pub(crate) const fn new(name: u64) -> Self {
        Self {
            name,
            source: None,
            last_sender_report: None,
            round_trip: None,
            heard: 0,
            reported: 0,
            said_something: false,
        }
    }

    /// Reads what the peer reports; `ours` is the SSRC that it is sent, `theirs` the one that it sends.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        (ours, theirs): (u32, Option<u32>),
        datagram: &[u8],
    ) -> Result<(), Unread> {
        if self.heard >= MOST_HEARD {
            return Err(Unread::TooMany);
        }
        self.heard += 1;
        let compound = Compound::parse(datagram).map_err(|_| Unread::Malformed)?;
        compound.for_each(|part| match part {
            Part::Sender { ssrc, info } if theirs.is_none_or(|theirs| theirs == ssrc) => {
                self.last_sender_report = Some((middle(info.ntp), now));
            }
            Part::Block { block, .. } if block.ssrc == ours => {
                self.round_trip = round_trip(&block, ntp(now)).or(self.round_trip);
            }
            Part::Sender { .. } | Part::Block { .. } | Part::Bye { .. } => {}
        });
        Ok(())
    }

    /// The next report, where there is anything to tell.
    pub(crate) fn report(
        &mut self,
        now: Instant,
        stream: &Stream,
        block: Option<ReportBlock>,
    ) -> Option<SmallVec<[u8; 128]>> {
        self.heard = 0;
        if stream.packets() == 0 && block.is_none() {
            return None;
        }
        let sends = stream.packets() != self.reported;
        self.reported = stream.packets();
        self.said_something = true;
        let block = block.map(|block| self.complete(now, block));
        Some(self.write(stream, sends.then(|| sender(now, stream)), block, Reports::Due))
    }

    /// The last report, where the peer knows of us.
    pub(crate) fn farewell(&self, now: Instant, stream: &Stream) -> Option<SmallVec<[u8; 128]>> {
        if !self.said_something && stream.packets() == 0 {
            return None;
        }
        let sends = stream.packets() != 0;
        Some(self.write(stream, sends.then(|| sender(now, stream)), None, Reports::Last))
    }

    /// Adds which of the peer's own reports came last.
    fn complete(&self, now: Instant, block: ReportBlock) -> ReportBlock {
        match self.last_sender_report {
            Some((last_sr, at)) => {
                ReportBlock { last_sr, delay_since_last_sr: units(now - at), ..block }
            }
            None => block,
        }
    }

    fn write(
        &self,
        stream: &Stream,
        sender: Option<SenderInfo>,
        block: Option<ReportBlock>,
        reports: Reports,
    ) -> SmallVec<[u8; 128]> {
        let mut cname = String::with_capacity(16);
        // Writing to memory cannot fail.
        let _ = write!(cname, "{:016x}", self.name);
        let bye = reports == Reports::Last;
        Report { ssrc: stream.ssrc(), sender, block, cname: &cname, bye }.write()
    }
}

fn sender(now: Instant, stream: &Stream) -> SenderInfo {
    SenderInfo {
        ntp: ntp(now),
        timestamp: stream.timestamp_at(now),
        packets: stream.packets() as u32,
        octets: stream.octets() as u32,
    }
}

/// RFC 3550 §6.4.1: a host without a wall clock may tell the time since it began.
fn ntp(now: Instant) -> u64 {
    let nanos = now.as_nanos();
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    (seconds << 32) | ((rest << 32) / 1_000_000_000)
}
