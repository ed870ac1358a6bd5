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

fn pcmu() -> Format {
    format(0, Speech::Pcmu)
}

#[test]
fn one_law_becomes_the_other_byte_by_byte_where_only_the_twin_is_there() {
    let mut world = World::joined(&[pcmu()], &[format(8, Speech::Pcma)]);
    let sent = world.packet(Side::A, Talker::new(0, 5).next(), &[0xff, 0x7f, 0x00, 0x80]).unwrap();
    assert_eq!(sent.header().payload_type, 8);
    let expected =
        [0xff_u8, 0x7f, 0x00, 0x80].map(|code| crate::g711::ULAW_TO_ALAW[usize::from(code)]);
    assert_eq!(sent.payload(), expected);
    let sent = world.packet(Side::B, Talker::new(8, 6).next(), &[0xd5, 0x55]).unwrap();
    assert_eq!(sent.header().payload_type, 0);
    let expected = [0xd5_u8, 0x55].map(|code| crate::g711::ALAW_TO_ULAW[usize::from(code)]);
    assert_eq!(sent.payload(), expected);
    assert_eq!(world.relay.counters().transcoded, 2);
}

#[test]
fn the_same_codec_is_left_as_it_is_where_both_laws_are_there() {
    let both = [pcmu(), format(8, Speech::Pcma)];
    let mut world = World::joined(&[pcmu()], &both);
    let sent = world.packet(Side::A, Talker::new(0, 5).next(), &[7; 160]).unwrap();
    assert_eq!((sent.header().payload_type, sent.payload()), (0, &[7; 160][..]));
}

#[test]
fn losses_stay_gaps_and_late_packets_get_their_place() {
    let mut world = World::joined(&[pcmu()], &[pcmu()]);
    let mut alice = Talker::new(0, 5);
    let headers: Vec<Header> = (0..10).map(|_| alice.next()).collect();
    let mut numbers = Vec::new();
    for at in [0, 1, 4, 3, 9] {
        let sent = world.packet(Side::A, headers[at], &[0; 160]).unwrap().header();
        assert!(
            world.packet(Side::A, headers[at], &[0; 160]).is_none(),
            "nothing is handed on twice"
        );
        numbers.push((sent.sequence, sent.timestamp));
    }
    let (first, base) = numbers[0];
    let off = numbers.iter().map(|(sequence, timestamp)| {
        (sequence.wrapping_sub(first), timestamp.wrapping_sub(base) / 160)
    });
    assert_eq!(off.collect::<Vec<_>>(), [(0, 0), (1, 1), (4, 4), (3, 3), (9, 9)]);
}

#[test]
fn another_ssrc_of_the_peer_goes_on_in_the_same_stream() {
    let mut world = World::joined(&[pcmu()], &[pcmu()]);
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 400);
    let mut transferred = Talker::new(0, 77);
    transferred.header.sequence = 9;
    transferred.header.timestamp = 1_000_000;
    world.pass(MS * 500);
    world.talk(Side::A, &mut transferred, MS * 400);
    let heard = world.heard_by(Side::B);
    assert_eq!(heard.len(), 40);
    check_seamless(&heard, 8000, 1);
    let marked: Vec<bool> = heard.iter().map(|sent| sent.header().marker).collect();
    assert!(marked[20] && !marked[19] && !marked[21]);
}

#[test]
fn a_sender_that_begins_anew_under_its_ssrc_goes_on_after_one_packet() {
    let mut world = World::joined(&[pcmu()], &[pcmu()]);
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 100);
    alice.header.sequence = alice.header.sequence.wrapping_add(20_000);
    alice.header.timestamp = 5;
    world.talk(Side::A, &mut alice, MS * 100);
    let heard = world.heard_by(Side::B);
    assert_eq!(heard.len(), 9, "the first one afar is not believed");
    check_seamless(&heard, 8000, 1);
    assert_eq!(world.relay.counters().misplaced, 1);
}

#[test]
fn what_the_other_side_has_no_word_for_leaves_no_gap() {
    let comfort = Format { payload_type: 13, encoding: "CN", clock_rate: 8000, channels: 1 };
    let mut world = World::joined(&[pcmu(), comfort], &[pcmu()]);
    let mut alice = Talker::new(0, 5);
    for at in 0..20 {
        // CN was agreed on with A alone, 50 with nobody.
        alice.header.payload_type = match at % 5 {
            3 => 13,
            4 => 50,
            _ => 0,
        };
        world.packet(Side::A, alice.next(), &[0; 160]);
        world.pass(MS * 20);
    }
    let heard = world.heard_by(Side::B);
    assert_eq!(heard.len(), 12);
    check_seamless(&heard, 8000, 1);
    assert_eq!(world.relay.counters().unroutable, 8);
}

#[test]
fn sources_extension_and_padding_are_left_behind() {
    let mut world = World::joined(&[pcmu()], &[pcmu()]);
    let header = Talker::new(0, 5).next().to_bytes();
    let mut packet =
        [&header[..], &[0, 0, 0, 1, 0, 0, 0, 2], &[0xbe, 0xde, 0, 1, 9, 9, 9, 9], &[1, 2, 3, 4]]
            .concat();
    packet.extend([0, 0, 0, 4]);
    packet[0] = 0x80 | 0x20 | 0x10 | 2;
    let sent = world.datagram(Side::A, peer(Side::A), &packet).unwrap();
    assert_eq!(sent.bytes[0], 0x80);
    assert_eq!(sent.payload(), [1, 2, 3, 4]);
}

