//! Orders to one session, and the tracks that it waits for.

use alloc::boxed::Box;
use alloc::sync::Arc;

use mediator_model::Instant;

use super::Session;
use crate::leg::Hearing;
use crate::supervision::Supervision;
use crate::surroundings::Surroundings;
use crate::{Hear, Order, Side, SoundFailure, Terms, Track};

impl Session {
    /// Carries out an order of this call.
    pub(crate) fn order(&mut self, around: &mut Surroundings, now: Instant, order: Order) {
        match order {
            Order::Terms { side, terms, .. } => self.agree(around, now, side, terms),
            Order::Hear { side, hear, .. } => self.hear(around, now, side, hear),
            Order::Dial { side, digits, .. } => self.dial(around, now, side, digits),
            Order::Listen { side, keys: true, .. } => self.pair(side).0.listen(now),
            Order::Listen { side, keys: false, .. } => self.pair(side).0.stop_listening(),
            Order::Supervise { silence, .. } => {
                self.supervision = silence.map(|silence| Supervision::new(now, silence));
                for leg in &mut self.legs {
                    leg.talks_since(now);
                }
                let signs = self.signs();
                if let Some(watch) = &mut self.supervision {
                    watch.handle_terms(now, signs);
                }
                self.arm_far(around);
            }
            // The relay's own.
            Order::Open { .. } | Order::Close { .. } => {}
        }
    }

    /// A track has come, or will not.
    pub(crate) fn track(
        &mut self,
        around: &mut Surroundings,
        now: Instant,
        (side, token): (Side, u32),
        track: Result<Arc<Track>, SoundFailure>,
    ) {
        let whose = self.whose(side);
        let (leg, _) = self.pair(side);
        let tongue = leg.tongue();
        let Some(speaker) = &mut leg.speaker else { return };
        let Some(voice) = speaker.voices().find(|voice| voice.waits_for(token)) else { return };
        if let Some(ended) = voice.take(token, track) {
            around.sound_ended(whose, ended);
        }
        speaker.go_on_with_tones(around, (now, whose), tongue);
        self.arm_tick(around, now, side);
    }

    fn agree(&mut self, around: &mut Surroundings, now: Instant, side: Side, terms: Box<Terms>) {
        let (leg, other) = self.pair(side);
        leg.agree(now, terms);
        leg.route_to(other.terms());
        other.route_to(leg.terms());
        self.adapt(around, now, side);
        let signs = self.signs();
        if let Some(watch) = &mut self.supervision {
            watch.handle_terms(now, signs);
        }
        self.arm_far(around);
    }

    fn hear(&mut self, around: &mut Surroundings, now: Instant, side: Side, hear: Hear) {
        let (leg, _) = self.pair(side);
        let before = leg.hearing;
        leg.hearing = match hear {
            Hear::Nothing => Hearing::Nothing,
            Hear::Silence | Hear::Sound(_) => Hearing::Own,
            Hear::Peer => Hearing::Peer,
            Hear::SoundThenPeer(_) => Hearing::OwnThenPeer { packets: 0, last: now },
        };
        match hear {
            Hear::Nothing | Hear::Peer => leg.hush(),
            Hear::Silence => leg.speaker().voice(now).hush(),
            Hear::Sound(play) | Hear::SoundThenPeer(play) => {
                leg.speaker().voice(now).play(now, play);
            }
        }
        if before == Hearing::Peer && leg.hearing != Hearing::Peer {
            leg.stream.interrupt();
        }
        self.adapt(around, now, side);
    }

    fn dial(&mut self, around: &mut Surroundings, now: Instant, side: Side, digits: Box<str>) {
        let token = around.own_token();
        let (leg, _) = self.pair(side);
        if leg.tongue().is_none() {
            return;
        }
        if leg.events().is_some() {
            leg.speaker().dial_events(now, &digits);
        } else {
            leg.speaker().dial_tones(now, token, digits);
        }
        self.adapt(around, now, side);
    }

    /// Has the voices of a leg speak as it has agreed, from the next instant of the grid on.
    fn adapt(&mut self, around: &mut Surroundings, now: Instant, side: Side) {
        let whose = self.whose(side);
        let (leg, _) = self.pair(side);
        let tongue = leg.tongue();
        if let (Some(speaker), Some(tongue)) = (&mut leg.speaker, tongue) {
            for voice in speaker.voices() {
                around.fulfil(whose, voice.adapt(now, tongue));
            }
            speaker.go_on_with_tones(around, (now, whose), Some(tongue));
        }
        self.arm_tick(around, now, side);
    }
}
