//! Sequences with gaps, wraps, repeats and new beginnings; jitter by hand.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "small numbers")]

use core::time::Duration;
use std::vec;
use std::vec::Vec;

use mediator_model::Instant;
use proptest::prelude::*;

use super::{Arrival, Reception};
use crate::rtp::Header;

const RATE: u32 = 8000;

fn header(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
    Header { marker: false, payload_type: 0, sequence, timestamp, ssrc }
}

/// Packets of one source, each on time.
fn receive(reception: &mut Reception, ssrc: u32, sequences: &[u16]) -> Vec<Arrival> {
    let on_time = |sequence: &u16| {
        let now = Instant::from_millis(1_000_000 + u64::from(*sequence) * 20);
        reception.receive(now, &header(ssrc, *sequence, u32::from(*sequence) * 160), RATE)
    };
    sequences.iter().map(on_time).collect()
}

#[test]
fn tells_what_each_packet_is_to_its_stream() {
    use Arrival::{Ahead, First, Late, Repeated, Stray};
    let mut reception = Reception::new();
    let seen = receive(&mut reception, 1, &[65_534, 65_535, 0, 3, 2, 2, 3, 1, 3002, 2950]);
    assert_eq!(
        seen,
        [
            First,
            Ahead(1),
            Ahead(1),
            Ahead(3),
            Late(1),
            Repeated,
            Repeated,
            Late(2),
            Ahead(2999),
            Late(52)
        ]
    );
    assert_eq!(
        receive(&mut reception, 1, &[20_000, 3003, 30_000, 30_001]),
        [Stray, Ahead(1), Stray, First]
    );
    assert_eq!(receive(&mut reception, 2, &[7, 8]), [First, Ahead(1)]);
}

#[test]
fn counts_what_is_missing_over_wraps_restarts_and_sources() {
    for (parts, expected, lost, reordered) in [
        (vec![(1, vec![10, 11, 12])], 3, 0, 0),
        (vec![(1, vec![65_534, 1, 2])], 5, 2, 0),
        (vec![(1, vec![10, 14, 12, 12, 12])], 5, 2, 1),
        // One before the first that came.
        (vec![(1, vec![10, 9, 11])], 3, 0, 1),
        (vec![(1, vec![0, 1, 4]), (2, vec![500, 502]), (1, vec![6])], 9, 3, 0),
        (vec![(1, vec![0, 2, 40_000, 40_001, 40_003])], 6, 2, 0),
    ] {
        let mut reception = Reception::new();
        for (ssrc, sequences) in &parts {
            receive(&mut reception, *ssrc, sequences);
        }
        assert_eq!(
            (reception.expected(), reception.lost(), reception.reordered()),
            (expected, lost, reordered),
            "{parts:?}"
        );
        assert!((reception.loss() - lost as f32 / expected as f32).abs() < 1e-6);
    }
    assert!(Reception::new().loss() <= 0.0);
}

#[test]
fn reports_loss_since_the_last_report_and_in_all() {
    let mut reception = Reception::new();
    assert_eq!(reception.report(), None);
    receive(&mut reception, 9, &[65_533, 65_535, 0, 4]);
    let first = reception.report().unwrap();
    assert_eq!((first.ssrc, first.fraction_lost, first.cumulative_lost), (9, 128, 4));
    assert_eq!(first.highest_sequence, 0x1_0004);
    receive(&mut reception, 9, &[5, 6, 7, 8]);
    let second = reception.report().unwrap();
    assert_eq!((second.fraction_lost, second.cumulative_lost), (0, 4));
    // Repeats count as received (RFC 3550 §6.4.1), so that the figure may fall below 0.
    receive(&mut reception, 9, &[8; 6]);
    assert_eq!(reception.report().unwrap().cumulative_lost, -2);
    assert_eq!(reception.lost(), 4);
    assert_eq!(reception.report().unwrap().fraction_lost, 0);
}

