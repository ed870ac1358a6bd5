//! Keys of SRTP in SDP: `a=crypto` (RFC 4568), `a=fingerprint` (RFC 8122), `a=setup` (RFC 4145, RFC 5763).
//!
//! A line crosses when each of its parts is what its suite demands: a key of exactly the suite's length,
//! known session parameters, small numbers. Else it stays behind whole, since half a key line would make
//! the two sides disagree.

use super::scan::{decimal, decimal_u16, split_once, word_of, words};

/// A crypto suite: RFC 4568 §6.2, RFC 6188, RFC 7714.
#[derive(PartialEq, Eq, Debug)]
pub struct Suite {
    name: &'static str,
    /// Master key and master salt together, in bytes.
    key_bytes: usize,
}

impl Suite {
    /// The name as registered.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

static SUITES: [Suite; 9] = [
    Suite { name: "AES_CM_128_HMAC_SHA1_80", key_bytes: 30 },
    Suite { name: "AES_CM_128_HMAC_SHA1_32", key_bytes: 30 },
    Suite { name: "AES_256_CM_HMAC_SHA1_80", key_bytes: 46 },
    Suite { name: "AES_256_CM_HMAC_SHA1_32", key_bytes: 46 },
    Suite { name: "AES_192_CM_HMAC_SHA1_80", key_bytes: 38 },
    Suite { name: "AES_192_CM_HMAC_SHA1_32", key_bytes: 38 },
    Suite { name: "AEAD_AES_128_GCM", key_bytes: 28 },
    Suite { name: "AEAD_AES_256_GCM", key_bytes: 44 },
    Suite { name: "F8_128_HMAC_SHA1_80", key_bytes: 30 },
];

/// Names used before RFC 6188 and still sent, with the registered suite each means.
const OLD_NAMES: [(&str, &str); 2] = [
    ("AES_CM_256_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_80"),
    ("AES_CM_256_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_32"),
];

/// One `a=crypto` line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crypto<'a> {
    /// Which line an answer answers: up to 9999.
    pub tag: u16,
    /// How media is protected.
    pub suite: &'static Suite,
    /// The name the suite came under: an answer repeats it.
    pub(super) suite_name: &'static str,
    /// Master key and salt in base64. A secret: not for logs.
    pub(super) key: &'a str,
    /// The key's lifetime as a power of two packets, where one is given.
    pub(super) lifetime: Option<u32>,
    /// The master key identifier and its length in bytes.
    pub(super) mki: Option<(u32, u32)>,
    /// Session parameters without a value, one bit a word of [`FLAGS`].
    pub(super) flags: u8,
    /// `KDR`: the power of two of the key derivation rate.
    pub(super) derivation_rate: Option<u32>,
    /// `WSH`: the window size hint.
    pub(super) window: Option<u32>,
}

/// Session parameters that are a word alone (RFC 4568 §6.3).
pub(super) const FLAGS: [&str; 3] =
    ["UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP", "UNAUTHENTICATED_SRTP"];

impl<'a> Crypto<'a> {
    /// Reads the attribute's value: `<tag> <suite> inline:<key>[|lifetime][|MKI:length] [session-parms]`.
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let mut words = words(value);
        let tag = decimal_u16(words.next()?, 9999)?;
        let (suite, suite_name) = find_suite(words.next()?)?;
        let (method, key_info) = split_once(words.next()?, b':');
        if !method.eq_ignore_ascii_case(b"inline") {
            return None;
        }
        let mut parts = key_info?.split(|byte| *byte == b'|');
        let mut crypto = Self {
            tag,
            suite,
            suite_name,
            key: key(parts.next()?, suite.key_bytes)?,
            lifetime: None,
            mki: None,
            flags: 0,
            derivation_rate: None,
            window: None,
        };
        for part in parts {
            crypto.take_key_part(part)?;
        }
        for word in words {
            crypto.take_session_parameter(word)?;
        }
        Some(crypto)
    }

    fn take_key_part(&mut self, part: &[u8]) -> Option<()> {
        if let (identifier, Some(length)) = split_once(part, b':') {
            self.mki = Some((decimal(identifier, 999_999)?, decimal(length, 128)?));
        } else if let Some(power) = part.strip_prefix(b"2^") {
            self.lifetime = Some(decimal(power, 48)?);
        } else {
            // A number of packets: written as the power of two that it mostly is, else left to the
            // suite's default, since seven digits and more do not cross.
            let packets = decimal(part, u32::MAX)?;
            self.lifetime = packets.is_power_of_two().then(|| packets.trailing_zeros());
        }
        Some(())
    }

    /// An unknown parameter makes the whole line unusable (RFC 4568 §6.3.8).
    fn take_session_parameter(&mut self, word: &[u8]) -> Option<()> {
        match split_once(word, b'=') {
            (b"KDR", Some(power)) => self.derivation_rate = Some(decimal(power, 24)?),
            (b"WSH", Some(size)) => self.window = Some(decimal(size, 99_999)?),
            (flag, None) => {
                let index = FLAGS.iter().position(|known| known.as_bytes() == flag)?;
                self.flags |= 1 << index;
            }
            _ => return None,
        }
        Some(())
    }
}

fn find_suite(name: &[u8]) -> Option<(&'static Suite, &'static str)> {
    let find = |name: &[u8]| SUITES.iter().find(|suite| suite.name.as_bytes() == name);
    if let Some(suite) = find(name) {
        return Some((suite, suite.name));
    }
    let (old, new) = OLD_NAMES.into_iter().find(|(old, _)| old.as_bytes() == name)?;
    find(new.as_bytes()).map(|suite| (suite, old))
}

/// Base64 of exactly `bytes` bytes, padded or not.
fn key(text: &[u8], bytes: usize) -> Option<&str> {
    let body = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let padded = bytes.div_ceil(3) * 4;
    let is_base64 = body.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
    let fits =
        body.len() == (bytes * 4).div_ceil(3) && (text.len() == body.len() || text.len() == padded);
    core::str::from_utf8(text).ok().filter(|_| is_base64 && fits)
}

/// `a=fingerprint`: which certificate DTLS will show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint<'a> {
    /// The hash function's registered name.
    pub hash: &'static str,
    /// Bytes in hex, joined by colons.
    pub digest: &'a str,
}

const HASHES: [(&str, usize); 5] =
    [("sha-256", 32), ("sha-1", 20), ("sha-384", 48), ("sha-512", 64), ("sha-224", 28)];

impl<'a> Fingerprint<'a> {
    /// Reads the attribute's value: a hash of exactly the function's length.
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let mut words = words(value);
        let (name, digest) = (words.next()?, words.next()?);
        let (hash, bytes) =
            HASHES.into_iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))?;
        let mut pairs = digest.split(|byte| *byte == b':');
        let is_hex = pairs.all(|pair| pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit));
        if !is_hex || digest.len() != bytes * 3 - 1 || words.next().is_some() {
            return None;
        }
        Some(Self { hash, digest: core::str::from_utf8(digest).ok()? })
    }
}

/// `a=setup`: who opens the DTLS connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setup(&'static str);

impl Setup {
    /// Reads the attribute's value.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        word_of(&["active", "passive", "actpass", "holdconn"], value.trim_ascii()).map(Self)
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}
