//! Secure ids: UUID version 4 (RFC 9562 §5.4) as 128 bits.

use core::fmt;
use core::str::FromStr;

/// The id of an object, as the API shows it: a UUID in lower-case hex with hyphens.
///
/// Two words and not one of 128 bits: that would lie at multiples of 16 bytes, and each `Option<Sid>` take 32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    high: u64,
    low: u64,
}

/// Why a text is no sid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SidError {
    /// Not 8-4-4-4-12 hex digits.
    #[error("not a UUID: expected 8-4-4-4-12 hexadecimal digits")]
    Malformed,
}

impl Sid {
    /// A version 4 sid from 128 random bits; the caller owns the dice.
    pub const fn from_random(bits: u128) -> Self {
        let versioned = (bits & !(0xf << 76)) | (0x4 << 76);
        Self::from_u128((versioned & !(0x3 << 62)) | (0x2 << 62))
    }

    /// The 128 bits as they are, for stores.
    pub const fn as_u128(self) -> u128 {
        (self.high as u128) << 64 | self.low as u128
    }

    /// A sid back from its 128 bits.
    pub const fn from_u128(bits: u128) -> Self {
        Self { high: (bits >> 64) as u64, low: bits as u64 }
    }
}

impl FromStr for Sid {
    type Err = SidError;

    fn from_str(text: &str) -> Result<Self, SidError> {
        if text.len() != 36 {
            return Err(SidError::Malformed);
        }
        let mut bits = 0_u128;
        for (at, byte) in text.bytes().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return Err(SidError::Malformed);
                }
                continue;
            }
            let digit = char::from(byte).to_digit(16).ok_or(SidError::Malformed)?;
            bits = (bits << 4) | u128::from(digit);
        }
        Ok(Self::from_u128(bits))
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = self.as_u128();
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            b >> 96,
            (b >> 80) & 0xffff,
            (b >> 64) & 0xffff,
            (b >> 48) & 0xffff,
            b & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
