//! A pair has one owner, is bound while it has one, and rests before it has the next.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use mediator_model::{MediaPort, MediaPorts};

use super::RtpPorts;

fn ports(range: std::ops::RangeInclusive<u16>) -> RtpPorts {
    RtpPorts::new(IpAddr::V4(Ipv4Addr::new(127, 0, 31, 7)), range, 0)
}

#[test]
fn a_pair_has_one_owner_and_rests_before_the_next() {
    let ports = ports(41_001..=41_007);
    let one = ports.reserve().unwrap();
    let two = ports.reserve().unwrap();
    // 41002 and 41004; 41006 and 41007 are a pair too.
    assert_eq!((one.rtp(), two.rtp(), ports.used()), (41_002, 41_004, 2));
    let bound = ports.bound();
    assert_eq!(
        [41_001, 41_002, 41_003, 41_004, 41_006].map(|port| bound.contains(port)),
        [false, true, true, true, false]
    );
    ports.release(one);
    assert!(!bound.contains(41_002) && !bound.contains(41_003));
    assert_eq!(ports.reserve().unwrap().rtp(), 41_006);
    assert_eq!(ports.reserve().unwrap().rtp(), 41_002);
    assert!(ports.reserve().is_err());
    assert_eq!((ports.exhausted(), ports.free()), (1, 0));
}

#[test]
fn ports_of_other_programs_are_passed_over() {
    let other = UdpSocket::bind("127.0.31.7:41101").unwrap();
    let ports = ports(41_100..=41_103);
    let port = ports.reserve().unwrap();
    assert_eq!(port.rtp(), 41_102);
    let sockets = ports.take(port).unwrap();
    assert_eq!(sockets.rtcp.local_addr().unwrap().port(), 41_103);
    assert!(ports.take(port).is_none());
    drop((sockets, other));
    ports.give_back(port);
    assert_eq!(ports.used(), 0);
    assert_eq!(ports.reserve().unwrap().rtp(), 41_100);
}

#[test]
fn a_longer_run_of_occupied_ports_is_got_over_by_the_calls_that_follow() {
    let first = 42_000;
    let held = u16::try_from(super::MAX_TRIES).unwrap() + 10;
    let others: Vec<UdpSocket> = (0..held)
        .map(|i| UdpSocket::bind((Ipv4Addr::new(127, 0, 31, 7), first + 2 * i)).unwrap())
        .collect();
    let ports = ports(first..=first + 2 * held + 1);
    assert!(ports.reserve().is_err());
    assert_eq!(ports.reserve().unwrap().rtp(), first + 2 * held);
    assert_eq!((ports.occupied(), ports.exhausted(), ports.failed()), (138, 1, 0));
    drop(others);
    assert_eq!(ports.reserve().unwrap().rtp(), first);
}

#[test]
fn an_address_of_another_machine_fails_at_once() {
    let ports = RtpPorts::new(Ipv4Addr::new(192, 0, 2, 1).into(), 41_200..=41_299, 0);
    assert!(ports.reserve().is_err());
    assert_eq!((ports.failed(), ports.exhausted(), ports.used(), ports.free()), (1, 1, 0, 50));
}

#[test]
fn what_somebody_does_not_have_is_not_given_back() {
    let ports = ports(41_300..=41_303);
    let port = ports.reserve().unwrap();
    ports.give_back(port);
    assert_eq!((ports.used(), ports.free()), (1, 1), "its sockets are still here");
    let sockets = ports.take(port).unwrap();
    ports.release(port);
    assert_eq!((ports.used(), ports.free()), (1, 1), "a session has it");
    drop(sockets);
    ports.give_back(port);
    ports.give_back(port);
    ports.release(port);
    assert_eq!((ports.used(), ports.free()), (0, 2));
}

#[test]
fn pairs_of_ipv6_leave_ipv4_its_own() {
    let six = RtpPorts::new(Ipv6Addr::UNSPECIFIED.into(), 41_400..=41_401, 0);
    let four = RtpPorts::new(Ipv4Addr::UNSPECIFIED.into(), 41_400..=41_401, 0);
    let (one, other) = (six.reserve().unwrap(), four.reserve().unwrap());
    assert_eq!(one, other);
    assert!(six.take(one).unwrap().rtp.local_addr().unwrap().is_ipv6());
}

#[test]
fn the_whole_range_can_be_had_from_many_threads_and_each_pair_once() {
    let ports = ports(43_000..=43_999);
    let mut all: Vec<u16> = std::thread::scope(|scope| {
        let take = || std::iter::from_fn(|| ports.reserve().ok()).map(MediaPort::rtp).collect();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
        threads.into_iter().flat_map(|thread| -> Vec<u16> { thread.join().unwrap() }).collect()
    });
    all.sort_unstable();
    assert_eq!(all, (43_000..=43_998).step_by(2).collect::<Vec<u16>>());
    assert_eq!(ports.used(), 500);
}

#[test]
fn the_last_ports_there_are_make_a_pair() {
    let ports = RtpPorts::new(Ipv4Addr::LOCALHOST.into(), 65_533..=65_535, 7);
    assert_eq!(ports.reserve().unwrap().rtcp(), 65_535);
    assert_eq!(ports.free(), 0);
}
