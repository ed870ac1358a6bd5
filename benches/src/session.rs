//! Sessions of media as the benches talk through them: G.711 both ways, joined.

use std::net::SocketAddr;

use mediator_media::{Format, Hear, Opened, Order, Outlet, Peer, Relay, SessionKey, Side, Terms};
use mediator_model::{Instant, MediaPort, Sid};

/// A law of G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// PCMU.
    U,
    /// PCMA.
    A,
}

impl Law {
    /// Its payload type in RFC 3551.
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::U => 0,
            Self::A => 8,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::U => "PCMU",
            Self::A => "PCMA",
        }
    }
}

/// Nothing that a relay sends on its own is wanted.
#[derive(Debug, Default)]
pub struct Nowhere;

impl Outlet for Nowhere {
    fn send(&mut self, _: mediator_media::Lane, _: SocketAddr, _: &[u8]) {}
}

/// Opens session `number` on these ports, between two phones that hear each other.
pub fn open(
    relay: &mut Relay,
    number: u32,
    ports: [MediaPort; 2],
    phones: [(SocketAddr, Law); 2],
) -> Option<SessionKey> {
    let (now, call) = (Instant::ZERO, Sid::from_random(u128::from(number)));
    let Opened::Session(session, _) = relay.order(now, Order::Open { call, ports }, &mut Nowhere)
    else {
        return None;
    };
    for (side, (phone, law)) in Side::BOTH.into_iter().zip(phones) {
        let terms = Box::new(terms(phone, law));
        relay.order(now, Order::Terms { call, side, terms }, &mut Nowhere);
        relay.order(now, Order::Hear { call, side, hear: Hear::Peer }, &mut Nowhere);
    }
    Some(session)
}

/// What a phone has agreed on that has its media there.
fn terms(phone: SocketAddr, law: Law) -> Terms {
    let format = Format {
        payload_type: law.payload_type(),
        encoding: law.name(),
        clock_rate: 8000,
        channels: 1,
    };
    Terms {
        remote: Some(phone),
        remote_rtcp: Some(SocketAddr::new(phone.ip(), phone.port() + 1)),
        rtcp_mux: false,
        signalling: phone.ip(),
        peer: Peer::default(),
        send: std::iter::once(format).collect(),
        receive: std::iter::once(format).collect(),
        peer_sends: true,
        peer_receives: true,
        ptime_ms: None,
    }
}
