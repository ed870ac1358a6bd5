//! Pairs that serve, and pairs that do not.

use std::fs;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use reqwest::Certificate;
use tempfile::TempDir;

use super::*;
use crate::http::{HttpServer, Serving};

/// A folder with a pair in it.
struct Folder {
    folder: TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn files(&self) -> TlsFiles {
        let path = |name| self.folder.path().join(name);
        TlsFiles { certificate: path("chain.pem"), key: path("key.pem") }
    }

    fn write(&self, certificate: &str, key: &str) {
        let files = self.files();
        fs::write(files.certificate, certificate).unwrap();
        fs::write(files.key, key).unwrap();
    }

    /// Writes a new pair that fits, and gives the certificate.
    fn issue(&self) -> Certificate {
        let (certificate, key) = pair();
        self.write(&certificate, &key);
        Certificate::from_pem(certificate.as_bytes()).unwrap()
    }
}

fn pair() -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (cert.pem(), KeyPair::serialize_pem(&signing_key))
}

fn serve(tls: &Arc<ReloadableTls>) -> (SocketAddr, Serving) {
    let server = HttpServer::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = server.address();
    let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
    let router = Router::new().route("/peer", get(peer));
    (address, server.start(router, Some(Arc::clone(tls))).unwrap())
}

/// Asks over a new connection, and trusts only `certificate`.
async fn ask(address: SocketAddr, certificate: &Certificate) -> Result<String, reqwest::Error> {
    let _ = ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([certificate.clone()])
        .resolve("localhost", address)
        .build()?;
    let url = format!("https://localhost:{}/peer", address.port());
    client.get(url).send().await?.text().await
}

#[tokio::test]
async fn serves_the_pair_that_was_loaded_last() {
    let folder = Folder::new();
    let old = folder.issue();
    let tls = Arc::new(ReloadableTls::load(&folder.files()).unwrap());
    let (address, _serving) = serve(&tls);
    assert_eq!(ask(address, &old).await.unwrap(), "127.0.0.1");
    let new = folder.issue();
    assert!(ask(address, &new).await.is_err(), "files count when they are loaded");
    tls.reload(&folder.files()).unwrap();
    assert_eq!(ask(address, &new).await.unwrap(), "127.0.0.1");
    assert!(ask(address, &old).await.is_err());
}

#[tokio::test]
async fn a_bad_pair_leaves_the_old_one() {
    let folder = Folder::new();
    let old = folder.issue();
    let tls = Arc::new(ReloadableTls::load(&folder.files()).unwrap());
    let (address, _serving) = serve(&tls);
    folder.write("-----BEGIN", "-----END");
    tls.reload(&folder.files()).unwrap_err();
    assert_eq!(ask(address, &old).await.unwrap(), "127.0.0.1");
}

#[test]
fn names_the_file_and_the_remedy() {
    let (certificate, key) = pair();
    let (_, other_key) = pair();
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let half = certificate.get(..certificate.len() / 2).unwrap();
    let rows: [(&str, &str, &[&str]); 6] = [
        ("", &key, &["chain.pem: has no certificate: expected -----BEGIN CERTIFICATE-----"]),
        (&key, &key, &["chain.pem: has no certificate"]),
        (&certificate, "", &["key.pem: has no private key"]),
        (&certificate, &encrypted, &["key.pem: has no private key", "not encrypted"]),
        (half, &key, &["chain.pem: no valid PEM"]),
        (&certificate, &other_key, &["the key is not that of the first certificate"]),
    ];
    for (certificate, key, expected) in rows {
        let folder = Folder::new();
        folder.write(certificate, key);
        let error = ReloadableTls::load(&folder.files()).unwrap_err().to_string();
        for part in expected {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let files = TlsFiles { certificate: "no/chain.pem".into(), key: "no/key.pem".into() };
    let error = ReloadableTls::load(&files).unwrap_err().to_string();
    assert_eq!(error, "no/chain.pem: cannot be read: No such file or directory (os error 2)");
}

#[test]
fn reads_no_file_without_end() {
    let folder = Folder::new();
    folder.issue();
    let files = TlsFiles { certificate: "/dev/zero".into(), ..folder.files() };
    assert!(matches!(ReloadableTls::load(&files), Err(TlsError::TooLarge(_))));
}
