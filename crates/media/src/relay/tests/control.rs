//! RTCP.

use super::*;
use crate::rtcp::{Compound, Part, Report, ReportBlock, SenderInfo, middle};

fn pcmu() -> [Format; 1] {
    [format(0, Speech::Pcmu)]
}

fn control(side: Side) -> SocketAddr {
    SocketAddr::new(peer(side).ip(), 4001)
}

fn parts(sent: &Sent) -> Vec<Part> {
    let mut parts = Vec::new();
    Compound::parse(&sent.bytes).unwrap().for_each(|part| parts.push(part));
    parts
}

fn reports(world: &mut World, side: Side, kind: LaneKind) -> Vec<Sent> {
    let lane = world.lane(side, kind);
    let is_report = |sent: &Sent| sent.from == lane && (200..=204).contains(&sent.bytes[1]);
    core::mem::take(&mut world.wire.1).into_iter().filter(is_report).collect()
}

fn receive(world: &mut World, at: Lane, from: SocketAddr, bytes: &[u8]) {
    let mut buffer = bytes.to_vec();
    assert!(world.relay.receive(world.now, at, from, &mut buffer).is_none());
}

#[test]
fn reports_go_out_every_five_seconds_or_so_and_nothing_where_there_is_nothing_to_tell() {
    let mut world = World::joined(&pcmu(), &pcmu());
    world.pass(MS * 10_000);
    assert!(world.wire.1.is_empty());
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 100_000);
    let to_b = reports(&mut world, Side::B, LaneKind::Rtcp);
    assert!((15..=27).contains(&to_b.len()), "{}", to_b.len());
    assert!(longest_gap(&to_b) <= MS * 7500);
    assert!(to_b.iter().all(|sent| sent.to == control(Side::B)));
    assert!(matches!(parts(&to_b[3])[0], Part::Sender { .. }));
}

#[test]
fn the_first_report_comes_after_two_and_a_half_seconds_and_tells_what_was_lost() {
    let mut world = World::joined(&pcmu(), &pcmu());
    let mut alice = Talker::new(0, 5);
    for at in 0..150 {
        let header = alice.next();
        if at % 10 != 7 {
            world.packet(Side::A, header, &[0; 160]);
        }
        world.pass(MS * 20);
    }
    let began = Instant::from_millis(1_000_000);
    let to_a = reports(&mut world, Side::A, LaneKind::Rtcp);
    assert_eq!(to_a[0].at - began, MS * 2500);
    let [Part::Block { block, .. }] = parts(&to_a[0])[..] else { panic!("a receiver report") };
    assert_eq!((block.ssrc, block.cumulative_lost), (5, 12));
    assert!((20..=30).contains(&block.fraction_lost));
}

#[test]
fn the_two_legs_have_names_and_ssrcs_of_their_own_and_of_nobody_else() {
    let mut world = World::joined(&pcmu(), &pcmu());
    let (mut alice, mut bob) = (Talker::new(0, 5), Talker::new(0, 6));
    for _ in 0..300 {
        let (one, other) = (alice.next(), bob.next());
        world.packet(Side::A, one, &[0; 160]);
        world.packet(Side::B, other, &[0; 160]);
        world.pass(MS * 20);
    }
    let sent = core::mem::take(&mut world.wire.1);
    let of = |side: Side| {
        let lane = Lane { session: world.session, side, kind: LaneKind::Rtcp };
        sent.iter().find(|sent| sent.from == lane).unwrap().bytes.clone()
    };
    let (a, b) = (of(Side::A), of(Side::B));
    assert_ne!(a[4..8], b[4..8]);
    // Behind sender report, block and SDES header: the name.
    assert_ne!(a[52 + 10..52 + 26], b[52 + 10..52 + 26]);
    assert!(a[52 + 10..52 + 26].iter().all(u8::is_ascii_hexdigit));
}

#[test]
fn the_round_trip_is_that_of_the_peers_report() {
    let mut world = World::joined(&pcmu(), &pcmu());
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 4000);
    let mut bob = Talker::new(0, 6).next().to_bytes().to_vec();
    bob.extend([0; 160]);
    world.datagram(Side::B, peer(Side::B), &bob);
    let ours = reports(&mut world, Side::B, LaneKind::Rtcp).remove(0);
    let Part::Sender { ssrc, info } = parts(&ours)[0] else { panic!("a sender report") };
    let held = MS * 500;
    let now = ours.at + held + MS * 80;
    world.now = world.now.max(now);
    let block = ReportBlock {
        ssrc,
        last_sr: middle(info.ntp),
        delay_since_last_sr: crate::rtcp::units(world.now - (ours.at + MS * 80)),
        ..ReportBlock::default()
    };
    let report = Report { ssrc: 6, sender: None, block: Some(block), cname: "x", bye: false };
    let at = world.lane(Side::B, LaneKind::Rtcp);
    receive(&mut world, at, control(Side::B), &report.write());
    let trip = world.relay.figures(CALL).unwrap()[1].round_trip.unwrap();
    assert!((79..=81).contains(&trip.as_millis()), "{trip:?}");
    assert_eq!(world.relay.counters().rtcp, 1);
}

