//! Session timers: RFC 4028, both roles.
//!
//! Negotiation is a value ([`Negotiated`]) that takes effect when the 2xx is sent or received
//! ([`SessionTimer::start`]), as each successful INVITE and UPDATE restarts the interval.
//!
//! Not here: how a refresh is sent (re-INVITE or UPDATE), and the BYE.

#[cfg(test)]
mod tests;

use crate::{HeaderName, Headers, Refresher, SessionExpires};
use core::time::Duration;
use mediator_model::Instant;

/// No interval may be shorter, in seconds (RFC 4028 §4).
const SHORTEST: u32 = 90;
/// No interval that a peer sets is taken to be longer, in seconds: one day.
const LONGEST: u32 = 86_400;
/// How often a 422 to one request is met with a longer interval.
const MAX_RAISES: u8 = 2;

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
        Self { session_expires: 1800, min_se: SHORTEST }
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
    refresher: Refresher,
    ours: Refresher,
    peer: Peer,
}

/// Whether the peer takes part in session timers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Peer {
    TakesPart,
    Unaware,
}

impl Negotiated {
    /// The Session-Expires of the 2xx that we send (as UAS).
    pub fn session_expires(&self) -> SessionExpires {
        SessionExpires { seconds: self.seconds, refresher: Some(self.refresher) }
    }

    /// Whether the 2xx that we send (as UAS) needs `Require: timer`: MUST where the peer refreshes, SHOULD
    /// where it could (RFC 4028 §9).
    pub fn requires_timer(&self) -> bool {
        self.peer == Peer::TakesPart
    }

    /// The interval.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// Whether we are to refresh.
    pub fn we_refresh(&self) -> bool {
        self.refresher == self.ours
    }

    /// Whether the peer does not take part, so that we alone keep watch with our refreshes.
    pub fn is_one_sided(&self) -> bool {
        self.peer == Peer::Unaware
    }
}

/// The peer asks for an interval below ours: answer 422 with this Min-SE (RFC 4028 §9).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("session interval too small")]
pub struct TooSmall {
    /// The value of Min-SE, in seconds.
    pub min_se: u32,
}

/// What to do about a 422.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooSmallRetry {
    /// Send the request again with the raised [`TimerOffer`].
    Again,
    /// It asks for more than a day, for nothing new, or for the third time: the request has failed.
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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SessionTimer {
    running: Option<Running>,
    /// The highest Min-SE of a 422, in seconds; 0 before the first.
    learned_min_se: u32,
    /// How many 422 the present request has had.
    raises: u8,
}

/// A session that will expire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Running {
    seconds: u32,
    duty: Duty,
    expires_at: Instant,
}

/// Who keeps the session alive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Duty {
    /// We do; `None` while a refresh is under way.
    Ours { refresh_at: Option<Instant> },
    /// The peer does.
    Peers,
}

impl SessionTimer {
    /// A timer that does not run yet.
    pub const fn new() -> Self {
        Self { running: None, learned_min_se: 0, raises: 0 }
    }

    /// What to put into the next INVITE or UPDATE of ours; keeps to the interval and the refresher that are
    /// set (RFC 4028 §7.4) and to what a 422 has taught.
    pub fn offer(&self, settings: &SessionTimerSettings) -> TimerOffer {
        let min_se = settings.min_se.max(self.learned_min_se).max(SHORTEST);
        let wanted = self.running.map_or(settings.session_expires, |running| running.seconds);
        let refresher = self.running.map(|running| match running.duty {
            Duty::Ours { .. } => Refresher::Uac,
            Duty::Peers => Refresher::Uas,
        });
        TimerOffer {
            session_expires: SessionExpires { seconds: wanted.max(min_se), refresher },
            min_se: (min_se > SHORTEST).then_some(min_se),
        }
    }

    /// What to answer to an INVITE or UPDATE of the peer (RFC 4028 §9). Nothing changes until
    /// [`start`](Self::start) at the 2xx.
    ///
    /// Headers that cannot be read count as absent.
    pub fn negotiate_uas(
        &self,
        request: &Headers,
        settings: &SessionTimerSettings,
    ) -> Result<Negotiated, TooSmall> {
        let peer = if request.has_option(HeaderName::Supported, "timer") {
            Peer::TakesPart
        } else {
            Peer::Unaware
        };
        let asked = request.session_expires().ok().flatten();
        let our_least = settings.min_se.max(SHORTEST);
        if peer == Peer::TakesPart && asked.is_some_and(|asked| asked.seconds < our_least) {
            return Err(TooSmall { min_se: our_least });
        }
        // Never above what was asked, never below the peer's Min-SE (RFC 4028 §9). An interval below
        // 90 s can only come from a proxy's mistake when the peer is unaware.
        let their_least = request.min_se().ok().flatten().unwrap_or(SHORTEST);
        let ours = settings.session_expires.max(our_least).max(their_least);
        let seconds = asked.map_or(ours, |asked| asked.seconds.min(ours)).clamp(SHORTEST, LONGEST);
        let refresher = match (peer, asked.and_then(|asked| asked.refresher)) {
            (Peer::Unaware, _) => Refresher::Uas,
            (Peer::TakesPart, Some(chosen)) => chosen,
            (Peer::TakesPart, None) => self.usual_refresher(),
        };
        Ok(Negotiated { seconds, refresher, ours: Refresher::Uas, peer })
    }

