//! What is forwarded, and how.

use super::*;

#[test]
fn forwards_with_an_ssrc_of_its_own_and_the_payload_type_of_the_other_side() {
    let mut world = World::joined(
        &[format(0, Speech::Pcmu), event(101, 8000)],
        &[event(96, 8000), format(0, Speech::Pcmu)],
    );
    let mut alice = Talker::new(0, 5);
    let sent = world.packet(Side::A, alice.next(), &[1; 160]).unwrap();
    assert_eq!(sent.to, peer(Side::B));
    assert_eq!(sent.from, world.lane(Side::B, LaneKind::Rtp));
    assert_ne!(sent.header().ssrc, 5);
    assert!(sent.header().marker);
    assert_eq!(sent.payload(), [1; 160]);
    let first = sent.header();
    alice.header.payload_type = 101;
    let sent = world.packet(Side::A, alice.next(), &[1, 10, 0, 160]).unwrap();
    assert_eq!(sent.header().payload_type, 96);
    assert_eq!(sent.header().sequence, first.sequence.wrapping_add(1));
    assert_eq!(sent.header().timestamp, first.timestamp.wrapping_add(160));
    assert_eq!(sent.header().ssrc, first.ssrc);
}
