//! What is received of a stream: sequence (RFC 3550 §A.1), loss (§A.3) and jitter (§A.8).
//!
//! Any number of synchronisation sources one after the other may be a leg's stream: what was counted of the earlier ones
//! stays in the totals. There is no probation: whose packets count is decided by address before they come here.
//!
//! Deliberately beside the RFC: a repeated packet does not make up for a lost one in [`Reception::lost`], though it does
//! in reports, as they must; and an arrival that is a second off is a clock that was set, not jitter.
#![allow(clippy::cast_precision_loss, reason = "figures for people: six digits are enough")]

use mediator_model::Instant;

use crate::rtcp::ReportBlock;
use crate::rtp::Header;

/// A jump ahead below this is loss.
const MAX_DROPOUT: u16 = 3000;
/// A packet this far behind the latest is late; farther behind it is of a stream that began anew.
const MAX_MISORDER: u16 = 100;
/// Packets behind the latest of which is known whether they came.
const WINDOW: u16 = 128;

/// What a packet is to its stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// The first of its source, or of a source that began anew.
    First,
    /// So many numbers ahead of the latest: 1 where nothing is missing between.
    Ahead(u16),
    /// Behind the latest by so many numbers, for the first time.
    Late(u16),
    /// It was here before.
    Repeated,
    /// Far from all others. The next one of its neighbourhood makes it a new beginning.
    Stray,
}

/// One source's numbers.
#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    /// Number of the first packet.
    base: u32,
    /// The latest number, with wraps counted above 16 bits.
    highest: u32,
    /// The number behind a stray one.
    stray: Option<u16>,
    received: u64,
    repeated: u64,
    /// Bit n: the packet n behind the latest came.
    window: u128,
    /// Expected and received when it was last reported.
    reported: (u64, u64),
}

/// Arrival against timestamp of the latest packet, in ticks.
#[derive(Clone, Copy, Debug)]
struct Transit {
    clock_rate: u32,
    timestamp: u32,
    ticks: u32,
}

/// Counts what is received of a leg.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reception {
    source: Option<Source>,
    transit: Option<Transit>,
    /// Sixteenths of a tick, as §A.8 keeps it.
    jitter: u32,
    reordered: u64,
    /// Expected, and received but for repeated ones, of earlier sources.
    earlier: (u64, u64),
}

impl Reception {
    /// Nothing was received.
    pub const fn new() -> Self {
        Self { source: None, transit: None, jitter: 0, reordered: 0, earlier: (0, 0) }
    }

    /// Counts a packet, whose payload type has so many ticks a second.
    pub fn receive(&mut self, now: Instant, header: &Header, clock_rate: u32) -> Arrival {
        let arrival = match &mut self.source {
            Some(source) if source.ssrc == header.ssrc => source.receive(header.sequence),
            Some(_) | None => Arrival::First,
        };
        match arrival {
            Arrival::First => {
                self.retire();
                self.source = Some(Source::new(header));
            }
            Arrival::Late(_) => self.reordered += 1,
            Arrival::Ahead(_) | Arrival::Repeated | Arrival::Stray => {}
        }
        if matches!(arrival, Arrival::First | Arrival::Ahead(_) | Arrival::Late(_)) {
            self.measure(now, header.timestamp, clock_rate);
        }
        arrival
    }

    /// Packets that did not come, of all sources.
    pub fn lost(&self) -> u64 {
        let (expected, received) = self.totals();
        expected.saturating_sub(received)
    }

    /// Packets that should have come, of all sources.
    pub fn expected(&self) -> u64 {
        self.totals().0
    }

    /// Lost packets of those that should have come, 0 to 1.
    pub fn loss(&self) -> f32 {
        let (expected, received) = self.totals();
        if expected == 0 {
            return 0.0;
        }
        expected.saturating_sub(received) as f32 / expected as f32
    }

    /// Packets that came behind a later one.
    pub const fn reordered(&self) -> u64 {
        self.reordered
    }

    /// Interarrival jitter in milliseconds.
    pub fn jitter_ms(&self) -> f32 {
        let Some(transit) = self.transit else { return 0.0 };
        if transit.clock_rate == 0 {
            return 0.0;
        }
        self.jitter as f32 / 16.0 * 1000.0 / transit.clock_rate as f32
    }

    /// The source that is received; `None`: nothing was.
    pub fn ssrc(&self) -> Option<u32> {
        self.source.map(|source| source.ssrc)
    }

