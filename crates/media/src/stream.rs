//! The RTP stream that a leg is sent: one SSRC, whatever its sources are.
//!
//! A source is the peer, one of its SSRCs at a time, or we ourselves (sounds, silence, DTMF). Where the source changes, the
//! sequence goes on by one and the timestamp by the time that has passed, at least by what the last packet lasts, and the
//! first packet is marked (RFC 3550 §5.1). Within a peer's source the order, the losses and the timestamps are the peer's:
//! a gap of its sequence is a gap of ours. What we leave out ourselves leaves no gap.
//!
//! Invariant: no sequence number is given twice; what the peer repeats is left out.

use core::time::Duration;

use mediator_model::Instant;

use crate::reception::Arrival;

#[cfg(test)]
mod tests;

/// What is further behind than this does not come any more: [`Reception`](crate::reception::Reception) has it as a stray.
const FURTHEST_BEHIND: i32 = 100;
/// What a packet lasts as long as nothing better is known.
const USUAL_PACKET: Duration = Duration::from_millis(20);
/// A packet that lasts longer is a pause.
const LONGEST_PACKET: Duration = Duration::from_millis(120);
/// A source that was away keeps its place in our time, where it is no further off than this.
const PLACE_TOLERANCE: Duration = Duration::from_millis(60);

/// The numbers of one RTP packet that comes from a peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Incoming {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    /// What it is to its own stream.
    pub(crate) arrival: Arrival,
}

/// The numbers of one RTP packet of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stamp {
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    /// The first of a source: the marker is set.
    pub(crate) begins: bool,
}

/// Who the last packet came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    /// Nobody, or somebody who was interrupted: what comes next begins.
    Nobody,
    /// The peer whose SSRC [`Splice`] names.
    Peer,
    /// We.
    Own,
}

/// How the numbers of a peer become ours.
#[derive(Clone, Copy, Debug, Default)]
struct Splice {
    ssrc: u32,
    /// The timestamp that came with its highest sequence number.
    last_timestamp: u32,
    sequence_offset: u16,
    timestamp_offset: u32,
    /// Ticks a second of what it sends.
    clock_rate: u32,
    /// Our sequence numbers below this are somebody else's; looked at while it is near.
    floor: Option<u16>,
}

/// The stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    ssrc: u32,
    source: Source,
    /// The highest sequence number sent.
    sequence: u16,
    /// Its timestamp.
    timestamp: u32,
    /// When it was sent or, if it is ours, due.
    at: Instant,
    /// How many ticks it lasts.
    span: u32,
    clock_rate: u32,
    splice: Splice,
    /// An event whose clock is another: its timestamp as it comes, and as it goes.
    event: Option<(u32, u32)>,
    packets: u64,
    octets: u64,
}

impl Stream {
    /// A stream that begins at random numbers (RFC 3550 §5.1).
    pub(crate) fn new(random: u64, now: Instant) -> Self {
        let mix = random.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self {
            ssrc: (random >> 32) as u32,
            source: Source::Nobody,
            sequence: random as u16,
            timestamp: (mix >> 32) as u32,
            at: now,
            span: 0,
            clock_rate: 8000,
            splice: Splice::default(),
            event: None,
            packets: 0,
            octets: 0,
        }
    }

    pub(crate) const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Packets sent.
    pub(crate) const fn packets(&self) -> u64 {
        self.packets
    }

    /// Payload bytes sent.
    pub(crate) const fn octets(&self) -> u64 {
        self.octets
    }

    /// The timestamp of `now` (RFC 3550 §6.4.1, sender reports).
    pub(crate) fn timestamp_at(&self, now: Instant) -> u32 {
        self.timestamp.wrapping_add(ticks(now - self.at, self.clock_rate))
    }

