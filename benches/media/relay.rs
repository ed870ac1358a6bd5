//! Mediator's media thread alone: its poller, without the server around it.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result};
use mediator_model::{MediaPort, MediaPorts};
use mediator_net::{Clock, RtpForward, RtpPair, RtpPoller, RtpPorts};

use crate::floor;
use crate::traffic::place;

/// Relays the streams of so many calls until it is killed; says `ready` when it does. The ports are those of the floor.
pub(crate) fn relay(ip: Ipv4Addr, sides: [Ipv4Addr; 2], calls: u32) -> Result<()> {
    let (mut poller, _waker) = RtpPoller::new(Clock::start())?;
    let [first, _] = floor::towards(ip, 0);
    let [_, last] = floor::towards(ip, calls.saturating_sub(1));
    let ports = RtpPorts::new(IpAddr::V4(ip), first.port()..=last.port() + 1, 0);
    let mut pairs: Vec<RtpPair> = Vec::new();
    for stream in 0..calls * 2 {
        let port: MediaPort = ports.reserve()?;
        let sockets = ports.take(port).context("reserved")?;
        pairs.push(poller.register(sockets, stream)?);
    }
    let [a, b] = sides;
    println!("ready");
    loop {
        poller.poll(None, &mut |datagram| {
            let stream = datagram.tag;
            let from = pairs.get((stream ^ 1) as usize)?.rtp();
            let to = place(if stream % 2 == 0 { b } else { a }, stream / 2);
            Some(RtpForward { from, to, range: 0..datagram.bytes.len() })
        })?;
    }
}
