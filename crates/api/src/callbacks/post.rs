//! One attempt: the signed POST, and what can go wrong with it.
//!
//! Redirects are not followed: the operator named the place that may have the record, and no other. What goes wrong is
//! told without the URL, which may carry credentials.

use std::error::Error;
use std::time::Duration;

use mediator_model::{Secret, UnixMillis};
use mediator_store::Delivery;
use reqwest::header::{CONTENT_TYPE, HeaderName};
use reqwest::{Client, ClientBuilder, Response, Url, redirect};

use super::queue::MAX_PER_HOST;
use super::signature::signature;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an attempt may take from its beginning to the end of the answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// How much of an answer is read, in bytes: enough for the connection to be used again where the answer is small.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The longest cause that is kept, in characters.
const MAX_CAUSE: usize = 200;

/// Signs the body and the time.
const SIGNATURE: HeaderName = HeaderName::from_static("x-mediator-signature");
/// The record's `dr_sid`: the same in every attempt, so that a receiver can drop what it has already.
const DELIVERY: HeaderName = HeaderName::from_static("x-mediator-delivery");

/// Why an attempt failed, for people.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// There is nothing to sign with.
    #[error("the partner has no callbacks_secret to sign with")]
    NoSecret,
    /// It cannot be posted anywhere, ever.
    #[error("the callback's URL is no http or https URL")]
    BadUrl,
    /// The receiver does not want it, or not now.
    #[error("answered {0}")]
    Status(u16),
    /// It says nothing.
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    Silent,
    /// Its host cannot be reached.
    #[error("cannot connect: {0}")]
    Unreachable(Box<str>),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(Box<str>),
}

impl Failure {
    /// Whether trying again is of no use.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::BadUrl)
    }
}

/// A client for callbacks. Where the machine has no certificate authorities, `https` callbacks fail and others do not.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    client_with(|builder| builder)
}

/// A client that differs in something.
pub(super) fn client_with(
    change: impl Fn(ClientBuilder) -> ClientBuilder,
) -> Result<Client, reqwest::Error> {
    // The process may have chosen one; that one is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let build = |builder| change(builder).build();
    build(builder()).or_else(|_| build(builder().tls_certs_only([])))
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("Mediator/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        // Names of headers have no case (RFC 9110 §5.1), but not every script that receives callbacks knows.
        .http1_title_case_headers()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(MAX_PER_HOST)
}

/// `host:port` of a URL that can be posted to.
pub(super) fn host(url: &str) -> Option<(Url, String)> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let host = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
    Some((url, host))
}

/// Posts a record; success is a 2xx.
pub(super) async fn post(
    client: &Client,
    delivery: Delivery,
    secret: Option<Secret>,
    now: UnixMillis,
) -> Result<(), Failure> {
    let (url, _) = host(&delivery.url).ok_or(Failure::BadUrl)?;
    let secret = secret.ok_or(Failure::NoSecret)?;
    let response = client
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .header(SIGNATURE, signature(&secret, now.0 / 1000, &delivery.body))
        .header(DELIVERY, delivery.dr_sid.to_string())
        .body(String::from(delivery.body))
        .send()
        .await
        .map_err(failure)?;
    let status = response.status();
    drain(response).await;
    if status.is_success() { Ok(()) } else { Err(Failure::Status(status.as_u16())) }
}

/// Reads the body of an answer and drops it. The status said it all: what breaks here changes nothing.
async fn drain(mut response: Response) {
    let mut read = 0;
    while read <= MAX_ANSWER_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            Ok(None) | Err(_) => return,
        }
    }
}

fn failure(error: reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::Silent;
    }
    let is_connect = error.is_connect();
    let cause = innermost(&error.without_url());
    if is_connect { Failure::Unreachable(cause) } else { Failure::Broken(cause) }
}

/// The cause at the root of an error: what stands above it repeats that something failed, and may name the URL.
fn innermost(error: &(dyn Error + 'static)) -> Box<str> {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(MAX_CAUSE).collect()
}
