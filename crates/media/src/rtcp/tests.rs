//! Datagrams written and read again, and hostile ones.

use core::time::Duration;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Compound, Malformed, Part, Report, ReportBlock, SenderInfo, round_trip, span, units};

const INFO: SenderInfo =
    SenderInfo { ntp: 0x0123_4567_89AB_CDEF, timestamp: 77, packets: 1000, octets: 160_000 };

const BLOCK: ReportBlock = ReportBlock {
    ssrc: 0xAAAA_0001,
    fraction_lost: 25,
    cumulative_lost: -3,
    highest_sequence: 0x1_0004,
    jitter: 12,
    last_sr: 0x4567_89AB,
    delay_since_last_sr: 0x1_0000,
};

fn parts(datagram: &[u8]) -> Result<Vec<Part>, Malformed> {
    let mut parts = vec![];
    Compound::parse(datagram)?.for_each(|part| parts.push(part));
    Ok(parts)
}

#[test]
fn what_is_written_is_read() {
    let sender = Part::Sender { ssrc: 5, info: INFO };
    let block = Part::Block { from: 5, block: BLOCK };
    let bye = Part::Bye { ssrc: 5 };
    for (info, about, is_bye, expected) in [
        (Some(INFO), Some(BLOCK), true, vec![sender, block, bye]),
        (Some(INFO), None, false, vec![sender]),
        (None, Some(BLOCK), false, vec![block]),
        (None, None, true, vec![bye]),
    ] {
        let report = Report { ssrc: 5, sender: info, block: about, cname: "q1w2e3r4", bye: is_bye };
        let bytes = report.write();
        assert_eq!(bytes.len() % 4, 0);
        assert!(crate::rtp::is_rtcp(&bytes));
        assert_eq!(parts(&bytes), Ok(expected));
    }
}

#[test]
fn the_bytes_are_those_of_the_rfc() {
    let report = Report { ssrc: 0x0102_0304, sender: None, block: None, cname: "abc", bye: true };
    let expected = [
        &[0x80, 201, 0, 1, 1, 2, 3, 4][..],
        &[0x81, 202, 0, 3, 1, 2, 3, 4, 1, 3, b'a', b'b', b'c', 0, 0, 0],
        &[0x81, 203, 0, 1, 1, 2, 3, 4],
    ]
    .concat();
    assert_eq!(&report.write()[..], &expected[..]);
}

#[test]
fn a_name_is_cut_and_ends_with_a_null_at_every_length() {
    let long = "x".repeat(400);
    for length in [0, 1, 2, 3, 4, 5, 254, 255, 256, 400] {
        let report =
            Report { ssrc: 1, sender: None, block: None, cname: &long[..length], bye: true };
        let bytes = report.write();
        assert_eq!(parts(&bytes), Ok(vec![Part::Bye { ssrc: 1 }]), "{length}");
        let name = length.min(255);
        assert_eq!(bytes[8 + 4 + 4 + 1], name as u8);
        assert_eq!(bytes[8 + 4 + 4 + 2 + name], 0, "{length}");
    }
}

#[test]
fn refuses_lengths_that_do_not_add_up() {
    let whole =
        Report { ssrc: 5, sender: Some(INFO), block: Some(BLOCK), cname: "abc", bye: true }.write();
    let sizes = [28 + 24, 28 + 24 + 16, whole.len()];
    for length in 0..whole.len() {
        let expected = sizes.contains(&length);
        assert_eq!(parts(&whole[..length]).is_ok(), expected, "{length}");
    }
    for (bytes, expected) in [
        (vec![0x40, 201, 0, 1, 0, 0, 0, 0], Malformed::Version),
        (vec![0x81, 201, 0, 1, 0, 0, 0, 0], Malformed::Short),
        (vec![0x80, 200, 0, 1, 0, 0, 0, 0], Malformed::Short),
        (vec![0x9F, 203, 0, 1, 0, 0, 0, 0], Malformed::Short),
        (vec![0x80, 201, 0xFF, 0xFF, 0, 0, 0, 0], Malformed::Short),
        (vec![0xA0, 201, 0, 1, 0, 0, 0, 0], Malformed::Padding),
        (vec![0xA0, 201, 0, 1, 0, 0, 0, 8], Malformed::Padding),
        (vec![0xA0, 201, 0, 1, 0, 0, 0, 3], Malformed::Padding),
        // Its SSRC is padding.
        (vec![0xA0, 201, 0, 1, 0, 0, 0, 4], Malformed::Short),
        // Padding in the middle.
        (vec![0xA0, 204, 0, 1, 0, 0, 0, 4, 0x80, 203, 0, 0], Malformed::Padding),
        ([0x80, 203, 0, 0].repeat(33), Malformed::TooMany),
    ] {
        assert_eq!(parts(&bytes), Err(expected), "{bytes:x?}");
    }
    assert_eq!(parts(&[0x80, 203, 0, 0].repeat(32)), Ok(vec![]));
    assert_eq!(parts(&[0xA0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4]), Ok(vec![]));
}

#[test]
fn the_round_trip_is_what_the_peer_did_not_hold() {
    let sent = 0xB705_2000_0000_0000_u64;
    let second = 1_u64 << 32;
    let block =
        |last_sr, delay_since_last_sr| ReportBlock { last_sr, delay_since_last_sr, ..BLOCK };
    let known = super::middle(sent);
    for (block, now, expected) in [
        (block(known, units(Duration::from_millis(5250))), sent + 6 * second, Some(750)),
        (block(known, 0), sent, Some(0)),
        (block(0, 0), sent, None),
        (block(known, units(Duration::from_secs(7))), sent + 6 * second, None),
        (block(known.wrapping_add(1), 0), sent, None),
        // The middle wraps every 18 hours.
        (
            block(super::middle(0x1_FFFF_8000_0000), units(Duration::from_millis(400))),
            0x1_0000_0000_0000 * 2,
            Some(100),
        ),
    ] {
        let found = round_trip(&block, now);
        let near = |span: Duration, millis: u64| {
            span.abs_diff(Duration::from_millis(millis)) < Duration::from_millis(1)
        };
        match (found, expected) {
            (Some(found), Some(millis)) => assert!(near(found, millis), "{found:?} {millis}"),
            (found, expected) => assert_eq!(found.is_some(), expected.is_some()),
        }
    }
    assert_eq!(span(0x1_0000), Duration::from_secs(1));
    assert_eq!(units(Duration::from_secs(100_000)), u32::MAX);
}

proptest! {
    #[test]
    fn random_bytes_never_lead_outside(mut bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 198_u8..206, words in 0_u8..20) {
        let _ = parts(&bytes);
        if let Some(header) = bytes.first_chunk_mut::<4>() {
            *header = [header[0] & 0x3F | 0x80, kind, 0, words];
            let _ = parts(&bytes);
        }
    }

    #[test]
    fn every_report_comes_back(ssrc in any::<u32>(), ntp in any::<u64>(), lost in -0x80_0000_i32..0x80_0000, fraction in any::<u8>(), highest in any::<u32>()) {
        let block = ReportBlock { cumulative_lost: lost, fraction_lost: fraction, highest_sequence: highest, ..BLOCK };
        let info = SenderInfo { ntp, ..INFO };
        let bytes = Report { ssrc, sender: Some(info), block: Some(block), cname: "abc", bye: false }.write();
        prop_assert_eq!(parts(&bytes), Ok(vec![Part::Sender { ssrc, info }, Part::Block { from: ssrc, block }]));
    }
}
