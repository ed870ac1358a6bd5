//! Packets with every part of the header, cut short, and of random bytes.

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Header, Malformed, Packet, is_rtcp};

const HEADER: Header = Header {
    marker: true,
    payload_type: 101,
    sequence: 0xFFFE,
    timestamp: 0x0102_0304,
    ssrc: 0xA1B2_C3D4,
};

/// A packet with so many contributing sources, words of extension (or none) and bytes of padding.
fn packet(sources: u8, extension: Option<u16>, payload: &[u8], padding: u8) -> Vec<u8> {
    let mut bytes = HEADER.to_bytes().to_vec();
    bytes[0] |= sources;
    bytes.extend(vec![0x11; 4 * usize::from(sources)]);
    if let Some(words) = extension {
        bytes[0] |= 0x10;
        bytes.extend([0xBE, 0xDE]);
        bytes.extend(words.to_be_bytes());
        bytes.extend(vec![0x22; 4 * usize::from(words)]);
    }
    bytes.extend(payload);
    if padding > 0 {
        bytes[0] |= 0x20;
        bytes.extend(vec![0; usize::from(padding) - 1]);
        bytes.push(padding);
    }
    bytes
}

#[test]
fn finds_the_payload_behind_sources_and_extension_and_before_padding() {
    for (sources, extension, padding) in
        [(0, None, 0), (3, None, 0), (15, Some(7), 0), (0, Some(0), 4), (1, Some(1), 200)]
    {
        let mut bytes = packet(sources, extension, b"voice", padding);
        let read = Packet::parse(&bytes).unwrap();
        assert_eq!(read.header, HEADER);
        assert_eq!(&bytes[read.payload()], b"voice");
        let other = Header { marker: false, payload_type: 0, sequence: 1, timestamp: 2, ssrc: 3 };
        let range = read.rewrite(&mut bytes, other).unwrap();
        let sent = &bytes[range];
        assert_eq!(sent.len(), 12 + 5, "nothing but the header and the payload is passed on");
        let read = Packet::parse(sent).unwrap();
        assert_eq!((read.header, &sent[read.payload()]), (other, &b"voice"[..]));
    }
}

#[test]
fn refuses_what_is_shorter_than_it_says() {
    let whole = packet(2, Some(3), b"", 0);
    for length in 0..whole.len() {
        assert_eq!(Packet::parse(&whole[..length]), Err(Malformed::Short), "{length}");
    }
    assert!(Packet::parse(&whole).is_ok());
    let mut huge = packet(0, Some(1), b"voice", 0);
    huge[14..16].copy_from_slice(&[0xFF, 0xFF]);
    assert_eq!(Packet::parse(&huge), Err(Malformed::Short));
}

#[test]
fn refuses_other_versions_and_impossible_padding() {
    let mut bytes = packet(0, None, b"voice", 0);
    bytes[0] = 0x40;
    assert_eq!(Packet::parse(&bytes), Err(Malformed::Version));
    for last in [0, 6, 255] {
        let mut bytes = packet(0, None, &[1, 2, 3, 4, last], 0);
        bytes[0] |= 0x20;
        assert_eq!(Packet::parse(&bytes), Err(Malformed::Padding), "{last}");
    }
    let mut empty = packet(0, None, b"", 0);
    empty[0] |= 0x20;
    assert_eq!(Packet::parse(&empty), Err(Malformed::Padding));
    let only_padding = packet(0, None, b"", 4);
    assert_eq!(Packet::parse(&only_padding).unwrap().payload_bytes(), 0);
}

#[test]
fn rtcp_is_told_from_rtp_by_its_second_byte() {
    for (second, expected) in [
        (0, false),
        (127, false),
        (128, false),
        (191, false),
        (192, true),
        (200, true),
        (223, true),
        (224, false),
    ] {
        assert_eq!(is_rtcp(&[0x80, second, 0, 0]), expected, "{second}");
    }
    assert!(!is_rtcp(&[0x40, 200]));
    assert!(!is_rtcp(&[0x80]));
}

proptest! {
    #[test]
    fn random_bytes_never_lead_outside(mut bytes in prop::collection::vec(any::<u8>(), 0..120), valid in any::<bool>()) {
        if valid && let Some(first) = bytes.first_mut() {
            *first = *first & 0x3F | 0x80;
        }
        let _ = is_rtcp(&bytes);
        if let Ok(read) = Packet::parse(&bytes) {
            let payload = bytes[read.payload()].to_vec();
            let range = read.rewrite(&mut bytes, HEADER).unwrap();
            let sent = &bytes[range];
            let again = Packet::parse(sent).unwrap();
            prop_assert_eq!(again.header, HEADER);
            prop_assert_eq!(&sent[again.payload()], &payload[..]);
        }
    }
}
