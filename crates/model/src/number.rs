//! Telephone numbers as keys: E.164 digits in one word (ITU-T E.164 §6, at most 15 digits).

use core::fmt;
use core::num::NonZeroU64;
use core::str::FromStr;

/// A telephone number: 1 to 15 digits, leading zeros kept, in 64 bits; `Option<Number>` is no larger.
///
/// The count of digits sits in the top four bits, their value below, so equal numbers are equal words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(NonZeroU64);

/// Why a text is no number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NumberError {
    /// Nothing but separators.
    #[error("no digits")]
    Empty,
    /// A character that is neither digit nor visual separator.
    #[error("a character that is no digit")]
    NotADigit,
    /// More than [`Number::MAX_DIGITS`].
    #[error("more than 15 digits")]
    TooLong,
}

const COUNT_SHIFT: u32 = 60;

impl Number {
    /// The most digits that E.164 allows.
    pub const MAX_DIGITS: usize = 15;

    /// Reads plain digits, nothing else.
    pub fn from_digits(digits: &str) -> Result<Self, NumberError> {
        digits.bytes().try_fold(Digits::default(), Digits::push)?.finish()
    }

    /// Reads a number as peers write it in a URI's user part or a `tel:` URI: a leading `+`, visual separators
    /// (RFC 3966 §3: `-`, `.`, `(`, `)`, also a space) and parameters after `;` are tolerated.
    pub fn from_user(user: &str) -> Result<Self, NumberError> {
        let bare = user.split(';').next().unwrap_or(user);
        let bare = bare.strip_prefix('+').unwrap_or(bare);
        bare.bytes()
            .filter(|byte| !matches!(byte, b'-' | b'.' | b'(' | b')' | b' '))
            .try_fold(Digits::default(), Digits::push)?
            .finish()
    }

    /// How many digits.
    pub const fn len(self) -> usize {
        (self.0.get() >> COUNT_SHIFT) as usize
    }

    /// Never: a number has a digit.
    pub const fn is_empty(self) -> bool {
        false
    }

    /// The packed word, for stores and hashes.
    pub const fn as_u64(self) -> u64 {
        self.0.get()
    }
}

#[derive(Default)]
struct Digits {
    count: usize,
    value: u64,
}

impl Digits {
    fn push(self, byte: u8) -> Result<Self, NumberError> {
        if !byte.is_ascii_digit() {
            return Err(NumberError::NotADigit);
        }
        if self.count == Number::MAX_DIGITS {
            return Err(NumberError::TooLong);
        }
        Ok(Self { count: self.count + 1, value: self.value * 10 + u64::from(byte - b'0') })
    }

    fn finish(self) -> Result<Number, NumberError> {
        let packed = ((self.count as u64) << COUNT_SHIFT) | self.value;
        if self.count == 0 {
            return Err(NumberError::Empty);
        }
        NonZeroU64::new(packed).map(Number).ok_or(NumberError::Empty)
    }
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::from_user(text)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0.get() & ((1 << COUNT_SHIFT) - 1);
        write!(f, "{value:0width$}", width = self.len())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
