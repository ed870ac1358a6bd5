//! A poller reads each of its sockets, sends on what it is told to, and nothing that peers do ends it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::{RtpDatagram, RtpForward, RtpPoller, RtpSocket, WAKER};
use crate::Clock;
use crate::rtp::{RtpSockets, RtpWaker};

const SOON: Duration = Duration::from_secs(5);

fn sockets(ip: impl Into<std::net::IpAddr>) -> RtpSockets {
    let ip = ip.into();
    let open = || {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    RtpSockets { rtp: open(), rtcp: open() }
}

fn poller() -> (RtpPoller<u8>, RtpWaker) {
    RtpPoller::new(Clock::start()).unwrap()
}

/// A peer, and the addresses of a pair's sockets.
fn scene(sockets: &RtpSockets) -> (UdpSocket, SocketAddr, SocketAddr) {
    let rtp = sockets.rtp.local_addr().unwrap();
    let peer = UdpSocket::bind((rtp.ip(), 0)).unwrap();
    peer.set_read_timeout(Some(SOON)).unwrap();
    (peer, rtp, sockets.rtcp.local_addr().unwrap())
}

/// One wait, and the reading that follows: how many datagrams, and whether the waker was used.
fn turn_with<T: Copy>(
    poller: &mut RtpPoller<T>,
    wait: Duration,
    on_datagram: &mut impl FnMut(RtpDatagram<'_, T>) -> Option<RtpForward>,
) -> (usize, bool) {
    let clock = poller.clock();
    let woken = poller.wait(Some(clock.now() + wait)).unwrap();
    (poller.read(clock.now(), on_datagram), woken)
}

/// One turn that sends nothing on.
fn idle_turn<T: Copy>(poller: &mut RtpPoller<T>, wait: Duration) -> (usize, bool) {
    turn_with(poller, wait, &mut |_| None)
}

/// What a turn hands over: tag, whether on RTCP's socket, and content.
fn turn(poller: &mut RtpPoller<u8>) -> Vec<(u8, bool, Vec<u8>)> {
    let mut seen = Vec::new();
    turn_with(poller, SOON, &mut |datagram| {
        seen.push((datagram.tag, datagram.at.is_rtcp(), datagram.bytes.to_vec()));
        None
    });
    seen
}

fn forwards_from_the_other_pair(ip: impl Into<std::net::IpAddr> + Copy) {
    let (mut poller, _waker) = poller();
    let (a, b) = (sockets(ip), sockets(ip));
    let (alice, at_a, _) = scene(&a);
    let (bob, at_b, rtcp_at_b) = scene(&b);
    let (_a, b) = (poller.register(a, 1).unwrap(), poller.register(b, 2).unwrap());
    alice.send_to(b"..hello", at_a).unwrap();
    let to = bob.local_addr().unwrap();
    let turn = turn_with(&mut poller, SOON, &mut |datagram| {
        assert_eq!((datagram.tag, datagram.source), (1, alice.local_addr().unwrap()));
        datagram.bytes[2] = b'J';
        Some(RtpForward { from: b.rtp(), to, range: 2..datagram.bytes.len() })
    });
    assert_eq!(turn, (1, false));
    let mut buffer = [0; 99];
    assert_eq!(bob.recv_from(&mut buffer).unwrap(), (5, at_b));
    assert_eq!(&buffer[..5], b"Jello");
    poller.send(b.rtcp(), to, b"report");
    assert_eq!(bob.recv_from(&mut buffer).unwrap(), (6, rtcp_at_b));
    let counts = poller.counts();
    assert_eq!((counts.received, counts.sent, counts.refused), (1, 2, 0));
}

#[test]
fn forwards_from_the_other_pair_v4() {
    forwards_from_the_other_pair(Ipv4Addr::LOCALHOST);
}

#[test]
fn forwards_from_the_other_pair_v6() {
    forwards_from_the_other_pair(Ipv6Addr::LOCALHOST);
}

#[test]
fn each_socket_gives_one_datagram_a_turn() {
    let (mut poller, _waker) = poller();
    let (a, b) = (sockets(Ipv4Addr::LOCALHOST), sockets(Ipv4Addr::LOCALHOST));
    let (peer, rtp, rtcp) = scene(&a);
    let (_, other, _) = scene(&b);
    poller.register(a, 1).unwrap();
    poller.register(b, 2).unwrap();
    for (to, bytes) in [(rtp, b"1"), (rtp, b"2"), (rtcp, b"3"), (other, b"4")] {
        peer.send_to(bytes, to).unwrap();
    }
    let mut first = turn(&mut poller);
    first.sort();
    let one = (1, false, b"1".to_vec());
    assert_eq!(first, [one, (1, true, b"3".to_vec()), (2, false, b"4".to_vec())]);
    assert_eq!(turn(&mut poller), [(1, false, b"2".to_vec())]);
}

#[test]
fn a_pair_that_is_gone_is_closed_and_its_name_is_nobodys() {
    let (mut poller, _waker) = poller();
    let one = sockets(Ipv4Addr::LOCALHOST);
    let (peer, rtp, _) = scene(&one);
    let old = poller.register(one, 1).unwrap();
    poller.deregister(old);
    let bound_again = UdpSocket::bind(rtp).unwrap();
    let new = poller.register(sockets(Ipv4Addr::LOCALHOST), 2).unwrap();
    assert_ne!(old, new);
    poller.deregister(old);
    assert_eq!(poller.pairs(), 1);
    poller.send(old.rtp(), peer.local_addr().unwrap(), b"from the grave");
    assert_eq!(poller.counts().sent, 0);
    drop(bound_again);
    poller.deregister(new);
    assert_eq!(poller.pairs(), 0);
    assert_eq!(idle_turn(&mut poller, Duration::ZERO).0, 0);
}

#[test]
fn a_pair_that_is_taken_away_between_wait_and_reading_hands_over_nothing() {
    let (mut poller, _waker) = poller();
    let one = sockets(Ipv4Addr::LOCALHOST);
    let (peer, rtp, _) = scene(&one);
    let old = poller.register(one, 1).unwrap();
    peer.send_to(b"late", rtp).unwrap();
    let clock = poller.clock();
    assert!(!poller.wait(Some(clock.now() + SOON)).unwrap());
    poller.deregister(old);
    // It has the same slot.
    poller.register(sockets(Ipv4Addr::LOCALHOST), 2).unwrap();
    assert_eq!(poller.read(clock.now(), &mut |_| None), 0);
}

#[test]
fn what_was_handed_over_before_a_datagram_is_told_of_before_it_is_read() {
    let (mut poller, waker) = poller();
    let pair = sockets(Ipv4Addr::LOCALHOST);
    let (peer, rtp, _) = scene(&pair);
    poller.register(pair, 1).unwrap();
    waker.wake();
    peer.send_to(b"after the order", rtp).unwrap();
    let clock = poller.clock();
    assert!(poller.wait(Some(clock.now() + SOON)).unwrap());
    assert_eq!(poller.read(clock.now(), &mut |_| None), 1);
}

#[test]
fn errors_of_sockets_end_nothing_and_do_not_spin() {
    let (mut poller, _waker) = poller();
    let pair = sockets(Ipv4Addr::LOCALHOST);
    let (peer, rtp, _) = scene(&pair);
    // Connected, so that the kernel tells of ICMP's port unreachable.
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap();
    let closed = nobody.local_addr().unwrap();
    drop(nobody);
    pair.rtcp.connect(closed).unwrap();
    let pair = poller.register(pair, 1).unwrap();
    for _ in 0..10 {
        poller.send(pair.rtcp(), closed, b"x");
    }
    assert_eq!(poller.counts().sent, 10, "what comes after an error is sent all the same");
    assert_eq!(idle_turn(&mut poller, SOON).0, 0);
    assert_eq!(poller.counts().receive_errors, 1);
    let before = poller.counts().wake_ups;
    let begin = Instant::now();
    idle_turn(&mut poller, Duration::from_millis(30));
    assert!(begin.elapsed() >= Duration::from_millis(30), "the error was taken from the socket");
    assert_eq!(poller.counts().wake_ups, before + 1);
    peer.send_to(b"goes on", rtp).unwrap();
    assert_eq!(turn(&mut poller), [(1, false, b"goes on".to_vec())]);
}

#[test]
fn what_cannot_be_sent_is_counted() {
    let (mut poller, _waker) = poller();
    let pair = poller.register(sockets(Ipv4Addr::LOCALHOST), 1).unwrap();
    poller.send(pair.rtp(), "[::1]:9".parse().unwrap(), b"the other family");
    poller.send(pair.rtp(), "127.0.0.1:9".parse().unwrap(), &vec![0; 65_508]);
    assert_eq!((poller.counts().sent, poller.counts().refused), (0, 2));
}

#[test]
fn empty_and_longest_datagrams_come_whole() {
    let (mut poller, _waker) = poller();
    let pair = sockets(Ipv4Addr::LOCALHOST);
    let (peer, rtp, _) = scene(&pair);
    poller.register(pair, 1).unwrap();
    peer.send_to(&[], rtp).unwrap();
    assert_eq!(turn(&mut poller), [(1, false, vec![])]);
    peer.send_to(&vec![7; 65_507], rtp).unwrap();
    assert_eq!(turn(&mut poller), [(1, false, vec![7; 65_507])]);
}

#[test]
fn a_range_beyond_the_buffer_sends_nothing() {
    let (mut poller, _waker) = poller();
    let pair = sockets(Ipv4Addr::LOCALHOST);
    let (peer, rtp, _) = scene(&pair);
    poller.register(pair, 1).unwrap();
    peer.send_to(b"x", rtp).unwrap();
    let range = 0..1 << 20;
    let mut all = |datagram: RtpDatagram<'_, u8>| {
        Some(RtpForward { from: datagram.at, to: datagram.source, range: range.clone() })
    };
    turn_with(&mut poller, SOON, &mut all);
    assert_eq!(poller.counts().sent, 0);
}

#[test]
fn wakes_from_another_thread_and_each_waking_is_told() {
    let (mut poller, waker) = poller();
    let (done, doing) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        for i in 0..1000 {
            done.send(i).unwrap();
            waker.wake();
        }
    });
    // Without end: a waking that got lost would hang here.
    let mut seen = 0;
    while seen < 1000 {
        assert!(idle_turn(&mut poller, SOON).1);
        seen += doing.try_iter().count();
    }
    other.join().unwrap();
}

