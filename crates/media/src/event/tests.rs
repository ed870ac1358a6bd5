//! Presses in every disorder, and when our own are sent.

use core::time::Duration;
use std::string::String;
use std::vec;
use std::vec::Vec;

use mediator_model::Instant;
use proptest::prelude::*;

use super::{Dialer, KeyDetector, Payload, event_of, key_of};
use crate::rtp::Header;

/// A packet: timestamp, event, end, duration.
type Packet = (u32, u8, bool, u16);

fn hear(detector: &mut KeyDetector, ssrc: u32, packet: Packet) -> Option<char> {
    let (timestamp, event, end, duration) = packet;
    let header = Header { timestamp, ssrc, ..Header::default() };
    detector.hear(&header, &Payload { event, end, volume: 10, duration }.to_bytes())
}

/// The packets of a press, as most phones send them.
fn press(timestamp: u32, event: u8, steps: u16) -> Vec<Packet> {
    let mut packets: Vec<_> = (1..steps).map(|n| (timestamp, event, false, n * 160)).collect();
    packets.extend([(timestamp, event, true, steps * 160); 3]);
    packets
}

fn told(packets: &[Packet]) -> String {
    let mut detector = KeyDetector::new();
    packets.iter().filter_map(|packet| hear(&mut detector, 1, *packet)).collect()
}

#[test]
fn every_key_has_its_event() {
    for (event, key) in "0123456789*#ABCD".chars().enumerate() {
        assert_eq!((event_of(key), key_of(event as u8)), (Some(event as u8), Some(key)));
    }
    assert_eq!(
        (event_of('d'), event_of('E'), event_of(','), key_of(16)),
        (Some(15), None, None, None)
    );
}

#[test]
fn a_payload_is_read_and_written() {
    for (bytes, expected) in [
        (&[5, 0x8A, 3, 0x20][..], Some(Payload { event: 5, end: true, volume: 10, duration: 800 })),
        (&[16, 0x40, 0, 0, 9, 9], Some(Payload { event: 16, end: false, volume: 0, duration: 0 })),
        (&[5, 0x8A, 3], None),
        (&[], None),
    ] {
        assert_eq!(Payload::parse(bytes), expected);
    }
    let payload = Payload { event: 5, end: true, volume: 10, duration: 800 };
    assert_eq!(payload.to_bytes(), [5, 0x8A, 3, 0x20]);
    assert_eq!(payload.rescaled(8000, 48_000).duration, 4800);
    assert_eq!(payload.rescaled(48_000, 8000).duration, 133);
    assert_eq!(Payload { duration: 20_000, ..payload }.rescaled(8000, 48_000).duration, u16::MAX);
    assert_eq!(payload.rescaled(0, 8000).duration, 800);
}

#[test]
fn a_press_is_told_once_and_the_next_one_again() {
    let one = press(1000, 1, 5);
    let again = press(1000 + 1600, 1, 5);
    let star = press(1000 + 3200, 10, 2);
    assert_eq!(told(&[one.clone(), again.clone(), star.clone()].concat()), "11*");
    // Only the last packet of each comes.
    assert_eq!(told(&[one[6], again[6], star[3]]), "11*");
    // The end of the first comes after the second began; a whole press comes behind the next one.
    assert_eq!(told(&[one[0], again[0], one[6], again[1]]), "11");
    assert_eq!(told(&[one[0], star[0], again[0], star[1], one[1]]), "1*1");
}

#[test]
fn a_long_press_is_told_once() {
    let segment = |n: u32| -> Vec<Packet> {
        let begin = 77_u32.wrapping_add(n * 65_535);
        (1..=409)
            .map(|step| (begin, 5, false, step * 160))
            .chain([(begin, 5, false, u16::MAX)])
            .collect()
    };
    let mut packets: Vec<_> = (0..3).flat_map(segment).collect();
    packets.push((77 + 3 * 65_535, 5, true, 800));
    assert_eq!(told(&packets), "5");
    // The same without most of it.
    let some: Vec<_> = packets.iter().step_by(300).copied().collect();
    assert_eq!(told(&some), "5");
}

#[test]
fn a_press_whose_timestamp_runs_is_told_once() {
    for first in [0, 160] {
        let mut packets: Vec<Packet> =
            (0..8).map(|n| (n * 160, 3, false, n as u16 * 160 + first)).collect();
        packets.extend((8..11).map(|n| (n * 160, 3, true, 8 * 160 + first)));
        let next: Vec<_> =
            packets.iter().map(|(at, key, end, long)| (at + 4000, *key, *end, *long)).collect();
        assert_eq!(told(&[packets, next].concat()), "33", "{first}");
    }
}

