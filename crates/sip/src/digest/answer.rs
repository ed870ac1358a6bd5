//! The client's side: choosing among challenges and answering one (RFC 7616 §3.4, RFC 8760 §2.4).

use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use super::algorithm::Inputs;
use super::quoted::{push_quoted, push_token};
use super::{Challenge, Ha1, Qop};

/// A user's name and password.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The name, as the server knows it.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
}

impl fmt::Debug for Login<'_> {
    /// Shows the name, never the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// The request that is sent again with credentials.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its Request-URI, as it will be on the wire.
    pub uri: &'a [u8],
}

/// The client's part of the protection from replay.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// A fresh unguessable token.
    pub cnonce: &'a str,
    /// How often the challenge's nonce has been used with this one: 1 at first.
    pub nc: u32,
}

/// The strongest of several challenges that can be answered; the first of equals.
///
/// RFC 8760 §2.4 lets local policy overrule the server's order: the strongest is ours. A response holds
/// one challenge per algorithm and realm, each in a header line of its own.
pub fn choose<'a>(challenges: impl IntoIterator<Item = Challenge<'a>>) -> Option<Challenge<'a>> {
    let mut best = None;
    for challenge in challenges {
        let Some(algorithm) = challenge.answerable() else { continue };
        if best.as_ref().is_none_or(|(held, _)| algorithm > *held) {
            best = Some((algorithm, challenge));
        }
    }
    best.map(|(_, challenge)| challenge)
}

/// The value of Authorization or Proxy-Authorization; `None` where the challenge is not
/// [answerable](Challenge::answerable).
pub fn answer(
    challenge: &Challenge<'_>,
    login: &Login<'_>,
    asked: &Asked<'_>,
    counted: &Counted<'_>,
) -> Option<Vec<u8>> {
    let algorithm = challenge.answerable()?;
    let nc = format!("{:08x}", counted.nc);
    let uses_qop = challenge.qop == Qop::Auth;
    let ha1 =
        Ha1::new(algorithm, login.username.as_bytes(), &challenge.realm, login.password.as_bytes());
    let response = Inputs {
        algorithm,
        method: asked.method,
        uri: asked.uri,
        nonce: &challenge.nonce,
        cnonce: Some(counted.cnonce.as_bytes()),
        counted: uses_qop.then_some(nc.as_bytes()),
    }
    .response(&ha1)?;

    let mut out = Vec::with_capacity(320);
    out.extend_from_slice(b"Digest");
    push_quoted(&mut out, "username", login.username.as_bytes());
    push_quoted(&mut out, "realm", &challenge.realm);
    push_quoted(&mut out, "nonce", &challenge.nonce);
    push_quoted(&mut out, "uri", asked.uri);
    push_quoted(&mut out, "response", response.as_bytes());
    push_token(&mut out, "algorithm", algorithm.as_str());
    if uses_qop || algorithm.is_session() {
        push_quoted(&mut out, "cnonce", counted.cnonce.as_bytes());
    }
    if let Some(opaque) = &challenge.opaque {
        push_quoted(&mut out, "opaque", opaque);
    }
    if uses_qop {
        push_token(&mut out, "qop", "auth");
        push_token(&mut out, "nc", &nc);
    }
    Some(out)
}
