//! What the file says of an object, as 32 bytes: whether it changed since it was last provisioned.
//!
//! Only what differs from a default counts, so that a release with a new key does not take every file for changed.
//! Passwords are in it: it is keyed, so that the store's file alone does not let them be guessed.

use mediator_model::{Secret, Sid};
use sha2::{Digest, Sha256};

/// A fingerprint in the making.
pub(super) struct Fingerprint(Sha256);

impl Fingerprint {
    /// Begins the fingerprint of one object.
    pub(super) fn keyed(key: &Secret) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"mediator provisioned 1");
        part(&mut hash, key.expose().as_bytes());
        Self(hash)
    }

    /// A field that is there.
    #[must_use]
    pub(super) fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        part(&mut self.0, name.as_bytes());
        part(&mut self.0, value.as_ref());
        self
    }

    /// A field that may be absent.
    #[must_use]
    pub(super) fn optional(self, name: &str, value: Option<impl AsRef<[u8]>>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// A number, unless it is the default one.
    #[must_use]
    pub(super) fn number(self, name: &str, value: i64, default: i64) -> Self {
        if value == default { self } else { self.field(name, value.to_be_bytes()) }
    }

    /// A reference.
    #[must_use]
    pub(super) fn sid(self, name: &str, sid: Sid) -> Self {
        self.field(name, sid.as_u128().to_be_bytes())
    }

    pub(super) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}
