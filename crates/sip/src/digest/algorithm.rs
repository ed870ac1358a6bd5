//! The hash algorithms of RFC 7616 §6.1 that SIP uses, and what is computed with them.

use core::fmt;

use md5::Md5;
use sha2::Sha256;
use sha2::digest::Digest;
use subtle::ConstantTimeEq;

/// What computes a response. Later variants are preferred to earlier ones by [`choose`](super::choose).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Algorithm {
    /// `MD5`: also what a challenge without `algorithm` means (RFC 7616 §3.3).
    Md5,
    /// `MD5-sess`.
    Md5Sess,
    /// `SHA-256`.
    Sha256,
    /// `SHA-256-sess`.
    Sha256Sess,
}

impl Algorithm {
    /// Every algorithm, weakest first.
    pub const ALL: [Self; 4] = [Self::Md5, Self::Md5Sess, Self::Sha256, Self::Sha256Sess];

    /// Reads the token, in any case; `None` for one that is not spoken here.
    pub fn parse(token: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str().as_bytes().eq_ignore_ascii_case(token))
    }

    /// The token of RFC 7616 §6.1.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
        }
    }

    /// Whether H(A1) takes in nonce and cnonce (RFC 7616 §3.4.2).
    pub const fn is_session(self) -> bool {
        matches!(self, Self::Md5Sess | Self::Sha256Sess)
    }

    pub(super) const fn hash(self) -> Hash {
        match self {
            Self::Md5 | Self::Md5Sess => Hash::Md5,
            Self::Sha256 | Self::Sha256Sess => Hash::Sha256,
        }
    }
}

/// The hash function behind an [`Algorithm`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hash {
    Md5,
    Sha256,
}

impl Hash {
    /// The hash of the parts joined by colons, as RFC 7616 writes every one of its inputs.
    pub(super) fn of(self, parts: &[&[u8]]) -> HexDigest {
        match self {
            Self::Md5 => HexDigest::new(&joined::<Md5>(parts)),
            Self::Sha256 => HexDigest::new(&joined::<Sha256>(parts)),
        }
    }
}

fn joined<D: Digest>(parts: &[&[u8]]) -> impl AsRef<[u8]> + use<D> {
    let mut state = D::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            state.update(b":");
        }
        state.update(part);
    }
    state.finalize()
}

/// A digest in lower-case hex: 32 or 64 characters.
#[derive(Clone, Copy)]
pub(super) struct HexDigest {
    text: [u8; 64],
    chars: usize,
}

impl HexDigest {
    fn new(digest: &impl AsRef<[u8]>) -> Self {
        let mut text = [0; 64];
        let digest = digest.as_ref();
        for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
            pair.copy_from_slice(&hex_pair(*byte));
        }
        Self { text, chars: (digest.len() * 2).min(64) }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.chars).unwrap_or(&self.text)
    }

    /// Compares with a peer's text, in any case, in a time that does not depend on where they differ.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let mut lower = [0; 64];
        let Some(lower) = lower.get_mut(..text.len()) else { return false };
        lower.copy_from_slice(text);
        lower.make_ascii_lowercase();
        self.as_bytes().ct_eq(lower).into()
    }
}

/// Two lower-case hex digits.
pub(super) const fn hex_pair(byte: u8) -> [u8; 2] {
    [hex_digit(byte >> 4), hex_digit(byte & 15)]
}

const fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

/// H(user ":" realm ":" password): as good as the password within its realm, so keep it as secret.
#[derive(Clone, Copy)]
pub struct Ha1 {
    hash: Hash,
    digest: HexDigest,
}

impl Ha1 {
    /// Computes it for `algorithm`; plain and `-sess` have the same one.
    ///
    /// ```
    /// use mediator_sip::digest::{Algorithm, Ha1};
    /// let plain = Ha1::new(Algorithm::Md5, b"bob", b"biloxi.com", b"zanzibar");
    /// let session = Ha1::new(Algorithm::Md5Sess, b"bob", b"biloxi.com", b"zanzibar");
    /// assert_eq!(plain.as_hex(), session.as_hex());
    /// ```
    pub fn new(algorithm: Algorithm, username: &[u8], realm: &[u8], password: &[u8]) -> Self {
        let hash = algorithm.hash();
        Self { hash, digest: hash.of(&[username, realm, password]) }
    }

    /// Lower-case hex, 32 characters for MD5, 64 for SHA-256.
    pub fn as_hex(&self) -> &[u8] {
        self.digest.as_bytes()
    }

    /// Whether it was computed with the hash that `algorithm` uses.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.hash == algorithm.hash()
    }
}

impl fmt::Debug for Ha1 {
    /// Names the hash, never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ha1").field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// What a response is computed from, beside H(A1): RFC 7616 §3.4.1.
pub(super) struct Inputs<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) method: &'a str,
    pub(super) uri: &'a [u8],
    pub(super) nonce: &'a [u8],
    pub(super) cnonce: Option<&'a [u8]>,
    /// `nc` as it is written, where `qop=auth` holds; `None` is the way of RFC 2069.
    pub(super) counted: Option<&'a [u8]>,
}

impl Inputs<'_> {
    /// The response; `None` where a part that the algorithm or qop needs is absent.
    pub(super) fn response(&self, ha1: &Ha1) -> Option<HexDigest> {
        if !ha1.fits(self.algorithm) {
            return None;
        }
        let hash = self.algorithm.hash();
        let a1 = if self.algorithm.is_session() {
            hash.of(&[ha1.as_hex(), self.nonce, self.cnonce?])
        } else {
            ha1.digest
        };
        let a2 = hash.of(&[self.method.as_bytes(), self.uri]);
        Some(match self.counted {
            Some(nc) => {
                hash.of(&[a1.as_bytes(), self.nonce, nc, self.cnonce?, b"auth", a2.as_bytes()])
            }
            None => hash.of(&[a1.as_bytes(), self.nonce, a2.as_bytes()]),
        })
    }
}
