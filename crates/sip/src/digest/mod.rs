//! Digest access authentication for SIP: RFC 3261 §22.4 as amended by RFC 8760, over RFC 7616.
//!
//! MD5 and SHA-256, plain and `-sess`, with `qop=auth` or, for peers of RFC 2069, without a qop.
//! `auth-int` is refused both ways: a proxy on the path may change the body. Nothing here knows
//! users or counts nonces: [`Credentials`] shows `nc` and [`NonceState::Fresh`] names the nonce, so
//! that whoever wants protection from replay can keep the two together.
//!
//! As server: send one challenge a header line, SHA-256 first (RFC 8760 §2.4), with
//! [`challenge_value`]; then [`NonceKey::check`] and [`verify()`]. As client: [`choose`] and [`answer()`].

mod algorithm;
mod answer;
mod challenge;
mod credentials;
mod nonce;
mod quoted;
mod syntax;
mod verify;

#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, Ha1};
pub use answer::{Asked, Counted, Login, answer, choose};
pub use challenge::{Challenge, Stale, challenge_value};
pub use credentials::Credentials;
pub use nonce::{NonceKey, NonceState};
pub use syntax::{AuthError, Qop};
pub use verify::{verify, verify_password};
