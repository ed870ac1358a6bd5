//! Credentials: RFC 7616 §3.4, the value of Authorization and Proxy-Authorization.

use alloc::borrow::Cow;

use super::quoted::decode_extended;
use super::syntax::{DigestParams, is_true, once};
use super::{Algorithm, AuthError, Qop};

/// What a client sends to show that it knows a password. Read, not yet believed: see [`verify()`](super::verify()).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials<'a> {
    /// Who it says it is; with [`Self::userhash`] a hash of that.
    pub username: Cow<'a, [u8]>,
    /// The realm it answers for: the verifier compares it with its own.
    pub realm: Cow<'a, [u8]>,
    /// The nonce it answers: the verifier asks [`NonceKey::check`](super::NonceKey::check).
    pub nonce: Cow<'a, [u8]>,
    /// The digest-uri. Proxies may have changed the Request-URI since, so the two can differ.
    pub uri: Cow<'a, [u8]>,
    /// The response, as received.
    pub response: Cow<'a, [u8]>,
    /// MD5 where none is named; `None` where one is named that is not spoken here.
    pub algorithm: Option<Algorithm>,
    /// The client's own nonce; there whenever `qop` is.
    pub cnonce: Option<Cow<'a, [u8]>>,
    /// The challenge's `opaque`.
    pub opaque: Option<Cow<'a, [u8]>>,
    /// The protection used.
    pub qop: Qop,
    /// How often the client has used this nonce, from 1; there whenever `qop` is.
    pub nc: Option<u32>,
    /// `username` is hashed (RFC 7616 §3.4.4). No challenge of ours offers that.
    pub userhash: bool,
    /// `nc` as written, since the response is computed over its text.
    nc_text: Option<Cow<'a, [u8]>>,
}

/// The parameters as they are met.
#[derive(Default)]
struct Collected<'a> {
    username: Option<Cow<'a, [u8]>>,
    realm: Option<Cow<'a, [u8]>>,
    nonce: Option<Cow<'a, [u8]>>,
    uri: Option<Cow<'a, [u8]>>,
    response: Option<Cow<'a, [u8]>>,
    algorithm: Option<Cow<'a, [u8]>>,
    cnonce: Option<Cow<'a, [u8]>>,
    opaque: Option<Cow<'a, [u8]>>,
    qop: Option<Qop>,
    nc: Option<Cow<'a, [u8]>>,
    userhash: Option<bool>,
}

impl<'a> Credentials<'a> {
    /// Reads the value of one header line, which holds one set of credentials (RFC 3261 §25.1).
    pub fn parse(value: &'a [u8]) -> Result<Self, AuthError> {
        let found = Collected::read(value)?;
        let qop = found.qop.unwrap_or(Qop::Absent);
        let nc = match (qop, &found.nc) {
            (Qop::Absent, _) => None,
            (Qop::Auth | Qop::Other, None) => return Err(AuthError::Missing("nc")),
            (Qop::Auth | Qop::Other, Some(text)) => Some(parse_nc(text)?),
        };
        if qop != Qop::Absent && found.cnonce.is_none() {
            return Err(AuthError::Missing("cnonce"));
        }
        Ok(Self {
            username: found.username.ok_or(AuthError::Missing("username"))?,
            realm: found.realm.ok_or(AuthError::Missing("realm"))?,
            nonce: found.nonce.ok_or(AuthError::Missing("nonce"))?,
            uri: found.uri.ok_or(AuthError::Missing("uri"))?,
            response: found.response.ok_or(AuthError::Missing("response"))?,
            algorithm: found.algorithm.map_or(Some(Algorithm::Md5), |name| Algorithm::parse(&name)),
            cnonce: found.cnonce,
            opaque: found.opaque,
            qop,
            nc,
            userhash: found.userhash.unwrap_or(false),
            nc_text: found.nc,
        })
    }

    pub(super) fn nc_text(&self) -> Option<&[u8]> {
        self.nc_text.as_deref()
    }
}

impl<'a> Collected<'a> {
    fn read(value: &'a [u8]) -> Result<Self, AuthError> {
        let mut params = DigestParams::new(value)?;
        let mut found = Self::default();
        while let Some((name, value)) = params.next()? {
            let text = value.text();
            match name {
                "username" => once(&mut found.username, "username", text)?,
                "username*" => {
                    let text = decode_extended(&text).ok_or(AuthError::BadValue("username*"))?;
                    once(&mut found.username, "username", Cow::Owned(text))?;
                }
                "realm" => once(&mut found.realm, "realm", text)?,
                "nonce" => once(&mut found.nonce, "nonce", text)?,
                "uri" => once(&mut found.uri, "uri", text)?,
                "response" => once(&mut found.response, "response", text)?,
                "algorithm" => once(&mut found.algorithm, "algorithm", text)?,
                "cnonce" => once(&mut found.cnonce, "cnonce", text)?,
                "opaque" => once(&mut found.opaque, "opaque", text)?,
                "qop" => once(&mut found.qop, "qop", Qop::parse(&text))?,
                "nc" => once(&mut found.nc, "nc", text)?,
                "userhash" => once(&mut found.userhash, "userhash", is_true(&text))?,
                _ => {}
            }
        }
        Ok(found)
    }
}

/// RFC 7616 §3.4 `nc-value`: eight hex digits.
fn parse_nc(text: &[u8]) -> Result<u32, AuthError> {
    if text.len() != 8 || !text.iter().all(u8::is_ascii_hexdigit) {
        return Err(AuthError::BadValue("nc"));
    }
    core::str::from_utf8(text)
        .ok()
        .and_then(|text| u32::from_str_radix(text, 16).ok())
        .ok_or(AuthError::BadValue("nc"))
}