    /// Counts a packet that is on its way.
    pub(crate) fn count(&mut self, payload_bytes: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload_bytes as u64);
    }

    /// The source is gone or not to be heard: what comes next begins.
    pub(crate) const fn interrupt(&mut self) {
        self.source = Source::Nobody;
    }

    /// A packet of the peer is not heard: what it sends next begins.
    pub(crate) fn interrupt_peer(&mut self) {
        if self.source == Source::Peer {
            self.source = Source::Nobody;
        }
    }

    /// The numbers of the next packet of our own that is due at `due` and lasts so many ticks.
    pub(crate) fn own(&mut self, due: Instant, clock_rate: u32, span: u32) -> Stamp {
        let begins = self.source != Source::Own;
        let timestamp = self.next_timestamp(due, clock_rate);
        self.source = Source::Own;
        self.sequence = self.sequence.wrapping_add(1);
        self.advance(due, timestamp, clock_rate, span);
        Stamp { sequence: self.sequence, timestamp, begins }
    }

    /// The numbers of the first packet of an event of our own that began then and lasts so long. Its timestamp is of the
    /// clock that the stream has had so far, so that it stays one line.
    pub(crate) fn own_event(&mut self, began: Instant, lasts: Duration, clock_rate: u32) -> Stamp {
        let clock_rate = if self.packets == 0 { clock_rate } else { self.clock_rate };
        self.own(began, clock_rate, ticks(lasts, clock_rate))
    }

    /// The numbers of one more packet of that event; `None`: its first was not sent.
    pub(crate) fn own_again(&mut self) -> Option<Stamp> {
        if self.source != Source::Own {
            return None;
        }
        self.sequence = self.sequence.wrapping_add(1);
        Some(Stamp { sequence: self.sequence, timestamp: self.timestamp, begins: false })
    }

    /// The numbers of a peer's packet of audio, or `None`: it has no place in the stream.
    pub(crate) fn forward(
        &mut self,
        now: Instant,
        incoming: Incoming,
        clock_rate: u32,
    ) -> Option<Stamp> {
        let goes_on = self.continues(incoming) && clock_rate == self.splice.clock_rate;
        let sequence = incoming.sequence.wrapping_add(self.splice.sequence_offset);
        let timestamp = incoming.timestamp.wrapping_add(self.splice.timestamp_offset);
        match incoming.arrival {
            Arrival::First => return Some(self.begin(now, incoming, clock_rate)),
            Arrival::Ahead(_) if !goes_on => return Some(self.begin(now, incoming, clock_rate)),
            Arrival::Ahead(ahead) => {
                let lasts = incoming.timestamp.wrapping_sub(self.splice.last_timestamp);
                let is_length = (1..=ticks(LONGEST_PACKET, clock_rate)).contains(&lasts);
                let span = if ahead == 1 && is_length { lasts } else { self.span };
                self.splice.last_timestamp = incoming.timestamp;
                self.sequence = sequence;
                self.advance(now, timestamp, clock_rate, span);
                self.lower_floor();
            }
            Arrival::Late(_) => {
                let floor = self.splice.floor;
                if !goes_on || floor.is_some_and(|floor| distance(floor, sequence) < 0) {
                    return None;
                }
            }
            Arrival::Repeated | Arrival::Stray => return None,
        }
        Some(Stamp { sequence, timestamp, begins: false })
    }

    /// The numbers of a peer's packet of an event with timestamps like those of its audio: beside a clock rate of its own
    /// the source stays one.
    pub(crate) fn forward_beside(
        &mut self,
        now: Instant,
        incoming: Incoming,
        clock_rate: u32,
    ) -> Option<Stamp> {
        let rate = if self.continues(incoming) { self.splice.clock_rate } else { clock_rate };
        self.forward(now, incoming, rate)
    }

    /// The numbers of a peer's packet of an event whose clock rate is not that of our events: its timestamp is where the
    /// stream was when it began.
    pub(crate) fn forward_event(
        &mut self,
        now: Instant,
        incoming: Incoming,
        clock_rate: u32,
    ) -> Option<Stamp> {
        let known = self.event.filter(|(from, _)| *from == incoming.timestamp);
        if known.is_none() && matches!(incoming.arrival, Arrival::Late(_)) {
            // Of an event that is over: under another timestamp it would be a press of its own.
            return None;
        }
        let begins_at = self.next_timestamp(now, self.clock_rate);
        let was_at = (self.at, self.timestamp, self.span);
        // Its place in the sequence is like that of any other packet.
        let mut stamp = self.forward_beside(now, incoming, clock_rate)?;
        (self.at, self.timestamp, self.span) = was_at;
        stamp.timestamp = known.map_or(begins_at, |(_, to)| to);
        self.event = Some((incoming.timestamp, stamp.timestamp));
        Some(stamp)
    }

    /// A peer's packet is left out by us: its number is not missed.
    pub(crate) fn skip(&mut self, incoming: Incoming) {
        if !self.continues(incoming) {
            return;
        }
        match incoming.arrival {
            Arrival::First => self.interrupt_peer(),
            Arrival::Ahead(_) => {
                self.splice.floor = Some(self.sequence.wrapping_add(1));
                self.splice.sequence_offset = self.splice.sequence_offset.wrapping_sub(1);
                // A gap before it stays a gap.
                self.sequence = incoming.sequence.wrapping_add(self.splice.sequence_offset);
            }
            Arrival::Late(_) | Arrival::Repeated | Arrival::Stray => {}
        }
    }

    /// Whether the packet belongs to the source that is being heard.
    fn continues(&self, incoming: Incoming) -> bool {
        self.source == Source::Peer && self.splice.ssrc == incoming.ssrc
    }

    /// A peer's first packet, or its first in a while.
    fn begin(&mut self, now: Instant, incoming: Incoming, clock_rate: u32) -> Stamp {
        let next = self.next_timestamp(now, clock_rate);
        let offset = self.kept_place(next, incoming, clock_rate);
        let timestamp = incoming.timestamp.wrapping_add(offset);
        self.sequence = self.sequence.wrapping_add(1);
        self.source = Source::Peer;
        self.splice = Splice {
            ssrc: incoming.ssrc,
            last_timestamp: incoming.timestamp,
            sequence_offset: self.sequence.wrapping_sub(incoming.sequence),
            timestamp_offset: offset,
            clock_rate,
            floor: Some(self.sequence),
        };
        let span = ticks(USUAL_PACKET, clock_rate);
        self.advance(now, timestamp, clock_rate, span);
        Stamp { sequence: self.sequence, timestamp, begins: true }
    }

    /// What is added to a peer's timestamps: as before, where it was only interrupted and that still fits; else so that
    /// its first one is `next`.
    fn kept_place(&self, next: u32, incoming: Incoming, clock_rate: u32) -> u32 {
        let anew = next.wrapping_sub(incoming.timestamp);
        let same = self.splice.ssrc == incoming.ssrc && self.splice.clock_rate == clock_rate;
        let kept = incoming.timestamp.wrapping_add(self.splice.timestamp_offset);
        let off = kept.wrapping_sub(next).cast_signed().unsigned_abs();
        let fits = off <= ticks(PLACE_TOLERANCE, clock_rate)
            && kept.wrapping_sub(self.timestamp).cast_signed() > 0;
        if same && fits && self.packets > 0 { self.splice.timestamp_offset } else { anew }
    }

    /// Where the stream is at `now`: behind all that was sent.
    fn next_timestamp(&self, now: Instant, clock_rate: u32) -> u32 {
        if self.packets == 0 {
            return self.timestamp;
        }
        let lasts = rescale(self.span, self.clock_rate, clock_rate);
        self.timestamp.wrapping_add(ticks(now - self.at, clock_rate).max(lasts).max(1))
    }

    const fn advance(&mut self, at: Instant, timestamp: u32, clock_rate: u32, span: u32) {
        self.at = at;
        self.timestamp = timestamp;
        self.clock_rate = clock_rate;
        self.span = span;
    }

    /// The floor is forgotten as soon as nothing that still comes can be below it.
    fn lower_floor(&mut self) {
        if self.splice.floor.is_some_and(|floor| distance(floor, self.sequence) > FURTHEST_BEHIND) {
            self.splice.floor = None;
        }
    }
}

/// How far `to` is ahead of `from`, the short way round.
fn distance(from: u16, to: u16) -> i32 {
    i32::from(to.wrapping_sub(from).cast_signed())
}

/// A time in ticks; the count wraps.
pub(crate) fn ticks(span: Duration, clock_rate: u32) -> u32 {
    let rate = u64::from(clock_rate);
    let whole = span.as_secs().wrapping_mul(rate);
    let rest = u64::from(span.subsec_nanos()) * rate / 1_000_000_000;
    whole.wrapping_add(rest) as u32
}

/// A short time in ticks of another clock; saturates.
pub(crate) fn rescale(ticks: u32, from: u32, to: u32) -> u32 {
    if from == to {
        return ticks;
    }
    let scaled = u64::from(ticks) * u64::from(to) / u64::from(from.max(1));
    u32::try_from(scaled).unwrap_or(u32::MAX)
}