#[test]
fn other_events_and_sources_are_told_apart() {
    assert_eq!(told(&[(0, 16, false, 160), (0, 32, true, 160), (0, 255, true, 160)]), "");
    let mut detector = KeyDetector::new();
    assert_eq!(hear(&mut detector, 1, (0, 4, false, 160)), Some('4'));
    assert_eq!(hear(&mut detector, 2, (0, 4, false, 160)), Some('4'));
    assert_eq!(hear(&mut detector, 1, (0, 4, true, 800)), None);
    assert_eq!(hear(&mut detector, 2, (0, 4, true, 800)), None);
}

#[test]
fn keys_are_pressed_one_after_the_other() {
    let start = Instant::from_millis(5000);
    let mut dialer = Dialer::new();
    assert_eq!(dialer.next_deadline(), None);
    dialer.dial(start, "1x,#");
    let mut seen = vec![];
    while let Some(due) = dialer.next_deadline() {
        assert_eq!(dialer.poll(Instant::from_nanos(due.as_nanos() - 1)), None);
        let Some(press) = dialer.poll(due) else { continue };
        let payload = Payload::parse(&press.payload(8000)).unwrap();
        assert_eq!(
            press.began,
            if payload.event == 1 { start } else { start + Duration::from_millis(700) }
        );
        let millis = (due - start).as_millis();
        seen.push((millis, payload.event, press.starts, payload.end, payload.duration));
    }
    assert!(dialer.is_done());
    let row = |from: u128, event: u8| {
        [(0, 160), (20, 320), (40, 480), (60, 640), (80, 800), (100, 800), (120, 800)]
            .map(|(at, ticks)| (from + at, event, at == 0, at >= 80, ticks))
    };
    assert_eq!(seen, [row(0, 1), row(700, 11)].concat());
}

#[test]
fn what_is_dialled_while_a_key_is_down_waits_and_too_much_is_left_out() {
    let mut dialer = Dialer::new();
    dialer.dial(Instant::ZERO, "1");
    assert!(dialer.poll(Instant::ZERO).is_some_and(|press| press.starts));
    assert!(dialer.is_pressing());
    dialer.dial(Instant::ZERO, &"2".repeat(1000));
    let mut presses = String::new();
    let mut detector = KeyDetector::new();
    while let Some(due) = dialer.next_deadline() {
        while let Some(press) = dialer.poll(due) {
            let header =
                Header { timestamp: press.began.as_millis() as u32 * 8, ..Header::default() };
            presses.extend(detector.hear(&header, &press.payload(8000)));
        }
    }
    assert_eq!(presses, String::from("1") + &"2".repeat(256));
}

proptest! {
    /// Each press of which anything comes is told exactly once, in any order of packets that are near each other.
    #[test]
    fn presses_are_counted_exactly(
        start in any::<u32>(),
        keys in prop::collection::vec((0_u8..16, 2_u16..30, 320_u32..2000), 1..12),
        fate in prop::collection::vec((0_u8..4, 0_usize..6), 400),
    ) {
        let mut at = start;
        let mut sent: Vec<(usize, usize, Packet)> = vec![];
        let mut expected = 0;
        for (event, steps, pause) in &keys {
            let packets = press(at, *event, *steps);
            at = at.wrapping_add(u32::from(*steps) * 160 + pause);
            let mut any = false;
            for packet in packets {
                let (copies, late) = fate[sent.len() % fate.len()];
                for copy in 0..copies {
                    sent.push((sent.len() + late * usize::from(copy + 1), sent.len(), packet));
                    any = true;
                }
            }
            expected += usize::from(any);
        }
        sent.sort_unstable();
        let packets: Vec<_> = sent.into_iter().map(|(_, _, packet)| packet).collect();
        prop_assert_eq!(told(&packets).len(), expected);
    }

    #[test]
    fn random_bytes_are_taken(packets in prop::collection::vec((any::<u32>(), 0_u32..2, prop::collection::vec(any::<u8>(), 0..8)), 0..60)) {
        let mut detector = KeyDetector::new();
        for (timestamp, ssrc, payload) in packets {
            let header = Header { timestamp, ssrc, ..Header::default() };
            detector.hear(&header, &payload);
        }
        prop_assert!(detector.told.len() <= super::REMEMBERED);
    }
}