    /// The report block of the source, but for its sender reports; the fraction lost is that since the last one.
    pub fn report(&mut self) -> Option<ReportBlock> {
        let jitter = self.jitter >> 4;
        let source = self.source.as_mut()?;
        let expected = source.expected();
        let (expected_before, received_before) = source.reported;
        source.reported = (expected, source.received);
        let expected_now = expected - expected_before;
        let lost_now = expected_now.saturating_sub(source.received - received_before);
        let fraction = (lost_now << 8).checked_div(expected_now).unwrap_or(0).min(255);
        let lost = expected.cast_signed() - source.received.cast_signed();
        Some(ReportBlock {
            ssrc: source.ssrc,
            fraction_lost: fraction as u8,
            cumulative_lost: lost.clamp(-0x80_0000, 0x7F_FFFF) as i32,
            highest_sequence: source.highest,
            jitter,
            last_sr: 0,
            delay_since_last_sr: 0,
        })
    }

    fn totals(&self) -> (u64, u64) {
        let (expected, received) = self.earlier;
        let now = self.source.map_or((0, 0), |it| (it.expected(), it.received - it.repeated));
        (expected + now.0, received + now.1)
    }

    fn retire(&mut self) {
        self.earlier = self.totals();
        self.source = None;
        self.transit = None;
    }

    /// §A.8, for packets that move on in time: those of one event share a timestamp.
    fn measure(&mut self, now: Instant, timestamp: u32, clock_rate: u32) {
        let arrival = ticks(now, clock_rate);
        let ticks = arrival.wrapping_sub(timestamp);
        let Some(last) = self.transit.filter(|last| last.clock_rate == clock_rate) else {
            self.jitter = rescale(self.jitter, self.transit, clock_rate);
            self.transit = Some(Transit { clock_rate, timestamp, ticks });
            return;
        };
        if last.timestamp == timestamp {
            return;
        }
        self.transit = Some(Transit { clock_rate, timestamp, ticks });
        let difference = ticks.wrapping_sub(last.ticks).cast_signed().unsigned_abs();
        if difference < clock_rate {
            let decay = (self.jitter + 8) >> 4;
            self.jitter = self.jitter + difference - decay;
        }
    }
}

impl Source {
    const fn new(header: &Header) -> Self {
        let number = header.sequence as u32;
        Self {
            ssrc: header.ssrc,
            base: number,
            highest: number,
            stray: None,
            received: 1,
            repeated: 0,
            window: 1,
            reported: (0, 0),
        }
    }

    fn receive(&mut self, sequence: u16) -> Arrival {
        let ahead = sequence.wrapping_sub(self.highest as u16);
        let behind = ahead.wrapping_neg();
        if ahead == 0 {
            self.received += 1;
            self.repeated += 1;
            return Arrival::Repeated;
        }
        if ahead < MAX_DROPOUT {
            self.stray = None;
            self.received += 1;
            self.highest = self.highest.wrapping_add(u32::from(ahead));
            self.window = self.window.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            return Arrival::Ahead(ahead);
        }
        if behind <= MAX_MISORDER {
            return self.receive_late(behind);
        }
        if self.stray == Some(sequence) {
            return Arrival::First;
        }
        self.stray = Some(sequence.wrapping_add(1));
        Arrival::Stray
    }

    fn receive_late(&mut self, behind: u16) -> Arrival {
        debug_assert!(behind < WINDOW, "what may be late is inside the window");
        self.received += 1;
        let bit = 1_u128 << behind;
        if self.window & bit != 0 {
            self.repeated += 1;
            return Arrival::Repeated;
        }
        self.window |= bit;
        // A packet older than the first one that came was sent, too.
        let number = self.highest.wrapping_sub(u32::from(behind));
        if number.wrapping_sub(self.base).cast_signed() < 0 {
            self.base = number;
        }
        Arrival::Late(behind)
    }

    fn expected(&self) -> u64 {
        u64::from(self.highest.wrapping_sub(self.base)) + 1
    }
}

/// The clock in ticks, modulo 2^32.
fn ticks(now: Instant, clock_rate: u32) -> u32 {
    const SECOND: u64 = 1_000_000_000;
    let rate = u64::from(clock_rate);
    let nanos = now.as_nanos();
    ((nanos / SECOND).wrapping_mul(rate).wrapping_add(nanos % SECOND * rate / SECOND)) as u32
}

/// Jitter of one clock in another's ticks.
fn rescale(jitter: u32, from: Option<Transit>, to: u32) -> u32 {
    let Some(from) = from.filter(|from| from.clock_rate != 0) else { return jitter };
    (u64::from(jitter) * u64::from(to) / u64::from(from.clock_rate)).min(u64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests;
