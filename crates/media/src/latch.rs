//! Where a leg's media comes from and goes to: symmetric RTP (RFC 4961) that is learned once and then locked.
//!
//! What SDP says is believed first: a packet from there locks at once. A peer behind a NAT sends from elsewhere; such a
//! source is taken while it is the best one that is heard, and locked after a few packets where its host is the one
//! that signals or that SDP names, after [`WINDOW`] where it is a stranger. A locked source keeps all others out, until
//! it falls silent for [`SILENCE`] and the same host, or a better source, goes on.
//!
//! Several peers may have been told of our port, of whom one is the leg's: phones that rang together. What another one was
//! heard from before is kept out as long as it goes on, and for [`CONTEST`] so are strangers, and nothing is locked but what
//! SDP says: those who have lost are still being told so.
//!
//! Invariant: a worse source never takes the place of a better one that is heard.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use mediator_model::Instant;

/// How long a better source may still take a stranger's place.
pub const WINDOW: Duration = Duration::from_secs(3);
/// Packets after which a source on the signalling's or SDP's host is locked, and a stranger is answered.
pub const FEW: u8 = 5;
/// After so long without a packet a source that is not locked gives way to one that is as good: what is still under way
/// from where the peer was before must not keep it out of where it is now.
pub const PAUSE: Duration = Duration::from_millis(200);
/// After so long without a packet the locked source may have moved.
pub const SILENCE: Duration = Duration::from_secs(2);
/// How long those who have lost may go on until they have heard of it.
pub const CONTEST: Duration = Duration::from_secs(1);
/// How long we send to an address that only SDP names, and neither signalling nor media comes from: a carrier whose
/// media is on another host than its signalling may send nothing before the answer, and has to hear announcements and
/// ringing until then.
pub const UNPROVEN: Duration = Duration::from_mins(3);
/// The same from the answer on, when every peer sends something: SDP must not aim a stream at a stranger.
pub const UNPROVEN_TALKING: Duration = Duration::from_secs(10);

/// What to do with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is the leg's.
    Accepted,
    /// It is the leg's, which is heard from this source for the first time.
    Moved,
    /// It comes from somebody else.
    Refused,
}

/// How much speaks for a source. Later is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Claim {
    Stranger,
    /// On the host that signalling comes from, or that SDP names.
    Host,
    /// What SDP says.
    Told,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Nothing was heard.
    Listening,
    /// Heard from a source that a better one may still replace.
    Learning { source: SocketAddr, claim: Claim, since: Instant, last: Instant, packets: u8 },
    /// Heard from this source and from no other.
    Locked { source: SocketAddr, claim: Claim, last: Instant },
}

/// The source of one stream of a leg: RTP's, or RTCP's where it has a port of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Latch {
    told: Option<SocketAddr>,
    signalling: IpAddr,
    /// Until when we send to what nothing but SDP names.
    trusted_until: Instant,
    /// Until when others may send who were told of our port, too.
    contested_until: Instant,
    /// Where one of them was heard from, and when last.
    former: Option<(SocketAddr, Instant)>,
    state: State,
}

impl Latch {
    /// Learns anew: what SDP says now, and where signalling comes from.
    pub fn new(now: Instant, told: Option<SocketAddr>, signalling: IpAddr) -> Self {
        Self {
            told,
            signalling,
            trusted_until: now + UNPROVEN,
            contested_until: now,
            former: None,
            state: State::Listening,
        }
    }

    /// Others than the peer may send, too, until they have heard that they have lost.
    #[must_use]
    pub fn contested(self, now: Instant) -> Self {
        Self { contested_until: now + CONTEST, ..self }
    }

    /// That is where another one was heard from, who is not the peer.
    #[must_use]
    pub fn without(self, now: Instant, former: SocketAddr) -> Self {
        Self { former: Some((former, now)), ..self }
    }

    /// The call is answered: what nothing but SDP speaks for has [`UNPROVEN_TALKING`] from now.
    pub fn talks(&mut self, now: Instant) {
        if self.trusted_until != Instant::FAR_FUTURE {
            self.trusted_until = self.trusted_until.min(now + UNPROVEN_TALKING);
        }
    }

