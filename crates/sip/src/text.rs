//! A growing text of words, numbers and addresses, which never fails.
//!
//! Numbers and addresses are written by hand: formatting costs several times as much, and a call writes
//! dozens of them.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use core::fmt::{self, Write as _};
use core::net::{IpAddr, SocketAddr};

/// The longest decimal number of 64 bits.
const MAX_DIGITS: usize = 20;

/// The text so far.
///
/// ```
/// use mediator_sip::Text;
///
/// let mut text = Text::with_capacity(32);
/// text.put("<sip:").host_port("192.0.2.1:5060".parse().unwrap()).put(">;tag=").hex(0xa1);
/// assert_eq!(text.as_bytes(), b"<sip:192.0.2.1:5060>;tag=00000000000000a1");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Text(Vec<u8>);

impl Text {
    /// An empty text with room for that many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Adds words.
    pub fn put(&mut self, words: impl AsRef<[u8]>) -> &mut Self {
        self.0.extend_from_slice(words.as_ref());
        self
    }

    /// Adds a number in decimal.
    pub fn number(&mut self, number: impl Into<u64>) -> &mut Self {
        let mut digits = [b'0'; MAX_DIGITS];
        let mut rest = number.into();
        let mut start = MAX_DIGITS;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            start -= 1;
            if rest == 0 {
                break;
            }
        }
        self.put(digits.get(start..).unwrap_or_default())
    }

    /// Adds a number in 16 hexadecimal digits.
    pub fn hex(&mut self, number: u64) -> &mut Self {
        self.put(hex_digits(number))
    }

    /// Adds a number in as few hexadecimal digits as it has.
    pub fn short_hex(&mut self, number: u64) -> &mut Self {
        let leading = (number | 1).leading_zeros() as usize / 4;
        self.put(hex_digits(number).get(leading..).unwrap_or_default())
    }

    /// Adds an address, IPv6 without brackets.
    pub fn ip(&mut self, address: IpAddr) -> &mut Self {
        match address {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                self.number(a).put(b".").number(b).put(b".").number(c).put(b".").number(d)
            }
            IpAddr::V6(v6) => self.format(format_args!("{v6}")),
        }
    }

    /// Adds an address as URIs and Via have it: IPv6 in brackets.
    pub fn host(&mut self, address: IpAddr) -> &mut Self {
        match address {
            IpAddr::V4(_) => self.ip(address),
            IpAddr::V6(_) => self.put(b"[").ip(address).put(b"]"),
        }
    }

    /// Adds a host and a port.
    pub fn host_port(&mut self, address: SocketAddr) -> &mut Self {
        self.host(address.ip()).put(b":").number(address.port())
    }

    /// Adds whatever can be formatted.
    pub fn format(&mut self, args: fmt::Arguments<'_>) -> &mut Self {
        // Writing to a Vec does not fail; an argument whose Display fails leaves its value cut short.
        let _ = self.write_fmt(args);
        self
    }

    /// Ends the line.
    pub(crate) fn end(&mut self) {
        self.put(b"\r\n");
    }

    /// What has been written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes off and gives back what stands behind the first `length` bytes.
    pub(crate) fn split_off(&mut self, length: usize) -> Vec<u8> {
        self.0.split_off(length.min(self.0.len()))
    }

    /// The text as a string; what is not UTF-8 is replaced.
    pub fn into_string(self) -> String {
        String::from_utf8(self.0)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// The text in memory of its own size.
    pub fn into_boxed(self) -> Box<[u8]> {
        self.0.into_boxed_slice()
    }

    /// The text as it stands in memory.
    pub fn into_bytes(self) -> Bytes {
        Bytes::from(self.0)
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text);
        Ok(())
    }
}

/// The digits of a number, the highest first, zeros included.
fn hex_digits(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (digit, shift) in digits.iter_mut().zip((0..64).step_by(4).rev()) {
        let nibble = (number >> shift) as u8 & 0xf;
        *digit = nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    }
    digits
}
