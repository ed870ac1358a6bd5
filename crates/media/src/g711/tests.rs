//! Values of the standard, and what conversion keeps.

use super::{
    ALAW_SILENCE, ALAW_TO_LINEAR, ALAW_TO_ULAW, ULAW_SILENCE, ULAW_TO_ALAW, ULAW_TO_LINEAR,
    alaw_to_linear, alaw_to_ulaw, linear_to_alaw, linear_to_ulaw, ulaw_to_alaw, ulaw_to_linear,
};

#[test]
fn has_the_values_of_the_standard() {
    // G.711 tables 1 and 2, in 16 bits: silence, the ends, and the first value of each u-law segment.
    for (code, value) in [
        (0xFF, 0),
        (0x7F, 0),
        (0x80, 32124),
        (0x00, -32124),
        (0xEF, 132),
        (0xDF, 396),
        (0x8F, 16764),
    ] {
        assert_eq!(ulaw_to_linear(code), value, "u-law {code:#x}");
    }
    for (code, value) in
        [(0xD5, 8), (0x55, -8), (0xAA, 32256), (0x2A, -32256), (0xC5, 264), (0xF5, 528)]
    {
        assert_eq!(alaw_to_linear(code), value, "A-law {code:#x}");
    }
    assert_eq!(linear_to_ulaw(0), ULAW_SILENCE);
    assert_eq!(linear_to_alaw(0), ALAW_SILENCE);
    for (sample, ulaw, alaw) in
        [(i16::MAX, 0x80, 0xAA), (i16::MIN, 0x00, 0x2A), (1000, 0xCE, 0xFA), (-1000, 0x4E, 0x7A)]
    {
        assert_eq!((linear_to_ulaw(sample), linear_to_alaw(sample)), (ulaw, alaw), "{sample}");
    }
}

#[test]
fn every_code_keeps_its_value() {
    for code in 0..=255 {
        let ulaw = linear_to_ulaw(ulaw_to_linear(code));
        // Negative zero becomes zero.
        assert_eq!(ulaw, if code == 0x7F { 0xFF } else { code }, "u-law {code:#x}");
        assert_eq!(linear_to_alaw(alaw_to_linear(code)), code, "A-law {code:#x}");
    }
}

#[test]
fn a_sample_becomes_the_nearest_code_within_half_a_step() {
    for sample in i16::MIN..=i16::MAX {
        let size = i32::from(sample).abs();
        let ulaw = i32::from(ulaw_to_linear(linear_to_ulaw(sample)));
        let alaw = i32::from(alaw_to_linear(linear_to_alaw(sample)));
        // A step is a sixteenth of its segment's beginning; beyond the end it is cut.
        let bound = ((size + 132) / 32 + 4).max(size - 32124);
        assert!((ulaw - i32::from(sample)).abs() <= bound, "u-law of {sample} is {ulaw}");
        let bound = (size / 32 + 8).max(size - 32256 + 1);
        assert!((alaw - i32::from(sample)).abs() <= bound, "A-law of {sample} is {alaw}");
    }
}

#[test]
fn conversion_keeps_sign_and_level_and_settles_at_once() {
    for code in 0..=255_u8 {
        let index = usize::from(code);
        let (from, to) = (
            i32::from(ULAW_TO_LINEAR[index]),
            i32::from(ALAW_TO_LINEAR[usize::from(ULAW_TO_ALAW[index])]),
        );
        assert!((from - to).abs() <= from.abs() / 16 + 16, "{from} became {to}");
        let (from, to) = (
            i32::from(ALAW_TO_LINEAR[index]),
            i32::from(ULAW_TO_LINEAR[usize::from(ALAW_TO_ULAW[index])]),
        );
        assert!((from - to).abs() <= from.abs() / 16 + 16, "{from} became {to}");
        let mut there = [code];
        ulaw_to_alaw(&mut there);
        let first = there;
        alaw_to_ulaw(&mut there);
        ulaw_to_alaw(&mut there);
        assert_eq!(there, first, "u-law {code:#x} there, back and there again");
        let mut there = [code];
        alaw_to_ulaw(&mut there);
        let first = there;
        ulaw_to_alaw(&mut there);
        alaw_to_ulaw(&mut there);
        assert_eq!(there, first, "A-law {code:#x} there, back and there again");
    }
}
