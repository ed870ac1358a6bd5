//! Secrets at rest: XChaCha20-Poly1305 with a key in a file of its own, so that a copy of the database alone tells none.
//!
//! A sealed secret is a random nonce (24 bytes) and what the cipher makes; it opens only for the object that it was
//! sealed for. It deliberately does not protect from who reads the key file: that is the process's own user.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// Seals and opens secrets.
pub(super) struct Sealer {
    cipher: XChaCha20Poly1305,
}

/// What was sealed does not open: another key, or damage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a secret does not open: secret.key is not the one that sealed it, or the row is damaged")]
pub(super) struct NotOpened;

impl Sealer {
    /// A sealer with a new random key that nobody keeps, and the key.
    pub(super) fn random() -> io::Result<(Self, [u8; KEY_BYTES])> {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Ok((Self::new(&key), key))
    }

    fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&(*key).into()) }
    }

    /// The key of a file; `Ok(None)`: there is no such file.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let key: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, "it must hold exactly 32 bytes")
        })?;
        Ok(Some(Self::new(&key)))
    }

    /// A new key, in a new file that only this user reads, durable before it seals anything.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let (sealer, key) = Self::random()?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(&key)?;
        file.sync_all()?;
        if let Some(folder) = path.parent() {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(sealer)
    }

    /// Seals `plain` for the object that `belongs_to` names.
    pub(super) fn seal(&self, plain: &[u8], belongs_to: &[u8]) -> rusqlite::Result<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| to_sql_error(io::Error::other(error)))?;
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: belongs_to })
            .map_err(|_| to_sql_error(NotOpened))?;
        let mut out = nonce.to_vec();
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens what was sealed for the same object.
    pub(super) fn open(&self, sealed: &[u8], belongs_to: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(NotOpened)?;
        self.cipher
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: belongs_to })
            .map_err(|_| NotOpened)
    }
}

fn to_sql_error(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
