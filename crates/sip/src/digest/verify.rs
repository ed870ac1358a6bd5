//! The server's side: whether credentials show that their sender knows the password (RFC 7616 §3.4.6).
//!
//! Says nothing of the nonce, the realm and the digest-uri: the caller asks
//! [`NonceKey::check`](super::NonceKey::check) and compares the rest with its own.

use super::algorithm::Inputs;
use super::{Credentials, Ha1, Qop};

/// Whether the response fits `method` and `ha1`; it takes the same time whatever digit is wrong.
///
/// False for an algorithm that is not spoken here or is not the one of `ha1`, for `qop=auth-int`, and
/// for a hashed user name. Without a qop the computation of RFC 2069 counts (RFC 3261 §22.4 item 8),
/// but never where credentials name a qop.
pub fn verify(credentials: &Credentials<'_>, method: &str, ha1: &Ha1) -> bool {
    let Some(algorithm) = credentials.algorithm else { return false };
    let counted = match credentials.qop {
        Qop::Absent => None,
        Qop::Auth => match credentials.nc_text() {
            Some(nc) => Some(nc),
            None => return false,
        },
        Qop::Other => return false,
    };
    let inputs = Inputs {
        algorithm,
        method,
        uri: &credentials.uri,
        nonce: &credentials.nonce,
        cnonce: credentials.cnonce.as_deref(),
        counted,
    };
    !credentials.userhash
        && inputs.response(ha1).is_some_and(|expected| expected.matches(&credentials.response))
}

/// [`verify`] with the password itself, under the name, realm and algorithm that the credentials give.
pub fn verify_password(credentials: &Credentials<'_>, method: &str, password: &str) -> bool {
    credentials.algorithm.is_some_and(|algorithm| {
        let ha1 =
            Ha1::new(algorithm, &credentials.username, &credentials.realm, password.as_bytes());
        verify(credentials, method, &ha1)
    })
}
