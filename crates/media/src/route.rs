//! What becomes of each payload type that a leg sends: the payload type of the other leg that means the same.
//!
//! G.711 of one law goes to a leg that has only the other one; telephone-events of one clock rate (RFC 4733 §2.1) to a leg
//! that has them at another. What the other leg has no word for is not handed on.

use smallvec::SmallVec;

use crate::{Format, Speech, Terms};

#[cfg(test)]
mod tests;

/// Payload types of a leg that are looked at; RTP has no more than these (RFC 3551 §6).
const MAX_ROUTES: usize = 32;

/// One payload type that a leg sends with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Route {
    pub(crate) payload_type: u8,
    pub(crate) kind: Kind,
    pub(crate) clock_rate: u32,
    /// `None`: the other side does not take it.
    pub(crate) onward: Option<Onward>,
}

/// What a payload type carries, as far as it is looked into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Audio that is listened to as it is.
    Law(Law),
    /// Audio of any other codec, named where it is one that can be decoded.
    Audio(Option<Speech>),
    /// Telephone-events.
    Event,
}

/// The laws of G.711.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Law {
    U,
    A,
}

/// How it goes to the other side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Onward {
    pub(crate) payload_type: u8,
    pub(crate) clock_rate: u32,
    pub(crate) rewrite: Rewrite,
}

/// What happens to the payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rewrite {
    /// Nothing.
    Nothing,
    /// It gets this law; it has the other one.
    Law(Law),
    /// The duration of an event is told in ticks of another clock.
    Event,
}

/// The payload types of a leg.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Routes(SmallVec<[Route; 5]>);

impl Routes {
    /// What a leg of these terms sends, and how the other leg takes it.
    pub(crate) fn new(sender: &Terms, receiver: Option<&Terms>) -> Self {
        let takes = receiver.map_or(&[][..], |terms| &terms.send);
        let mut routes = SmallVec::new();
        for format in sender.receive.iter().take(MAX_ROUTES) {
            routes.push(Route {
                payload_type: format.payload_type,
                kind: kind(format),
                clock_rate: format.clock_rate.max(1),
                onward: onward(format, takes),
            });
        }
        Self(routes)
    }

    /// What becomes of a payload type; `None`: it was not agreed on.
    pub(crate) fn find(&self, payload_type: u8) -> Option<&Route> {
        self.0.iter().find(|route| route.payload_type == payload_type)
    }
}

fn kind(format: &Format) -> Kind {
    if format.is_event() {
        return Kind::Event;
    }
    match format.speech() {
        Some(Speech::Pcmu) => Kind::Law(Law::U),
        Some(Speech::Pcma) => Kind::Law(Law::A),
        speech @ (Some(Speech::G722 | Speech::Opus) | None) => Kind::Audio(speech),
    }
}

fn onward(format: &Format, takes: &[Format]) -> Option<Onward> {
    let same = || takes.iter().filter(|other| format.is_same(other));
    // Two formats may differ in their parameters alone: then both legs have the number of the one that is meant.
    let numbered = same().find(|other| other.payload_type == format.payload_type);
    if let Some(same) = numbered.or_else(|| same().next()) {
        return Some(to(same, Rewrite::Nothing));
    }
    if format.is_event() {
        return takes.iter().find(|other| other.is_event()).map(|event| to(event, Rewrite::Event));
    }
    let twin = format.speech()?.twin()?;
    let law = if twin == Speech::Pcma { Law::A } else { Law::U };
    let other = takes.iter().find(|other| other.speech() == Some(twin))?;
    Some(to(other, Rewrite::Law(law)))
}

fn to(format: &Format, rewrite: Rewrite) -> Onward {
    Onward {
        payload_type: format.payload_type & 0x7f,
        clock_rate: format.clock_rate.max(1),
        rewrite,
    }
}
