//! Where a leg's media is believed to come from, and where it is sent.

use super::*;

fn pcmu() -> [Format; 1] {
    [format(0, Speech::Pcmu)]
}

fn at(last: u8, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, last)), port)
}

fn send(world: &mut World, side: Side, from: SocketAddr, talker: &mut Talker) -> bool {
    let mut bytes = talker.next().to_bytes().to_vec();
    bytes.extend([0; 160]);
    world.datagram(side, from, &bytes).is_some()
}

/// Where B's side is sent to.
fn destination(world: &mut World, talker: &mut Talker) -> Option<SocketAddr> {
    let header = talker.next();
    world.packet(Side::A, header, &[0; 160]).map(|sent| sent.to)
}

#[test]
fn the_address_of_sdp_is_locked_and_others_are_refused_and_counted() {
    let mut world = World::joined(&pcmu(), &pcmu());
    let mut alice = Talker::new(0, 5);
    assert!(send(&mut world, Side::A, peer(Side::A), &mut alice));
    for port in 1..50 {
        assert!(!send(&mut world, Side::A, at(9, port), &mut Talker::new(0, 66)));
    }
    assert!(send(&mut world, Side::A, peer(Side::A), &mut alice));
    assert_eq!(world.relay.figures(CALL).unwrap()[0].refused, 49);
    assert_eq!(world.relay.counters().refused, 49);
}

#[test]
fn a_peer_behind_a_nat_is_sent_to_where_it_comes_from() {
    let mut world = World::joined(&pcmu(), &pcmu());
    let private = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5)), 4000);
    let signalling = at(5, 0).ip();
    world.terms(Side::B, Terms { remote: Some(private), signalling, ..terms(Side::B, &pcmu()) });
    let (mut alice, mut bob) = (Talker::new(0, 5), Talker::new(0, 6));
    assert_eq!(destination(&mut world, &mut alice), Some(private));
    for _ in 0..5 {
        assert!(send(&mut world, Side::B, at(5, 7777), &mut bob));
    }
    assert_eq!(destination(&mut world, &mut alice), Some(at(5, 7777)));
    // Its NAT binds it anew.
    world.pass(MS * 2500);
    assert!(send(&mut world, Side::B, at(5, 8888), &mut bob));
    assert_eq!(destination(&mut world, &mut alice), Some(at(5, 8888)));
}

#[test]
fn a_stranger_that_sdp_names_is_not_sent_to_for_long_unless_media_comes_from_there() {
    for media_comes in [false, true] {
        let mut world = World::joined(&pcmu(), &pcmu());
        world.terms(Side::B, Terms { remote: Some(at(99, 4000)), ..terms(Side::B, &pcmu()) });
        let (mut alice, mut bob) = (Talker::new(0, 5), Talker::new(0, 6));
        if media_comes {
            send(&mut world, Side::B, at(99, 4000), &mut bob);
        }
        assert_eq!(destination(&mut world, &mut alice), Some(at(99, 4000)));
        world.pass(crate::latch::UNPROVEN + MS * 100);
        assert_eq!(destination(&mut world, &mut alice).is_some(), media_comes);
    }
}

#[test]
fn from_the_answer_on_a_stranger_that_sdp_names_has_ten_seconds() {
    for (again, reports) in [(false, false), (true, false), (false, true)] {
        let mut world = World::joined(&pcmu(), &pcmu());
        let named = |last| Terms { remote: Some(at(last, 4000)), ..terms(Side::B, &pcmu()) };
        world.terms(Side::B, Terms { remote_rtcp: Some(at(99, 4001)), ..named(99) });
        let mut alice = Talker::new(0, 5);
        assert_eq!(destination(&mut world, &mut alice), Some(at(99, 4000)));
        world.order(Order::Supervise { call: CALL, silence: Some(MS * 600_000) });
        if again {
            // Another stranger by a re-INVITE: from then on.
            world.pass(MS * 9_000);
            world.terms(Side::B, named(98));
        }
        if reports {
            let report = [0x80, 201, 0, 1, 0, 0, 0, 7];
            let lane = world.lane(Side::B, LaneKind::Rtcp);
            world.relay.receive(world.now, lane, at(99, 4001), &mut report.clone());
        }
        world.pass(MS * 9_900);
        let now = destination(&mut world, &mut alice);
        assert_eq!(now, Some(at(if again { 98 } else { 99 }, 4000)));
        world.pass(MS * 200);
        assert_eq!(destination(&mut world, &mut alice).is_some(), reports);
    }
}

#[test]
fn new_terms_with_another_address_are_learned_anew_and_with_the_same_are_not() {
    let mut world = World::joined(&pcmu(), &pcmu());
    let mut alice = Talker::new(0, 5);
    assert!(send(&mut world, Side::A, peer(Side::A), &mut alice));
    world.terms(Side::A, terms(Side::A, &pcmu()));
    assert!(!send(&mut world, Side::A, at(9, 9), &mut Talker::new(0, 66)), "still locked");
    world.terms(Side::A, Terms { remote: Some(at(9, 9)), ..terms(Side::A, &pcmu()) });
    assert!(send(&mut world, Side::A, at(9, 9), &mut alice));
    assert!(!send(&mut world, Side::A, peer(Side::A), &mut alice));
}

