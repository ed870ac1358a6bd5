//! Which of our addresses a peer sees when we listen on all of them.
//!
//! A listener on `0.0.0.0` or `[::]` has no address to put into Via and Contact; the kernel's routes
//! tell the one that it would send from. Connecting a UDP socket asks them and sends nothing.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use mediator_model::Instant;

/// Routes change rarely; after this an answer is asked for again.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// Peers remembered; when there are more, all are forgotten.
const KEPT: usize = 4096;

/// The address that the kernel sends from towards `remote`.
pub fn local_address_towards(remote: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    // Any port will do; 9 is the one that discards.
    socket.connect(SocketAddr::new(remote, 9))?;
    Ok(socket.local_addr()?.ip())
}

/// Remembers [`local_address_towards`], which takes four system calls, for some seconds a peer.
#[derive(Debug, Default)]
pub struct LocalAddresses {
    known: HashMap<IpAddr, (IpAddr, Instant)>,
}

impl LocalAddresses {
    /// The address that the kernel sends from towards `remote`, at most ten seconds old.
    pub fn towards(&mut self, remote: IpAddr, now: Instant) -> io::Result<IpAddr> {
        if let Some((local, until)) = self.known.get(&remote)
            && now < *until
        {
            return Ok(*local);
        }
        let local = local_address_towards(remote)?;
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        self.known.insert(remote, (local, now + KEPT_FOR));
        Ok(local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_reached_from_loopback() {
        let peer = Ipv4Addr::new(127, 0, 0, 9).into();
        assert_eq!(local_address_towards(peer).unwrap(), Ipv4Addr::LOCALHOST);
    }

    #[test]
    fn an_answer_is_kept_and_asked_for_again() {
        let mut addresses = LocalAddresses::default();
        let peer = Ipv4Addr::new(127, 0, 0, 9).into();
        let stale = Ipv4Addr::new(192, 0, 2, 1).into();
        addresses.known.insert(peer, (stale, Instant::from_millis(10_000)));
        assert_eq!(addresses.towards(peer, Instant::from_millis(9_999)).unwrap(), stale);
        let fresh = addresses.towards(peer, Instant::from_millis(10_000)).unwrap();
        assert_eq!(fresh, Ipv4Addr::LOCALHOST);
        assert_eq!(addresses.known[&peer], (fresh, Instant::from_millis(20_000)));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut addresses = LocalAddresses::default();
        for number in 0..=KEPT as u32 {
            let peer = Ipv4Addr::from_bits(0x7F00_0002 + number).into();
            addresses.towards(peer, Instant::ZERO).unwrap();
        }
        assert!(addresses.known.len() <= KEPT);
    }
}
