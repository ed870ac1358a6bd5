//! Hears the keys that a leg's peer presses: RFC 4733 events, and tones in audio where the leg has no events: in G.711
//! by itself, in other codecs with an [`Ear`].
//!
//! A network that stalled may bring many presses at once, but not more of them than there was time for: what comes faster
//! is no key, so that a flood of packets does not become a flood of events. Nor is more audio decoded than there was time
//! for, so that it does not become a flood of work.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use mediator_model::Instant;
use smallvec::SmallVec;

use crate::ear::{Ear, Ears, Unheard};
use crate::event::KeyDetector;
use crate::g711::{alaw_to_linear, ulaw_to_linear};
use crate::goertzel::ToneDetector;
use crate::reception::Arrival;
use crate::route::{Kind, Law};
use crate::rtp::Header;
use crate::speech::Speech;

/// The shortest press with its pause (ITU-T Q.24).
const SHORTEST: Duration = Duration::from_millis(80);
/// Presses that may come at once.
const MOST_AT_ONCE: u32 = 32;
/// Audio that may be decoded at once.
const MOST_AUDIO_AT_ONCE: Duration = Duration::from_secs(1);
/// What a packet counts for that cannot be decoded, and so does not tell how long it is.
const DAMAGED: Duration = Duration::from_millis(20);
/// Samples a millisecond, of which keys are told.
const SAMPLES_A_MS: u64 = 8;

/// What was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    Key(char),
    /// One more than anybody presses.
    TooMany,
}

/// A listener.
#[derive(Debug)]
pub(crate) struct Listener {
    keys: KeyDetector,
    tones: ToneDetector,
    /// When there is time for all presses told so far, and [`MOST_AT_ONCE`] more.
    full: Instant,
    decoding: Decoding,
}

impl Listener {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            keys: KeyDetector::new(),
            tones: ToneDetector::new(),
            full: now,
            decoding: Decoding { ears: SmallVec::new(), samples: Vec::new(), until: now },
        }
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
        (now, ears): (Instant, &dyn Ears),
        (kind, arrival): (Kind, Arrival),
        payload: &[u8],
        mut tell: impl FnMut(Heard),
    ) {
        match arrival {
            Arrival::First | Arrival::Ahead(_) => {}
            Arrival::Late(_) | Arrival::Repeated | Arrival::Stray => return,
        }
        let Self { tones, full, decoding, .. } = self;
        let tell = |key| tell(limit(full, now, key));
        let codes = payload.iter().copied();
        match kind {
            Kind::Law(Law::U) => tones.hear(codes.map(ulaw_to_linear), tell),
            Kind::Law(Law::A) => tones.hear(codes.map(alaw_to_linear), tell),
            Kind::Audio(Some(speech)) => {
                let samples = decoding.samples(now, ears, (speech, payload));
                tones.hear(samples.iter().copied(), tell);
            }
            Kind::Audio(None) | Kind::Event => {}
        }
    }
}

type MaybeEar = Option<Box<dyn Ear>>;

/// What hears audio that is not G.711.
#[derive(Debug)]
struct Decoding {
    /// One for each codec that was sent, so that whoever changes between them does not have them made again; `None`: its
    /// keys are not heard.
    ears: SmallVec<[(Speech, MaybeEar); 2]>,
    /// Kept for its capacity.
    samples: Vec<i16>,
    /// Up to when there was time for all that was decoded so far.
    until: Instant,
}

impl Decoding {
    /// The samples of a packet; none where it cannot be decoded, or where there was no time for it.
    fn samples(
        &mut self,
        now: Instant,
        ears: &dyn Ears,
        (speech, payload): (Speech, &[u8]),
    ) -> &[i16] {
        self.samples.clear();
        if self.until.saturating_since(now) > MOST_AUDIO_AT_ONCE {
            return &[];
        }
        let Some(heard) = self.hear(ears, speech, payload) else { return &[] };
        let length = match heard {
            Ok(()) => Duration::from_micros(self.samples.len() as u64 * 1000 / SAMPLES_A_MS),
            Err(Unheard::Packet | Unheard::Defect) => {
                self.samples.clear();
                DAMAGED
            }
        };
        self.until = self.until.max(now) + length;
        &self.samples
    }

    /// Has the codec's ear hear a packet; `None`: it has none, or none any more.
    fn hear(
        &mut self,
        ears: &dyn Ears,
        speech: Speech,
        payload: &[u8],
    ) -> Option<Result<(), Unheard>> {
        let known = self.ears.iter().position(|(known, _)| *known == speech);
        let at = known.unwrap_or_else(|| {
            self.ears.push((speech, ears.ear(speech)));
            self.ears.len() - 1
        });
        let (_, slot) = self.ears.get_mut(at)?;
        let heard = slot.as_mut()?.hear(payload, &mut self.samples);
        if heard == Err(Unheard::Defect) {
            *slot = None;
        }
        Some(heard)
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
