//! A pair has one owner, is bound while it has one, and rests before it has the next.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use mediator_model::MediaPorts;

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
    ports.release(one);
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
