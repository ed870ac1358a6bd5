//! What is made by chance: sids, logins, passwords and tokens, from the operating system's generator.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mediator_model::{Secret, Sid};

use crate::fault::Fault;

/// A login's letters: easy to read out, and no `:`, which HTTP Basic (RFC 7617 §2) cannot carry in a user name.
const LOGIN_LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const LOGIN_LEN: usize = 16;

fn bytes<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "the operating system gives no random bytes");
        Fault::Internal
    })?;
    Ok(bytes)
}

/// A sid.
pub(super) fn sid() -> Result<Sid, Fault> {
    bytes().map(|bytes| Sid::from_random(u128::from_be_bytes(bytes)))
}

/// A login: 16 of `[a-z0-9]`, each as likely as the others.
pub(super) fn login() -> Result<Box<str>, Fault> {
    /// The largest multiple of 36 in a byte: what is above would make some letters likelier.
    const FAIR: u8 = 252;
    let mut login = String::with_capacity(LOGIN_LEN);
    while login.len() < LOGIN_LEN {
        for byte in bytes::<LOGIN_LEN>()?.into_iter().filter(|byte| *byte < FAIR) {
            let letter = LOGIN_LETTERS.get(usize::from(byte) % LOGIN_LETTERS.len());
            login.extend(letter.map(|letter| char::from(*letter)));
        }
    }
    login.truncate(LOGIN_LEN);
    Ok(login.into())
}

/// A password: 32 URL-safe characters, 192 bits.
pub(super) fn password() -> Result<Secret, Fault> {
    bytes::<24>().map(|bytes| Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

/// An access or refresh token, or the key of callbacks: 43 URL-safe characters, 256 bits.
pub(super) fn token() -> Result<Secret, Fault> {
    bytes::<32>().map(|bytes| Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}
