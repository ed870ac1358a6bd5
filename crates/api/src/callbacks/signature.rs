//! `X-Mediator-Signature`: by it a receiver knows that a callback comes from here, and when it was sent.

use std::fmt::Write;

use hmac::{Hmac, Mac};
use mediator_model::Secret;
use sha2::Sha256;

/// `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`.
pub(super) fn signature(secret: &Secret, unix_seconds: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(unix_seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    let mut header = format!("t={unix_seconds},v1=");
    for byte in mac.finalize().into_bytes() {
        // A String takes everything.
        let _ = write!(header, "{byte:02x}");
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_other_implementations_compute() {
        // printf '1700000000.{"dr_sid":"x"}' | openssl dgst -sha256 -hmac callback-key
        let secret = Secret::new("callback-key");
        assert_eq!(
            signature(&secret, 1_700_000_000, r#"{"dr_sid":"x"}"#),
            "t=1700000000,v1=675d4627cd066a5f9b0b7eaec758aafdb49564214cf5fa1fa7c469bdd907ce9c"
        );
    }

    #[test]
    fn covers_time_body_and_key() {
        let secret = Secret::new("k");
        let signed = signature(&secret, 1, "body");
        assert_ne!(signed, signature(&secret, 1, "Body"));
        assert_ne!(signed, signature(&Secret::new("l"), 1, "body"));
        assert_ne!(signed.split_once(','), signature(&secret, 2, "body").split_once(','));
    }
}
