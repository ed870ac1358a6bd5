//! Tells once that neither side has sent anything for a time, while no side is held.

use core::time::Duration;

use mediator_model::Instant;

/// Who was heard, and who is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Signs {
    /// When either side sent last; `None`: never.
    pub(crate) heard: Option<Instant>,
    /// A side is held: it is no wonder that nothing comes.
    pub(crate) is_held: bool,
}

/// The watch over one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Supervision {
    silence: Duration,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Silence before this does not count.
    Watching {
        since: Instant,
    },
    Held,
    Told,
}

impl Supervision {
    /// Begins to watch.
    pub(crate) const fn new(now: Instant, silence: Duration) -> Self {
        Self { silence, state: State::Watching { since: now } }
    }

    /// When to look next, after what is known now.
    pub(crate) fn next_deadline(&self, signs: Signs) -> Option<Instant> {
        match self.state {
            State::Watching { since } if !signs.is_held => Some(self.end(since, signs)),
            State::Watching { .. } | State::Held | State::Told => None,
        }
    }

    /// A side is held from now on, or none is any more: the time begins anew.
    pub(crate) fn handle_terms(&mut self, now: Instant, signs: Signs) {
        self.state = match self.state {
            State::Told => State::Told,
            State::Watching { .. } | State::Held if signs.is_held => State::Held,
            State::Held => State::Watching { since: now },
            State::Watching { since } => State::Watching { since },
        };
    }

    /// Whether silence has lasted too long; says so once.
    pub(crate) fn is_over(&mut self, now: Instant, signs: Signs) -> bool {
        match self.state {
            State::Watching { since } if !signs.is_held && self.end(since, signs) <= now => {
                self.state = State::Told;
                true
            }
            State::Watching { .. } | State::Held | State::Told => false,
        }
    }

    fn end(&self, since: Instant, signs: Signs) -> Instant {
        signs.heard.map_or(since, |heard| heard.max(since)) + self.silence
    }
}
