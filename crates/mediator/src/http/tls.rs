//! TLS for the API: a certificate chain and its key from PEM files, exchanged under running connections.
//!
//! A connection keeps what it shook hands with; the next one gets what was loaded last. Invariant: what is served was
//! read whole and fits together; a bad new pair leaves the old one.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerConfig;
use tokio_rustls::TlsAcceptor;

/// The most that is read of a PEM file, in bytes.
const MAX_PEM_BYTES: u64 = 1024 * 1024;

/// Where a certificate and its key lie; relative to the working directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The server's certificate, then those that lead to its root, in PEM.
    pub certificate: PathBuf,
    /// Its private key in PEM: PKCS#8, PKCS#1 or SEC 1, not encrypted.
    pub key: PathBuf,
}

/// Why a pair of files cannot be served. `Display` is one line with the remedy and without anything of the key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: cannot be read: {cause}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A file is too large to be what it should be.
    #[error("{}: larger than 1 MiB: expected one certificate chain or one key in PEM", .0.display())]
    TooLarge(PathBuf),
    /// A file's PEM is broken.
    #[error("{}: no valid PEM: {cause}", path.display())]
    BadPem {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        cause: rustls::pki_types::pem::Error,
    },
    /// There is no certificate in it.
    #[error("{}: has no certificate: expected -----BEGIN CERTIFICATE-----", .0.display())]
    NoCertificate(PathBuf),
    /// There is no key in it.
    #[error("{}: has no private key: expected -----BEGIN PRIVATE KEY-----, not encrypted", .0.display())]
    NoKey(PathBuf),
    /// The two do not fit together, or are of a kind that is not known here.
    #[error("{} and {}: {}", files.certificate.display(), files.key.display(), refusal(cause))]
    Unfit {
        /// The pair.
        files: TlsFiles,
        /// Why.
        cause: rustls::Error,
    },
}

fn refusal(cause: &rustls::Error) -> String {
    match cause {
        rustls::Error::InconsistentKeys(_) => {
            "the key is not that of the first certificate: give the pair that was issued together"
                .to_owned()
        }
        other => format!("cannot be used: {other}"),
    }
}

/// What TLS connections shake hands with.
#[derive(Debug)]
pub struct ReloadableTls {
    config: ArcSwap<ServerConfig>,
}

impl ReloadableTls {
    /// Reads a pair.
    pub fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { config: ArcSwap::new(read(files)?) })
    }

    /// Reads a pair, which from here on counts; where it cannot be served, the old one stays.
    pub fn reload(&self, files: &TlsFiles) -> Result<(), TlsError> {
        self.config.store(read(files)?);
        Ok(())
    }

    /// Shakes hands with what was loaded last.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = chain(&files.certificate)?;
    let key = key(&files.key)?;
    let unfit = |cause| TlsError::Unfit { files: files.clone(), cause };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = content(path)?;
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|cause| TlsError::BadPem { path: path.to_owned(), cause })?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(path.to_owned()));
    }
    Ok(chain)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    use rustls::pki_types::pem::Error;
    let pem = content(path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|cause| match cause {
        Error::NoItemsFound => TlsError::NoKey(path.to_owned()),
        cause => TlsError::BadPem { path: path.to_owned(), cause },
    })
}

fn content(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_PEM_BYTES + 1).read_to_end(&mut content))
        .map_err(|cause| TlsError::Unreadable { path: path.to_owned(), cause })?;
    if content.len() as u64 > MAX_PEM_BYTES {
        return Err(TlsError::TooLarge(path.to_owned()));
    }
    Ok(content)
}

#[cfg(test)]
mod tests;
