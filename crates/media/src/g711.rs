//! G.711 (ITU-T G.711, with the arithmetic of ITU-T G.191): both laws to and from 16-bit linear samples, and into each
//! other.
//!
//! A call between a u-law and an A-law side is rewritten byte by byte: each code becomes the other law's code for its
//! value. What has gone there and back once is not changed by going again.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_sign_loss,
    reason = "a byte is below 256, and a magnitude is not negative"
)]

/// u-law silence.
pub const ULAW_SILENCE: u8 = 0xFF;
/// A-law silence.
pub const ALAW_SILENCE: u8 = 0xD5;

/// What u-law adds to a 14-bit magnitude, so that every segment begins at a power of two.
const BIAS: i16 = 33;

/// Linear values of all u-law codes.
pub const ULAW_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = ulaw_value(code as u8);
        code += 1;
    }
    table
};

/// Linear values of all A-law codes.
pub const ALAW_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = alaw_value(code as u8);
        code += 1;
    }
    table
};

/// The A-law codes of all u-law codes.
pub const ULAW_TO_ALAW: [u8; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = linear_to_alaw(ulaw_value(code as u8));
        code += 1;
    }
    table
};

/// The u-law codes of all A-law codes.
pub const ALAW_TO_ULAW: [u8; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = linear_to_ulaw(alaw_value(code as u8));
        code += 1;
    }
    table
};

/// The sample of a u-law code.
pub fn ulaw_to_linear(code: u8) -> i16 {
    lookup(&ULAW_TO_LINEAR, code)
}

/// The sample of an A-law code.
pub fn alaw_to_linear(code: u8) -> i16 {
    lookup(&ALAW_TO_LINEAR, code)
}

/// Rewrites u-law into A-law in place.
pub fn ulaw_to_alaw(codes: &mut [u8]) {
    for code in codes {
        *code = lookup(&ULAW_TO_ALAW, *code);
    }
}

/// Rewrites A-law into u-law in place.
pub fn alaw_to_ulaw(codes: &mut [u8]) {
    for code in codes {
        *code = lookup(&ALAW_TO_ULAW, *code);
    }
}

/// The u-law code of a sample. Louder than the law goes is as loud as it goes.
pub const fn linear_to_ulaw(sample: i16) -> u8 {
    let magnitude = if sample < 0 { !sample >> 2 } else { sample >> 2 } + BIAS;
    let magnitude = if magnitude > 0x1FFF { 0x1FFF } else { magnitude };
    // The magnitude is 33 to 8191: its highest bit is bit 5 to 12, which are the segments 0 to 7.
    let segment = 10 - magnitude.leading_zeros() as i16;
    let step = (magnitude >> (segment + 1)) & 0x0F;
    let sign = if sample < 0 { 0 } else { 0x80 };
    sign | ((7 - segment) << 4 | (0x0F - step)) as u8
}

/// The A-law code of a sample.
pub const fn linear_to_alaw(sample: i16) -> u8 {
    let magnitude = if sample < 0 { !sample >> 4 } else { sample >> 4 };
    // The first two segments have the same step; from 32 on, each power of two is a segment.
    let segment = if magnitude < 32 { 0 } else { 11 - magnitude.leading_zeros() as i16 };
    let code = (segment << 4) + (magnitude >> segment);
    let sign = if sample < 0 { 0 } else { 0x80 };
    (sign | code as u8) ^ 0x55
}

const fn ulaw_value(code: u8) -> i16 {
    let inverse = !code;
    let segment = (inverse >> 4 & 7) as i16;
    let step = (inverse & 0x0F) as i16;
    let magnitude = (((step << 1) + BIAS) << segment) - BIAS;
    if inverse & 0x80 == 0 { magnitude << 2 } else { -(magnitude << 2) }
}

const fn alaw_value(code: u8) -> i16 {
    let plain = code ^ 0x55;
    let segment = (plain >> 4 & 7) as i16;
    let step = (plain & 0x0F) as i16;
    // The middle of the step, in half steps.
    let magnitude =
        if segment == 0 { (step << 4) + 8 } else { ((step << 4) + 0x108) << (segment - 1) };
    if plain & 0x80 == 0 { -magnitude } else { magnitude }
}

fn lookup<T: Copy>(table: &[T; 256], code: u8) -> T {
    table[usize::from(code)]
}

#[cfg(test)]
mod tests;
