//! The floor: a program that does nothing but forward, with a socket a stream.
//!
//! One thread, level-triggered epoll, one `recvfrom` and one `sendto` a packet; it looks into no packet and keeps no
//! state of a call. What it takes is what the kernel takes for media through user space.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use anyhow::{Context, Result};
use rustix::event::epoll;

use crate::traffic::{Towards, place};

/// The first port; each further one is two above.
const FIRST_PORT: u16 = 20_000;

/// Where the two sides of a call send to.
pub(crate) fn towards(ip: Ipv4Addr, call: u32) -> Towards {
    let port = |side: u32| {
        FIRST_PORT.saturating_add(u16::try_from(call * 4 + side * 2).unwrap_or(u16::MAX))
    };
    [SocketAddr::from((ip, port(0))), SocketAddr::from((ip, port(1)))]
}

/// Forwards the streams of so many calls until it is killed; says `ready` when it does.
pub(crate) fn forward(ip: Ipv4Addr, sides: [Ipv4Addr; 2], calls: u32) -> Result<()> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    // Each socket, and where what comes in on it goes; what it sends comes in on its neighbour.
    let mut streams: Vec<(UdpSocket, SocketAddr)> = Vec::new();
    let [a, b] = sides;
    for call in 0..calls {
        let [from_a, from_b] = towards(ip, call);
        streams.push((bind(from_a)?, place(b, call)));
        streams.push((bind(from_b)?, place(a, call)));
    }
    for (i, (socket, _)) in (0_u64..).zip(&streams) {
        epoll::add(&epoll, socket, epoll::EventData::new_u64(i), epoll::EventFlags::IN)?;
    }
    println!("ready");
    let (mut ready, mut buffer) = (Vec::with_capacity(64), [0; 2048]);
    loop {
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut ready), None)?;
        for event in ready.drain(..) {
            let data = event.data;
            let i = usize::try_from(data.u64())?;
            let (socket, to) = streams.get(i).context("no such stream")?;
            let (outgoing, _) = streams.get(i ^ 1).context("no such stream")?;
            if let Ok((length, _)) = socket.recv_from(&mut buffer) {
                // A full buffer or a closed port is a lost packet.
                let _ = outgoing.send_to(buffer.get(..length).unwrap_or_default(), to);
            }
        }
    }
}

fn bind(address: SocketAddr) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(address).with_context(|| format!("bind {address}"))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