    /// Something else than media has come from a host, RTCP say: where SDP names it, that is enough. A peer that only
    /// listens proves itself so.
    pub fn heard_of(&mut self, host: IpAddr) {
        if self.told.is_some_and(|told| told.ip() == host) {
            self.trusted_until = Instant::FAR_FUTURE;
        }
    }

    /// What SDP says.
    pub const fn told(&self) -> Option<SocketAddr> {
        self.told
    }

    /// Judges a packet by its source.
    pub fn accept(&mut self, now: Instant, source: SocketAddr) -> Verdict {
        let claim = self.claim(source);
        let is_contested = now < self.contested_until;
        let is_kept_out = self.is_former(now, source) || (is_contested && claim == Claim::Stranger);
        if is_kept_out && claim != Claim::Told {
            return Verdict::Refused;
        }
        match &mut self.state {
            State::Listening => {
                self.state = Self::begin(now, source, claim);
                Verdict::Moved
            }
            State::Learning { source: known, claim, since, last, packets } if *known == source => {
                *packets = packets.saturating_add(1);
                *last = now;
                let settled = match claim {
                    Claim::Stranger => now.saturating_since(*since) >= WINDOW,
                    Claim::Host | Claim::Told => *packets >= FEW && !is_contested,
                };
                if settled {
                    self.state = State::Locked { source, claim: *claim, last: now };
                }
                Verdict::Accepted
            }
            State::Learning { claim: known, last, .. } => {
                let gives_way = claim == *known && now.saturating_since(*last) >= PAUSE;
                if claim <= *known && !gives_way {
                    return Verdict::Refused;
                }
                self.state = Self::begin(now, source, claim);
                Verdict::Moved
            }
            State::Locked { source: known, last, .. } if *known == source => {
                *last = now;
                Verdict::Accepted
            }
            State::Locked { source: known, claim: proven, last } => {
                let may_follow = known.ip() == source.ip() || claim > *proven;
                if !may_follow || now.saturating_since(*last) < SILENCE {
                    return Verdict::Refused;
                }
                self.state = State::Locked { source, claim, last: now };
                Verdict::Moved
            }
        }
    }

    /// Where to send now: back to the source, before one is known to what SDP says, as long as nothing but SDP speaks
    /// for it only for [`UNPROVEN`], or [`UNPROVEN_TALKING`].
    pub fn target(&self, now: Instant) -> Option<SocketAddr> {
        match self.state {
            State::Locked { source, .. } => Some(source),
            State::Learning { source, claim, packets, .. }
                if claim > Claim::Stranger || packets >= FEW =>
            {
                Some(source)
            }
            State::Listening | State::Learning { .. } => self.told.filter(|told| {
                is_sendable(*told) && (told.ip() == self.signalling || now < self.trusted_until)
            }),
        }
    }

    /// Where media was heard from last; `None`: nowhere.
    pub const fn source(&self) -> Option<SocketAddr> {
        match self.state {
            State::Listening => None,
            State::Learning { source, .. } | State::Locked { source, .. } => Some(source),
        }
    }

    /// Whether the source is locked.
    pub const fn is_locked(&self) -> bool {
        matches!(self.state, State::Locked { .. })
    }

    const fn begin(now: Instant, source: SocketAddr, claim: Claim) -> State {
        match claim {
            Claim::Told => State::Locked { source, claim, last: now },
            Claim::Host | Claim::Stranger => {
                State::Learning { source, claim, since: now, last: now, packets: 1 }
            }
        }
    }

    /// Whether it is where another one was heard from, who goes on. After a pause somebody else may be there.
    fn is_former(&mut self, now: Instant, source: SocketAddr) -> bool {
        let Some((former, last)) = &mut self.former else { return false };
        if *former != source {
            return false;
        }
        let goes_on = now.saturating_since(*last) < SILENCE;
        *last = now;
        if !goes_on {
            self.former = None;
        }
        goes_on
    }

    fn claim(&self, source: SocketAddr) -> Claim {
        if self.told == Some(source) {
            Claim::Told
        } else if self.signalling == source.ip()
            || self.told.is_some_and(|told| told.ip() == source.ip())
        {
            Claim::Host
        } else {
            Claim::Stranger
        }
    }
}

/// Whether media may be sent to an address at all: one host's, and a port.
pub fn is_sendable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}

#[cfg(test)]
mod tests;
