//! Challenges: RFC 7616 §3.3, the value of WWW-Authenticate and Proxy-Authenticate.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::quoted::{push_quoted, push_token};
use super::syntax::{DigestParams, is_true, once};
use super::{Algorithm, AuthError, Qop};

/// What a server asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge<'a> {
    /// Whose users are meant.
    pub realm: Cow<'a, [u8]>,
    /// To be returned and counted.
    pub nonce: Cow<'a, [u8]>,
    /// To be returned unchanged.
    pub opaque: Option<Cow<'a, [u8]>>,
    /// MD5 where the challenge names none; `None` where it names one that is not spoken here.
    pub algorithm: Option<Algorithm>,
    /// What may be used.
    pub qop: Qop,
    /// The credentials were right and only the nonce was too old: try again with the same password.
    pub stale: bool,
}

impl<'a> Challenge<'a> {
    /// Reads the value of one header line, which holds one challenge (RFC 3261 §25.1).
    pub fn parse(value: &'a [u8]) -> Result<Self, AuthError> {
        let mut params = DigestParams::new(value)?;
        let (mut realm, mut nonce, mut opaque, mut algorithm, mut qop, mut stale) =
            (None, None, None, None, None, None);
        while let Some((name, value)) = params.next()? {
            match name {
                "realm" => once(&mut realm, "realm", value.text())?,
                "nonce" => once(&mut nonce, "nonce", value.text())?,
                "opaque" => once(&mut opaque, "opaque", value.text())?,
                "algorithm" => {
                    once(&mut algorithm, "algorithm", Algorithm::parse(&value.text()))?;
                }
                "qop" => once(&mut qop, "qop", Qop::parse(&value.text()))?,
                "stale" => once(&mut stale, "stale", is_true(&value.text()))?,
                // domain, charset, userhash and whatever comes (RFC 7616 §3.3: unknown ones are ignored).
                _ => {}
            }
        }
        Ok(Self {
            realm: realm.ok_or(AuthError::Missing("realm"))?,
            nonce: nonce.ok_or(AuthError::Missing("nonce"))?,
            opaque,
            algorithm: algorithm.unwrap_or(Some(Algorithm::Md5)),
            qop: qop.unwrap_or(Qop::Absent),
            stale: stale.unwrap_or(false),
        })
    }

    /// The algorithm, where this challenge can be answered: it is known, and the qop is `auth` or none.
    pub fn answerable(&self) -> Option<Algorithm> {
        match self.qop {
            Qop::Absent | Qop::Auth => self.algorithm,
            Qop::Other => None,
        }
    }
}

/// Whether a new challenge says that only the nonce was at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stale {
    /// No or wrong credentials came.
    No,
    /// Good credentials came with an old nonce.
    Yes,
}

/// Writes the value of WWW-Authenticate or Proxy-Authenticate, with `qop="auth"`.
///
/// ```
/// use mediator_sip::digest::{Algorithm, Stale, challenge_value};
/// assert_eq!(
///     challenge_value("mediator", "f84f1cec", Algorithm::Sha256, Stale::No),
///     br#"Digest realm="mediator", nonce="f84f1cec", algorithm=SHA-256, qop="auth""#,
/// );
/// ```
pub fn challenge_value(realm: &str, nonce: &str, algorithm: Algorithm, stale: Stale) -> Vec<u8> {
    let mut out = Vec::with_capacity(96 + realm.len() + nonce.len());
    out.extend_from_slice(b"Digest");
    push_quoted(&mut out, "realm", realm.as_bytes());
    push_quoted(&mut out, "nonce", nonce.as_bytes());
    match stale {
        Stale::Yes => push_token(&mut out, "stale", "true"),
        Stale::No => {}
    }
    push_token(&mut out, "algorithm", algorithm.as_str());
    push_quoted(&mut out, "qop", b"auth");
    out
}
