//! Hears the keys that a leg's peer presses: RFC 4733 events, and tones in G.711 where the leg has no events.
//!
//! A network that stalled may bring many presses at once, but not more of them than there was time for: what comes faster
//! is no key, so that a flood of packets does not become a flood of events.

use core::time::Duration;

use mediator_model::Instant;

use crate::event::KeyDetector;
use crate::g711::{alaw_to_linear, ulaw_to_linear};
use crate::goertzel::ToneDetector;
use crate::reception::Arrival;
use crate::route::{Kind, Law};
use crate::rtp::Header;

/// The shortest press with its pause (ITU-T Q.24).
const SHORTEST: Duration = Duration::from_millis(80);
/// Presses that may come at once.
const MOST_AT_ONCE: u32 = 32;

/// What was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    Key(char),
    /// One more than anybody presses.
    TooMany,
}

/// A listener.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    keys: KeyDetector,
    tones: ToneDetector,
    /// When there is time for all presses told so far, and [`MOST_AT_ONCE`] more.
    full: Instant,
}

impl Listener {
    pub(crate) fn new(now: Instant) -> Self {
        Self { keys: KeyDetector::new(), tones: ToneDetector::new(), full: now }
    }

    /// Hears an event.
    pub(crate) fn hear_event(
        &mut self,
        now: Instant,
        header: &Header,
        payload: &[u8],
        mut tell: impl FnMut(Heard),
    ) {
        if let Some(key) = self.keys.hear(header, payload) {
            tell(limit(&mut self.full, now, key));
        }
    }

    /// Hears audio of a leg without events. What is late would only break the tone that goes on.
    pub(crate) fn hear_audio(
        &mut self,
        now: Instant,
        (kind, arrival): (Kind, Arrival),
        payload: &[u8],
        mut tell: impl FnMut(Heard),
    ) {
        match arrival {
            Arrival::First | Arrival::Ahead(_) => {}
            Arrival::Late(_) | Arrival::Repeated | Arrival::Stray => return,
        }
        let Self { tones, full, .. } = self;
        let tell = |key| tell(limit(full, now, key));
        let codes = payload.iter().copied();
        match kind {
            Kind::Law(Law::U) => tones.hear(codes.map(ulaw_to_linear), tell),
            Kind::Law(Law::A) => tones.hear(codes.map(alaw_to_linear), tell),
            Kind::Audio | Kind::Event => {}
        }
    }
}

/// Lets a key pass for which there was time.
fn limit(full: &mut Instant, now: Instant, key: char) -> Heard {
    let next = (*full).max(now) + SHORTEST;
    if next - now > SHORTEST * MOST_AT_ONCE {
        return Heard::TooMany;
    }
    *full = next;
    Heard::Key(key)
}
