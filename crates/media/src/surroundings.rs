//! What all sessions of a relay share.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use mediator_model::Instant;
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore as _, SeedableRng as _};

use crate::control::INTERVAL;
use crate::ear::Ears;
use crate::own::OwnSockets;
use crate::relay::RelaySetup;
use crate::speaker::{OWN_TOKENS, Whose};
use crate::timers::Timers;
use crate::voice::{Ended, Need};
use crate::{Counters, Event, SoundOutcome};

/// The surroundings of a session.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) own: OwnSockets,
    pub(crate) ears: Arc<dyn Ears>,
    pub(crate) timers: Timers,
    /// Where packets of our own are put together.
    pub(crate) packet: Vec<u8>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) counters: Counters,
    dice: ChaCha12Rng,
    own_tokens: u32,
}

impl Surroundings {
    pub(crate) fn new(setup: RelaySetup) -> Self {
        Self {
            own: OwnSockets::new(setup.addresses, setup.ports),
            ears: setup.ears,
            timers: Timers::default(),
            packet: Vec::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            dice: ChaCha12Rng::from_seed(setup.seed),
            own_tokens: 0,
        }
    }

    pub(crate) fn random(&mut self) -> u64 {
        self.dice.next_u64()
    }

    /// When to report next: half to one and a half of the interval from now (RFC 3550 §6.3.1).
    pub(crate) fn next_report(&mut self, now: Instant) -> Instant {
        let share = u128::from(self.dice.next_u32());
        let spread = (INTERVAL.as_nanos() * share) >> 32;
        now + INTERVAL / 2 + Duration::from_nanos(spread as u64)
    }

    /// A token for a play of our own.
    pub(crate) const fn own_token(&mut self) -> u32 {
        self.own_tokens = self.own_tokens.wrapping_add(1);
        self.own_tokens | OWN_TOKENS
    }

    /// Asks for what a voice needs.
    pub(crate) fn fulfil(&mut self, whose: Whose, need: Need) {
        match need {
            Need::Nothing => {}
            Need::Track { token, sound, speech, packet_ms } => {
                let Whose { call, side } = whose;
                let event = Event::TrackNeeded { call, side, token, sound, speech, packet_ms };
                self.events.push_back(event);
            }
            Need::Codec(ended) => self.sound_ended(whose, ended),
        }
    }

    /// Tells that a sound is over; of our own nobody wants to know.
    pub(crate) fn sound_ended(&mut self, Whose { call, side }: Whose, (token, outcome): Ended) {
        if let SoundOutcome::Failed(_) = outcome {
            self.counters.sounds_failed += 1;
        }
        if token < OWN_TOKENS {
            self.events.push_back(Event::SoundEnded { call, side, token, outcome });
        }
    }
}
