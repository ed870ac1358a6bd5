//! Session timers: RFC 4028, both roles.
//!
//! Negotiation is a value ([`Negotiated`]) that takes effect when the 2xx is sent or received
//! ([`SessionTimer::start`]), as each successful INVITE and UPDATE restarts the interval.
//!
//! Not here: how a refresh is sent (re-INVITE or UPDATE), and the BYE.

use crate::{Headers, SessionExpires};
use core::time::Duration;
use mediator_model::Instant;

/// What the operator has set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionTimerSettings {
    /// The interval that we ask for, in seconds, at least 90. Default 1800.
    pub session_expires: u32,
    /// The shortest interval that we accept, in seconds, at least 90. Default 90.
    pub min_se: u32,
}

impl Default for SessionTimerSettings {
    fn default() -> Self {
        Self { session_expires: 1800, min_se: 90 }
    }
}

/// What goes into an INVITE or UPDATE of ours, beside `Supported: timer`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerOffer {
    /// The value of Session-Expires.
    pub session_expires: SessionExpires,
    /// The value of Min-SE, in seconds; `None`: 90, which needs no header.
    pub min_se: Option<u32>,
}

/// What a request and its 2xx agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Negotiated {
    seconds: u32,
}

impl Negotiated {
    /// The Session-Expires of the 2xx that we send (as UAS).
    pub fn session_expires(&self) -> SessionExpires {
        todo!()
    }

    /// Whether the 2xx that we send (as UAS) needs `Require: timer` (RFC 4028 §9).
    pub fn requires_timer(&self) -> bool {
        todo!()
    }

    /// The interval.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// Whether we are to refresh.
    pub fn we_refresh(&self) -> bool {
        todo!()
    }
}

/// The peer asks for an interval below ours: answer 422 with this Min-SE (RFC 4028 §9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooSmall {
    /// The value of Min-SE, in seconds.
    pub min_se: u32,
}

/// What to do about a 422.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooSmallRetry {
    /// Send the request again with the raised [`TimerOffer`].
    Again,
    /// It asks for too much, for nothing new, or for the third time: the request has failed.
    GiveUp,
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimerEvent {
    /// Nothing yet.
    None,
    /// Send a refresh now. Where it fails without ending the session, say so with
    /// [`SessionTimer::refresh_failed`]; where it succeeds, [`SessionTimer::start`] again.
    Refresh,
    /// The session was not refreshed: send BYE. The timer is stopped.
    Expired,
}

/// The session timer of one dialog.
#[derive(Clone, Debug, Default)]
pub struct SessionTimer {
    running: Option<Instant>,
}

impl SessionTimer {
    /// A timer that does not run yet.
    pub const fn new() -> Self {
        Self { running: None }
    }

    /// What to put into the next INVITE or UPDATE of ours; keeps to the refresher that is set (RFC 4028
    /// §7.4) and to what a 422 has taught.
    pub fn offer(&self, _settings: &SessionTimerSettings) -> TimerOffer {
        todo!()
    }

    /// What to answer to an INVITE or UPDATE of the peer (RFC 4028 §9). Nothing changes until
    /// [`start`](Self::start) at the 2xx.
    pub fn negotiate_uas(
        &self,
        _request: &Headers,
        _settings: &SessionTimerSettings,
    ) -> Result<Negotiated, TooSmall> {
        todo!()
    }

    /// What a 2xx to a request of ours agreed on (RFC 4028 §7.2); without Session-Expires we refresh on our
    /// own. `offered` is what the request carried.
    pub fn negotiate_uac(&self, _response: &Headers, _offered: &TimerOffer) -> Negotiated {
        todo!()
    }

    /// Starts the interval, when the 2xx is sent or received.
    pub fn start(&mut self, _now: Instant, _agreed: Negotiated) {
        todo!()
    }

    /// Takes in a 422 to a request of ours: the next [`offer`](Self::offer) asks for at least its Min-SE.
    pub fn handle_too_small(&mut self, _response: &Headers) -> TooSmallRetry {
        todo!()
    }

    /// A refresh failed but the session may live on (491, 500 with Retry-After, no answer yet): the next
    /// [`TimerEvent::Refresh`] comes after `retry_in`, unless the session expires first.
    pub fn refresh_failed(&mut self, _now: Instant, _retry_in: Duration) {
        todo!()
    }

    /// Stops it.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// When to call [`handle_deadline`](Self::handle_deadline); `None` where it does not run.
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!()
    }

    /// Says what is due at `now`.
    pub fn handle_deadline(&mut self, _now: Instant) -> TimerEvent {
        todo!()
    }
}