#[test]
fn jitter_is_that_of_the_rfc() {
    let mut reception = Reception::new();
    let mut expected = 0_i64;
    let delays = [0_u64, 5, 0, 20, 3, 40, 1, 0];
    for (n, delay) in delays.iter().enumerate() {
        let now = Instant::from_millis(n as u64 * 20 + delay);
        reception.receive(now, &header(1, n as u16, n as u32 * 160), RATE);
        if n > 0 {
            let difference = (*delay as i64 - delays[n - 1] as i64).abs() * 8;
            expected += difference - ((expected + 8) >> 4);
        }
    }
    let millis = expected as f32 / 16.0 / 8.0;
    assert!((reception.jitter_ms() - millis).abs() < 0.001, "{} {millis}", reception.jitter_ms());
    assert_eq!(i64::from(reception.report().unwrap().jitter), expected >> 4);
}

#[test]
fn a_clock_that_was_set_and_packets_of_one_event_are_no_jitter() {
    let mut reception = Reception::new();
    let mut now = Instant::from_millis(5);
    let mut receive = |reception: &mut Reception, sequence, timestamp, rate| {
        now += Duration::from_millis(20);
        reception.receive(now, &header(1, sequence, timestamp), rate);
    };
    receive(&mut reception, 1, 0, RATE);
    receive(&mut reception, 2, 160, RATE);
    receive(&mut reception, 3, 0x8000_0000, RATE);
    receive(&mut reception, 4, 0x8000_0000, RATE);
    receive(&mut reception, 5, 0x8000_0000, RATE);
    receive(&mut reception, 6, 77, 48_000);
    receive(&mut reception, 7, 77 + 960, 48_000);
    assert!(reception.jitter_ms() < 0.001, "{}", reception.jitter_ms());
}

#[test]
fn the_first_timestamps_wrap_without_jitter() {
    let mut reception = Reception::new();
    for n in 0..50_u32 {
        let now = Instant::from_millis(u64::from(n) * 20 + 40_000_000_000);
        reception.receive(now, &header(1, n as u16, 0xFFFF_FF00_u32.wrapping_add(n * 160)), RATE);
    }
    assert!(reception.jitter_ms() < 0.001, "{}", reception.jitter_ms());
}

proptest! {
    #[test]
    fn any_packets_are_counted_without_a_contradiction(
        packets in prop::collection::vec((0_u32..3, any::<u16>(), any::<u32>(), any::<u64>(), 0_u32..50_000), 0..300),
    ) {
        let mut reception = Reception::new();
        for (ssrc, sequence, timestamp, now, rate) in packets {
            let now = Instant::from_nanos(now);
            reception.receive(now, &header(ssrc, sequence, timestamp), rate);
            prop_assert!((0.0..=1.0).contains(&reception.loss()));
            prop_assert!(reception.jitter_ms() >= 0.0);
            let block = reception.report().unwrap();
            prop_assert!((-0x80_0000..=0x7F_FFFF).contains(&block.cumulative_lost));
        }
    }

    /// Loss and reordering are told exactly where each packet comes once or not at all.
    #[test]
    fn each_lost_packet_is_counted_once(start in any::<u16>(), lost in prop::collection::vec(any::<bool>(), 1..500), swap in any::<u64>()) {
        let mut numbers: Vec<usize> = (0..=lost.len()).filter(|n| *n == 0 || *n == lost.len() || !lost[*n]).collect();
        let missing = lost.len() + 1 - numbers.len();
        let mut swapped = 0;
        let mut at = 1;
        while at + 2 < numbers.len() {
            if swap >> (at % 64) & 1 == 1 {
                numbers.swap(at, at + 1);
                swapped += 1;
            }
            at += 2;
        }
        let mut reception = Reception::new();
        for n in numbers {
            reception.receive(Instant::ZERO, &header(5, start.wrapping_add(n as u16), 0), RATE);
        }
        prop_assert_eq!(reception.lost(), missing as u64);
        prop_assert_eq!(reception.reordered(), swapped);
    }
}