    /// In a request of the peer that names none: who it is now, at first the peer.
    fn usual_refresher(&self) -> Refresher {
        match self.running.map(|running| running.duty) {
            Some(Duty::Ours { .. }) => Refresher::Uas,
            Some(Duty::Peers) | None => Refresher::Uac,
        }
    }

    /// What a 2xx to a request of ours agreed on (RFC 4028 §7.2); without Session-Expires we refresh on our
    /// own. `offered` is what the request carried.
    pub fn negotiate_uac(&self, response: &Headers, offered: &TimerOffer) -> Negotiated {
        let (agreed, peer) = match response.session_expires() {
            Ok(Some(agreed)) => (agreed, Peer::TakesPart),
            Ok(None) | Err(_) => (offered.session_expires, Peer::Unaware),
        };
        let refresher = match peer {
            Peer::TakesPart => agreed.refresher.unwrap_or(Refresher::Uac),
            Peer::Unaware => Refresher::Uac,
        };
        let seconds = agreed.seconds.clamp(SHORTEST, LONGEST);
        Negotiated { seconds, refresher, ours: Refresher::Uac, peer }
    }

    /// Starts the interval, when the 2xx is sent or received.
    pub fn start(&mut self, now: Instant, agreed: Negotiated) {
        let interval = agreed.interval();
        let (duty, expires_at) = if agreed.we_refresh() {
            // Half leaves time for retries (RFC 4028 §7.4).
            (Duty::Ours { refresh_at: Some(now + interval / 2) }, now + interval)
        } else {
            // BYE leaves slightly before the end (RFC 4028 §10).
            let margin = Duration::from_secs(32).min(interval / 3);
            (Duty::Peers, now + interval.saturating_sub(margin))
        };
        self.running = Some(Running { seconds: agreed.seconds, duty, expires_at });
        self.raises = 0;
    }

    /// Takes in a 422 to a request of ours: the next [`offer`](Self::offer) asks for at least its Min-SE.
    pub fn handle_too_small(&mut self, response: &Headers) -> TooSmallRetry {
        let least = response.min_se().ok().flatten().unwrap_or(0);
        if self.raises >= MAX_RAISES || least <= self.learned_min_se || least > LONGEST {
            self.raises = 0;
            return TooSmallRetry::GiveUp;
        }
        self.raises += 1;
        self.learned_min_se = least;
        TooSmallRetry::Again
    }

    /// A refresh failed but the session may live on (491, 500 with Retry-After, no answer yet): the next
    /// [`TimerEvent::Refresh`] comes after `retry_in`, unless the session expires first.
    pub fn refresh_failed(&mut self, now: Instant, retry_in: Duration) {
        if let Some(Running { duty: Duty::Ours { refresh_at }, .. }) = &mut self.running {
            *refresh_at = Some(now + retry_in);
        }
    }

    /// Stops it.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// When to call [`handle_deadline`](Self::handle_deadline); `None` where it does not run.
    pub fn next_deadline(&self) -> Option<Instant> {
        let running = self.running?;
        Some(match running.duty {
            Duty::Ours { refresh_at: Some(refresh_at) } => refresh_at.min(running.expires_at),
            Duty::Ours { refresh_at: None } | Duty::Peers => running.expires_at,
        })
    }

    /// Says what is due at `now`.
    pub fn handle_deadline(&mut self, now: Instant) -> TimerEvent {
        let Some(running) = &mut self.running else { return TimerEvent::None };
        if now >= running.expires_at {
            self.running = None;
            return TimerEvent::Expired;
        }
        match &mut running.duty {
            Duty::Ours { refresh_at } if refresh_at.is_some_and(|at| now >= at) => {
                *refresh_at = None;
                TimerEvent::Refresh
            }
            Duty::Ours { .. } | Duty::Peers => TimerEvent::None,
        }
    }
}