#[test]
fn names_survive_the_kernel() {
    for (slot, generation) in [(0, 0), (1, u32::MAX), (u32::MAX >> 2, 7)] {
        let pair = super::RtpPair { slot, generation };
        for socket in [pair.rtp(), pair.rtcp()] {
            assert_ne!(socket.token(), WAKER);
            assert_eq!(RtpSocket::from_token(socket.token()), socket);
        }
    }
}

#[test]
fn a_wait_ends_in_time_after_earlier_and_later_ones() {
    let (mut poller, _waker) = RtpPoller::<()>::new(Clock::start()).unwrap();
    let mut wait = |millis| {
        let begun = std::time::Instant::now();
        let wait = Duration::from_millis(millis);
        // One that was set for an earlier wait may end this one early: then it is waited again, as a loop does.
        while begun.elapsed() < wait {
            let left = wait.saturating_sub(begun.elapsed());
            idle_turn(&mut poller, left);
        }
        assert!(begun.elapsed() < wait + Duration::from_secs(2), "{:?}", begun.elapsed());
    };
    [60, 20, 1, 40, 5].into_iter().for_each(&mut wait);
    // A long wait that something else ends does not hold up a short one.
    idle_turn(&mut poller, Duration::ZERO);
    let (mut poller, waker) = RtpPoller::<()>::new(Clock::start()).unwrap();
    waker.wake();
    assert!(idle_turn(&mut poller, Duration::from_hours(1)).1);
    let begun = std::time::Instant::now();
    idle_turn(&mut poller, Duration::from_millis(20));
    assert!((Duration::from_millis(20)..Duration::from_secs(2)).contains(&begun.elapsed()));
}
