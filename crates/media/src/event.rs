//! Keys as RTP events: RFC 4733.
//!
//! - [`Payload`]: one packet's.
//! - [`KeyDetector`]: tells each press once, whatever packets are lost, repeated or late.
//! - [`Dialer`]: when to send which packet of a row of keys.

use alloc::collections::VecDeque;
use core::time::Duration;

use mediator_model::Instant;

use crate::rtp::Header;

/// Bytes of a payload.
pub const PAYLOAD_BYTES: usize = 4;
/// The keys in the order of their events (RFC 4733 §3.2).
const KEYS: [char; 16] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/// The event of a key: `0-9*#A-D`, letters in any case.
pub fn event_of(key: char) -> Option<u8> {
    let key = key.to_ascii_uppercase();
    KEYS.iter().position(|known| *known == key).map(|at| at as u8)
}

/// The key of an event; `None`: the event is none.
pub fn key_of(event: u8) -> Option<char> {
    KEYS.get(usize::from(event)).copied()
}

/// What a packet says of an event (RFC 4733 §2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payload {
    /// Which: 0 to 15 are keys.
    pub event: u8,
    /// It is over.
    pub end: bool,
    /// Its level in dB below 1 mW: 0 to 63.
    pub volume: u8,
    /// For how long it has lasted since the packet's timestamp, in ticks.
    pub duration: u16,
}

impl Payload {
    /// Reads a payload; what is behind its first four bytes is passed over.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let [event, flags, high, low] = *payload.first_chunk::<PAYLOAD_BYTES>()?;
        let duration = u16::from_be_bytes([high, low]);
        Some(Self { event, end: flags & 0x80 != 0, volume: flags & 0x3F, duration })
    }

    /// The payload's bytes.
    pub const fn to_bytes(self) -> [u8; PAYLOAD_BYTES] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, (self.end as u8) << 7 | self.volume & 0x3F, high, low]
    }

    /// The key; `None`: another event.
    pub fn key(self) -> Option<char> {
        key_of(self.event)
    }

    /// The same for another clock rate. What is too long for 16 bits stays at their end.
    #[must_use]
    pub fn rescaled(self, from: u32, to: u32) -> Self {
        let ticks = u64::from(self.duration) * u64::from(to);
        let ticks = ticks.checked_div(u64::from(from)).unwrap_or(u64::from(self.duration));
        Self { duration: u16::try_from(ticks).unwrap_or(u16::MAX), ..self }
    }
}

/// Presses that are remembered, so that a late packet does not tell one again.
const REMEMBERED: usize = 8;

/// A press that was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Told {
    ssrc: u32,
    event: u8,
    timestamp: u32,
    duration: u16,
}

impl Told {
    /// Whether a packet is of this press too. All packets of a press share a timestamp, but for those of a press beyond
    /// 16 bits of duration, which goes on under a timestamp 65,535 later (RFC 4733 §2.5.1.3), and those of senders that
    /// let the timestamp run. What begins before this one has ended is not another press.
    fn has(&self, other: &Self) -> bool {
        if (self.ssrc, self.event) != (other.ssrc, other.event) {
            return false;
        }
        let (first, second) =
            if is_before(other.timestamp, self.timestamp) { (other, self) } else { (self, other) };
        let apart = second.timestamp.wrapping_sub(first.timestamp);
        let is_next_segment = apart.is_multiple_of(u32::from(u16::MAX)) && apart < 1 << 20;
        let runs = first.duration == 0 && apart == u32::from(second.duration);
        apart <= u32::from(first.duration) || is_next_segment || runs
    }
}

/// Tells presses from the packets of one leg. It does not matter which of a press's packets come, or in which order.
#[derive(Clone, Debug, Default)]
pub struct KeyDetector {
    told: VecDeque<Told>,
}

impl KeyDetector {
    /// Nothing was pressed.
    pub const fn new() -> Self {
        Self { told: VecDeque::new() }
    }

    /// The key, if this is the first packet of a press.
    pub fn hear(&mut self, header: &Header, payload: &[u8]) -> Option<char> {
        let payload = Payload::parse(payload)?;
        let key = payload.key()?;
        let press = Told {
            ssrc: header.ssrc,
            event: payload.event,
            timestamp: header.timestamp,
            duration: payload.duration,
        };
        if let Some(known) = self.told.iter_mut().find(|known| known.has(&press)) {
            if known.timestamp == press.timestamp {
                known.duration = known.duration.max(press.duration);
            } else if is_before(known.timestamp, press.timestamp) {
                *known = press;
            }
            return None;
        }
        if self.told.len() >= REMEMBERED {
            let is_forgotten = |known: &Told| {
                known.ssrc == press.ssrc && is_before(press.timestamp, known.timestamp)
            };
            if self.told.iter().all(is_forgotten) {
                return None;
            }
            self.told.pop_front();
        }
        self.told.push_back(press);
        Some(key)
    }
}

