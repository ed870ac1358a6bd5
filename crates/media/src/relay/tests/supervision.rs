//! Whether anybody still sends.

use super::*;

fn pcmu() -> [Format; 1] {
    [format(0, Speech::Pcmu)]
}

fn supervised() -> World {
    let mut world = World::joined(&pcmu(), &pcmu());
    world.order(Order::Supervise { call: CALL, silence: Some(MS * 60_000) });
    world
}

const SILENT: [Event; 1] = [Event::Silent { call: CALL }];

#[test]
fn silence_of_both_is_told_once() {
    let mut world = supervised();
    world.pass(MS * 59_990);
    assert_eq!(world.events(), []);
    world.pass(MS * 20);
    assert_eq!(world.events(), SILENT);
    world.pass(MS * 200_000);
    assert_eq!(world.events(), []);
}

#[test]
fn one_that_sends_is_enough_and_rtp_of_strangers_is_not() {
    let mut world = supervised();
    let mut bob = Talker::new(0, 6);
    for _ in 0..5 {
        world.pass(MS * 50_000);
        let header = bob.next();
        world.packet(Side::B, header, &[0; 160]);
    }
    assert_eq!(world.events(), []);
    for _ in 0..7 {
        world.pass(MS * 10_000);
        let stranger = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), 4000);
        world.datagram(Side::B, stranger, &bob.next().to_bytes());
    }
    assert_eq!(world.events(), SILENT);
}

#[test]
fn what_we_play_is_no_sign_of_life() {
    let mut world = supervised();
    world.hear(Side::A, Hear::Silence);
    world.pass(MS * 61_000);
    assert_eq!(world.events(), SILENT);
}

#[test]
fn a_held_call_may_be_silent_and_the_time_begins_anew_after_it() {
    let mut world = supervised();
    world.pass(MS * 50_000);
    world.terms(Side::A, Terms { peer_sends: false, ..terms(Side::A, &pcmu()) });
    world.pass(MS * 500_000);
    assert_eq!(world.events(), []);
    world.terms(Side::A, terms(Side::A, &pcmu()));
    world.pass(MS * 59_000);
    assert_eq!(world.events(), []);
    world.pass(MS * 1_100);
    assert_eq!(world.events(), SILENT);
}

#[test]
fn it_can_be_called_off() {
    let mut world = supervised();
    world.pass(MS * 50_000);
    world.order(Order::Supervise { call: CALL, silence: None });
    world.pass(MS * 100_000);
    assert_eq!(world.events(), []);
    world.order(Order::Supervise { call: CALL, silence: Some(MS * 1000) });
    world.pass(MS * 1010);
    assert_eq!(world.events(), SILENT);
}
