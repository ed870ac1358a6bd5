//! A growing text of ASCII that takes words, numbers and addresses, and never fails.

use alloc::vec::Vec;
use core::net::IpAddr;

use bytes::Bytes;

/// The longest decimal number of 64 bits.
const MAX_DIGITS: usize = 20;

/// The text so far.
pub(super) struct Text(Vec<u8>);

impl Text {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn put(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// In decimal: by hand, since formatting costs several times as much and a call writes many numbers.
    pub(super) fn number(&mut self, number: impl Into<u64>) -> &mut Self {
        let mut digits = [b'0'; MAX_DIGITS];
        let mut rest = number.into();
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        self.0.extend(digits.iter().skip(MAX_DIGITS - used));
        self
    }

    /// `IN IP4 <address>` or `IN IP6 <address>`.
    pub(super) fn address(&mut self, address: IpAddr) -> &mut Self {
        match address {
            IpAddr::V4(v4) => {
                self.put("IN IP4");
                for (separator, octet) in [" ", ".", ".", "."].into_iter().zip(v4.octets()) {
                    self.put(separator).number(octet);
                }
                self
            }
            IpAddr::V6(v6) => self.put("IN IP6 ").put(&alloc::format!("{v6}")),
        }
    }

    /// Ends the line.
    pub(super) fn end(&mut self) {
        self.put("\r\n");
    }

    pub(super) fn into_bytes(self) -> Bytes {
        Bytes::from(self.0)
    }
}