/// Whether a timestamp is before another one, over the wrap.
const fn is_before(one: u32, other: u32) -> bool {
    one.wrapping_sub(other).cast_signed() < 0
}

/// A key is pressed for so long.
pub const ON: Duration = Duration::from_millis(100);
/// Between two keys.
pub const OFF: Duration = Duration::from_millis(100);
/// What `,` waits.
pub const COMMA: Duration = Duration::from_millis(500);
/// Between two packets of a press.
const STEP: Duration = Duration::from_millis(20);
/// Packets before the end, and the end's: it is said three times (RFC 4733 §2.5.1.4).
const UPDATES: u8 = 4;
const PACKETS: u8 = UPDATES + 3;
/// Keys that wait at most; what is dialled beyond is left out.
const MOST_KEYS: usize = 256;
/// Level of our keys: -10 dBm0.
const VOLUME: u8 = 10;

/// A packet of a press that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Press {
    /// Which key's.
    pub event: u8,
    /// When the press began: the packet's timestamp.
    pub began: Instant,
    /// It is the press's first packet, and has the marker.
    pub starts: bool,
    /// It is one of the three that end it.
    pub ends: bool,
    /// For how long the key has been down.
    pub elapsed: Duration,
}

impl Press {
    /// The packet's payload at a clock rate.
    pub fn payload(&self, clock_rate: u32) -> [u8; PAYLOAD_BYTES] {
        let ticks = self.elapsed.as_millis() * u128::from(clock_rate) / 1000;
        let duration = u16::try_from(ticks).unwrap_or(u16::MAX);
        Payload { event: self.event, end: self.ends, volume: VOLUME, duration }.to_bytes()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// The next key may go down from then on.
    Up { from: Instant },
    /// So many packets of a press were sent.
    Down { event: u8, began: Instant, sent: u8 },
}

/// Presses a row of keys, one after the other.
#[derive(Clone, Debug)]
pub struct Dialer {
    keys: VecDeque<char>,
    state: State,
}

impl Default for Dialer {
    fn default() -> Self {
        Self::new()
    }
}

impl Dialer {
    /// Nothing to press.
    pub const fn new() -> Self {
        Self { keys: VecDeque::new(), state: State::Up { from: Instant::ZERO } }
    }

    /// Adds keys behind those that are still waiting: `0-9*#A-D` and `,`; others are passed over.
    pub fn dial(&mut self, now: Instant, keys: &str) {
        if let State::Up { from } = &mut self.state {
            *from = (*from).max(now);
        }
        let room = MOST_KEYS.saturating_sub(self.keys.len());
        let known = keys.chars().filter(|key| *key == ',' || event_of(*key).is_some());
        self.keys.extend(known.take(room));
    }

    /// Whether a key is down: the peer gets events in place of audio.
    pub const fn is_pressing(&self) -> bool {
        matches!(self.state, State::Down { .. })
    }

    /// Whether everything was pressed.
    pub fn is_done(&self) -> bool {
        self.keys.is_empty() && !self.is_pressing()
    }

    /// When to poll next.
    pub fn next_deadline(&self) -> Option<Instant> {
        match self.state {
            State::Up { from } => (!self.keys.is_empty()).then_some(from),
            State::Down { began, sent, .. } => Some(began + STEP * u32::from(sent)),
        }
    }

    /// A packet that is due; to be asked until there is none.
    pub fn poll(&mut self, now: Instant) -> Option<Press> {
        while self.next_deadline().is_some_and(|due| due <= now) {
            match self.state {
                State::Up { from } => match event_of(self.keys.pop_front()?) {
                    Some(event) => self.state = State::Down { event, began: now, sent: 0 },
                    None => self.state = State::Up { from: from + COMMA },
                },
                State::Down { event, began, sent } => {
                    let sent = sent + 1;
                    self.state = if sent < PACKETS {
                        State::Down { event, began, sent }
                    } else {
                        State::Up { from: began + ON + OFF }
                    };
                    return Some(Press {
                        event,
                        began,
                        starts: sent == 1,
                        ends: sent > UPDATES,
                        elapsed: (STEP * u32::from(sent)).min(ON),
                    });
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