#[test]
fn over_one_port_it_goes_and_comes_beside_rtp() {
    let mut world = World::joined(&pcmu(), &pcmu());
    world.terms(Side::A, Terms { rtcp_mux: true, ..terms(Side::A, &pcmu()) });
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 3000);
    let to_a = reports(&mut world, Side::A, LaneKind::Rtp);
    assert_eq!(to_a.iter().map(|sent| sent.to).collect::<Vec<_>>(), [peer(Side::A)]);
    let info = SenderInfo { ntp: 0x1234_5678_9abc_def0, ..SenderInfo::default() };
    let report = Report { ssrc: 5, sender: Some(info), block: None, cname: "x", bye: false };
    let at = world.lane(Side::A, LaneKind::Rtp);
    receive(&mut world, at, peer(Side::A), &report.write());
    assert_eq!(world.relay.counters().rtcp, 1);
    world.talk(Side::A, &mut alice, MS * 8000);
    let next = reports(&mut world, Side::A, LaneKind::Rtp).remove(0);
    let Part::Block { block, .. } = parts(&next)[0] else { panic!("a block") };
    assert_eq!(block.last_sr, 0x5678_9abc);
    assert!(block.delay_since_last_sr > 0);
}

#[test]
fn strangers_and_floods_are_not_read() {
    let mut world = World::joined(&pcmu(), &pcmu());
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 100);
    let report = Report { ssrc: 5, sender: None, block: None, cname: "x", bye: false }.write();
    let at = world.lane(Side::A, LaneKind::Rtcp);
    let stranger = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 4001);
    receive(&mut world, at, stranger, &report);
    assert_eq!(world.relay.counters().rtcp, 0);
    for _ in 0..1000 {
        receive(&mut world, at, control(Side::A), &report);
    }
    assert_eq!(world.relay.counters().rtcp, 32);
    // Not agreed on for RTP's port.
    let at = world.lane(Side::A, LaneKind::Rtp);
    receive(&mut world, at, peer(Side::A), &report);
    assert_eq!(world.relay.counters().rtcp, 32);
    world.pass(MS * 2500);
    let at = world.lane(Side::A, LaneKind::Rtcp);
    receive(&mut world, at, control(Side::A), &report);
    assert_eq!(world.relay.counters().rtcp, 33, "a share for each interval");
}

#[test]
fn reports_follow_the_peer_through_its_nat() {
    let mut world = World::joined(&pcmu(), &pcmu());
    let outside = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5)), port);
    let private = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5)), 4000);
    let behind = Terms {
        remote: Some(private),
        remote_rtcp: Some(SocketAddr::new(private.ip(), 4001)),
        signalling: outside(0).ip(),
        ..terms(Side::A, &pcmu())
    };
    world.terms(Side::A, behind);
    let mut alice = Talker::new(0, 5);
    for _ in 0..200 {
        let mut bytes = alice.next().to_bytes().to_vec();
        bytes.extend([0; 160]);
        world.datagram(Side::A, outside(7000), &bytes);
        world.pass(MS * 20);
    }
    assert!(reports(&mut world, Side::A, LaneKind::Rtcp).is_empty(), "where to is not known");
    let report = Report { ssrc: 5, sender: None, block: None, cname: "x", bye: false }.write();
    let at = world.lane(Side::A, LaneKind::Rtcp);
    receive(&mut world, at, outside(7005), &report);
    world.pass(MS * 7600);
    let sent = reports(&mut world, Side::A, LaneKind::Rtcp);
    assert!(!sent.is_empty() && sent.iter().all(|sent| sent.to == outside(7005)));
}

#[test]
fn farewell_is_said_where_anything_was() {
    let mut world = World::joined(&pcmu(), &pcmu());
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 100);
    world.order(Order::Close { call: CALL });
    let sent = reports(&mut world, Side::B, LaneKind::Rtcp);
    assert_eq!(sent.len(), 1);
    assert!(matches!(parts(&sent[0])[..], [Part::Sender { .. }, Part::Bye { .. }]));
    let mut world = World::joined(&pcmu(), &pcmu());
    world.order(Order::Close { call: CALL });
    assert!(world.wire.1.is_empty());
}