#[test]
fn nothing_is_ever_sent_to_our_own_sockets_or_to_nowhere() {
    let ours = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), 30_002);
    let mapped = SocketAddr::new("::ffff:198.51.100.1".parse().unwrap(), 30_002);
    let multicast = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)), 4000);
    for remote in [
        ours,
        mapped,
        multicast,
        at(1, 0),
        SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 4000),
    ] {
        let mut world = World::joined(&pcmu(), &pcmu());
        world.terms(
            Side::B,
            Terms { remote: Some(remote), signalling: remote.ip(), ..terms(Side::B, &pcmu()) },
        );
        world.hear(Side::B, Hear::Silence);
        world.pass(MS * 100);
        world.hear(Side::B, Hear::Peer);
        assert_eq!(destination(&mut world, &mut Talker::new(0, 5)), None, "{remote}");
        assert!(!send(&mut world, Side::B, ours, &mut Talker::new(0, 6)));
        world.order(Order::Close { call: CALL });
        assert!(world.wire.1.is_empty(), "{remote}");
        let is_ours = remote.port() == 30_002;
        assert_eq!(world.relay.counters().forbidden > 0, is_ours, "{remote}");
    }
}

#[test]
fn nothing_is_learned_from_a_payload_type_that_was_not_agreed_on() {
    let mut world = World::joined(&pcmu(), &pcmu());
    for _ in 0..20 {
        assert!(!send(&mut world, Side::B, at(9, 9), &mut Talker::new(77, 66)));
    }
    assert_eq!(destination(&mut world, &mut Talker::new(0, 5)), Some(peer(Side::B)));
}

#[test]
fn a_leg_that_has_agreed_on_nothing_refuses_all() {
    let mut world = World::open();
    assert!(!send(&mut world, Side::A, peer(Side::A), &mut Talker::new(0, 5)));
    assert_eq!(world.relay.counters().refused, 1);
}

#[test]
fn another_peer_in_the_same_place_is_learned_anew_and_the_one_before_is_kept_out() {
    let mut world = World::joined(&pcmu(), &pcmu());
    let said = |number, host: u8| Terms {
        remote: Some(at(77, 4000)),
        signalling: at(host, 0).ip(),
        peer: Peer { number, dialog: 0, has_rivals: true },
        ..terms(Side::B, &pcmu())
    };
    let (mut alice, mut one, mut two) = (Talker::new(0, 5), Talker::new(0, 6), Talker::new(0, 7));
    world.terms(Side::B, said(1, 5));
    world.pass(MS * 1000);
    for _ in 0..10 {
        assert!(send(&mut world, Side::B, at(5, 4000), &mut one));
        assert!(!send(&mut world, Side::B, at(6, 4000), &mut two));
    }
    assert_eq!(destination(&mut world, &mut alice), Some(at(5, 4000)));
    // The same peer says the same again: nothing changes.
    world.terms(Side::B, said(1, 5));
    assert_eq!(destination(&mut world, &mut alice), Some(at(5, 4000)));
    // The same words, of another one behind another NAT.
    world.terms(Side::B, said(2, 6));
    assert_eq!(destination(&mut world, &mut alice), Some(at(77, 4000)), "where SDP says");
    for _ in 0..10 {
        assert!(!send(&mut world, Side::B, at(5, 4000), &mut one));
        assert!(send(&mut world, Side::B, at(6, 4000), &mut two));
    }
    assert_eq!(destination(&mut world, &mut alice), Some(at(6, 4000)));
}

#[test]
fn another_dialog_of_a_peer_is_learned_anew_and_nobody_is_kept_out() {
    let mut world = World::joined(&pcmu(), &pcmu());
    let said = |dialog| Terms {
        remote: Some(at(77, 4000)),
        peer: Peer { number: 1, dialog, has_rivals: false },
        ..terms(Side::B, &pcmu())
    };
    let (mut one, mut two) = (Talker::new(0, 6), Talker::new(0, 7));
    world.terms(Side::B, said(1));
    for _ in 0..200 {
        assert!(send(&mut world, Side::B, at(5, 4000), &mut one));
        world.pass(MS * 20);
    }
    assert!(!send(&mut world, Side::B, at(6, 4000), &mut two), "a stranger that is locked");
    // The same phone, under another tag.
    world.terms(Side::B, said(2));
    assert!(send(&mut world, Side::B, at(5, 4000), &mut one));
    // Another one: the first one has stopped.
    world.terms(Side::B, said(3));
    assert!(send(&mut world, Side::B, at(5, 4000), &mut one));
    world.pass(MS * 200);
    assert!(send(&mut world, Side::B, at(6, 4000), &mut two));
    assert!(!send(&mut world, Side::B, at(5, 4000), &mut one));
}
