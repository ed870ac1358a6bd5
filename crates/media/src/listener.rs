//! Hears the keys that a leg's peer presses: RFC 4733 events, and tones in G.711 where the leg has no events.

use crate::event::KeyDetector;
use crate::g711::{alaw_to_linear, ulaw_to_linear};
use crate::goertzel::ToneDetector;
use crate::reception::Arrival;
use crate::route::{Kind, Law};
use crate::rtp::Header;

/// A listener.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listener {
    keys: KeyDetector,
    tones: ToneDetector,
}

impl Listener {
    /// Hears an event.
    pub(crate) fn hear_event(
        &mut self,
        header: &Header,
        payload: &[u8],
        mut tell: impl FnMut(char),
    ) {
        if let Some(key) = self.keys.hear(header, payload) {
            tell(key);
        }
    }

    /// Hears audio of a leg without events. What is late would only break the tone that goes on.
    pub(crate) fn hear_audio(
        &mut self,
        (kind, arrival): (Kind, Arrival),
        payload: &[u8],
        tell: impl FnMut(char),
    ) {
        match arrival {
            Arrival::First | Arrival::Ahead(_) => {}
            Arrival::Late(_) | Arrival::Repeated | Arrival::Stray => return,
        }
        let codes = payload.iter().copied();
        match kind {
            Kind::Law(Law::U) => self.tones.hear(codes.map(ulaw_to_linear), tell),
            Kind::Law(Law::A) => self.tones.hear(codes.map(alaw_to_linear), tell),
            Kind::Audio | Kind::Event => {}
        }
    }
}
