//! Mediator's media thread alone: its poller and its relay, without the server around them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result};
use mediator_benches::session::{Law, open};
use mediator_media::{Lane, LaneKind, NoEars, Outlet, Relay, RelaySetup, SessionKey, Side};
use mediator_model::MediaPorts;
use mediator_net::{Clock, RtpForward, RtpPair, RtpPoller, RtpPorts, RtpSocket};

use crate::floor;
use crate::traffic::place;

/// Packets of the relay's own wait here until the poller is free: RTCP, a few a second.
#[derive(Default)]
struct Outbox(Vec<(Lane, SocketAddr, Vec<u8>)>);

impl Outlet for Outbox {
    fn send(&mut self, from: Lane, to: SocketAddr, packet: &[u8]) {
        self.0.push((from, to, packet.to_vec()));
    }
}

/// A relay, its sockets, and which is whose. Calls are never closed here, so that pairs are found by their number.
struct Thread {
    poller: RtpPoller<(SessionKey, u32)>,
    relay: Relay,
    ports: RtpPorts,
    pairs: Vec<[RtpPair; 2]>,
    sessions: Vec<SessionKey>,
}

/// Relays the streams of so many calls until it is killed; says `ready` when it does. The ports are those of the floor.
pub(crate) fn relay(ip: Ipv4Addr, sides: [Ipv4Addr; 2], calls: u32) -> Result<()> {
    let clock = Clock::start();
    let (poller, _waker) = RtpPoller::new(clock)?;
    let [first, _] = floor::towards(ip, 0);
    let [_, last] = floor::towards(ip, calls.saturating_sub(1));
    let range = first.port()..=last.port() + 1;
    let ports = RtpPorts::new(IpAddr::V4(ip), range.clone(), 0);
    let addresses = vec![IpAddr::V4(ip)];
    let relay =
        Relay::new(RelaySetup { seed: [7; 32], addresses, ports: range, ears: Arc::new(NoEars) });
    let mut thread = Thread { poller, relay, ports, pairs: Vec::new(), sessions: Vec::new() };
    for call in 0..calls {
        thread.open(call, sides)?;
    }
    println!("ready");
    loop {
        thread.turn()?;
    }
}

impl Thread {
    fn open(&mut self, call: u32, sides: [Ipv4Addr; 2]) -> Result<()> {
        let ports = [self.ports.reserve()?, self.ports.reserve()?];
        let phones = sides.map(|ip| (place(ip, call), Law::U));
        let session =
            open(&mut self.relay, call, ports, phones).context("a call of this number")?;
        let mut pairs = Vec::new();
        for port in ports {
            let sockets = self.ports.take(port).context("reserved")?;
            pairs.push(self.poller.register(sockets, (session, call))?);
        }
        self.pairs.push(pairs.try_into().ok().context("two pairs")?);
        self.sessions.push(session);
        Ok(())
    }

    fn turn(&mut self) -> Result<()> {
        let Self { poller, relay, pairs, .. } = self;
        let clock = poller.clock();
        poller.wait(relay.next_deadline())?;
        let now = clock.now();
        poller.read(now, &mut |datagram| {
            let (session, call) = datagram.tag;
            let of_call = pairs.get(call as usize)?;
            let side = if of_call.first() == Some(&datagram.at.pair()) { Side::A } else { Side::B };
            let kind = if datagram.at.is_rtcp() { LaneKind::Rtcp } else { LaneKind::Rtp };
            let at = Lane { session, side, kind };
            let forward = relay.receive(datagram.now, at, datagram.source, datagram.bytes)?;
            let from = socket(*of_call, forward.from);
            Some(RtpForward { from, to: forward.to, range: forward.range })
        });
        if self.relay.next_deadline().is_some_and(|due| due <= now) {
            let mut outbox = Outbox::default();
            self.relay.handle_deadline(now, &mut outbox);
            for (from, to, packet) in outbox.0 {
                let call = self.sessions.iter().position(|session| *session == from.session);
                if let Some(pairs) = call.and_then(|call| self.pairs.get(call)) {
                    self.poller.send(socket(*pairs, from), to, &packet);
                }
            }
        }
        while self.relay.poll_event().is_some() {}
        Ok(())
    }
}

fn socket([a, b]: [RtpPair; 2], lane: Lane) -> RtpSocket {
    let pair = match lane.side {
        Side::A => a,
        Side::B => b,
    };
    match lane.kind {
        LaneKind::Rtp => pair.rtp(),
        LaneKind::Rtcp => pair.rtcp(),
    }
}