#[test]
fn nothing_goes_to_a_side_that_hears_nothing_or_is_held() {
    let mut world = World::joined(&[pcmu()], &[pcmu()]);
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 100);
    world.hear(Side::B, Hear::Nothing);
    world.talk(Side::A, &mut alice, MS * 100);
    assert_eq!(world.heard_by(Side::B).len(), 5);
    world.hear(Side::B, Hear::Peer);
    world.terms(Side::B, Terms { peer_receives: false, ..terms(Side::B, &[pcmu()]) });
    world.talk(Side::A, &mut alice, MS * 100);
    assert!(world.heard_by(Side::B).is_empty());
    world.terms(Side::B, terms(Side::B, &[pcmu()]));
    world.talk(Side::A, &mut alice, MS * 100);
    assert_eq!(world.heard_by(Side::B).len(), 5);
}

#[test]
fn hold_and_resume_leave_no_seam() {
    let mut world = World::joined(&[pcmu()], &[pcmu()]);
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 200);
    world.terms(
        Side::B,
        Terms { peer_receives: false, peer_sends: false, ..terms(Side::B, &[pcmu()]) },
    );
    world.talk(Side::A, &mut alice, MS * 3000);
    world.terms(Side::B, terms(Side::B, &[pcmu()]));
    world.talk(Side::A, &mut alice, MS * 200);
    let heard = world.heard_by(Side::B);
    assert_eq!(heard.len(), 20);
    check_seamless(&heard, 8000, 1);
}

#[test]
fn events_of_another_clock_are_told_in_ticks_of_the_other_side() {
    let mut world = World::joined(
        &[format(111, Speech::Opus), event(101, 8000)],
        &[format(107, Speech::Opus), event(110, 48_000)],
    );
    let mut alice = Talker::new(111, 5);
    alice.ticks = 960;
    world.talk(Side::A, &mut alice, MS * 100);
    alice.header.payload_type = 101;
    let began = world.now;
    for at in 1..=5_u8 {
        let mut header = alice.header;
        header.marker = at == 1;
        alice.header.sequence = alice.header.sequence.wrapping_add(1);
        world.packet(Side::A, header, &[5, 10, 0, 160 / 5 * at]);
        world.pass(MS * 20);
    }
    alice.header.payload_type = 111;
    alice.header.timestamp = alice.header.timestamp.wrapping_add(4800);
    world.talk(Side::A, &mut alice, MS * 100);
    let heard = world.heard_by(Side::B);
    let base = heard[0].header();
    let mut sequence = base.sequence;
    for sent in &heard[1..] {
        sequence = sequence.wrapping_add(1);
        assert_eq!(sent.header().sequence, sequence);
    }
    let events: Vec<&Sent> =
        heard.iter().filter(|sent| sent.header().payload_type == 110).collect();
    assert_eq!(events.len(), 5);
    for (at, sent) in (1_u16..).zip(&events) {
        assert_eq!(sent.payload()[2..4], (192 * at).to_be_bytes());
        let place = sent.header().timestamp.wrapping_sub(base.timestamp);
        assert_eq!(place, (began - heard[0].at).as_millis() as u32 * 48);
    }
    let after = heard.iter().filter(|sent| sent.at > began + MS * 90);
    for sent in after {
        let place = sent.header().timestamp.wrapping_sub(base.timestamp);
        assert_eq!(place, (sent.at - heard[0].at).as_millis() as u32 * 48);
    }
}

#[test]
fn a_codec_change_in_the_call_is_a_seam_that_nobody_sees() {
    let mut world = World::joined(&[pcmu()], &[pcmu()]);
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 200);
    for side in Side::BOTH {
        world.terms(side, terms(side, &[format(9, Speech::G722)]));
    }
    alice.header.payload_type = 9;
    world.talk(Side::A, &mut alice, MS * 200);
    let heard = world.heard_by(Side::B);
    check_seamless(&heard, 8000, 1);
    assert_eq!(heard.last().unwrap().header().payload_type, 9);
}

#[test]
fn a_session_opens_once_and_closes_once() {
    let mut world = World::joined(&[pcmu()], &[pcmu()]);
    let ports = [MediaPort::new(30_004).unwrap(), MediaPort::new(30_006).unwrap()];
    assert_eq!(world.order(Order::Open { call: CALL, ports }), Opened::Nothing);
    let mut alice = Talker::new(0, 5);
    world.talk(Side::A, &mut alice, MS * 200);
    alice.header.sequence = alice.header.sequence.wrapping_add(2);
    world.talk(Side::A, &mut alice, MS * 200);
    world.events();
    let Opened::Closed(key, [a, b]) = world.order(Order::Close { call: CALL }) else {
        panic!("it closes");
    };
    assert_eq!((key, a.rtp(), b.rtp()), (world.session, 30_000, 30_002));
    let events = world.events();
    let [Event::Closed { figures: [a, b], .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((a.packets, a.bytes, a.lost, a.packets_sent), (20, 3200, 2, 0));
    assert_eq!((b.packets, b.packets_sent, b.mos), (0, 20, None));
    assert!(a.mos.is_some_and(|mos| (1.0..4.5).contains(&mos)));
    assert_eq!(world.order(Order::Close { call: CALL }), Opened::Nothing);
    assert!(world.packet(Side::A, alice.next(), &[0; 160]).is_none());
    assert_eq!(world.relay.figures(CALL), None);
    assert_eq!(world.relay.counters().sessions, 0);
}

#[test]
fn a_session_is_small() {
    assert!(size_of::<Session>() <= 2560, "{}", size_of::<Session>());
}
