//! G.711 A-law and u-law, from the recommendation's tables: not the server's own code, which would not see its faults.

/// Which of the two laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// u-law: PCMU, payload type 0.
    Mu,
    /// A-law: PCMA, payload type 8.
    A,
}

impl Law {
    /// The law of a name in SDP.
    pub fn named(encoding: &str) -> Option<Self> {
        let name = encoding.split('/').next().unwrap_or_default();
        if name.eq_ignore_ascii_case("PCMU") {
            Some(Self::Mu)
        } else if name.eq_ignore_ascii_case("PCMA") {
            Some(Self::A)
        } else {
            None
        }
    }

    /// A linear sample of 16 bit in 8.
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Mu => mu_encode(sample),
            Self::A => a_encode(sample),
        }
    }

    /// A linear sample of 16 bit out of 8.
    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Mu => mu_decode(byte),
            Self::A => a_decode(byte),
        }
    }
}

/// Added before the logarithm is taken, G.711 table 2.
const BIAS: i32 = 0x84;

fn mu_encode(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(32_635) + BIAS;
    let exponent = (magnitude >> 7).ilog2();
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    let code = sign | (i32::try_from(exponent).unwrap_or_default() << 4) | mantissa;
    !code.to_le_bytes()[0]
}

fn mu_decode(byte: u8) -> i16 {
    let code = i32::from(!byte);
    let magnitude = (((code & 0x0f) << 3) + BIAS) << ((code >> 4) & 7);
    let sample = magnitude - BIAS;
    i16::try_from(if code & 0x80 == 0 { sample } else { -sample }).unwrap_or(i16::MAX)
}

fn a_encode(sample: i16) -> u8 {
    // Thirteen bits; a negative value is one's complement.
    let value = i32::from(sample) >> 3;
    let (mask, magnitude) = if value >= 0 { (0xd5, value) } else { (0x55, -value - 1) };
    let code = if magnitude < 32 {
        magnitude >> 1
    } else {
        let exponent = magnitude.ilog2() - 4;
        (i32::try_from(exponent).unwrap_or_default() << 4) | ((magnitude >> exponent) & 0x0f)
    };
    (code ^ mask).to_le_bytes()[0]
}

fn a_decode(byte: u8) -> i16 {
    let code = i32::from(byte ^ 0x55);
    let (exponent, mantissa) = ((code >> 4) & 7, code & 0x0f);
    let magnitude = if exponent == 0 {
        (mantissa << 4) + 8
    } else {
        ((mantissa << 4) + 0x108) << (exponent - 1)
    };
    i16::try_from(if code & 0x80 == 0 { -magnitude } else { magnitude }).unwrap_or(i16::MAX)
}
