//! The tables themselves: nothing in them can carry a telephone number or break the writer.

use alloc::vec::Vec;

use crate::sdp::MediaKind;
use crate::sdp::encodings::{ENCODINGS, STATIC};
use crate::sdp::fmtp::{Fmtp, MAX_NUMBER, Shape};

#[test]
fn no_parameter_may_have_seven_digits() {
    for encoding in &ENCODINGS {
        let Fmtp::Params(params) = encoding.fmtp else { continue };
        assert!(params.len() <= 32, "{}: one bit a parameter", encoding.name);
        for param in params {
            match param.shape {
                Shape::Integer { min, max } => assert!(min <= max && max <= MAX_NUMBER),
                Shape::Hex { digits } => assert!(digits <= 6),
                Shape::Set { max } => assert!(max < 32),
                Shape::OneOf(words) | Shape::Span(words) => {
                    assert!(words.iter().all(|word| word.len() <= 6 && !word.contains(';')));
                }
                Shape::Format => {}
            }
        }
    }
}

#[test]
fn every_encoding_is_there_once_for_its_kind() {
    let mut seen: Vec<(MediaKind, &str)> = Vec::new();
    for encoding in &ENCODINGS {
        let key = (encoding.kind, encoding.name);
        assert!(
            seen.iter().all(|(kind, name)| *kind != key.0 || !name.eq_ignore_ascii_case(key.1)),
            "{key:?}",
        );
        assert!(!encoding.rates.is_empty() && encoding.rates.iter().all(|rate| *rate <= 192_000));
        seen.push(key);
    }
}

#[test]
fn every_static_type_is_a_known_encoding() {
    for row in &STATIC {
        let known = ENCODINGS
            .iter()
            .any(|encoding| encoding.name == row.name && encoding.rates.contains(&row.clock_rate));
        assert!(known && row.payload_type < 96, "{}", row.name);
    }
}
