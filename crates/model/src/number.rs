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

    /// Reads a number as peers and API clients write it (contract §1): `+15162065337`, `15162065337`, the same
    /// behind `tel:`, `sip:` or `sips:`, with visual separators and parameters.
    ///
    /// - Visual separators are those of RFC 3966 §3 (`-`, `.`, `(`, `)`) and the space.
    /// - Everything from the first `;` on is ignored: `;npdi`, `;rn=`, `;ext=`, and `;phone-context=` too, for its
    ///   digits "cannot be relied upon" to make a global number when put in front (RFC 3966 §5.1.5).
    /// - A SIP URI's password, host and port are ignored; one without a user part is no number.
    /// - Dialling prefixes (`00`, `011`) stay as they are: they are digits of somebody's plan, not of E.164.
    ///
    /// Percent-escapes are the caller's to decode (RFC 3261 §19.1.2).
    ///
    /// ```
    /// use mediator_model::Number;
    ///
    /// let number = Number::from_digits("15162065337")?;
    /// assert_eq!(Number::from_user("+1 (516) 206-5337;npdi")?, number);
    /// assert_eq!(Number::from_user("sip:+15162065337@carrier.example:5060")?, number);
    /// # Ok::<(), mediator_model::NumberError>(())
    /// ```
    pub fn from_user(user: &str) -> Result<Self, NumberError> {
        let bare = without_scheme(user)?;
        let bare = bare.split(';').next().unwrap_or(bare);
        let bare = bare.trim_start_matches(is_visual_separator);
        let bare = bare.strip_prefix('+').unwrap_or(bare);
        bare.bytes()
            .filter(|byte| !is_visual_separator(char::from(*byte)))
            .try_fold(Digits::default(), Digits::push)?
            .finish()
    }

    /// A number back from its packed word; `None` for a word that [`Number::as_u64`] never gave.
    pub fn from_u64(word: u64) -> Option<Self> {
        let number = Self(NonZeroU64::new(word)?);
        let limit = u32::try_from(number.len()).ok().and_then(|count| 10_u64.checked_pow(count))?;
        (limit > 1 && number.value() < limit).then_some(number)
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

    /// The digits as text, for messages: several times faster than `Display`.
    ///
    /// ```
    /// use mediator_model::Number;
    ///
    /// assert_eq!(Number::from_digits("0049")?.digits().as_ref(), b"0049");
    /// # Ok::<(), mediator_model::NumberError>(())
    /// ```
    pub fn digits(self) -> NumberDigits {
        let mut text = [b'0'; Self::MAX_DIGITS];
        let mut rest = self.value();
        for digit in text.iter_mut().rev().take(self.len()) {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        NumberDigits { text, start: Self::MAX_DIGITS - self.len().min(Self::MAX_DIGITS) }
    }

    const fn value(self) -> u64 {
        self.0.get() & ((1 << COUNT_SHIFT) - 1)
    }
}

/// A number's digits in ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NumberDigits {
    text: [u8; Number::MAX_DIGITS],
    start: usize,
}

impl AsRef<[u8]> for NumberDigits {
    fn as_ref(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
    }
}

const fn is_visual_separator(c: char) -> bool {
    matches!(c, '-' | '.' | '(' | ')' | ' ')
}

/// The user part of a `sip:` or `sips:` URI, the rest of a `tel:` URI, or the text itself where it has no scheme.
fn without_scheme(text: &str) -> Result<&str, NumberError> {
    let text = text.trim_matches(' ');
    let Some((scheme, rest)) = text.split_once(':') else { return Ok(text) };
    if scheme.eq_ignore_ascii_case("tel") {
        return Ok(rest);
    }
    if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
        return Err(NumberError::NotADigit);
    }
    // Without "@" the digits would be a host's: sip:10.0.0.1 is nobody's number.
    let (userinfo, _host) = rest.split_once('@').ok_or(NumberError::Empty)?;
    Ok(userinfo.split(':').next().unwrap_or(userinfo))
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
        // No digits at all is the only way to a zero word.
        let packed = ((self.count as u64) << COUNT_SHIFT) | self.value;
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
        write!(f, "{:0width$}", self.value(), width = self.len())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
